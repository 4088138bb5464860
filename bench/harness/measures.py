"""What is measured of a target, each as a function from a target to named figures.

A figure's name is stable: the report, the targets of the project and later runs refer to it. Times
are microseconds, memory is KiB. A run that fails its verification raises Failed: its figures do not
exist, and the benchmark says so and exits with an error.
"""

import json
import re
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from .load import spinner
from .processes import BenchError, Process
from .targets import start_fresh

# Streams of the measurements, as a provider paces them: 64 events; 2 ms apart among 8 streams to
# see delays without queues, 1 ms apart among 64 to see what an event costs.
STREAM_EVENTS = 64
CALM_STREAMS = {"connections": 8, "events": STREAM_EVENTS, "gap_us": 2000}
BUSY_STREAMS = {"connections": 64, "events": STREAM_EVENTS, "gap_us": 1000}

OPEN_CONNECTIONS = 128
STRACE_REQUESTS = 4000


class Failed(Exception):
    """A run whose answers were not all right."""


class Bench:
    """What the measures need: the load tool, the CPUs, how long a window lasts."""

    def __init__(self, load, load_cpu, window_seconds, key, seed=1):
        self.load = load
        self.load_cpu = load_cpu
        self.window_seconds = window_seconds
        self.key = key
        self.seed = seed
        self.extra_cpu_seconds = 0.0

    def run(self, target, mode="closed", **words):
        """One run of the load tool against a target; its answer, with the CPU used per request."""
        pids = target.process.pids() if target.process else []
        words.setdefault("window_ms", int(self.window_seconds * 1000))
        words.setdefault("warmup_ms", 300)
        if pids:
            words["watch"] = ",".join(map(str, pids))
        answer = self.load.command(mode=mode, port=target.port, **words)
        target.trim_log()
        if not answer["ok"]:
            failures = {kind: count for kind, count in answer["failures"].items() if count}
            raise Failed(f"{failures or 'no answers'}; first: {answer.get('first_failure')}")
        return answer


def saturation(bench, target, connections, prompt_bytes=512):
    """Closed loop: what the proxy can do, and the CPU time that one request costs it."""
    answer = bench.run(target, connections=connections, prompt_bytes=prompt_bytes)
    answers = max(answer["answers"], 1)
    return {
        "rps": answer["answers_per_second"],
        "cpu_us": answer["watched_cpu_us"] / answers,
        "proxy_busy": answer["watched_cpu_us"] / 1e6 / answer["seconds"],
        "load_busy": answer["load_busy"],
        "upstream_connections": answer["upstream"]["connections"],
    }


def single(bench, target):
    """One connection, one request at a time."""
    latency = bench.run(target, connections=1)["latency_us"]
    return {"p50": latency["p50"], "p99": latency["p99"]}


def open_loop(bench, target, rate):
    """Requests at the times of a Poisson process, measured from when they were meant to start."""
    answer = bench.run(
        target, "open", connections=OPEN_CONNECTIONS, rate=max(int(rate), 1), seed=bench.seed
    )
    latency = answer["latency_us"]
    return {"rate": rate, **{name: latency[name] for name in ("p50", "p99", "p999", "max")}}


def stream_delay(bench, target):
    """From the upstream's send of an event to the client's receipt, in calm traffic."""
    answer = bench.run(target, **CALM_STREAMS)
    first, later = answer["first_event_delay_us"], answer["later_event_delay_us"]
    return {
        "first_p50": first["p50"],
        "first_p99": first["p99"],
        "later_p50": later["p50"],
        "later_p99": later["p99"],
        "gap_p99": answer["gap_change_us"]["p99"],
    }


def stream_cost(bench, target):
    """CPU time per relayed event, with 64 streams of 1 000 events a second each."""
    answer = bench.run(target, **BUSY_STREAMS)
    return {
        "event_cpu_us": answer["watched_cpu_us"] / max(answer["events"], 1),
        "events_per_second": answer["events"] / answer["seconds"],
        "later_p99": answer["later_event_delay_us"]["p99"],
    }


def wrk(bench, target, connections):
    """Requests a second by wrk, which shares its CPU with the upstream role of the load tool."""
    if shutil.which("wrk") is None:
        raise BenchError("wrk is missing; install it: apt-get install wrk")
    script = Path(__file__).resolve().parent.parent / "wrk.lua"
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder) / "body.json"
        bench.load.command(mode="body", file=body, prompt_bytes=512)
        seconds = max(round(bench.window_seconds), 1)
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script)]
        command.append(f"http://127.0.0.1:{target.port}/v1/chat/completions")
        environment = {"PATH": "/usr/bin:/bin", "BENCH_BODY": str(body), "BENCH_KEY": bench.key}
        with spinner(bench.load.binary, bench.load_cpu) as awake:
            cpu_before = target.process.cpu_seconds() if target.process else 0.0
            process = Process(
                command, bench.load_cpu, stdout=subprocess.PIPE, text=True, env=environment
            )
            output = _read_to_end(process)
            cpu = (target.process.cpu_seconds() if target.process else 0.0) - cpu_before
            bench.extra_cpu_seconds += process.cpu_at_end + awake.cpu_seconds()
    target.trim_log()
    counted = json.loads(output.strip().splitlines()[-1])
    if counted["failures"] or not counted["requests"]:
        raise Failed(f"wrk: {counted}")
    return {
        "rps": counted["requests"] / counted["seconds"],
        "cpu_us": cpu * 1e6 / counted["requests"],
        "proxy_busy": cpu / counted["seconds"],
    }


def _read_to_end(process):
    """All output of a process that ends by itself; its CPU time is read before it is reaped."""
    output = process.popen.stdout.read()
    process.cpu_at_end = process.cpu_seconds()
    process.stop(patience_seconds=10)
    return output


@contextmanager
def tracing(target):
    """strace counting the system calls of every process of the target; yields its output file."""
    if shutil.which("strace") is None:
        raise BenchError("strace is missing; install it: apt-get install strace")
    pids = target.process.pids()
    table = target.folder / "strace.txt"
    command = ["strace", "-f", "-c", "-o", str(table)]
    for pid in pids:
        command += ["-p", str(pid)]
    tracer = Process(command, target.setting.cpu, stderr=subprocess.PIPE, text=True)
    try:
        for line in tracer.popen.stderr:
            if "Operation not permitted" in line:
                raise BenchError("strace may not attach (kernel.yama.ptrace_scope?)")
            if "attached" in line:
                break
        # Threads that strace attaches to after the first are announced within moments.
        time.sleep(0.3)
        yield table
    finally:
        tracer.stop(signal.SIGINT)


# What other processes on the CPUs would distort; the rest counts calls and bytes.
TIMED = {saturation, single, open_loop, stream_delay, stream_cost, wrk}


def system_calls(bench, target):
    """System calls per request, by strace in a run of their own: tracing slows the proxy, so a
    busy proxy batches more than it otherwise would; the count at 10 connections is a lower bound.
    """
    bench.run(target, connections=10, window_ms=200)
    with tracing(target) as table:
        answer = bench.run(target, connections=10, requests=STRACE_REQUESTS, warmup_ms=0)
    calls = {}
    for line in table.read_text().splitlines():
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if found and found.group(2) != "total":
            calls[found.group(2)] = int(found.group(1))
    answers = answer["answers"]
    ranked = sorted(calls.items(), key=lambda call: -call[1])
    listed = [f"{name} {count / answers:.2f}" for name, count in ranked if count > answers / 20]
    return {"per_request": sum(calls.values()) / answers, "calls": ", ".join(listed)}


def memory(bench, kind, setting, connections, requests):
    """Resident memory of a fresh instance: idle, then with many connections open and idle.

    `requests` is how many requests each connection made before it fell idle.
    """
    target = start_fresh(kind, setting)
    try:
        idle = target.process.resident_kib()
        answer = bench.load.command(
            mode="hold", port=target.port, connections=connections, requests=requests
        )
        if not answer["ok"] or answer["open"] != connections:
            raise Failed(f"held {answer['open']}: {answer.get('first_failure', 'closed')}")
        time.sleep(1.0)
        full = target.process.resident_kib()
        left = bench.load.command(mode="release")["open"]
        if left != connections:
            raise Failed(f"{connections - left} idle connections were closed by the proxy")
    finally:
        bench.load.command(mode="release")
        target.stop()
    return {"idle_kib": idle, "full_kib": full, "per_connection_kib": (full - idle) / connections}
