"""OpenAI's client for Node, against a recording provider: streamed, not, errors, abort."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.conf import CLIENT_KEY, EMBEDDING_MODEL, MODEL
from harness.upstream import DONE, FINISH, answering, chunk, event, plain_answer, stream_head
from harness.waiting import DEADLINE_S

SCRIPT = Path(__file__).with_name("node_client.mjs")


def packages_folder() -> str:
    """The folder in whose node_modules the package is: where ./dev installed it, or NODE_PATH."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    for folder in filter(None, os.environ.get("NODE_PATH", "").split(os.pathsep)):
        if (Path(folder) / "openai").exists():
            return str(Path(folder).parent)
    pytest.skip("the npm package openai is not installed (./dev setup, with npm)")


@pytest.fixture
def run(gateway):
    packages = packages_folder()

    def run_scenario(scenario: str) -> dict:
        given = {"scenario": scenario, "baseURL": f"{gateway.url}/v1", "apiKey": CLIENT_KEY,
                 "model": MODEL, "embeddingModel": EMBEDDING_MODEL, "packages": packages}
        done = subprocess.run(["node", str(SCRIPT), json.dumps(given)], capture_output=True,
                              text=True, timeout=3 * DEADLINE_S)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run_scenario


def test_a_chat_and_a_stream_are_answered(run, upstream):
    answer = run("plain")
    assert answer["content"] == "Hello." and answer["usage"]["total_tokens"] == 13
    assert run("streamed") == {"content": "One two three.", "pieces": 4}
    assert upstream.requests[1].json()["stream"] is True


def test_embeddings_and_models(run, upstream):
    seen = run("other")
    assert seen["dimensions"] == 2 and seen["retrieved"] == MODEL and MODEL in seen["names"]


def test_errors_are_the_clients_own_classes(run, upstream):
    seen = run("errors")
    assert seen["key"] == {"name": "AuthenticationError", "status": 401, "code": "invalid_api_key"}
    assert seen["model"] == {"name": "NotFoundError", "status": 404, "code": "model_not_found"}
    assert seen["body"] == {"name": "BadRequestError", "status": 400, "code": "invalid_request"}
    assert not upstream.requests
    body = b'{"error": {"message": "Slow down.", "type": "requests", "code": "rate_limited"}}'
    upstream.handler = answering(plain_answer(body, "429 Too Many Requests"))
    assert run("failure") == {"name": "RateLimitError", "status": 429, "code": "rate_limited"}


def test_a_cut_stream_is_thrown(run, upstream):
    upstream.handler = answering(stream_head() + chunk(event("One")), close=True)
    assert run("cut")["name"] != "nothing was thrown"
    upstream.handler = answering(stream_head() + chunk(event("One") + FINISH + DONE) + b"0\r\n\r\n")
    assert run("cut")["name"] == "nothing was thrown"


def test_an_abort_closes_the_provider_and_is_logged(run, gateway, upstream):
    def handle(connection):
        connection.send(stream_head() + chunk(event("One")))
        connection.wait_until_peer_closes()

    upstream.handler = handle
    assert run("abort") == {"first": "One"}
    assert upstream.requests[0].connection.closed.wait(DEADLINE_S)
    gateway.wait_for_outcome("abandoned")
