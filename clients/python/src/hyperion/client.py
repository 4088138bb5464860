"""The two clients: OpenAI's, with Hyperion's key, address and options.

Everything of OpenAI's client works as it does there. What differs: the environment variables are
HYPERION_API_KEY and HYPERION_BASE_URL alone, so that a key of OpenAI's never reaches the gateway
nor the gateway's key OpenAI; and every answer carries what the gateway decided.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any, Mapping, Optional

import openai

from . import answers
from .completions import AsyncChat, Chat
from .route import AsyncRoute, Route, feedback_body

DEFAULT_BASE_URL = "http://127.0.0.1:8080/v1"

# What OpenAI's client reads from OPENAI_... and sends, where it is not given.
_FROM_ENVIRONMENT = ("organization", "project", "admin_api_key")


def _filled_in(api_key: Any, base_url: Any) -> dict[str, Any]:
    """Key and address, from the environment where they are not given."""
    if api_key is None:
        api_key = os.environ.get("HYPERION_API_KEY")
    if not api_key:
        raise openai.OpenAIError(
            "No key for Hyperion: pass api_key, or set the environment variable HYPERION_API_KEY "
            "(OPENAI_API_KEY is left alone)."
        )
    # OpenAI's client may be told that nothing was given by a value of its own.
    if base_url is None or isinstance(base_url, openai.NotGiven):
        base_url = os.environ.get("HYPERION_BASE_URL") or DEFAULT_BASE_URL
    return {"api_key": api_key, "base_url": base_url}


def _forget_openai(client: Any, options: Mapping[str, Any]) -> None:
    """Takes back what OpenAI's client read from its own environment variables."""
    for name in _FROM_ENVIRONMENT:
        if hasattr(client, name):
            setattr(client, name, options.get(name))
    client._custom_headers = options.get("default_headers") or {}


def _prepare(options: Any) -> None:
    """Has a parsed answer carry the decision of the answer that it was made from."""
    parse = options.post_parser
    if not callable(parse):
        return

    def parse_and_keep(answer: Any) -> Any:
        return answers.adopt(parse(answer), answers.decision_of(answer))

    options.post_parser = parse_and_keep


class Hyperion(openai.OpenAI):
    """OpenAI's client, for Hyperion. Keywords are those of `openai.OpenAI`."""

    def __init__(self, *, api_key: Any = None, base_url: Any = None, **options: Any) -> None:
        super().__init__(**_filled_in(api_key, base_url), **options)
        _forget_openai(self, options)

    @cached_property
    def chat(self) -> Chat:
        return Chat(self)

    @cached_property
    def route(self) -> Route:
        """Asks for decisions without sending anything to a provider."""
        return Route(self)

    def feedback(
        self, *, request_id: str, score: Optional[float] = None, good: Optional[bool] = None
    ) -> None:
        """Tells how good an answer was: a score from 0 to 1, or good=True or False."""
        body = feedback_body(request_id, score, good)
        self.post("/feedback", cast_to=type(None), body=body)

    def request(
        self, cast_to: Any, options: Any, *, stream: bool = False, stream_cls: Any = None
    ) -> Any:
        _prepare(options)
        stream_cls = answers.stream_class_for(stream_cls)
        return super().request(cast_to, options, stream=stream, stream_cls=stream_cls)

    def _process_response_data(self, *, data: Any, cast_to: Any, response: Any) -> Any:
        cast_to = answers.class_for(cast_to)
        answer = super()._process_response_data(data=data, cast_to=cast_to, response=response)
        answers.keep(answer, response.headers)
        return answer


class AsyncHyperion(openai.AsyncOpenAI):
    """OpenAI's asynchronous client, for Hyperion. Keywords are those of `openai.AsyncOpenAI`."""

    def __init__(self, *, api_key: Any = None, base_url: Any = None, **options: Any) -> None:
        super().__init__(**_filled_in(api_key, base_url), **options)
        _forget_openai(self, options)

    @cached_property
    def chat(self) -> AsyncChat:
        return AsyncChat(self)

    @cached_property
    def route(self) -> AsyncRoute:
        """Asks for decisions without sending anything to a provider."""
        return AsyncRoute(self)

    async def feedback(
        self, *, request_id: str, score: Optional[float] = None, good: Optional[bool] = None
    ) -> None:
        """Tells how good an answer was: a score from 0 to 1, or good=True or False."""
        body = feedback_body(request_id, score, good)
        await self.post("/feedback", cast_to=type(None), body=body)

    async def request(
        self, cast_to: Any, options: Any, *, stream: bool = False, stream_cls: Any = None
    ) -> Any:
        _prepare(options)
        stream_cls = answers.stream_class_for(stream_cls)
        return await super().request(cast_to, options, stream=stream, stream_cls=stream_cls)

    def _process_response_data(self, *, data: Any, cast_to: Any, response: Any) -> Any:
        cast_to = answers.class_for(cast_to)
        answer = super()._process_response_data(data=data, cast_to=cast_to, response=response)
        answers.keep(answer, response.headers)
        return answer


HyperionClient = Hyperion
