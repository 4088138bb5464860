"""The routes of the other dialects, by the bytes: passthrough that changes nothing, credentials and
headers as each dialect has them, errors in each client's shape, what could not be translated named,
streams as one JSON array."""

import hashlib
import json
import random

import pytest

from harness.conf import PROVIDER_KEY, sha256_of
from harness.gateway import Gateway
from harness.simulated import KEY, providers_at, simulated_gateway
from harness.upstream import answering, head_of, plain_answer, stream_head
from harness.wire import ask, chunked

CLAUDE, GEMINI, GPT = "claude-haiku-4-5-20251001", "gemini-3.5-flash", "gpt-4o-2024-11-20"
MESSAGES, RESPONSES, CHAT = "/v1/messages", "/v1/responses", "/v1/chat/completions"


@pytest.fixture(scope="module")
def recorded_gateway(provider, tmp_path_factory):
    """A gateway whose providers are all the file's recording one."""
    changes = {"providers": providers_at(provider.port),
               "keys": [{"id": "matrix", "hash": sha256_of(KEY), "test": True}]}
    with Gateway(tmp_path_factory.mktemp("recorded"), provider.port, changes) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    with simulated_gateway(tmp_path_factory.mktemp("simulated")) as (gateway, _):
        yield gateway


def gemini(model: str, method: str) -> str:
    return f"/v1beta/models/{model}:{method}"


def put(gateway, path: str, body, headers=(), key=KEY):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ask(gateway, data, path=path, headers=list(headers), key=key)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# (path, the body with odd spellings that mean nothing, odd answer, odd stream) by dialect.
ODD = {
    "anthropic": (
        MESSAGES,
        b' {"messages" :[{"role":"user","content":"\\u0041\\/"}],\r\n "max_tokens":1e1,"x":-0.0,'
        b'"model": "%s","x":[null]%%s }\n' % CLAUDE.encode(),
        b'\r\n{ "type":"message", "odd":1e400, "content":[ ] ,"usage":{"input_tokens":1}}\n',
        [b"event: message_start\ndata: {\"type\":\"message_start\", \"message\":{}}   \n\n",
         b"event: ping\r\ndata: {\"type\": \"ping\"}\r\n\r\n", b": comment\n\n",
         b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
         b"\"delta\":{\"type\":\"text_delta\",\"text\":\"\xc3\xa9\\u00e9\"}      }\n\n",
         b"event: message_stop\ndata: {\"type\":\"message_stop\"  }\n\n"]),
    "gemini": (
        None,
        b'{ "contents":[{"role":"user","parts":[{"text":"\\u0041\\/"}]}] ,"future":{"a":1.0e-07}'
        b',"future":null%s}\n',
        b'{\n  "candidates": [ {"content": {"parts": [{"text": "\xc3\xa9"}]}, '
        b'"finishReason": "STOP", "odd": -0.0}]\n}\n',
        [b"data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"\xc3\xa9\"}]}}]}"
         b"\r\n\r\n",
         b"data: {\"candidates\": [{\"finishReason\": \"STOP\", \"odd\": 1e400}]}\r\n\r\n"]),
    "responses": (
        RESPONSES,
        b'{"input":"\\u0041\\/" ,"model":"%s", "future":[1E2], "future":{}%%s}  ' % GPT.encode(),
        b'{"object":"response", "odd":1e400,"output":[ ],"status":"completed"}\r\n',
        [b"event: response.created\ndata: {\"type\":\"response.created\", \"response\":{}}\n\n",
         b"event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\", "
         b"\"delta\":\"\xc3\xa9\"}\n\n",
         b"event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":"
         b"{\"status\":\"completed\" }}\n\n"]),
}


@pytest.mark.parametrize("dialect", ODD)
def test_a_plain_exchange_in_the_providers_own_dialect_is_not_touched(
        recorded_gateway, upstream, dialect):
    path, body, answer, _ = ODD[dialect]
    path = path or gemini(GEMINI, "generateContent")
    body = body % b""
    upstream.handler = answering(plain_answer(answer))
    got = put(recorded_gateway, path, body)
    assert (got.status, got.complete) == (200, True)
    assert sha256(got.body) == sha256(answer)
    sent = upstream.requests[0]
    assert sha256(sent.body) == sha256(body)
    assert sent.line == f"POST {path} HTTP/1.1"


@pytest.mark.parametrize("dialect", ODD)
def test_a_stream_in_the_providers_own_dialect_is_not_touched(recorded_gateway, upstream, dialect):
    path, body, _, events = ODD[dialect]
    path = path or gemini(GEMINI, "streamGenerateContent?alt=sse")
    body = body % (b"" if dialect == "gemini" else b', "stream" : true')
    data = b"".join(events)
    seed = random.Random(dialect)
    for turn in range(8):
        sizes = [seed.randint(1, 30) if turn else len(data) for _ in data]
        whole = stream_head() + chunked(data, *sizes)
        upstream.handler = lambda connection: connection.send_pieces(whole, sizes[::-1])
        got = put(recorded_gateway, path, body)
        assert (got.status, got.complete) == (200, True)
        assert sha256(got.body) == sha256(data), got.body
        assert upstream.requests[-1].line == f"POST {path} HTTP/1.1"
        assert sha256(upstream.requests[-1].body) == sha256(body)


def test_a_stream_of_geminis_as_an_array_is_not_touched(recorded_gateway, upstream):
    data = b'[{\n "candidates": [{"content": {"parts": [{"text": "a"}]}}]}\r\n,\r\n' \
           b'{"candidates": [{"finishReason": "STOP"}]}\n]'
    upstream.handler = answering(head_of() + chunked(data, 7, 1, 30))
    path = gemini(GEMINI, "streamGenerateContent")
    got = put(recorded_gateway, path, ODD["gemini"][1] % b"")
    assert (got.status, got.complete) == (200, True)
    assert sha256(got.body) == sha256(data)
    assert got.header("content-type") == "application/json"
    assert upstream.requests[0].line == f"POST {path} HTTP/1.1"


# Errors of providers, oddly written, by dialect.
ODD_ERRORS = {
    "anthropic": b'{ "type":"error","error":{"type":"invalid_request_error","message":"No."} }\n',
    "gemini": b'{\n  "error": {\n    "code": 400, "message": "No.", "status": "ABORTED"\n  }\n}\n',
    "responses": b'{"error":{"message":"No.", "type":"odd","param":null,"code":1e400}}',
}


@pytest.mark.parametrize("dialect", ODD)
def test_an_error_in_the_providers_own_dialect_is_relayed_as_it_is(
        recorded_gateway, upstream, dialect):
    path, body, _, _ = ODD[dialect]
    path = path or gemini(GEMINI, "generateContent")
    for status in ("400 Bad Request", "422 Unprocessable Content", "429 Too Many Requests",
                   "500 Internal Server Error"):
        upstream.handler = answering(plain_answer(ODD_ERRORS[dialect], status))
        got = put(recorded_gateway, path, body % b"")
        assert (got.status, got.complete) == (int(status[:3]), True)
        assert sha256(got.body) == sha256(ODD_ERRORS[dialect])


CREDENTIALS = {
    "anthropic": ("x-api-key", PROVIDER_KEY),
    "gemini": ("x-goog-api-key", PROVIDER_KEY),
    "responses": ("authorization", f"Bearer {PROVIDER_KEY}"),
}


@pytest.mark.parametrize("dialect", ODD)
def test_a_key_comes_and_goes_as_the_dialect_has_it(recorded_gateway, upstream, dialect):
    path, body, answer, _ = ODD[dialect]
    path = path or gemini(GEMINI, "generateContent")
    name, sent = CREDENTIALS[dialect]
    upstream.handler = answering(plain_answer(answer))
    own = [f"{name}: {KEY}"] if dialect != "responses" else [f"Authorization: Bearer {KEY}"]
    for headers in (own, [f"Authorization: Bearer {KEY}"]):
        assert put(recorded_gateway, path, body % b"", headers, None).status == 200
        request = upstream.requests[-1]
        assert request.header(name) == sent
        others = {header for header, _ in CREDENTIALS.values()} - {name}
        assert not request.names() & others
        assert KEY.encode() not in request.connection.received


def test_anthropics_headers_go_up_in_its_own_dialect_only(recorded_gateway, upstream):
    path, body, answer, _ = ODD["anthropic"]
    upstream.handler = answering(plain_answer(answer))
    own = ["anthropic-version: 2026-10-21", "anthropic-beta: one-2026,two-2026"]
    assert put(recorded_gateway, path, body % b"", own).status == 200
    assert upstream.requests[-1].header("anthropic-version") == "2026-10-21"
    assert upstream.requests[-1].header("anthropic-beta") == "one-2026,two-2026"
    assert put(recorded_gateway, path, body % b"").status == 200
    assert upstream.requests[-1].header("anthropic-version") == "2023-06-01"
    assert upstream.requests[-1].header("anthropic-beta") is None
    # Translated to Anthropic the version is the gateway's; to others there is none.
    put(recorded_gateway, CHAT, chat(CLAUDE), own)
    assert upstream.requests[-1].header("anthropic-version") == "2023-06-01"
    assert upstream.requests[-1].header("anthropic-beta") is None
    put(recorded_gateway, MESSAGES, {**messages(GPT)}, own)
    assert not upstream.requests[-1].names() & {"anthropic-version", "anthropic-beta"}


def chat(model: str, **members) -> dict:
    return {"model": model, "messages": [{"role": "user", "content": "Hi."}], **members}


def messages(model: str, **members) -> dict:
    return {"model": model, "max_tokens": 50, "messages": [{"role": "user", "content": "Hi."}],
            **members}


def contents(**members) -> dict:
    return {"contents": [{"role": "user", "parts": [{"text": "Hi."}]}], **members}


def check_shape(dialect: str, answer, status: int, word: str) -> str:
    """The message of an error, which is checked to be one of the dialect's."""
    assert (answer.status, answer.complete) == (status, True), answer.body
    assert answer.header("content-type") == "application/json"
    document = answer.json()
    if dialect == "anthropic":
        assert set(document) == {"type", "error", "request_id"} and document["type"] == "error"
        assert set(document["error"]) >= {"type", "message"}
        assert document["error"]["type"] == word
        assert document["request_id"] == answer.request_id
    elif dialect == "gemini":
        assert set(document) == {"error"} and document["error"]["code"] == status
        assert document["error"]["status"] == word
    else:
        assert answer.code == word
    return document["error"]["message"]


# path, body, and the words for an unknown key, an unknown model and bad input.
SHAPES = {
    "chat": (lambda model: CHAT, chat, ("invalid_api_key", "model_not_found", "invalid_request")),
    "responses": (lambda model: RESPONSES, lambda model, **more: {"model": model, "input": "Hi.",
                                                                  **more},
                  ("invalid_api_key", "model_not_found", "invalid_request")),
    "anthropic": (lambda model: MESSAGES, messages,
                  ("authentication_error", "not_found_error", "invalid_request_error")),
    "gemini": (lambda model: gemini(model, "generateContent"),
               lambda model, **more: contents(**more),
               ("UNAUTHENTICATED", "NOT_FOUND", "INVALID_ARGUMENT")),
}
# For each dialect: members that are wrong, and what the message must name. All go to a provider of
# another dialect, whose model stands there.
WRONG = {
    "chat": (CLAUDE, [({"messages": [{"role": "tool", "tool_call_id": "x", "content": "1"}]},
                       "messages[0].tool_call_id"),
                      ({"messages": [{"role": "user", "content": [{"type": "odd"}]}]},
                       "messages[0].content[0].type"),
                      ({"temperature": "warm"}, "temperature")]),
    "responses": (CLAUDE, [({"input": [{"type": "odd"}]}, "input[0].type"),
                           ({"input": [{"type": "function_call_output", "call_id": "x",
                                        "output": "1"}]}, "input[0].call_id")]),
    "anthropic": (GPT, [({"messages": [{"role": "user", "content": [
                            {"type": "tool_result", "tool_use_id": "x", "content": "1"}]}]},
                         "messages[0].content[0].tool_use_id"),
                        ({"messages": [{"role": "user", "content": [
                            {"type": "image", "source": {
                                "type": "base64", "media_type": "image/png",
                                "data": "aaaa\naaaa"}}]}]}, "messages[0].content[0].source.data"),
                        ({"max_tokens": "many"}, "max_tokens")]),
    "gemini": (GPT, [({"contents": [{"role": "user", "parts": [{"odd": 1}]}]}, "contents[0].parts"),
                     ({"contents": "Hi."}, "contents"),
                     ({"generationConfig": {"temperature": "warm"}}, "temperature")]),
}


@pytest.mark.parametrize("dialect", SHAPES)
def test_errors_come_in_the_clients_own_shape(simulated, dialect):
    path_of, body_of, (key_word, model_word, input_word) = SHAPES[dialect]
    known, wrongs = WRONG[dialect]
    for key in (None, "sk_live_unknown"):
        answer = put(simulated, path_of(known), body_of(known), key=key)
        check_shape(dialect, answer, 401, key_word)
    answer = put(simulated, path_of("claude-haiku-4-6"), body_of("claude-haiku-4-6"))
    assert "claude-haiku-4-5" in check_shape(dialect, answer, 404, model_word)
    code = "invalid_json" if dialect in ("chat", "responses") else input_word
    check_shape(dialect, put(simulated, path_of(known), b'{"model": '), 400, code)
    for members, named in wrongs:
        body = {**body_of(known), **members}
        message = check_shape(dialect, put(simulated, path_of(known), body), 400, input_word)
        assert named in message, (members, message)


def test_what_a_provider_cannot_be_told_is_named(simulated):
    answer = put(simulated, CHAT, chat(CLAUDE, seed=7, presence_penalty=1, verbosity="low"))
    assert answer.status == 200
    dropped = set(answer.header("x-hyperion-dropped-params").replace(" ", "").split(","))
    assert dropped == {"seed", "presence_penalty", "verbosity"}
    answer = put(simulated, CHAT, chat(GEMINI, logit_bias={"1": 1}, parallel_tool_calls=False,
                                       future=[1]))
    dropped = set(answer.header("x-hyperion-dropped-params").replace(" ", "").split(","))
    assert dropped == {"logit_bias", "parallel_tool_calls", "future"}
    answer = put(simulated, MESSAGES, messages(GPT, top_k=4))
    assert answer.header("x-hyperion-dropped-params") == "top_k"
    for clean in (chat(CLAUDE), chat(GPT, seed=7)):
        assert put(simulated, CHAT, clean).header("x-hyperion-dropped-params") is None
    for members, named in (({"n": 2}, "n"), ({"logprobs": True}, "logprobs")):
        answer = put(simulated, CHAT, chat(CLAUDE, **members))
        assert check_shape("chat", answer, 400, "unsupported_parameter")
        assert answer.error()["param"] == named


def text_of(answers: list) -> str:
    return "".join(part.get("text", "") for answer in answers
                   for candidate in answer.get("candidates", [])
                   for part in candidate["content"].get("parts", []))


@pytest.mark.parametrize("model", [GPT, CLAUDE, "gpt-5-codex", GEMINI])
def test_a_stream_without_alt_sse_is_one_json_array(simulated, model):
    whole = put(simulated, gemini(model, "generateContent"), contents()).json()
    answer = put(simulated, gemini(model, "streamGenerateContent"), contents())
    assert (answer.status, answer.complete) == (200, True)
    assert answer.header("content-type").startswith("application/json")
    parts = answer.json()
    assert isinstance(parts, list) and len(parts) > 3
    assert text_of(parts) == text_of([whole])
    assert parts[-1]["candidates"][0]["finishReason"] == "STOP"
    usage = whole["usageMetadata"]
    assert parts[-1]["usageMetadata"]["totalTokenCount"] == usage["totalTokenCount"]


@pytest.mark.parametrize("model", [GPT, CLAUDE, "gpt-5-codex"])
def test_an_array_that_breaks_holds_the_error_and_does_not_end_clean(simulated, model):
    answer = put(simulated, gemini(model, "streamGenerateContent"), contents(),
                 ["x-hyperion-fault: streamerror:12"])
    assert answer.status == 200 and not answer.complete
    text = answer.body.decode().rstrip()
    elements = json.loads(text if text.endswith("]") else text + "]")
    assert elements[-1]["error"]["code"] >= 500 and elements[-1]["error"]["status"]
    assert text_of(elements[:-1])


@pytest.mark.parametrize("model", [CLAUDE, GEMINI, "gpt-5-codex"])
def test_usage_that_did_not_come_is_not_invented(simulated, model):
    for stream in (False, True):
        body = chat(model, stream=stream, **({"stream_options": {"include_usage": True}}
                                             if stream else {}))
        answer = put(simulated, CHAT, body, ["x-hyperion-fault: nousage"])
        assert (answer.status, answer.complete) == (200, True)
        events = answer.body.decode().split("\n\n") if stream else [f"data: {answer.body.decode()}"]
        documents = [json.loads(text[6:]) for text in events if text.startswith("data: {")]
        assert documents and not any(document.get("usage") for document in documents)
        line = simulated.wait_for_log(answer.request_id)
        assert not set(line) & {"prompt_tokens", "completion_tokens"}
