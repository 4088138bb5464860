"""What a request says, read from its JSON in any of the four dialects.

An oracle of its own, which knows nothing of how the gateway translates: only what carries meaning,
in one form for all dialects, so that a request and its translation must read the same. Thinking is
left out: signed by one provider, it means nothing to another.
"""

import json
from dataclasses import dataclass, field


@dataclass
class Meaning:
    system: str = ""
    said: list = field(default_factory=list)  # (kind, ...) in order: see the readers
    tools: list = field(default_factory=list)  # tool_of
    choice: str = "auto"  # none, auto, required, or the one tool's name
    answer: object = None  # the shape of the schema that is asked for, or "json"
    limit: int | None = None
    temperature: float | None = None
    stop: list = field(default_factory=list)

    def say(self, kind: str, text) -> None:
        if text:
            self.said.append((kind, text))

    def call(self, identifier, name: str, arguments: dict) -> None:
        self.said.append(("call", name, json.dumps(arguments, sort_keys=True)))
        self.__dict__.setdefault("open", []).append((identifier, name, len(self.said) - 1))

    def result(self, identifier, name, content) -> None:
        """The result of the open call with this id, or the first of this name: `said` has where."""
        for one in self.__dict__.get("open", []):
            if one[0] == identifier if identifier else one[1] == name:
                self.open.remove(one)
                self.said.append(("result", one[2], leaves(content)))
                return
        raise AssertionError(f"a result of no call: {identifier} {name}")

    @property
    def turns(self) -> int:
        """How often the speaker changes."""
        sides = [one[0] in ("assistant", "call") for one in self.said]
        return sum(1 for at, side in enumerate(sides) if at == 0 or sides[at - 1] != side)


def leaves(value) -> list:
    """The scalars of a tool's result: dialects wrap it in objects, and write objects as text."""
    if isinstance(value, str):
        if value[:1] in ("{", "["):
            try:
                return leaves(json.loads(value))
            except ValueError:
                pass
        return [value]
    if isinstance(value, dict):
        # A part of text, not a result's own member.
        inner = [value["text"]] if value.get("type") in ("text", "input_text") else value.values()
        return [leaf for one in inner for leaf in leaves(one)]
    if isinstance(value, list):
        return [leaf for one in value for leaf in leaves(one)]
    return [json.dumps(value)]


def shape(schema) -> dict:
    """Of a schema what all dialects can say, with types in one spelling."""
    found = {}
    for key, value in (schema or {}).items():
        if key == "type":
            found[key] = value.lower() if isinstance(value, str) else value
        elif key in ("properties", "$defs"):
            if value:
                found[key] = {name: shape(one) for name, one in value.items()}
        elif key == "items":
            found[key] = shape(value)
        elif key == "anyOf":
            found[key] = [shape(one) for one in value]
        elif key == "required":
            if value:
                found[key] = sorted(value)
        elif key in ("enum", "description", "$ref"):
            found[key] = value
    return found or {"type": "object"}


def tool_of(tool: dict, schema) -> tuple:
    """(name, description, shape of the parameters)"""
    return tool["name"], tool.get("description") or "", shape(schema)


def texts(content, kind: str = "text") -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get(kind, "") for part in content or [])


def words(*joined) -> str:
    """Instructions are joined with a separator that differs."""
    return " ".join(" ".join(joined).split())


def read_chat(body: dict) -> Meaning:
    meaning = Meaning(limit=body.get("max_completion_tokens", body.get("max_tokens")),
                      temperature=body.get("temperature"))
    for message in body["messages"]:
        role, content = message["role"], message.get("content")
        if role in ("system", "developer"):
            meaning.system = words(meaning.system, texts(content))
        elif role == "tool":
            meaning.result(message["tool_call_id"], None, content)
        else:
            parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
            for part in parts or []:
                if part["type"] == "image_url":
                    meaning.say("image", part["image_url"]["url"])
                else:
                    meaning.say(role, part["text"])
        for call in message.get("tool_calls") or []:
            meaning.call(call["id"], call["function"]["name"],
                         json.loads(call["function"]["arguments"] or "{}"))
    for tool in body.get("tools") or []:
        one = tool["function"]
        meaning.tools.append(tool_of(one, one.get("parameters")))
    choice = body.get("tool_choice", "auto")
    meaning.choice = choice if isinstance(choice, str) else choice["function"]["name"]
    wanted = body.get("response_format") or {}
    meaning.answer = answer_of(wanted, (wanted.get("json_schema") or {}).get("schema"))
    stop = body.get("stop") or []
    meaning.stop = [stop] if isinstance(stop, str) else stop
    return meaning


def answer_of(wanted: dict, schema):
    kind = wanted.get("type", "text")
    return {"text": None, "json_object": "json"}.get(kind, shape(schema))


def read_responses(body: dict) -> Meaning:
    meaning = Meaning(words(body.get("instructions") or ""), limit=body.get("max_output_tokens"),
                      temperature=body.get("temperature"))
    items = body["input"]
    for item in [{"role": "user", "content": items}] if isinstance(items, str) else items:
        kind = item.get("type", "message")
        if kind == "function_call":
            meaning.call(item["call_id"], item["name"], json.loads(item["arguments"] or "{}"))
        elif kind == "function_call_output":
            meaning.result(item["call_id"], None, item["output"])
        elif kind == "message":
            content = item["content"]
            parts = [{"text": content}] if isinstance(content, str) else content
            for part in parts:
                if part.get("type") == "input_image":
                    meaning.say("image", part["image_url"])
                elif item["role"] in ("system", "developer"):
                    meaning.system = words(meaning.system, part["text"])
                else:
                    meaning.say(item["role"], part["text"])
        else:
            assert kind == "reasoning", kind
    meaning.tools = [tool_of(tool, tool.get("parameters")) for tool in body.get("tools") or []]
    choice = body.get("tool_choice", "auto")
    meaning.choice = choice if isinstance(choice, str) else choice["name"]
    wanted = (body.get("text") or {}).get("format") or {}
    meaning.answer = answer_of(wanted, wanted.get("schema"))
    return meaning


def read_anthropic(body: dict) -> Meaning:
    meaning = Meaning(words(texts(body.get("system"))), limit=body.get("max_tokens"),
                      temperature=body.get("temperature"), stop=body.get("stop_sequences") or [])
    for message in body["messages"]:
        content = message["content"]
        for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            if part["type"] == "text":
                meaning.say(message["role"], part["text"])
            elif part["type"] == "image":
                meaning.say("image", image_of(part["source"]))
            elif part["type"] == "tool_use":
                meaning.call(part["id"], part["name"], part["input"])
            elif part["type"] == "tool_result":
                meaning.result(part["tool_use_id"], None, part.get("content", ""))
            else:
                assert part["type"] in ("thinking", "redacted_thinking"), part
    meaning.tools = [tool_of(tool, tool.get("input_schema")) for tool in body.get("tools") or []]
    choice = body.get("tool_choice") or {}
    kind = {"any": "required"}.get(choice.get("type", "auto"), choice.get("type", "auto"))
    meaning.choice = choice["name"] if kind == "tool" else kind
    wanted = (body.get("output_config") or {}).get("format")
    meaning.answer = shape(wanted["schema"]) if wanted else None
    return meaning


def image_of(source: dict) -> str:
    if source["type"] == "url":
        return source["url"]
    return f"data:{source['media_type']};base64,{source['data']}"


def either(value: dict, name: str, default=None):
    """A member of Gemini's, in camel or in snake case."""
    snake = "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)
    return value.get(name, value.get(snake, default))


def read_gemini(body: dict) -> Meaning:
    config = either(body, "generationConfig", {})
    system = either(body, "systemInstruction", {})
    meaning = Meaning(words(texts(system.get("parts"))), limit=either(config, "maxOutputTokens"),
                      temperature=config.get("temperature"),
                      stop=either(config, "stopSequences", []))
    for content in body["contents"]:
        role = "assistant" if content.get("role") == "model" else "user"
        for part in content["parts"]:
            read_gemini_part(meaning, role, part)
    for tool in body.get("tools") or []:
        for one in either(tool, "functionDeclarations"):
            schema = either(one, "parametersJsonSchema") or one.get("parameters")
            meaning.tools.append(tool_of(one, schema))
    calling = either(either(body, "toolConfig", {}), "functionCallingConfig", {})
    meaning.choice = {"ANY": "required", "NONE": "none"}.get(calling.get("mode"), "auto")
    if len(either(calling, "allowedFunctionNames", [])) == 1:
        meaning.choice = either(calling, "allowedFunctionNames")[0]
    schema = either(config, "responseJsonSchema") or either(config, "responseSchema")
    as_json = either(config, "responseMimeType") == "application/json"
    meaning.answer = (shape(schema) if schema else "json") if as_json else None
    return meaning


def read_gemini_part(meaning: Meaning, role: str, part: dict) -> None:
    call, response = either(part, "functionCall"), either(part, "functionResponse")
    data = either(part, "inlineData")
    if call:
        meaning.call(call.get("id"), call["name"], call.get("args") or {})
    elif response:
        meaning.result(response.get("id"), response["name"], response["response"])
    elif data:
        meaning.say("image", f"data:{either(data, 'mimeType')};base64,{data['data']}")
    elif not part.get("thought"):
        # A signature may have a part of its own, without any text.
        meaning.say(role, part.get("text"))


READERS = {"chat": read_chat, "responses": read_responses, "anthropic": read_anthropic,
           "gemini": read_gemini}


def meaning_of(dialect: str, body: dict) -> Meaning:
    return READERS[dialect](body)
