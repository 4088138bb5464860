"""Breakers, keys, places, waits and budgets: what a gateway does about providers that fail."""

import base64
import http.client
import json
import os
import signal
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import openai
import pytest

from harness.conf import CLIENT_KEY, PROVIDER_KEY, sha256_of
from harness.gateway import Gateway
from harness.simulator import Simulator
from harness.waiting import DEADLINE_S, wait_until

QUESTION = [{"role": "user", "content": "Say hello."}]
# What is tested of breakers stays within seconds.
BREAKER = {"open_ms": 600, "open_max_ms": 2000, "window_ms": 2000, "consecutive_failures": 3}
KEYS = {"KEY_A": "made-up-key-a", "KEY_B": "made-up-key-b"}


def fetch(url, body=None, method=None, key=CLIENT_KEY):
    request = urllib.request.Request(
        url, None if body is None else json.dumps(body).encode(),
        {"authorization": "Bearer " + key, "content-type": "application/json"}, method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=DEADLINE_S)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer.headers, answer.read().decode()


class World:
    """A gateway in front of simulated providers that can be told to fail."""

    def __init__(self, gateway, simulator):
        self.gateway = gateway
        self.simulator = simulator
        self.schedule = simulator.url + "/_simulator/outages"

    def ask(self, model="gpt-4o", **body):
        return fetch(self.gateway.url + "/v1/chat/completions",
                     {"model": model, "messages": QUESTION, **body})

    def fail(self, **outage):
        status, _, text = fetch(self.schedule, outage)
        assert status == 200, text

    def recover(self):
        assert fetch(self.schedule, method="DELETE")[0] == 200

    def received(self):
        return self.simulator.ask("/_simulator/bill")["received"]

    def metric(self, name, **labels):
        text = fetch(f"http://127.0.0.1:{self.gateway.admin_port}/metrics")[2]
        wanted = "".join(f'{key}="{value}"' for key, value in labels.items())
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith(name) and wanted in line and not line.startswith("#"))


def provider(port, name, root="/v1", **facts):
    return {"name": name, "base_url": f"http://127.0.0.1:{port}{root}",
            "api_key_env": "HYPERION_TEST_PROVIDER_KEY", **facts}


@contextmanager
def world(folder, make_changes=None, **sections):
    with Simulator() as simulator:
        port = simulator.port
        changes = {"breaker": BREAKER,
                   "providers": [provider(port, "openai"), provider(port, "anthropic"),
                                 provider(port, "gemini", "/v1beta")], **sections}
        if make_changes:
            changes |= make_changes(port)
        environment = {"HYPERION_TEST_PROVIDER_KEY": PROVIDER_KEY, **KEYS}
        with Gateway(folder, port, changes, environment) as gateway:
            yield World(gateway, simulator)


# Breakers ----------------------------------------------------------------------------------------


def test_a_failing_provider_is_left_alone_until_it_recovers(tmp_path):
    with world(tmp_path) as here:
        here.fail(model="gpt-4o", fault="500")
        chain = {"fallbacks": ["claude-haiku-4-5"]}
        reasons = [here.ask(hyperion=chain)[1]["x-hyperion-fallback-reason"] for _ in range(6)]
        assert reasons[:3] == ["server"] * 3, "found out by these, which were answered all the same"
        assert reasons[3:] == ["circuit_open"] * 3, "and spared to those that followed"
        assert here.metric("hyperion_breakers_opened_total") == 1
        here.recover()

        def well_again():
            answer = here.ask(hyperion=chain)
            return answer[1]["x-hyperion-provider"] == "openai" and answer

        status, headers, _ = wait_until(well_again, "a probe to find the provider well")
        assert status == 200 and "x-hyperion-fallback-index" not in headers
        assert here.metric("hyperion_breakers_closed_total") == 1
        wait_until(lambda: here.metric("hyperion_breakers_open", provider="openai") == 0,
                   "the gauge to be back")


def test_while_it_is_shut_the_provider_hears_nothing_but_probes(tmp_path):
    with world(tmp_path, breaker={**BREAKER, "open_ms": 60_000}) as here:
        here.fail(model="gpt-4o", fault="500")
        chain = {"fallbacks": ["claude-haiku-4-5"]}
        for _ in range(3):
            here.ask(hyperion=chain)
        before = here.received()
        for _ in range(20):
            assert here.ask(hyperion=chain)[0] == 200
        assert here.received() - before == 20, "one attempt each, at the fallback"


def test_with_nowhere_else_to_go_a_shut_provider_is_tried_all_the_same(tmp_path):
    with world(tmp_path, breaker={**BREAKER, "open_ms": 60_000},
               retries={"attempts_max": 1}) as here:
        here.fail(model="gpt-4o", fault="500")
        for _ in range(4):
            assert here.ask()[0] == 500
        here.recover()
        assert here.ask()[0] == 200


def test_the_clients_errors_and_leaving_open_no_breaker(tmp_path):
    with world(tmp_path) as here:
        for fault in ("400", "413", "422"):
            here.fail(model="gpt-4o", fault=fault)
            for _ in range(8):
                assert here.ask()[0] == int(fault)
            here.recover()
        here.fail(model="gpt-4o", fault="stall")
        for _ in range(5):
            with pytest.raises(TimeoutError):
                urllib.request.urlopen(urllib.request.Request(
                    here.gateway.url + "/v1/chat/completions",
                    json.dumps({"model": "gpt-4o", "messages": QUESTION}).encode(),
                    {"authorization": "Bearer " + CLIENT_KEY}), timeout=0.2)
        here.recover()
        assert here.metric("hyperion_breakers_opened_total") == 0
        assert here.ask()[0] == 200


def test_what_one_shard_found_out_holds_for_all(tmp_path):
    with world(tmp_path, server={"listen": ["127.0.0.1:0"], "shards": 4},
               breaker={**BREAKER, "open_ms": 60_000}) as here:
        here.fail(model="gpt-4o", fault="500")
        chain = {"fallbacks": ["claude-haiku-4-5"]}
        # Each request is a new connection: the kernel spreads them over the shards.
        reasons = [here.ask(hyperion=chain)[1]["x-hyperion-fallback-reason"] for _ in range(40)]
        found_out = reasons.count("server")
        assert 3 <= found_out <= 9, reasons
        assert set(reasons[found_out + 3:]) == {"circuit_open"}


def test_auto_stays_away_from_what_is_shut(tmp_path):
    with world(tmp_path, breaker={**BREAKER, "open_ms": 60_000}) as here:
        first = here.ask("auto")[1]["x-hyperion-model"]
        here.fail(model=first, fault="500")
        for _ in range(3):
            here.ask("auto")
        status, headers, _ = here.ask("auto")
        assert status == 200 and headers["x-hyperion-model"] != first
        assert headers["x-hyperion-attempts"] == "1", "not tried and failed: not chosen"


# Keys and places ---------------------------------------------------------------------------------


def two_keys(port):
    return {"providers": [{"name": "openai", "base_url": f"http://127.0.0.1:{port}/v1",
                           "api_key_envs": {"KEY_A": 1, "KEY_B": 1}}]}


@pytest.mark.parametrize(("fault", "status"), [("429, retryafter:30", 200), ("401", 200)])
def test_another_key_of_the_same_model_takes_over(tmp_path, fault, status):
    with world(tmp_path, two_keys) as here:
        here.fail(api_key=KEYS["KEY_A"], fault=fault)
        answers = [here.ask() for _ in range(12)]
        assert [answer[0] for answer in answers] == [status] * 12
        attempts = [int(answer[1]["x-hyperion-attempts"]) for answer in answers]
        assert sorted(attempts)[-2:] == [1, 2], "the key is left alone once it has been refused"
        assert all("x-hyperion-fallback-index" not in answer[1] for answer in answers)


def test_a_refused_key_is_an_alarm_that_names_the_key_and_not_its_value(tmp_path):
    with world(tmp_path, two_keys) as here:
        here.fail(api_key=KEYS["KEY_A"], fault="401")
        for _ in range(8):
            here.ask()
        here.gateway.wait_for_stderr("refused its key KEY_A")
        assert KEYS["KEY_A"] not in here.gateway.stderr()
        assert here.metric("hyperion_keys_refused_total") == 1


def test_requests_are_spread_over_the_keys_by_their_shares(tmp_path):
    def shares(port):
        changes = two_keys(port)
        changes["providers"][0]["api_key_envs"] = {"KEY_A": 3, "KEY_B": 1}
        return changes

    with world(tmp_path, shares) as here:
        for _ in range(120):
            here.ask()
        requests = here.simulator.ask("/_simulator/requests")
        requests = requests if isinstance(requests, list) else requests["requests"]
        keys = [value for one in requests for name, value in one["headers"]
                if name.lower() == "authorization"]
        share = keys.count("Bearer " + KEYS["KEY_A"]) / len(keys)
        assert len(keys) == 120 and 0.6 < share < 0.9


def regions(port):
    return {
        "providers": [provider(port, "east", "/east/v1", preset="openai", serves=["openai"]),
                      provider(port, "west", "/west/v1", preset="openai", serves=["openai"]),
                      provider(port, "anthropic")],
        "chains": [{"model": "gpt-4o", "places": {"east/gpt-4o": 1, "west/gpt-4o": 1},
                    "fallbacks": ["claude-haiku-4-5"]}],
    }


def test_places_share_the_load_and_stand_in_for_each_other_before_another_model(tmp_path):
    with world(tmp_path, regions) as here:
        seen = {here.ask()[1]["x-hyperion-provider"] for _ in range(30)}
        assert seen == {"east", "west"}
        here.fail(path="/east/", fault="503")
        answers = [here.ask() for _ in range(12)]
        assert {answer[1]["x-hyperion-provider"] for answer in answers} == {"west"}
        assert all(answer[1]["x-hyperion-model"].startswith("gpt-4o") for answer in answers)
        here.fail(path="/west/", fault="503")
        status, headers, _ = here.ask()
        assert status == 200 and headers["x-hyperion-provider"] == "anthropic"
        assert headers["x-hyperion-fallback-index"] == "1"
        # A provider that the client names is that provider.
        assert here.ask("east/gpt-4o", fallbacks=[])[0] == 503


def test_a_key_that_may_use_none_of_the_places_gets_what_its_name_leads_to(tmp_path):
    def places(port):
        return regions(port) | {
            "chains": [{"model": "east/gpt-4o", "places": {"west/gpt-4o": 1}}],
            "keys": [{"id": "tests", "hash": sha256_of(CLIENT_KEY), "models": ["east/*"]}]}

    with world(tmp_path, places) as here:
        status, headers, text = here.ask()
        assert status == 200, text
        assert headers["x-hyperion-provider"] == "east"


def test_an_empty_list_switches_the_confs_chain_off(tmp_path):
    with world(tmp_path, regions) as here:
        here.fail(provider="openai", fault="503")
        assert here.ask()[1]["x-hyperion-provider"] == "anthropic"
        status, headers, _ = here.ask(hyperion={"fallbacks": []})
        assert status in (502, 503) and headers["x-hyperion-provider"] in ("east", "west")
        status, headers, _ = here.ask(hyperion={"fallbacks": ["claude-sonnet-4-5"]})
        assert headers["x-hyperion-model"].startswith("claude-sonnet-4-5")


def test_a_place_that_is_up_but_slow_loses_weight(tmp_path):
    with world(tmp_path, regions) as here:
        here.fail(path="/east/", fault="slow:150")
        for _ in range(20):
            here.ask(stream=True)
        seen = [here.ask(stream=True)[1]["x-hyperion-provider"] for _ in range(30)]
        assert seen.count("west") >= 24, seen


# Waits, and the one budget -----------------------------------------------------------------------


def test_a_short_outage_is_waited_out(tmp_path):
    with world(tmp_path, retries={"attempts_max": 8, "backoff_base_ms": 300}) as here:
        here.fail(model="gpt-4o", fault="503", length_ms=400)
        status, headers, _ = here.ask()
        assert status == 200 and int(headers["x-hyperion-attempts"]) > 1
        assert here.metric("hyperion_retries_total") >= 1


def test_a_short_retry_after_is_kept_a_long_one_is_passed_on(tmp_path):
    with world(tmp_path) as here:
        here.fail(model="gpt-4o", fault="429, retryms:700", length_ms=300)
        began = time.monotonic()
        status, headers, _ = here.ask()
        assert status == 200 and headers["x-hyperion-attempts"] == "2"
        assert time.monotonic() - began >= 0.7
        here.fail(model="gpt-4o", fault="429, retryafter:30")
        status, headers, _ = here.ask()
        assert status == 429 and headers["retry-after"] == "30"
        assert headers["x-hyperion-attempts"] == "1" and "x-should-retry" not in headers


def test_attempts_are_bounded_and_the_client_is_told_not_to_go_on(tmp_path):
    with world(tmp_path) as here:
        here.fail(model="gpt-4o", fault="503")
        before = here.received()
        status, headers, text = here.ask()
        assert status == 503 and "error" in json.loads(text)
        assert headers["x-hyperion-attempts"] == "3" and headers["x-should-retry"] == "false"
        assert here.received() - before == 3


def test_x_should_retry_of_the_provider_is_obeyed(tmp_path):
    with world(tmp_path) as here:
        for fault, attempts in (("503, shouldretry:0", "1"), ("503, shouldretry:1", "3")):
            here.fail(model="gpt-4o", fault=fault)
            assert here.ask()[1]["x-hyperion-attempts"] == attempts
            here.recover()


def test_the_total_time_holds_over_all_attempts(tmp_path):
    with world(tmp_path) as here:
        here.fail(provider="openai", fault="stall")
        began = time.monotonic()
        status, headers, _ = here.ask(
            stream=True,
            hyperion={"fallbacks": ["gpt-4o-mini", "gpt-4.1"],
                      "timeouts": {"first_token_ms": 400, "total_ms": 1000}})
        took = time.monotonic() - began
        assert status in (502, 504) and headers["x-hyperion-attempts"] == "3"
        assert 0.9 < took < 3
        assert here.metric("hyperion_possibly_billed_total") == 3


def test_a_silent_stream_moves_on_when_its_first_token_is_late(tmp_path):
    with world(tmp_path) as here:
        for fault in ("stall", "comments", "stall:1"):
            here.fail(model="gpt-4o", fault=fault)
            status, headers, text = here.ask(
                stream=True, hyperion={"fallbacks": ["claude-haiku-4-5"],
                                       "timeouts": {"first_token_ms": 300}})
            assert status == 200 and headers["x-hyperion-fallback-reason"] == "timeout", fault
            assert text.count("[DONE]") == 1
            here.recover()


def test_max_cost_skips_who_may_cost_more_and_refuses_when_nobody_is_left(tmp_path):
    with world(tmp_path) as here:
        asked = {"max_tokens": 100, "hyperion": {"max_cost": 0.0005,
                                                 "fallbacks": ["gpt-4o-mini"]}}
        before = here.received()
        status, headers, text = here.ask(**asked)
        assert status == 200, text
        assert headers["x-hyperion-model"].startswith("gpt-4o-mini")
        assert headers["x-hyperion-fallback-index"] == "1"
        assert here.received() - before == 1
        asked["hyperion"]["max_cost"] = 0.000001
        status, headers, text = here.ask(**asked)
        error = json.loads(text)["error"]
        assert (status, error["code"]) == (429, "budget_exceeded")
        assert error["param"] == "hyperion.max_cost" and headers["x-should-retry"] == "false"
        assert here.received() - before == 1, "refused before anything was sent"


# What is said --------------------------------------------------------------------------------


def test_the_log_says_who_was_tried_and_why(tmp_path):
    with world(tmp_path) as here:
        here.fail(model="gpt-4o", fault="500")
        here.fail(model="gpt-4o-mini", fault="429, retryafter:30")
        status, headers, _ = here.ask(
            hyperion={"fallbacks": ["gpt-4o-mini", "claude-haiku-4-5"]})
        assert status == 200
        line = here.gateway.wait_for_log(headers["x-request-id"])
        assert line["tried"] == ("openai/gpt-4o-2024-11-20 (server); "
                                 "openai/gpt-4o-mini-2024-07-18 (rate_limit)")
        assert (line["attempts"], line["fallback_index"]) == (3, 2)
        assert line["end"] == "--" and "error" not in line
        status, headers, _ = here.ask(hyperion={"fallbacks": ["gpt-4o-mini"]})
        line = here.gateway.wait_for_log(headers["x-request-id"])
        assert status == 502 and line["gave_up"] in ("attempts", "time")


def is_stopped(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] == "T"


# Providers that die --------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_that_is_killed_or_stopped_is_got_round(tmp_path, stream):
    with Simulator() as other:
        def elsewhere(port):
            return {"providers": [provider(port, "openai"), provider(other.port, "anthropic")]}

        with world(tmp_path, elsewhere) as here:
            asked = {"stream": stream, "hyperion": {
                "fallbacks": ["claude-haiku-4-5"],
                "timeouts": {"connect_ms": 300, "first_token_ms": 500}}}
            assert here.ask(**asked)[1]["x-hyperion-provider"] == "openai"
            # Stopped: a plain answer may be silent for all its time, a stream may not.
            if stream:
                here.simulator.process.send_signal(signal.SIGSTOP)
                wait_until(lambda: is_stopped(here.simulator.process.pid), "the provider to stop")
                try:
                    status, headers, _ = here.ask(**asked)
                finally:
                    here.simulator.process.send_signal(signal.SIGCONT)
                assert status == 200 and headers["x-hyperion-fallback-reason"] == "timeout"
            os.kill(here.simulator.process.pid, signal.SIGTERM)
            here.simulator.process.wait(DEADLINE_S)
            for _ in range(3):
                status, headers, text = here.ask(**asked)
                assert status == 200, text
                assert headers["x-hyperion-provider"] == "anthropic"
            line = here.gateway.wait_for_log(headers["x-request-id"])
            assert line["outcome"] == "answered"


def test_a_stream_cut_at_any_event_is_whole_or_visibly_broken_and_never_spliced(tmp_path):
    with world(tmp_path, breaker={**BREAKER, "consecutive_failures": 1000,
                                  "requests_min": 1000}) as here:
        for events in range(0, 12):
            here.fail(model="gpt-4o", fault=f"cut:{events}")
            body = {"model": "gpt-4o", "messages": QUESTION, "stream": True,
                    "hyperion": {"fallbacks": ["gpt-4o-mini"]}}
            text = read_to_the_end(here.gateway.url, body)
            models = {json.loads(line[6:])["model"] for line in text.splitlines()
                      if line.startswith("data: {") and "model" in line}
            assert len(models) == 1, "an answer comes from one attempt"
            whole = "[DONE]" in text
            assert whole != ("upstream_stream_cut" in text), text
            here.recover()


def read_to_the_end(url, body):
    """The text of a stream, however it ends."""
    request = urllib.request.Request(
        url + "/v1/chat/completions", json.dumps(body).encode(),
        {"authorization": "Bearer " + CLIENT_KEY, "content-type": "application/json"})
    answer = urllib.request.urlopen(request, timeout=DEADLINE_S)
    try:
        return answer.read().decode()
    except http.client.IncompleteRead as broken:
        return broken.partial.decode()


# A second attempt ----------------------------------------------------------------------------


def test_a_late_first_token_gets_a_second_attempt_and_the_first_to_speak_wins(tmp_path):
    hedging = {"enabled": True, "active_percent": 100, "after_min_ms": 50}
    with world(tmp_path, regions, hedging=hedging) as here:
        for _ in range(60):
            here.ask(stream=True)  # both have a usual time now
        here.fail(path="/east/", fault="slow:1500")
        before = here.received()
        hedged = []
        for count in range(1, 61):
            began = time.monotonic()
            status, headers, text = here.ask(stream=True)
            assert status == 200 and text.count("[DONE]") == 1
            assert time.monotonic() - began < 1.4, "nobody waits for the slow place"
            if headers["x-hyperion-hedged"] == "true":
                hedged.append(headers)
            if len(hedged) == 2:
                break
        assert hedged and all(headers["x-hyperion-provider"] == "west" for headers in hedged)
        assert all(headers["x-hyperion-attempts"] == "2" for headers in hedged)
        assert here.received() - before == count + len(hedged)
        assert here.metric("hyperion_hedges_total") == len(hedged)
        assert here.metric("hyperion_possibly_billed_total") == len(hedged)


# Thinking of another vendor's model ------------------------------------------------------------


def thought(signature):
    return [{"role": "user", "content": "What is 2 + 2?"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Two and two.", "signature": signature},
                {"type": "text", "text": "4"}]},
            {"role": "user", "content": "And 3 + 3?"}]


def test_the_thinking_of_another_vendor_is_left_out_where_it_means_nothing(tmp_path):
    with world(tmp_path) as here:
        url = here.gateway.url + "/v1/messages"
        body = {"model": "claude-haiku-4-5", "max_tokens": 64,
                "messages": thought("hyperion.gemini.c2lnbmF0dXJl")}
        status, headers, text = fetch(url, body)
        assert status == 200, text
        sent = here.simulator.ask("/_simulator/requests")
        sent = sent if isinstance(sent, list) else sent["requests"]
        upstream = base64.b64decode(sent[-1]["body"]).decode()
        assert "hyperion.gemini" not in upstream and "And 3 + 3?" in upstream
        assert "thinking" in headers.get("x-hyperion-dropped-params", "")


def test_a_claude_conversation_goes_on_at_its_fallback_of_another_vendor(tmp_path):
    conversation = [
        {"role": "user", "content": "What is 2 + 2?"},
        {"role": "assistant", "content": "4", "thinking_blocks": [
            {"type": "thinking", "thinking": "Two and two.", "signature": "c2lnbmF0dXJl"}]},
        {"role": "user", "content": "And 3 + 3?"}]
    with world(tmp_path) as here:
        here.fail(provider="anthropic", fault="529")
        status, headers, text = fetch(
            here.gateway.url + "/v1/chat/completions",
            {"model": "claude-haiku-4-5", "messages": conversation, "fallbacks": ["gpt-4o-mini"]})
        assert status == 200, text
        assert headers["x-hyperion-provider"] == "openai"
        sent = here.simulator.ask("/_simulator/requests")
        sent = sent if isinstance(sent, list) else sent["requests"]
        assert "thinking_blocks" not in base64.b64decode(sent[-1]["body"]).decode()


# What routing is told ----------------------------------------------------------------------------


def explained(here, **body):
    status, _, text = fetch(here.gateway.url + "/v1/route/explain", {"messages": QUESTION, **body})
    assert status == 200, text
    return json.loads(text)


def test_a_pick_whose_first_token_is_late_is_no_gain(tmp_path):
    with world(tmp_path) as here:
        smart = {"model": "gpt-5.2", "smart_routing": True}
        pick = explained(here, **smart)["model"]
        assert not pick.startswith("gpt-5.2")
        # Only streams tell when their first token came.
        here.fail(model=pick, fault="slow:200")
        for model in ("gpt-5.2", pick):
            for _ in range(3):
                assert here.ask(model, stream=True)[0] == 200
        decision = explained(here, **smart)
        assert decision["model"] != pick
        why = {one["model"]: one["excluded"] for one in decision["candidates"]}
        assert why[pick] == "slower", why


def test_every_shard_decides_alike(tmp_path):
    with world(tmp_path, server={"listen": ["127.0.0.1:0"], "shards": 4}) as here:
        for prompt in ("Prove that there are infinitely many primes.", "Say hello.",
                       "Write a C++ lock-free queue with tests and explain the memory order."):
            decisions = []
            for _ in range(24):
                decision = explained(here, model="auto",
                                     messages=[{"role": "user", "content": prompt}])
                decision.pop("ns")
                decisions.append(decision)
            assert all(one == decisions[0] for one in decisions)


# Money that is set aside -------------------------------------------------------------------------


def test_what_was_set_aside_for_attempts_is_given_back(tmp_path):
    with world(tmp_path) as here:
        here.fail(model="gpt-4o", fault="503")
        for stream in (False, True):
            here.ask(stream=stream, hyperion={"fallbacks": ["gpt-4o-mini"], "max_cost": 1})
            here.ask(stream=stream)
        here.fail(model="gpt-4.1", fault="stall")
        with pytest.raises(TimeoutError):
            urllib.request.urlopen(urllib.request.Request(
                here.gateway.url + "/v1/chat/completions",
                json.dumps({"model": "gpt-4.1", "messages": QUESTION}).encode(),
                {"authorization": "Bearer " + CLIENT_KEY}), timeout=1.5)
        wait_until(lambda: here.metric("hyperion_holds_open") == 0, "all holds to be back")


# The users' example ------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "fault", ["503", "529", "reset", "slow:60000", "401", "429, retryafter:30", "html"])
def test_the_openai_client_gets_one_good_answer(tmp_path, fault, stream):
    with world(tmp_path) as here:
        # A plain answer may be silent for as long as it takes: there a late one is no failure.
        here.fail(model="gpt-4o", fault="wronglength" if fault.startswith("slow") and not stream
                  else fault)
        client = openai.OpenAI(api_key=CLIENT_KEY, base_url=here.gateway.url + "/v1",
                               max_retries=0, timeout=DEADLINE_S)
        raw = client.chat.completions.with_raw_response.create(
            model="gpt-4o", messages=QUESTION, stream=stream,
            extra_body={"hyperion": {"fallbacks": ["gpt-4o-mini", "claude-haiku-4-5"],
                                     "timeouts": {"first_token_ms": 500}}})
        # A refused key is refused for gpt-4o-mini as well: both are the same provider's.
        expected = "claude-haiku-4-5" if fault == "401" else "gpt-4o-mini"
        assert raw.headers["x-hyperion-model"].startswith(expected)
        assert raw.headers["x-hyperion-fallback-index"] == ("2" if fault == "401" else "1")
        answer = raw.parse()
        if stream:
            chunks = list(answer)
            assert chunks[-1].choices == [] or chunks[-1].choices[0].finish_reason
            said = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
            assert any(said)
        else:
            assert answer.choices[0].message.content
        client.close()
