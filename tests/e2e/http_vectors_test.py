"""Suites of malformed and smuggled HTTP over loopback: each verdict held by the running gateway,
one answer at most to what is refused, and nothing of it at the provider."""

import re

from harness.conf import CLIENT_KEY, MODEL
from harness.shared_data import read_cases
from harness.wire import Closed, Connection, ask, chat_body, chunked

# What waits for more must end soon.
CONF = {"timeouts": {"head_ms": 400, "body_grace_ms": 400, "body_total_ms": 800,
                     "early_answer_drain_ms": 100},
        "upstream": {"connections_warm": 0}}

STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d\d\d) [^\r\n]+\r\n")
HOST_LINE = re.compile(rb"^(?:GET|POST|PUT) / HTTP/1\.1\r\n")


def with_key(data: bytes) -> bytes:
    """The same request to the route that costs money, with a good key, where that can be said."""
    lines = b"POST /v1/chat/completions HTTP/1.1\r\nAuthorization: Bearer %s\r\n"
    return HOST_LINE.sub(lines % CLIENT_KEY.encode(), data)


def statuses_until_close(gateway, steps, end_sending: bool = False) -> list:
    """The status of each answer on one connection, until the gateway closes it."""
    with Connection(gateway.port) as connection:
        connection.send_quietly(steps[0])
        for step in steps[1:]:
            connection.receive()
            connection.send_quietly(step)
        if end_sending:
            connection.end_sending()
        return [int(status) for status in STATUS_LINE.findall(connection.read_rest())]


def assert_refused(statuses: list, name) -> None:
    assert len(statuses) <= 1, (name, statuses)
    assert all(400 <= status <= 599 for status in statuses), (name, statuses)


def assert_nothing_upstream(upstream, name) -> None:
    assert not upstream.requests, (name, upstream.requests)
    assert not any(connection.received for connection in upstream.connections), name


def test_probe_requests_to_be_refused_get_one_refusal_and_the_end(gateway, upstream):
    cases = [case for case in read_cases("suites", "http1-probe", "cases.jsonl")
             if case["hyperion"] == "reject"]
    assert len(cases) > 90
    for case in cases:
        assert_refused(statuses_until_close(gateway, case["steps"]), case["id"])
        keyed = [with_key(step) for step in case["steps"]]
        if keyed != case["steps"]:
            assert_refused(statuses_until_close(gateway, keyed), case["id"])
        assert_nothing_upstream(upstream, case["id"])


def test_probe_requests_to_be_accepted_reach_a_route(gateway, upstream):
    cases = [case for case in read_cases("suites", "http1-probe", "cases.jsonl")
             if case["hyperion"] == "accept"]
    assert cases
    for case in cases:
        with Connection(gateway.port) as connection:
            for step in case["steps"]:
                connection.send(step)
                method = step.split(b" ", 1)[0].decode().strip()
                answer = connection.read_answer(method)
                assert answer.status in (200, 204, 404, 405), (case["id"], answer)
            assert not connection.buffer, case["id"]


def test_other_probe_requests_get_no_more_answers_than_there_are_requests(gateway, upstream):
    for case in read_cases("suites", "http1-probe", "cases.jsonl"):
        if case["hyperion"] in ("either", "n/a"):
            for steps in (case["steps"], [with_key(step) for step in case["steps"]]):
                statuses = statuses_until_close(gateway, steps, end_sending=True)
                assert len([status for status in statuses if status >= 200]) <= len(steps), case
            assert_nothing_upstream(upstream, case["id"])


# Heads the suite calls compliant and Hyperion's stricter rules refuse: any coding but exactly one
# `chunked`, and targets that are absent or not visible ASCII without '#'.
COMPLIANT_BUT_REFUSED = {
    "more-compliant-tests#7": 501,  # deflate, identity, chunked: codings that are not served
    "rfc-compliant#8": 400,  # five Transfer-Encoding lines
    "rfc-compliant#9": 501,  # gzip, deflate, ... chunked
    "rfc-compliant#10": 400,  # Transfer-Encoding with parameters
    "rfc-compliant#11": 400,  # '#' in the target
    "rfc-compliant#12": 400,  # raw UTF-8 in the target
    "rfc-compliant#13": 400,  # no target
}


def test_desync_heads_pass_or_are_refused_by_their_tier(gateway, upstream):
    exceptions = 0
    for case in read_cases("suites", "http1-desync", "cases.jsonl"):
        line, rest = case["head"].split(b"\r\n", 1)
        # Without a Host every head would be refused for that.
        data = line + b"\r\nHost: localhost\r\n" + rest
        statuses = statuses_until_close(gateway, [data], end_sending=True)
        if case["id"] in COMPLIANT_BUT_REFUSED:
            assert statuses == [COMPLIANT_BUT_REFUSED[case["id"]]], case
            exceptions += 1
        elif case["tier"] == "Compliant":
            assert len(statuses) <= 1 and not {400, 501, 505} & set(statuses), (case, statuses)
        elif case["tier"] != "Acceptable":
            assert statuses and statuses[0] in (400, 501, 505), (case, statuses)
            assert_refused(statuses, case["id"])
        assert_nothing_upstream(upstream, case["id"])
    assert exceptions in (0, len(COMPLIANT_BUT_REFUSED))


def test_desync_header_names_never_reach_the_provider(gateway, upstream):
    usual = {"host", "user-agent", "accept", "accept-encoding", "content-type", "content-length",
             "authorization"}
    passed = 0
    for case in read_cases("suites", "http1-desync", "cases.jsonl"):
        _, rest = case["head"].split(b"\r\n", 1)
        if re.search(rb"(?i)content-length|transfer-encoding|authorization|host", rest):
            continue
        body = chat_body()
        data = (b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                + CLIENT_KEY.encode() + b"\r\nContent-Length: %d\r\n" % len(body) + rest + body)
        upstream.reset()
        with Connection(gateway.port) as connection:
            connection.send(data)
            answer = connection.read_answer()
        if answer.status == 200:
            assert upstream.requests[-1].names() == usual, case
            passed += 1
    assert passed


# Lines that are valid HTTP with the meaning they seem to have.
VALID_LINES = {"cl-perm/spacepad", "cl-perm/tab", "te-perm/x-te", "hdr-combo/expect"}


def test_a_framing_header_in_disguise_is_refused_or_without_effect(gateway, upstream):
    for case in read_cases("suites", "http1-mutations", "headers.jsonl"):
        about_coding = case["cls"].startswith("te-")
        framed = chunked(chat_body(), 1000)
        length = str(len(framed)).encode()
        lines = [b"POST /v1/chat/completions HTTP/1.1", b"Host: localhost",
                 b"Authorization: Bearer " + CLIENT_KEY.encode(), b"Connection: close",
                 case["header"].replace(b"{N}", length)]
        if about_coding:
            lines.append(b"Content-Length: " + length)
        data = b"\r\n".join(lines) + b"\r\n\r\n" + framed
        with Connection(gateway.port) as connection:
            connection.send_quietly(data)
            answer = connection.read_answer()
            # Taken by its length, the chunk-framed body is not JSON.
            taken = answer.code == "invalid_json"
            assert answer.status in (400, 413, 417, 501), (case, answer)
            assert taken or case["id"] not in VALID_LINES, case
            assert not taken or about_coding or case["id"] in VALID_LINES, case
            assert answer.header("connection") == "close", case
            assert connection.read_rest() == b"", case
        assert_nothing_upstream(upstream, case["id"])


def test_chunk_framing_that_servers_read_differently_is_refused(gateway, upstream):
    head = (f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
            f"{CLIENT_KEY}\r\nTransfer-Encoding: chunked\r\n\r\n").encode()
    for case in read_cases("suites", "http1-mutations", "chunked-bodies.jsonl"):
        upstream.reset()
        with Connection(gateway.port) as connection:
            connection.send_quietly(head + case["body"])
            try:
                answer = connection.read_answer()
            except Closed:
                answer = None
            if case["hyperion"] == "accept":
                # "hello" is not JSON: the body was read to its end, and the connection goes on.
                assert (answer.status, answer.code) == (400, "invalid_json"), case
                assert answer.header("connection") is None, case
            elif case["hyperion"] == "reject":
                assert answer is None or answer.status >= 400, case
                assert answer is None or answer.code != "invalid_json", case
                assert connection.read_rest() == b"", case
        assert_nothing_upstream(upstream, case["id"])


def test_requests_that_the_parsers_own_vectors_call_wrong_are_refused(gateway, upstream):
    cases = [case for case in read_cases("suites", "http1-llhttp", "cases.jsonl")
             if case["type"] == "request"]
    assert len(cases) > 80
    for case in cases:
        # None has the one Host that is asked for, so not one of them may be answered otherwise.
        data = case["input"]
        assert_refused(statuses_until_close(gateway, [data], end_sending=True), case["id"])
        first, _, rest = data.partition(b"\r\n")
        if rest and case["outcome"] == "error" and b"ost:" not in data:
            hosted = first + b"\r\nHost: localhost\r\n" + rest
            statuses = statuses_until_close(gateway, [hosted], end_sending=True)
            assert not {200, 204} & set(statuses), (case, statuses)
        assert_nothing_upstream(upstream, case["id"])


def test_the_gateway_still_serves_after_all_that(gateway, upstream):
    assert ask(gateway, chat_body()).status == 200
    assert MODEL in upstream.requests[0].body.decode()
