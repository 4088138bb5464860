"""What real clients do beyond the matrix of dialects, each with a model of every provider: tools
that the client runs, forced calls, counts of tokens, exceptions, embeddings."""

import json
import math
import urllib.request

import openai
import pytest

from harness.matrix import TOOLS, UPSTREAMS
from harness.node import run_script
from harness.simulated import KEY, simulated_gateway
from harness.waiting import DEADLINE_S

TEXT = "This is a simulated answer of "


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    with simulated_gateway(tmp_path_factory.mktemp("clients")) as pair:
        yield pair


@pytest.fixture
def run(both):
    def run_extra(extra: str) -> dict:
        context = {"gateway": both[0].url, "key": KEY, "extra": extra, "tools": TOOLS,
                   "models": UPSTREAMS}
        [seen] = run_script("extras.mjs", context, 6 * DEADLINE_S)
        assert set(seen) == set(UPSTREAMS)
        return seen

    return run_extra


def check_calls(called: list) -> None:
    given = {call["name"]: call["given"] for call in called}
    assert len(called) == 2 and set(given) == {"weather", "clock"}
    assert set(given["weather"]) == {"city", "days"} and given["clock"] == {}
    assert isinstance(given["weather"]["days"], int)


def test_the_client_runs_tools_until_the_model_has_said_its_last(run):
    for upstream, ways in run("runTools").items():
        for way, seen in ways.items():
            check_calls(seen["called"])
            assert seen["text"].startswith(TEXT), (upstream, way)
            assert sorted(seen["results"]) == ["result of clock", "result of weather"]
            assert len(set(seen["calls"])) == 2 and all(seen["calls"]), "ids are not unique"


def test_vercels_client_runs_tools_in_steps(run):
    for upstream, ways in run("steps").items():
        for way, seen in ways.items():
            check_calls(seen["called"])
            assert seen["text"].startswith(TEXT), (upstream, way)
            assert (seen["steps"], seen["finish"]) == (2, "stop"), (upstream, way)


def test_a_forced_tool_is_called_and_no_other(run):
    for upstream, clients in run("forced").items():
        for client, calls in clients.items():
            [[name, given]] = calls
            assert name == "weather" and set(given) == {"city", "days"}, (upstream, client)


def test_tokens_are_counted_or_estimated(run):
    for upstream, clients in run("counts").items():
        for client, count in clients.items():
            assert 5 < count < 40, (upstream, client)


def test_exceptions_are_the_clients_own_classes(run):
    wanted = {
        "anthropic": ("AuthenticationError", "NotFoundError", "BadRequestError"),
        "responses": ("AuthenticationError", "NotFoundError", "BadRequestError"),
        "gemini": ("ApiError", "ApiError", "ApiError"),
    }
    for upstream, clients in run("exceptions").items():
        for client, seen in clients.items():
            for case, status, name in zip(("key", "model", "body"), (401, 404, 400),
                                          wanted[client]):
                assert seen[case] == {"class": name, "status": status}, (upstream, client, case)


def vectors_of_the_simulator(simulator, model: str, texts: list) -> list:
    requests = [{"model": f"models/{model}", "content": {"parts": [{"text": text}]}}
                for text in texts]
    # Written as the gateway does: the vectors follow from the bytes.
    body = json.dumps({"requests": requests}, ensure_ascii=False, separators=(",", ":"))
    asked = urllib.request.Request(
        f"{simulator.url}/v1beta/models/{model}:batchEmbedContents", body.encode(),
        {"x-goog-api-key": "any", "content-type": "application/json"})
    with urllib.request.urlopen(asked, timeout=DEADLINE_S) as answer:
        return [one["values"] for one in json.load(answer)["embeddings"]]


def test_openais_client_gets_vectors_of_gemini(both):
    gateway, simulator = both
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=KEY, max_retries=0)
    model = "gemini-embedding-001"
    texts = ["one", "two words", "\u4e09 \U0001f600"]
    wanted = vectors_of_the_simulator(simulator, model, texts)
    # As it comes of itself, the client asks for base64 and decodes it.
    coded = client.embeddings.create(model=model, input=texts)
    plain = client.embeddings.create(model=model, input=texts, encoding_format="float")
    for answer in (coded, plain):
        assert [item.index for item in answer.data] == [0, 1, 2]
        assert answer.object == "list" and answer.model == model
        for item, vector in zip(answer.data, wanted, strict=True):
            assert len(item.embedding) == len(vector) > 100
            assert all(math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-7)
                       for one, other in zip(item.embedding, vector))
    single = client.embeddings.create(model=model, input="one", dimensions=256)
    assert len(single.data) == 1 and len(single.data[0].embedding) == 256
