"""Conversations of every shape that a dialect allows, put to the providers of the others.

What arrives must be of a shape that the provider takes, which the simulated one judges, and hold
every word that was said: all texts here are words of their own (w1, w2, ...), and must come once
each.
"""

import json
import re
from collections import Counter

import pytest

from harness.matrix import IMAGE
from harness.recorded_requests import Recorded, put
from harness.simulated import simulated_gateway

MODELS = {"chat": ["matrix-chat", "chat-only/gpt-4o"], "responses": ["gpt-5-codex", "gpt-5-pro"],
          "anthropic": ["claude-haiku-4-5", "claude-opus-5-5"],
          "gemini": ["gemini-2.5-flash", "gemini-3.5-flash"]}
DATA = "data:image/png;base64," + IMAGE
PDF = "JVBERi0xLjQKJSVFT0YK"


# Chat Completions.
def user(content) -> dict:
    return {"role": "user", "content": content}


def assistant(content, **members) -> dict:
    return {"role": "assistant", "content": content, **members}


def system(content, role="system") -> dict:
    return {"role": role, "content": content}


def calls(*ids: str, content=None, arguments="{}") -> dict:
    return assistant(content, tool_calls=[
        {"id": one, "type": "function", "function": {"name": "shelf", "arguments": arguments}}
        for one in ids])


def result(identifier: str, content) -> dict:
    return {"role": "tool", "tool_call_id": identifier, "content": content}


def text(word: str, **members) -> dict:
    return {"type": "text", "text": word, **members}


PICTURE = {"type": "image_url", "image_url": {"url": DATA, "detail": "low"}}
MARK = {"cache_control": {"type": "ephemeral"}}
CHAT = [
    [user("w1"), user("w2")],
    [user("w1"), assistant("w2"), assistant("w3"), user("w4")],
    [user("w1"), assistant(""), user("w2")],
    [user("w1"), assistant(None, refusal="w2"), user("w3")],
    [system("w1"), user("w2"), system("w3"), assistant("w4"), system("w5", "developer"),
     user("w6")],
    [system(""), user("w1")], [system("w1")], [assistant("w1"), user("w2")], [user(" ")],
    [user("")],
    [user([text(""), text("w1")])], [user([PICTURE])], [user([text("w1"), PICTURE, text("w2")])],
    [user("w1"), calls("a", "b"), result("b", "w2"), result("a", "w3"), user("w4")],
    [user("w1"), calls("a", "b", content="w2"), result("a", ""), result("b", [text("w3")]),
     assistant("w4"), user("w5")],
    [user("w1"), calls("a", content="", arguments=""), result("a", "null"), user("w2")],
    [user("w1"), calls("a", arguments="[1]"), result("a", "[1, 2]")],
    [user("w1"), calls("odd:id/with.marks é"), result("odd:id/with.marks é", "w2")],
    [user("w1"), calls("a"), result("a", "w2"), calls("b"), result("b", "w3"), calls("c", "d"),
     result("c", "w4"), result("d", "w5")],
    [user("w1"), calls("a"), result("a", [text("")]), system("w2"), user("w3")],
    [{**user("w1"), "name": "bob"}, assistant("w2", name="al"), user("w3")],
    [user("w1"), assistant(None, function_call={"name": "shelf", "arguments": "{}"}),
     {"role": "function", "name": "shelf", "content": "w2"}, user("w3")],
    [user("w1"), assistant([text("w2"), {"type": "refusal", "refusal": "w3"}]), user("w4")],
    [system([text("w1", **MARK), text(" ")]), user([text("w2", **MARK)])],
    [user("\n\t"), assistant("w1"), user("w2")], [user("w1"), assistant("\n"), user("w2")],
    [user("w1"), calls("a", content="\n"), result("a", " ")],
]


# Anthropic.
def block_call(identifier: str) -> dict:
    return {"type": "tool_use", "id": identifier, "name": "shelf", "input": {}}


def block_result(identifier: str, **members) -> dict:
    return {"type": "tool_result", "tool_use_id": identifier, **members}


def source(kind: str, media: str, data: str) -> dict:
    return {"source": {"type": kind, "media_type": media, "data": data}}


BLOCK_PICTURE = {"type": "image", **source("base64", "image/png", IMAGE)}
ANTHROPIC = [
    [user("w1"), user("w2")], [user("w1"), assistant("w2"), assistant("w3"), user("w4")],
    [user([text("w1"), BLOCK_PICTURE, text("w2")])], [assistant("w1"), user("w2")],
    [user("w1"), assistant([text("w2"), block_call("a"), block_call("b")]),
     user([block_result("b", content="w3"), block_result("a"), text("w4")])],
    [user("w1"), assistant([block_call("a")]),
     user([block_result("a", content=[text("w2"), BLOCK_PICTURE])])],
    [user("w1"), assistant([block_call("a")]),
     user([block_result("a", content="w2", is_error=True)])],
    [user("w1"), assistant([block_call("a")]), user([block_result("a", content=[])])],
    [user("w1"), assistant([block_call("a")]), user([block_result("a", content="")]),
     assistant([block_call("b")]), user([block_result("b", content="w2")])],
    [user([{"type": "document", **source("base64", "application/pdf", PDF), "title": "a.pdf"},
           text("w1")])],
    [user([{"type": "document", **source("text", "text/plain", "w1")}, text("w2")])],
    [user([{"type": "search_result", "source": "http://a", "title": "w1", "content": [text("w2")]},
           text("w3")])],
    [user("w1"), assistant([{"type": "redacted_thinking", "data": "c2ln"}, block_call("a")]),
     user([block_result("a", content="w2")])],
    [user([text("w1", **MARK)])],
]


# Gemini.
def content(role: str, *parts: dict) -> dict:
    return {"role": role, "parts": list(parts)}


def called(**members) -> dict:
    return {"functionCall": {"name": "shelf", "args": {}, **members}}


def answered(response: dict, **members) -> dict:
    return {"functionResponse": {"name": "shelf", "response": response, **members}}


def said(word: str) -> dict:
    return {"text": word}


def blob(media: str, data: str) -> dict:
    return {"inlineData": {"mimeType": media, "data": data}}


GEMINI = [
    [content("user", said("w1")), content("user", said("w2"))], [{"parts": [said("w1")]}],
    [content("user", said("w1")), content("model", said("")), content("user", said("w2"))],
    [content("user", said("w1")), content("model", called(), called()),
     content("user", answered({"result": "w2"}), answered({"error": "w3"}))],
    [content("user", said("w1")), content("model", said("w2"), called()),
     content("user", answered({"result": "w3"})), content("model", called()),
     content("user", answered({"output": {"deep": [1, "w4"]}}))],
    [content("user", said("w1")), content("model", called(id="i"), called(id="k")),
     content("user", answered({"a": "w2"}, id="k"), answered({"a": "w3"}, id="i"))],
    [content("user", blob("image/png", IMAGE), said("w1"))],
    [content("user", blob("application/pdf", PDF), said("w1"))],
    [content("user", said("w1")), content("model", {**called(), "thoughtSignature": "c2ln"}),
     content("user", answered({}), said("w2"))],
    [content("user", said(" ")), content("model", said("w1")), content("user", said("w2"))],
]


# Responses.
def item(role: str, parts) -> dict:
    return {"type": "message", "role": role, "content": parts}


def item_call(identifier: str, arguments="{}") -> dict:
    return {"type": "function_call", "call_id": identifier, "name": "shelf",
            "arguments": arguments}


def item_result(identifier: str, output) -> dict:
    return {"type": "function_call_output", "call_id": identifier, "output": output}


def part(kind: str, word: str) -> dict:
    return {"type": kind, "refusal" if kind == "refusal" else "text": word}


ITEM_PICTURE = {"type": "input_image", "image_url": DATA, "detail": "low"}
ITEM_FILE = {"type": "input_file", "filename": "a.pdf",
             "file_data": "data:application/pdf;base64," + PDF}
RESPONSES = [
    [item("user", "w1"), item("user", "w2")], [item("assistant", "w1"), item("user", "w2")],
    [item("developer", "w1"), item("user", "w2"), item("system", "w3"), item("user", "w4")],
    [item("user", "w1"), item_call("a"), item_call("b", ""), item_result("b", "w2"),
     item_result("a", ""), item("user", "w3")],
    [item("user", "w1"), item("assistant", [part("output_text", "w2")]), item_call("a"),
     item_result("a", [part("input_text", "w3"), ITEM_PICTURE])],
    [item("user", [part("input_text", ""), part("input_text", "w1"), ITEM_PICTURE])],
    [item("user", "w1"), {"type": "reasoning", "id": "rs_1", "summary": [],
                          "encrypted_content": "gAAAA"}, item_call("a"), item_result("a", "w2")],
    [item("user", "w1"), item_call("a"), item_result("a", "w2"), item_call("b"),
     item_result("b", "w3"), item("assistant", [part("output_text", "w4")]), item("user", "w5")],
    [item("user", [ITEM_FILE, part("input_text", "w1")])], [item("user", " ")],
    [item("user", "w1"), item("assistant", [part("refusal", "w2")]), item("user", "w3")],
]
# Of each dialect: the conversations, the member that holds them, tools, and a wish for thinking.
DIALECTS = {
    "chat": (CHAT, "messages", {"tools": [{"type": "function", "function": {"name": "shelf"}}]},
             {"reasoning_effort": "high"}),
    "anthropic": (ANTHROPIC, "messages",
                  {"tools": [{"name": "shelf", "input_schema": {"type": "object"}}]},
                  {"thinking": {"type": "enabled", "budget_tokens": 1500}}),
    "gemini": (GEMINI, "contents",
               {"tools": [{"functionDeclarations": [{"name": "shelf", "description": "A"}]}]},
               {"generationConfig": {"thinkingConfig": {"includeThoughts": True,
                                                        "thinkingBudget": 2000}}}),
    "responses": (RESPONSES, "input",
                  {"tools": [{"type": "function", "name": "shelf", "parameters": None,
                              "strict": None}]},
                  {"reasoning": {"effort": "high", "summary": "auto"}}),
}
DEFAULTS = {"anthropic": {"max_tokens": 3000}}

@pytest.fixture(scope="module")
def both(tmp_path_factory):
    with simulated_gateway(tmp_path_factory.mktemp("conversations")) as pair:
        yield pair


def words_of(value) -> Counter:
    """How often each stands in a body."""
    return Counter(re.findall(r"\bw\d\b", json.dumps(value).replace("\\n", " ")))


@pytest.mark.parametrize("client", DIALECTS)
def test_a_conversation_arrives_whole_in_a_shape_that_the_provider_takes(both, client):
    conversations, member, tools, thinking = DIALECTS[client]
    complaints = []
    for number, conversation in enumerate(conversations):
        for model in [one for to in MODELS if to != client for one in MODELS[to]]:
            for options in ({}, tools, thinking, {**tools, **thinking}):
                body = {"model": "any", member: conversation, **DEFAULTS.get(client, {}), **options}
                request = Recorded(f"{client} {number}", client, "models/any:generateContent", (),
                                   json.dumps(body))
                answer, sent = put(*both, request, model)
                case = f"{conversation} to {model} with {sorted(options)}"
                if answer.status != 200 or not answer.complete:
                    complaints.append(f"{case}: {answer.status} {answer.body[:300]}")
                elif words_of(sent[0].body) != words_of(conversation):
                    complaints.append(f"{case}: arrived as {sent[0].body}")
    assert not complaints, "\n".join([f"{len(complaints)}", *complaints[:30]])
