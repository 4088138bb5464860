"""Who answers when the client leaves room for a choice: smart routing, auto, the operator's rules,
and how a decision is told."""

import base64
import json
import subprocess
from pathlib import Path

import pytest

from harness.conf import CLIENT_KEY, OTHER_KEY, conf_text, merged, sha256_of
from harness.gateway import BINARY, Gateway
from harness.simulated import KEY, providers_at
from harness.simulator import Simulator
from harness.upstream import answering, plain_answer, streaming
from harness.waiting import DEADLINE_S
from harness.wire import CHAT, ask

EXPLAIN, RESPONSES, MESSAGES = "/v1/route/explain", "/v1/responses", "/v1/messages"
FRANCE = "What is the capital of France?"
PROOF = ("Prove that for every prime p congruent to 1 modulo 4 there are integers a and b with "
         "p = a^2 + b^2, by descent and again through the Gaussian integers, and show that the "
         "representation is unique up to order and signs. Justify every step rigorously.")
CODE = ("Implement a lock-free multi-producer multi-consumer queue in C++20 with hazard pointers. "
        "Prove that it is linearizable, handle ABA, cover the destructor and exceptions, and write "
        "a stress test.\n```cpp\n"
        + "template <class T>\nclass Queue {\n  std::atomic<Node*> head_;\n"
        "  // retire(node) must not free while a reader holds it\n};\n" * 12 + "```\n"
        "Then port the whole of it to Rust without unsafe, and explain each memory ordering.")
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
INTENTS = {1: "cheap_fast", 2: "balanced", 3: "high_reasoning"}


def conf_at(port: int) -> dict:
    return {
        "providers": providers_at(port),
        "keys": [{"id": "tests", "hash": sha256_of(CLIENT_KEY)},
                 {"id": "other", "hash": sha256_of(OTHER_KEY), "models": ["anthropic/*"]}],
        # The simulator's first tokens come within microseconds: who was slower is chance.
        "routing": {"slower_percent": 10_000},
    }


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


def put(gateway, text=FRANCE, path=CHAT, key=CLIENT_KEY, **members):
    if "messages" not in members:
        members["messages"] = [{"role": "user", "content": text}]
    return ask(gateway, json.dumps(members).encode(), path=path, key=key)


def ran(answer) -> str:
    assert answer.status == 200, answer.body
    return answer.header("x-hyperion-model")


def fields_of(answer) -> dict:
    """The decision's line as a dict."""
    line = answer.header("x-hyperion-route-decision")
    return dict(part.split("=", 1) for part in line.split(" "))


def explained(gateway, text=FRANCE, key=CLIENT_KEY, **members) -> dict:
    answer = put(gateway, text, EXPLAIN, key, **members)
    assert answer.status == 200, answer.body
    return answer.json()


def without_time(decision: dict) -> dict:
    return {name: value for name, value in decision.items() if name != "ns"}


def family_of(gateway, model: str) -> str:
    return explained(gateway, model=model)["provider"]


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


# How it is told

CONTENTS = [{"role": "user", "parts": [{"text": FRANCE}]}]
USER = [{"role": "user", "content": FRANCE}]
DIALECTS = {
    "openai_chat": (CHAT, {"model": "auto", "messages": USER}),
    "openai_responses": (RESPONSES, {"model": "auto", "input": FRANCE}),
    "anthropic": (MESSAGES, {"model": "auto", "messages": USER, "max_tokens": 200}),
    "gemini": ("/v1beta/models/auto:generateContent", {"contents": CONTENTS}),
}
MEMBERS = {"requested", "model", "provider", "route", "intent", "class", "score", "tier",
           "tokens_estimated", "candidates", "stamps", "ns"}


def check_decision(decision: dict) -> None:
    assert MEMBERS <= set(decision)
    assert decision["intent"] == INTENTS[decision["tier"]] and 0 <= decision["score"] <= 1
    assert set(decision["stamps"]) == {"config", "catalog", "weights"}
    for one in decision["candidates"]:
        assert set(one) == {"model", "provider", "p", "expected_nano_usd", "worst_nano_usd",
                            "excluded"}
        assert one["p"] is None or 0 < one["p"] < 1


@pytest.mark.parametrize("name", DIALECTS)
def test_the_decision_stands_in_a_plain_answer_of_each_dialect_where_it_is_asked_for(gateway, name):
    path, body = DIALECTS[name]
    quiet = ask(gateway, json.dumps(body).encode(), path=path)
    assert quiet.status == 200 and "hyperion" not in quiet.json()
    told = ask(gateway, json.dumps({**body, "hyperion": {"explain": True}}).encode(), path=path)
    assert told.status == 200
    decision = told.json()["hyperion"]
    check_decision(decision)
    assert decision["requested"] == "auto" and decision["route"] == "auto"
    assert decision["model"] == told.header("x-hyperion-model") == quiet.header("x-hyperion-model")
    assert set(told.json()) - {"hyperion"} == set(quiet.json())


STREAMS = {
    "openai_chat": (CHAT, {"stream": True}),
    "openai_responses": (RESPONSES, {"stream": True}),
    "anthropic": (MESSAGES, {"stream": True}),
    "gemini": ("/v1beta/models/auto:streamGenerateContent", {}),
}


@pytest.mark.parametrize("name", STREAMS)
def test_the_decision_is_a_comment_in_a_stream_of_each_dialect(gateway, name):
    path, more = STREAMS[name]
    path += "?alt=sse" if name == "gemini" else ""
    body = {**DIALECTS[name][1], **more}
    quiet = ask(gateway, json.dumps(body).encode(), path=path)
    told = ask(gateway, json.dumps({**body, "hyperion": {"explain": True}}).encode(), path=path)
    assert quiet.status == told.status == 200
    lines = told.body.splitlines()
    comments = [line for line in lines if line.startswith(b":") and b"requested" in line]
    assert len(comments) == 1 and b'"requested"' not in quiet.body
    decision = json.loads(comments[0][comments[0].index(b"{"):])
    check_decision(decision.get("hyperion", decision))
    kinds = [line for line in lines if line.startswith(b"event:")]
    assert kinds == [line for line in quiet.body.splitlines() if line.startswith(b"event:")]


def test_an_asked_model_can_be_explained_too(gateway):
    answer = put(gateway, model="gpt-5.2", hyperion={"explain": True})
    decision = answer.json()["hyperion"]
    check_decision(decision)
    assert decision["route"] == "passthrough" and decision["model"].startswith("gpt-5.2")
    assert answer.header("x-hyperion-route") == "passthrough"
    assert answer.header("x-hyperion-route-decision") is None


def test_route_explain_sends_nothing(gateway, simulator):
    before = simulator.ask("/_simulator/bill")
    for members in ({"model": "auto"}, {"model": "gpt-5.2", "smart_routing": True},
                    {"model": "gpt-5.2"}, {"model": "auto", "stream": True}):
        check_decision(explained(gateway, **members))
    assert put(gateway, path=EXPLAIN, model="no-such-model").status == 404
    assert simulator.ask("/_simulator/bill") == before
    put(gateway, model="auto")
    assert simulator.ask("/_simulator/bill")["requests"] == before["requests"] + 1


def test_a_strict_request_keeps_its_bytes_and_its_model(gateway, simulator):
    body = (b'{ "messages":[{"role":"user","content":"' + FRANCE.encode() +
            b'"}],\t"model" : "gpt-4o-2024-11-20", "x":-0.0 }\n')
    answer = ask(gateway, body)
    assert ran(answer) == "gpt-4o-2024-11-20"
    assert answer.header("x-hyperion-route") == "passthrough"
    for name in ("x-hyperion-route-decision", "x-hyperion-route-intent"):
        assert answer.header(name) is None
    assert base64.b64decode(simulator.ask("/_simulator/requests")[-1]["body"]) == body


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("text", [FRANCE, PROOF], ids=["easy", "hard"])
def test_the_offline_command_decides_as_the_gateway_does(gateway, name, text):
    path, body = DIALECTS[name]
    raw = json.dumps({**body, "hyperion": {"explain": True}}).replace(FRANCE, text)
    told = ask(gateway, raw.encode(), path=path).json()["hyperion"]
    offline = raw if name != "gemini" else json.dumps({"model": "auto", **json.loads(raw)})
    run = [BINARY, "explain", "-c", str(gateway.conf_file), "--dialect", name]
    one, many = (subprocess.run([*run, *more], input=offline + "\n", text=True, check=True,
                                capture_output=True, timeout=DEADLINE_S, env=gateway.environment)
                 for more in ([], ["--jsonl"]))  # fmt: skip
    assert without_time(json.loads(one.stdout)) == without_time(told)
    assert without_time(json.loads(many.stdout)) == without_time(told)


# The provider's own bytes


@pytest.fixture(scope="module")
def recorded(provider, tmp_path_factory):
    """A gateway whose providers are all the file's recording one."""
    with Gateway(tmp_path_factory.mktemp("recorded"), provider.port,
                 conf_at(provider.port)) as running:
        yield running


ODD_ANSWERS = [
    b'{"id":"x","odd":1e400,"model":"gpt"}', b' \r\n{ "id" : "\\u0041\\/" , "x":[ ] } \n\n',
    b"{}", b"{ }\n", b'{"a":{}}',
]


@pytest.mark.parametrize("body", ODD_ANSWERS)
def test_beside_the_decision_an_answers_bytes_are_the_providers(recorded, upstream, body):
    upstream.handler = answering(plain_answer(body))
    members = {"model": "gpt-5.2", "smart_routing": True}
    assert put(recorded, **members).body == body
    told = put(recorded, **members, hyperion={"explain": True})
    check_decision(told.json()["hyperion"])
    at = told.body.index(b'"hyperion":')
    before, behind = told.body[:at].rstrip(b","), told.body[at:].rsplit(b"}", 1)[1]
    assert body.startswith(before) and body.endswith(b"}" + behind)
    assert len(before) + 1 + len(behind) == len(body)


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"", b"not json", b"{"])
def test_an_answer_that_is_no_object_stays_as_it_is(recorded, upstream, body):
    upstream.handler = answering(plain_answer(body))
    told = put(recorded, model="gpt-5.2", smart_routing=True, hyperion={"explain": True})
    assert told.body == body


def test_beside_the_comment_a_streams_bytes_are_the_providers(recorded, upstream):
    events = [b'data: {"id":"x","choices":[{"index":0,"delta":{"content":"a"}}]}   \n\n',
              b": comment\n\n", b"data: [DONE]\n\n"]
    upstream.handler = streaming(*events)
    told = put(recorded, model="gpt-5.2", smart_routing=True, stream=True,
               hyperion={"explain": True})
    comment, rest = told.body.split(b"\n\n", 1)
    assert comment.startswith(b": hyperion {") and rest == b"".join(events)


@pytest.mark.parametrize("model", ["auto", "gemini-2.5-pro"])
@pytest.mark.parametrize("providers", [["gemini"], ["openai"]])
def test_a_stream_as_a_json_array_stays_json(gateway, model, providers):
    body = {"contents": CONTENTS, "hyperion": {"explain": True}}
    if model == "auto":
        body["hyperion"]["providers"] = providers
    answer = ask(gateway, json.dumps(body).encode(),
                 path=f"/v1beta/models/{model}:streamGenerateContent")
    assert answer.status == 200 and isinstance(answer.json(), list), answer.body[:300]


# The operator's word

RULES = [
    {"name": "by-key", "keys": ["other"], "model": "claude-haiku-4-5"},
    {"name": "by-tag", "tags": {"team": "clinic"}, "tier": "high_reasoning"},
    {"name": "long", "tokens_min": 3000, "model": "gemini-2.5-pro"},
    {"name": "code", "classes": ["code"], "routes": ["auto"], "model": "gpt-5-mini"},
]


def test_rules_act_on_smart_and_auto_and_on_nothing_else(start):
    gateway = start({"routing": {"rules": RULES}})

    def rule_of(text=FRANCE, key=CLIENT_KEY, **members):
        decision = explained(gateway, text, key, **members)
        return decision["rule"], decision["model"]

    name, model = rule_of(PROOF, OTHER_KEY, model="auto")
    assert name == "by-key" and model.startswith("claude-haiku-4-5")
    decision = explained(gateway, model="auto", hyperion={"tags": {"team": "clinic", "a": "b"}})
    assert decision["rule"] == "by-tag" and decision["tier"] == 3
    assert rule_of(model="auto", hyperion={"tags": {"team": "other"}})[0] is None
    assert rule_of("word " * 4000, model="auto") == ("long", "gemini-2.5-pro")
    code = "Write a Python function that reverses a linked list, with unit tests."
    assert rule_of(code, model="auto")[0] == "code"
    assert rule_of(code, model="auto")[1].startswith("gpt-5-mini")
    assert rule_of(code, model="gpt-5.2", smart_routing=True)[0] is None
    for members in ({}, {"hyperion": {"tags": {"team": "clinic"}}}):
        name, model = rule_of(code, model="gpt-5.2", **members)
        assert name is None and model.startswith("gpt-5.2")
    # A rule's model that the key may not use is no choice.
    assert put(gateway, "word " * 4000, model="auto", key=OTHER_KEY).header(
        "x-hyperion-provider") == "anthropic"


def test_a_rules_model_never_breaks_a_capability(start):
    gateway = start({"routing": {"rules": [{"name": "all", "model": "gpt-3.5-turbo"}]}})
    assert explained(gateway, model="auto")["model"].startswith("gpt-3.5-turbo")
    picture = [{"role": "user", "content": [{"type": "text", "text": FRANCE}, {
        "type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]}]
    decision = explained(gateway, model="auto", messages=picture)
    assert not decision["model"].startswith("gpt-3.5-turbo")


# What names stand for


def test_a_name_stands_for_the_newest_release_and_for_another_in_another_environment(start):
    aliases = {"environments": {"staging": {"gpt-4o": "gpt-4o-2024-08-06"}}}
    for environment, release in (("production", "gpt-4o-2024-11-20"),
                                 ("staging", "gpt-4o-2024-08-06")):
        gateway = start({**aliases, "environment": environment})
        answer = put(gateway, model="gpt-4o")
        assert ran(answer) == release == answer.json()["model"]
        assert explained(gateway, model="gpt-4o")["model"] == release


# Conf that cannot hold

REFUSED = {
    "weights of another version": ('[routing]\nweights_file = "other.weights"\n', "version 99"),
    "cut weights": ('[routing]\nweights_file = "cut.weights"\n', "bytes"),
    "damaged weights": ('[routing]\nweights_file = "damaged.weights"\n', "checksum"),
    "no weights": ('[routing]\nweights_file = "foreign.weights"\n', "no file of routing weights"),
    "no file": ('[routing]\nweights_file = "nowhere.weights"\n', "nowhere.weights"),
    "cycle": ('[aliases]\na = "b"\nb = "a"\n', "aliases"),
    "unknown model of a rule": ('[[routing.rules]]\nmodel = "nobody"\n', "routing.rules"),
    "unknown class": ('[[routing.rules]]\nclasses = ["poems"]\ntier = "balanced"\n', "classes"),
    "unknown tier": ('[[routing.rules]]\ntier = "best"\n', "tier"),
    "neither": ('[[routing.rules]]\nname = "x"\n', "routing.rules"),
    "both": ('[[routing.rules]]\nmodel = "gpt-4o"\ntier = "balanced"\n', "routing.rules"),
    "points": ('[routing]\nsmart_tolerance_points = "few"\n', "smart_tolerance_points"),
    "share": ("[routing]\nbalanced_from_score = 7.0\n", "balanced_from_score"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_conf_that_cannot_hold_is_refused_by_line(simulator, tmp_path, name):
    text, key = REFUSED[name]
    conf = {"providers": providers_at(simulator.port)}
    base = conf_text(conf) + "\n"
    (tmp_path / "hyperion.toml").write_text(base + text)
    shipped = (Path(__file__).parents[2] / "conf/routing.weights").read_bytes()
    (tmp_path / "other.weights").write_bytes(shipped[:8] + bytes([99, 0, 0, 0]) + shipped[12:])
    (tmp_path / "cut.weights").write_bytes(shipped[:-1])
    (tmp_path / "damaged.weights").write_bytes(shipped[:-1] + bytes([shipped[-1] ^ 1]))
    (tmp_path / "foreign.weights").write_bytes(b"PK" + shipped)
    run = subprocess.run([BINARY, "check", "-c", str(tmp_path / "hyperion.toml")], text=True,
                         capture_output=True, timeout=DEADLINE_S, check=False)  # fmt: skip
    said = run.stdout + run.stderr
    assert run.returncode == 1, said
    lines = [line for line in said.splitlines() if line.startswith("error: ")]
    assert lines and all(key in line for line in lines), said
    first = base.count("\n") + 1
    for line in lines:
        number = int(line.split("hyperion.toml:")[1].split(":")[0])
        assert first <= number <= first + text.count("\n"), line
