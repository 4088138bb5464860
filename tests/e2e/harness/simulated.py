"""A gateway in front of the simulated provider in all its dialects."""

from contextlib import contextmanager
from pathlib import Path

from harness.conf import PROVIDER_KEY_VARIABLE, sha256_of
from harness.gateway import Gateway
from harness.schema import validate_chat
from harness.simulator import Simulator
from harness.tap import Tap
from harness.wire import CHAT

# A key for tests: with it faults can be asked for.
KEY = "sk_test_matrix_8e1f07c2ab9d465390b7e2f4c1d6a8053f9e7b2c4d1a6085"

# A model that OpenAI has in Responses only.
RESPONSES_MODEL = "gpt-5-codex"


def providers_at(port: int) -> list:
    """OpenAI, Anthropic and Gemini, and OpenAI once more as one that has no Responses."""
    def provider(name: str, root: str = "/v1", **facts) -> dict:
        return {"name": name, "base_url": f"http://127.0.0.1:{port}{root}",
                "api_key_env": PROVIDER_KEY_VARIABLE, **facts}

    return [provider("openai"), provider("anthropic"), provider("gemini", "/v1beta"),
            provider("chat-only", preset="openai", serves=["openai"], speaks_responses=False)]


def conf_at(port: int) -> dict:
    """Changes of the conf: all of them are at one provider's port."""
    return {"providers": providers_at(port)}


@contextmanager
def simulated_gateway(folder: Path, more_deployments=()):
    """(gateway, simulator); `matrix-chat` is a model that only Chat Completions reach.

    The gateway's URL is a tap's: in the end every chat answer that went through it and that the
    gateway has written itself is held against OpenAI's schema.
    """
    with Simulator() as simulator:
        changes = {
            "test_faults": True,
            "providers": providers_at(simulator.port),
            "keys": [{"id": "matrix", "hash": sha256_of(KEY), "test": True}],
            "deployments": [{"name": "matrix-chat", "model": "gpt-5-mini-2025-08-07",
                             "provider": "chat-only"}, *more_deployments],
        }
        with Gateway(folder, simulator.port, changes) as gateway:
            gateway.tap = Tap(gateway.port)
            gateway.url = gateway.tap.url
            yield gateway, simulator
            gateway.tap.stop()
            check_chat_answers(gateway.tap)


def check_chat_answers(tap: Tap) -> int:
    """Of those that were not passed through; how many documents they had."""
    count = 0
    for path, request, answer in tap.exchanges():
        translated = (answer.header("x-hyperion-provider") in (None, "anthropic", "gemini")
                      or request.get("model") == RESPONSES_MODEL)
        if path == CHAT and translated:
            count += validate_chat(answer.body, answer.status == 200 and request.get("stream"))
    return count
