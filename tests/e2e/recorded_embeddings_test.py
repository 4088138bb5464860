"""Recorded embeddings of Google's, at every kind of byte cut, to OpenAI's clients.

The request is the recorded one in OpenAI's words, and must arrive as it was recorded.
"""

import base64
import json
import random
import struct

import pytest

from harness.recorded import recordings
from harness.replay import MANNERS, name_of, replaying
from harness.replay import conf_at as CONF
from harness.schema import EMBEDDINGS, validator_of
from harness.wire import ask

SEED = 9


def request_of(recorded: dict, coded: bool) -> dict:
    asked = recorded["requests"]
    texts = [one["content"]["parts"][0]["text"] for one in asked]
    body = {"model": f"{name_of('gemini', 'gemini')}/{asked[0]['model'].removeprefix('models/')}",
            "input": texts if len(texts) > 1 else texts[0],
            "encoding_format": "base64" if coded else "float"}
    if "outputDimensionality" in asked[0]:
        body["dimensions"] = asked[0]["outputDimensionality"]
    return body


@pytest.mark.parametrize("coded", [False, True], ids=["numbers", "base64"])
def test_recorded_embeddings_say_the_same_to_openais_clients(gateway, upstream, coded):
    seed = random.Random(SEED)
    found = recordings("embedContent")
    assert len(found) > 4
    for recording in found:
        document = json.loads(recording.body)
        vectors = [one["values"] for one in document["embeddings"]]
        tokens = document.get("usageMetadata", {}).get("promptTokenCount", 0)
        for manner in MANNERS:
            upstream.handler = replaying(recording, recording.body.encode(), manner, seed)
            body = request_of(recording.request, coded)
            answer = ask(gateway, json.dumps(body).encode(), path="/v1/embeddings")
            case = (recording.name, manner, answer.body[:300])
            assert answer.status == 200 and answer.complete, case
            assert upstream.requests[-1].json() == recording.request, case
            got = answer.json()
            assert [one["index"] for one in got["data"]] == list(range(len(vectors))), case
            for one, vector in zip(got["data"], vectors):
                if coded:
                    wanted = struct.pack(f"<{len(vector)}f", *vector)
                    assert base64.b64decode(one["embedding"], validate=True) == wanted, case
                else:
                    assert one["embedding"] == vector, case
            assert got["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens}, case
            if not coded:
                validator_of(EMBEDDINGS).validate(got)
