"""What the simulated provider answered, said by itself: the requests it got are put to it once
more, without a gateway and without streaming, and the plain answers are read here by hand.

The simulator answers the same to the same messages, streamed or not. So whatever a client saw
through the gateway must be what stands here.
"""

import base64
import json
import re
import urllib.request
from dataclasses import dataclass, field

from harness.waiting import DEADLINE_S

NOT_REPEATED = ("host", "content-length", "connection", "accept-encoding", "transfer-encoding")

STREAM_MEMBERS = re.compile(
    rb',\s*"stream(?:_options)?":\s*(?:true|{[^}]*})|"stream(?:_options)?":\s*(?:true|{[^}]*}),')


@dataclass
class Said:
    upstream: str
    text: str = ""
    thinking: str = ""
    calls: list = field(default_factory=list)  # of {name, arguments}
    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0


def upstream_of(target: str) -> str:
    """The dialect of a request by its path."""
    path = target.partition("?")[0]
    if path.endswith("/chat/completions"):
        return "chat"
    if path.endswith("/responses"):
        return "responses"
    return "anthropic" if path.endswith("/messages") else "gemini"


def body_of(request: dict) -> dict:
    return json.loads(base64.b64decode(request["body"]))


def repeated(url: str, request: dict) -> Said:
    """What the simulator answers to this request of its record."""
    target = request["target"].partition("?")[0]
    target = target.replace(":streamGenerateContent", ":generateContent")
    # By hand: it is the bytes of the messages from which the simulator draws its answer.
    body = STREAM_MEMBERS.sub(b"", base64.b64decode(request["body"]))
    headers = {name: value for name, value in request["headers"]
               if name.lower() not in NOT_REPEATED}
    asked = urllib.request.Request(url + target, body, headers)
    with urllib.request.urlopen(asked, timeout=DEADLINE_S) as answer:
        document = json.load(answer)
    upstream = upstream_of(target)
    return READERS[upstream](document)


def read_chat(document: dict) -> Said:
    message = document["choices"][0]["message"]
    usage = document["usage"]
    calls = [{"name": call["function"]["name"],
              "arguments": json.loads(call["function"]["arguments"])}
             for call in message.get("tool_calls") or []]
    return Said("chat", message["content"] or "", "", calls, usage["prompt_tokens"],
                usage["completion_tokens"],
                usage["completion_tokens_details"]["reasoning_tokens"])


def read_responses(document: dict) -> Said:
    said = Said("responses")
    for item in document["output"]:
        if item["type"] == "message":
            said.text += "".join(part["text"] for part in item["content"])
        elif item["type"] == "function_call":
            said.calls.append({"name": item["name"], "arguments": json.loads(item["arguments"])})
        elif item["type"] == "reasoning":
            said.thinking += "".join(part["text"] for part in item["summary"])
    usage = document["usage"]
    said.input_tokens, said.output_tokens = usage["input_tokens"], usage["output_tokens"]
    said.reasoning_tokens = usage["output_tokens_details"]["reasoning_tokens"]
    return said


def read_anthropic(document: dict) -> Said:
    said = Said("anthropic")
    for block in document["content"]:
        said.text += block.get("text", "")
        said.thinking += block.get("thinking", "")
        if block["type"] == "tool_use":
            said.calls.append({"name": block["name"], "arguments": block["input"]})
    usage = document["usage"]
    said.input_tokens = sum(usage.get(name) or 0 for name in (
        "input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"))
    said.output_tokens = usage["output_tokens"]
    said.reasoning_tokens = (usage.get("output_tokens_details") or {}).get("thinking_tokens", 0)
    return said


def read_gemini(document: dict) -> Said:
    said = Said("gemini")
    for part in document["candidates"][0]["content"]["parts"]:
        if "functionCall" in part:
            call = part["functionCall"]
            said.calls.append({"name": call["name"], "arguments": call.get("args", {})})
        elif part.get("thought"):
            said.thinking += part.get("text", "")
        else:
            said.text += part.get("text", "")
    usage = document["usageMetadata"]
    said.input_tokens = usage["promptTokenCount"] + usage.get("toolUsePromptTokenCount", 0)
    said.reasoning_tokens = usage.get("thoughtsTokenCount", 0)
    said.output_tokens = usage.get("candidatesTokenCount", 0) + said.reasoning_tokens
    return said


READERS = {"chat": read_chat, "responses": read_responses, "anthropic": read_anthropic,
           "gemini": read_gemini}
