"""Recorded answers of Anthropic and Google, replayed at every kind of byte cut to OpenAI's clients.

What a client reads is compared with what an oracle reads from the recording by itself (a full parse
of the whole body, by the tables of the wire formats), and every answer and chunk is held against
OpenAI's schema. A recording that is cut off must never end as if it were whole.
"""

import json
import random

import pytest

from harness.conf import PROVIDER_KEY_VARIABLE
from harness.gateway import Gateway
from harness.shared_data import shared_folder
from harness.upstream import LAST_CHUNK, chunk, head_of
from harness.wire import ask

MODELS = {"anthropic": "claude-haiku-4-5", "gemini": "gemini-2.5-flash"}
FINISHES = {
    "end_turn": "stop", "stop_sequence": "stop", "pause_turn": "stop", "max_tokens": "length",
    "model_context_window_exceeded": "length", "tool_use": "tool_calls",
    "refusal": "content_filter", "STOP": "stop", "MAX_TOKENS": "length",
    "SAFETY": "content_filter", "RECITATION": "content_filter",
}
SEED = 31


@pytest.fixture(scope="module")
def gateway(provider, tmp_path_factory):
    base = f"http://127.0.0.1:{provider.port}/v1"
    entries = [{"name": name, "preset": name, "base_url": base + beta,
                "api_key_env": PROVIDER_KEY_VARIABLE}
               for name, beta in (("anthropic", ""), ("gemini", "beta"))]
    with Gateway(tmp_path_factory.mktemp("gateway"), provider.port,
                 {"providers": entries}) as running:
        yield running


def recordings(provider: str, streamed: bool) -> list:
    """(name, body) of every good recorded answer of a provider."""
    folders = {"anthropic": ["anthropic/messages"],
               "gemini": ["gemini/generateContent", "vertex/generateContent"]}[provider]
    found = []
    for folder in folders:
        for file in sorted((shared_folder("recorded") / folder).glob("*")):
            found += [(f"{file.name}", body) for body in bodies_of(file, provider)]
    is_stream = [(name, body) for name, body in found if ("data:" in body[:400]) == streamed]
    assert len(is_stream) > 4
    return is_stream


def bodies_of(file, provider: str) -> list:
    text = file.read_text(encoding="utf-8")
    if file.name.endswith(".chunks.txt"):
        events = [line for line in text.splitlines() if line.strip()]
        if provider == "gemini":
            return ["".join(f"data: {event}\r\n\r\n" for event in events)]
        return ["".join(f"event: {json.loads(event)['type']}\ndata: {event}\n\n"
                        for event in events)]
    if file.suffix == ".txt":
        return [text]
    document = json.loads(text)
    if "exchanges" not in document:
        return [text] if "error" not in document else []
    answers = [exchange["response"] for exchange in document["exchanges"]]
    return [answer["body"] for answer in answers
            if answer["status"] == 200 and answer.get("body") and answer["body"].strip()[0] != "["]


def events_of(body: str) -> list:
    return [json.loads(line[5:]) for line in body.splitlines()
            if line.startswith("data:") and line[5:].strip() != "[DONE]"]


def arguments_of(text: str):
    """Fragments that are cut off are no JSON: then they are compared as text."""
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


class Oracle:
    """What a recording says: text, calls, finish and usage, in OpenAI's terms."""

    def __init__(self, provider: str, body: str, streamed: bool):
        self.text, self.calls, self.finish, self.whole = "", [], None, False
        self.prompt = self.completion = self.cached = None
        documents = events_of(body) if streamed else [json.loads(body)]
        (self.read_anthropic if provider == "anthropic" else self.read_gemini)(documents, streamed)

    def read_anthropic(self, documents: list, streamed: bool) -> None:
        usage, blocks, reason = {}, {}, None
        for item in documents:
            kind = item.get("type")
            if kind in ("message_start", "message"):
                message = item.get("message", item)
                usage.update(known(message.get("usage")))
                blocks.update(enumerate(message.get("content", [])))
                reason = message.get("stop_reason")
            elif kind == "content_block_start":
                blocks[item["index"]] = {**item["content_block"], "json": ""}
            elif kind == "content_block_delta":
                block, delta = blocks[item["index"]], item["delta"]
                block["text"] = block.get("text", "") + delta.get("text", "")
                block["json"] = block.get("json", "") + delta.get("partial_json", "")
            elif kind == "message_delta":
                reason = item["delta"].get("stop_reason") or reason
                usage.update(known(item.get("usage")))
            self.whole |= kind == "message_stop"
        self.whole |= not streamed
        for block in (blocks[index] for index in sorted(blocks)):
            if block["type"] == "text":
                self.text += block.get("text", "")
            elif block["type"] == "tool_use":
                given = arguments_of(block["json"]) if "json" in block else block["input"]
                self.calls.append((block["name"], given))
        self.finish = FINISHES.get(reason, "stop")
        self.cached = usage.get("cache_read_input_tokens", 0)
        self.prompt = (usage.get("input_tokens", 0) + self.cached
                       + usage.get("cache_creation_input_tokens", 0))
        self.completion = usage.get("output_tokens", 0)

    def read_gemini(self, documents: list, streamed: bool) -> None:
        reason, usage = None, {}
        for item in documents:
            if "promptTokenCount" in item.get("usageMetadata", {}):
                usage = item["usageMetadata"]
            for candidate in item.get("candidates", [])[:1]:
                reason = candidate.get("finishReason", reason)
                for part in candidate.get("content", {}).get("parts", []):
                    if "functionCall" in part:
                        call = part["functionCall"]
                        self.calls.append((call["name"], call.get("args", {})))
                    elif not part.get("thought"):
                        self.text += part.get("text", "")
            if item.get("promptFeedback", {}).get("blockReason"):
                reason = "SAFETY"
        self.whole = reason is not None or not streamed
        self.finish = "tool_calls" if self.calls and reason == "STOP" else FINISHES.get(
            reason, "stop")
        self.cached = usage.get("cachedContentTokenCount", 0)
        self.prompt = usage.get("promptTokenCount", 0) + usage.get("toolUsePromptTokenCount", 0)
        self.completion = (usage.get("candidatesTokenCount", 0)
                           + usage.get("thoughtsTokenCount", 0))


def known(usage) -> dict:
    return {key: value for key, value in (usage or {}).items() if isinstance(value, int)}


class Read:
    """What the client read: of chunks, or of one answer."""

    def __init__(self, body: bytes, streamed: bool, validate):
        self.text, self.finish, self.usage, calls = "", None, None, {}
        documents = events_of(body.decode()) if streamed else [json.loads(body)]
        self.errors = [item for item in documents if "error" in item]
        for item in documents:
            if "error" in item:
                continue
            validate(item, streamed)
            self.usage = item.get("usage") or self.usage
            for choice in item["choices"][:1]:
                message = choice["delta" if streamed else "message"]
                self.text += message.get("content") or ""
                for at, call in enumerate(message.get("tool_calls") or []):
                    kept = calls.setdefault(call.get("index", at), {"name": "", "arguments": ""})
                    for name, value in call.get("function", {}).items():
                        kept[name] += value
                self.finish = choice["finish_reason"] or self.finish
        self.calls = [(call["name"], arguments_of(call["arguments"])) for call in calls.values()]


@pytest.fixture(scope="module")
def validate():
    jsonschema = pytest.importorskip("jsonschema")
    path = shared_folder("recorded", "schema") / "openai-chat.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    kinds = {True: "CreateChatCompletionStreamResponse", False: "CreateChatCompletionResponse"}
    validators = {
        streamed: jsonschema.Draft202012Validator({**schema, "$ref": f"#/$defs/{name}"})
        for streamed, name in kinds.items()
    }
    return lambda document, streamed: validators[streamed].validate(document)


def cuts_of(data: bytes, manner: str, seed: random.Random) -> list:
    """Where the recording is cut into writes."""
    if manner == "whole":
        inner = []
    elif manner == "bytes":
        inner = range(1, min(len(data), 1500))
    elif manner == "characters":
        inner = [at for at in range(1, len(data)) if data[at] >= 0x80 or data[at - 1] == 0x0D]
        inner = seed.sample(inner, min(len(inner), 300))
    else:
        inner = [seed.randrange(len(data)) for _ in range(len(data) // 200 + 3)]
    return sorted({0, len(data), *inner})


def replaying(data: bytes, cuts: list, streamed: bool):
    kind = "text/event-stream; charset=utf-8" if streamed else "application/json"
    pieces = b"".join(chunk(data[begin:end]) for begin, end in zip(cuts, cuts[1:]))

    def handle(connection):
        connection.send(head_of("200 Recorded", content_type=kind))
        # Chunks of HTTP and writes to the socket end at different places.
        connection.send_pieces(pieces + LAST_CHUNK, [7, 1, 300] * 20)

    return handle


def ask_chat(gateway, provider: str, streamed: bool):
    request = {"model": MODELS[provider], "stream": streamed, "max_tokens": 500,
               "messages": [{"role": "user", "content": "Hi"}]}
    if streamed:
        request["stream_options"] = {"include_usage": True}
    return ask(gateway, json.dumps(request).encode())


@pytest.mark.parametrize("provider_name", MODELS)
@pytest.mark.parametrize("streamed", [True, False])
def test_recorded_answers_say_the_same_to_openais_clients(
        gateway, upstream, validate, provider_name, streamed):
    seed = random.Random(SEED)
    for name, body in recordings(provider_name, streamed):
        said = Oracle(provider_name, body, streamed)
        for manner in ("whole", "bytes", "characters", "random"):
            data = body.encode()
            upstream.handler = replaying(data, cuts_of(data, manner, seed), streamed)
            answer = ask_chat(gateway, provider_name, streamed)
            case = (name, manner, SEED, answer.body[-300:])
            assert answer.status == 200, case
            read = Read(answer.body, streamed, validate)
            if not said.whole or "event: error" in body:
                assert read.errors or not answer.complete, case
                continue
            assert answer.complete and not read.errors, case
            assert (read.text, read.calls, read.finish) == (
                said.text, said.calls, said.finish), case
            usage = read.usage
            assert usage["prompt_tokens"] == said.prompt, case
            assert usage["completion_tokens"] == said.completion, case
            assert usage["prompt_tokens_details"]["cached_tokens"] == said.cached, case


@pytest.mark.parametrize("provider_name", MODELS)
def test_a_recorded_stream_that_is_cut_off_never_ends_clean(
        gateway, upstream, validate, provider_name):
    seed = random.Random(SEED)
    for name, body in recordings(provider_name, True):
        data = body.encode()
        end = data.find(b"message_stop") if provider_name == "anthropic" else data.find(
            b"finishReason")
        for cut in {seed.randrange(1, max(end, 2)) for _ in range(6)}:
            part = data[:cut]
            upstream.handler = replaying(part, cuts_of(part, "random", seed), True)
            answer = ask_chat(gateway, provider_name, True)
            case = (name, cut, SEED, answer.body[-200:])
            assert b"[DONE]" not in answer.body, case
            if answer.status == 200:
                assert not answer.complete, case
                assert Read(answer.body, True, validate).errors, case
            else:
                assert answer.status >= 500, case
