"""How the recorded streams may end: a whole end marker ends them without the empty line behind it,
half of one does not; in each dialect, passed through and translated."""

import json
import random

import pytest

from harness import said
from harness.grammar import check_stream
from harness.recorded import DIALECTS, Recording, recordings
from harness.replay import CLIENTS, ask_for, replaying
from harness.replay import conf_at as CONF
from harness.schema import validate_chat

SEED = 7


def streams_of(dialect: str) -> list:
    """(recording, stream without what stands behind its last line, where that line begins)"""
    api = next(name for name, one in DIALECTS.items() if one == dialect)
    found = []
    for recording in recordings(api):
        stream = recording.as_events().rstrip()
        if recording.status == 200 and recording.streamed and said.read(
                dialect, stream, True).whole:
            found.append((recording, stream, stream.rindex("data:")))
    assert len(found) > 4
    return found


def ask_with(gateway, upstream, client: str, recording, stream: str):
    upstream.handler = replaying(recording, stream.encode(), "random", random.Random(SEED))
    return ask_for(gateway, client, recording, True)


def check_outcomes(gateway, ids: list, outcome: str) -> None:
    lines = gateway.log_up_to(ids[-1])
    assert {lines[one]["outcome"] for one in ids} == {outcome}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("dialect", DIALECTS.values())
def test_an_end_marker_without_its_empty_line_is_an_end(gateway, upstream, dialect, client):
    ids = []
    for recording, stream, _ in streams_of(dialect):
        whole = ask_with(gateway, upstream, client, recording, recording.as_events())
        line_end = "\r\n" if "\r\n" in recording.as_events() else "\n"
        for behind in ("", line_end):
            answer = ask_with(gateway, upstream, client, recording, stream + behind)
            case = (recording.name, repr(behind), answer.body[-300:])
            assert answer.status == 200 and answer.complete, case
            if client == dialect:
                assert answer.body == (stream + behind).encode(), case
            else:
                assert said.read(client, answer.body.decode(), True) == said.read(
                    client, whole.body.decode(), True), case
            if client == "chat" != dialect:
                validate_chat(answer.body, True)
            ids.append(answer.request_id)
    check_outcomes(gateway, ids, "answered")


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("dialect", DIALECTS.values())
def test_half_an_end_marker_is_no_end(gateway, upstream, dialect, client):
    seed = random.Random(SEED)
    ids = []
    for recording, stream, last in streams_of(dialect):
        if dialect == "gemini" and said.read(dialect, stream[:last], True).whole:
            continue  # The finish came before.
        cut = seed.randrange(last, len(stream))
        answer = ask_with(gateway, upstream, client, recording, stream[:cut])
        case = (recording.name, stream[last:cut], answer.body[-300:])
        if answer.status == 200:
            assert not answer.complete, case
            got = said.read(client, answer.body.decode(), True)
            # Passed through, an end may have been seen that is none yet.
            assert got.error and (client == dialect or not got.whole), case
        else:
            assert answer.status == 502 and answer.complete, case
        ids.append(answer.request_id)
    check_outcomes(gateway, ids, "failed")


def perplexity_stream(*choices: dict) -> str:
    """As it is recorded there: no end marker, no empty line behind the last event."""
    head = {"id": "1", "object": "chat.completion.chunk", "model": "sonar", "created": 1775129483,
            "usage": {"prompt_tokens": 45, "completion_tokens": 3, "total_tokens": 48}}
    return "\r\n\r\n".join("data: " + json.dumps({**head, "choices": [{"index": 0, **choice}]})
                           for choice in choices)


SAID = {"delta": {"role": "assistant", "content": "Two."}}
ENDED = {"delta": {"role": "assistant", "content": ""}, "finish_reason": "stop"}


@pytest.mark.parametrize("client", CLIENTS)
def test_where_the_host_has_no_end_marker_a_finish_is_the_end(gateway, upstream, client):
    whole = perplexity_stream(SAID, ENDED)
    for stream in (whole, whole + "\r\n\r\n", whole + "\r\n\r\ndata: [DONE]\r\n\r\n"):
        recording = Recording("made", "perplexity", "chat.completions", 200, stream,
                              {"content-type": "text/event-stream; charset=utf-8"})
        answer = ask_with(gateway, upstream, client, recording, stream)
        assert answer.status == 200 and answer.complete, answer.body
        if client == "chat":
            assert answer.body == stream.encode()
        else:
            check_stream(client, answer.body.decode())
            got = said.read(client, answer.body.decode(), True)
            assert (got.text, got.whole, got.input_tokens) == ("Two.", True, 45)
        line = gateway.wait_for_log(answer.request_id)
        assert (line["outcome"], line["completion_tokens"]) == ("answered", 3)


@pytest.mark.parametrize("provider_name", ["perplexity", "openai"])
@pytest.mark.parametrize("client", CLIENTS)
def test_without_a_finish_such_a_stream_was_cut_and_so_is_any_other_without_its_marker(
        gateway, upstream, client, provider_name):
    whole = perplexity_stream(SAID, ENDED)
    cuts = [whole[:-5], perplexity_stream(SAID), perplexity_stream(SAID) + "\r\n\r\n"]
    for stream in cuts if provider_name == "perplexity" else [whole, whole + "\r\n\r\n"]:
        recording = Recording("made", provider_name, "chat.completions", 200, stream,
                              {"content-type": "text/event-stream; charset=utf-8"})
        answer = ask_with(gateway, upstream, client, recording, stream)
        assert answer.status == 502 or not answer.complete, (stream, answer.body)
