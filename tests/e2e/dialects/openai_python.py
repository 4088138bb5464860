"""OpenAI's client for Python in the dialect matrix: Chat Completions and Responses.

As in the files for Node, `ask(request)` puts one request by the client's own means and gives what
came as {text, thinking, calls, finish, usage, object}, with what it needs to go on from there.
"""

import json

import openai
import pydantic

from harness.waiting import DEADLINE_S


class Shelf(pydantic.BaseModel):
    room: str
    free: bool


class Book(pydantic.BaseModel):
    """The schema of structured answers; the same as bookSchema in shared.mjs."""

    title: str
    pages: int
    shelf: Shelf
    words: list[str]


def data_url(request: dict) -> str:
    return f"data:image/png;base64,{request['image']}"


def chat_messages(request: dict) -> list:
    previous = request.get("previous")
    if previous:
        results = [{"role": "tool", "tool_call_id": call["id"], "content": json.dumps(result)}
                   for call, result in zip(previous["calls"], request["results"])]
        return [*previous["messages"], previous["message"], *results]
    content = request["prompt"]
    if "image" in request:
        content = [{"type": "text", "text": content},
                   {"type": "image_url", "image_url": {"url": data_url(request)}}]
    return [{"role": "user", "content": content}]


def chat_seen(completion, messages: list) -> dict:
    choice = completion.choices[0]
    message = choice.message
    calls = [{"id": call.id, "name": call.function.name,
              "arguments": json.loads(call.function.arguments)}
             for call in message.tool_calls or []]
    return {
        "text": message.content or "",
        "thinking": getattr(message, "reasoning_content", None) or "",
        "calls": calls,
        "finish": choice.finish_reason,
        "usage": usage_of(completion.usage),
        "object": message.parsed.model_dump() if getattr(message, "parsed", None) else None,
        "message": message.model_dump(exclude_none=True, exclude={"parsed"}),
        "messages": messages,
    }


def chat_pieces(stream) -> dict:
    """The pieces of a stream put together by hand."""
    seen = {"text": "", "thinking": "", "calls": [], "finish": None}
    for chunk in stream:
        for choice in chunk.choices:
            seen["text"] += choice.delta.content or ""
            seen["thinking"] += getattr(choice.delta, "reasoning_content", None) or ""
            seen["finish"] = choice.finish_reason or seen["finish"]
        if chunk.usage:
            seen["usage"] = usage_of(chunk.usage)
    return seen


def usage_of(usage) -> dict:
    details = usage.completion_tokens_details
    return {"input": usage.prompt_tokens, "output": usage.completion_tokens,
            "reasoning": details.reasoning_tokens if details else None}


def ask_chat(client: openai.OpenAI, request: dict) -> dict:
    messages = chat_messages(request)
    body = {"model": request["model"], "messages": messages,
            "extra_headers": {"x-hyperion-fault": request["fault"]} if "fault" in request else {}}
    if "tools" in request:
        body["tools"] = [{"type": "function", "function": tool} for tool in request["tools"]]
    if "limit" in request:
        body["max_completion_tokens"] = request["limit"]
    if "effort" in request:
        body["reasoning_effort"] = request["effort"]
    if "schema" in request:
        completion = client.chat.completions.parse(**body, response_format=Book)
        return chat_seen(completion, messages)
    if not request.get("stream"):
        return chat_seen(client.chat.completions.create(**body), messages)
    if "tools" not in request:
        return chat_pieces(client.chat.completions.create(
            **body, stream=True, stream_options={"include_usage": True}))
    thinking = ""
    with client.chat.completions.stream(
            **body, stream_options={"include_usage": True}) as stream:
        for event in stream:
            if event.type == "chunk" and event.chunk.choices:
                delta = event.chunk.choices[0].delta
                thinking += getattr(delta, "reasoning_content", None) or ""
        seen = chat_seen(stream.get_final_completion(), messages)
    return {**seen, "thinking": thinking}


def responses_input(request: dict) -> list:
    previous = request.get("previous")
    if previous:
        results = [{"type": "function_call_output", "call_id": call["id"],
                    "output": json.dumps(result)}
                   for call, result in zip(previous["calls"], request["results"])]
        return [*previous["input"], *previous["output"], *results]
    content = [{"type": "input_text", "text": request["prompt"]}]
    if "image" in request:
        content.append({"type": "input_image", "image_url": data_url(request), "detail": "auto"})
    return [{"role": "user", "content": content}]


def responses_seen(response, given: list) -> dict:
    calls = [item for item in response.output if item.type == "function_call"]
    summaries = [part.text for item in response.output if item.type == "reasoning"
                 for part in item.summary]
    parsed = getattr(response, "output_parsed", None)
    return {
        "text": response.output_text,
        "thinking": "".join(summaries),
        "calls": [{"id": call.call_id, "name": call.name, "arguments": json.loads(call.arguments)}
                  for call in calls],
        "finish": response.status,
        "usage": {"input": response.usage.input_tokens, "output": response.usage.output_tokens,
                  "reasoning": response.usage.output_tokens_details.reasoning_tokens},
        "object": parsed.model_dump() if parsed else None,
        "output": [item.model_dump(exclude_none=True, exclude={"parsed_arguments"})
                   for item in response.output],
        "input": given,
    }


def ask_responses(client: openai.OpenAI, request: dict) -> dict:
    given = responses_input(request)
    body = {"model": request["model"], "input": given,
            "extra_headers": {"x-hyperion-fault": request["fault"]} if "fault" in request else {}}
    if "tools" in request:
        body["tools"] = [{"type": "function", "strict": False, **tool}
                         for tool in request["tools"]]
    if "limit" in request:
        body["max_output_tokens"] = request["limit"]
    if "effort" in request:
        body["reasoning"] = {"effort": request["effort"], "summary": "auto"}
    if "schema" in request:
        return responses_seen(client.responses.parse(**body, text_format=Book), given)
    if not request.get("stream"):
        return responses_seen(client.responses.create(**body), given)
    if "limit" in request:
        # The helper knows only answers that are whole.
        events = list(client.responses.create(**body, stream=True))
        assert events[-1].type == "response.incomplete", events[-1]
        return responses_seen(events[-1].response, given)
    with client.responses.stream(**body) as stream:
        for event in stream:
            if event.type == "response.failed":
                # The iterator leaves it to its user what a response that failed means.
                raise RuntimeError(f"response.failed: {event.response.error}")
        return responses_seen(stream.get_final_response(), given)


def rows(url: str, key: str) -> dict:
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=DEADLINE_S)
    return {"openai python, chat": lambda request: ask_chat(client, request),
            "openai python, responses": lambda request: ask_responses(client, request)}
