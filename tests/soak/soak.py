#!/usr/bin/env python3
"""Keeps the real binary under mixed load and faults for a long time and watches what may creep.

Run by ./dev soak. Clients ask the gateway, which asks `hyperion simulate`: plain and streamed
answers, every fault the simulator has, clients that leave in the middle, requests that must be
refused; the conf is reloaded now and then. Fails when an answer breaks its rule, when memory goes
on growing after the warm-up, when connections are not given back, or when SIGTERM does not end it
well.
"""

import argparse
import os
import random
import re
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

from harness.conf import sha256_of  # noqa: E402
from harness.gateway import BINARY, Gateway  # noqa: E402
from harness.waiting import wait_until  # noqa: E402
from harness.wire import Closed, Connection, chat_body, request_bytes  # noqa: E402

KEY = "sk_test_soak_3b8e1f7a2c6d9045e8b1a7f3c2d60594"
CLIENTS = 8
# What clients do, and how often.
KINDS = {"plain": 8, "stream": 6, "fault": 4, "leave": 2, "refused": 1}
REPORT_S = 10
# Memory of a process settles once every path was taken; what it may still gain after that.
GROWTH_MAX_BYTES = 16 << 20
# The gateway's deadlines here, so that a stalled provider costs a second and not a minute.
TIMEOUTS = {"upstream_first_byte_ms": 1000, "upstream_idle_ms": 1000, "upstream_total_ms": 5000}


class Broken(Exception):
    """An answer that breaks its rule."""


def fault_names() -> list:
    """The simulator's faults, from the table in its source, with arguments where they need one."""
    text = (ROOT / "src/simulator/faults.cpp").read_text()
    names = re.findall(r'\{FaultKind::\w+, "(\w+)", "(\w*)"', text)
    arguments = {"": "", "MS": ":20", "N": ":3"}
    faults = [name + arguments[argument] for name, argument in names if name != "CODE"]
    assert len(faults) > 10, faults
    return faults + ["429", "500", "503"]


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
    header = [f"x-hyperion-fault: {fault}"]
    connection.send(request_bytes(chat_body(stream=stream), headers=header, key=KEY))
    answer = connection.read_answer()
    if answer.status not in range(200, 600):
        raise Broken(f"{fault}: {answer.status}")
    complete_stream = answer.complete and stream and answer.status == 200
    if fault.startswith("cut") and complete_stream and b"[DONE]" not in answer.body:
        raise Broken(f"{fault}: a cut stream ended cleanly: ...{answer.body[-200:]}")
    return answer.status


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


def watch(gateway: Gateway, load: Load, seconds: float) -> list:
    """Reports and reloads until the time is over; what went wrong with the process."""
    began = time.monotonic()
    warm_up = min(seconds / 3, 120)
    settled = None
    while (passed := time.monotonic() - began) < seconds and not load.broken:
        load.ended.wait(min(REPORT_S, seconds - passed))
        if gateway.process.poll() is not None:
            return [f"the gateway ended with {gateway.process.returncode}:\n{gateway.stderr()}"]
        gateway.reload({})
        memory = gateway.memory_bytes()
        passed = time.monotonic() - began
        print(f"{passed:6.0f} s  {memory / 2**20:6.1f} MiB  {descriptors(gateway)} descriptors  "
              f"{dict(load.counts)} {dict(load.statuses)}", flush=True)
        if settled is None and passed > warm_up:
            settled = memory
    if settled and gateway.memory_bytes() > settled + GROWTH_MAX_BYTES:
        return [f"memory grew from {settled} bytes after the warm-up to {gateway.memory_bytes()}"]
    return []


def soak(folder: Path, seconds: float, seed: int) -> list:
    """What went wrong; empty: nothing."""
    simulator, port = start_simulator(folder)
    changes = {
        "test_faults": True,
        "timeouts": TIMEOUTS,
        "log": {"target": "off"},
        "keys": [{"id": "soak", "test": True, "hash": sha256_of(KEY)}],
    }
    try:
        with Gateway(folder, port, changes) as gateway:
            idle = descriptors(gateway)
            load = Load(gateway.port, seed)
            try:
                problems = watch(gateway, load, seconds)
            finally:
                load.stop()
            problems += load.broken[:20]
            if not problems:
                # Connections to the provider may stay for the next request, one for each client.
                wait_until(lambda: descriptors(gateway) <= idle + CLIENTS, "descriptors given back")
            return problems
    finally:
        simulator.terminate()
        simulator.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3600)
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
