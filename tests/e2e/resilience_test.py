"""Breakers, waits and budgets: what a gateway does about providers that fail."""

import json
import os
import signal
import time
import urllib.request

import openai
import pytest

from harness.conf import CLIENT_KEY
from harness.failing import BREAKER, QUESTION, fetch, provider, read_to_the_end, world
from harness.simulator import Simulator
from harness.waiting import DEADLINE_S, wait_until

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


@pytest.mark.parametrize("model", ["gpt-4o", "claude-haiku-4-5"])
@pytest.mark.parametrize("fault", ["streamerror:1", "streamerror:0"])
def test_an_error_within_the_first_events_of_a_200_moves_on(tmp_path, model, fault):
    with world(tmp_path) as here:
        here.fail(model=model, fault=fault)
        status, headers, text = here.ask(model, stream=True, fallbacks=["gemini-2.5-flash"])
        assert status == 200 and headers["x-hyperion-provider"] == "gemini", text
        assert headers["x-hyperion-fallback-index"] == "1"
        assert text.count("[DONE]") == 1 and '"error"' not in text


def test_a_stream_that_falls_silent_later_ends_visibly(tmp_path):
    with world(tmp_path) as here:
        here.fail(model="gpt-4o", fault="stall:5")
        began = time.monotonic()
        text = read_to_the_end(here.gateway.url, {
            "model": "gpt-4o", "messages": QUESTION, "stream": True,
            "hyperion": {"timeouts": {"idle_ms": 400}, "fallbacks": ["gpt-4o-mini"]}})
        assert 0.3 < time.monotonic() - began < 5
        assert "upstream_stream_cut" in text or "upstream_timeout" in text
        assert "[DONE]" not in text


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
