"""Discovery: what a provider's own list shows can be asked for, and nothing waits for the list."""

import json
import threading

import pytest

from harness.conf import CLIENT_KEY, OTHER_KEY, PROVIDER_KEY, PROVIDER_KEY_VARIABLE, sha256_of
from harness.exposition import parse_exposition
from harness.simulator import Simulator
from harness.upstream import (answer_like_openai, answering, chunk, head_of, plain_answer,
                              stream_head)
from harness.waiting import wait_until
from harness.wire import ask, chat_body

SOON = {"interval_s": 1, "timeout_ms": 500}

# A catalogue that knows next to nothing.
CATALOGUE = """
[[models]]
id = "known"
family = "openai"

[[models]]
id = "gone"
family = "openai"
status = "retired"
"""


def list_of(*names: str) -> bytes:
    return json.dumps({"object": "list", "data": [{"id": name} for name in names]}).encode()


class Listing:
    """A provider in good health whose list is what the test says it is."""

    def __init__(self, answer):
        self.answer = answer  # a handler
        self.asked = 0

    def __call__(self, connection):
        if connection.request.line.startswith("GET "):
            self.asked += 1
            self.answer(connection)
        else:
            answer_like_openai(connection)


@pytest.fixture
def start(start_gateway, upstream, tmp_path):
    """A gateway with discovery on, unless changed, at the file's provider."""
    (tmp_path / "catalogue.toml").write_text(CATALOGUE)

    def start(changes=None, **provider):
        provider = {"discovery": True, "dialect": "openai", **provider}
        return start_gateway({"catalog_file": str(tmp_path / "catalogue.toml"), "discovery": SOON,
                              "provider": provider, **(changes or {})})

    return start


def taken(gateway, more: int = 1) -> None:
    """Waits for so many lists more."""
    before = gateway.metric("hyperion_discovery_taken_total")
    wait_until(lambda: gateway.metric("hyperion_discovery_taken_total") >= before + more,
               "a list to be taken")


def wait_for_each(gateway, providers, outcome: str, count: int) -> None:
    """Waits until each of the providers has so many looks of this outcome."""

    def reached() -> bool:
        samples = parse_exposition(gateway.metrics_text())
        metric = f"hyperion_discovery_{outcome}_total"
        return all(samples[metric, (("provider", name),)] >= count for name in providers)

    wait_until(reached, f"{count} looks {outcome} at each provider", 60)


def status_of(gateway, model: str, **options) -> int:
    return ask(gateway, chat_body(model=model), **options).status


def listed(gateway, **options) -> dict:
    answer = ask(gateway, path="/v1/models", method="GET", **options)
    assert answer.status == 200
    names = [entry["id"] for entry in answer.json()["data"]]
    assert len(names) == len(set(names)), names
    return {entry["id"]: entry for entry in answer.json()["data"]}


def test_it_is_off_unless_asked_for(start, upstream):
    upstream.handler = Listing(answering(plain_answer(list_of("new"))))
    gateway = start(discovery=False)
    assert status_of(gateway, "known") == 200
    answer = ask(gateway, chat_body(model="new"))
    assert answer.status == 404 and answer.code == "model_not_found"
    assert upstream.handler.asked == 0
    assert "new" not in listed(gateway)


def test_an_unknown_name_becomes_usable_once_the_list_shows_it(start, upstream):
    upstream.handler = Listing(answering(plain_answer(list_of("other"))))
    gateway = start()
    taken(gateway)
    assert status_of(gateway, "new") == 404
    assert status_of(gateway, "openai/new") == 404
    upstream.handler.answer = answering(plain_answer(list_of("new", "known", "gone", "other")))
    taken(gateway, 2)
    body = chat_body(model="new")
    answer = ask(gateway, body)
    assert answer.status == 200
    assert answer.header("x-hyperion-model") == "new"
    # The client's own bytes, as for any model in passthrough.
    assert any(request.body == body for request in upstream.requests)
    answer = ask(gateway, chat_body(model="openai/new"))
    assert answer.status == 200 and answer.header("x-hyperion-model") == "new"
    # The catalogue comes first, and not every name has become one.
    answer = ask(gateway, chat_body(model="gone"))
    assert answer.status == 404 and "retired" in answer.error()["message"]
    assert status_of(gateway, "never") == 404
    assert status_of(gateway, "openai/never") == 404
    # And it goes as it came.
    upstream.handler.answer = answering(plain_answer(list_of("other")))
    taken(gateway, 2)
    assert status_of(gateway, "new") == 404


def test_the_question_is_an_ordinary_request_of_the_gateway(start, upstream):
    upstream.handler = Listing(answering(plain_answer(list_of("new"))))
    gateway = start(headers={"x-title": "T"})
    taken(gateway)
    asked = next(r for r in upstream.requests if r.line.startswith("GET "))
    assert asked.line == "GET /v1/models HTTP/1.1"
    assert asked.header("authorization") == f"Bearer {PROVIDER_KEY}"
    assert asked.header("x-title") == "T"
    assert asked.header("host") == f"127.0.0.1:{upstream.port}"
    assert asked.body == b""
    assert PROVIDER_KEY not in gateway.stderr()


def test_the_list_of_models_shows_them_without_made_up_facts(start, upstream):
    upstream.handler = Listing(answering(plain_answer(list_of("new", "known", "gone"))))
    gateway = start()
    taken(gateway)
    models = listed(gateway)
    assert models["new"]["provider"] == "openai" and models["new"]["model"] == "new"
    assert "pricing_usd_per_million" not in models["new"]
    assert "known" in models and "gone" not in models
    one = ask(gateway, path="/v1/models/new", method="GET")
    assert one.status == 200 and one.json() == models["new"]


def test_a_keys_list_holds_for_them_too(start, upstream):
    upstream.handler = Listing(answering(plain_answer(list_of("new"))))
    gateway = start({"keys": [{"id": "all", "hash": sha256_of(CLIENT_KEY), "models": ["openai/*"]},
                              {"id": "one", "hash": sha256_of(OTHER_KEY), "models": ["known"]}]})
    taken(gateway)
    assert status_of(gateway, "new") == 200
    answer = ask(gateway, chat_body(model="new"), key=OTHER_KEY)
    assert answer.status == 403 and answer.code == "model_not_allowed"
    assert "new" not in listed(gateway, key=OTHER_KEY)


def silent(connection) -> None:
    connection.wait_until_peer_closes()


def half(connection) -> None:
    connection.send(head_of(length=1000) + b'{"data":[{"id":"bad"}')
    connection.wait_until_peer_closes()


def dripping(connection) -> None:
    """A byte at a time without end."""
    connection.send(stream_head())
    while not connection.closed.wait(0.01):
        connection.socket.sendall(chunk(b" "))


def endless(connection) -> None:
    """As fast as it goes, without end."""
    connection.send(stream_head())
    while True:
        connection.socket.sendall(chunk(b'{"id":"bad"},' * 5000))


HOSTILE = {
    "an error": answering(plain_answer(b'{"error":{"message":"no"}}', "500 Oops")),
    "refused": answering(plain_answer(list_of("bad"), "401 Unauthorized")),
    "garbage": answering(b"\x00\xff garbage \r\n\r\n" * 50),
    "a page": answering(plain_answer(b"<html>busy</html>")),
    "no list": answering(plain_answer(b'{"data":{"id":"bad"}}')),
    "a cut list": answering(plain_answer(b'{"data":[{"id":"bad"},')),
    "deep": answering(plain_answer(b'{"data":[{"id":"bad"}],"x":' + b"[" * 100_000)),
    "too many": answering(plain_answer(list_of(*[f"bad{i}" for i in range(101)], "bad"))),
    "too large": answering(plain_answer(list_of("bad") + b" " * 200_000)),
    "two lengths": answering(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n"),
    "closes": lambda connection: connection.close(),
    "resets": lambda connection: connection.reset(),
    "silent": silent,
    "half": half,
    "dripping": dripping,
    "endless": endless,
}


def test_whatever_else_it_answers_changes_nothing(start_gateway, upstream, tmp_path):
    """Each case is a provider of its own."""
    (tmp_path / "catalogue.toml").write_text(CATALOGUE)
    names = {"case-" + case.replace(" ", "-"): case for case in HOSTILE}
    hostile = threading.Event()
    mended = threading.Event()

    def answer(connection) -> None:
        name = connection.request.line.split("/")[1]
        if mended.is_set():
            connection.send(plain_answer(list_of("after-" + name)))
        elif hostile.is_set():
            HOSTILE[names[name]](connection)
        else:
            connection.send(plain_answer(list_of("kept-" + name)))

    upstream.handler = Listing(answer)
    gateway = start_gateway({
        "catalog_file": str(tmp_path / "catalogue.toml"),
        "discovery": {**SOON, "models_max": 100, "response_max_bytes": 100_000},
        "providers": [{"name": name, "dialect": "openai", "discovery": True,
                       "base_url": f"http://127.0.0.1:{upstream.port}/{name}"}
                      for name in names]})

    wait_for_each(gateway, names, "taken", 1)
    hostile.set()
    wait_for_each(gateway, names, "failed", 2)
    for name in names:
        assert status_of(gateway, "kept-" + name) == 200, name
    assert status_of(gateway, "bad") == 404
    for name in names:
        lines = [line for line in gateway.lines if f"provider {name} " in line]
        assert len(lines) == 1 and "discovery" in lines[0], "one line for a row of failures"
    mended.set()
    for name in names:
        wait_until(lambda: status_of(gateway, "after-" + name) == 200, f"{name} to be mended")
        assert status_of(gateway, "kept-" + name) == 404


def test_no_request_waits_while_the_provider_keeps_silent_about_its_list(start, upstream):
    upstream.handler = Listing(silent)
    gateway = start({"discovery": {"interval_s": 1, "timeout_ms": 600_000}},
                    connections_per_shard_max=2)
    wait_until(lambda: upstream.handler.asked, "the question")
    for _ in range(50):
        assert status_of(gateway, "known") == 200
    assert status_of(gateway, "new") == 404
    assert upstream.handler.asked == 1
    assert gateway.metric("hyperion_discovery_failed_total") == 0
    # And it ends at once when it is told to: the fixture checks how.
    gateway.send_signal(15)
    assert gateway.wait_for_exit() == 0


def test_a_reload_keeps_what_is_known(start, upstream):
    upstream.handler = Listing(answering(plain_answer(list_of("new"))))
    gateway = start()
    taken(gateway)
    upstream.handler.answer = silent
    gateway.reload({"discovery": {"models_max": 50}})
    assert status_of(gateway, "new") == 200
    gateway.reload({"provider": {"discovery": False}})
    assert status_of(gateway, "new") == 404
    upstream.handler.answer = answering(plain_answer(list_of("newer")))
    gateway.reload({"provider": {"discovery": True}})
    taken(gateway)
    assert status_of(gateway, "newer") == 200
    assert status_of(gateway, "new") == 404


def test_each_dialects_list_at_the_simulated_providers(start_gateway, tmp_path):
    """The simulator knows models that this gateway's catalogue lacks."""
    (tmp_path / "catalogue.toml").write_text(CATALOGUE)
    models = {"claude-haiku-4-5-20251001": "claude", "gemini-2.5-flash": "gemini",
              "gpt-4o-2024-11-20": "gpt"}
    with Simulator() as simulator:
        def provider(name, dialect, root="/v1"):
            return {"name": name, "dialect": dialect, "discovery": True,
                    "base_url": f"http://127.0.0.1:{simulator.port}{root}",
                    "api_key_env": PROVIDER_KEY_VARIABLE}

        gateway = start_gateway({
            "catalog_file": str(tmp_path / "catalogue.toml"), "discovery": SOON,
            "providers": [provider("claude", "anthropic"), provider("gemini", "gemini", "/v1beta"),
                          provider("gpt", "openai")]})
        # OpenAI's list there has everybody's models: of several providers the first serves.
        wait_for_each(gateway, models.values(), "taken", 1)
        for model, name in models.items():
            answer = ask(gateway, chat_body(model=model, max_tokens=50))
            assert answer.status == 200 and answer.header("x-hyperion-provider") == name
            assert answer.json()["choices"][0]["message"]["content"]
        assert gateway.metric("hyperion_discovery_failed_total") == 0
