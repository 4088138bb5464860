"""The project's client for Python against the real binary: a recording provider, and the demo."""

import asyncio
import json

import openai
import pydantic
import pytest

from harness.conf import CLIENT_KEY, EMBEDDING_MODEL, MODEL, MOVING_MODEL
from harness.demo import DEMO_KEY, Demo
from harness.sdk import PYTHON_SOURCES
from harness.waiting import DEADLINE_S

import hyperion  # After the harness has named where it is.

MESSAGES = [{"role": "user", "content": "Say hello."}]
CLAUDE = "claude-haiku-4-5"
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}


class City(pydantic.BaseModel):
    name: str
    population: int


@pytest.fixture(scope="module")
def demo():
    with Demo() as running:
        yield running


@pytest.fixture
def client(demo):
    with hyperion.Hyperion(api_key=DEMO_KEY, base_url=demo.url, max_retries=0,
                           timeout=DEADLINE_S) as client:
        yield client


@pytest.fixture
def recorded(gateway, upstream):
    """A client of a gateway whose provider records what reaches it."""
    with hyperion.Hyperion(api_key=CLIENT_KEY, base_url=f"{gateway.url}/v1", max_retries=0,
                           timeout=DEADLINE_S) as client:
        yield client


def test_the_package_is_that_of_this_project():
    assert hyperion.__file__.startswith(str(PYTHON_SOURCES))


def test_a_passthrough_answer_says_what_ran(recorded, gateway):
    answer = recorded.chat.completions.create(model=MOVING_MODEL, messages=MESSAGES)
    assert answer.choices[0].message.content == "Hello."
    decision = answer.hyperion
    assert (decision.provider, decision.route) == ("openai", "passthrough")
    assert decision.requested_model == MOVING_MODEL and decision.model == answer.model
    assert decision.attempts == 1 and decision.overhead_us >= 0
    assert gateway.wait_for_log(decision.request_id)["outcome"] == "answered"


def test_the_options_are_taken_and_never_sent_on(recorded, upstream):
    options = {"tags": {"team": "tests"}, "timeouts": {"total_ms": 10_000}}
    recorded.chat.completions.create(model=MODEL, messages=MESSAGES, hyperion=options,
                                     smart_routing=False, temperature=0.5)
    sent = upstream.requests[0].json()
    assert sent == {"model": MODEL, "messages": MESSAGES, "temperature": 0.5}
    assert not upstream.saw(b"tests") and not upstream.saw(CLIENT_KEY.encode())


@pytest.mark.parametrize(("wrong", "named"), [
    ({"hyperion": {"fallback": ["gpt-4o-mini"]}}, "hyperion.fallback"),
    ({"hyperion": {"max_cost": "two"}}, "hyperion.max_cost"),
    ({"smart_routing": "yes"}, "smart_routing"),
    ({"hyperion": {"max_cost": 1}, "extra_body": {"hyperion": {"maxCost": 1}}}, "hyperion.max"),
])
def test_a_wrong_option_is_named_by_the_gateway(recorded, upstream, wrong, named):
    with pytest.raises(openai.BadRequestError) as raised:
        recorded.chat.completions.create(model=MODEL, messages=MESSAGES, **wrong)
    assert raised.value.param.startswith(named) and named in raised.value.message.replace("`", "")
    assert hyperion.decision_of(raised.value).request_id == raised.value.request_id
    assert not upstream.requests


def test_a_stream_tells_it_first(client):
    stream = client.chat.completions.create(model=MOVING_MODEL, messages=MESSAGES, stream=True)
    decision = stream.hyperion
    chunks = list(stream)
    assert len(chunks) > 3 and decision.model == chunks[0].model and decision.cost is None
    assert decision.provider == "openai" and decision.attempts == 1


@pytest.mark.parametrize("model", [MODEL, CLAUDE])
def test_tools_and_schemas_work_through_it(client, model):
    asked = {"model": model, "messages": MESSAGES}
    answer = client.chat.completions.create(**asked, tools=[TOOL], tool_choice="required")
    call = answer.choices[0].message.tool_calls[0]
    assert call.function.name == "weather" and "city" in json.loads(call.function.arguments)
    parsed = client.chat.completions.parse(**asked, response_format=City,
                                           hyperion={"tags": {"a": "b"}})
    assert isinstance(parsed.choices[0].message.parsed, City)
    assert parsed.hyperion.model == parsed.model
    with client.chat.completions.stream(**asked, response_format=City) as stream:
        assert stream.hyperion.model == parsed.model
        completion = stream.get_final_completion()
    assert isinstance(completion.choices[0].message.parsed, City)
    assert completion.hyperion.attempts == 1


def test_other_endpoints_and_copies_work_through_it(client):
    vectors = client.embeddings.create(model=EMBEDDING_MODEL, input=["one", "two"])
    assert len(vectors.data) == 2
    assert hyperion.decision_of(vectors).requested_model == EMBEDDING_MODEL
    assert MODEL in {model.id for model in client.models.list()}
    response = client.responses.create(model=MODEL, input="Say hello.")
    assert response.output_text and hyperion.decision_of(response).provider == "openai"
    copied = client.with_options(max_retries=1)
    raw = copied.chat.completions.with_raw_response.create(model=MODEL, messages=MESSAGES)
    assert raw.headers["x-hyperion-model"] == raw.parse().hyperion.model


def test_errors_are_openais_and_tell_it_too(demo, client):
    with pytest.raises(openai.NotFoundError) as raised:
        client.chat.completions.create(model="gpt-4oo", messages=MESSAGES)
    assert raised.value.code == "model_not_found"
    with pytest.raises(openai.AuthenticationError):
        hyperion.Hyperion(api_key="sk_test_no", base_url=demo.url).models.list()
    with pytest.raises(openai.InternalServerError) as raised:
        client.chat.completions.create(
            model=MODEL, messages=MESSAGES, extra_headers={"x-hyperion-fault": "503"},
            hyperion={"fallbacks": []})
    assert hyperion.decision_of(raised.value).provider == "openai"


def test_the_asynchronous_client_does_the_same(demo):
    async def ask():
        async with hyperion.AsyncHyperion(api_key=DEMO_KEY, base_url=demo.url) as client:
            one, two = await asyncio.gather(*(
                client.chat.completions.create(model=model, messages=MESSAGES)
                for model in (MODEL, CLAUDE)))
            stream = await client.chat.completions.create(
                model=MODEL, messages=MESSAGES, stream=True)
            return one, two, stream.hyperion, [part async for part in stream]

    one, two, decision, chunks = asyncio.run(ask())
    assert (one.hyperion.provider, two.hyperion.provider) == ("openai", "anthropic")
    assert decision.model == MODEL and len(chunks) > 3


def test_a_decision_is_explained_and_nothing_is_sent(recorded, upstream):
    asked = {"model": "gpt-5.2", "messages": MESSAGES}
    explained = recorded.route.explain(**asked, smart_routing=True)
    assert (explained.requested, explained.route) == ("gpt-5.2", "smart")
    assert explained.provider == "openai" and explained.tier in (1, 2, 3)
    assert explained.intent in ("cheap_fast", "balanced", "high_reasoning") and explained.class_
    assert 0 <= explained.score <= 1
    assert explained.model in {candidate.model for candidate in explained.candidates}
    with pytest.raises(openai.BadRequestError) as raised:
        recorded.route.explain(**asked, hyperion={"fallback": []})
    assert raised.value.param == "hyperion.fallback"
    assert not upstream.requests
