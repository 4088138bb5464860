"""Every recorded request of every dialect, asked of every other provider's dialect.

The simulated providers judge: they refuse what the real ones would. What arrives there must say
what the client said (harness/meaning.py), but for what the answer names as dropped or adjusted. The
refusals that there may be stand in recorded_refusals.toml, each with its reason; one that is not
there fails its test, and so does one that no longer happens.
"""

import json
from collections import Counter

import pytest

from harness.meaning import meaning_of, tool_of
from harness.oracle import body_of
from harness.recorded import recordings
from harness.recorded_requests import (
    REFUSALS, is_of, put, recorded_requests, refusal_named, refusals_expected)
from harness.simulated import KEY, simulated_gateway
from harness.wire import ask

# Of each dialect, models that differ in what they take: sampling, effort or budget, limits.
MODELS = {"chat": ["matrix-chat", "plain-chat"], "responses": ["gpt-5-codex", "gpt-5.6-sol"],
          "anthropic": ["claude-haiku-4-5", "claude-opus-5-5"],
          "gemini": ["gemini-2.5-flash", "gemini-3.5-flash"]}
# Models that are reached in either of OpenAI's dialects: the client's own is passed through.
BOTH_OF_OPENAI = ("gpt-5.6-sol",)
CELLS = [(client, provider, model) for client in MODELS for provider in MODELS
         for model in MODELS[provider]
         if client != provider and not (client == "chat" and model in BOTH_OF_OPENAI)]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """(gateway, simulator); `plain-chat` is a model that takes sampling and does not reason."""
    more = [{"name": "plain-chat", "model": "gpt-4o-2024-11-20", "provider": "chat-only"}]
    with simulated_gateway(tmp_path_factory.mktemp("recorded"), more) as pair:
        yield pair


def row_for(rows: list, request, provider: str, model: str):
    fitting = [row for row in rows if is_of(request, row)
               and (provider in row["to"] or model in row["to"])]
    assert len(fitting) <= 1, (request.name, model, fitting)
    return fitting[0] if fitting else None


def complaints_of_refusal(dialect: str, answer, sent: list, row) -> list:
    if row is None:
        return [f"refused, but not in {REFUSALS.name}: {answer.status} {answer.body[:400]}"]
    by = "provider" if sent else "gateway"
    code, param = refusal_named(dialect, answer) if by == "gateway" else (row["code"], row["param"])
    got = (answer.status, by, code, param)
    listed = (400, row["by"], row["code"], row["param"])
    return [] if got == listed else [f"refused as {got}, listed as {listed}: {answer.body[:400]}"]


def names_in(answer) -> set:
    """What the answer says was dropped or adjusted."""
    found = set()
    for header in ("x-hyperion-dropped-params", "x-hyperion-adjusted"):
        found |= set((answer.header(header) or "").split(", "))
    return found


def complaints_of_answer(request, provider: str, answer, sent: list) -> list:
    if not answer.complete or len(sent) != 1:
        return [f"complete: {answer.complete}, requests at the provider: {len(sent)}"]
    if sent[0].dialect != provider:
        return [f"went to {sent[0].target}"]
    asked = meaning_of(request.dialect, request.body)
    arrived = meaning_of(provider, sent[0].body)
    fit_to_provider(asked, provider)
    named = names_in(answer)
    complaints = []
    for member in ("system", "said", "turns", "tools", "choice", "answer", "limit", "temperature",
                   "stop"):
        one, other = getattr(asked, member), getattr(arrived, member)
        if one != other and not may_differ(member, one, named):
            complaints.append(f"{member}: asked {one!r}, arrived {other!r}, named {named}")
    if request.streamed != sent[0].streamed:
        complaints.append(f"streamed: asked {request.streamed}, arrived {sent[0].streamed}")
    return complaints


def fit_to_provider(asked, provider: str) -> None:
    """What a provider demands of every request, and a client of another need not say."""
    if provider in ("anthropic", "gemini") and not asked.said:
        # Somebody must have said something.
        asked.said, asked.system = [("user", asked.system)], ""
    called = dict.fromkeys(one[1] for one in asked.said if one[0] == "call")
    if provider == "anthropic" and called and not asked.tools:
        # The tools of a conversation's calls must be declared, though none may be called.
        asked.tools = [tool_of({"name": name}, None) for name in called]
        asked.choice = "none"


def may_differ(member: str, asked, named: set) -> bool:
    if member == "limit":
        # Anthropic must be given one.
        return asked is None or "max_tokens" in named
    # An instruction says so where no parameter can.
    if member == "system":
        return "response_format" in named
    return {"answer": "response_format", "choice": "tool_choice"}.get(member, member) in named


@pytest.mark.parametrize("client,provider,model", CELLS,
                         ids=[f"{client} to {model}" for client, _, model in CELLS])
def test_a_recorded_request_is_taken_by_the_other_provider(both, client, provider, model):
    gateway, simulator = both
    rows = refusals_expected()
    complaints = []
    asked = [request for request in recorded_requests() if request.dialect == client]
    assert len(asked) > 15
    for request in asked:
        answer, sent = put(gateway, simulator, request, model)
        row = row_for(rows, request, provider, model)
        if answer.status != 200:
            found = complaints_of_refusal(client, answer, sent, row)
        elif row is not None:
            found = [f"in {REFUSALS.name}, but it works"]
        else:
            found = complaints_of_answer(request, provider, answer, sent)
        complaints += [f"{request.name}: {one}" for one in found]
    assert not complaints, "\n".join(complaints)


def test_recorded_embeddings_are_taken_by_gemini(both):
    gateway, simulator = both
    asked = [one.request for one in recordings("embeddings") if one.request]
    assert asked
    for request in asked:
        simulator.ask("/_simulator/reset", "POST")
        body = json.dumps({**request, "model": "gemini-embedding-001"}).encode()
        answer = ask(gateway, body, path="/v1/embeddings", key=KEY)
        (sent,) = simulator.ask("/_simulator/requests")
        assert answer.status == 200 and sent["target"].endswith(":batchEmbedContents")
        texts = [one["content"]["parts"][0]["text"] for one in body_of(sent)["requests"]]
        assert texts == [request["input"]]


def test_the_recordings_hold_all_that_the_oracle_looks_for():
    meanings = [meaning_of(request.dialect, request.body) for request in recorded_requests()]
    kinds = Counter(one[0] for meaning in meanings for one in meaning.said)
    assert min(kinds[kind] for kind in ("user", "assistant", "image", "call", "result")) >= 4, kinds
    for member in ("system", "tools", "answer", "limit", "temperature", "stop"):
        assert any(getattr(meaning, member) for meaning in meanings), member
    assert {"auto", "none", "required"} & {meaning.choice for meaning in meanings}


def proses(value, path=()) -> list:
    """Paths of the strings of a body that have blanks, but for those of a model's thoughts."""
    if isinstance(value, str):
        return [path] if " " in value.strip() else []
    if isinstance(value, dict):
        thought = value.get("thought") or value.get("type") in ("thinking", "reasoning")
        members = [] if thought else value.items()
    else:
        members = enumerate(value) if isinstance(value, list) else []
    return [found for key, one in members for found in proses(one, (*path, key))]


def with_another(value, path: tuple):
    if not path:
        return "another"
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = with_another(value[path[0]], path[1:])
    return changed


@pytest.mark.parametrize("client", MODELS)
def test_the_oracle_reads_all_prose_of_a_request(client):
    changed = 0
    for request in recorded_requests():
        if request.dialect != client:
            continue
        whole = meaning_of(client, request.body)
        for path in proses(request.body):
            # The title of a schema's member says what its name does.
            if path[-1] not in ("arguments", "title"):
                other = meaning_of(client, with_another(request.body, path))
                assert other != whole, (request.name, path)
                changed += 1
    assert changed >= 20


def test_each_listed_refusal_is_of_a_recorded_request():
    requests = recorded_requests()
    for row in refusals_expected():
        assert set(row) == {"requests", "to", "by", "code", "param", "reason"}, row
        assert row["by"] in ("gateway", "provider") and row["reason"], row
        assert set(row["to"]) <= {*MODELS, *sum(MODELS.values(), [])}, row
        assert any(is_of(request, row) for request in requests), row
        for to in row["to"]:
            assert any((client, provider) != (to, to) and to in (provider, model)
                       for client, provider, model in CELLS for request in requests
                       if request.dialect == client and is_of(request, row)), (row, to)
