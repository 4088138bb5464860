"""Every preset of an OpenAI-shaped provider, by its name alone, at the host that it names.

The real host names are reached at servers of the test's own, over TLS where the provider has TLS.
What each host wants and answers stands here as its documentation and its recordings have it, not
as the presets say.
"""

import json
import random
from dataclasses import dataclass

import pytest

from harness.certificates import Authority
from harness.gateway import Gateway
from harness.recorded import recordings
from harness.replay import replaying, request_of
from harness.said import read
from harness.upstream import Upstream, completion, plain_answer
from harness.wire import ask

SEED = 5


@dataclass
class Host:
    name: str
    root: str
    variable: str = ""  # where its key is
    header: str = "authorization"
    prefix: str = "Bearer "
    limit: str = "max_tokens"  # its word for the limit of an answer
    system: str = "system"  # and for the role of instructions to a model that reasons
    asks_usage: bool = True
    wants_reasoning_back: bool = False
    takes_cache_marks: bool = False
    speaks_responses: bool = False
    keeps_models: bool = False  # `models` of a request is its own

    @property
    def secret(self) -> str:
        return f"sk-canary-of-{self.variable}"


HOSTS = {
    "openai": Host("api.openai.com", "/v1", "OPENAI_API_KEY", limit="max_completion_tokens",
                   system="developer", speaks_responses=True),
    "azure": Host("mine.openai.azure.com", "/openai/v1", "AZURE_OPENAI_API_KEY", "api-key", "",
                  "max_completion_tokens", "developer", speaks_responses=True),
    "together": Host("api.together.xyz", "/v1", "TOGETHER_API_KEY"),
    "perplexity": Host("api.perplexity.ai", "", "PERPLEXITY_API_KEY", asks_usage=False),
    "cerebras": Host("api.cerebras.ai", "/v1", "CEREBRAS_API_KEY", limit="max_completion_tokens"),
    "xai": Host("api.x.ai", "/v1", "XAI_API_KEY", limit="max_completion_tokens",
                speaks_responses=True),
    "groq": Host("api.groq.com", "/openai/v1", "GROQ_API_KEY", limit="max_completion_tokens"),
    "mistral": Host("api.mistral.ai", "/v1", "MISTRAL_API_KEY", asks_usage=False),
    "deepseek": Host("api.deepseek.com", "/v1", "DEEPSEEK_API_KEY", wants_reasoning_back=True),
    "openrouter": Host("openrouter.ai", "/api/v1", "OPENROUTER_API_KEY", system="developer",
                       takes_cache_marks=True, keeps_models=True),
    "ollama": Host("127.0.0.1:11434", "/v1"),
    "vllm": Host("127.0.0.1:8000", "/v1"),
}


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """(authority, {True: over TLS, False: without})"""
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    names = [host.name for host in HOSTS.values() if host.variable]
    running = {True: Upstream(context=authority.server_context(*names)), False: Upstream()}
    yield authority, running
    for one in running.values():
        one.stop()


@pytest.fixture(scope="module")
def gateway(servers, tmp_path_factory):
    authority, running = servers
    providers = []
    for preset, host in HOSTS.items():
        entry = {"name": preset, "serves": [preset, "deepseek"],
                 "addresses": [f"127.0.0.1:{running[bool(host.variable)].port}"]}
        if host.variable:
            entry["ca_file"] = str(authority.ca_file)
        if preset == "azure":
            entry["variables"] = {"resource": "mine"}
        providers.append(entry)
    # One model that reasons, at all of them.
    deployments = [{"name": f"{preset}-model", "model": "deepseek-reasoner", "provider": preset,
                    "upstream_model": f"{preset}-upstream"} for preset in HOSTS]
    environment = {host.variable: host.secret for host in HOSTS.values() if host.variable}
    with Gateway(tmp_path_factory.mktemp("gateway"), 0,
                 {"providers": providers, "deployments": deployments}, environment) as started:
        yield started


@pytest.fixture
def server_of(servers):
    def find(preset: str) -> Upstream:
        server = servers[1][bool(HOSTS[preset].variable)]
        server.reset()
        return server

    return find


def check_head(request, preset: str, path: str) -> None:
    """Where the request went, and with whose key."""
    host = HOSTS[preset]
    assert request.line == f"POST {host.root}{path} HTTP/1.1"
    assert request.header("host") == host.name
    secrets = {one.secret for one in HOSTS.values()}
    carrying = {name.lower(): value for name, value in request.headers
                if any(secret in value for secret in secrets)}
    assert carrying == ({host.header: host.prefix + host.secret} if host.variable else {})
    assert {"authorization", "api-key"} & request.names() <= set(carrying)


def recorded_of(preset: str) -> list:
    """The recorded answers of a provider, and OpenAI's for one of whom there are none."""
    found = [item for item in recordings("chat.completions") if item.status == 200]
    own = [item for item in found if item.provider == preset]
    return own or [item for item in found if item.provider == "openai"][:6]


@pytest.mark.parametrize("preset", HOSTS)
def test_a_preset_reaches_its_host_and_gives_back_what_it_answers(gateway, server_of, preset):
    server = server_of(preset)
    seed = random.Random(SEED)
    for recording in recorded_of(preset):
        server.handler = replaying(recording, recording.body.encode(), "random", seed)
        path, body = request_of("chat", f"{preset}-model", recording.streamed)
        body |= {"models": ["a", "b"]} if HOSTS[preset].keeps_models else {}
        answer = ask(gateway, json.dumps(body).encode(), path=path)
        assert answer.status == 200 and answer.complete, answer.body
        assert answer.body == recording.body.encode(), recording.name
        assert answer.header("x-hyperion-provider") == preset
        check_head(server.requests[-1], preset, "/chat/completions")
        assert server.requests[-1].json() == {**body, "model": f"{preset}-upstream"}


# A turn with signed thinking, a call and its result, and a mark for the cache.
ANTHROPIC = {
    "max_tokens": 77, "system": "Be brief.", "stream": True,
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "tools": [{"name": "clock", "input_schema": {"type": "object", "properties": {}}}],
    "messages": [
        {"role": "user", "content": [
            {"type": "text", "text": "What time is it?",
             "cache_control": {"type": "ephemeral"}}]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "canary thought", "signature": "c2ln"},
            {"type": "tool_use", "id": "toolu_1", "name": "clock", "input": {}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": "noon"}]}],
}


@pytest.mark.parametrize("preset", HOSTS)
def test_a_translated_request_has_what_the_host_wants(gateway, server_of, preset):
    host = HOSTS[preset]
    server = server_of(preset)
    stream = next(item for item in recordings("chat.completions")
                  if item.streamed and item.provider == "openai")
    server.handler = replaying(stream, stream.body.encode(), "random", random.Random(SEED))
    answer = ask(gateway, json.dumps({**ANTHROPIC, "model": f"{preset}-model"}).encode(),
                 path="/v1/messages")
    assert answer.status == 200 and answer.complete, answer.body
    assert read("anthropic", answer.body.decode(), True).text == read(
        "chat", stream.body, True).text
    check_head(server.requests[-1], preset, "/chat/completions")
    sent = server.requests[-1].json()
    assert sent["model"] == f"{preset}-upstream"
    limits = {name: sent[name] for name in ("max_tokens", "max_completion_tokens") if name in sent}
    assert limits == {host.limit: 77}
    assert sent["messages"][0] == {"role": host.system, "content": "Be brief."}
    assert sent.get("stream_options") == ({"include_usage": True} if host.asks_usage else None)
    called = sent["messages"][2]
    assert called["tool_calls"][0]["function"] == {"name": "clock", "arguments": "{}"}
    assert called.get("reasoning_content") == (
        "canary thought" if host.wants_reasoning_back else None)
    assert sent["messages"][3] == {"role": "tool", "tool_call_id": "toolu_1", "content": "noon"}
    assert ("cache_control" in json.dumps(sent)) == host.takes_cache_marks


@pytest.mark.parametrize("preset", HOSTS)
def test_responses_go_through_where_the_host_speaks_them_and_else_are_translated(
        gateway, server_of, preset):
    server = server_of(preset)
    recording = next(item for item in recordings("responses") if item.status == 200)
    body = json.dumps({"model": f"{preset}-model", "input": "Hi"}).encode()
    if HOSTS[preset].speaks_responses:
        server.handler = replaying(recording, recording.body.encode(), "random",
                                   random.Random(SEED))
        answer = ask(gateway, body, path="/v1/responses")
        assert answer.status == 200 and answer.body == recording.body.encode()
        check_head(server.requests[-1], preset, "/responses")
    else:
        server.handler = lambda connection: connection.send(plain_answer(completion("Well.")))
        answer = ask(gateway, body, path="/v1/responses")
        assert answer.status == 200
        assert read("responses", answer.body.decode(), False).text == "Well."
        check_head(server.requests[-1], preset, "/chat/completions")
