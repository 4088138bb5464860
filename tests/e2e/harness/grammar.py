"""The order in which a stream of ours must come, and its framing, by the rules of each dialect.

Strict clients depend on what a reader that only gathers the pieces does not notice.
"""

import json
import re

from harness.said import documents_of


def check_stream(dialect: str, body: str) -> None:
    """Of a stream that came to its end."""
    CHECKS[dialect](body)


def events_by_name(body: str) -> list:
    """The documents of `event: NAME` and `data: JSON`, each with just these two lines."""
    assert body.endswith("\n\n") and "\r" not in body
    documents = []
    for text in body[:-2].split("\n\n"):
        found = re.fullmatch(r"event: (\S+)\ndata: (.*)", text)
        assert found, text
        document = json.loads(found[2])
        assert document["type"] == found[1], text
        documents.append(document)
    return documents


def check_chat(body: str) -> None:
    assert body.endswith("\n\ndata: [DONE]\n\n") and "\r" not in body
    assert all(line.startswith("data: ") for line in body.split("\n") if line)
    documents = documents_of(body)[:-1]
    assert len({(item["id"], item["created"], item["model"]) for item in documents}) == 1
    assert all("usage" in item for item in documents)  # which was asked for
    begun, finished, calls, arguments = set(), set(), {}, {}
    for at, item in enumerate(documents):
        last = at == len(documents) - 1
        assert (item["usage"] is None) or (last and item["choices"] == [])
        for choice in item["choices"]:
            index, delta = choice["index"], choice["delta"]
            assert index not in finished
            assert (index in begun) == ("role" not in delta)
            begun.add(index)
            # Only the last one of a choice says nothing, and it says why.
            assert (choice["finish_reason"] is None) == bool(delta), choice
            finished |= {index} if choice["finish_reason"] else set()
            for call in delta.get("tool_calls", []):
                known = calls.setdefault(index, [])
                if call["index"] == len(known):
                    assert call["id"] and call["type"] == "function" and call["function"]["name"]
                    known.append(call["id"])
                    arguments[index] = arguments.get(index, []) + [""]
                else:
                    # One after another.
                    assert call["index"] == len(known) - 1
                    assert set(call) == {"index", "function"}
                    assert set(call["function"]) == {"arguments"}
                arguments[index][-1] += call["function"]["arguments"]
    assert begun == finished and begun
    assert all(len(set(ids)) == len(ids) for ids in calls.values())
    assert all(all(texts) for texts in arguments.values())


def check_anthropic(body: str) -> None:
    documents = events_by_name(body)
    assert [item["type"] for item in documents[-2:]] == ["message_delta", "message_stop"]
    assert documents[0]["type"] == "message_start"
    message = documents[0]["message"]
    assert message["content"] == [] and message["stop_reason"] is None and message["usage"]
    assert documents[-2]["delta"]["stop_reason"] and "output_tokens" in documents[-2]["usage"]
    deltas = {"text": {"text_delta"}, "tool_use": {"input_json_delta"},
              "thinking": {"thinking_delta", "signature_delta"}, "redacted_thinking": set()}
    blocks, open_kind, ids, given = 0, None, [], ""
    for item in documents[1:-2]:
        assert item["type"] != "ping" and item["index"] == blocks - (open_kind is not None)
        if item["type"] == "content_block_start":
            assert open_kind is None
            open_kind = item["content_block"]["type"]
            blocks += 1
            given = ""
            if open_kind == "tool_use":
                assert item["content_block"]["input"] == {}
                ids.append(item["content_block"]["id"])
        elif item["type"] == "content_block_delta":
            assert item["delta"]["type"] in deltas[open_kind], item
            given += item["delta"].get("partial_json", "")
        else:
            assert item["type"] == "content_block_stop" and open_kind is not None
            assert given or open_kind != "tool_use"
            open_kind = None
    assert open_kind is None and len(set(ids)) == len(ids)


def check_responses(body: str) -> None:
    documents = events_by_name(body)
    assert [item["sequence_number"] for item in documents] == list(range(len(documents)))
    assert [item["type"] for item in documents[:2]] == ["response.created", "response.in_progress"]
    assert documents[-1]["type"] in ("response.completed", "response.incomplete")
    whole = documents[-1]["response"]
    assert documents[0]["response"]["id"] == whole["id"]
    added, done, text = [], {}, {}
    for item in documents[2:-1]:
        kind, index = item["type"], item["output_index"]
        if kind == "response.output_item.added":
            assert index == len(added)
            added.append(item["item"]["id"])
        elif kind == "response.output_item.done":
            assert item["item"]["id"] == added[index] and index not in done
            done[index] = item["item"]
        else:
            assert item["item_id"] == added[index] and index not in done
        if kind.endswith(".delta"):
            text[index] = text.get(index, "") + item["delta"]
        elif kind in ("response.output_text.done", "response.refusal.done",
                      "response.reasoning_summary_text.done",
                      "response.function_call_arguments.done"):
            said = item.get("text", item.get("refusal", item.get("arguments")))
            assert said.endswith(text.pop(index, "")) and said is not None
    assert [done[index] for index in sorted(done)] == whole["output"]
    assert len(set(added)) == len(added) == len(done)


def check_gemini(body: str) -> None:
    if body.startswith("["):
        documents = json.loads(body)
    else:
        assert body.endswith("\r\n\r\n") and not re.search("(?<!\r)\n|\r(?!\n)", body)
        texts = body[:-4].split("\r\n\r\n")
        assert all(text.startswith("data: {") and "\n" not in text for text in texts)
        documents = [json.loads(text[6:]) for text in texts]
    assert len({(item["responseId"], item["modelVersion"]) for item in documents}) == 1
    finished = set()
    for item in documents:
        for candidate in item["candidates"]:
            assert candidate["index"] not in finished
            assert candidate["content"]["role"] == "model" and candidate["content"]["parts"]
            finished |= {candidate["index"]} if "finishReason" in candidate else set()
    assert finished
    assert [item for item in documents if "usageMetadata" in item] in ([], documents[-1:])


CHECKS = {"chat": check_chat, "responses": check_responses, "anthropic": check_anthropic,
          "gemini": check_gemini}
