"""What the gateway would decide, and how good its decisions were."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from openai import BaseModel
from openai.types.chat.completion_create_params import CompletionCreateParamsBase
from pydantic import Field
from typing_extensions import Unpack

from .options import HyperionOptions, merged_body


class Candidate(BaseModel):
    model: str
    provider: str
    p: Optional[float] = None
    """The chance that the model is good enough."""
    expected_nano_usd: Optional[int] = None
    worst_nano_usd: Optional[int] = None
    excluded: Optional[str] = None
    """Why it is out; None: it is not."""


class Explanation(BaseModel):
    """A decision in full; members of newer gateways are kept as they are."""

    requested: str
    model: Optional[str] = None
    provider: Optional[str] = None
    route: Optional[str] = None
    intent: Optional[str] = None
    class_: Optional[str] = Field(alias="class", default=None)
    score: Optional[float] = None
    """0 to 1; higher is harder."""
    tier: Optional[int] = None
    tokens_estimated: Optional[int] = None
    candidates: list[Candidate] = Field(default_factory=list)
    stamps: Optional[dict[str, Any]] = None
    ns: Optional[int] = None


class Route:
    def __init__(self, client: Any) -> None:
        self._client = client

    def explain(
        self,
        *,
        hyperion: Optional[HyperionOptions] = None,
        smart_routing: Optional[bool] = None,
        stream: Optional[bool] = None,
        extra_headers: Optional[Mapping[str, Any]] = None,
        extra_query: Optional[Mapping[str, object]] = None,
        extra_body: Optional[object] = None,
        timeout: Any = None,
        **params: Unpack[CompletionCreateParamsBase],
    ) -> Explanation:
        """The decision for what would be a `chat.completions.create`; nothing is sent on."""
        asked = _request(
            params, stream, merged_body(extra_body, hyperion, smart_routing),
            extra_headers, extra_query, timeout,
        )
        explanation: Explanation = self._client.post("/route/explain", **asked)
        return explanation


class AsyncRoute:
    def __init__(self, client: Any) -> None:
        self._client = client

    async def explain(
        self,
        *,
        hyperion: Optional[HyperionOptions] = None,
        smart_routing: Optional[bool] = None,
        stream: Optional[bool] = None,
        extra_headers: Optional[Mapping[str, Any]] = None,
        extra_query: Optional[Mapping[str, object]] = None,
        extra_body: Optional[object] = None,
        timeout: Any = None,
        **params: Unpack[CompletionCreateParamsBase],
    ) -> Explanation:
        """The decision for what would be a `chat.completions.create`; nothing is sent on."""
        asked = _request(
            params, stream, merged_body(extra_body, hyperion, smart_routing),
            extra_headers, extra_query, timeout,
        )
        explanation: Explanation = await self._client.post("/route/explain", **asked)
        return explanation


def _request(
    params: Mapping[str, Any], stream: Optional[bool], extra_body: Any,
    extra_headers: Any, extra_query: Any, timeout: Any,
) -> dict[str, Any]:
    """The keywords of the client's `post`."""
    body = {name: list(value) if name in ("messages", "tools") else value
            for name, value in params.items()}
    if stream is not None:
        body["stream"] = stream
    given = {"headers": extra_headers, "params": extra_query, "extra_json": extra_body,
             "timeout": timeout}
    options = {name: value for name, value in given.items() if value is not None}
    return {"cast_to": Explanation, "body": body, "options": options}


def feedback_body(
    request_id: str, score: Optional[float], good: Optional[bool]
) -> dict[str, object]:
    if (score is None) == (good is None):
        raise TypeError("feedback takes either score, from 0 to 1, or good, True or False")
    if score is None:
        score = 1.0 if good else 0.0
    if not 0 <= score <= 1:
        raise ValueError(f"score is {score}: from 0 (useless) to 1 (perfect)")
    return {"request_id": request_id, "score": score}
