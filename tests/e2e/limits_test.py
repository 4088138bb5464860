"""Limits of requests: each is a clear refusal in time, and nothing of it goes upstream."""

import time

import pytest

from harness.conf import CLIENT_KEY, MODEL, OTHER_KEY, REVOKED_KEY, sha256_of
from harness.exposition import parse_exposition
from harness.upstream import answering, plain_answer
from harness.waiting import wait_until
from harness.wire import CHAT, Closed, Connection, ask, chat_body, chunked, request_bytes

CONF = {
    "limits": {"head_size_max_bytes": 8192, "header_count_max": 32, "target_size_max_bytes": 1024,
               "body_size_max_bytes": 100_000, "json_depth_max": 16, "json_keys_per_object_max": 50,
               "chunk_count_max": 1000, "early_answer_drain_max_bytes": 65536},
    "timeouts": {"head_ms": 500, "body_grace_ms": 500, "body_rate_min_bytes_per_s": 1000,
                 "body_total_ms": 1500, "early_answer_drain_ms": 500},
}

HEAD = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {CLIENT_KEY}\r\n".encode()


def refused(gateway, upstream, data: bytes, status: int, code: str, closes: bool = True):
    """Sends raw bytes; the answer, asserted to be this refusal, and that nothing went upstream."""
    with Connection(gateway.port) as connection:
        connection.send_quietly(data)
        answer = connection.read_answer()
        assert (answer.status, answer.code) == (status, code), answer.body
        assert answer.header("connection") == ("close" if closes else None)
        if closes:
            assert connection.read_rest() == b"" and not connection.was_reset
    assert not upstream.requests
    line = gateway.wait_for_log(answer.request_id)
    assert (line["status"], line["outcome"]) == (status, "refused")
    assert line["end"][0] == "C"
    return answer


TOO_LARGE = {
    "head": (HEAD + b"X: " + b"y" * 9000 + b"\r\n\r\n", 431, "request_head_too_large"),
    "head of many lines": (HEAD + b"X-Y: 123456\r\n" * 800 + b"\r\n", 431,
                           "request_head_too_large"),
    "number of headers": (HEAD + b"a: b\r\n" * 40 + b"\r\n", 431, "request_head_too_large"),
    "target": (b"GET /" + b"x" * 2000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414,
               "request_head_too_large"),
    "announced body": (HEAD + b"Content-Length: 100001\r\n\r\n", 413, "request_too_large"),
    "announced huge body": (HEAD + b"Content-Length: 999999999999999999\r\n\r\n", 413,
                            "request_too_large"),
    "chunked body": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b"x" * 110_000, 9000),
                     413, "request_too_large"),
    "announced chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", 413,
                        "request_too_large"),
    "number of chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(b" " * 1200, 1),
                         413, "request_too_large"),
    "chunk extensions": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1;a=%s\r\nx\r\n" %
                         (b"y" * 5000), 400, "invalid_request"),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_is_too_large_is_refused(gateway, upstream, name):
    data, status, code = TOO_LARGE[name]
    refused(gateway, upstream, data, status, code)


def test_a_body_of_exactly_the_limit_is_taken(gateway, upstream):
    body = chat_body(user="")
    body = body.replace(b'"user": ""', b'"user": "' + b"x" * (100_000 - len(body)) + b'"')
    assert len(body) == 100_000
    assert ask(gateway, body).status == 200


SLOW = {
    "head": (b"POST /v1/chat/completions HTTP/1.1\r\nHost: local", "CH"),
    "sized body": (HEAD + b"Content-Length: 50000\r\n\r\n{", "CB"),
    "chunked body": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{", "CB"),
}


@pytest.mark.parametrize("name", SLOW)
def test_what_does_not_go_on_is_refused_in_time(gateway, upstream, name):
    data, end = SLOW[name]
    began = time.monotonic()
    answer = refused(gateway, upstream, data, 408, "request_timeout")
    assert 0.3 < time.monotonic() - began < 5
    assert gateway.wait_for_log(answer.request_id)["end"] == end


def test_a_head_that_trickles_is_given_up_after_its_whole_time(gateway, upstream):
    with Connection(gateway.port) as connection:
        connection.socket.settimeout(0.05)
        began = time.monotonic()
        connection.send(HEAD + b"X: ")
        while not connection.buffer:
            assert time.monotonic() - began < 10
            connection.send_quietly(b"y")
            try:
                connection.receive()
            except TimeoutError:
                pass
        assert connection.buffer.startswith(b"HTTP/1.1 408 ")
    assert not upstream.requests


def test_a_connection_that_says_nothing_is_closed_without_an_answer(gateway):
    with Connection(gateway.port) as connection:
        assert connection.read_rest() == b""


def test_a_reader_that_takes_nothing_pauses_the_provider_and_costs_no_memory(gateway, upstream):
    size = 60_000_000
    progress = []
    stopped = []

    def handle(connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                        b"Content-Length: %d\r\n\r\n" % size)
        part = b"x" * 100_000
        connection.socket.settimeout(0.5)
        try:
            while sum(progress) < size:
                progress.append(connection.socket.send(part))
        except OSError as error:
            stopped.append(error)
        else:
            stopped.append("never")

    upstream.handler = handle
    before = gateway.memory_bytes()
    with Connection(gateway.port, receive_buffer=8192) as connection:
        connection.send(request_bytes(chat_body()))
        connection.read_head()
        wait_until(lambda: stopped, "the provider to be paused")
        assert isinstance(stopped[0], TimeoutError) and sum(progress) < size / 2, stopped
        # Up to 8.4 MB of receive buffers become resident as they are first used.
        assert gateway.memory_bytes() - before < 13_000_000
    assert gateway.wait_for_log_lines(1)


def test_after_an_answer_that_paused_it_a_connection_to_the_provider_is_read_again(
    gateway, upstream
):
    upstream.handler = answering(plain_answer(b"x" * 3_000_000))
    for _ in range(5):
        with Connection(gateway.port, receive_buffer=8192) as connection:
            connection.send(request_bytes(chat_body()))
            answer = connection.read_answer()
            assert answer.complete and len(answer.body) == 3_000_000
        assert ask(gateway, chat_body()).complete
    assert len({id(request.connection) for request in upstream.requests}) < 10


def nested(depth: int) -> bytes:
    return b'{"model":"%s","x":' % MODEL.encode() + b"[" * depth + b"]" * depth + b"}"


WRONG_BODIES = {
    "empty": (b"", "invalid_json", None),
    "not JSON": (b"model=gpt-4o", "invalid_json", None),
    "cut short": (b'{"model":"%s"' % MODEL.encode(), "invalid_json", None),
    "text behind it": (chat_body() + b"x", "invalid_json", None),
    "not UTF-8": (b'{"model":"%s","x":"\xff"}' % MODEL.encode(), "invalid_json", None),
    "a list": (b"[]", "invalid_request", None),
    "no model": (b'{"messages":[]}', "invalid_request", "model"),
    "model empty": (chat_body(model=""), "invalid_request", "model"),
    "model a number": (chat_body(model=4), "invalid_request", "model"),
    "model null": (chat_body(model=None), "invalid_request", "model"),
    "stream a text": (chat_body(stream="true"), "invalid_request", "stream"),
    "hyperion a list": (chat_body(hyperion=[]), "invalid_request", "hyperion"),
    "unknown key in hyperion": (chat_body(hyperion={"fallback": []}), "invalid_request",
                                "hyperion.fallback"),
    "wrong type in hyperion": (chat_body(hyperion={"max_cost": "2"}), "invalid_request",
                               "hyperion.max_cost"),
    "two models": (b'{"model":"a","model":"%s"}' % MODEL.encode(), "invalid_request", "model"),
    "two models, one escaped": (b'{"model":"%s","mod\\u0065l":"a"}' % MODEL.encode(),
                                "invalid_request", "model"),
    "model escaped": (b'{"mod\\u0065l":"%s"}' % MODEL.encode(), "invalid_request", "model"),
    "two streams": (b'{"model":"%s","stream":true,"stream":false}' % MODEL.encode(),
                    "invalid_request", "stream"),
    "one field in two spellings": (chat_body(smart_routing=False, smartRouting=False),
                                   "invalid_request", None),
    "too deep": (nested(20), "invalid_request", None),
    "far too deep": (nested(40_000), "invalid_request", None),
    "too many keys": (chat_body(x={str(n): n for n in range(60)}), "invalid_request", None),
}


@pytest.mark.parametrize("name", WRONG_BODIES)
def test_a_wrong_body_is_refused_and_the_connection_goes_on(gateway, upstream, name):
    body, code, param = WRONG_BODIES[name]
    answer = refused(gateway, upstream, request_bytes(body), 400, code, closes=False)
    error = answer.error()
    assert error["type"] == "invalid_request_error"
    if param is not None:
        assert error["param"] == param


def test_an_unknown_model_is_told_with_the_nearest_names(gateway, upstream):
    body = chat_body(model="gtp-4o-mini")
    answer = refused(gateway, upstream, request_bytes(body), 404, "model_not_found", closes=False)
    assert "gpt-4o-mini" in answer.error()["message"].partition("Did you mean")[2]
    assert answer.error()["param"] == "model"


def test_no_key_and_a_wrong_and_a_revoked_key_get_the_same_answer(gateway, upstream):
    keys = [None, "", "sk_live_tests_wrong", OTHER_KEY, REVOKED_KEY, CLIENT_KEY[:-1],
            CLIENT_KEY + "0", CLIENT_KEY.upper(), " " + CLIENT_KEY[1:], "x" * 3000]
    answers = [ask(gateway, chat_body(), key=key) for key in keys]
    answers.append(ask(gateway, chat_body(), key=None,
                       headers=[f"Authorization: Basic {CLIENT_KEY}"]))
    for answer in answers:
        assert (answer.status, answer.code) == (401, "invalid_api_key")
        assert answer.error()["type"] == "authentication_error"
    seen = {(answer.body, tuple(header for header in answer.headers if header[0] != "x-request-id"))
            for answer in answers}
    assert len(seen) == 1
    assert len({answer.request_id for answer in answers}) == len(answers)
    assert not upstream.requests


def test_two_credentials_are_refused_or_the_first_counts(gateway, upstream):
    good, wrong = f"Authorization: Bearer {CLIENT_KEY}", "Authorization: Bearer wrong"
    assert ask(gateway, chat_body(), key=None, headers=[good, wrong]).status in (200, 400)
    upstream.requests.clear()
    assert ask(gateway, chat_body(), key=None, headers=[wrong, good]).status in (400, 401)
    assert not upstream.requests


def test_a_model_that_a_key_may_not_use_is_refused(start_gateway, upstream):
    keys = [{"id": "narrow", "hash": sha256_of(OTHER_KEY), "models": ["gpt-4o-mini"],
             "body_size_max_bytes": 2000}]
    gateway = start_gateway({"keys": keys})
    answer = ask(gateway, chat_body(), key=OTHER_KEY)
    assert (answer.status, answer.code) == (403, "model_not_allowed")
    assert ask(gateway, chat_body(model="gpt-4o-mini"), key=OTHER_KEY).status == 200
    listed = ask(gateway, method="GET", path="/v1/models", key=OTHER_KEY).json()["data"]
    assert listed and all("gpt-4o-mini" in model["id"] for model in listed)
    upstream.requests.clear()
    large = chat_body(model="gpt-4o-mini", user="x" * 3000)
    assert ask(gateway, large, key=OTHER_KEY).status == 413
    with Connection(gateway.port) as connection:
        head = request_bytes(headers=["Transfer-Encoding: chunked"], sized=False, key=OTHER_KEY)
        connection.send_quietly(head + chunked(large, 100))
        assert connection.read_answer().status == 413
    assert not upstream.requests


def test_overload_of_memory_is_refused_and_health_still_answers(start_gateway, upstream):
    gateway = start_gateway({"memory": {"bodies_per_shard_max_bytes": 4_194_304},
                             "admission": {"shed_low_at_percent": 20, "refuse_at_percent": 20},
                             "limits": {"body_size_max_bytes": 1_000_000}})
    with Connection(gateway.port) as holder:
        holder.send(request_bytes(headers=["Content-Length: 900000"], sized=False) + b"{" * 800_000)
        wait_until(lambda: gateway.metric("hyperion_body_bytes_in_use") > 838_860, "memory in use")
        answer = ask(gateway, chat_body())
        assert (answer.status, answer.code) == (503, "overloaded")
        assert 1 <= int(answer.header("retry-after")) <= 5
        assert ask(gateway, method="GET", path="/v1/models").status == 503
    assert not upstream.requests
    wait_until(lambda: ask(gateway, chat_body()).status == 200, "the memory to be free again")


def test_connections_beyond_the_limit_are_told_so(start_gateway, upstream):
    gateway = start_gateway({"server": {"connections_max": 3}})
    held = [Connection(gateway.port) for _ in range(4)]
    try:
        # None of them idle: those would make room.
        for connection in held:
            connection.send(request_bytes(headers=["Content-Length: 9"], sized=False) + b"{")
        wait_until(lambda: gateway.metric("hyperion_requests_in_flight") == 5, "all to be there")
        with Connection(gateway.port) as one_more:
            try:
                answer = one_more.read_answer()
                assert (answer.status, answer.code) == (503, "overloaded")
            except Closed:
                pass
            assert one_more.read_rest() == b""
    finally:
        for connection in held:
            connection.socket.close()

    def served() -> bool:
        try:
            return ask(gateway, chat_body()).status == 200
        except (Closed, ConnectionError):
            return False

    wait_until(served, "a free connection")


def test_the_refusals_are_counted(gateway):
    samples = parse_exposition(gateway.metrics_text())
    assert samples[("hyperion_requests_total", (("outcome", "refused"),))] > 20
    assert samples[("hyperion_responses_total", (("class", "4xx"),))] > 20
