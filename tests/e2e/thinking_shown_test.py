"""A model's thinking goes to those who asked to see it, of whichever dialect they and it are.

In Chat Completions there is no word for it in general: there the conf decides, unless the client
says so in one of the ways that clients have.
"""

import json
import random

import pytest

from harness import said
from harness.recorded import DIALECTS, recordings
from harness.replay import CLIENTS, conf_at, name_of, replaying, request_of
from harness.wire import ask

SEED = 3
BUDGET = {"type": "enabled", "budget_tokens": 1024}
# How clients ask to see it, and how they do not.
ASKING = {
    "chat": [{"include_reasoning": True}, {"reasoning": {"effort": "low", "exclude": False}}],
    "responses": [{"reasoning": {"effort": "low", "summary": "auto"}},
                  {"reasoning": {"summary": "detailed"}}],
    "anthropic": [{"thinking": BUDGET}, {"thinking": {**BUDGET, "display": "summarized"}}],
    "gemini": [{"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}],
}
NOT_ASKING = {
    "chat": [{"include_reasoning": False}, {"reasoning": {"effort": "low", "exclude": True}},
             {"reasoning_effort": "low", "include_reasoning": False}],
    "responses": [{}, {"reasoning": {"effort": "low"}}],
    "anthropic": [{}, {"thinking": {"type": "disabled"}},
                  {"thinking": {**BUDGET, "display": "omitted"}}],
    "gemini": [{}, {"generationConfig": {"thinkingConfig": {"includeThoughts": False}}},
               {"generationConfig": {"thinkingConfig": {"thinkingBudget": 512}}}],
}


def CONF(port: int) -> dict:
    return {**conf_at(port), "translation": {"reasoning_content": True}}


@pytest.fixture(scope="module")
def thoughts() -> list:
    """(recording, what it says) of all answers that hold thinking, of every dialect."""
    found = [(one, said.read(one.dialect, one.as_events(), one.streamed))
             for one in recordings(*DIALECTS) if one.status == 200]
    found = [(one, what) for one, what in found if what.thinking and what.whole]
    assert {one.dialect for one, _ in found} == set(CLIENTS)
    return found


def seen_of(gateway, upstream, client: str, recording, asking: dict) -> said.Said:
    """What a client gets that asks like this."""
    upstream.handler = replaying(recording, recording.as_events().encode(), "random",
                                 random.Random(SEED))
    model = name_of(recording.provider, recording.dialect) + "-model"
    path, body = request_of(client, model, recording.streamed)
    answer = ask(gateway, json.dumps({**body, **asking}).encode(), path=path)
    assert answer.status == 200 and answer.complete, answer.body
    got = said.read(client, answer.body.decode(), recording.streamed)
    if not got.thinking:
        check_nothing_is_left(client, asking, got, answer.body)
    return got


def check_nothing_is_left(client: str, asking: dict, got: said.Said, body: bytes) -> None:
    """Of thinking that is not shown there are no fields or parts with nothing in them.

    Responses has an item without a summary all the same, as OpenAI does, and Anthropic a block
    without text for those who had the model think; for others before a call at most.
    """
    kinds = {"chat": [b"thinking_blocks", b"reasoning_content"], "gemini": [b'"thought":true'],
             "anthropic": [b'"type":"thinking"'], "responses": []}[client]
    thought = asking.get("thinking", {}).get("type") == "enabled"
    if client != "anthropic" or not (thought or got.calls):
        assert not [kind for kind in kinds if kind in body], (asking, body)


@pytest.mark.parametrize("client", CLIENTS)
def test_thinking_is_shown_only_to_those_who_asked(gateway, upstream, thoughts, client):
    for recording, recorded in thoughts:
        if recording.dialect == client:
            continue
        for asking in ASKING[client]:
            got = seen_of(gateway, upstream, client, recording, asking)
            assert got.thinking == recorded.thinking, (recording.name, asking)
            assert got.text == recorded.text, (recording.name, asking)
        for asking in NOT_ASKING[client]:
            got = seen_of(gateway, upstream, client, recording, asking)
            assert got.thinking == "", (recording.name, asking)
            assert got.text == recorded.text, (recording.name, asking)


@pytest.mark.parametrize("shown", [True, False])
def test_in_chat_the_conf_decides_where_the_client_does_not(
        start_gateway, provider, upstream, thoughts, shown):
    gateway = start_gateway({**conf_at(provider.port), "translation": {"reasoning_content": shown}})
    for recording, recorded in thoughts:
        if recording.dialect == "chat":
            continue
        for asking in ({}, {"reasoning_effort": "low"}):
            got = seen_of(gateway, upstream, "chat", recording, asking)
            assert got.thinking == (recorded.thinking if shown else ""), (recording.name, asking)
        for asking, wanted in ((ASKING["chat"][0], recorded.thinking),
                               (NOT_ASKING["chat"][0], "")):
            got = seen_of(gateway, upstream, "chat", recording, asking)
            assert got.thinking == wanted, (recording.name, asking)
