"""A provider that fails: the client gets a clear error or, where the answer had begun, an error
event and a broken framing; never a clean end. The log says whose fault it was and when."""

import json
import socket
import threading

import pytest

from harness.conf import PROVIDER_KEY
from harness.upstream import (
    DONE, FINISH, LAST_CHUNK, Upstream, answering, chunk, completion, event, head_of,
    plain_answer, stream_head, streaming,
)
from harness.waiting import wait_until
from harness.wire import Connection, ask, chat_body, check_error, request_bytes

# Short, for the providers that stall.
CONF = {
    "timeouts": {"upstream_first_byte_ms": 500, "upstream_idle_ms": 500, "upstream_total_ms": 900,
                 "upstream_connect_ms": 400, "upstream_tls_handshake_ms": 400},
    "limits": {"response_head_size_max_bytes": 16384, "response_header_count_max": 64},
}

ONE = event("One")


def until_given_up(data: bytes):
    """A handler that sends this and then nothing, until the gateway gives the connection up."""

    def handle(connection):
        connection.send(data)
        assert connection.wait_until_peer_closes()

    return handle


def then_reset(data: bytes, gate: threading.Event = None):
    """A handler that sends this and resets the connection, once `gate` is set."""

    def handle(connection):
        connection.send(data)
        if gate is not None:
            gate.wait(20)
        connection.reset()

    return handle


def fail_before_the_answer(gateway, upstream, handler, stream=False) -> tuple:
    """The error answer to a request and its log line, asserted to be whole and to agree."""
    upstream.handler = handler
    answer = ask(gateway, chat_body(stream=stream))
    error = answer.error()
    line = gateway.wait_for_log(answer.request_id)
    assert (line["status"], line["outcome"]) == (answer.status, "failed")
    assert PROVIDER_KEY not in json.dumps(error) + json.dumps(line)
    assert error["type"] == "server_error" and "openai" in error["message"]
    return answer, line


# name: (what the provider does, status, code, end codes that the log may have)
BEFORE = {
    "closes without a word": (answering(b"", close=True), 502, "all_upstreams_failed", "UA"),
    "resets": (then_reset(b""), 502, "all_upstreams_failed", "UA"),
    "garbage": (answering(b"\x00\x01garbage\r\n\r\n", close=True), 502, "all_upstreams_failed",
                "UA"),
    "another protocol": (answering(b"SSH-2.0-OpenSSH_9.2\r\n", close=True), 502,
                         "all_upstreams_failed", "UA"),
    "half a head": (answering(b"HTTP/1.1 200 OK\r\nContent-Le", close=True), 502,
                    "all_upstreams_failed", "UA"),
    "two lengths": (answering(plain_answer(b"{}", headers=["Content-Length: 3"])), 502,
                    "all_upstreams_failed", "UA"),
    "length and chunks": (answering(plain_answer(b"{}", headers=["Transfer-Encoding: chunked"])),
                          502, "all_upstreams_failed", "UA"),
    "negative length": (answering(head_of(length=-1)), 502, "all_upstreams_failed", "UA"),
    "huge head": (answering(head_of(headers=[f"X-{n}: {'y' * 900}" for n in range(40)])), 502,
                  "all_upstreams_failed", "UA"),
    "one endless header line": (answering(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000), 502,
                                "all_upstreams_failed", "UA"),
    "100,000 headers": (answering(head_of(headers=["a: b"] * 100_000)), 502,
                        "all_upstreams_failed", "UA"),
    "switching protocols": (answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n"
                                      b"Connection: Upgrade\r\n\r\n", close=True), 502,
                            "all_upstreams_failed", "UA"),
    "bad status": (answering(b"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n"), 502,
                   "all_upstreams_failed", "UA"),
    "no head in time": (until_given_up(b""), 504, "upstream_timeout", "UA"),
    "half a head in time": (until_given_up(b"HTTP/1.1 200 OK\r\n"), 504, "upstream_timeout", "UA"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("name", BEFORE)
def test_a_provider_without_a_usable_head_is_a_clear_error(gateway, upstream, name, stream):
    handler, status, code, end = BEFORE[name]
    answer, line = fail_before_the_answer(gateway, upstream, handler, stream)
    assert (answer.status, answer.code) == (status, code)
    assert line["end"] == end
    # It goes on as if nothing had been.
    upstream.handler = None
    assert ask(gateway, chat_body()).status == 200


# Plain answers that are short enough are held back until they are whole.
BROKEN_PLAIN = {
    "length too long": (answering(head_of(length=100) + b'{"half":', close=True), 502, "UR"),
    # A reset may overtake what was sent before it.
    "reset in the body": (then_reset(head_of(length=100) + b'{"half":'), 502, "UR UA"),
    "chunks without their end": (answering(head_of() + chunk(b"{}"), close=True), 502, "UR"),
    "bad chunk size": (answering(head_of() + b"xyz\r\n{}\r\n"), 502, "UR"),
    "chunk longer than it says": (answering(head_of() + b"1\r\n{}\r\n0\r\n\r\n"), 502, "UR"),
    "silence in the body": (until_given_up(head_of(length=100) + b'{"half":'), 504, "UR"),
}


@pytest.mark.parametrize("name", BROKEN_PLAIN)
def test_a_plain_answer_that_breaks_off_is_a_clear_error(gateway, upstream, name):
    handler, status, end = BROKEN_PLAIN[name]
    answer, line = fail_before_the_answer(gateway, upstream, handler)
    assert answer.status == status
    assert line["end"] in end.split()


def test_a_large_plain_answer_that_breaks_off_is_a_broken_framing(gateway, upstream):
    begin = completion("x" * 600_000)
    for head, close in ((head_of(length=900_000), True), (head_of() + b"fffff\r\n", False)):
        handler = answering(head + begin, close=True) if close else then_reset(head + begin)
        upstream.handler = handler
        answer = ask(gateway, chat_body())
        assert answer.status in (200, 502)
        if answer.status == 200:
            assert not answer.complete and begin.startswith(answer.body)
            assert gateway.wait_for_log(answer.request_id)["outcome"] == "failed"


# Streams that break before any of their text came: nothing was sent, so it is a plain error.
BROKEN_EARLY = {
    "nothing at all": (streaming(), 502, "UT"),
    "comments only": (streaming(b": hello\n\n", b": hello\n\n"), 502, "UT"),
    "half an event": (streaming(ONE[:20]), 502, "UT"),
    "role only, then the end": (
        streaming(event(choices=[{"index": 0, "delta": {"role": "assistant"}}])), 502, "UT"),
    "reset": (then_reset(stream_head()), 502, "UT UA"),
    "silence": (until_given_up(stream_head()), 504, "UT"),
}


@pytest.mark.parametrize("name", BROKEN_EARLY)
def test_a_stream_that_breaks_before_its_text_is_a_plain_error(gateway, upstream, name):
    handler, status, end = BROKEN_EARLY[name]
    answer, line = fail_before_the_answer(gateway, upstream, handler, stream=True)
    assert answer.status == status
    assert line["end"] in end.split()


BROKEN_LATE = {
    "clean end without [DONE]": (streaming(ONE, FINISH), ONE + FINISH),
    "cut inside an event": (
        answering(stream_head() + chunk(ONE + event("x")[:30]), close=True), ONE),
    "clean end inside an event": (streaming(ONE + event("x")[:30]), ONE),
    "half of [DONE]": (streaming(ONE, b"data: [DON"), ONE),
    "the line of an event before [DONE]": (streaming(ONE, event("x").rstrip() + b"\n"), ONE),
    "cut between chunks": (answering(stream_head() + chunk(ONE), close=True), ONE),
    "bad chunk size": (answering(stream_head() + chunk(ONE) + b"-5\r\n"), ONE),
    "length too long": (answering(stream_head(length=5000) + ONE, close=True), ONE),
    "silence": (until_given_up(stream_head() + chunk(ONE)), ONE),
    "silence inside an event": (until_given_up(stream_head() + chunk(ONE + b"data: {")), ONE),
    "no framing, closed before [DONE]": (
        answering(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + ONE, close=True),
        ONE),
}


@pytest.mark.parametrize("name", BROKEN_LATE)
def test_a_stream_that_breaks_later_ends_in_an_error_event_and_broken_framing(
    gateway, upstream, name
):
    handler, carried = BROKEN_LATE[name]
    upstream.handler = handler
    answer = ask(gateway, chat_body(stream=True))
    assert answer.status == 200 and not answer.complete
    assert answer.body.startswith(carried)
    last = answer.body[len(carried) :]
    assert last.startswith(b"data: ") and last.endswith(b"\n\n") and last.count(b"\n") == 2
    error = check_error(json.loads(last[6:]))
    assert error["code"] == "upstream_stream_cut"
    line = gateway.wait_for_log(answer.request_id)
    assert (line["outcome"], line["end"], line["status"]) == ("failed", "UR", 200)


@pytest.mark.parametrize("end", [b"data: [DONE]\n", b"data: [DONE]"])
def test_an_end_marker_without_its_empty_line_is_an_end(gateway, upstream, end):
    upstream.handler = streaming(ONE, end)
    answer = ask(gateway, chat_body(stream=True))
    assert answer.status == 200 and answer.complete
    assert answer.body == ONE + end
    assert gateway.wait_for_log(answer.request_id)["outcome"] == "answered"


def test_a_reset_in_mid_stream_ends_in_an_error_event_and_broken_framing(gateway, upstream):
    gate = threading.Event()
    upstream.handler = then_reset(stream_head() + chunk(ONE), gate)
    with Connection(gateway.port) as connection:
        connection.send(request_bytes(chat_body(stream=True)))
        head = connection.read_head()
        begin = connection.read_until(b"\n\n")
        gate.set()
        rest = connection.read_rest()
    assert head.status == 200 and ONE in begin
    assert b"upstream_stream_cut" in rest and not rest.endswith(LAST_CHUNK)


def test_an_error_event_of_the_provider_is_relayed_and_logged(gateway, upstream):
    wrong = b'data: {"error": {"message": "Overloaded.", "type": "server_error"}}\n\n'
    upstream.handler = streaming(ONE, wrong, DONE)
    answer = ask(gateway, chat_body(stream=True))
    assert answer.complete and answer.body == ONE + wrong + DONE
    assert "error" in gateway.wait_for_log(answer.request_id)


def test_interim_answers_of_the_provider_are_skipped(gateway, upstream):
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    upstream.handler = answering(interim + plain_answer(completion()))
    answer = ask(gateway, chat_body())
    assert (answer.status, answer.body, answer.interim) == (200, completion(), [])


def test_endless_interim_answers_do_not_hold_a_request_for_ever(gateway, upstream):
    def handle(connection):
        while not connection.closed.is_set():
            try:
                connection.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
            except OSError:
                return

    answer, _ = fail_before_the_answer(gateway, upstream, handle)
    assert answer.status in (502, 504)


def test_endless_comments_do_not_hold_a_stream_for_ever(gateway, upstream):
    def handle(connection):
        connection.send(stream_head())
        while True:
            try:
                connection.socket.sendall(chunk(b": still here\n\n"))
            except OSError:
                return

    upstream.handler = handle
    answer = ask(gateway, chat_body(stream=True))
    assert not answer.complete or answer.status in (502, 504)
    assert gateway.wait_for_log(answer.request_id)["outcome"] == "failed"


def test_bytes_behind_an_answer_are_dropped_and_the_connection_with_them(gateway, upstream):
    upstream.handler = answering(plain_answer(completion()) + plain_answer(b'{"wrong": 1}'))
    for _ in range(3):
        answer = ask(gateway, chat_body())
        assert (answer.status, answer.body) == (200, completion())
    used = {id(request.connection) for request in upstream.requests}
    assert len(used) == 3


def test_bytes_that_come_unasked_close_the_idle_connection(gateway, upstream):
    later = threading.Event()

    def handle(connection):
        connection.send(plain_answer(completion()))
        later.wait(20)
        connection.send(plain_answer(b'{"wrong": 1}'))
        assert connection.wait_until_peer_closes()

    upstream.handler = handle
    assert ask(gateway, chat_body()).body == completion()
    later.set()
    assert upstream.requests[0].connection.closed.wait(20)
    upstream.handler = None
    assert ask(gateway, chat_body()).status == 200


def test_a_compressed_answer_that_was_not_asked_for_stays_what_it_is(gateway, upstream):
    lie = plain_answer(b'{"not": "gzip"}', headers=["Content-Encoding: gzip"])
    upstream.handler = answering(lie)
    answer = ask(gateway, chat_body())
    assert answer.status == 200 and answer.header("content-encoding") == "gzip"
    assert answer.body == b'{"not": "gzip"}'


def test_an_idle_connection_that_the_provider_closed_is_not_seen_by_clients(gateway, upstream):
    def handle(connection):
        connection.send(plain_answer(completion()))
        connection.close()

    upstream.handler = handle
    for _ in range(20):
        answer = ask(gateway, chat_body())
        assert (answer.status, answer.body) == (200, completion())
    assert len(upstream.requests) == 20


def test_a_reused_connection_that_dies_unused_is_tried_once_more_on_a_new_one(gateway, upstream):
    assert ask(gateway, chat_body()).status == 200
    first = upstream.requests[0].connection

    def handle(connection):
        if connection is first:
            connection.reset()
        else:
            connection.send(plain_answer(completion()))

    upstream.handler = handle
    answer = ask(gateway, chat_body())
    assert answer.status == 200 and answer.header("x-hyperion-attempts") == "2"
    assert len(upstream.requests) == 3


def test_a_new_connection_that_dies_is_not_tried_again(gateway, upstream):
    def handle(connection):
        connection.reset()

    upstream.handler = handle
    while len({id(request.connection) for request in upstream.requests}) < 2:
        answer = ask(gateway, chat_body())
        assert answer.status == 502
    upstream.requests.clear()
    assert ask(gateway, chat_body()).status == 502
    assert len(upstream.requests) == 1


def test_the_providers_key_never_comes_back_in_an_error(gateway, upstream):
    text = b'{"error": {"message": "Incorrect API key: %s"}}' % PROVIDER_KEY.encode()
    for handler in (answering(plain_answer(text, "401 Unauthorized")),
                    answering(head_of("401 Unauthorized") + chunk(text[:50]) + chunk(text[50:])
                              + LAST_CHUNK)):
        upstream.handler = handler
        answer = ask(gateway, chat_body())
        assert answer.status >= 400
        assert PROVIDER_KEY.encode() not in answer.body
        answer.error()


def refused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def plain_http_port() -> int:
    """A server that answers whatever it gets as plain HTTP."""
    return Upstream(greeting=b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").port


def silent_port() -> int:
    return Upstream().port


FAILED, LATE = (502, "all_upstreams_failed"), (504, "upstream_timeout")

UNREACHABLE = {
    "refuses": (lambda: f"http://127.0.0.1:{refused_port()}/v1", FAILED, "cannot be reached"),
    "has no such name": (lambda: "http://no-such-host.invalid/v1", FAILED, "cannot be resolved"),
    "speaks no TLS": (lambda: f"https://localhost:{plain_http_port()}/v1", FAILED, "TLS"),
    "says nothing to TLS": (lambda: f"https://localhost:{silent_port()}/v1", LATE, "in time"),
}


@pytest.mark.parametrize("name", UNREACHABLE)
def test_a_provider_that_cannot_be_reached_is_a_clear_error(start_gateway, name):
    url, expected, said = UNREACHABLE[name]
    gateway = start_gateway({**CONF, "provider": {"base_url": url()}})
    for _ in range(3):
        answer = ask(gateway, chat_body())
        assert (answer.status, answer.code) == expected, answer.body
        assert said in answer.error()["message"]
        line = gateway.wait_for_log(answer.request_id)
        assert (line["outcome"], line["end"]) == ("failed", "UC")


def test_a_request_waits_for_a_connection_while_all_are_busy(start_gateway, upstream):
    gateway = start_gateway({"upstream": {"connections_per_shard_max": 1}})
    gate = threading.Event()

    def handle(connection):
        assert gate.wait(20)
        connection.send(plain_answer(completion()))

    upstream.handlers["first"] = handle
    with Connection(gateway.port) as first, Connection(gateway.port) as second:
        first.send(request_bytes(chat_body(user="first")))
        upstream.wait_for_request()
        second.send(request_bytes(chat_body(user="second")))
        wait_until(lambda: gateway.metric("hyperion_requests_in_flight") >= 3, "both requests")
        gate.set()
        assert first.read_answer().status == second.read_answer().status == 200
    assert len({id(request.connection) for request in upstream.requests}) == 1


def test_a_request_that_finds_no_connection_in_time_is_told_so(start_gateway, upstream):
    gateway = start_gateway({**CONF, "upstream": {"connections_per_shard_max": 1},
                             "provider": {"first_byte_ms": 20000, "total_ms": 30000}})
    upstream.handlers["first"] = lambda connection: connection.wait_until_peer_closes()
    with Connection(gateway.port) as first:
        first.send(request_bytes(chat_body(user="first")))
        upstream.wait_for_request()
        answer = ask(gateway, chat_body())
    assert (answer.status, answer.code) == (503, "overloaded")
    assert len(upstream.requests) == 1
    wait_until(lambda: ask(gateway, chat_body()).status == 200, "the connection to be free")


def test_a_connection_is_replaced_after_its_number_of_requests(start_gateway, upstream):
    gateway = start_gateway({"upstream": {"connection_requests_max": 3}})
    for _ in range(7):
        assert ask(gateway, chat_body()).status == 200
    assert len({id(request.connection) for request in upstream.requests}) == 3


def test_connections_kept_warm_come_back_when_a_provider_does(start_gateway):
    upstream = Upstream()
    gateway = start_gateway({"upstream": {"connections_warm": 2}}, upstream_port=upstream.port)
    wait_until(lambda: len(upstream.connections) == 2, "two connections without a request")
    for connection in list(upstream.connections):
        connection.close()
    wait_until(lambda: len(upstream.connections) == 4, "two new ones")
    assert ask(gateway, chat_body()).status == 200
    upstream.stop()
