"""Providers that fail and recover: by the demo's schedule, by the conf's, and on a test's word."""

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request

import pytest

from harness.conf import CLIENT_KEY
from harness.demo import DEMO_KEY, Demo
from harness.gateway import BINARY
from harness.waiting import DEADLINE_S, wait_until

QUESTION = [{"role": "user", "content": "Say hello."}]
FALLBACK = {"fallbacks": ["claude-haiku-4-5"]}
REHEARSAL_S = "15"


def fetch(url, body=None, method=None, key=DEMO_KEY):
    """Status, headers and text of one request; a body is sent as JSON."""
    request = urllib.request.Request(
        url, None if body is None else json.dumps(body).encode(),
        {"authorization": "Bearer " + key, "content-type": "application/json"}, method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=DEADLINE_S)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer.headers, answer.read().decode()


def chat(url, key=DEMO_KEY, **body):
    return fetch(url + "/chat/completions", {"messages": QUESTION, **body}, key=key)


class Schedule:
    """The outages of the demo's simulated providers."""

    def __init__(self, demo):
        self.url = demo.simulator_url + "/_simulator/outages"

    def post(self, **outage):
        status, _, text = fetch(self.url, outage)
        assert status == 200, text

    def clear(self):
        assert fetch(self.url, method="DELETE")[0] == 200

    def outages(self):
        return json.loads(fetch(self.url)[2])["outages"]


@pytest.fixture(scope="module")
def demo():
    with Demo() as running:
        yield running


@pytest.fixture
def schedule(demo):
    """The demo's schedule, empty again after the test."""
    one = Schedule(demo)
    yield one
    one.clear()


def answered_by(demo, model, **body):
    """Whether `model` itself answers."""
    status, headers, _ = chat(demo.url, model=model, **body)
    return (status == 200 and headers["x-hyperion-model"].startswith(model)
            and "x-hyperion-fallback-index" not in headers)


def test_the_rehearsal_is_told_as_it_happens_and_the_fallbacks_answer():
    with Demo("--outage", REHEARSAL_S) as rehearsal:
        schedule = Schedule(rehearsal)
        assert len(schedule.outages()) == 3
        seen = {}
        for begins, ends, model, reason in (
            ("gpt-5.2 is down", "gpt-5.2 is well again", "gpt-5.2", "overload"),
            ("Anthropic is overloaded", "Anthropic is well again", "claude-haiku-4-5", "overload"),
            ("gpt-5.2 is twenty times as slow", "gpt-5.2 is quick again", "gpt-5.2", "timeout"),
        ):
            line = re.compile(re.escape(begins) + r".*\n +(curl .*)\n")
            found = wait_until(lambda: line.search(rehearsal.output()), begins)
            done = subprocess.run(["bash", "-c", found[1]], capture_output=True, text=True,
                                  timeout=DEADLINE_S)
            seen[begins] = done.stdout
            if ends not in rehearsal.output():  # Otherwise this machine was too busy to tell.
                assert "200 OK" in done.stdout
                assert "x-hyperion-fallback-index: 1" in done.stdout
                assert "x-hyperion-fallback-reason: " + reason in done.stdout
            wait_until(lambda: ends in rehearsal.output(), ends)
            wait_until(lambda: answered_by(rehearsal, model, **FALLBACK), model)
        wait_until(lambda: "Everything is well" in rehearsal.output(), "the end")
        assert any("fallback-index: 1" in text for text in seen.values()), seen
        # What the demo asked for itself went as it should, in each phase.
        told = re.findall(r"just now: HTTP/1\.1 200 OK, by ([\w.-]+)(.*)", rehearsal.output())
        assert [model.split("-2")[0] for model, _ in told] == [
            "claude-haiku-4-5", "gpt-5.2", "gemini", "claude-haiku-4-5", "gemini", "gpt-5.2"]
        assert ["fallback-index: 1" in rest for _, rest in told] == [True, False] * 3
        outages = schedule.outages()
        assert [one["state"] for one in outages] == ["over"] * 3
        assert all(one["struck"] > 0 for one in outages)


def test_the_rehearsal_ends_by_itself_or_at_once_when_told():
    with Demo("--outage") as rehearsal:
        assert "for 60 seconds" in rehearsal.output()  # Leaving stops it, long before.
    done = subprocess.run(
        [BINARY, "demo", "--outage", "6", "--once", "--port", "0", "--admin-port", "0",
         "--simulator-port", "0"],
        capture_output=True, text=True, timeout=DEADLINE_S + 6, env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything is well" in done.stdout


@pytest.mark.parametrize("seconds", ["5", "3601", "soon"])
def test_a_wrong_length_of_the_rehearsal_is_refused(seconds):
    done = subprocess.run([BINARY, "demo", "--outage", seconds], capture_output=True, text=True,
                          timeout=DEADLINE_S)
    assert done.returncode == 2 and "--outage [SECONDS]" in done.stderr


def test_a_provider_fails_and_recovers_on_a_tests_word(demo, schedule):
    wait_until(lambda: answered_by(demo, "gpt-4o", **FALLBACK), "a healthy start")
    schedule.post(model="gpt-4o", fault="503")
    status, headers, text = chat(demo.url, model="gpt-4o", **FALLBACK)
    assert status == 200, text
    assert headers["x-hyperion-model"].startswith("claude-haiku-4-5")
    assert headers["x-hyperion-fallback-index"] == "1"
    assert headers["x-hyperion-fallback-reason"] == "overload"
    assert chat(demo.url, model="gpt-4o")[0] == 503
    assert answered_by(demo, "gpt-4o-mini")
    schedule.clear()
    wait_until(lambda: answered_by(demo, "gpt-4o", **FALLBACK), "the recovery")


def test_one_key_of_a_provider_is_out_of_its_limit(demo, schedule):
    schedule.post(provider="openai", api_key="sk-simulated-provider-key",
                  fault="429, retryafter:2")
    status, headers, _ = chat(demo.url, model="gpt-4o-mini", **FALLBACK)
    assert status == 200 and headers["x-hyperion-fallback-reason"] == "rate_limit"
    (outage,) = schedule.outages()
    assert outage["struck"] == 1 and "simulated" not in outage["api_key"]
    status, headers, _ = chat(demo.simulator_url + "/v1", "sk-another", model="gpt-4o-mini")
    assert status == 200


def test_flapping_is_down_and_up_by_turns(demo, schedule):
    schedule.post(kind="flapping", provider="openai", model="gpt-4.1*", down_ms=150, up_ms=150)
    seen = []

    def status():
        seen.append(chat(demo.simulator_url + "/v1", model="gpt-4.1")[0])
        return seen.count(503) > 2 and seen.count(200) > 2 and seen[-1] != seen[0]

    wait_until(status, "both of them")
    assert set(seen) == {200, 503}


def test_a_partial_outage_strikes_as_many_as_it_counts(demo, schedule):
    schedule.post(kind="partial", percent=50, model="gpt-4.1")
    statuses = [chat(demo.simulator_url + "/v1", model="gpt-4.1")[0] for _ in range(40)]
    (outage,) = schedule.outages()
    assert outage["requests"] == 40 and outage["struck"] == statuses.count(503)
    assert 8 < statuses.count(503) < 32


def test_a_region_is_down_and_the_other_serves(demo, schedule, start_gateway):
    def in_region(region):
        gateway = start_gateway({"provider": {"base_url": f"{demo.simulator_url}/{region}/v1"}})
        return chat(f"http://127.0.0.1:{gateway.port}/v1", CLIENT_KEY, model="gpt-4o")[0]

    schedule.post(path="/eu/")
    assert in_region("eu") == 503
    assert in_region("us") == 200


@pytest.mark.parametrize(
    ("outage", "said"),
    [({"fault": "5O3"}, "fault: expected a fault"), ({"fualt": "503"}, "unknown key"),
     ({"kind": "partial"}, "percent: is missing")])
def test_a_misspelt_outage_is_refused(demo, schedule, outage, said):
    status, _, text = fetch(schedule.url, outage)
    error = json.loads(text)["error"]
    assert (status, error["code"]) == (400, "invalid_outage") and said in error["message"]
    assert schedule.outages() == []


def test_the_schedule_of_a_conf_holds_and_a_misspelt_one_is_told_by_line(tmp_path):
    conf = tmp_path / "simulator.toml"
    entry = '[simulator]\n[[simulator.outages]]\nmodel = "gpt-4o"\nfault = "%s"\n'
    conf.write_text(entry % "wronglenght")
    for command in (["check"], ["simulate", "--port", "0"]):
        done = subprocess.run([BINARY, *command, "-c", str(conf)], capture_output=True, text=True,
                              timeout=DEADLINE_S)
        assert done.returncode == 1
        assert "simulator.toml:4: simulator.outages.fault: expected a fault" in done.stderr
    conf.write_text(entry % "529")
    process = subprocess.Popen([BINARY, "simulate", "--port", "0", "-c", str(conf)],
                               stderr=subprocess.PIPE, text=True)
    try:
        url = re.search(r"http://[\d.:]+/v1", process.stderr.readline())[0]
        assert chat(url, model="gpt-4o")[0] == 529
        assert chat(url, model="gpt-4o-mini")[0] == 200
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0
        process.stderr.close()
