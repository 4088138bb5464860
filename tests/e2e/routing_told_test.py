"""How a decision is told: in headers, answers, streams, /v1/route/explain and `hyperion explain`.
Everything else stays the provider's own bytes."""

import base64
import json
import subprocess

import pytest

from harness.gateway import BINARY, Gateway
from harness.routed import (
    CONTENTS, EXPLAIN, FRANCE, INTENTS, MESSAGES, PROOF, RESPONSES, USER, conf_at, explained,
    put, ran, without_time,
)
from harness.simulator import Simulator
from harness.upstream import answering, plain_answer, streaming
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


# How it is told

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
