"""A provider of another dialect that fails or talks nonsense: what each client and the log get."""

import json

import pytest

from harness.conf import PROVIDER_KEY
from harness.replay import ask_as
from harness.schema import validate_chat
from harness.simulated import conf_at as CONF
from harness.upstream import LAST_CHUNK, answering, chunk, plain_answer, stream_head
from harness.wire import Connection, request_bytes

MESSAGE_START = {"type": "message_start", "message": {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [],
    "usage": {"input_tokens": 3, "output_tokens": 1}}}
BLOCK_START = {"type": "content_block_start", "index": 0,
               "content_block": {"type": "text", "text": ""}}
TEXT = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hey"}}
BLOCK_STOP = {"type": "content_block_stop", "index": 0}
MESSAGE_DELTA = {"type": "message_delta", "delta": {"stop_reason": "end_turn"},
                 "usage": {"output_tokens": 4}}
MESSAGE_STOP = {"type": "message_stop"}
WHOLE = [MESSAGE_START, BLOCK_START, TEXT, BLOCK_STOP, MESSAGE_DELTA, MESSAGE_STOP]

CLIENTS = ("chat", "responses", "anthropic", "gemini")


def overloaded(message: str = "Overloaded") -> dict:
    return {"type": "error", "error": {"type": "overloaded_error", "message": message}}


def events(*documents: dict) -> bytes:
    return b"".join(f"event: {item['type']}\ndata: {json.dumps(item)}\n\n".encode()
                    for item in documents)


def streamed(data: bytes) -> bytes:
    return stream_head() + chunk(data) + LAST_CHUNK


def ask_claude(gateway, client: str, stream: bool):
    answer = ask_as(gateway, client, "claude-haiku-4-5", stream)
    if client == "chat":
        validate_chat(answer.body, stream and answer.status == 200)
    return answer


@pytest.mark.parametrize("client", ["chat", "responses", "gemini"])
def test_an_error_before_the_first_token_is_an_http_error(gateway, upstream, client):
    upstream.handler = answering(streamed(events(MESSAGE_START, BLOCK_START, overloaded())))
    answer = ask_claude(gateway, client, True)
    assert answer.status == 503 and answer.complete and b"Overloaded" in answer.body
    assert gateway.wait_for_log(answer.request_id)["error_kind"] == "overload"


@pytest.mark.parametrize("client", ["chat", "responses", "gemini"])
@pytest.mark.parametrize("apart", [False, True])
def test_an_error_after_the_first_token_follows_what_came(gateway, upstream, client, apart):
    before, after = events(MESSAGE_START, BLOCK_START, TEXT), events(overloaded())
    pieces = [before, after] if apart else [before + after]
    upstream.handler = answering(stream_head() + b"".join(map(chunk, pieces)) + LAST_CHUNK)
    answer = ask_claude(gateway, client, True)
    assert answer.status == 200 and not answer.complete
    assert answer.body.index(b"Hey") < answer.body.index(b"Overloaded")
    assert b"[DONE]" not in answer.body and b"STOP" not in answer.body
    line = gateway.wait_for_log(answer.request_id)
    assert (line["outcome"], line["error_kind"]) == ("failed", "overload")


def test_an_error_event_of_the_same_dialect_is_passed_on_alone(gateway, upstream):
    data = events(MESSAGE_START, BLOCK_START, TEXT, overloaded())
    upstream.handler = answering(streamed(data))
    answer = ask_claude(gateway, "anthropic", True)
    assert answer.body == data and not answer.complete
    assert gateway.wait_for_log(answer.request_id)["error_kind"] == "overload"


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("spelling", [PROVIDER_KEY, PROVIDER_KEY.replace("-", "\\u002d")])
def test_our_key_in_an_error_never_reaches_a_client(gateway, upstream, client, spelling):
    said = json.dumps(overloaded("Your key KEY")).replace("KEY", spelling).encode()
    event = b"event: error\ndata: " + said + b"\n\n"
    for data in (plain_answer(said, "400 Bad Request"), plain_answer(said, "529 Overloaded"),
                 streamed(event), streamed(events(MESSAGE_START, BLOCK_START, TEXT) + event)):
        upstream.handler = answering(data)
        answer = ask_claude(gateway, client, True)
        assert spelling.encode() not in answer.body and answer.body
        assert not answer.complete or answer.status >= 500
        assert b"message_stop" not in answer.body and b"[DONE]" not in answer.body


@pytest.mark.parametrize("client", ["chat", "responses", "gemini"])
def test_a_stream_for_a_client_that_wants_none_is_given_whole_or_not_at_all(
        gateway, upstream, client):
    upstream.handler = answering(streamed(events(*WHOLE)))
    answer = ask_claude(gateway, client, False)
    assert answer.status == 200 and answer.header("content-length") and "Hey" in str(answer.json())
    upstream.handler = answering(streamed(events(*WHOLE[:3])))
    answer = ask_claude(gateway, client, False)
    assert answer.status == 502 and answer.complete


def test_the_type_of_a_stream_is_known_in_any_case(gateway, upstream):
    upstream.handler = answering(
        streamed(events(*WHOLE)).replace(b"text/event-stream", b"Text/Event-Stream"))
    answer = ask_claude(gateway, "chat", True)
    assert answer.status == 200 and answer.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("client", ["chat", "anthropic"])
def test_money_is_not_tried_again(gateway, upstream, client):
    body = b'{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}'
    upstream.handler = answering(
        plain_answer(body, "429 Too Many Requests", headers=["retry-after: 9"]))
    answer = ask_as(gateway, client, "gpt-4o", False)
    assert answer.status == 429 and answer.header("x-should-retry") == "false"
    assert answer.header("retry-after") is None
    assert gateway.wait_for_log(answer.request_id)["error_kind"] == "money"


def test_the_end_of_a_long_answer_may_be_long_for_a_client_that_does_not_read(gateway, upstream):
    """Google's streams have no end marker: the whole text stands in what Responses ends with, and
    is written when the provider's answer is already over."""
    part = {"candidates": [{"content": {"parts": [{"text": "x" * 20000}]}, "index": 0}]}
    last = {"candidates": [{"finishReason": "STOP", "index": 0}]}
    pieces = [chunk(b"data: " + json.dumps(item).encode() + b"\r\n\r\n")
              for item in [part] * 50 + [last]]
    upstream.handler = answering(stream_head() + b"".join(pieces) + LAST_CHUNK)
    body = json.dumps({"model": "gemini-2.5-flash", "input": "Hi", "stream": True}).encode()
    with Connection(gateway.port, receive_buffer=4096) as connection:
        connection.send(request_bytes(body, path="/v1/responses"))
        head = connection.read_head()
        connection.socket.settimeout(20)
        end = b""
        while not end.endswith(LAST_CHUNK):
            data = connection.socket.recv(1 << 20)
            assert data
            end = (end + data)[-2 * len(LAST_CHUNK):]
    assert gateway.wait_for_log(head.request_id)["outcome"] == "answered"
