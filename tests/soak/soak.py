#!/usr/bin/env python3
"""Keeps the real binary under mixed load and faults for a long time and watches what may creep.

Run by ./dev soak. Clients ask the gateway, which asks `hyperion simulate`: plain and streamed
answers, every fault the simulator has, chains of fallbacks, clients that leave in the middle,
requests that must be refused. All the while the conf is reloaded, as it is, changed, and wrong.
Fails when an answer breaks its rule, when memory rises after the warm-up (by the slope of a line
through it and that slope's confidence interval, where the run is long enough for one), when a gauge
or a descriptor is not given back, or when SIGTERM does not end it well.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
os.environ.setdefault("HYPERION_BINARY", str(ROOT / "build/hyperion"))

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness.conf import conf_text, merged, sha256_of  # noqa: E402
from harness.gateway import BINARY, Gateway  # noqa: E402
from harness.simulated import providers_at  # noqa: E402
from harness.waiting import wait_until  # noqa: E402
from harness.wire import Closed, Connection, chat_body, request_bytes  # noqa: E402
from trend import BLOCKS, slope_of  # noqa: E402

KEY = "sk_test_soak_3b8e1f7a2c6d9045e8b1a7f3c2d60594"
CLIENTS = 8
# What clients do, and how often.
KINDS = {"plain": 8, "stream": 6, "fault": 4, "fallback": 4, "leave": 2, "refused": 1}
# Faults strike a deployment at a provider of its own, so that the others stay in good health.
FAULTY = "soak-faulty"
FAULTY_MODEL = "gpt-5-mini"
FALLBACKS = ["claude-haiku-4-5", "gpt-4o-mini"]
REPORT_S = 10
SAMPLE_S = 0.5
# Memory of a process settles once every path was taken; what it may still gain after that.
GROWTH_MAX_BYTES = 16 << 20
# A rise is called one from here on, however narrow its interval: less is a page here or there.
RISE_MIN_BYTES = 128 << 10
# Below this a slope says nothing.
TREND_MIN_S = 120
# The gateway's deadlines here, so that a stalled provider costs a second and not a minute.
TIMEOUTS = {"upstream_first_byte_ms": 1000, "upstream_idle_ms": 1000, "upstream_total_ms": 5000}


class Broken(Exception):
    """An answer that breaks its rule."""


def fault_names() -> list:
    """The simulator's faults, from the table in its source, with arguments where they need one."""
    text = (ROOT / "src/config/faults.cpp").read_text()
    names = re.findall(r'\{FaultKind::\w+, "(\w+)", "(\w*)"', text)
    arguments = {"": "", "MS": ":20", "S": ":1", "N": ":3"}
    faults = [name + arguments[argument] for name, argument in names
              if name not in ("CODE", "shouldretry")]
    assert len(faults) > 10, faults
    return faults + ["429", "500", "503", "shouldretry:1"]


def check_plain(connection) -> None:
    connection.send(request_bytes(chat_body(), key=KEY))
    answer = connection.read_answer()
    if answer.status != 200 or not answer.complete or not answer.json()["choices"]:
        raise Broken(f"plain: {answer.status} {answer.body[:200]}")


def check_stream(connection) -> None:
    connection.send(request_bytes(chat_body(stream=True), key=KEY))
    answer = connection.read_answer()
    if answer.status != 200 or not answer.complete or b"data: [DONE]" not in answer.body:
        raise Broken(f"stream: {answer.status} ...{answer.body[-200:]}")


def check_fault(connection, fault: str, stream: bool) -> int:
    """Whatever the provider does: an answer, an error of ours, or a broken end; never a hang."""
    body = chat_body(model=FAULTY, stream=stream)
    header = [f"x-hyperion-fault: {fault}"]
    connection.send(request_bytes(body, headers=header, key=KEY))
    answer = connection.read_answer()
    if answer.status not in range(200, 600):
        raise Broken(f"{fault}: {answer.status}")
    complete_stream = answer.complete and stream and answer.status == 200
    if fault.startswith("cut") and complete_stream and b"[DONE]" not in answer.body:
        raise Broken(f"{fault}: a cut stream ended cleanly: ...{answer.body[-200:]}")
    return answer.status


def check_fallback(connection, fault: str, stream: bool) -> None:
    """What fails before its first word is answered by another, in the client's own language."""
    body = chat_body(model=FAULTY, stream=stream, hyperion={"fallbacks": FALLBACKS})
    header = [f"x-hyperion-fault: {FAULTY_MODEL}={fault}"]
    connection.send(request_bytes(body, headers=header, key=KEY))
    answer = connection.read_answer()
    if answer.status != 200 or not answer.complete:
        raise Broken(f"fallback after {fault}: {answer.status} {answer.body[:300]}")
    if stream and b"data: [DONE]" not in answer.body:
        raise Broken(f"fallback after {fault}: ...{answer.body[-200:]}")


def check_refused(connection) -> None:
    connection.send(request_bytes(b'{"model": ', key=KEY))
    answer = connection.read_answer()
    if answer.status != 400:
        raise Broken(f"half a JSON body: {answer.status}")


def leave_in_the_middle(connection) -> None:
    slowly = ["x-hyperion-fault: gap:20"]
    connection.send(request_bytes(chat_body(stream=True), headers=slowly, key=KEY))
    connection.receive()


class Load:
    """Client threads, each with its own seeded choice of what to ask next."""

    def __init__(self, port: int, seed: int):
        self.port = port
        self.ended = threading.Event()
        self.counts = Counter()
        self.statuses = Counter()  # of answers to requests with a fault
        self.broken = []
        self.faults = fault_names()
        self.threads = [
            threading.Thread(target=self.run, args=(random.Random(f"{seed}/{number}"),))
            for number in range(CLIENTS)
        ]
        for thread in self.threads:
            thread.start()

    def run(self, choices: random.Random) -> None:
        while not self.ended.is_set():
            kind = choices.choices(list(KINDS), list(KINDS.values()))[0]
            try:
                with Connection(self.port) as connection:
                    self.ask(kind, connection, choices)
                self.counts[kind] += 1
            except (Broken, Closed, OSError, AssertionError, ValueError, KeyError) as error:
                self.broken.append(f"{kind}: {type(error).__name__}: {error}")

    def ask(self, kind: str, connection: Connection, choices: random.Random) -> None:
        if kind == "leave":
            leave_in_the_middle(connection)
        elif kind == "refused":
            check_refused(connection)
        elif kind == "fault":
            fault = choices.choice(self.faults)
            self.statuses[check_fault(connection, fault, choices.random() < 0.5)] += 1
        elif kind == "fallback":
            fault = choices.choice(["503", "500", "429", "reset", "garbage"])
            check_fallback(connection, fault, choices.random() < 0.5)
        else:
            for _ in range(choices.randint(1, 20)):
                check_plain(connection) if kind == "plain" else check_stream(connection)

    def stop(self) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()


def start_simulator(folder: Path) -> tuple:
    """The process and its port."""
    process = subprocess.Popen(
        [BINARY, "simulate", "--port", "0"], stderr=(folder / "simulator.log").open("w"), cwd=folder
    )

    def port():
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", (folder / "simulator.log").read_text())
        return found and int(found[1])

    return process, wait_until(port, "the simulator to listen")


def descriptors(gateway: Gateway) -> int:
    return len(os.listdir(f"/proc/{gateway.process.pid}/fd"))


def reload_somehow(gateway: Gateway, turn: int) -> None:
    """Reads the conf again: as it was, changed, or wrong, by turns; the last two change nothing
    that the load would notice."""
    text = conf_text(gateway.conf)
    if turn % 3 == 1:
        text = conf_text(merged(gateway.conf, {"upstream": {"connection_requests_max": 50}}))
    elif turn % 3 == 2:
        text += "\n[nonsense]\n"
    said = "reload refused" if turn % 3 == 2 else "conf reloaded"
    before = gateway.stderr().count(said)
    gateway.conf_file.write_text(text)
    gateway.send_signal(signal.SIGHUP)
    wait_until(lambda: gateway.stderr().count(said) > before, said)


def judge_memory(times: list, values: list) -> list:
    """What is wrong with memory (bytes) after the warm-up, over times in seconds."""
    growth = values[-1] - values[0]
    problems = []
    if growth > GROWTH_MAX_BYTES:
        problems.append(f"memory grew by {growth} bytes after the warm-up")
    measured_s = times[-1] - times[0]
    if measured_s >= TREND_MIN_S and len(times) >= 3 * BLOCKS:
        slope = slope_of(times, values)
        if slope.low > 0 and slope.value * measured_s > RISE_MIN_BYTES:
            problems.append(f"memory rises: {slope_text(slope)}")
    return problems


def slope_text(slope) -> str:
    kib_per_hour = [part * 3600 / 1024 for part in (slope.value, slope.low, slope.high)]
    return "slope {:.0f} KiB/h, with 99 % between {:.0f} and {:.0f}".format(*kib_per_hour)


def watch(gateway: Gateway, load: Load, seconds: float) -> list:
    """Measures, reports and reloads until the time is over; what went wrong with the process."""
    began = time.monotonic()
    warm_up = min(seconds / 3, 120)
    next_report = REPORT_S
    turn = 0
    times, values = [], []
    while (passed := time.monotonic() - began) < seconds and not load.broken:
        load.ended.wait(min(SAMPLE_S, seconds - passed))
        if gateway.process.poll() is not None:
            return [f"the gateway ended with {gateway.process.returncode}:\n{gateway.stderr()}"]
        passed = time.monotonic() - began
        if passed > warm_up:
            times.append(passed)
            values.append(gateway.memory_bytes())
        if passed >= next_report or passed >= seconds:
            next_report += REPORT_S
            reload_somehow(gateway, turn)
            turn += 1
            print(f"{passed:6.0f} s  {gateway.memory_bytes() / 2**20:7.2f} MiB  "
                  f"{descriptors(gateway)} descriptors  {dict(load.counts)} {dict(load.statuses)}",
                  flush=True)
    if len(times) >= 3 * BLOCKS:
        print(f"memory after the warm-up: {slope_text(slope_of(times, values))}", flush=True)
    return judge_memory(times, values) if len(times) > 1 else []


def gauges(gateway: Gateway) -> dict:
    """Every gauge of the metrics page that counts something held, summed over its labels."""
    text = gateway.metrics_text()
    names = re.findall(r"^# TYPE (\w+) gauge$", text, re.MULTILINE)
    assert len(names) > 5, text
    return {name: sum(float(value) for value in
                      re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE))
            for name in names if not name.endswith("_seconds")}


def check_given_back(gateway: Gateway, idle_gauges: dict, idle_descriptors: int) -> list:
    """Once nobody asks, everything is as it was before anybody had."""
    try:
        wait_until(lambda: gauges(gateway) == idle_gauges, "gauges to be given back")
        wait_until(lambda: descriptors(gateway) <= idle_descriptors, "descriptors given back")
    except AssertionError as error:
        now = gauges(gateway)
        more = {name: (idle_gauges[name], now[name]) for name in now
                if now[name] != idle_gauges[name]}
        return [f"{error}: gauges (idle, now) {more}; descriptors {idle_descriptors}, "
                f"{descriptors(gateway)}"]
    return []


def soak(folder: Path, seconds: float, seed: int) -> list:
    """What went wrong; empty: nothing."""
    simulator, port = start_simulator(folder)
    changes = {
        "test_faults": True,
        "timeouts": TIMEOUTS,
        "upstream": {"connection_idle_ms": 3000},
        "log": {"target": "off"},
        "keys": [{"id": "soak", "test": True, "hash": sha256_of(KEY)}],
        "providers": providers_at(port),
        "deployments": [{"name": FAULTY, "model": FAULTY_MODEL, "provider": "chat-only"}],
    }
    try:
        with Gateway(folder, port, changes) as gateway:
            idle_gauges, idle_descriptors = gauges(gateway), descriptors(gateway)
            load = Load(gateway.port, seed)
            try:
                problems = watch(gateway, load, seconds)
            finally:
                load.stop()
            problems += load.broken[:20]
            return problems or check_given_back(gateway, idle_gauges, idle_descriptors)
    finally:
        simulator.terminate()
        simulator.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory() as folder:
        try:
            problems = soak(Path(folder), options.seconds, options.seed)
        except AssertionError as error:
            problems = [str(error)]
    print("\n".join(problems))
    print(f"{int(not problems)} passed, {int(bool(problems))} failed, 0 skipped")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
