"""Every option of a dialect, asked of every model of the other dialects.

What the gateway writes for a model must be what that model's provider takes: what a model lacks is
a fact of the catalogue, which the simulated provider holds against every request. Where an option
cannot be said at all the gateway itself refuses it, by its name.
"""

import json
from dataclasses import replace

import pytest

from harness.recorded_requests import (
    ask_recorded, is_of, put, recorded_requests, refusal_named, refusals_expected)
from harness.simulated import KEY, simulated_gateway
from harness.wire import ask

SCHEMA = {"type": "object", "required": ["title"], "properties": {
    "title": {"type": "string", "minLength": 1}, "pages": {"type": "integer", "minimum": 1},
    "words": {"type": "array", "items": {"type": ["string", "null"]}}}}
EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"]


def function(**members) -> dict:
    return {"type": "function", "function": {"name": "shelf", "parameters": SCHEMA, **members}}


def flat(**members) -> dict:
    return {"type": "function", "name": "shelf", "parameters": SCHEMA, "strict": False, **members}


def tool(**members) -> dict:
    return {"name": "shelf", "input_schema": SCHEMA, **members}


def declared(**config) -> dict:
    functions = [{"name": "shelf", "description": "A shelf.", "parametersJsonSchema": SCHEMA}]
    return {"tools": [{"functionDeclarations": functions}],
            "toolConfig": {"functionCallingConfig": config}}


NAMED = {"type": "function", "function": {"name": "shelf"}}
CHAT_SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
OPTIONS = {
    "chat": [
        {"seed": 1}, {"presence_penalty": 1, "frequency_penalty": 0.5}, {"temperature": 2},
        {"temperature": 0.5, "top_p": 0.5}, {"top_p": 0.5}, {"stop": "x y"}, {"stop": [" ", "a"]},
        {"max_tokens": 10}, {"max_completion_tokens": 1}, {"max_completion_tokens": 500_000},
        {"user": "u", "metadata": {"a": "b"}, "store": True}, {"service_tier": "flex"},
        {"service_tier": "priority"}, {"verbosity": "low"}, {"logit_bias": {"1": 2}},
        {"prediction": {"type": "content", "content": "x"}}, {"logprobs": True},
        {"tools": [function()], "parallel_tool_calls": False},
        {"tools": [{"type": "function", "function": {"name": "plain"}}]},
        {"tools": [function()], "tool_choice": "none"},
        {"tools": [function()], "tool_choice": "required"},
        {"tools": [function()], "tool_choice": NAMED},
        {"tools": [function()], "tool_choice": {"type": "allowed_tools", "allowed_tools": {
            "mode": "required", "tools": [NAMED]}}},
        {"response_format": {"type": "json_object"}}, {"response_format": CHAT_SCHEMA},
        {"response_format": CHAT_SCHEMA, "tools": [function()]},
        *({"reasoning_effort": effort} for effort in EFFORTS),
        {"reasoning_effort": "high", "tools": [function()], "tool_choice": "required"},
        {"reasoning_effort": "high", "max_completion_tokens": 200},
        {"reasoning_effort": "max", "max_completion_tokens": 3000},
        {"reasoning_effort": "high", "temperature": 0.3, "top_p": 0.2},
    ],
    "responses": [
        {"temperature": 2}, {"temperature": 0.3, "top_p": 0.3}, {"top_p": 0.3},
        {"max_output_tokens": 16}, {"max_output_tokens": 400_000}, {"truncation": "auto"},
        {"user": "u", "metadata": {"a": "b"}, "store": True}, {"service_tier": "flex"},
        {"tools": [flat(parameters=None)], "tool_choice": "none"},
        {"tools": [flat()], "tool_choice": "required"},
        {"tools": [flat()], "tool_choice": {"type": "function", "name": "shelf"}},
        {"tools": [flat()], "parallel_tool_calls": False}, {"text": {"verbosity": "low"}},
        {"text": {"format": {"type": "json_object"}}},
        {"text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}}},
        *({"reasoning": {"effort": effort, "summary": "auto"}} for effort in EFFORTS),
        {"reasoning": {"effort": "high"}, "max_output_tokens": 200},
        {"reasoning": {"effort": "high"}, "tools": [flat()]},
    ],
    "anthropic": [
        {"temperature": 0}, {"temperature": 1, "top_p": 0.9}, {"top_p": 0.5}, {"top_k": 3},
        {"stop_sequences": ["a", "b"]}, {"max_tokens": 1}, {"max_tokens": 500_000},
        {"metadata": {"user_id": "u"}}, {"service_tier": "standard_only"},
        {"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 4000},
        {"thinking": {"type": "adaptive"}}, {"thinking": {"type": "disabled"}},
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
        {"output_config": {"effort": "low"}},
        {"output_config": {"format": {"type": "json_schema", "schema": {
            **SCHEMA, "additionalProperties": False}}}},
        {"tools": [tool()], "tool_choice": {"type": "any"}},
        {"tools": [tool(strict=True)], "tool_choice": {"type": "none"}},
        {"tools": [tool()], "tool_choice": {"type": "tool", "name": "shelf",
                                            "disable_parallel_tool_use": True}},
        {"tools": [tool()], "thinking": {"type": "adaptive"}},
        {"tools": [tool(cache_control={"type": "ephemeral"})],
         "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]},
    ],
    "gemini": [
        *({"generationConfig": config} for config in (
            {"temperature": 2}, {"temperature": 0.2, "topP": 0.4, "topK": 4}, {"topP": 0.4},
            {"maxOutputTokens": 1}, {"maxOutputTokens": 300_000}, {"stopSequences": ["a"]},
            {"seed": 3}, {"presencePenalty": 1, "frequencyPenalty": 1},
            {"responseMimeType": "application/json"},
            {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
            {"responseMimeType": "application/json", "responseSchema": {
                "type": "OBJECT", "propertyOrdering": ["a"], "properties": {
                    "a": {"type": "STRING", "nullable": True, "format": "enum", "enum": ["b"]}}}},
            {"thinkingConfig": {"thinkingBudget": 0}}, {"thinkingConfig": {"thinkingBudget": -1}},
            {"thinkingConfig": {"thinkingBudget": 20_000, "includeThoughts": True}},
            {"thinkingConfig": {"thinkingLevel": "MINIMAL"}},
            {"thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": True}},
            {"mediaResolution": "MEDIA_RESOLUTION_LOW"}, {"responseModalities": ["TEXT"]})),
        declared(mode="ANY"), declared(mode="NONE"), declared(mode="VALIDATED"),
        declared(mode="ANY", allowedFunctionNames=["shelf"]),
        {**declared(mode="AUTO"), "generationConfig": {"thinkingConfig": {"thinkingBudget": -1}}},
        {"systemInstruction": {"parts": [{"text": "a"}, {"text": "b"}]}},
    ],
}
# Of a recorded request, what an option would have to fit in with.
NOT_KEPT = ("tools", "tool_choice", "response_format", "n", "stop_sequences", "output_config",
            "thinking", "generationConfig", "generation_config", "max_tokens", "temperature")
CALLS = ("tool_use", "tool_calls", "functionCall", "function_call")
DEFAULTS = {"anthropic": {"max_tokens": 2048}}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    with simulated_gateway(tmp_path_factory.mktemp("models")) as pair:
        yield pair


def models_of(gateway) -> list:
    """Of each provider's models one name."""
    listed = json.loads(ask(gateway, method="GET", path="/v1/models", key=KEY).body)["data"]
    models = {}
    for one in listed:
        reached = {"chat"} if one["provider"] == "chat-only" else {"chat", "responses"}
        if reached & set(one["endpoints"]) and not one["capabilities"].get("audio_out"):
            models[one["provider"], one["model"]] = one
    return list(models.values())


def dialect_of(model: dict, client: str) -> str:
    """In which dialect a client's request reaches the model."""
    if model["provider"] == "chat-only":
        return "chat"
    if model["provider"] == "openai":
        return "chat" if client == "chat" and "chat" in model["endpoints"] else "responses"
    return model["provider"]


def bases_of(client: str) -> list:
    """Recorded requests that are taken everywhere, without any option."""
    rows = refusals_expected()
    found = []
    for request in recorded_requests():
        kept = {name: value for name, value in request.body.items() if name not in NOT_KEPT}
        text = json.dumps({**DEFAULTS.get(client, {}), **kept})
        # Conversations with calls want their tools, and have a test of their own.
        calls = any(word in text for word in CALLS)
        if request.dialect == client and not calls and not any(is_of(request, row) for row in rows):
            found.append(replace(request, text=text))
    return found


def complaint_of_refusal(client: str, option: dict, answer, sent: list) -> str:
    if sent:
        return f"the provider refused: {answer.body[:300]} of {sent[0].body}"
    code, param = refusal_named(client, answer)
    members = {*option, *(name for value in option.values() if isinstance(value, dict)
                          for name in value)}
    if code == "unsupported_parameter" and members & {*param.partition("[")[0].split(".")}:
        return ""
    return f"refused: {answer.body[:300]}"


@pytest.mark.parametrize("client", OPTIONS)
def test_what_is_written_for_a_model_is_what_its_provider_takes(both, client):
    gateway, simulator = both
    bases = bases_of(client)
    assert len(bases) >= 5
    complaints, asked = [], 0
    for at, model in enumerate(models_of(gateway)):
        if dialect_of(model, client) == client:
            continue
        for number, option in enumerate(OPTIONS[client]):
            base = bases[(at + number) % len(bases)]
            request = replace(base, text=json.dumps({**base.body, **option}))
            answer = ask_recorded(gateway, request, model["id"])
            asked += 1
            found = "" if answer.complete else f"not complete: {answer.body[-300:]}"
            if answer.status != 200:
                found = complaint_of_refusal(client, option,
                                             *put(gateway, simulator, request, model["id"]))
            if found:
                complaints.append(f"{model['id']}, {option}: {found}")
    assert not complaints, "\n".join([f"{len(complaints)} of {asked}", *complaints[:40]])
    assert asked > 1500
