"""The same conversation recorded in several dialects: one's request, translated, says the other's.

Clients of one library asked several providers the same. Each recorded request goes through the
gateway to each other provider; what arrives there is compared, by what carries meaning, with what
that client itself sent to that provider.
"""

import json
import re

from harness.shared_data import shared_folder
from harness.simulated import conf_at as CONF
from harness.upstream import plain_answer
from harness.wire import ask

FOLDERS = {"anthropic": "anthropic/messages", "gemini": "gemini/generateContent",
           "responses": "openai/responses"}
# A Responses-only model, so that the translated request is of that dialect.
MODELS = {"anthropic": "claude-haiku-4-5", "gemini": "gemini-2.5-flash", "responses": "gpt-5-pro"}


def text_of(content) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if isinstance(part, dict))


def schema_of(schema) -> tuple:
    """The parameters of a tool: names of the required, and all names with their types."""
    schema = schema or {}
    types = {name: str(value.get("type")).lower()
             for name, value in schema.get("properties", {}).items()}
    return tuple(sorted(types.items())), tuple(sorted(schema.get("required", [])))


def meaning_of_anthropic(body: dict) -> list:
    said = [("system", text_of(body["system"]))] if body.get("system") else []
    for message in body["messages"]:
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for part in parts:
            if part["type"] == "text":
                said.append((message["role"], part["text"]))
            elif part["type"] == "tool_use":
                said.append(("call", part["name"], json.dumps(part["input"], sort_keys=True)))
            elif part["type"] == "tool_result":
                said.append(("result", result_text(text_of(part["content"]))))
    tools = [(tool["name"], schema_of(tool.get("input_schema"))) for tool in body.get("tools", [])]
    return said + sorted(tools)


def meaning_of_gemini(body: dict) -> list:
    system = body.get("systemInstruction", {}).get("parts", [])
    said = [("system", text_of(system))] if system else []
    for content in body["contents"]:
        role = "assistant" if content.get("role") == "model" else "user"
        for part in content["parts"]:
            if "functionCall" in part:
                call = part["functionCall"]
                said.append(("call", call["name"], json.dumps(call["args"], sort_keys=True)))
            elif "functionResponse" in part:
                said.append(("result", result_text(part["functionResponse"]["response"])))
            elif "text" in part:
                said.append((role, part["text"]))
    declared = [one for tool in body.get("tools", [])
                for one in tool.get("functionDeclarations", [])]
    tools = [(one["name"], schema_of(one.get("parametersJsonSchema") or one.get("parameters")))
             for one in declared]
    return said + sorted(tools)


def result_text(response) -> str:
    """The text in the object that Gemini's clients make of a result, or such an object as text."""
    if isinstance(response, str):
        try:
            response = json.loads(response)
        except ValueError:
            return response
    found = list(response.values()) if isinstance(response, dict) else []
    value = found[-1] if found else ""
    return value if isinstance(value, str) else text_of(value)


def meaning_of_responses(body: dict) -> list:
    items = body["input"]
    items = [{"role": "user", "content": items}] if isinstance(items, str) else items
    said = [("system", body["instructions"])] if body.get("instructions") else []
    for item in items:
        kind = item.get("type", "message")
        if kind == "message":
            role = "system" if item["role"] == "developer" else item["role"]
            said.append((role, text_of(item["content"])))
        elif kind == "function_call":
            arguments = json.dumps(json.loads(item["arguments"] or "{}"), sort_keys=True)
            said.append(("call", item["name"], arguments))
        elif kind == "function_call_output":
            said.append(("result", result_text(text_of(item["output"]))))
    tools = [(tool["name"], schema_of(tool.get("parameters"))) for tool in body.get("tools", [])]
    return said + sorted(tools)


MEANINGS = {"anthropic": meaning_of_anthropic, "gemini": meaning_of_gemini,
            "responses": meaning_of_responses}


def scenario_of(name: str) -> str:
    """The name of a recording of this library without the provider and its model."""
    found = re.match(r"rubyllm__chat_(.*?)_(?:with_)?(anthropic|gemini|openai)_[\w-]*?_?"
                     r"((?:can|handles|supports|successfully)_\w+)\.json", name)
    return f"{found[1]} {found[3]}" if found else ""


def recorded_requests(dialect: str) -> dict:
    """{(scenario, number of the request): body} of a dialect."""
    found = {}
    for file in sorted((shared_folder("recorded") / FOLDERS[dialect]).glob("rubyllm__*.json")):
        for number, exchange in enumerate(json.loads(file.read_text())["exchanges"]):
            body = exchange["request"].get("body")
            if scenario_of(file.name) and body and exchange["response"]["status"] == 200:
                found[scenario_of(file.name), number] = json.loads(body)
    return found


def path_for(dialect: str, model: str) -> str:
    return {"anthropic": "/v1/messages", "responses": "/v1/responses",
            "gemini": f"/v1beta/models/{model}:generateContent"}[dialect]


def is_comparable(mine: list, theirs: list) -> bool:
    """Two runs of a scenario differ in what the models said; what was asked must not."""
    def asked(meaning):
        return [line for line in meaning if line[0] == "user"]
    return asked(mine) == asked(theirs)


def test_a_recorded_request_translated_says_what_the_other_recording_says(gateway, upstream):
    requests = {dialect: recorded_requests(dialect) for dialect in FOLDERS}
    upstream.handler = lambda connection: connection.send(plain_answer(b"{}"))
    compared = 0
    for source in FOLDERS:
        for target in FOLDERS:
            if source == target:
                continue
            for key in sorted(requests[source].keys() & requests[target].keys()):
                mine = MEANINGS[source](requests[source][key])
                theirs = MEANINGS[target](requests[target][key])
                if not is_comparable(mine, theirs):
                    continue
                body = {**requests[source][key], "stream": False}
                if source == "gemini":
                    del body["stream"]
                else:
                    body["model"] = MODELS[target]
                answer = ask(gateway, json.dumps(body).encode(),
                             path=path_for(source, MODELS[target]))
                assert answer.status == 502, (source, target, key, answer.body)
                sent = MEANINGS[target](upstream.requests[-1].json())
                assert sent == mine, (source, target, key)
                # Models differ in the words between; what both recordings share must be the same.
                shared = [line for line in theirs if line[0] not in ("assistant", "call")]
                assert [line for line in sent if line[0] not in ("assistant", "call")] == shared, (
                    source, target, key)
                compared += 1
    assert compared >= 12, compared
