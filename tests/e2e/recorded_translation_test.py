"""Recorded answers of every dialect, replayed at every kind of byte cut to clients of the others.

What a client reads is compared with what an oracle reads from the recording by itself (a full parse
of the whole body, by the tables of the wire formats), and every answer and chunk for OpenAI's chat
clients is held against OpenAI's schema. A recording that is cut off must never end as if it were
whole.
"""

import json
import random

import pytest

from harness import said
from harness.provider_errors import check_told, meant_by
from harness.recorded import recordings
from harness.replay import CLIENTS, MANNERS, ask_for, replaying
from harness.replay import conf_at as CONF
from harness.schema import validate_chat

APIS = {"chat": ["chat.completions"], "responses": ["responses"], "anthropic": ["messages"],
        "gemini": ["generateContent"]}
PAIRS = [(upstream, client) for upstream in APIS for client in CLIENTS if upstream != client]
SEED = 31

# How an answer that ended so ends for each client.
WORDS = {
    "chat": {
        "stop": "stop", "stop sequence": "stop", "paused": "stop", "malformed": "stop",
        "declined": "stop", "length": "length", "calls": "tool_calls",
        "filtered": "content_filter", "refused": "content_filter"},
    "responses": {
        "stop": "completed", "stop sequence": "completed", "paused": "completed",
        "declined": "completed", "calls": "completed", "length": "incomplete: max_output_tokens",
        "filtered": "incomplete: content_filter", "refused": "incomplete: content_filter"},
    "anthropic": {
        "stop": "end_turn", "stop sequence": "stop_sequence", "paused": "pause_turn",
        "malformed": "end_turn", "length": "max_tokens", "calls": "tool_use",
        "filtered": "refusal", "refused": "refusal", "declined": "refusal"},
    "gemini": {
        "stop": "STOP", "stop sequence": "STOP", "paused": "STOP", "calls": "STOP",
        "malformed": "MALFORMED_FUNCTION_CALL", "length": "MAX_TOKENS", "filtered": "SAFETY",
        "refused": "SAFETY", "declined": "SAFETY"},
}


def answers_of(upstream: str, streamed: bool) -> list:
    found = [item for item in recordings(*APIS[upstream])
             if item.status == 200 and item.streamed == streamed]
    assert len(found) > 4
    return found


def expected_of(recorded: said.Said, client: str, streamed: bool) -> dict:
    """What this client must read of an answer."""
    text, refusal, calls = recorded.text, recorded.refusal, recorded.calls
    word = WORDS[client].get(recorded.end)
    cut = any(isinstance(call["arguments"], str) for call in calls)
    if cut and client == "gemini":
        # There a call has an object or is none, and then the reason says so.
        calls = [call for call in calls if not isinstance(call["arguments"], str)]
        word = "MALFORMED_FUNCTION_CALL" if recorded.end in ("stop", "calls") else word
    elif cut and client == "anthropic" and not streamed:
        calls = [{**call, "arguments": {}} if isinstance(call["arguments"], str) else call
                 for call in calls]
    if client in ("anthropic", "gemini") and recorded.end == "declined":
        # They have no field for what the model says where it says no.
        text, refusal = text + refusal, ""
    if client == "gemini":
        refusal = ""
    return {"text": text, "refusal": refusal, "thinking": recorded.thinking, "calls": calls,
            "word": word, **numbers_of(recorded, client)}


def numbers_of(one: said.Said, client: str) -> dict:
    """The usage as far as a client's dialect can tell it: unknown is not zero, but for one."""
    if one.input_tokens is None and client != "anthropic":
        return {"usage": None}
    cached = one.cached_tokens or 0
    given = one.input_tokens or 0
    if client == "anthropic":
        # Where those cached stand beside the rest, they cannot be more than all.
        given = max(given, cached + (one.written_tokens or 0))
    return {"usage": (given, one.output_tokens or 0, cached),
            "written": one.written_tokens or 0 if client != "gemini" else None,
            "reasoning": one.reasoning_tokens or 0}


def read_of(answer: said.Said, client: str) -> dict:
    return {"text": answer.text, "refusal": answer.refusal, "thinking": answer.thinking,
            "calls": answer.calls, "word": answer.word, **numbers_of(answer, client)}


def choices_of(recording, client: str) -> int:
    """How many choices a client of several can see."""
    if recording.dialect not in ("chat", "gemini") or client not in ("chat", "gemini"):
        return 1
    return (recording.request or {}).get("n", 1)


def check_error(answer, told: said.Said, client: str, case) -> None:
    """The provider told of an error before it said anything."""
    assert not told.text and not told.calls, case
    if told.error:
        check_told(client, answer, meant_by(0, {}, json.dumps({"error": told.error})), case)
    else:
        assert answer.status >= 500 and answer.complete and answer.json()["error"], case


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "plain"])
@pytest.mark.parametrize("upstream_name,client", PAIRS, ids=[f"{a} to {b}" for a, b in PAIRS])
def test_recorded_answers_say_the_same_to_the_clients_of_other_dialects(
        gateway, upstream, upstream_name, client, streamed):
    seed = random.Random(SEED)
    for recording in answers_of(upstream_name, streamed):
        body = recording.as_events()
        recorded = said.read(upstream_name, body, streamed)
        for manner in MANNERS:
            upstream.handler = replaying(recording, body.encode(), manner, seed)
            answer = ask_for(gateway, client, recording, streamed)
            case = (recording.name, manner, SEED, answer.body[-300:])
            if client == "chat":
                validate_chat(answer.body, streamed and answer.status == 200)
            if recorded.error or not recorded.whole:
                check_error(answer, recorded, client, case)
                continue
            assert answer.status == 200 and answer.complete, case
            for choice in range(choices_of(recording, client)):
                wanted = said.read(upstream_name, body, streamed, choice)
                got = said.read(client, answer.body.decode(), streamed, choice)
                assert got.whole and not got.error, case
                assert read_of(got, client) == expected_of(wanted, client, streamed), case


@pytest.mark.parametrize("upstream_name,client", PAIRS, ids=[f"{a} to {b}" for a, b in PAIRS])
def test_a_recorded_stream_that_is_cut_off_never_ends_clean(
        gateway, upstream, upstream_name, client):
    seed = random.Random(SEED)
    ends = {"chat": b"[DONE]", "responses": b"event: response.completed",
            "anthropic": b"message_stop", "gemini": b"finishReason"}
    for recording in answers_of(upstream_name, True):
        data = recording.as_events().encode()
        end = data.find(ends[upstream_name])
        for cut in {seed.randrange(1, max(end, 2)) for _ in range(3)}:
            upstream.handler = replaying(recording, data[:cut], "random", seed)
            answer = ask_for(gateway, client, recording, True)
            case = (recording.name, cut, SEED, answer.body[-200:])
            if answer.status == 200:
                assert not answer.complete, case
                got = said.read(client, answer.body.decode(), True)
                assert got.error and not got.whole, case
            else:
                assert answer.status >= 500 and json.loads(answer.body)["error"], case
