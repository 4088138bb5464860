"""`chat.completions` with the keywords `hyperion` and `smart_routing`.

They travel in the body, beside what the caller put into `extra_body` himself.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Iterable, Literal, Mapping, Optional, TypeVar, Union, cast, overload

from openai import NOT_GIVEN, NotGiven
from openai.resources import chat
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from openai.types.chat.completion_create_params import CompletionCreateParamsBase
from typing_extensions import Unpack

from .answers import (
    AsyncChatCompletionStreamManager,
    AsyncStream,
    ChatCompletion,
    ChatCompletionStreamManager,
    ParsedChatCompletion,
    Stream,
)
from .options import HyperionOptions, merged_body

_T = TypeVar("_T")
_Headers = Optional[Mapping[str, Any]]
_Query = Optional[Mapping[str, object]]


def _with_body(arguments: dict[str, Any], hyperion: Any, smart_routing: Any) -> dict[str, Any]:
    body = merged_body(arguments.pop("extra_body", None), hyperion, smart_routing)
    return arguments if body is None else {**arguments, "extra_body": body}


class Completions(chat.Completions):
    @overload  # type: ignore[override]
    def create(
        self,
        *,
        stream: Optional[Literal[False]] = None,
        hyperion: Optional[HyperionOptions] = None,
        smart_routing: Optional[bool] = None,
        extra_headers: _Headers = None,
        extra_query: _Query = None,
        extra_body: Optional[object] = None,
        timeout: Any = ...,
        **params: Unpack[CompletionCreateParamsBase],
    ) -> ChatCompletion: ...

    @overload
    def create(
        self,
        *,
        stream: Literal[True],
        hyperion: Optional[HyperionOptions] = None,
        smart_routing: Optional[bool] = None,
        extra_headers: _Headers = None,
        extra_query: _Query = None,
        extra_body: Optional[object] = None,
        timeout: Any = ...,
        **params: Unpack[CompletionCreateParamsBase],
    ) -> Stream[ChatCompletionChunk]: ...

    @overload
    def create(
        self,
        *,
        stream: bool,
        hyperion: Optional[HyperionOptions] = None,
        smart_routing: Optional[bool] = None,
        extra_headers: _Headers = None,
        extra_query: _Query = None,
        extra_body: Optional[object] = None,
        timeout: Any = ...,
        **params: Unpack[CompletionCreateParamsBase],
    ) -> Union[ChatCompletion, Stream[ChatCompletionChunk]]: ...

    def create(
        self, *, hyperion: Any = None, smart_routing: Any = None, **arguments: Any
    ) -> Any:
        return super().create(**_with_body(arguments, hyperion, smart_routing))

    def parse(  # type: ignore[override]
        self,
        *,
        messages: Iterable[ChatCompletionMessageParam],
        model: str,
        response_format: Union[type[_T], NotGiven] = NOT_GIVEN,
        hyperion: Optional[HyperionOptions] = None,
        smart_routing: Optional[bool] = None,
        **arguments: Any,
    ) -> ParsedChatCompletion[_T]:
        arguments.update(messages=messages, model=model, response_format=response_format)
        parsed: Any = super().parse(**_with_body(arguments, hyperion, smart_routing))
        return cast("ParsedChatCompletion[_T]", parsed)

    def stream(  # type: ignore[override]
        self,
        *,
        messages: Iterable[ChatCompletionMessageParam],
        model: str,
        response_format: Any = NOT_GIVEN,
        hyperion: Optional[HyperionOptions] = None,
        smart_routing: Optional[bool] = None,
        **arguments: Any,
    ) -> ChatCompletionStreamManager[Any]:
        arguments.update(messages=messages, model=model, response_format=response_format)
        inner = super().stream(**_with_body(arguments, hyperion, smart_routing))
        return ChatCompletionStreamManager(inner)


class Chat(chat.Chat):
    @cached_property
    def completions(self) -> Completions:
        return Completions(self._client)


class AsyncCompletions(chat.AsyncCompletions):
    @overload  # type: ignore[override]
    async def create(
        self,
        *,
        stream: Optional[Literal[False]] = None,
        hyperion: Optional[HyperionOptions] = None,
        smart_routing: Optional[bool] = None,
        extra_headers: _Headers = None,
        extra_query: _Query = None,
        extra_body: Optional[object] = None,
        timeout: Any = ...,
        **params: Unpack[CompletionCreateParamsBase],
    ) -> ChatCompletion: ...

    @overload
    async def create(
        self,
        *,
        stream: Literal[True],
        hyperion: Optional[HyperionOptions] = None,
        smart_routing: Optional[bool] = None,
        extra_headers: _Headers = None,
        extra_query: _Query = None,
        extra_body: Optional[object] = None,
        timeout: Any = ...,
        **params: Unpack[CompletionCreateParamsBase],
    ) -> AsyncStream[ChatCompletionChunk]: ...

    @overload
    async def create(
        self,
        *,
        stream: bool,
        hyperion: Optional[HyperionOptions] = None,
        smart_routing: Optional[bool] = None,
        extra_headers: _Headers = None,
        extra_query: _Query = None,
        extra_body: Optional[object] = None,
        timeout: Any = ...,
        **params: Unpack[CompletionCreateParamsBase],
    ) -> Union[ChatCompletion, AsyncStream[ChatCompletionChunk]]: ...

    async def create(
        self, *, hyperion: Any = None, smart_routing: Any = None, **arguments: Any
    ) -> Any:
        return await super().create(**_with_body(arguments, hyperion, smart_routing))

    async def parse(  # type: ignore[override]
        self,
        *,
        messages: Iterable[ChatCompletionMessageParam],
        model: str,
        response_format: Union[type[_T], NotGiven] = NOT_GIVEN,
        hyperion: Optional[HyperionOptions] = None,
        smart_routing: Optional[bool] = None,
        **arguments: Any,
    ) -> ParsedChatCompletion[_T]:
        arguments.update(messages=messages, model=model, response_format=response_format)
        parsed: Any = await super().parse(**_with_body(arguments, hyperion, smart_routing))
        return cast("ParsedChatCompletion[_T]", parsed)

    def stream(  # type: ignore[override]
        self,
        *,
        messages: Iterable[ChatCompletionMessageParam],
        model: str,
        response_format: Any = NOT_GIVEN,
        hyperion: Optional[HyperionOptions] = None,
        smart_routing: Optional[bool] = None,
        **arguments: Any,
    ) -> AsyncChatCompletionStreamManager[Any]:
        arguments.update(messages=messages, model=model, response_format=response_format)
        inner = super().stream(**_with_body(arguments, hyperion, smart_routing))
        return AsyncChatCompletionStreamManager(inner)


class AsyncChat(chat.AsyncChat):
    @cached_property
    def completions(self) -> AsyncCompletions:
        return AsyncCompletions(self._client)
