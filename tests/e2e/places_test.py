"""Several ways to one model: keys, places, second attempts; and what goes along to another."""

import base64
import json
import time

import pytest

from harness.conf import CLIENT_KEY, sha256_of
from harness.failing import KEYS, QUESTION, fetch, provider, world
from harness.waiting import wait_until

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


# A second attempt ----------------------------------------------------------------------------


def test_a_late_first_token_gets_a_second_attempt_and_the_first_to_speak_wins(tmp_path):
    hedging = {"enabled": True, "active_percent": 100, "after_min_ms": 50}
    with world(tmp_path, regions, hedging=hedging) as here:
        seen = []
        while min(seen.count("east"), seen.count("west")) < 25:  # then both have a usual time
            seen.append(here.ask(stream=True)[1]["x-hyperion-provider"])
            assert len(seen) < 400
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
