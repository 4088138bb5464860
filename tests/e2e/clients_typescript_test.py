"""The project's client for Node against the real binary: the demo."""

import json
from pathlib import Path

import pytest

from harness.demo import DEMO_KEY, Demo
from harness.sdk import run_node

SCRIPT = Path(__file__).with_name("sdk_features.mjs")
MODELS = {"gpt-4o": "openai", "claude-haiku-4-5": "anthropic"}


@pytest.fixture(scope="module")
def demo():
    with Demo() as running:
        yield running


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return request.param


@pytest.fixture(scope="module")
def seen(demo, model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("node")
    return json.loads(run_node(SCRIPT, folder, demo.url, DEMO_KEY, model))


def test_every_way_to_ask_tells_what_ran(seen, model):
    for way in ("plain", "streamed", "parsed", "events"):
        decision = seen[way]["hyperion"]
        assert decision["provider"] == MODELS[model] and decision["requested_model"] == model
        assert decision["model"] == seen["plain"]["ran"] and decision["attempts"] == 1
        assert decision["route"] == "passthrough" and decision["overhead_us"] >= 0
        assert decision["request_id"].startswith("req_")
    assert seen["embedding"]["requested_model"] == "text-embedding-3-small"


def test_streams_tools_and_schemas_work_through_it(seen):
    assert seen["streamed"]["text"] == seen["plain"]["text"] == seen["events"]["text"] != ""
    assert isinstance(seen["arguments"]["city"], str)
    assert isinstance(seen["parsed"]["value"]["city"], str)


def test_a_wrong_option_is_named_by_the_gateway(seen):
    assert seen["wrong"]["name"] == "BadRequestError"
    assert seen["wrong"]["param"] == "hyperion.fallback"
    assert seen["wrong"]["hyperion"]["request_id"].startswith("req_")


def test_a_decision_is_explained(seen, model):
    explained = seen["explained"]
    assert (explained["requested"], explained["route"]) == (model, "smart")
    assert explained["provider"] == MODELS[model] and explained["tier"] in (1, 2, 3)
