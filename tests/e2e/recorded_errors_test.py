"""Errors as providers sent them, to clients of their own dialect and of the others.

All recordings whose status is one of an error, and what the wire formats say of errors that nobody
recorded. An oracle (harness/provider_errors.py) says what each means.
"""

import json
import random
import re

import pytest

from harness import said
from harness.conf import PROVIDER_KEY
from harness.provider_errors import SECRET_KINDS, Meant, check_told, check_told_within, meant_by
from harness.recorded import DIALECTS, Recording, recordings
from harness.replay import CLIENTS, ask_for, replaying
from harness.replay import conf_at as CONF
from harness.schema import ERROR, validator_of

SEED = 17


def openai(message, kind, code=None, param=None) -> dict:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def anthropic(message, kind, **more) -> dict:
    return {"type": "error", "error": {"type": kind, "message": message, **more},
            "request_id": "req_1"}


def google(status, word, message, *details) -> dict:
    return {"error": {"code": status, "message": message, "status": word, "details": [*details]}}


def info(reason: str) -> dict:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}


RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "48s"}
DAILY = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [
    {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}
# Of the table of errors, what was not recorded: provider, API, status, headers, body.
DOCUMENTED = [
    ("openai", "chat.completions", 401, {}, openai(
        "Incorrect API key provided.", "invalid_request_error", "invalid_api_key")),
    ("openai", "chat.completions", 429, {"retry-after-ms": "1200", "retry-after": "2"}, openai(
        "Rate limit reached for requests.", "requests", "rate_limit_exceeded")),
    ("openai", "responses", 429, {"x-should-retry": "false"}, openai(
        "A spend limit was reached.", "insufficient_quota", "project_spend_limit_exceeded")),
    ("openai", "responses", 503, {"retry-after": "7"}, openai(
        "The engine is overloaded.", "server_error")),
    ("openai", "chat.completions", 500, {}, openai("It failed.", "server_error")),
    ("azure", "chat.completions", 429, {"retry-after-ms": "0", "retry-after": "1"}, openai(
        "Requests have exceeded the token rate limit.", "rate_limit_error", "429")),
    ("xai", "chat.completions", 400, {}, {
        "code": "Client specified an invalid argument", "error": "Incorrect API key provided"}),
    ("openrouter", "chat.completions", 402, {}, {
        "error": {"message": "Insufficient credits.", "code": 402}}),
    ("anthropic", "messages", 529, {"x-should-retry": "true"}, anthropic(
        "Overloaded", "overloaded_error")),
    ("anthropic", "messages", 429, {"retry-after": "12"}, anthropic(
        "This request would exceed your rate limit.", "rate_limit_error")),
    ("anthropic", "messages", 429, {}, anthropic(
        "A spend limit was reached.", "rate_limit_error",
        details={"error_code": "enforced_spend_limit_reached"})),
    ("anthropic", "messages", 402, {}, anthropic("Pay.", "billing_error")),
    ("anthropic", "messages", 400, {"x-should-retry": "false"}, anthropic(
        "prompt is too long: 210000 tokens > 200000 maximum", "invalid_request_error")),
    ("anthropic", "messages", 404, {}, anthropic("model: x", "not_found_error")),
    ("anthropic", "messages", 413, {}, anthropic("Too large.", "request_too_large")),
    ("anthropic", "messages", 403, {}, anthropic("Not allowed.", "permission_error")),
    ("anthropic", "messages", 409, {}, anthropic("Conflict.", "conflict_error")),
    ("anthropic", "messages", 504, {}, anthropic("Timed out.", "timeout_error")),
    ("anthropic", "messages", 500, {}, anthropic("Internal server error", "api_error")),
    ("gemini", "generateContent", 400, {}, google(
        400, "INVALID_ARGUMENT", "API key not valid.", info("API_KEY_INVALID"))),
    ("gemini", "generateContent", 400, {}, google(
        400, "INVALID_ARGUMENT",
        "The input token count (5) exceeds the maximum number of tokens allowed (4).")),
    ("gemini", "generateContent", 429, {}, google(429, "RESOURCE_EXHAUSTED", "Slower.", RETRY)),
    ("gemini", "generateContent", 429, {}, google(
        429, "RESOURCE_EXHAUSTED", "No more today.", DAILY, RETRY)),
    ("gemini", "generateContent", 503, {}, google(503, "UNAVAILABLE", "Overloaded.")),
    ("vertex", "generateContent", 403, {}, google(403, "PERMISSION_DENIED", "Not allowed.")),
    ("vertex", "generateContent", 404, {}, [google(404, "NOT_FOUND", "No such model.")]),
    ("vertex", "generateContent", 504, {}, google(504, "DEADLINE_EXCEEDED", "Too late.")),
]


def event(name: str, document: dict) -> str:
    return (f"event: {name}\n" if name else "") + f"data: {json.dumps(document)}\n\n"


# What breaks off a stream, by the dialect of it.
BROKEN_OFF = {
    "chat": [
        event("", openai("Overloaded.", "overloaded_error")),
        event("", openai("Slower.", "rate_limit_error", "rate_limit_exceeded")),
        event("error", {"error": {"message": "Failed.", "type": "server_error"}}),
        event("", {"id": "1", "choices": [{"index": 0, "delta": {"content": ""},
                                           "finish_reason": "error"}],
                   "error": {"code": "server_error", "message": "Disconnected."}})],
    "responses": [
        event("error", {"type": "error", "sequence_number": 99, "error": {
            "type": "server_error", "code": "server_error", "message": "Failed.", "param": None}}),
        event("response.failed", {"type": "response.failed", "response": {
            "id": "r", "status": "failed", "output": [], "error": {
                "code": "rate_limit_exceeded", "message": "Slower."}}})],
    "anthropic": [event("error", anthropic("Overloaded", "overloaded_error")),
                  event("error", anthropic("Internal server error", "api_error"))],
    "gemini": [event("", google(503, "UNAVAILABLE", "Overloaded.")),
               event("", google(429, "RESOURCE_EXHAUSTED", "Slower."))],
}
# Google's words mean the same as its numbers.
KINDS = {"Overloaded.": "overload", "Overloaded": "overload", "Slower.": "rate_limit"}


def documented() -> list:
    return [Recording(f"{provider} {status} {number}", provider, api, status, json.dumps(body),
                      {"content-type": "application/json", **headers})
            for number, (provider, api, status, headers, body) in enumerate(DOCUMENTED)]


def errors() -> list:
    recorded = [item for item in recordings(*DIALECTS) if item.status >= 400]
    assert len(recorded) >= 10
    return recorded + documented()


def check_passed_on(answer, recording, meant, case) -> None:
    """To a client of the same dialect: as it came, but for what is the gateway's own affair."""
    own = meant.kind in ("bad_key", "forbidden") or recording.status in (401, 402, 403)
    if own:
        check_told(recording.dialect, answer, meant, case)
        return
    assert answer.status == recording.status and answer.complete, case
    assert answer.body == recording.body.encode(), case
    assert answer.header("content-type") == recording.headers["content-type"], case
    given = {name: recording.headers.get(name)
             for name in ("retry-after", "retry-after-ms", "x-should-retry")}
    if meant.kind == "money":
        given = {"retry-after": None, "retry-after-ms": None, "x-should-retry": "false"}
    assert {name: answer.header(name) for name in given} == given, case


def check_log(gateway, kinds: dict) -> None:
    """That the log has each of these requests, {id: (kind, case)}, as this kind of error."""
    lines = gateway.log_up_to(list(kinds)[-1])
    for request_id, (kind, case) in kinds.items():
        assert lines[request_id]["error_kind"] == kind, case


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("client", CLIENTS)
def test_an_error_means_the_same_to_every_client(gateway, upstream, client, streamed):
    seed = random.Random(SEED)
    logged = {}
    for recording in errors():
        meant = meant_by(recording.status, recording.headers, recording.body)
        for manner in ("whole", "bytes", "random"):
            upstream.handler = replaying(recording, recording.body.encode(), manner, seed)
            answer = ask_for(gateway, client, recording, streamed)
            case = (recording.name, manner, recording.body[:300], answer.status, answer.headers,
                    answer.body)
            if client == recording.dialect:
                check_passed_on(answer, recording, meant, case)
            else:
                check_told(client, answer, meant, case)
                no = (recording.headers.get("x-should-retry") == "false"
                      or meant.kind in SECRET_KINDS)
                assert answer.header("x-should-retry") == ("false" if no else None), case
                if client == "chat":
                    validator_of(ERROR).validate(answer.json())
            logged[answer.request_id] = (meant.kind, case)
    check_log(gateway, logged)


@pytest.mark.parametrize("client", CLIENTS)
def test_our_key_in_an_error_is_shown_to_no_client(gateway, upstream, client):
    for recording in errors():
        body = recording.body.replace('"message":', f'"hint": "{PROVIDER_KEY}", "message":')
        if body == recording.body:
            continue
        upstream.handler = replaying(recording, body.encode(), "random", random.Random(SEED))
        answer = ask_for(gateway, client, recording, False)
        assert answer.status == 502 and answer.complete, (recording.name, answer.body)
        assert PROVIDER_KEY.encode() not in answer.body
        assert b"upstream_credentials" in answer.body


def pieces_of(recording) -> list:
    """The events of a stream, each with the empty line behind it."""
    return re.findall(".*?(?:\r?\n){2}", recording.as_events(), re.DOTALL)


@pytest.mark.parametrize("client", CLIENTS)
def test_an_error_that_breaks_off_a_recorded_stream_follows_what_came(gateway, upstream, client):
    seed = random.Random(SEED)
    logged = {}
    streams = [item for item in recordings(*DIALECTS) if item.streamed and item.dialect != client]
    for recording in streams:
        pieces = pieces_of(recording)
        dialect = recording.dialect
        for error in BROKEN_OFF[dialect]:
            begin = "".join(pieces[:seed.randrange(len(pieces) or 1)])
            before = said.read(dialect, begin, True)
            if before.error or (dialect == "gemini" and before.whole):
                continue
            told = said.read(dialect, begin + error, True).error
            meant = Meant(KINDS.get(told["message"], "server"), told["message"])
            upstream.handler = replaying(recording, (begin + error).encode(), "random", seed)
            answer = ask_for(gateway, client, recording, True)
            case = (recording.name, error, begin[-300:], answer.status, answer.body[-600:])
            logged[answer.request_id] = (meant.kind, case)
            if answer.status != 200:
                assert not before.text and not before.calls, case
                check_told(client, answer, meant, case)
                continue
            got = said.read(client, answer.body.decode(), True)
            assert not answer.complete and not got.whole, case
            assert got.text == before.text, case
            check_told_within(client, got.error, meant, case)
    check_log(gateway, logged)
