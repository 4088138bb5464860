"""Hyperion's client: OpenAI's client, with the gateway's own options and what it decided.

    from hyperion import Hyperion

    client = Hyperion()  # HYPERION_API_KEY, HYPERION_BASE_URL
    answer = client.chat.completions.create(
        model="gpt-4o",
        messages=[{"role": "user", "content": "Generate a report."}],
        hyperion={"fallbacks": ["gpt-4o-mini", "claude-haiku-4-5"]},
    )
    print(answer.hyperion.provider, answer.hyperion.model)
"""

from .answers import (
    AsyncChatCompletionStream,
    AsyncStream,
    ChatCompletion,
    ChatCompletionStream,
    ParsedChatCompletion,
    Stream,
    decision_of,
)
from .client import AsyncHyperion, Hyperion, HyperionClient
from .decision import Decision, RouteDecision
from .options import HyperionOptions, Timeouts
from .route import Candidate, Explanation

__version__ = "0.1.0"

__all__ = [
    "AsyncChatCompletionStream",
    "AsyncHyperion",
    "AsyncStream",
    "Candidate",
    "ChatCompletion",
    "ChatCompletionStream",
    "Decision",
    "Explanation",
    "Hyperion",
    "HyperionClient",
    "HyperionOptions",
    "ParsedChatCompletion",
    "RouteDecision",
    "Stream",
    "Timeouts",
    "decision_of",
]
