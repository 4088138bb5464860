"""Streams as OpenAI-shaped hosts have them, each with its quirks, and streams of the others with
what is seldom seen in them: to clients of every dialect, at every kind of byte cut.

Made by hand after what was recorded and documented of the hosts, where the recordings have no such
stream.
"""

import json
import random

import pytest

from harness.judge import check_answer
from harness.recorded import DIALECTS, Recording, events_of
from harness.replay import CLIENTS, ask_for, check_logged_usage, replaying
from harness.replay import conf_at as CONF

SEED = 13
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def chunk(delta: dict, finish=None, **members) -> dict:
    return {"id": "x1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **members}


def said(**delta) -> dict:
    return chunk({"role": "assistant", **delta})


def stream(*documents: dict, before: str = "", line_end: str = "\n") -> str:
    text = events_of([json.dumps(one, ensure_ascii=False) for one in documents], "chat")
    return (before + text).replace("\n", line_end)


def detail(**members) -> list:
    return [{"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0, **members}]


def thoughts(text: str) -> dict:
    return chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]})


def call(**function) -> dict:
    return {"tool_calls": [{"index": 0, "function": function}]}


CALL = {"tool_calls": [{"index": 0, "id": "chatcmpl-tool-1", "type": "function",
                        "function": {"name": "f", "arguments": ""}}]}
HOSTS = {
    # Comments while it waits, reasoning twice, a signature by itself, usage behind the finish.
    "openrouter": stream(
        said(content="", reasoning="Hm", reasoning_details=detail(text="Hm")),
        said(content="", reasoning=None, reasoning_details=detail(signature="c2ln")),
        said(content="Yes \u2713"), chunk({"role": "assistant", "content": ""}, "stop"),
        chunk({"role": "assistant", "content": ""}, usage={**USAGE, "cost": 0.1}),
        before=": OPENROUTER PROCESSING\n\n" * 3),
    # Content in parts, usage beside the finish.
    "mistral": stream(said(content=""), thoughts("Let me"), thoughts(" think"),
                      chunk({"content": "Two"}, p="abc"),
                      chunk({"content": ""}, "stop", usage=USAGE)),
    # A word of its own for the finish.
    "together": stream(said(content="Hi", tool_calls=None), chunk({"content": ""}, "eos",
                                                                  usage=USAGE)),
    # Usage in every chunk, growing; a character of several bytes in arguments.
    "vllm": stream(
        chunk({"role": "assistant", "content": ""}, usage={**USAGE, "completion_tokens": 0}),
        chunk({"reasoning_content": "a"}), chunk(CALL), chunk(call(arguments='{"a": "\u00e9')),
        chunk(call(arguments='\\n"}')), chunk({"content": ""}, "tool_calls", usage=USAGE),
        line_end="\r\n"),
    "cerebras": stream(said(), chunk({"reasoning": "r"}), chunk({"content": "C"}),
                       chunk({}, "stop", usage=USAGE, time_info={"queue_time": 0.1})),
    # The role in every chunk, content beside a call.
    "ollama": stream(said(content="", reasoning="t"),
                     said(content="", **{**CALL}), chunk(call(arguments='{"x":1}')),
                     chunk({"role": "assistant", "content": ""}, "tool_calls"),
                     {**chunk({}), "choices": [], "usage": USAGE}),
    # Usage in a member of its own.
    "groq": stream(said(content=None, channel="analysis"), chunk({"reasoning": "think"}),
                   chunk({"content": "G"}), chunk({}, "length", x_groq={"usage": USAGE})),
    # A first chunk that names nothing.
    "azure": stream({"choices": [], "created": 0, "id": "", "model": "", "object": "",
                     "prompt_filter_results": []},
                    said(content="", refusal=None), chunk({"content": "A"}, obfuscation="ab"),
                    chunk({}, "content_filter", usage=None),
                    {**chunk({}), "choices": [], "usage": USAGE}),
    # Comments that keep the connection, its own names for what was cached.
    "deepseek": stream(said(content=None, reasoning_content=""),
                       chunk({"content": None, "reasoning_content": "R"}),
                       chunk({"content": "D", "reasoning_content": None}),
                       chunk({"content": ""}, "stop", usage={
                           **USAGE, "prompt_cache_hit_tokens": 3, "prompt_cache_miss_tokens": 2}),
                       before=": keep-alive\n\n" * 2),
    # Thinking is not counted in what it says of the answer.
    "xai": stream(said(reasoning_content="T"), said(content="X"),
                  chunk({"role": "assistant"}, "stop"),
                  {**chunk({}), "choices": [], "usage": {
                      "prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 20,
                      "completion_tokens_details": {"reasoning_tokens": 8}}}),
    # The whole answer so far beside every piece.
    "perplexity": stream(
        {**chunk({}), "choices": [{"index": 0, "delta": {"role": "assistant", "content": "P"},
                                   "message": {"role": "assistant", "content": "P"}}],
         "citations": ["https://a"], "usage": USAGE},
        {**chunk({"role": "assistant", "content": ""}, "stop"), "usage": USAGE,
         "object": "chat.completion.done", "citations": ["https://a"]}, line_end="\r\n"),
}


def check(gateway, upstream, client: str, recording: Recording) -> None:
    if client != recording.dialect:
        told = check_answer(gateway, upstream, client, recording, random.Random(SEED))
        check_logged_usage(gateway, told)
        return
    upstream.handler = replaying(recording, recording.body.encode(), "bytes", random.Random(SEED))
    answer = ask_for(gateway, client, recording, recording.streamed)
    assert answer.body == recording.body.encode() and answer.complete


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_hosts_quirks_are_read(gateway, upstream, client, host):
    check(gateway, upstream, client, Recording(host, host, "chat.completions", 200, HOSTS[host],
                                               {"content-type": "text/event-stream"}))


def gemini(parts: list, finish=None, **members) -> dict:
    candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
    candidate |= {"finishReason": finish} if finish else {}
    return {"candidates": [candidate], "modelVersion": "g", "responseId": "r", **members}


COUNTS = {"promptTokenCount": 5, "candidatesTokenCount": 2, "thoughtsTokenCount": 3,
          "totalTokenCount": 10}
START = {"type": "message_start", "message": {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "c", "content": [],
    "stop_reason": None, "usage": {"input_tokens": 10, "output_tokens": 1}}}
END = {"type": "message_stop"}


def anthropic_block(index: int, begin: dict, *deltas: dict) -> list:
    return [{"type": "content_block_start", "index": index, "content_block": begin},
            *({"type": "content_block_delta", "index": index, "delta": one} for one in deltas),
            {"type": "content_block_stop", "index": index}]


def anthropic_end(reason: str) -> list:
    return [{"type": "message_delta", "delta": {"stop_reason": reason},
             "usage": {"output_tokens": 2, "input_tokens": 61}}, END]


SELDOM = {
    "a call and the finish apart": ("gemini", "generateContent", [
        gemini([{"text": "Hm", "thought": True}]),
        gemini([{"functionCall": {"name": "f", "args": {"a": 1}, "id": "1"},
                 "thoughtSignature": "c2ln"}, {"functionCall": {"name": "g"}}]),
        gemini([{"text": ""}], "STOP", usageMetadata=COUNTS)]),
    "filtered without content": ("gemini", "generateContent", [
        gemini([{"text": "Half"}]),
        {"candidates": [{"finishReason": "SAFETY", "index": 0}], "usageMetadata": COUNTS,
         "modelVersion": "g", "responseId": "r"}]),
    "a prompt that was blocked": ("gemini", "generateContent", [
        {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "modelVersion": "g",
         "usageMetadata": {"promptTokenCount": 5, "totalTokenCount": 5}, "responseId": "r"}]),
    "parts that have no counterpart": ("gemini", "generateContent", [
        gemini([{"executableCode": {"language": "PYTHON", "code": "1"}}, {"text": "One"},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}], "MAX_TOKENS",
               usageMetadata={**COUNTS, "toolUsePromptTokenCount": 4})]),
    "a call in the start": ("anthropic", "messages", [
        {**START, "message": {**START["message"], "stop_reason": "tool_use", "content": [
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": "b"}}]}},
        *anthropic_end("tool_use")]),
    "a second start": ("anthropic", "messages", [
        START, START, *anthropic_block(0, {"type": "text", "text": "Be"},
                                       {"type": "text_delta", "text": "gun"}),
        *anthropic_end("end_turn")]),
    "blocks that have no counterpart": ("anthropic", "messages", [
        START, *anthropic_block(0, {"type": "server_tool_use", "id": "s", "name": "web_search",
                                    "input": {}},
                                {"type": "input_json_delta", "partial_json": "{}"}),
        *anthropic_block(1, {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}),
        *anthropic_block(2, {"type": "redacted_thinking", "data": "b3BhcXVl"}),
        *anthropic_block(3, {"type": "text", "text": ""}, {"type": "text_delta", "text": "."}),
        *anthropic_end("pause_turn")]),
}


@pytest.mark.parametrize("name", SELDOM)
@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_seldom_in_a_stream_is_read(gateway, upstream, client, name):
    provider, api, documents = SELDOM[name]
    body = events_of([json.dumps(one) for one in documents], DIALECTS[api])
    check(gateway, upstream, client, Recording(name, provider, api, 200, body,
                                               {"content-type": "text/event-stream"}))
