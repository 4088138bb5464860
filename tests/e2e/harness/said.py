"""What an answer says, read by hand from the whole of it: of every dialect, plain or streamed.

The oracle of the end-to-end tests. It reads what providers said (recorded or simulated) and what
clients got, each by the rules of its own dialect, into one form that can be compared.
"""

import base64
import json
import re
from dataclasses import dataclass, field

# Why an answer ended, by the provider's word for it. Words that are not here mean `stop`.
ENDS = {
    "chat": {
        "length": "length", "tool_calls": "calls", "function_call": "calls",
        "content_filter": "filtered", "max_tokens": "length", "model_length": "length",
        "tool_use": "calls"},
    "responses": {"max_output_tokens": "length", "content_filter": "filtered"},
    "anthropic": {
        "stop_sequence": "stop sequence", "max_tokens": "length",
        "model_context_window_exceeded": "length", "tool_use": "calls", "refusal": "refused",
        "pause_turn": "paused"},
    "gemini": {
        "MAX_TOKENS": "length", "CONTINUATION": "length", "SAFETY": "filtered",
        "RECITATION": "filtered", "BLOCKLIST": "filtered", "PROHIBITED_CONTENT": "filtered",
        "SPII": "filtered", "LANGUAGE": "filtered", "IMAGE_SAFETY": "filtered",
        "IMAGE_PROHIBITED_CONTENT": "filtered", "IMAGE_RECITATION": "filtered",
        "MODEL_ARMOR": "filtered", "MALFORMED_FUNCTION_CALL": "malformed",
        "UNEXPECTED_TOOL_CALL": "malformed", "TOO_MANY_TOOL_CALLS": "malformed",
        "MALFORMED_RESPONSE": "malformed"},
}


@dataclass
class Said:
    """Of one choice. Numbers that the answer does not give are None."""

    upstream: str
    model: str = ""
    text: str = ""
    refusal: str = ""
    thinking: str = ""
    calls: list = field(default_factory=list)  # of {name, arguments}; no JSON: arguments as text
    call_ids: list = field(default_factory=list)  # "" where there is none
    signatures: set = field(default_factory=set)  # of thinking and calls, without our marks
    word: str = ""  # for why it ended, as the dialect has it
    end: str = "stop"
    reason: str = ""  # the same in words, where they are not the answer's own
    input_tokens: int = None  # all of them, with those cached
    output_tokens: int = None  # with those of thinking
    cached_tokens: int = None
    written_tokens: int = None  # to the cache
    reasoning_tokens: int = None
    error: dict = None  # told within the answer
    whole: bool = False


def read(dialect: str, body: str, streamed: bool, choice: int = 0) -> Said:
    documents = documents_of(body) if streamed else [json.loads(body)]
    said = Said(dialect)
    READERS[dialect](said, documents, streamed, choice)
    return said


def documents_of(body: str) -> list:
    """The JSON of every event of a stream, `[DONE]` as that text, or the elements of an array."""
    if body.lstrip().startswith("["):
        return json.loads(body)
    texts = [""]
    for line in re.split("\r\n|\n|\r", body):
        if not line:
            texts.append("")
        elif line.startswith("data:"):
            texts[-1] += line[5:].removeprefix(" ") + "\n"
    return [text.strip() if text.strip() == "[DONE]" else json.loads(text)
            for text in texts if text.strip()]


def arguments_of(text: str):
    """Those of a call that was cut are no JSON."""
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


def bare(signature: str) -> str:
    """Without the mark that says whose it is, which we put before a foreign vendor's."""
    if signature.startswith("hyperion."):
        return signature.split(".", 2)[2].removeprefix("call.").removeprefix(
            "redacted.")
    try:
        marked = base64.b64decode(signature, validate=True)
    except ValueError:
        return signature
    # Google's are base64 of anything.
    return bare(marked.decode()) if marked.startswith(b"hyperion.") else signature


def known(usage) -> dict:
    return {key: value for key, value in (usage or {}).items() if value is not None}


def read_chat(said: Said, documents: list, streamed: bool, wanted: int) -> None:
    calls = {}
    for item in documents:
        if item == "[DONE]":
            said.whole = True
            break
        if item.get("error"):
            said.error = item["error"] if isinstance(item["error"], dict) else item
            break
        said.model = said.model or (item.get("model", "") if item.get("choices") else "")
        usage = known(item.get("usage") or item.get("x_groq", {}).get("usage"))
        take_openai_usage(said, usage, "prompt", "completion")
        for choice in item.get("choices", []):
            if choice.get("index", 0) != wanted:
                continue
            read_message(said, choice.get("delta" if streamed else "message") or {}, calls)
            said.word = choice.get("finish_reason") or said.word
    said.whole |= not streamed
    said.calls = [{"name": call["name"], "arguments": arguments_of(call["arguments"])}
                  for _, call in sorted(calls.items())]
    said.call_ids = [call["id"] for _, call in sorted(calls.items())]
    said.end = ENDS["chat"].get(said.word, "stop")
    if said.end == "stop" and (said.calls or said.refusal):
        # Some hosts stop where they call.
        said.end = "calls" if said.calls else "declined"


def read_message(said: Said, message: dict, calls: dict) -> None:
    """Of a chat answer, or a delta of it."""
    content = message.get("content") or ""
    for part in [{"text": content}] if isinstance(content, str) else content:
        said.text += part.get("text", "")
        said.thinking += "".join(piece["text"] for piece in part.get("thinking", []))
    said.refusal += message.get("refusal") or ""
    said.thinking += message.get("reasoning_content") or message.get("reasoning") or ""
    for block in message.get("thinking_blocks") or []:
        said.signatures.add(bare(block.get("signature") or block["data"]))
    for detail in message.get("reasoning_details") or []:
        said.signatures |= {detail["signature"]} if detail.get("signature") else set()
    for at, call in enumerate(message.get("tool_calls") or []):
        google = call.get("extra_content", {}).get("google", {})
        said.signatures |= {bare(google[name]) for name in google if name == "thought_signature"}
        kept = calls.setdefault(call.get("index", at), {"id": "", "name": "", "arguments": ""})
        # Some hosts repeat id and name with every piece.
        kept["id"] = kept["id"] or call.get("id") or ""
        kept["name"] = kept["name"] or call["function"].get("name") or ""
        kept["arguments"] += call["function"].get("arguments") or ""


def take_openai_usage(said: Said, usage: dict, before: str, after: str) -> None:
    if not usage:
        return
    said.input_tokens = usage[f"{before}_tokens"]
    said.output_tokens = usage[f"{after}_tokens"]
    details = known(usage.get(f"{before}_tokens_details"))
    said.cached_tokens = details.get("cached_tokens", usage.get("prompt_cache_hit_tokens"))
    said.written_tokens = details.get("cache_write_tokens")
    said.reasoning_tokens = known(usage.get(f"{after}_tokens_details")).get("reasoning_tokens")
    apart = said.input_tokens + said.output_tokens + (said.reasoning_tokens or 0)
    if usage.get("total_tokens") == apart:
        # xAI counts its thinking beside the rest.
        said.output_tokens += said.reasoning_tokens or 0


def read_responses(said: Said, documents: list, streamed: bool, _: int) -> None:
    pieces = Said("responses")
    for item in documents:
        if item == "[DONE]":
            continue
        kind = item.get("type", "") if streamed else ""
        if kind == "error" or (not streamed and item.get("error")):
            said.error = item.get("error") or item
            break
        if kind == "response.output_text.delta":
            pieces.text += item["delta"]
        elif kind == "response.refusal.delta":
            pieces.refusal += item["delta"]
        elif kind == "response.output_item.added" and item["item"]["type"] == "function_call":
            pieces.calls.append({"name": item["item"]["name"], "arguments": ""})
            pieces.call_ids.append(item["item"]["call_id"])
        elif kind == "response.function_call_arguments.delta":
            pieces.calls[-1]["arguments"] += item["delta"]
        elif not streamed or kind in (
                "response.completed", "response.incomplete", "response.failed"):
            read_response(said, item.get("response", item))
        if kind == "response.output_item.done":
            take_encrypted(pieces, item["item"])
    if streamed and said.whole and not (said.text or said.calls or said.refusal):
        # Some hosts repeat nothing at the end.
        said.text, said.refusal = pieces.text, pieces.refusal
        said.calls = [{**call, "arguments": arguments_of(call["arguments"])}
                      for call in pieces.calls]
        said.call_ids, said.end = pieces.call_ids, "calls" if pieces.calls else said.end
    if streamed and said.whole:
        # The pieces say the same as the whole at the end.
        assert (pieces.text, pieces.refusal) == (said.text, said.refusal)
        assert [{**call, "arguments": arguments_of(call["arguments"])}
                for call in pieces.calls] == said.calls
        # But for what is encrypted, which OpenAI does once more there.
        said.signatures = pieces.signatures
    elif streamed:
        said.text = pieces.text


def take_encrypted(said: Said, item: dict) -> None:
    if item.get("encrypted_content"):
        said.signatures.add(bare(item["encrypted_content"]))


def read_response(said: Said, response: dict) -> None:
    said.model = response.get("model", "")
    for item in response["output"]:
        if item["type"] == "message":
            for part in item["content"]:
                said.text += part.get("text", "")
                said.refusal += part.get("refusal", "")
        elif item["type"] == "function_call":
            said.calls.append({"name": item["name"],
                               "arguments": arguments_of(item["arguments"])})
            said.call_ids.append(item["call_id"])
        elif item["type"] == "reasoning":
            parts = item.get("content") or item.get("summary") or []
            said.thinking += "\n\n".join(part["text"] for part in parts)
            take_encrypted(said, item)
    take_openai_usage(said, known(response.get("usage")), "input", "output")
    if response["status"] == "failed":
        said.error = response["error"]
        return
    said.whole = True
    reason = (response.get("incomplete_details") or {}).get("reason", "")
    said.word = response["status"] + (f": {reason}" if reason else "")
    said.end = ENDS["responses"].get(reason, "length" if reason else "stop")
    if said.end == "stop" and (said.calls or said.refusal):
        said.end = "calls" if said.calls else "declined"


def read_anthropic(said: Said, documents: list, streamed: bool, _: int) -> None:
    usage, blocks, stop = {}, {}, {}
    for item in documents:
        kind = item.get("type")
        if kind == "error":
            said.error = item["error"]
            break
        if kind in ("message_start", "message"):
            message = item.get("message", item)
            said.model = said.model or message["model"]
            # A stream's start gives no number of its output that means anything.
            usage.update((name, count) for name, count in known(message.get("usage")).items()
                         if kind == "message" or name != "output_tokens")
            blocks.update(enumerate(message.get("content", [])))
            stop = message
        elif kind == "content_block_start":
            # The object that stands here is none yet: its text follows.
            blocks[item["index"]] = {**item["content_block"], "json": ""}
        elif kind == "content_block_delta":
            block, delta = blocks[item["index"]], item["delta"]
            for name, part in (("text", "text"), ("thinking", "thinking"),
                               ("signature", "signature"), ("json", "partial_json")):
                block[name] = block.get(name, "") + delta.get(part, "")
        elif kind == "message_delta":
            stop = item["delta"]
            usage.update(known(item.get("usage")))
        said.whole |= kind == "message_stop"
    said.whole |= not streamed
    for block in (blocks[index] for index in sorted(blocks)):
        if block["type"] == "text":
            said.text += block.get("text", "")
        elif block["type"] == "thinking":
            said.thinking += block.get("thinking", "")
            said.signatures |= {bare(block["signature"])} if block.get("signature") else set()
        elif block["type"] == "redacted_thinking":
            said.signatures.add(bare(block["data"]))
        elif block["type"] == "tool_use":
            given = arguments_of(block["json"]) if "json" in block else block["input"]
            said.calls.append({"name": block["name"], "arguments": given})
            said.call_ids.append(block["id"])
    said.word = stop.get("stop_reason") or ""
    said.end = ENDS["anthropic"].get(said.word, "stop")
    if said.end == "refused":
        said.reason = (stop.get("stop_details") or {}).get("explanation") or ""
    take_anthropic_usage(said, usage)


def take_anthropic_usage(said: Said, usage: dict) -> None:
    if not usage:
        return
    said.cached_tokens = usage.get("cache_read_input_tokens")
    said.written_tokens = usage.get("cache_creation_input_tokens")
    said.input_tokens = (usage.get("input_tokens", 0) + (said.cached_tokens or 0)
                         + (said.written_tokens or 0))
    said.output_tokens = usage.get("output_tokens")
    said.reasoning_tokens = known(usage.get("output_tokens_details")).get("thinking_tokens")


def read_gemini(said: Said, documents: list, streamed: bool, wanted: int) -> None:
    thinks = False
    for item in documents:
        if "error" in item:
            said.error = item["error"]
            break
        said.model = said.model or item.get("modelVersion", "")
        take_gemini_usage(said, item.get("usageMetadata", {}))
        for candidate in item.get("candidates", []):
            if candidate.get("index", 0) != wanted:
                continue
            said.word = candidate.get("finishReason", said.word)
            said.reason = candidate.get("finishMessage", said.reason)
            for part in candidate.get("content", {}).get("parts", []):
                thinks = read_part(said, part, thinks)
        if item.get("promptFeedback", {}).get("blockReason"):
            said.word = "SAFETY"
    said.whole = bool(said.word) or not streamed
    said.end = ENDS["gemini"].get(said.word, "stop")
    if said.end == "stop" and said.calls:
        said.end = "calls"


def read_part(said: Said, part: dict, thinks: bool) -> bool:
    """Whether thoughts go on that began before (`thinks`) or here."""
    call, thought = part.get("functionCall"), part.get("thought", False)
    # A text's own signature is not asked for again, but where it is that of thoughts before.
    if "thoughtSignature" in part and (call or thought or thinks):
        said.signatures.add(bare(part["thoughtSignature"]))
    if call:
        said.calls.append({"name": call["name"], "arguments": call.get("args", {})})
        said.call_ids.append(call.get("id", ""))
    elif thought:
        said.thinking += part.get("text", "")
    else:
        said.text += part.get("text", "")
    return thought or (thinks and not call and not part.get("text"))


def take_gemini_usage(said: Said, usage: dict) -> None:
    """Every chunk may have it: the last one with counts holds."""
    if "promptTokenCount" not in usage:
        return
    said.input_tokens = usage["promptTokenCount"] + usage.get("toolUsePromptTokenCount", 0)
    said.cached_tokens = usage.get("cachedContentTokenCount")
    said.reasoning_tokens = usage.get("thoughtsTokenCount")
    said.output_tokens = usage.get("candidatesTokenCount", 0) + (said.reasoning_tokens or 0)


READERS = {"chat": read_chat, "responses": read_responses, "anthropic": read_anthropic,
           "gemini": read_gemini}
