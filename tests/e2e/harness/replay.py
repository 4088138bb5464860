"""Recordings replayed as what the providers say: to every client, at every kind of byte cut."""

import json
import random

from harness.conf import PROVIDER_KEY_VARIABLE
from harness.recorded import Recording
from harness.upstream import LAST_CHUNK, chunk, head_of, plain_answer
from harness.wire import ask

MANNERS = ("whole", "bytes", "characters", "random")

# Where a provider that speaks several dialects has each of them: the preset, and its root.
ROOTS = {"gemini": "/v1beta", "vertex": "/v1/projects/p/locations/global/publishers/google"}

# A model of the catalogue for each dialect; the provider's answer says whatever was recorded. The
# one for Responses is reached by no other way.
MODELS = {"chat": "gpt-4o-2024-11-20", "responses": "gpt-5-pro", "anthropic": "claude-haiku-4-5",
          "gemini": "gemini-2.5-flash"}

# (provider, dialect) of all recordings there may be.
UPSTREAMS = [
    *((provider, "chat") for provider in (
        "openai", "azure", "deepseek", "groq", "mistral", "ollama", "openrouter", "perplexity",
        "xai", "together", "cerebras", "vllm")),
    ("openai", "responses"), ("azure", "responses"), ("xai", "responses"),
    ("anthropic", "anthropic"), ("gemini", "gemini"), ("vertex", "gemini")]

CLIENTS = ("chat", "responses", "anthropic", "gemini")


def name_of(provider: str, dialect: str) -> str:
    """Of the provider's entry in the conf, and of the deployment there."""
    return f"{provider}-{dialect}"


def conf_at(port: int) -> dict:
    """Every provider by its preset, once for each dialect that was recorded of it."""
    providers = [{
        "name": name_of(provider, dialect), "preset": provider,
        "base_url": f"http://127.0.0.1:{port}{ROOTS.get(provider, '/v1')}",
        "api_key_env": PROVIDER_KEY_VARIABLE, "passthrough_unknown_models": True,
        "serves": ["openai", "anthropic", "google"],
        "speaks_responses": dialect == "responses",
    } for provider, dialect in UPSTREAMS]
    deployments = [{"name": name_of(*upstream) + "-model", "provider": name_of(*upstream),
                    "model": MODELS[upstream[1]]} for upstream in UPSTREAMS]
    # One attempt each: what it means is looked at here, not whether another helps.
    return {"providers": providers, "deployments": deployments, "retries": {"attempts_max": 1}}


def cuts_of(data: bytes, manner: str, seed: random.Random) -> list:
    """Where the recording is cut into writes."""
    if manner == "whole":
        inner = []
    elif manner == "bytes":
        inner = [*range(1, min(len(data), 6000)), *range(max(1, len(data) - 1500), len(data))]
    elif manner == "characters":
        # Inside characters of several bytes, and between CR and LF.
        inner = [at for at in range(1, len(data))
                 if 0x80 <= data[at] < 0xC0 or data[at - 1] == 0x0D]
        inner = seed.sample(inner, min(len(inner), 300))
    else:
        inner = [seed.randrange(len(data)) for _ in range(len(data) // 200 + 3)]
    return sorted({0, len(data), *inner})


def replaying(recording: Recording, data: bytes, manner: str, seed: random.Random):
    """A handler that answers with `data`, under the recording's status and headers."""
    kept = ("retry-after", "retry-after-ms", "x-should-retry")
    options = {"content_type": recording.headers.get("content-type", "application/json"),
               "headers": [f"{name}: {recording.headers[name]}" for name in kept
                           if name in recording.headers]}
    if data != recording.body.encode() and recording.is_array:
        options["content_type"] = "text/event-stream"
    status = f"{recording.status} Recorded"
    if manner == "whole" and not recording.streamed:
        return lambda connection: connection.send(plain_answer(data, status, **options))
    cuts = cuts_of(data, manner, seed)
    pieces = b"".join(chunk(data[begin:end]) for begin, end in zip(cuts, cuts[1:]))

    def handle(connection):
        connection.send(head_of(status, **options))
        # Chunks of HTTP and writes to the socket end at different places.
        connection.send_pieces(pieces + LAST_CHUNK, [7, 1, 300] * 20)

    return handle


def request_of(client: str, model: str, stream: bool, thinks: bool = False) -> tuple:
    """(path, body) of a small question in a client's dialect, which may ask to see thinking."""
    body = {"model": model, "stream": stream}
    if client == "gemini":
        action = "streamGenerateContent?alt=sse" if stream else "generateContent"
        shown = {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}
        return (f"/v1beta/models/{model}:{action}",
                {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
                 **(shown if thinks else {})})
    if client == "responses":
        shown = {"reasoning": {"effort": "low", "summary": "auto"}} if thinks else {}
        return "/v1/responses", {**body, "input": "Hi", **shown}
    body |= {"max_tokens": 2000, "messages": [{"role": "user", "content": "Hi"}]}
    if client == "anthropic":
        shown = {"thinking": {"type": "enabled", "budget_tokens": 1024}} if thinks else {}
        return "/v1/messages", {**body, **shown}
    options = {"stream_options": {"include_usage": True}} if stream else {}
    return "/v1/chat/completions", {**body, **options}


def ask_as(gateway, client: str, model: str, stream: bool, thinks: bool = False):
    path, body = request_of(client, model, stream, thinks)
    return ask(gateway, json.dumps(body).encode(), path=path)


def ask_for(gateway, client: str, recording: Recording, stream: bool):
    """A client's request that reaches the provider of the recording."""
    model = name_of(recording.provider, recording.dialect) + "-model"
    return ask_as(gateway, client, model, stream, True)


def check_logged_usage(gateway, answers: dict) -> None:
    """That the log has the providers' numbers as far as they told them; {request's id: Said}."""
    lines = gateway.log_up_to(list(answers)[-1])
    for request_id, said in answers.items():
        line = lines[request_id]
        numbers = [line.get(name) for name in (
            "prompt_tokens", "completion_tokens", "cached_tokens", "cache_write_tokens",
            "reasoning_tokens")]
        told = [said.input_tokens, said.output_tokens, said.cached_tokens, said.written_tokens,
                said.reasoning_tokens]
        assert numbers[:2] == told[:2], (line, said)
        assert [one or 0 for one in numbers[2:]] == [one or 0 for one in told[2:]], (line, said)
