"""What the gateway decided for a request, as its response headers tell it.

A header that is absent, or that holds no value of its kind, is None: reading a decision never makes
an answer fail.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, Optional, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True)
class RouteDecision:
    """The parts of `x-hyperion-route-decision`."""

    tier: Optional[int] = None
    """The tier that the request needs: 1 cheap_fast, 2 balanced, 3 high_reasoning."""
    score: Optional[float] = None
    """How hard the request is, from 0 to 1."""
    from_model: Optional[str] = None
    to_model: Optional[str] = None
    saved: Optional[float] = None
    """What the choice is expected to save, in USD."""
    parts: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Every part as it was written, those of newer gateways too."""


@dataclass(frozen=True)
class Decision:
    """What ran, why, and what it cost."""

    provider: Optional[str] = None
    model: Optional[str] = None
    """What ran."""
    requested_model: Optional[str] = None
    route: Optional[str] = None
    """`passthrough`, `smart` or `auto`."""
    route_intent: Optional[str] = None
    """`cheap_fast`, `balanced` or `high_reasoning`."""
    route_decision: Optional[RouteDecision] = None
    attempts: Optional[int] = None
    fallback_index: Optional[int] = None
    fallback_reason: Optional[str] = None
    cost_reserved: Optional[float] = None
    """USD held before the request was sent: the worst case."""
    cost: Optional[float] = None
    """USD; not known yet when a stream begins."""
    overhead_us: Optional[int] = None
    """Microseconds that the gateway itself took."""
    dropped_params: Optional[tuple[str, ...]] = None
    adjusted: Optional[tuple[str, ...]] = None
    request_id: Optional[str] = None
    cache_status: Optional[str] = None
    explanation: Optional[Mapping[str, Any]] = field(default=None, hash=False)
    """The decision in full, from the answer's body, where `hyperion={"explain": True}` asked."""

    @classmethod
    def from_headers(
        cls, headers: Mapping[str, str], explanation: Optional[Mapping[str, Any]] = None
    ) -> Decision:
        """Reads the headers of an answer or of an error; `headers` looks names up in any case."""

        def of(name: str, read: Callable[[str], _T]) -> Optional[_T]:
            return _read(headers.get("x-hyperion-" + name), read)

        return cls(
            provider=of("provider", str),
            model=of("model", str),
            requested_model=of("requested-model", str),
            route=of("route", str),
            route_intent=of("route-intent", str),
            route_decision=of("route-decision", _read_route_decision),
            attempts=of("attempts", int),
            fallback_index=of("fallback-index", int),
            fallback_reason=of("fallback-reason", str),
            cost_reserved=of("cost-reserved", _read_usd),
            cost=of("cost", _read_usd),
            overhead_us=of("overhead-us", int),
            dropped_params=of("dropped-params", _read_list),
            adjusted=of("adjusted", _read_list),
            request_id=headers.get("x-request-id"),
            cache_status=headers.get("x-cache-status"),
            explanation=explanation,
        )


def _read(text: Optional[str], read: Callable[[str], _T]) -> Optional[_T]:
    if text is None:
        return None
    try:
        return read(text)
    except ValueError:
        return None


def _read_usd(text: str) -> float:
    return float(text.strip().lstrip("$"))


def _read_list(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _read_route_decision(text: str) -> RouteDecision:
    pairs = (part.partition("=") for part in text.split())
    parts = {name: value for name, mark, value in pairs if mark}
    return RouteDecision(
        tier=_read(parts.get("tier"), int),
        score=_read(parts.get("score"), float),
        from_model=parts.get("from"),
        to_model=parts.get("to"),
        saved=_read(parts.get("saved"), _read_usd),
        parts=parts,
    )
