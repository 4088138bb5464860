"""The gateway's own request fields: `hyperion` and `smart_routing`.

Their values are not judged here: the gateway does, and names the field that is wrong.
"""

from __future__ import annotations

from typing import Any, Mapping, Optional

from typing_extensions import TypedDict


class Timeouts(TypedDict, total=False):
    """Deadlines of one request, within those of the gateway's conf."""

    connect_ms: int
    first_token_ms: int
    idle_ms: int
    total_ms: int


class HyperionOptions(TypedDict, total=False):
    fallbacks: list[str]
    """Models to try, in order, if the first fails; [] switches off a chain that the conf gives."""
    max_cost: float
    """USD for this request, over all its attempts."""
    providers: list[str]
    """Narrows the providers that `auto` may choose from."""
    timeouts: Timeouts
    explain: bool
    """The decision in full: `answer.hyperion.explanation`, where the answer is not a stream."""
    bypass_cache: bool
    cache_ttl: int
    """Seconds."""
    tags: Mapping[str, str]


def merged_body(
    extra_body: Any, hyperion: Optional[HyperionOptions], smart_routing: Optional[bool]
) -> Any:
    """`extra_body` with the two fields added; ValueError where one would be said twice."""
    if hyperion is None and smart_routing is None:
        return extra_body
    if extra_body is not None and not isinstance(extra_body, Mapping):
        raise TypeError(
            f"extra_body is a {type(extra_body).__name__}: a mapping is needed, for hyperion= and "
            "smart_routing= to be added to it"
        )
    body: dict[str, Any] = dict(extra_body or {})
    if smart_routing is not None:
        if "smart_routing" in body:
            raise ValueError(_twice("smart_routing"))
        body["smart_routing"] = smart_routing
    if hyperion is not None:
        body["hyperion"] = _merged_options(body.get("hyperion", {}), hyperion)
    return body


def _merged_options(given: object, hyperion: HyperionOptions) -> dict[str, Any]:
    for name, options in (("hyperion", hyperion), ('extra_body["hyperion"]', given)):
        if not isinstance(options, Mapping):
            raise TypeError(f"{name} is a {type(options).__name__}: a mapping of options is needed")
    assert isinstance(given, Mapping)
    for option in hyperion:
        if option in given:
            raise ValueError(_twice(f"hyperion.{option}"))
    return {**given, **hyperion}


def _twice(field: str) -> str:
    return f"{field} is given both in extra_body and as a keyword: give it once"
