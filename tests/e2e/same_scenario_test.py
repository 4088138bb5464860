"""The same conversation recorded in several dialects: one's request, translated, says the other's.

Clients of one library asked several providers the same. Each recorded request goes through the
gateway to the simulated provider of each other dialect; what arrives there is compared, by what
carries meaning, with what that client itself sent to a provider of that dialect.
"""

import re
from collections import Counter

import pytest

from harness.meaning import meaning_of
from harness.recorded_requests import put, recorded_requests
from harness.simulated import simulated_gateway

MODELS = {"anthropic": "claude-haiku-4-5", "chat": "matrix-chat", "gemini": "gemini-2.5-flash",
          "responses": "gpt-5-codex"}
SCENARIO = re.compile(
    r"rubyllm__chat_(.*?)_(?:with_)?(?:anthropic|azure|deepseek|gemini|mistral|ollama|openai"
    r"|openrouter|perplexity|vertexai|xai)_.*?_((?:can|handles|raises|supports|successfully)_.*)")
# What another library's clients asked, by the part of the names that they have in common.
OTHERS = ("simonw__anthropic.tools.json 0", "simonw__gemini.tools.json 0")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    with simulated_gateway(tmp_path_factory.mktemp("gateway")) as pair:
        yield pair


def scenario_of(name: str) -> str:
    """The name of a recording without the provider and its model."""
    name = name.rpartition("/")[2]
    if name in OTHERS:
        return name.rpartition(".tools")[2]
    found = SCENARIO.fullmatch(name)
    return f"{found[1]} {found[2]}" if found else ""


def by_scenario() -> dict:
    """{scenario: {dialect: [requests]}}"""
    found = {}
    for request in recorded_requests():
        if scenario := scenario_of(request.name):
            found.setdefault(scenario, {}).setdefault(request.dialect, []).append(request)
    return found


def asked_for(meaning) -> list:
    """What the client asked: two runs of a scenario differ in what the models said."""
    said = [line for line in meaning.said if line[0] == "user"]
    # Around a result clients put what they like: its last word is the tool's.
    said += [("result", meaning.said[line[1]][1], line[2][-1])
             for line in meaning.said if line[0] == "result"]
    return [meaning.system, said, meaning.tools, meaning.choice, meaning.answer, meaning.stop]


def is_comparable(mine, theirs) -> bool:
    def prompts(meaning):
        return [line for line in meaning.said if line[0] == "user"]
    return prompts(mine) == prompts(theirs)


def test_a_recorded_request_translated_says_what_the_other_recording_says(both):
    compared = Counter()
    for scenario, dialects in by_scenario().items():
        for source, target in [(a, b) for a in dialects for b in dialects if a != b]:
            for request in dialects[source]:
                mine = meaning_of(source, request.body)
                others = [meaning_of(target, other.body) for other in dialects[target]]
                others = [other for other in others if is_comparable(mine, other)
                          and other.turns == mine.turns]
                if not others:
                    continue
                answer, sent = put(*both, request, MODELS[target])
                assert answer.status == 200 and len(sent) == 1, (request.name, answer.body)
                arrived = meaning_of(target, sent[0].body)
                assert arrived.said == mine.said, (request.name, target)
                for theirs in others:
                    assert asked_for(arrived) == asked_for(theirs), (request.name, target)
                    compared[scenario] += 1
    assert len(compared) >= 6 and sum(compared.values()) >= 100, compared
