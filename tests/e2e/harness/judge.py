"""Judges what a client reads of an answer that was translated, by what the provider said in it.

`check_answer` replays one recording at every kind of byte cut; the rest is how it judges.
"""

import json
import random

from harness.grammar import check_stream
from harness.provider_errors import check_told, meant_by
from harness.replay import MANNERS, ask_for, replaying
from harness.said import Said, read
from harness.schema import validate_chat

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


def expected_of(recorded: Said, client: str, streamed: bool) -> dict:
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


def numbers_of(one: Said, client: str) -> dict:
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


def read_of(answer: Said, client: str) -> dict:
    return {"text": answer.text, "refusal": answer.refusal, "thinking": answer.thinking,
            "calls": answer.calls, "word": answer.word,
            "reason": None if answer.word == "MALFORMED_FUNCTION_CALL" else answer.reason,
            **numbers_of(answer, client)}


def check_names(got: Said, wanted: Said, case) -> None:
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


def check_error(answer, told: Said, client: str, case) -> None:
    """The provider told of an error before it said anything."""
    assert not told.text and not told.calls, case
    if told.error:
        check_told(client, answer, meant_by(0, {}, json.dumps({"error": told.error})), case)
    else:
        assert answer.status >= 500 and answer.complete and answer.json()["error"], case


def check_answer(gateway, upstream, client: str, recording, seed: random.Random) -> dict:
    """At all cuts, to a client of another dialect; {request's id: Said} of what was said."""
    body, streamed, dialect = recording.as_events(), recording.streamed, recording.dialect
    recorded = read(dialect, body, streamed)
    told = {}
    for manner in MANNERS:
        upstream.handler = replaying(recording, body.encode(), manner, seed)
        answer = ask_for(gateway, client, recording, streamed)
        told[answer.request_id] = recorded
        case = (recording.name, manner, answer.status, answer.body[-300:])
        if client == "chat":
            validate_chat(answer.body, streamed and answer.status == 200)
        if recorded.error or not recorded.whole:
            check_error(answer, recorded, client, case)
            continue
        assert answer.status == 200 and answer.complete, case
        text = answer.body.decode()
        if client == "responses" and recorded.end == "malformed":
            # Here a call that cannot be read is a failure, with its own end.
            assert read(client, text, streamed).error["message"] == recorded.reason, case
            continue
        if streamed:
            check_stream(client, text)
        for choice in range(choices_of(recording, client)):
            wanted = read(dialect, body, streamed, choice)
            got = read(client, text, streamed, choice)
            assert got.whole and not got.error, case
            assert read_of(got, client) == expected_of(wanted, client, streamed), case
            check_names(got, wanted, case)
    return told
