"""Who answers when the client leaves room for a choice: smart routing, auto, conversations, and who
follows when a pick fails."""

import json
import subprocess

import pytest

from harness.conf import OTHER_KEY, merged, sha256_of
from harness.gateway import BINARY, Gateway
from harness.routed import (
    CODE, EXPLAIN, FRANCE, INTENTS, PROOF, TOOLS, USER, conf_at, explained, family_of,
    fields_of, put, ran, without_time,
)
from harness.simulated import KEY
from harness.simulator import Simulator
from harness.waiting import DEADLINE_S
from harness.wire import CHAT, ask


@pytest.fixture(scope="module")
def simulator():
    with Simulator() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(simulator, tmp_path_factory):
    with Gateway(tmp_path_factory.mktemp("gateway"), simulator.port,
                 conf_at(simulator.port)) as running:
        yield running


@pytest.fixture
def start(simulator, tmp_path):
    running = []

    def start_one(changes):
        folder = tmp_path / str(len(running))
        folder.mkdir()
        running.append(Gateway(folder, simulator.port, merged(conf_at(simulator.port), changes)))
        return running[-1]

    yield start_one
    for one in running:
        one.stop()


# Smart

ASKED = ["gpt-5.2", "claude-opus-4-5", "gemini-2.5-pro"]


@pytest.mark.parametrize("model", ASKED)
def test_smart_takes_a_cheaper_model_of_the_same_provider_for_an_easy_prompt(gateway, model):
    answer = put(gateway, model=model, smart_routing=True)
    line = fields_of(answer)
    assert answer.header("x-hyperion-route") == "smart"
    assert answer.header("x-hyperion-requested-model") == model == line["from"]
    assert ran(answer) == line["to"] and not line["to"].startswith(model)
    assert answer.header("x-hyperion-route-intent") == INTENTS[int(line["tier"])]
    assert float(line["saved"].removeprefix("$")) > 0
    assert answer.header("x-hyperion-provider") == family_of(gateway, model)
    assert answer.json()["model"] == line["to"]


@pytest.mark.parametrize("text", [PROOF, CODE], ids=["proof", "code"])
@pytest.mark.parametrize("model", ASKED)
def test_smart_stays_for_a_hard_proof_and_a_long_code_task(gateway, model, text):
    answer = put(gateway, text, model=model, smart_routing=True)
    assert ran(answer).startswith(model)
    line = fields_of(answer)
    assert line["tier"] == "3" and float(line["saved"].removeprefix("$")) == 0
    assert answer.header("x-hyperion-route-intent") == "high_reasoning"


def test_smart_never_takes_what_cannot(gateway):
    picture = [{"role": "user", "content": [
        {"type": "text", "text": FRANCE},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]}]
    for members in ({"messages": picture}, {"tools": TOOLS}, {"temperature": 0.2},
                    {"response_format": {"type": "json_object"}}, {"max_completion_tokens": 60000}):
        decision = explained(gateway, model="gpt-5.2", smart_routing=True, **members)
        (chosen,) = [one for one in decision["candidates"] if one["model"] == decision["model"]
                     and one["provider"] == decision["provider"]]
        assert chosen["excluded"] is None


# Auto


def test_auto_chooses_among_all_providers(gateway):
    decision = explained(gateway, model="auto")
    assert {one["provider"] for one in decision["candidates"]} >= {"openai", "anthropic", "gemini"}
    able = [one for one in decision["candidates"] if one["excluded"] is None]
    assert able[0]["expected_nano_usd"] >= 0
    cheapest = min(able, key=lambda one: one["expected_nano_usd"])
    (chosen,) = [one for one in able if one["model"] == decision["model"]
                 and one["provider"] == decision["provider"]]
    assert chosen["expected_nano_usd"] == cheapest["expected_nano_usd"]
    answer = put(gateway, model="auto")
    assert ran(answer) == decision["model"]
    assert answer.header("x-hyperion-route") == "auto"
    assert answer.header("x-hyperion-requested-model") == "auto"
    assert answer.header("x-hyperion-provider") == decision["provider"]
    assert fields_of(answer)["from"] == "auto"


@pytest.mark.parametrize("text", [PROOF, CODE], ids=["proof", "code"])
def test_auto_is_strong_where_it_is_hard(gateway, text):
    easy, hard = explained(gateway, model="auto"), explained(gateway, text, model="auto")
    assert hard["tier"] == 3 and hard["score"] > easy["score"]
    strength = {(one["model"], one["provider"]): one["p"] for one in hard["candidates"]}
    assert ran(put(gateway, text, model="auto")) == hard["model"] != easy["model"]
    chosen = strength[hard["model"], hard["provider"]]
    assert chosen > strength[easy["model"], easy["provider"]]
    assert chosen >= max(strength.values()) - 0.1


def test_providers_narrow_auto_and_unknown_ones_are_named(gateway):
    for name in ("openai", "anthropic", "gemini"):
        answer = put(gateway, model="auto", hyperion={"providers": [name]})
        assert answer.status == 200 and answer.header("x-hyperion-provider") == name
    answer = put(gateway, model="auto", hyperion={"providers": ["openai", "nobody"]})
    assert answer.status == 400 and answer.code == "invalid_request"
    assert answer.error()["param"] == "hyperion.providers" and "nobody" in answer.error()["message"]


def test_a_key_gets_only_what_it_may(gateway):
    for text in (FRANCE, PROOF):
        answer = put(gateway, text, model="auto", key=OTHER_KEY)
        assert answer.status == 200 and answer.header("x-hyperion-provider") == "anthropic"
    answer = put(gateway, model="auto", key=OTHER_KEY, hyperion={"providers": ["openai"]})
    assert answer.status == 400 and answer.code == "no_capable_model"


def test_with_nothing_left_the_wall_and_the_nearest_are_named(gateway):
    answer = put(gateway, model="auto", hyperion={"max_cost": 1e-9, "providers": ["anthropic"]})
    assert answer.status == 400 and answer.code == "no_capable_model"
    assert "over_max_cost" in answer.error()["message"]
    assert "anthropic/claude" in answer.error()["message"]
    answer = put(gateway, model="auto", max_completion_tokens=900_000_000)
    assert answer.status == 400 and "output_limit" in answer.error()["message"]


@pytest.mark.parametrize(("members", "field"), [
    ({"model": "auto", "smart_routing": False}, "smart_routing"),
    ({"model": "gpt-5.2", "smart_routing": "yes"}, "smart_routing"),
    ({"model": "gpt-5.2", "smart_routing": 1}, "smart_routing"),
    ({"model": "auto", "hyperion": {"providers": "openai"}}, "hyperion.providers"),
    ({"model": "auto", "hyperion": {"providers": [1]}}, "hyperion.providers"),
    ({"model": "auto", "hyperion": {"max_cost": "much"}}, "hyperion.max_cost"),
    ({"model": "auto", "hyperion": {"tags": ["a"]}}, "hyperion.tags"),
    ({"model": "auto", "hyperion": {"explain": 1}}, "hyperion.explain"),
    ({"model": "auto", "hyperion": {"best": True}}, "hyperion"),
    ({"model": "auto", "hyperion": []}, "hyperion"),
])  # fmt: skip
def test_a_wrong_value_is_refused_by_name(gateway, members, field):
    for path in (CHAT, EXPLAIN):
        answer = put(gateway, path=path, **members)
        assert answer.status == 400, (path, answer.body)
        assert (answer.error()["param"] or "").startswith(field), answer.error()


def test_what_is_no_chat_needs_the_name_of_a_model(gateway):
    answer = ask(gateway, b'{"model":"auto","input":"x"}', path="/v1/embeddings")
    assert answer.status == 400 and answer.code == "unsupported_parameter"
    assert answer.error()["param"] == "model"
    body = b'{"model":"text-embedding-3-small","input":"x","smart_routing":true}'
    answer = ask(gateway, body, path="/v1/embeddings")
    assert answer.status == 400 and answer.error()["param"] == "smart_routing"


# Conversations, and sameness


def conversation(*texts) -> list:
    roles = ("user", "assistant")
    return [{"role": roles[at % 2], "content": text} for at, text in enumerate(texts)]


def test_a_conversation_stays_where_its_hard_question_was_answered(gateway):
    alone = explained(gateway, "go on", model="auto")
    after = explained(gateway, model="auto", messages=conversation(PROOF, "First, ...", "go on"))
    first = explained(gateway, PROOF, model="auto")
    assert after["model"] == first["model"] == after["held"] != alone["model"]
    assert first["score"] - 0.11 <= after["score"] <= first["score"]
    answer = put(gateway, model="gpt-5.2", smart_routing=True,
                 messages=conversation(PROOF, "First, ...", "go on"))
    assert ran(answer).startswith("gpt-5.2")


def test_every_tier_is_reached(gateway):
    texts = (FRANCE, "Explain how a heat pump works, for a twelve-year-old.", PROOF, CODE,
             "A train leaves at 9:40 and drives 210 km at 84 km/h. When does it arrive?")
    for members in ({"model": "auto"}, {"model": "gpt-5.2", "smart_routing": True}):
        assert {explained(gateway, text, **members)["tier"] for text in texts} == {1, 2, 3}


def test_every_shard_and_run_decides_alike(start):
    gateway = start({"server": {"listen": ["127.0.0.1:0"], "shards": 2}})
    for text in (FRANCE, PROOF):
        told = {json.dumps(without_time(explained(gateway, text, model="auto")))
                for _ in range(24)}
        assert len(told) == 1
        raw = json.dumps({"model": "auto", "messages": [{"role": "user", "content": text}]})
        lines = subprocess.run([BINARY, "explain", "-c", str(gateway.conf_file), "--jsonl"],
                               input=(raw + "\n") * 3, text=True, check=True, capture_output=True,
                               timeout=DEADLINE_S, env=gateway.environment).stdout.splitlines()
        assert {json.dumps(without_time(json.loads(line))) for line in lines} == told
        assert len(lines) == 3


# When the pick fails


@pytest.fixture(scope="module")
def faulty(simulator, tmp_path_factory):
    """A gateway whose key may ask for faults."""
    changes = {**conf_at(simulator.port), "test_faults": True,
               "keys": [{"id": "tests", "hash": sha256_of(KEY), "test": True}]}
    with Gateway(tmp_path_factory.mktemp("faulty"), simulator.port, changes) as running:
        yield running


def put_with_faults(gateway, faults: str, **members):
    body = json.dumps({"messages": USER, **members}).encode()
    return ask(gateway, body, key=KEY, headers=["x-hyperion-fault: " + faults])


@pytest.mark.parametrize("stream", [False, True])
def test_when_the_pick_fails_the_asked_model_answers_then_the_fallbacks(faulty, stream):
    members = {"model": "gpt-5.2", "smart_routing": True, "stream": stream}
    pick = ran(put(faulty, key=KEY, **members))
    answer = put_with_faults(faulty, f"{pick}=503", **members)
    assert ran(answer).startswith("gpt-5.2") and ran(answer) != pick
    assert answer.header("x-hyperion-fallback-index") == "1"
    assert answer.header("x-hyperion-requested-model") == "gpt-5.2"
    answer = put_with_faults(faulty, f"{pick}=503, gpt-5.2=503", **members,
                             hyperion={"fallbacks": ["claude-haiku-4-5"]})
    assert ran(answer).startswith("claude-haiku-4-5")


@pytest.mark.parametrize("stream", [False, True])
def test_when_autos_pick_fails_the_next_ranked_answer(faulty, stream):
    decision = explained(faulty, key=KEY, model="auto")
    assert len(decision["next"]) == 3
    faults = f"{decision['model']}=503, {decision['next'][0]}=500"
    answer = put_with_faults(faulty, faults, model="auto", stream=stream)
    assert ran(answer) == decision["next"][1]
    assert answer.header("x-hyperion-route") == "auto"
