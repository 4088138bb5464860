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
from harness.judge import check_answer, expected_of, read_of
from harness.recorded import recordings
from harness.replay import (
    CLIENTS, ask_for, check_logged_usage, name_of, replaying, request_of,
)
from harness.replay import conf_at as CONF
from harness.schema import validate_chat
from harness.wire import ask

APIS = {"chat": ["chat.completions"], "responses": ["responses"], "anthropic": ["messages"],
        "gemini": ["generateContent"]}
PAIRS = [(upstream, client) for upstream in APIS for client in CLIENTS if upstream != client]
SEED = 31


def answers_of(upstream: str, streamed: bool) -> list:
    found = [item for item in recordings(*APIS[upstream])
             if item.status == 200 and item.streamed == streamed]
    assert len(found) > 4
    return found


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "plain"])
@pytest.mark.parametrize("upstream_name,client", PAIRS, ids=[f"{a} to {b}" for a, b in PAIRS])
def test_recorded_answers_say_the_same_to_the_clients_of_other_dialects(
        gateway, upstream, upstream_name, client, streamed):
    seed = random.Random(SEED)
    told = {}
    for recording in answers_of(upstream_name, streamed):
        told |= check_answer(gateway, upstream, client, recording, seed)
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
