"""What an operator says about routing: rules, names in environments, and conf that cannot hold."""

import subprocess
from pathlib import Path

import pytest

from harness.conf import CLIENT_KEY, OTHER_KEY, conf_text, merged
from harness.gateway import BINARY, Gateway
from harness.routed import FRANCE, PROOF, conf_at, explained, put, ran
from harness.simulated import providers_at
from harness.simulator import Simulator
from harness.waiting import DEADLINE_S


@pytest.fixture(scope="module")
def simulator():
    with Simulator() as running:
        yield running


@pytest.fixture
def start(simulator, tmp_path):
    running = []

    def start_one(changes):
        folder = tmp_path / str(len(running))
        folder.mkdir()
        running.append(Gateway(folder, simulator.port, merged(conf_at(simulator.port), changes)))
        return running[-1]

    yield start_one
    for one in running:
        one.stop()


# The operator's word

RULES = [
    {"name": "by-key", "keys": ["other"], "model": "claude-haiku-4-5"},
    {"name": "by-tag", "tags": {"team": "clinic"}, "tier": "high_reasoning"},
    {"name": "long", "tokens_min": 3000, "model": "gemini-2.5-pro"},
    {"name": "code", "classes": ["code"], "routes": ["auto"], "model": "gpt-5-mini"},
]


def test_rules_act_on_smart_and_auto_and_on_nothing_else(start):
    gateway = start({"routing": {"rules": RULES}})

    def rule_of(text=FRANCE, key=CLIENT_KEY, **members):
        decision = explained(gateway, text, key, **members)
        return decision["rule"], decision["model"]

    name, model = rule_of(PROOF, OTHER_KEY, model="auto")
    assert name == "by-key" and model.startswith("claude-haiku-4-5")
    decision = explained(gateway, model="auto", hyperion={"tags": {"team": "clinic", "a": "b"}})
    assert decision["rule"] == "by-tag" and decision["tier"] == 3
    assert rule_of(model="auto", hyperion={"tags": {"team": "other"}})[0] is None
    assert rule_of("word " * 4000, model="auto") == ("long", "gemini-2.5-pro")
    code = "Write a Python function that reverses a linked list, with unit tests."
    assert rule_of(code, model="auto")[0] == "code"
    assert rule_of(code, model="auto")[1].startswith("gpt-5-mini")
    assert rule_of(code, model="gpt-5.2", smart_routing=True)[0] is None
    for members in ({}, {"hyperion": {"tags": {"team": "clinic"}}}):
        name, model = rule_of(code, model="gpt-5.2", **members)
        assert name is None and model.startswith("gpt-5.2")
    # A rule's model that the key may not use is no choice.
    assert put(gateway, "word " * 4000, model="auto", key=OTHER_KEY).header(
        "x-hyperion-provider") == "anthropic"


def test_a_rules_model_never_breaks_a_capability(start):
    gateway = start({"routing": {"rules": [{"name": "all", "model": "gpt-3.5-turbo"}]}})
    assert explained(gateway, model="auto")["model"].startswith("gpt-3.5-turbo")
    picture = [{"role": "user", "content": [{"type": "text", "text": FRANCE}, {
        "type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]}]
    decision = explained(gateway, model="auto", messages=picture)
    assert not decision["model"].startswith("gpt-3.5-turbo")


# What names stand for


def test_a_name_stands_for_the_newest_release_and_for_another_in_another_environment(start):
    aliases = {"environments": {"staging": {"gpt-4o": "gpt-4o-2024-08-06"}}}
    for environment, release in (("production", "gpt-4o-2024-11-20"),
                                 ("staging", "gpt-4o-2024-08-06")):
        gateway = start({**aliases, "environment": environment})
        answer = put(gateway, model="gpt-4o")
        assert ran(answer) == release == answer.json()["model"]
        assert explained(gateway, model="gpt-4o")["model"] == release


# Conf that cannot hold

REFUSED = {
    "weights of another version": ('[routing]\nweights_file = "other.weights"\n', "version 99"),
    "cut weights": ('[routing]\nweights_file = "cut.weights"\n', "bytes"),
    "damaged weights": ('[routing]\nweights_file = "damaged.weights"\n', "checksum"),
    "no weights": ('[routing]\nweights_file = "foreign.weights"\n', "no file of routing weights"),
    "no file": ('[routing]\nweights_file = "nowhere.weights"\n', "nowhere.weights"),
    "cycle": ('[aliases]\na = "b"\nb = "a"\n', "aliases"),
    "unknown model of a rule": ('[[routing.rules]]\nmodel = "nobody"\n', "routing.rules"),
    "unknown class": ('[[routing.rules]]\nclasses = ["poems"]\ntier = "balanced"\n', "classes"),
    "unknown tier": ('[[routing.rules]]\ntier = "best"\n', "tier"),
    "neither": ('[[routing.rules]]\nname = "x"\n', "routing.rules"),
    "both": ('[[routing.rules]]\nmodel = "gpt-4o"\ntier = "balanced"\n', "routing.rules"),
    "points": ('[routing]\nsmart_tolerance_points = "few"\n', "smart_tolerance_points"),
    "share": ("[routing]\nbalanced_from_score = 7.0\n", "balanced_from_score"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_conf_that_cannot_hold_is_refused_by_line(simulator, tmp_path, name):
    text, key = REFUSED[name]
    conf = {"providers": providers_at(simulator.port)}
    base = conf_text(conf) + "\n"
    (tmp_path / "hyperion.toml").write_text(base + text)
    shipped = (Path(__file__).parents[2] / "conf/routing.weights").read_bytes()
    (tmp_path / "other.weights").write_bytes(shipped[:8] + bytes([99, 0, 0, 0]) + shipped[12:])
    (tmp_path / "cut.weights").write_bytes(shipped[:-1])
    (tmp_path / "damaged.weights").write_bytes(shipped[:-1] + bytes([shipped[-1] ^ 1]))
    (tmp_path / "foreign.weights").write_bytes(b"PK" + shipped)
    run = subprocess.run([BINARY, "check", "-c", str(tmp_path / "hyperion.toml")], text=True,
                         capture_output=True, timeout=DEADLINE_S, check=False)  # fmt: skip
    said = run.stdout + run.stderr
    assert run.returncode == 1, said
    lines = [line for line in said.splitlines() if line.startswith("error: ")]
    assert lines and all(key in line for line in lines), said
    first = base.count("\n") + 1
    for line in lines:
        number = int(line.split("hyperion.toml:")[1].split(":")[0])
        assert first <= number <= first + text.count("\n"), line
