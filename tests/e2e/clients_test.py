"""Clients that people use, against the gateway in front of the simulated provider: curl, wrk and
OpenAI's Python client. That the base URL and the key are all that changes is the point."""

import json
import re
import shutil
import subprocess
import threading

import openai
import pytest

from harness.conf import (
    CLIENT_KEY, COMPLETION_MODEL, EMBEDDING_MODEL, MODEL, MOVING_MODEL, sha256_of,
)
from harness.gateway import Gateway
from harness.simulator import Simulator
from harness.upstream import answering, chunk, event, plain_answer, stream_head
from harness.waiting import DEADLINE_S
from harness.wire import CHAT, chat_body

TEST_KEY = "sk_test_faults_8e1f07c2ab9d465390b7e2f4c1d6a8053f9e7b2c4d1a6085"

MESSAGES = [{"role": "user", "content": "Say hello."}]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A gateway in front of `hyperion simulate`."""
    with Simulator() as simulator:
        keys = [{"id": "tests", "hash": sha256_of(CLIENT_KEY)},
                {"id": "faults", "hash": sha256_of(TEST_KEY), "test": True}]
        changes = {"test_faults": True, "keys": keys,
                   "upstream": {"connections_warm": 1}}
        with Gateway(tmp_path_factory.mktemp("simulated"), simulator.port, changes) as gateway:
            yield gateway


def client_of(gateway, key=CLIENT_KEY, **options) -> openai.OpenAI:
    options = {"max_retries": 0, "timeout": DEADLINE_S, **options}
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, **options)


@pytest.fixture
def client(simulated):
    return client_of(simulated)


def test_a_chat_is_answered(client, simulated):
    answer = client.chat.completions.with_raw_response.create(model=MOVING_MODEL, messages=MESSAGES)
    parsed = answer.parse()
    assert parsed.choices[0].message.content
    assert parsed.choices[0].finish_reason == "stop"
    assert parsed.usage.total_tokens == parsed.usage.prompt_tokens + parsed.usage.completion_tokens
    assert parsed.model == answer.headers["x-hyperion-model"]
    assert re.fullmatch(r"gpt-4o-\d{4}-\d\d-\d\d", parsed.model)
    line = simulated.wait_for_log(answer.headers["x-request-id"])
    assert line["prompt_tokens"] == parsed.usage.prompt_tokens
    assert line["completion_tokens"] == parsed.usage.completion_tokens


def test_a_stream_gives_the_same_text_piece_by_piece(client):
    whole = client.chat.completions.create(model=MODEL, messages=MESSAGES)
    stream = client.chat.completions.create(
        model=MODEL, messages=MESSAGES, stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    pieces = [part.choices[0].delta.content for part in chunks if part.choices]
    assert "".join(filter(None, pieces)) == whole.choices[0].message.content
    assert len(pieces) > 3
    assert chunks[-1].usage == whole.usage


def test_tools_are_called_in_both_ways(client):
    tool = {"type": "function", "function": {"name": "weather", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
    asked = {"model": MODEL, "messages": MESSAGES, "tools": [tool], "tool_choice": "required"}
    call = client.chat.completions.create(**asked).choices[0].message.tool_calls[0]
    assert call.function.name == "weather" and "city" in json.loads(call.function.arguments)
    arguments = ""
    for part in client.chat.completions.create(**asked, stream=True):
        for piece in (part.choices[0].delta.tool_calls or []) if part.choices else []:
            arguments += piece.function.arguments or ""
    assert arguments == call.function.arguments


def test_the_gateways_own_fields_go_through_extra_body(client):
    answer = client.chat.completions.create(
        model=MODEL, messages=MESSAGES,
        extra_body={"hyperion": {"tags": {"team": "tests"}}, "smart_routing": False})
    assert answer.choices[0].message.content


def test_embeddings_models_and_legacy_completions(client):
    vectors = client.embeddings.create(model=EMBEDDING_MODEL, input=["one", "two"])
    assert len(vectors.data) == 2 and len(vectors.data[0].embedding) > 100
    names = {model.id: model for model in client.models.list()}
    assert MODEL in names and MOVING_MODEL in names
    assert names[MODEL].object == "model" and names[MODEL].owned_by == "openai"
    model = client.models.retrieve(MODEL)
    assert model == names[MODEL] and model.created > 1_700_000_000
    text = client.completions.create(model=COMPLETION_MODEL, prompt="Say hello.", max_tokens=5)
    assert text.choices[0].text
    pieces = client.completions.create(
        model=COMPLETION_MODEL, prompt="Say hello.", max_tokens=5, stream=True)
    assert "".join(part.choices[0].text for part in pieces if part.choices) == text.choices[0].text


def test_the_clients_own_exceptions_say_what_is_wrong(simulated, client):
    with pytest.raises(openai.AuthenticationError) as raised:
        client_of(simulated, key="sk_live_wrong").models.list()
    assert raised.value.code == "invalid_api_key"
    with pytest.raises(openai.NotFoundError) as raised:
        client.chat.completions.create(model="gpt-4oo", messages=MESSAGES)
    assert raised.value.code == "model_not_found" and raised.value.param == "model"
    assert raised.value.request_id.startswith("req_")
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no-such-model")
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model=7, messages=MESSAGES)
    assert raised.value.param == "model"
    with pytest.raises(openai.BadRequestError):  # the provider's own refusal
        client.chat.completions.create(model=MODEL, messages=[])


FAULTS = {"429": openai.RateLimitError, "500": openai.InternalServerError,
          "503": openai.InternalServerError, "401": openai.InternalServerError,
          "reset": openai.InternalServerError, "garbage": openai.InternalServerError,
          "wronglength": openai.InternalServerError, "html": openai.InternalServerError}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_the_provider_become_the_clients_exceptions(simulated, fault):
    client = client_of(simulated, TEST_KEY)
    with pytest.raises(FAULTS[fault]) as raised:
        client.chat.completions.create(model=MODEL, messages=MESSAGES,
                                       extra_headers={"x-hyperion-fault": fault})
    if fault == "401":
        # The gateway's key was refused, not the client's.
        assert raised.value.code == "upstream_credentials"
    if fault == "429":
        assert int(raised.value.response.headers["retry-after"]) >= 0
    # Keys that are not for tests cannot ask for faults.
    client_of(simulated).chat.completions.create(
        model=MODEL, messages=MESSAGES, extra_headers={"x-hyperion-fault": fault})


def test_a_stream_that_is_cut_raises_and_never_ends_quietly(simulated):
    client = client_of(simulated, TEST_KEY)
    stream = client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True,
                                            extra_headers={"x-hyperion-fault": "cut:4"})
    with pytest.raises(openai.APIError) as raised:
        for _ in stream:
            pass
    assert "upstream_stream_cut" in str(raised.value.body)


def test_a_client_that_times_out_is_told_by_its_own_exception(gateway, upstream):
    upstream.handler = lambda connection: connection.wait_until_peer_closes()
    with pytest.raises(openai.APITimeoutError):
        client_of(gateway, timeout=0.3).chat.completions.create(model=MODEL, messages=MESSAGES)
    assert upstream.requests[0].connection.closed.wait(DEADLINE_S)


def test_a_stream_that_the_client_leaves_is_closed_at_the_provider(gateway, upstream):
    def handle(connection):
        connection.send(stream_head() + chunk(event("One")))
        connection.wait_until_peer_closes()

    upstream.handler = handle
    answer = client_of(gateway).chat.completions.with_raw_response.create(
        model=MODEL, messages=MESSAGES, stream=True)
    stream = answer.parse()
    assert next(iter(stream)).choices[0].delta.content == "One"
    stream.close()
    assert upstream.requests[0].connection.closed.wait(DEADLINE_S)
    line = gateway.wait_for_log(answer.headers["x-request-id"])
    assert (line["outcome"], line["end"]) == ("abandoned", "CR")


def test_the_client_tries_again_by_itself_after_a_429(gateway, upstream):
    refusals = [plain_answer(b'{"error": {"message": "slow down"}}', "429 Too Many Requests",
                             headers=["Retry-After: 0"])]

    def handle(connection):
        connection.send(refusals.pop() if refusals else plain_answer(b'{"choices": []}'))

    upstream.handler = handle
    client_of(gateway, max_retries=2).chat.completions.create(model=MODEL, messages=MESSAGES)
    assert len(upstream.requests) == 2


def test_many_clients_at_once_get_their_own_answers(simulated):
    client = client_of(simulated)
    expected = {n: client.embeddings.create(model=EMBEDDING_MODEL, input=f"text {n}").data
                for n in range(8)}
    wrong = []

    def ask_some(number: int) -> None:
        for _ in range(5):
            got = client.embeddings.create(model=EMBEDDING_MODEL, input=f"text {number}").data
            if got != expected[number]:
                wrong.append(number)

    threads = [threading.Thread(target=ask_some, args=(number,)) for number in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert not wrong and not any(thread.is_alive() for thread in threads)


def curl(gateway, path: str, *arguments: str):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    return subprocess.run(
        ["curl", "-sS", "--max-time", str(DEADLINE_S), f"{gateway.url}{path}", "-H",
         f"Authorization: Bearer {CLIENT_KEY}", *arguments],
        capture_output=True, timeout=2 * DEADLINE_S)


def test_curl_gets_a_chat_a_stream_and_an_error(simulated):
    answer = curl(simulated, CHAT, "-d", chat_body().decode(), "--fail")
    assert answer.returncode == 0 and json.loads(answer.stdout)["choices"]
    answer = curl(simulated, CHAT, "-N", "-d", chat_body(stream=True).decode())
    assert answer.returncode == 0 and answer.stdout.endswith(b"data: [DONE]\n\n")
    answer = curl(simulated, CHAT, "-d", "{")
    assert json.loads(answer.stdout)["error"]["code"] == "invalid_json"
    answer = curl(simulated, "/v1/models", "-I")
    assert answer.returncode == 0 and b"200 OK" in answer.stdout


def test_curl_sees_that_a_cut_stream_is_not_whole(gateway, upstream):
    upstream.handler = answering(stream_head() + chunk(event("One")), close=True)
    answer = curl(gateway, CHAT, "-N", "-d", chat_body(stream=True).decode())
    assert answer.returncode in (18, 56), answer  # partial file, receive failure
    assert b"upstream_stream_cut" in answer.stdout


def test_curl_sends_a_large_body_with_expect_and_in_chunks(gateway, upstream, tmp_path):
    body = chat_body(user="x" * 3_000_000)
    file = tmp_path / "body.json"
    file.write_bytes(body)
    for headers in (["-H", "Expect: 100-continue"], ["-H", "Transfer-Encoding: chunked"]):
        answer = curl(gateway, CHAT, *headers, "--data-binary", f"@{file}", "--fail")
        assert answer.returncode == 0, answer.stderr
        assert upstream.requests[-1].body == body


def test_curl_sees_the_refusal_of_a_large_body(gateway, tmp_path):
    file = tmp_path / "body.json"
    file.write_bytes(b"x" * 40_000_000)
    answer = curl(gateway, CHAT, "--data-binary", f"@{file}", "-H", "Expect:")
    assert json.loads(answer.stdout)["error"]["code"] == "request_too_large", answer.stderr


def test_two_seconds_of_wrk_see_nothing_but_success(simulated, tmp_path):
    if shutil.which("wrk") is None:
        pytest.skip("wrk is not installed")
    script = tmp_path / "chat.lua"
    script.write_text(f"""wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer {CLIENT_KEY}"
wrk.body = '{chat_body().decode()}'
""")
    done = subprocess.run(
        ["wrk", "-t1", "-c8", "-d2s", "--timeout", "10s", "-s", str(script), simulated.url + CHAT],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(re.search(r"(\d+) requests in", done.stdout)[1]) > 100, done.stdout
    assert "Non-2xx" not in done.stdout and "Socket errors" not in done.stdout, done.stdout
