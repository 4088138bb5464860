"""The samples of the clients' documentation, run as they stand against `hyperion demo`."""

import json
from pathlib import Path

import pytest

from harness.demo import DEMO_KEY, Demo
from harness.sdk import run_node, run_python

import hyperion  # After the harness has named where it is.

SAMPLES = Path(__file__).with_name("samples")
LANGUAGES = {"python": ".py", "node": ".mjs"}


@pytest.fixture(scope="module")
def demo():
    with Demo() as running:
        yield running


@pytest.fixture(params=LANGUAGES)
def run_sample(request, demo, tmp_path):
    def run(name: str) -> dict:
        script = SAMPLES / (name + LANGUAGES[request.param])
        if request.param == "python":
            seen = json.loads(run_python(script, demo.url, DEMO_KEY))
        else:
            seen = json.loads(run_node(script, tmp_path, demo.url, DEMO_KEY))
        assert seen["text"] and seen["ran"] == seen["hyperion"]["model"]
        return seen["hyperion"]

    return run


def test_smart_routing_stays_with_the_vendor(run_sample):
    decision = run_sample("smart_routing")
    assert decision["route"] == "smart" and decision["requested_model"] == "gpt-5.2"
    assert decision["provider"] == "openai"
    assert decision["route_intent"] in ("cheap_fast", "balanced", "high_reasoning")
    assert decision["route_decision"]["tier"] in (1, 2, 3)
    assert 0 <= decision["route_decision"]["score"] <= 1


def test_auto_chooses_for_an_easy_question_something_cheap(run_sample):
    decision = run_sample("auto")
    assert decision["route"] == "auto" and decision["requested_model"] == "auto"
    assert decision["route_intent"] == "cheap_fast" and decision["route_decision"]["tier"] == 1


def test_fallbacks_are_not_used_while_the_first_is_well(run_sample):
    decision = run_sample("fallbacks")
    assert decision["route"] == "passthrough" and decision["provider"] == "openai"
    assert decision["attempts"] == 1 and not decision["fallback_index"]


@pytest.mark.parametrize(("faults", "index", "provider"), [
    ("gpt-4o=503", 1, "openai"), ("gpt-4o=503, gpt-4o-mini=429", 2, "anthropic")])
def test_fallbacks_are_used_in_their_order(demo, faults, index, provider):
    with hyperion.Hyperion(api_key=DEMO_KEY, base_url=demo.url, max_retries=0) as client:
        answer = client.chat.completions.create(
            model="gpt-4o",
            messages=[{"role": "user", "content": "Generate a report."}],
            hyperion={"fallbacks": ["gpt-4o-mini", "claude-haiku-4-5"]},
            extra_headers={"x-hyperion-fault": faults},
        )
    assert answer.hyperion.fallback_index == index and answer.hyperion.fallback_reason
    assert answer.hyperion.provider == provider and answer.hyperion.model == answer.model
