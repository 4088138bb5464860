"""OpenAI's answers with one attribute more: `hyperion`, what the gateway decided.

Every answer and every stream of a Hyperion client has it at run time. For chat completions, which
is where decisions are made, it is in the types too; for other answers use `decision_of`.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Generic, Mapping, Optional, TypeVar, Union, cast

import openai
from openai import BaseModel
from openai.lib.streaming import chat as streaming
from openai.types import chat

from .decision import Decision

_T = TypeVar("_T")

# Where an answer keeps its decision: in its __dict__, but not among its fields. So it is no part of
# what is dumped or compared, and comes before a member `hyperion` of the answer's body.
_KEPT = "hyperion"


class ChatCompletion(chat.ChatCompletion):
    @property
    def hyperion(self) -> Decision:
        return decision_of(self)


class ParsedChatCompletion(chat.ParsedChatCompletion[_T], Generic[_T]):
    @property
    def hyperion(self) -> Decision:
        return decision_of(self)


class Stream(openai.Stream[_T]):
    @property
    def hyperion(self) -> Decision:
        """Known before the first chunk is read."""
        return Decision.from_headers(self.response.headers)


class AsyncStream(openai.AsyncStream[_T]):
    @property
    def hyperion(self) -> Decision:
        """Known before the first chunk is read."""
        return Decision.from_headers(self.response.headers)


class ChatCompletionStream(streaming.ChatCompletionStream[_T]):
    """What `chat.completions.stream` gives inside its `with`."""

    @property
    def hyperion(self) -> Decision:
        return Decision.from_headers(self._response.headers)

    def get_final_completion(self) -> ParsedChatCompletion[_T]:
        completion: ParsedChatCompletion[_T] = adopt(super().get_final_completion(), self.hyperion)
        return completion


class AsyncChatCompletionStream(streaming.AsyncChatCompletionStream[_T]):
    """What `chat.completions.stream` gives inside its `async with`."""

    @property
    def hyperion(self) -> Decision:
        return Decision.from_headers(self._response.headers)

    async def get_final_completion(self) -> ParsedChatCompletion[_T]:
        parsed = await super().get_final_completion()
        completion: ParsedChatCompletion[_T] = adopt(parsed, self.hyperion)
        return completion


class ChatCompletionStreamManager(Generic[_T]):
    def __init__(self, inner: streaming.ChatCompletionStreamManager[_T]) -> None:
        self._inner = inner

    def __enter__(self) -> ChatCompletionStream[_T]:
        stream: Any = self._inner.__enter__()
        # OpenAI's manager makes the stream and closes it: it must stay the very same object.
        stream.__class__ = ChatCompletionStream
        return cast("ChatCompletionStream[_T]", stream)

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self._inner.__exit__(kind, error, traceback)


class AsyncChatCompletionStreamManager(Generic[_T]):
    def __init__(self, inner: streaming.AsyncChatCompletionStreamManager[_T]) -> None:
        self._inner = inner

    async def __aenter__(self) -> AsyncChatCompletionStream[_T]:
        stream: Any = await self._inner.__aenter__()
        stream.__class__ = AsyncChatCompletionStream
        return cast("AsyncChatCompletionStream[_T]", stream)

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self._inner.__aexit__(kind, error, traceback)


def decision_of(answer: Union[BaseModel, openai.APIError, Any]) -> Decision:
    """The decision of any answer, stream, raw response or error of a Hyperion client."""
    kept = getattr(answer, "__dict__", {}).get(_KEPT)
    if isinstance(kept, Decision):
        return kept
    places = ("response", "http_response", "_response")
    sources = (getattr(answer, place, None) for place in places)
    headers = getattr(next(filter(None, sources), answer), "headers", None)
    return Decision() if headers is None else Decision.from_headers(headers)


def keep(answer: object, headers: Mapping[str, str]) -> None:
    """Gives an answer the decision that its headers tell."""
    if isinstance(answer, BaseModel):
        explanation = (getattr(answer, "__pydantic_extra__", None) or {}).get("hyperion")
        if not isinstance(explanation, Mapping):
            explanation = None
        answer.__dict__[_KEPT] = Decision.from_headers(headers, explanation)


def adopt(parsed: Any, decision: Decision) -> Any:
    """Gives an answer made from another the decision of that."""
    if isinstance(parsed, BaseModel):
        parsed.__dict__[_KEPT] = decision
    if isinstance(parsed, chat.ParsedChatCompletion):
        # OpenAI's parser names the class; ours adds no field, so the object is whole as it is.
        cast(Any, parsed).__class__ = ParsedChatCompletion
    return parsed


def class_for(cast_to: Any) -> Any:
    """Our class where there is one, for what OpenAI's client would make of an answer's body."""
    return ChatCompletion if cast_to is chat.ChatCompletion else cast_to


def stream_class_for(stream_class: Any) -> Any:
    """Our stream in the place of OpenAI's; None and streams of others stay."""
    origin = getattr(stream_class, "__origin__", None)
    if origin is openai.Stream:
        return Stream[stream_class.__args__[0]]
    if origin is openai.AsyncStream:
        return AsyncStream[stream_class.__args__[0]]
    return stream_class
