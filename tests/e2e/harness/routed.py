"""What the tests of routing share: prompts that are easy or hard, a conf with three vendors, how a
decision is asked for and read."""

import json

from harness.conf import CLIENT_KEY, OTHER_KEY, sha256_of
from harness.simulated import providers_at
from harness.wire import CHAT, ask

EXPLAIN, RESPONSES, MESSAGES = "/v1/route/explain", "/v1/responses", "/v1/messages"
FRANCE = "What is the capital of France?"
PROOF = ("Prove that for every prime p congruent to 1 modulo 4 there are integers a and b with "
         "p = a^2 + b^2, by descent and again through the Gaussian integers, and show that the "
         "representation is unique up to order and signs. Justify every step rigorously.")
CODE = ("Implement a lock-free multi-producer multi-consumer queue in C++20 with hazard pointers. "
        "Prove that it is linearizable, handle ABA, cover the destructor and exceptions, and write "
        "a stress test.\n```cpp\n"
        + "template <class T>\nclass Queue {\n  std::atomic<Node*> head_;\n"
        "  // retire(node) must not free while a reader holds it\n};\n" * 12 + "```\n"
        "Then port the whole of it to Rust without unsafe, and explain each memory ordering.")
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
CONTENTS = [{"role": "user", "parts": [{"text": FRANCE}]}]
USER = [{"role": "user", "content": FRANCE}]
INTENTS = {1: "cheap_fast", 2: "balanced", 3: "high_reasoning"}


def conf_at(port: int) -> dict:
    return {
        "providers": providers_at(port),
        "keys": [{"id": "tests", "hash": sha256_of(CLIENT_KEY)},
                 {"id": "other", "hash": sha256_of(OTHER_KEY), "models": ["anthropic/*"]}],
        # The simulator's first tokens come within microseconds: who was slower is chance.
        "routing": {"slower_percent": 10_000},
    }


def put(gateway, text=FRANCE, path=CHAT, key=CLIENT_KEY, **members):
    if "messages" not in members:
        members["messages"] = [{"role": "user", "content": text}]
    return ask(gateway, json.dumps(members).encode(), path=path, key=key)


def ran(answer) -> str:
    assert answer.status == 200, answer.body
    return answer.header("x-hyperion-model")


def fields_of(answer) -> dict:
    """The decision's line as a dict."""
    line = answer.header("x-hyperion-route-decision")
    return dict(part.split("=", 1) for part in line.split(" "))


def explained(gateway, text=FRANCE, key=CLIENT_KEY, **members) -> dict:
    answer = put(gateway, text, EXPLAIN, key, **members)
    assert answer.status == 200, answer.body
    return answer.json()


def without_time(decision: dict) -> dict:
    return {name: value for name, value in decision.items() if name != "ns"}


def family_of(gateway, model: str) -> str:
    return explained(gateway, model=model)["provider"]
