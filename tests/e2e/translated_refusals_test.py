"""What cannot be translated is refused in the words of the client's dialect, before anything is
sent: the field has the name under which the client gave it."""

import json

import pytest

from harness.simulated import conf_at
from harness.wire import ask

BYTES_MAX = 1 << 20


def CONF(port: int) -> dict:
    return {**conf_at(port), "limits": {"translated_request_max_bytes": BYTES_MAX}}


def messages(*parts: dict) -> dict:
    return {"max_tokens": 9, "messages": [{"role": "user", "content": [
        {"type": "text", "text": "Hi"}, *parts]}]}


def contents(*parts: dict) -> dict:
    return {"contents": [{"role": "user", "parts": [{"text": "Hi"}, *parts]}]}


def items(*parts: dict) -> dict:
    return {"input": [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}, *parts]}]}


FILE = {"type": "document", "source": {"type": "file", "file_id": "file_1"}}
SOUND = {"inlineData": {"mimeType": "audio/ogg", "data": "QUJD"}}
CASES = [
    ("messages", "gpt-4o", messages(FILE), "messages[0].content[1]"),
    ("messages", "gpt-5.6-sol", messages(FILE), "messages[0].content[1]"),
    ("messages", "gemini-2.5-flash", messages(FILE), "messages[0].content[1]"),
    ("messages", "gpt-4o", {**messages(), "stop_sequences": list("abcde")}, "stop_sequences"),
    ("gemini", "gpt-4o", contents(SOUND), "contents[0].parts[1]"),
    ("gemini", "gpt-5.6-sol", contents(SOUND), "contents[0].parts[1]"),
    ("gemini", "claude-haiku-4-5", contents(SOUND), "contents[0].parts[1]"),
    ("gemini", "claude-haiku-4-5",
     {**contents(), "generationConfig": {"candidateCount": 2}}, "generationConfig.candidateCount"),
    ("gemini", "gpt-4o", {**contents(), "systemInstruction": {"parts": [{"text": "a"}]},
                          "system_instruction": {"parts": [{"text": "a"}]}}, "systemInstruction"),
    ("responses", "claude-haiku-4-5", items({"type": "input_file", "file_id": "file-1"}),
     "input[0].content[1]"),
    ("responses", "gemini-2.5-flash", {"input": [{"type": "web_search_call", "id": "w"}]}, "input"),
    ("chat/completions", "claude-haiku-4-5", {**messages(), "n": 2}, "n"),
]


@pytest.mark.parametrize("route,model,body,field", CASES)
def test_a_refusal_names_the_field_as_the_client_knows_it(
        gateway, upstream, route, model, body, field):
    path = "/v1/" + route
    if route == "gemini":
        path = f"/v1beta/models/{model}:generateContent"
    else:
        body = {"model": model, **body}
    seen = len(upstream.requests)
    answer = ask(gateway, json.dumps(body).encode(), path=path)
    assert answer.status == 400 and len(upstream.requests) == seen
    error = json.loads(answer.body)["error"]
    if route == "messages":
        named = error["details"]["param"]
    elif route == "gemini":
        named = error["details"][0]["metadata"]["param"]
    else:
        named = error["param"]
    assert named == field and f"`{field}`" in error["message"]


def test_more_messages_than_the_conf_lets_a_translation_hold_are_too_large(gateway, upstream):
    body = {"model": "claude-haiku-4-5",
            "messages": [{"role": "user", "content": "a"}] * (BYTES_MAX // 200)}
    seen = len(upstream.requests)
    answer = ask(gateway, json.dumps(body).encode())
    assert answer.status == 413 and len(upstream.requests) == seen
    error = json.loads(answer.body)["error"]
    assert error["code"] == "request_too_large" and str(BYTES_MAX) in error["message"]


def test_a_path_that_does_not_exist_is_answered_in_its_clients_words(gateway, upstream):
    google = ask(gateway, b"{}", path="/v1beta/models/gpt-4o:batchGenerateContent")
    assert google.status == 404
    assert json.loads(google.body)["error"]["status"] == "NOT_FOUND"
    anthropic = ask(gateway, b"{}", path="/v1/messages/batches")
    assert anthropic.status == 404 and json.loads(anthropic.body)["type"] == "error"
    assert not upstream.requests
