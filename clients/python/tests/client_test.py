"""Keys, addresses and options: what the client sends, and what it never does."""

import asyncio

import openai
import pytest
from conftest import EXPLAINED, KEY
from hyperion import AsyncHyperion, Hyperion, HyperionClient

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello."}]}


@pytest.fixture
def client():
    with Hyperion(max_retries=0) as client:
        yield client


def run(ask):
    """The result of an asynchronous function of a client."""
    async def with_client():
        async with AsyncHyperion(max_retries=0) as client:
            return await ask(client)

    return asyncio.run(with_client())


def test_the_clients_are_those_of_openai():
    assert issubclass(Hyperion, openai.OpenAI) and issubclass(AsyncHyperion, openai.AsyncOpenAI)
    assert HyperionClient is Hyperion


def test_key_and_address_come_from_the_environment_and_arguments_win(monkeypatch, server):
    assert Hyperion().api_key == KEY and str(Hyperion().base_url).startswith(server.url)
    given = Hyperion(api_key="sk_live_given", base_url="http://127.0.0.1:7/v1")
    assert given.api_key == "sk_live_given" and given.base_url.port == 7
    monkeypatch.delenv("HYPERION_BASE_URL")
    for client in (Hyperion(), AsyncHyperion()):
        assert str(client.base_url).rstrip("/") == "http://127.0.0.1:8080/v1"


@pytest.mark.parametrize("client_class", [Hyperion, AsyncHyperion])
@pytest.mark.parametrize("value", [None, ""])
def test_without_a_key_openais_is_not_taken(monkeypatch, client_class, value):
    if value is None:
        monkeypatch.delenv("HYPERION_API_KEY")
    else:
        monkeypatch.setenv("HYPERION_API_KEY", value)
    with pytest.raises(openai.OpenAIError, match="HYPERION_API_KEY"):
        client_class()
    with pytest.raises(openai.OpenAIError, match="HYPERION_API_KEY"):
        client_class(api_key="")


def test_nothing_of_openais_environment_is_sent(client, server):
    client.chat.completions.create(**CHAT)
    client.with_options(timeout=5).chat.completions.create(**CHAT)
    client.copy(default_headers={"x-own": "1"}).chat.completions.create(**CHAT)
    run(lambda asynchronous: asynchronous.chat.completions.create(**CHAT))
    assert len(server.asked) == 4
    for _, headers, body in server.asked:
        assert headers["authorization"] == f"Bearer {KEY}"
        assert "secret" not in str(headers) and "secret" not in str(body)
    assert server.asked[2][1]["x-own"] == "1"


def test_what_is_given_of_openais_options_is_sent(server):
    with Hyperion(organization="org-given", default_headers={"x-own": "1"}) as client:
        client.chat.completions.create(**CHAT)
    headers = server.asked[-1][1]
    assert headers["openai-organization"] == "org-given" and headers["x-own"] == "1"


def test_the_keywords_travel_in_the_body(client, server):
    options = {"fallbacks": ["gpt-4o-mini"], "max_cost": 0.02, "tags": {"team": "search"}}
    client.chat.completions.create(**CHAT, hyperion=options, smart_routing=True, temperature=0)
    assert server.body == {**CHAT, "temperature": 0, "hyperion": options, "smart_routing": True}
    run(lambda asynchronous: asynchronous.chat.completions.create(
        **CHAT, hyperion=options, smart_routing=False))
    assert server.body == {**CHAT, "hyperion": options, "smart_routing": False}
    client.chat.completions.create(**CHAT)
    assert server.body == CHAT


def test_the_keywords_are_added_to_extra_body(client, server):
    extra = {"top_k": 3, "hyperion": {"tags": {"team": "a"}}, "smart_routing": True}
    client.chat.completions.create(**CHAT, extra_body=extra, hyperion={"max_cost": 1})
    assert server.body == {**CHAT, "top_k": 3, "smart_routing": True,
                           "hyperion": {"tags": {"team": "a"}, "max_cost": 1}}
    assert extra["hyperion"] == {"tags": {"team": "a"}}, "the caller's own is left alone"


@pytest.mark.parametrize(("extra", "keywords", "named"), [
    ({"smart_routing": True}, {"smart_routing": True}, "smart_routing"),
    ({"hyperion": {"max_cost": 1}}, {"hyperion": {"max_cost": 2}}, "hyperion.max_cost"),
])
def test_the_same_field_twice_is_refused(client, server, extra, keywords, named):
    for method in ("create", "parse", "stream"):
        with pytest.raises(ValueError, match=f"{named} is given both"):
            getattr(client.chat.completions, method)(**CHAT, extra_body=extra, **keywords)
    with pytest.raises(ValueError, match=named):
        client.route.explain(**CHAT, extra_body=extra, **keywords)
    assert not server.asked


@pytest.mark.parametrize(("extra", "hyperion"), [
    ([], {"explain": True}), ({"hyperion": 7}, {"explain": True}), ({}, ["explain"])])
def test_what_cannot_be_merged_is_a_type_error(client, extra, hyperion):
    with pytest.raises(TypeError, match="a mapping"):
        client.chat.completions.create(**CHAT, extra_body=extra, hyperion=hyperion)


def test_explain_asks_for_the_decision_only(client, server):
    explained = client.route.explain(**CHAT, smart_routing=True, hyperion={"max_cost": 1},
                                     extra_headers={"x-own": "1"}, extra_body={"top_k": 3})
    path, headers, body = server.asked[-1]
    assert path == "/v1/route/explain" and headers["x-own"] == "1"
    assert body == {**CHAT, "smart_routing": True, "hyperion": {"max_cost": 1}, "top_k": 3}
    assert (explained.model, explained.class_, explained.tier) == ("gpt-4o-mini", "simple_qa", 1)
    assert explained.candidates[0].p == 0.9 and explained.candidates[0].excluded is None
    assert explained.to_dict() == EXPLAINED
    explained = run(lambda asynchronous: asynchronous.route.explain(**CHAT, stream=True))
    assert explained.intent == "cheap_fast" and server.body == {**CHAT, "stream": True}


def test_feedback_is_a_score_or_good_or_bad(client, server):
    sent = []
    for given in ({"score": 0.25}, {"good": True}, {"good": False}, {"score": 0}):
        assert client.feedback(request_id="req_1", **given) is None
        sent.append(server.body["score"])
    assert server.asked[-1][0] == "/v1/feedback" and server.body["request_id"] == "req_1"
    assert sent == [0.25, 1, 0, 0]
    run(lambda asynchronous: asynchronous.feedback(request_id="req_2", good=True))
    assert server.body == {"request_id": "req_2", "score": 1}
    for wrong in ({}, {"score": 1, "good": True}):
        with pytest.raises(TypeError, match="either score"):
            client.feedback(request_id="req_1", **wrong)
    with pytest.raises(ValueError, match="from 0"):
        client.feedback(request_id="req_1", score=1.5)
