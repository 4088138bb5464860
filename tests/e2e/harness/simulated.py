"""A gateway in front of the simulated provider in all its dialects."""

from contextlib import contextmanager
from pathlib import Path

from harness.conf import PROVIDER_KEY_VARIABLE, sha256_of
from harness.gateway import Gateway
from harness.simulator import Simulator

# A key for tests: with it faults can be asked for.
KEY = "sk_test_matrix_8e1f07c2ab9d465390b7e2f4c1d6a8053f9e7b2c4d1a6085"


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
def simulated_gateway(folder: Path):
    """(gateway, simulator); `matrix-chat` is a model that only Chat Completions reach."""
    with Simulator() as simulator:
        changes = {
            "test_faults": True,
            "providers": providers_at(simulator.port),
            "keys": [{"id": "matrix", "hash": sha256_of(KEY), "test": True}],
            "deployments": [{"name": "matrix-chat", "model": "gpt-5-mini-2025-08-07",
                             "provider": "chat-only"}],
        }
        with Gateway(folder, simulator.port, changes) as gateway:
            yield gateway, simulator
