"""`answer.hyperion`: on plain answers, parsed ones, streams, raw responses and errors."""

import asyncio
import copy
import dataclasses
import pickle

import hyperion
import openai
import pytest
from conftest import EXPLAINED, HEADERS
from hyperion import AsyncHyperion, Decision, Hyperion, RouteDecision, decision_of
from pydantic import BaseModel

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello."}]}
PARTS = {"tier": "2", "score": "0.43", "from": "gpt-4o", "to": "claude-haiku-4-5",
         "saved": "$0.0021", "pressure": "0.1"}
EXPECTED = Decision(
    provider="anthropic", model="claude-haiku-4-5-20251001", requested_model="gpt-4o", route="auto",
    route_intent="balanced", attempts=3, fallback_index=2, fallback_reason="rate_limited",
    route_decision=RouteDecision(tier=2, score=0.43, from_model="gpt-4o",
                                 to_model="claude-haiku-4-5", saved=0.0021, parts=PARTS),
    cost_reserved=0.012, cost=0.000345, overhead_us=41, dropped_params=("logit_bias", "seed"),
    adjusted=("max_tokens",), request_id="req_1", cache_status="miss")


class City(BaseModel):
    name: str


@pytest.fixture
def client():
    with Hyperion(max_retries=0) as client:
        yield client


def run(ask):
    async def with_client():
        async with AsyncHyperion(max_retries=0) as client:
            return await ask(client)

    return asyncio.run(with_client())


def test_every_header_is_read(client):
    answer = client.chat.completions.create(**CHAT)
    assert isinstance(answer, hyperion.ChatCompletion)
    assert answer.hyperion == EXPECTED and answer._request_id == "req_1"
    assert answer.choices[0].message.content == '{"name": "Paris"}'
    asked = run(lambda asynchronous: asynchronous.chat.completions.create(**CHAT))
    assert asked.hyperion == EXPECTED
    with pytest.raises(dataclasses.FrozenInstanceError):
        answer.hyperion.model = "other"
    assert hash(answer.hyperion) == hash(EXPECTED)


def test_an_absent_header_is_none(client, server):
    server.headers = {}
    decision = client.chat.completions.create(**CHAT).hyperion
    assert decision == Decision()
    assert all(value is None for value in dataclasses.asdict(decision).values())


def test_a_header_that_is_no_value_of_its_kind_is_none(client, server):
    server.headers = {"x-hyperion-attempts": "many", "x-hyperion-cost": "",
                      "x-hyperion-route-decision": "tier=x score from=a", "x-hyperion-model": "m"}
    decision = client.chat.completions.create(**CHAT).hyperion
    assert decision == Decision(model="m", route_decision=RouteDecision(
        from_model="a", parts={"tier": "x", "from": "a"}))


def test_the_decision_is_no_part_of_the_answers_body(client):
    answer = client.chat.completions.create(**CHAT)
    assert "hyperion" not in answer.to_dict() and "hyperion" not in answer.model_dump_json()
    assert answer == type(answer).construct(**answer.to_dict())
    assert copy.deepcopy(answer).hyperion == answer.model_copy().hyperion == EXPECTED
    assert pickle.loads(pickle.dumps(answer)).hyperion == EXPECTED


def test_an_explained_answer_holds_the_decision_in_full(client):
    answer = client.chat.completions.create(**CHAT, hyperion={"explain": True})
    assert answer.hyperion == dataclasses.replace(EXPECTED, explanation=EXPLAINED)
    assert answer.to_dict()["hyperion"] == EXPLAINED


def test_a_parsed_answer_has_it(client, server):
    asked = {**CHAT, "response_format": City, "hyperion": {"explain": True}}
    answer = client.chat.completions.parse(**asked, smart_routing=True)
    assert isinstance(answer, hyperion.ParsedChatCompletion)
    assert answer.choices[0].message.parsed == City(name="Paris")
    assert answer.hyperion == dataclasses.replace(EXPECTED, explanation=EXPLAINED)
    assert server.body["smart_routing"] is True and server.body["hyperion"] == {"explain": True}
    answer = run(lambda asynchronous: asynchronous.chat.completions.parse(**asked))
    assert answer.choices[0].message.parsed == City(name="Paris")
    assert answer.hyperion.model == EXPECTED.model


def test_a_stream_has_it_before_its_first_chunk(client, server):
    server.go_on.clear()
    with client.chat.completions.create(**CHAT, stream=True, smart_routing=True) as stream:
        assert isinstance(stream, openai.Stream) and stream.hyperion == EXPECTED
        server.go_on.set()
        text = "".join(part.choices[0].delta.content or "" for part in stream)
    assert text == '{"name": "Paris"}' and server.body["smart_routing"] is True


def test_an_asynchronous_stream_has_it_before_its_first_chunk(server):
    async def ask(client):
        server.go_on.clear()
        stream = await client.chat.completions.create(**CHAT, stream=True)
        assert isinstance(stream, openai.AsyncStream) and stream.hyperion == EXPECTED
        server.go_on.set()
        return [part.choices[0].delta.content async for part in stream]

    assert run(ask) == ['{"name": ', '"Paris"}', None]


def test_the_stream_of_events_and_its_completion_have_it(client, server):
    server.go_on.clear()
    asked = {**CHAT, "response_format": City, "hyperion": {"max_cost": 1}}
    with client.chat.completions.stream(**asked) as stream:
        assert isinstance(stream, hyperion.ChatCompletionStream) and stream.hyperion == EXPECTED
        server.go_on.set()
        kinds = [event.type for event in stream]
        completion = stream.get_final_completion()
    assert decision_of(stream) == EXPECTED
    assert "content.done" in kinds and server.body["hyperion"] == {"max_cost": 1}
    assert completion.choices[0].message.parsed == City(name="Paris")
    assert completion.hyperion == EXPECTED

    async def ask(asynchronous):
        async with asynchronous.chat.completions.stream(**asked) as stream:
            assert stream.hyperion == EXPECTED
            return await stream.get_final_completion()

    assert run(ask).hyperion == EXPECTED


def test_raw_and_streamed_responses_work(client, server):
    raw = client.chat.completions.with_raw_response.create(**CHAT, hyperion={"max_cost": 1})
    assert raw.headers["x-hyperion-model"] == EXPECTED.model and decision_of(raw) == EXPECTED
    assert raw.parse().hyperion == EXPECTED and server.body["hyperion"] == {"max_cost": 1}
    raw = client.with_raw_response.chat.completions.create(**CHAT, stream=True)
    assert raw.parse().hyperion == EXPECTED
    with client.chat.completions.with_streaming_response.create(**CHAT) as response:
        assert decision_of(response) == EXPECTED and response.parse().hyperion == EXPECTED


def test_other_answers_have_it(client):
    vectors = client.embeddings.create(model="e", input="one")
    assert vectors.hyperion == decision_of(vectors) == EXPECTED


def test_an_error_tells_it(client, server):
    server.status = 400
    server.headers = {"x-request-id": "req_2", "x-hyperion-attempts": "1"}
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(**CHAT)
    assert raised.value.param == "hyperion.x"
    assert decision_of(raised.value) == Decision(attempts=1, request_id="req_2")


def test_what_came_from_elsewhere_has_none():
    assert decision_of(object()) == Decision() and HEADERS["x-hyperion-attempts"] == "3"
