"""Recorded traffic of OpenAI, and of those who speak its dialect, at random byte cuts.

Bytes out equal bytes in.
"""

import json
import random

from harness.conf import MODEL
from harness.shared_data import shared_folder
from harness.upstream import chunk, head_of, LAST_CHUNK
from harness.wire import ask

APIS = {"chat.completions": "/v1/chat/completions", "completions": "/v1/completions",
        "embeddings": "/v1/embeddings"}


# Recordings name models that the catalogue does not know.
CONF = {"provider": {"passthrough_unknown_models": True}}


def exchanges() -> list:
    """(name, path, request's JSON, response) of every recording that these routes can carry."""
    found = []
    top = shared_folder("recorded")
    for api, path in APIS.items():
        for file in sorted(top.glob(f"*/{api}/*.json")):
            document = json.loads(file.read_text(encoding="utf-8"))
            for exchange in document.get("exchanges", []):
                # The provider's refusal of its key is the gateway's to answer.
                if exchange["response"]["status"] in (401, 403):
                    continue
                request, response = exchange["request"], exchange["response"]
                if request.get("body") and response.get("body"):
                    body = json.loads(request["body"])
                    if "model" in body:
                        found.append((f"{api}/{file.name}", path, body, response))
    assert len(found) > 20
    return found


def header_of(response: dict, wanted: str) -> str:
    pairs = response["headers"]
    for name, value in pairs.items() if isinstance(pairs, dict) else pairs:
        if name.lower() == wanted:
            return value[0] if isinstance(value, list) else value
    return ""


def cut_up(data: bytes, seed: random.Random, response: dict):
    """A handler that sends the recorded answer in chunks of random sizes."""
    kind = header_of(response, "content-type") or "application/json"
    cuts = sorted({0, len(data), *(seed.randrange(len(data)) for _ in range(len(data) // 60 + 3))})

    def handle(connection):
        connection.send(head_of(f"{response['status']} Recorded", content_type=kind))
        for begin, end in zip(cuts, cuts[1:]):
            connection.send(chunk(data[begin:end]))
        connection.send(LAST_CHUNK)

    return handle


def test_every_recorded_answer_comes_through_unchanged(gateway, upstream):
    seed = random.Random(20)
    for name, path, request, response in exchanges():
        data = response["body"].encode()
        body = json.dumps({**request, "model": f"openai/{request['model']}"}).encode()
        for _ in range(3):
            upstream.handler = cut_up(data, seed, response)
            answer = ask(gateway, body, path=path)
            assert answer.status == response["status"], (name, answer.body)
            assert answer.complete and answer.body == data, name
            sent = upstream.requests[-1].json()
            assert sent["model"].startswith(request["model"]), name
            assert {**sent, "model": ""} == {**request, "model": ""}, name


def test_a_recorded_stream_that_is_cut_anywhere_never_ends_clean(gateway, upstream):
    streams = [item for item in exchanges() if "data: [DONE]" in item[3]["body"]]
    assert streams
    seed = random.Random(21)
    body = json.dumps({"model": MODEL, "stream": True, "messages": []}).encode()
    for name, _, _, response in streams:
        data = response["body"].encode()
        for _ in range(4):
            cut = seed.randrange(1, data.rindex(b"data: [DONE]"))
            upstream.handler = cut_up(data[:cut], seed, response)
            answer = ask(gateway, body)
            if answer.status == 200:
                assert not answer.complete, (name, cut)
                sent, _, last = answer.body.rpartition(b"data: ")
                assert data.startswith(sent), (name, cut)
                assert json.loads(last)["error"]["code"] == "upstream_stream_cut"
            else:
                assert answer.status == 502 and answer.code == "all_upstreams_failed"
