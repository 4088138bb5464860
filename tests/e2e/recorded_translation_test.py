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
from harness.grammar import check_stream
from harness.provider_errors import check_told, meant_by
from harness.recorded import recordings
from harness.replay import (
    CLIENTS, MANNERS, ask_for, check_logged_usage, name_of, replaying, request_of,
)
from harness.replay import conf_at as CONF
from harness.schema import validate_chat
from harness.wire import ask

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
    reason = ""
    if recorded.end == "refused":
        # Why, in the field that the dialect has for it.
        refusal, reason = ("", recorded.reason) if client in ("gemini", "anthropic") else (
            recorded.reason, "")
    elif client == "gemini" and recorded.end == "filtered":
        reason = recorded.reason
    elif word == "MALFORMED_FUNCTION_CALL":
        reason = None
    return {"text": text, "refusal": refusal, "thinking": recorded.thinking, "calls": calls,
            "word": word, "reason": reason, **numbers_of(recorded, client)}


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
            "calls": answer.calls, "word": answer.word,
            "reason": None if answer.word == "MALFORMED_FUNCTION_CALL" else answer.reason,
            **numbers_of(answer, client)}


def check_names(got: said.Said, wanted: said.Said, case) -> None:
    """The model is the one that answered; every call has an id, which is opaque."""
    assert got.model == wanted.model or not wanted.model, case
    assert got.signatures == wanted.signatures, case
    assert all(got.call_ids) and len(set(got.call_ids)) == len(got.call_ids), case
    if len(got.call_ids) == len(wanted.call_ids):
        assert [one for one, given in zip(got.call_ids, wanted.call_ids) if given] == list(
            filter(None, wanted.call_ids)), case


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
    told = {}
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
            if streamed:
                check_stream(client, answer.body.decode())
            for choice in range(choices_of(recording, client)):
                wanted = said.read(upstream_name, body, streamed, choice)
                got = said.read(client, answer.body.decode(), streamed, choice)
                assert got.whole and not got.error, case
                assert read_of(got, client) == expected_of(wanted, client, streamed), case
                check_names(got, wanted, case)
            told[answer.request_id] = recorded
    check_logged_usage(gateway, told)


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


def streams_for(gateway, upstream, upstream_name: str, client: str, changed):
    """(recording, what it says, answer) of each stream, to requests that `changed` has changed."""
    for recording in answers_of(upstream_name, True):
        body = recording.as_events()
        recorded = said.read(upstream_name, body, True)
        if not recorded.whole:
            continue
        upstream.handler = replaying(recording, body.encode(), "random", random.Random(SEED))
        model = name_of(recording.provider, recording.dialect) + "-model"
        path, request = changed(*request_of(client, model, True, True))
        answer = ask(gateway, json.dumps(request).encode(), path=path)
        assert answer.status == 200 and answer.complete, (recording.name, answer.body)
        yield recording, recorded, answer.body.decode()


@pytest.mark.parametrize("upstream_name", ["chat", "responses", "anthropic"])
def test_a_recorded_stream_as_one_array_says_the_same(gateway, upstream, upstream_name):
    def without_events(path, request):
        return path.removesuffix("?alt=sse"), request

    for recording, recorded, body in streams_for(
            gateway, upstream, upstream_name, "gemini", without_events):
        assert body.startswith("[{"), recording.name
        check_stream("gemini", body)
        assert read_of(said.read("gemini", body, True), "gemini") == expected_of(
            recorded, "gemini", True), recording.name


@pytest.mark.parametrize("upstream_name", ["responses", "anthropic", "gemini"])
def test_a_chat_stream_has_usage_only_where_it_was_asked_for(gateway, upstream, upstream_name):
    def without_usage(path, request):
        del request["stream_options"]
        return path, request

    for recording, recorded, body in streams_for(
            gateway, upstream, upstream_name, "chat", without_usage):
        assert validate_chat(body.encode(), True) > 1
        assert '"usage"' not in body, recording.name
        assert said.read("chat", body, True).text == recorded.text, recording.name
