"""HTTP as clients speak it: methods, CORS, Expect, pipelining, early answers, closing."""

import pytest

from harness.conf import CLIENT_KEY
from harness.upstream import DONE, answering, chunk, completion, event, plain_answer, stream_head
from harness.wire import CHAT, Closed, Connection, ask, chat_body, chunked, request_bytes

CONF = {"timeouts": {"early_answer_drain_ms": 1000}, "limits": {"body_size_max_bytes": 4_000_000}}

ORIGIN = "https://app.example.org"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "PROPFIND"])
def test_a_method_that_a_route_does_not_take_is_told_with_those_it_takes(gateway, method):
    answer = ask(gateway, method=method, path=CHAT)
    assert answer.status == 405
    assert answer.header("allow") == "POST, OPTIONS"
    if method != "HEAD":
        assert answer.code == "method_not_allowed"
    answer = ask(gateway, method="DELETE", path="/v1/models")
    assert (answer.status, answer.header("allow")) == (405, "GET, HEAD, OPTIONS")


def test_head_is_answered_as_get_without_the_body(gateway):
    whole = ask(gateway, method="GET", path="/v1/models")
    with Connection(gateway.port) as connection:
        connection.send(request_bytes(method="HEAD", path="/v1/models"))
        answer = connection.read_answer("HEAD")
        assert answer.status == 200
        assert answer.header("content-length") == str(len(whole.body))
        # Nothing stands between it and the next answer.
        connection.send(request_bytes(method="GET", path="/v1/models"))
        assert connection.read_answer("GET").body == whole.body


def test_unknown_routes_are_a_clear_404(gateway):
    for path in ("/", "/v1", "/v1/chat/completions/", "/V1/chat/completions",
                 "/v1/chat/%63ompletions", "/v1/models/no-such-model", "/admin/keys",
                 "//v1/models"):
        answer = ask(gateway, method="GET", path=path)
        assert (answer.status, answer.error()["type"]) == (404, "not_found_error"), path
    for path in ("/v1/../v1/models", "/v1/models\\x", "/v1/models/%00"):
        assert ask(gateway, method="GET", path=path).status == 400, path


def test_the_query_does_not_change_the_route_and_does_not_go_upstream(gateway, upstream):
    assert ask(gateway, chat_body(), path=f"{CHAT}?api-version=1&x=%20").status == 200
    assert upstream.requests[0].line == f"POST {CHAT} HTTP/1.1"


def test_options_names_the_methods_and_cors_is_off_by_default(gateway):
    answer = ask(gateway, method="OPTIONS", path=CHAT, headers=[f"Origin: {ORIGIN}"])
    assert (answer.status, answer.header("allow")) == (204, "POST, OPTIONS")
    assert ask(gateway, method="OPTIONS", path="*").status == 204
    answers = [answer, ask(gateway, chat_body(), headers=[f"Origin: {ORIGIN}"])]
    for answer in answers:
        assert not [name for name, _ in answer.headers if name.startswith("access-control")]


def test_cors_is_for_the_origins_of_the_conf(start_gateway, upstream):
    gateway = start_gateway({"cors": {"allowed_origins": [ORIGIN], "max_age_s": 77}})
    preflight = [f"Origin: {ORIGIN}", "Access-Control-Request-Method: POST",
                 "Access-Control-Request-Headers: authorization, content-type"]
    answer = ask(gateway, method="OPTIONS", path=CHAT, key=None, headers=preflight)
    assert answer.status == 204
    assert answer.header("access-control-allow-origin") == ORIGIN
    assert "POST" in answer.header("access-control-allow-methods")
    allowed = answer.header("access-control-allow-headers").split(", ")
    assert {"authorization", "content-type"} <= set(allowed)
    assert answer.header("access-control-max-age") == "77"
    upstream.handlers["stream"] = answering(stream_head() + chunk(event("A") + DONE) + b"0\r\n\r\n")
    for body in (chat_body(), chat_body(stream=True, user="stream"), b"{}"):
        answer = ask(gateway, body, headers=[f"Origin: {ORIGIN}"])
        assert answer.header("access-control-allow-origin") == ORIGIN
        assert answer.header("vary").lower() == "origin"
    for origin in ("https://evil.example", ORIGIN + ".evil.example", ORIGIN.upper(), "null"):
        answer = ask(gateway, chat_body(), headers=[f"Origin: {origin}"])
        assert answer.header("access-control-allow-origin") is None, origin


def test_a_body_that_waits_is_asked_for_once_the_head_is_found_good(gateway, upstream):
    body = chat_body()
    head = request_bytes(headers=["Expect: 100-continue", f"Content-Length: {len(body)}"],
                         sized=False)
    with Connection(gateway.port) as connection:
        connection.send(head)
        assert connection.read_head().status == 100
        assert not upstream.requests
        connection.send(body)
        assert connection.read_answer().status == 200
        assert upstream.requests[0].header("expect") is None


def test_a_body_that_waits_is_not_asked_for_when_the_head_is_refused(gateway, upstream):
    for status, key, length in ((401, "wrong", 100), (413, CLIENT_KEY, 999_999_999)):
        headers = ["Expect: 100-continue", f"Content-Length: {length}"]
        with Connection(gateway.port) as connection:
            connection.send(request_bytes(headers=headers, sized=False, key=key))
            answer = connection.read_answer()
            assert (answer.status, answer.interim) == (status, [])
            assert connection.read_rest() == b""
    assert not upstream.requests


def test_another_expectation_cannot_be_met(gateway, upstream):
    answer = ask(gateway, chat_body(), headers=["Expect: 200-ok"])
    assert answer.status == 417 and answer.error()
    assert not upstream.requests


def test_requests_sent_ahead_are_answered_in_order(gateway, upstream):
    bodies = [chat_body(user=f"number {number}", stream=number % 3 == 0) for number in range(12)]
    upstream.handler = lambda connection: connection.send(
        plain_answer(connection.request.json()["user"].encode()))
    with Connection(gateway.port) as connection:
        connection.send(b"".join(request_bytes(body) for body in bodies))
        answers = [connection.read_answer() for _ in bodies]
        assert not connection.buffer
    assert [answer.body.decode() for answer in answers] == [f"number {n}" for n in range(12)]
    assert [request.body for request in upstream.requests] == bodies


def test_requests_sent_ahead_of_a_refusal_are_answered_and_those_behind_it_are_not(
    gateway, upstream
):
    good = request_bytes(chat_body())
    bad = good.replace(b"Host: localhost", b"Host: a, b")
    with Connection(gateway.port) as connection:
        connection.send(good + good + bad + good)
        statuses = [connection.read_answer().status for _ in range(3)]
        assert statuses == [200, 200, 400]
        assert connection.read_rest() == b""
    assert len(upstream.requests) == 2


def test_bodies_and_heads_may_arrive_byte_by_byte(gateway, upstream):
    body = chat_body()
    data = request_bytes(headers=["Transfer-Encoding: chunked"], sized=False) + chunked(body, 7)
    with Connection(gateway.port) as connection:
        for at in range(len(data)):
            connection.send(data[at : at + 1])
        assert connection.read_answer().status == 200
    assert upstream.requests[0].body == body


EARLY = {
    "no key": (request_bytes(b"x" * 3_000_000, key=None), 401),
    "no such route": (request_bytes(b"x" * 3_000_000, path="/v2/nothing"), 404),
    "too large": (request_bytes(b"x" * 5_000_000), 413),
    "too large in chunks": (request_bytes(headers=["Transfer-Encoding: chunked"], sized=False)
                            + chunked(b"x" * 4_300_000, 60_000), 413),
}


@pytest.mark.parametrize("name", EARLY)
def test_an_early_answer_is_seen_by_a_client_that_is_still_sending(gateway, upstream, name):
    data, status = EARLY[name]
    for part in (50_000 if status != 413 else len(data), len(data)):
        with Connection(gateway.port) as connection:
            connection.send_quietly(data[:part])
            answer = connection.read_answer()
            assert (answer.status, answer.complete) == (status, True)
            assert answer.header("connection") == "close"
            answer.error()
    assert not upstream.requests


def test_the_client_decides_whether_the_connection_goes_on(gateway, upstream):
    body = chat_body()
    for line, version, closes in (("Connection: close", "1.1", True),
                                  ("Connection: keep-alive", "1.0", False), ("X: y", "1.0", True)):
        data = request_bytes(body, headers=[line]).replace(b"HTTP/1.1", b"HTTP/" + version.encode())
        with Connection(gateway.port) as connection:
            connection.send(data)
            answer = connection.read_answer()
            assert answer.status == 200
            expected = "close" if closes else ("keep-alive" if version == "1.0" else None)
            assert answer.header("connection") == expected
            if closes:
                assert connection.read_rest() == b""
            else:
                connection.send(request_bytes(body))
                assert connection.read_answer().status == 200


def test_an_old_client_gets_a_stream_that_ends_with_the_connection(gateway, upstream):
    upstream.handler = answering(stream_head() + chunk(event("A") + DONE) + b"0\r\n\r\n")
    with Connection(gateway.port) as connection:
        connection.send(request_bytes(chat_body(stream=True)).replace(b"HTTP/1.1", b"HTTP/1.0"))
        answer = connection.read_answer()
    assert answer.header("transfer-encoding") is None
    assert answer.header("connection") == "close"
    assert answer.complete and answer.body == event("A") + DONE


def test_a_client_that_half_closes_is_taken_to_be_gone(gateway, upstream):
    upstream.handler = lambda connection: connection.wait_until_peer_closes()
    with Connection(gateway.port) as connection:
        connection.send(request_bytes(chat_body()))
        request = upstream.wait_for_request()
        connection.end_sending()
        assert connection.read_rest() == b""
        assert request.connection.closed.wait(20)


def test_a_client_that_goes_before_its_answer_closes_the_provider(gateway, upstream):
    upstream.handler = lambda connection: connection.wait_until_peer_closes()
    connection = Connection(gateway.port)
    connection.send(request_bytes(chat_body(stream=True)))
    request = upstream.wait_for_request()
    connection.socket.close()
    assert request.connection.closed.wait(20)
    assert gateway.wait_for_outcome("abandoned")["end"] == "CA"


def test_a_connection_is_closed_after_its_number_of_requests(start_gateway, upstream):
    gateway = start_gateway({"limits": {"requests_per_connection_max": 3}})
    with Connection(gateway.port) as connection:
        for turn in range(3):
            connection.send(request_bytes(chat_body()))
            answer = connection.read_answer()
            assert answer.header("connection") == ("close" if turn == 2 else None)
        assert connection.read_rest() == b""


def test_an_idle_connection_is_closed_without_a_word(start_gateway, upstream):
    gateway = start_gateway({"timeouts": {"keep_alive_ms": 1000}})
    with Connection(gateway.port) as connection:
        connection.send(request_bytes(chat_body()))
        assert connection.read_answer().body == completion()
        with pytest.raises(Closed):
            connection.read_answer()
        assert connection.buffer == b"" and not connection.was_reset
