"""Recorded traffic of every provider, at random byte cuts, to clients of its own dialect.

Bytes out equal bytes in. (What is recorded of errors is looked at in recorded_errors_test.py.)
"""

import json
import random
import re

import pytest

from harness import said
from harness.recorded import DIALECTS, recordings
from harness.replay import (
    MANNERS, ask_for, check_logged_usage, name_of, replaying, request_of,
)
from harness.replay import conf_at as CONF
from harness.wire import ask

# Of OpenAI's that are no dialect of chat: where they are.
PATHS = {"completions": "/v1/completions", "embeddings": "/v1/embeddings"}
ENDS = {"chat": b"data: [DONE]", "responses": b"event: response.completed",
        "anthropic": b"event: message_stop", "gemini": b'"finishReason"'}
SEED = 20


def answers_of(api: str) -> list:
    """The answers of an API; of embeddings only those of OpenAI's dialect are there."""
    return [item for item in recordings(api) if item.status == 200]


def ask_as_recorded(gateway, recording):
    """The recorded request, or a small one where none was recorded, to the recording's provider.

    (path, body, answer)
    """
    entry = name_of(recording.provider, recording.dialect)
    path, body = request_of(recording.dialect, f"{entry}-model", recording.streamed)
    path = PATHS.get(recording.api, path)
    if recording.is_array:
        path = path.removesuffix("?alt=sse")
    if recording.request is not None:
        body = recording.request
        if recording.dialect != "gemini":
            body = {**body, "model": f"{entry}/{body['model']}"}
    elif recording.api == "embeddings":
        body = {"model": f"{entry}/m", "input": "Hi"}
    elif recording.api == "completions":
        body = {"model": f"{entry}/m", "prompt": "Hi", "stream": recording.streamed}
    return path, body, ask(gateway, json.dumps(body).encode(), path=path)


@pytest.mark.parametrize("api", [*DIALECTS, *PATHS])
def test_every_recorded_answer_comes_through_unchanged(gateway, upstream, api):
    seed = random.Random(SEED)
    found = answers_of(api)
    assert len(found) > 2
    told = {}
    for recording in found:
        data = recording.body.encode()
        recorded = said.Said(api)
        if api in DIALECTS:
            recorded = said.read(recording.dialect, recording.body, recording.streamed)
        for manner in MANNERS:
            upstream.handler = replaying(recording, data, manner, seed)
            path, body, answer = ask_as_recorded(gateway, recording)
            case = (recording.name, manner, answer.body[-300:])
            assert answer.status == 200 and answer.body == data, case
            # A failure has an end of its own in the dialect of Responses only.
            failed = recorded.error and b"event: response.failed" not in data
            assert answer.complete != bool(failed), case
            told[answer.request_id] = recorded
            kind = recording.headers.get("content-type")
            assert answer.header("content-type") == kind, case
            sent = upstream.requests[-1].json()
            assert {**sent, "model": ""} == {**body, "model": ""}, case
            if "model" in body and recording.request:
                assert sent["model"].startswith(recording.request["model"]), case
            # Where the model stands in the path it has its upstream's name there.
            assert upstream.requests[-1].line.split(" ")[1].endswith(
                re.split("[/:]", path)[-1]), case
    if api in DIALECTS:
        check_logged_usage(gateway, told)


@pytest.mark.parametrize("dialect", DIALECTS.values())
def test_a_recorded_stream_that_is_cut_anywhere_never_ends_clean(gateway, upstream, dialect):
    api = next(name for name, one in DIALECTS.items() if one == dialect)
    streams = [item for item in answers_of(api)
               if item.streamed and ENDS[dialect] in item.as_events().encode()]
    assert len(streams) > 4
    seed = random.Random(SEED)
    for recording in streams:
        data = recording.as_events().encode()
        for _ in range(4):
            part = data[:seed.randrange(1, data.index(ENDS[dialect]))]
            upstream.handler = replaying(recording, part, "random", seed)
            answer = ask_for(gateway, dialect, recording, True)
            case = (recording.name, len(part), answer.body[-300:])
            if answer.status == 200:
                assert not answer.complete, case
                assert "upstream_stream_cut" in str(
                    said.read(dialect, answer.body.decode(), True).error), case
                common = answer.body[:answer.body.rindex(b"data: ")].removesuffix(
                    b"event: error\n")
                assert part.startswith(common), case
            else:
                assert answer.status == 502 and answer.complete, case
