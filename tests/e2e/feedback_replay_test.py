"""Decisions that are made again from the log, and labels that change the next ones: `hyperion
replay`, POST /v1/feedback, `hyperion feedback`, GET /admin/decisions."""

import json
import re
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from harness.conf import CLIENT_KEY, OTHER_KEY, conf_text, merged, sha256_of
from harness.gateway import BINARY, Gateway
from harness.simulated import providers_at
from harness.simulator import Simulator
from harness.waiting import DEADLINE_S
from harness.wire import CHAT, ask

ADMIN_TOKEN = "admin-canary-5c1e9a70b3d24f68"
# Words that stand in every prompt, and must stand nowhere else.
MARKER = "zyzzyvaquux"
PROMPTS = (
    "hi", "What is the capital of France?", "Translate good morning to Spanish.",
    "Write a limerick about a cat.", "Name three rivers of Italy.",
    "Summarise in one line: the meeting moved to Friday because the room was taken.",
    "Explain how a heat pump works, for a twelve-year-old.",
    "Which of these is a noble gas? A. oxygen B. argon C. nitrogen D. chlorine",
    "A train leaves at 9:40 and drives 210 km at 84 km/h. When does it arrive?",
    "Write a Python function that merges two sorted lists, with tests.",
    "Fix this: ```python\ndef f(x):\n  return x +\n```",
    "Four friends sit in a row. Anna is not next to Ben, Carl sits left of Dora and Ben is first. "
    "Who sits where? Say every step.",
    "Prove that the square root of every prime number is irrational, and generalise the proof.",
    "Design a lock-free multi-producer queue in C++ and prove that it is linearizable.",
)  # fmt: skip
RULES = [{"name": "search", "tags": {"team": "search"}, "tier": "cheap_fast"},
         {"tags": {"team": "clinic"}, "tier": "high_reasoning"},
         {"name": "code", "classes": ["code"], "model": "gpt-5-mini"}]
ROUTING = {"rules": RULES, "decisions_kept": 16}


def conf_changes(port: int) -> dict:
    return {
        "providers": providers_at(port),
        "keys": [{"id": "tests", "hash": sha256_of(CLIENT_KEY)},
                 {"id": "other", "hash": sha256_of(OTHER_KEY), "models": ["openai/*"]}],
        "routing": ROUTING,
        "admin": {"token_env": "E2E_ADMIN_TOKEN"},
    }


@pytest.fixture(scope="module")
def simulator():
    with Simulator() as running:
        yield running


@pytest.fixture
def start(simulator, tmp_path):
    """Starts a gateway in front of the simulator; it is stopped after the test."""
    running = []

    def start_one(changes=None):
        folder = tmp_path / str(len(running))
        folder.mkdir()
        conf = merged(conf_changes(simulator.port), changes or {})
        running.append(Gateway(folder, simulator.port, conf, {"E2E_ADMIN_TOKEN": ADMIN_TOKEN}))
        return running[-1]

    yield start_one
    for one in running:
        one.stop()


@pytest.fixture(scope="module")
def traffic(simulator, tmp_path_factory):
    """(the gateway's folder, its conf, {id: line of the log} of requests of every kind)."""
    folder = tmp_path_factory.mktemp("traffic")
    changes = conf_changes(simulator.port)
    with Gateway(folder, simulator.port, changes, {"E2E_ADMIN_TOKEN": ADMIN_TOKEN}) as gateway:
        sent = [send(gateway, *request) for request in requests()]
        assert len(set(sent)) == len(sent)
        lines = gateway.log_up_to(sent[-1])
        decided = [one for one in sent if "decision" in lines[one]]
        assert len(decided) == len(sent)
        yield gateway, lines


def requests():
    """(path, body, key): auto and smart in every dialect, whole and streamed, with all that a
    choice depends on."""
    for number, prompt in enumerate(PROMPTS):
        text = f"{prompt} {MARKER}"
        stream = number % 2 == 1
        messages = [{"role": "user", "content": text}]
        smart = {"messages": messages, "smart_routing": True, "stream": stream}
        key = OTHER_KEY if number % 3 == 0 else CLIENT_KEY
        yield CHAT, {"model": "auto", "messages": messages, "stream": stream}, key
        yield CHAT, {"model": "gpt-5.2", **smart}, CLIENT_KEY
        for options in ({"providers": ["anthropic"]}, {"max_cost": 0.2},
                        {"providers": ["openai", "gemini"], "max_cost": 1e12},
                        {"tags": {"team": "search"}}, {"tags": {"team": "clinic"}},
                        {"explain": True}):  # fmt: skip
            yield CHAT, {"model": "auto", "messages": messages, "max_completion_tokens": 300,
                         "hyperion": options}, CLIENT_KEY  # fmt: skip
        yield "/v1/messages", {"model": "claude-sonnet-4-5", "max_tokens": 500, **smart}, CLIENT_KEY
        yield "/v1/messages", {"model": "auto", "max_tokens": 500, "messages": messages}, key
        contents = [{"role": "user", "parts": [{"text": text}]}]
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        yield (f"/v1beta/models/auto:{method}",
               {"contents": contents, "systemInstruction": {"parts": [{"text": MARKER}]}}, key)
        yield "/v1/responses", {"model": "auto", "input": text, "stream": stream}, CLIENT_KEY
        history = [{"role": "user", "content": f"Prove it. {MARKER}"},
                   {"role": "assistant", "content": f"{MARKER} " * 900}, *messages]
        yield CHAT, {"model": "auto", "messages": history}, CLIENT_KEY
        tools = [{"type": "function", "function": {"name": MARKER, "parameters": {}}}]
        yield CHAT, {"model": "auto", "messages": messages, "tools": tools,
                     "reasoning_effort": "low"}, CLIENT_KEY  # fmt: skip


def send(gateway, path: str, body: dict, key: str) -> str:
    answer = ask(gateway, json.dumps(body).encode(), path=path, key=key)
    assert answer.status == 200 and answer.complete, (body, answer.body)
    return answer.request_id


def hyperion(gateway, *arguments):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True,
                          env=gateway.environment, timeout=DEADLINE_S, check=False)  # fmt: skip


def replay(gateway, conf: Path, log: Path = None):
    """(what it prints, line by line; the numbers of its summary)."""
    done = hyperion(gateway, "replay", log or gateway.log_file, "--config", conf)
    assert done.returncode == 0, done.stderr
    found = re.search(r"(\d+) decisions, (\d+) another now \((\d+) with nothing to choose\); cost "
                      r"\$(\S+) then, \$(\S+) now; (\d+) decisions of another version and (\d+) "
                      r"lines", done.stderr)  # fmt: skip
    assert found, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], [*map(float, found.groups())]


def other_conf(gateway, changes: dict) -> Path:
    path = gateway.folder / "other.toml"
    path.write_text(conf_text(merged(gateway.conf, changes)))
    return path


def decisions_of(lines: dict) -> dict:
    return {name: line["decision"] for name, line in lines.items() if "decision" in line}


# Replay


def test_the_same_conf_gives_the_same_decision_for_every_line(traffic):
    gateway, lines = traffic
    logged = decisions_of(lines)
    replayed, (count, changed, impossible, was, now, unreadable, others) = replay(
        gateway, gateway.conf_file)
    assert count == len(replayed) == len(logged) > 150
    assert (changed, impossible, unreadable, others) == (0, 0, 0, 0) and was == now > 0
    for one in replayed:
        decision = logged[one["id"]]
        assert one["was"] == one["now"] == decision["chosen"]
        assert one["was_tier"] == one["now_tier"] == decision["tier"]
    # It mattered: several models, every tier, and rules that applied, one of them without a name.
    assert len({one["now"] for one in replayed}) >= 4
    assert {one["now_tier"] for one in replayed} == {1, 2, 3}
    assert {decision.get("rule") for decision in logged.values()} == {
        None, "search", "rule 2", "code"}  # fmt: skip
    assert {decision["route"] for decision in logged.values()} == {"smart", "auto"}


def test_a_log_that_was_made_up_is_not_taken_for_the_same(traffic, tmp_path):
    gateway, lines = traffic
    line = next(line for line in lines.values() if line.get("decision", {}).get("tier") == 1)
    for member, value in (("chosen", "anthropic/claude-opus-4-5"), ("tier", 3),
                          ("saved_nano_usd", line["decision"]["saved_nano_usd"] + 1)):
        log = tmp_path / "log"
        log.write_text(json.dumps({**line, "decision": {**line["decision"], member: value}}) + "\n")
        done = hyperion(gateway, "replay", log, "--config", gateway.conf_file)
        assert done.returncode == 1 and "are not the same" in done.stderr, member


def test_tolerance_moves_costs_the_way_it_should(traffic):
    gateway, _ = traffic
    costs = []
    for points in (0, 3, 10, 50):
        routing = {**ROUTING, "smart_tolerance_points": points, "auto_tolerance_points": points}
        _, (_, changed, _, _, now, *_) = replay(gateway, other_conf(gateway, {"routing": routing}))
        costs.append(now)
        assert (changed == 0) == (points == 3)
    assert costs == sorted(costs, reverse=True) and costs[0] > 2 * costs[-1], costs


def test_rules_of_the_new_conf_apply(traffic):
    gateway, lines = traffic
    rule = {"name": "all", "routes": ["auto"], "model": "openai/gpt-5.2"}
    replayed, _ = replay(gateway, other_conf(gateway, {"routing": {"rules": [rule]}}))
    logged = decisions_of(lines)
    free = [one for one in replayed
            if logged[one["id"]]["route"] == "auto" and "providers" not in logged[one["id"]]]
    assert free and {one["now"].startswith("openai/gpt-5.2") for one in free} == {True}
    # Without the rules those that stood under them are decided by the prompt alone.
    replayed, (_, changed, *_) = replay(gateway, other_conf(gateway, {"routing": {"rules": []}}))
    assert changed > 0
    assert {logged[one["id"]].get("rule") for one in replayed if one["was"] != one["now"]} <= {
        "search", "rule 2", "code"}  # fmt: skip


def test_another_price_is_counted_and_avoided(traffic):
    gateway, lines = traffic
    chosen = [decision["chosen"] for decision in decisions_of(lines).values()
              if decision["route"] == "auto" and "rule" not in decision]
    most = max(set(chosen), key=chosen.count)
    model = {"id": most.split("/", 1)[1], "input_usd_per_million": 900,
             "cached_input_usd_per_million": 900, "output_usd_per_million": 900}
    replayed, (_, changed, _, was, _, *_) = replay(gateway, other_conf(gateway,
                                                                       {"models": [model]}))
    assert changed >= chosen.count(most) / 2
    before, (_, _, _, was_before, *_) = replay(gateway, gateway.conf_file)
    assert was > 10 * was_before  # what was, at the new price
    dear = [one for one in replayed if one["was"] == most and one["now"] != most]
    assert dear and all(one["now_nano_usd"] < one["was_nano_usd"] for one in dear)


def test_a_model_that_is_gone_is_counted(traffic):
    gateway, lines = traffic
    only = [one for one in providers_at(1) if one["name"] == "anthropic"]
    changes = {"providers": only, "routing": {"rules": []}, "keys": gateway.conf["keys"][:1]}
    replayed, (_, _, impossible, *_) = replay(gateway, other_conf(gateway, changes))
    logged = decisions_of(lines)
    lost = [one for one in replayed if one["now"] == "none"]
    assert len(lost) == impossible > 0
    assert {one["id"] for one in lost} >= {
        name for name, one in logged.items() if (one["asked"] or "").startswith("openai/")}


def test_torn_foreign_and_other_versions_lines_are_passed_over_and_counted(traffic, tmp_path):
    gateway, lines = traffic
    whole = gateway.log_lines()
    other = dict(next(line for line in lines.values() if "decision" in line))
    other["decision"] = {**other["decision"], "turns": [[1, 2, 3]]}
    log = tmp_path / "log"
    log.write_bytes(b"\n".join([b"kernel: eth0 is up", *whole[:20], b"\xff\xfe{", b"[1]",
                                json.dumps(other).encode(), *whole[20:], whole[-1][:200]]))
    _, (count, changed, *_, unreadable, others) = replay(gateway, gateway.conf_file, log)
    assert (count, changed) == (len(decisions_of(lines)), 0)
    assert (unreadable, others) == (1, 4)


def test_a_provider_that_had_no_key_is_out_again_though_offline_no_key_is_needed(start, simulator):
    gateway = start({"providers": [
        {**one, "api_key_env": "E2E_NO_KEY"} if one["name"] == "gemini" else one
        for one in providers_at(simulator.port)]})
    for prompt in PROMPTS[:6]:
        last = send(gateway, CHAT, {"model": "auto", "messages": [
            {"role": "user", "content": prompt}]}, CLIENT_KEY)  # fmt: skip
    lines = gateway.log_up_to(last)
    assert all(one["unusable"] == ["gemini"] for one in decisions_of(lines).values())
    _, (count, changed, *_) = replay(gateway, gateway.conf_file)
    assert (count, changed) == (6, 0)


def test_what_cannot_be_replayed_is_said(traffic, tmp_path):
    gateway, _ = traffic
    for arguments in ([], [gateway.log_file], ["--config", gateway.conf_file],
                      [gateway.log_file, gateway.log_file, "--config"]):
        done = hyperion(gateway, "replay", *arguments)
        assert done.returncode == 2 and "Usage: hyperion replay" in done.stderr
    done = hyperion(gateway, "replay", tmp_path / "none", "--config", gateway.conf_file)
    assert done.returncode == 1 and "cannot be read" in done.stderr
    done = hyperion(gateway, "replay", gateway.log_file, "--config", tmp_path / "none")
    assert done.returncode == 1 and "none" in done.stderr


# What the log holds


def test_the_log_holds_no_word_of_a_prompt_and_no_hash_of_one(traffic):
    gateway, lines = traffic
    log = b"\n".join(gateway.log_lines()).lower()
    assert MARKER.encode() not in log and b"heat pump" not in log
    names = {"route", "asked", "chosen", "class", "rule", "providers", "live", "unusable", "stamps"}
    numbers = {"tier", "score", "saved_nano_usd", "tokens", "tokens_most", "turns", "wants",
               "max_cost_nano_usd", "pressure", "calibrated", "traits", "ns"}
    for decision in decisions_of(lines).values():
        assert set(decision) <= names | numbers
        # Shares, a difficulty, a kind, a flag: no room for a hash, and but for the tokens in front
        # none of what is there tells two words apart that the weights do not know.
        for turn in decision["turns"]:
            assert len(turn) == 11 and all(abs(number) <= 4096 for number in turn[:10])
        assert all(-128 <= number <= 127 for number in decision["traits"])
        flags = decision["wants"]
        assert set(flags) <= {"tools", "effort", "output_tokens_max", "reasoning"}
    # One shape of words that nobody knows is like another.
    told = [{key: value for key, value in decide_one(gateway, word).items() if key != "ns"}
            for word in ("qzxv", "vxzq")]
    assert told[0]["traits"] == told[1]["traits"]


def decide_one(gateway, word: str) -> dict:
    name = send(gateway, CHAT, {"model": "auto", "messages": [
        {"role": "user", "content": f"{word} {word}"}]}, CLIENT_KEY)  # fmt: skip
    return gateway.wait_for_log(name)["decision"]


# GET /admin/decisions


def admin_decisions(gateway, token=None):
    """(status, document)."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    asked = urllib.request.Request(f"http://127.0.0.1:{gateway.admin_port}/admin/decisions",
                                   headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=DEADLINE_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_the_last_decisions_are_shown_to_the_admin_token(traffic):
    gateway, _ = traffic
    status, document = admin_decisions(gateway, ADMIN_TOKEN)
    assert status == 200
    logged = decisions_of({line["id"]: line for line in gateway.log()})
    newest = list(logged)[-ROUTING["decisions_kept"]:][::-1]
    assert [one["id"] for one in document["decisions"]] == newest
    assert all(one["decision"] == logged[one["id"]] for one in document["decisions"])


def test_without_the_token_the_decisions_are_closed(traffic, start):
    gateway, _ = traffic
    wrong = ADMIN_TOKEN[:-1] + "9"
    for token in (None, wrong, ADMIN_TOKEN + "8", CLIENT_KEY):
        status, document = admin_decisions(gateway, token)
        assert status == 401 and "decisions" not in document, token
    # Where the conf gives none, no token opens them; nor are they on the public listener.
    other = start({"admin": {"token_env": ""}})
    for token in (None, ADMIN_TOKEN):
        assert admin_decisions(other, token)[0] == 401
    assert ask(gateway, method="GET", path="/admin/decisions", key=ADMIN_TOKEN).status == 404


# POST /v1/feedback


def tell(gateway, body, key=CLIENT_KEY):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ask(gateway, data, path="/v1/feedback", key=key)


def test_what_clients_say_of_answers_stands_in_the_log(start):
    gateway = start()
    about = "req_0123456789abcdef01234567"
    for said, permille in (({"good": True}, 1000), ({"bad": True}, 0), ({"score": 0.25}, 250),
                           ({"score": 0}, 0), ({"score": 1}, 1000), ({"score": 1e-3}, 1)):
        answer = tell(gateway, {"request_id": about, **said})
        assert (answer.status, answer.json()) == (200, {"recorded": True})
        line = gateway.wait_for_log(answer.request_id)
        assert line["feedback"] == {"request_id": about, "score_permille": permille}
        assert (line["key"], line["route"]) == ("tests", "/v1/feedback")


def test_feedback_that_says_nothing_clear_is_refused_by_name(start):
    gateway = start()
    about = {"request_id": "req_0123456789abcdef01234567"}
    for body, field in (
        ({"score": 1}, "request_id"),
        ({"request_id": "req_1", "score": 1}, "request_id"),
        ({"request_id": 7, "score": 1}, "request_id"),
        ({"request_id": "req_0123456789ABCDEF01234567", "score": 1}, "request_id"),
        (about, "score"),
        ({**about, "score": 1.1}, "score"),
        ({**about, "score": -0.1}, "score"),
        ({**about, "score": "1"}, "score"),
        ({**about, "score": None}, "score"),
        ({**about, "good": False}, "good"),
        ({**about, "bad": "yes"}, "bad"),
        ({**about, "good": True, "bad": True}, "score"),
        ({**about, "good": True, "score": 1}, "score"),
        ({**about, "good": True, "comment": MARKER}, None),
        (b"[]", None),
        (b"{", None),
        (b"", None),
    ):
        answer = tell(gateway, body)
        assert answer.status == 400, body
        error = answer.error()
        assert error["param"] == field, (body, error)
        line = gateway.wait_for_log(answer.request_id)
        assert "feedback" not in line and MARKER not in json.dumps(line), body
    assert tell(gateway, {**about, "good": True}, key=None).status == 401
    assert ask(gateway, method="GET", path="/v1/feedback").status == 405


# hyperion feedback


def conversation(gateway, key=CLIENT_KEY) -> dict:
    """{id: decision} of a number of requests of one key; the requests of the same order."""
    sent = [send(gateway, CHAT, {"model": "auto", "messages": [{"role": "user", "content": text}]},
                 key) for text in labelled_prompts()]
    lines = gateway.log_up_to(sent[-1])
    return {name: lines[name]["decision"] for name in sent}


def labelled_prompts():
    for number in range(40):
        yield f"Compute {17 + number} * {31 + 2 * number} and explain each step of the sum."


def learn(gateway, *files, conf=None):
    done = hyperion(gateway, "feedback", "-c", conf or gateway.conf_file, *files)
    assert done.returncode == 0, done.stderr
    found = re.search(r"(\d+) labels, (\d+) of use \((\d+) of requests without a decision here, "
                      r"(\d+) decided by other weights, (\d+) of models without a known quality, "
                      r"(\d+) followed by another of the same request; (\d+) other lines\), "
                      r"(\d+) calibrations", done.stderr)  # fmt: skip
    assert found, done.stderr
    return done.stdout, [*map(int, found.groups())]


def price_of(decisions: dict) -> list:
    return [decision["saved_nano_usd"] for decision in decisions.values()]


@pytest.mark.parametrize("good", (False, True))
def test_labels_move_the_next_decisions_and_taking_the_file_out_takes_it_back(start, good):
    gateway = start({"routing": {"rules": []}})
    before = conversation(gateway)
    for name in before:
        assert tell(gateway, {"request_id": name, "good" if good else "bad": True}).status == 200
    last = tell(gateway, {"request_id": "req_0123456789abcdef01234567", "good": True})
    gateway.wait_for_log(last.request_id)

    learned, (labels, used, unknown, *rest, _) = learn(gateway, gateway.log_file)
    assert (labels, used, unknown, rest) == (41, 40, 1, [0, 0, 0, 0])
    assert learned == learn(gateway, gateway.log_file)[0]
    (gateway.folder / "calibration.toml").write_text(learned)
    gateway.reload({"routing": {"rules": [], "calibration_file": "calibration.toml"}})
    after = conversation(gateway)
    other = send(gateway, CHAT, {"model": "auto", "messages": [
        {"role": "user", "content": next(labelled_prompts())}]}, OTHER_KEY)  # fmt: skip
    for old, new in zip(before.values(), after.values(), strict=True):
        moved = new["turns"][-1][7] - old["turns"][-1][7]
        assert moved == new["calibrated"] and abs(moved) <= 512
        assert moved < 0 if good else moved > 0
        assert new["score"] < old["score"] if good else new["score"] > old["score"]
        assert new["tier"] <= old["tier"] if good else new["tier"] >= old["tier"]
    if not good:
        assert [one["chosen"] for one in before.values()] != [
            one["chosen"] for one in after.values()]  # fmt: skip
    # One key's labels count for keys that have none, until they have.
    assert gateway.wait_for_log(other)["decision"]["calibrated"] != 0
    # The old log under the new conf says what has come; the new one is replayed to the bit.
    replayed, _ = replay(gateway, gateway.conf_file)
    again = {one["id"]: one["now"] for one in replayed}
    assert [again[name] for name in before] == [one["chosen"] for one in after.values()]
    assert all(again[name] == one["chosen"] for name, one in after.items())

    gateway.reload({"routing": {"rules": [], "calibration_file": ""}})
    for old, new in zip(before.values(), conversation(gateway).values(), strict=True):
        assert "calibrated" not in new
        for member in ("turns", "traits", "chosen", "tier", "score", "saved_nano_usd"):
            assert old[member] == new[member], member
    # And labels of calibrated decisions teach the same as those of plain ones.
    text, counts = learn(gateway, gateway.log_file)
    assert (text, counts[1]) == (learned, 40)


def test_labels_of_another_key_count_for_nothing_and_the_last_word_counts(start):
    gateway = start()
    decided = conversation(gateway)
    for name in decided:
        tell(gateway, {"request_id": name, "bad": True})
        tell(gateway, {"request_id": name, "good": True}, key=OTHER_KEY)
        last = tell(gateway, {"request_id": name, "score": 0.2})
    gateway.wait_for_log(last.request_id)
    learned, (labels, used, foreign, _, _, followed, _, _) = learn(gateway, gateway.log_file)
    assert (labels, used, foreign, followed) == (120, 40, 40, 40)
    # The same as a file by hand that holds the last words, the labels in front of the log.
    by_hand = gateway.folder / "labels.jsonl"
    by_hand.write_text("".join(f'{{"request_id": "{name}", "score": 0.2}}\n' for name in decided))
    plain_log = gateway.folder / "plain.log"
    plain_log.write_bytes(b"\n".join(
        line for line in gateway.log_lines() if b'"feedback"' not in line))
    text, (labels, used, *_) = learn(gateway, by_hand, plain_log)
    assert (labels, used, text) == (40, 40, learned)


def test_labels_by_hand_may_bring_the_bodies_themselves(start):
    gateway = start({"routing": {"rules": []}})
    labels = gateway.folder / "labels.jsonl"

    def entries(score, **more):
        for text in labelled_prompts():
            body = {"model": "auto", "messages": [{"role": "user", "content": f"{text} {MARKER}"}]}
            yield json.dumps({"body": body, "model": "claude-haiku-4-5", "score": score, **more})

    lines = [*entries(0, key="tests"),
             '{"body": {"model": "auto"}, "model": "nobody", "score": 1}',
             '{"body": {"model": "auto", "messages": []}, "model": "claude-haiku-4-5"}',
             "# a comment", '{"request_id": "req_0123456789abcdef01234567", "good"']
    labels.write_text("\n".join(lines))
    text, (count, used, unknown, *_, others, _) = learn(gateway, labels)
    assert (count, used, unknown, others) == (41, 40, 1, 3)
    assert MARKER not in text and 'key = "tests"' in text and 'key = ""' in text
    (gateway.folder / "calibration.toml").write_text(text)
    plain = explained(gateway)
    gateway.reload({"routing": {"rules": [], "calibration_file": "calibration.toml"}})
    harder = explained(gateway)
    assert harder["score"] > plain["score"]

    def chances(decision):
        return {one["model"]: one["p"] for one in decision["candidates"]}

    now = chances(harder)
    assert all(now[model] < chance for model, chance in chances(plain).items() if chance)
    # Bodies and the log's numbers teach the same.
    labels.write_text("\n".join(entries(1)))
    easier, (_, used, *_) = learn(gateway, labels)
    assert used == 40 and easier != text


def explained(gateway) -> dict:
    body = {"model": "auto", "messages": [{"role": "user", "content": next(labelled_prompts())}]}
    answer = ask(gateway, json.dumps(body).encode(), path="/v1/route/explain")
    assert answer.status == 200, answer.body
    return answer.json()


def test_too_few_labels_teach_nothing_and_the_empty_file_is_taken(start):
    gateway = start()
    labels = gateway.folder / "labels.jsonl"
    body = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}
    labels.write_text(19 * (json.dumps({"body": body, "model": "gpt-4o", "bad": True}) + "\n"))
    text, (_, used, *_, calibrations) = learn(gateway, labels)
    assert (used, calibrations) == (19, 0) and "[[calibrations]]" not in text
    (gateway.folder / "calibration.toml").write_text(text)
    gateway.reload({"routing": {"rules": [], "calibration_file": "calibration.toml"}})


def test_a_wrong_calibration_leaves_the_running_conf_alone(start):
    gateway = start()
    (gateway.folder / "calibration.toml").write_text('weights_stamp = "0000000000000000"\n')
    path = other_conf(gateway, {"routing": {"rules": [], "calibration_file": "calibration.toml"}})
    done = hyperion(gateway, "check", "-c", path)
    assert done.returncode == 1
    assert "calibration.toml:1: expected weights_stamp" in done.stdout + done.stderr
    for arguments in ([], ["-c"], ["-c", gateway.conf_file]):
        done = hyperion(gateway, "feedback", *arguments)
        assert done.returncode == 2 and "Usage: hyperion feedback" in done.stderr
    done = hyperion(gateway, "feedback", "-c", gateway.conf_file, gateway.folder / "none")
    assert done.returncode == 1 and "cannot be read" in done.stderr
