"""Strict passthrough: what the provider gets is the client's body, what the client gets is the
provider's answer, byte for byte; of the heads only what the contract names."""

import hashlib
import json
import random
import re

import pytest

from harness.conf import CLIENT_KEY, EMBEDDING_MODEL, MODEL, MOVING_MODEL, PROVIDER_KEY
from harness.upstream import (
    DONE, FINISH, LAST_CHUNK, answering, chunk, completion, event, head_of, plain_answer,
    stream_head, streaming,
)
from harness.wire import Connection, ask, chat_body, chunked, request_bytes

# The catalogue has no model for moderations.
CONF = {"models": [{"id": "omni-moderation-latest", "family": "openai",
                    "endpoints": ["moderations"]}]}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


ODD_BODIES = {
    "blanks": b' {\r\n\t"model" : "%s" , "messages":[ ]\n}  \n' % MODEL.encode(),
    "escapes": b'{"messages":[{"role":"user","content":"\\u0041\\/\\ud83d\\ude00\\u0000"}],'
    b'"model":"%s"}' % MODEL.encode(),
    "numbers": b'{"model":"%s","temperature":1.0e-0007,"seed":123456789012345678901234567890,'
    b'"x":-0.0}' % MODEL.encode(),
    "unknown keys": b'{"model":"%s","future":{"a":[1,{"b":null}]},"messages":[]}' % MODEL.encode(),
    "utf-8": '{"model":"%s","x":"h\u00e9 \u4f60\u597d \U0001f600"}'.encode() % MODEL.encode(),
    "repeated keys we do not act on": b'{"model":"%s","x":1,"x":2,"messages":[]}' % MODEL.encode(),
}


@pytest.mark.parametrize("name", ODD_BODIES)
def test_the_provider_gets_the_bodys_own_bytes(gateway, upstream, name):
    body = ODD_BODIES[name]
    answer = ask(gateway, body)
    assert answer.status == 200
    assert sha256(upstream.requests[0].body) == sha256(body)


def test_a_chunked_body_reaches_the_provider_sized_and_whole(gateway, upstream):
    body = chat_body(user="x" * 5000)
    with Connection(gateway.port) as connection:
        head = request_bytes(headers=["Transfer-Encoding: chunked"], sized=False)
        connection.send(head + chunked(body, 1, 700, 3))
        assert connection.read_answer().status == 200
    assert upstream.requests[0].body == body
    assert upstream.requests[0].header("transfer-encoding") is None


def test_of_a_moving_name_only_the_models_value_is_changed(gateway, upstream):
    before = b'{ "seed":1e2, "messages": [{"role":"user","content":"gpt-4o"}], "model" : "'
    after = b'" ,"stop":["gpt-4o"]}'
    answer = ask(gateway, before + MOVING_MODEL.encode() + after)
    sent = upstream.requests[0].body
    assert sent.startswith(before) and sent.endswith(after)
    ran = sent[len(before) : -len(after)].decode()
    assert re.fullmatch(r"gpt-4o-\d{4}-\d\d-\d\d", ran)
    assert answer.header("x-hyperion-model") == ran
    assert answer.header("x-hyperion-requested-model") == MOVING_MODEL


def test_provider_and_name_together_reach_the_provider_as_the_bare_name(gateway, upstream):
    assert ask(gateway, chat_body(model=f"openai/{MODEL}")).status == 200
    assert upstream.requests[0].body == chat_body()


OWN_KEYS = {
    "hyperion": {"tags": {"team": "search"}, "bypass_cache": True},
    "smart_routing": False,
    "smartRouting": False,
    "fallbacks": [],
    "extra_body": {"hyperion": {"cache_ttl": 300}},
}


@pytest.mark.parametrize("key", OWN_KEYS)
def test_the_gateways_own_keys_do_not_reach_the_provider(gateway, upstream, key):
    kept = {"model": MODEL, "messages": [], "temperature": 0.5}
    for place in range(4):
        items = list(kept.items())
        items.insert(place, (key, OWN_KEYS[key]))
        answer = ask(gateway, json.dumps(dict(items)).encode())
        assert answer.status == 200, answer.body
        assert upstream.requests[-1].json() == kept
        assert list(upstream.requests[-1].json()) == list(kept)


def test_headers_go_upstream_by_an_allow_list_only(gateway, upstream):
    allowed = {
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "vendor=value",
        "idempotency-key": "once-7",
    }
    refused = {
        "Cookie": "session=canary-cookie",
        "X-Api-Key": "canary-x-api-key",
        "Proxy-Authorization": "Basic canary-proxy",
        "OpenAI-Organization": "org-canary",
        "OpenAI-Project": "proj-canary",
        "X-Forwarded-For": "10.1.2.3-canary",
        "Accept-Encoding": "gzip",
        "User-Agent": "canary-agent",
        "X-Anything": "canary-anything",
    }
    lines = [f"{name}: {value}" for name, value in {**allowed, **refused}.items()]
    assert ask(gateway, chat_body(), headers=lines).status == 200
    request = upstream.requests[0]
    for name, value in allowed.items():
        assert request.header(name) == value
    assert request.names() == set(allowed) | {
        "host", "user-agent", "accept", "accept-encoding", "content-type", "content-length",
        "authorization",
    }
    assert request.header("authorization") == f"Bearer {PROVIDER_KEY}"
    assert request.header("accept-encoding") == "identity"
    assert request.header("host") == f"127.0.0.1:{upstream.port}"
    received = request.connection.received.replace(PROVIDER_KEY.encode(), b"")
    assert b"canary" not in received and CLIENT_KEY.encode() not in received


PLAIN_BODIES = {
    "usual": completion(),
    "blanks and line ends": b"\r\n { \"choices\" : [ ] }\n\n",
    "utf-8 with a byte order mark": b"\xef\xbb\xbf" + completion("\u00e9\U0001f600"),
    "not JSON": b"\x00\xff<html>not json</html>",
    "empty": b"",
}


@pytest.mark.parametrize("name", PLAIN_BODIES)
@pytest.mark.parametrize("framing", ["sized", "chunked", "until close"])
def test_the_client_gets_the_answers_own_bytes(gateway, upstream, name, framing):
    body = PLAIN_BODIES[name]
    if framing == "sized":
        upstream.handler = answering(plain_answer(body))
    elif framing == "chunked":
        upstream.handler = answering(head_of() + chunked(body, 3, 1, 100))
    else:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
        upstream.handler = answering(head + body, close=True)
    answer = ask(gateway, chat_body())
    assert (answer.status, answer.complete) == (200, True)
    assert sha256(answer.body) == sha256(body)


STREAMS = {
    "usual": [event("One"), event(" two"), FINISH, DONE],
    "CR LF": [part.replace(b"\n", b"\r\n") for part in (event("One"), FINISH, DONE)],
    "lone CR": [part.replace(b"\n", b"\r") for part in (event("One"), FINISH, DONE)],
    "comments and other fields": [
        b": keep-alive\n\n", b"event: message\nid: 7\nretry: 10\n" + event("One"), b":\n", FINISH,
        DONE,
    ],
    "byte order mark": [b"\xef\xbb\xbf" + event("One"), DONE],
    "several data lines": [b"data: {\"choices\":\ndata: []}\n\n", event("One"), DONE],
    "comment behind the end": [event("One"), DONE, b": bye\n\n"],
    "usage": [event("One"), event(usage={"prompt_tokens": 3, "completion_tokens": 1}), DONE],
    "nothing but the end": [DONE],
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("framing", ["chunked", "until close"])
def test_a_streams_bytes_are_the_providers_whatever_the_cuts(gateway, upstream, name, framing):
    data = b"".join(STREAMS[name])
    seed = random.Random(name + framing)
    for turn in range(6):
        sizes = [seed.randint(1, 40) if turn else len(data) for _ in data]
        if framing == "chunked":
            whole = stream_head() + chunked(data, *sizes)
        else:
            whole = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + data

        def handle(connection, whole=whole, sizes=sizes):
            connection.send_pieces(whole, sizes[::-1])
            if framing != "chunked":
                connection.close()

        upstream.handler = handle
        answer = ask(gateway, chat_body(stream=True))
        assert (answer.status, answer.complete) == (200, True)
        assert answer.header("content-type") == "text/event-stream"
        assert sha256(answer.body) == sha256(data), answer.body


def test_ten_megabytes_go_up_and_five_come_down_unchanged(gateway, upstream):
    noise = random.Random(1).randbytes(7_500_000)
    body = chat_body(image=noise.hex()[:10_000_000])
    answer_body = completion(random.Random(2).randbytes(2_500_000).hex())
    upstream.handler = answering(plain_answer(answer_body))
    answer = ask(gateway, body)
    assert sha256(upstream.requests[0].body) == sha256(body)
    assert (answer.status, answer.complete) == (200, True)
    assert sha256(answer.body) == sha256(answer_body)


def test_a_long_stream_of_large_events_comes_down_unchanged(gateway, upstream):
    text = random.Random(3).randbytes(50_000).hex()
    events = [event(text[at : at + 30_000]) for at in range(0, 100_000, 1000)] + [DONE]
    upstream.handler = streaming(*events)
    answer = ask(gateway, chat_body(stream=True))
    assert answer.complete and sha256(answer.body) == sha256(b"".join(events))


def test_an_error_of_the_provider_is_relayed_as_it_is(gateway, upstream):
    body = b'{"error": {"message": "No.", "type": "invalid_request_error", "code": null}}'
    for status in ("400 Bad Request", "404 Not Found", "422 Unprocessable Content",
                   "429 Too Many Requests", "500 Internal Server Error", "529 Overloaded"):
        headers = ["Retry-After: 7", "Set-Cookie: provider=1"]
        upstream.handler = answering(plain_answer(body, status, headers=headers))
        answer = ask(gateway, chat_body())
        assert answer.status == int(status[:3])
        assert answer.body == body
        assert answer.header("retry-after") == "7"
        assert answer.header("set-cookie") is None


def test_the_head_of_an_answer_says_what_ran(gateway, upstream):
    provider_headers = ["X-Request-Id: upstream-id", "X-RateLimit-Remaining-Requests: 41",
                        "x-ratelimit-limit-tokens: 900", "OpenAI-Organization: org-1",
                        "Server: provider", "Set-Cookie: a=b", "Alt-Svc: h3=\":443\""]
    for stream in (False, True):
        whole = plain_answer(completion(), headers=provider_headers)
        if stream:
            whole = stream_head(headers=provider_headers) + chunk(event("A") + DONE) + LAST_CHUNK
        upstream.handler = answering(whole)
        answer = ask(gateway, chat_body(stream=stream))
        assert re.fullmatch(r"req_[0-9a-f]+", answer.request_id)
        expected = {
            "x-hyperion-provider": "openai",
            "x-hyperion-model": MODEL,
            "x-hyperion-requested-model": MODEL,
            "x-hyperion-route": "passthrough",
            "x-hyperion-attempts": "1",
            "x-upstream-request-id": "upstream-id",
            "x-upstream-ratelimit-remaining-requests": "41",
            "x-upstream-ratelimit-limit-tokens": "900",
        }
        for name, value in expected.items():
            assert answer.header(name) == value, name
        assert int(answer.header("x-hyperion-overhead-us")) < 10_000_000
        for name in ("server", "set-cookie", "alt-svc", "openai-organization"):
            assert answer.header(name) is None
        assert gateway.wait_for_log(answer.request_id)["status"] == 200


@pytest.mark.parametrize("path,model", [("/v1/embeddings", EMBEDDING_MODEL),
                                        ("/v1/completions", "gpt-3.5-turbo-instruct"),
                                        ("/v1/moderations", "omni-moderation-latest")])
def test_the_other_routes_are_passed_through_as_well(gateway, upstream, path, model):
    body = b' {"input":"x", "prompt":"x","model":"%s"}' % model.encode()
    answer = ask(gateway, body, path=path)
    assert answer.status == 200, answer.body
    assert upstream.requests[0].line == f"POST {path} HTTP/1.1"
    assert upstream.requests[0].body.startswith(b' {"input":"x", "prompt":"x","model":"')
