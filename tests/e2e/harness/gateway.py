"""Runs the real binary on free ports, and reads what it says: log, error output, metrics."""

import json
import os
import re
import signal
import subprocess
import threading
import urllib.request
from pathlib import Path

from harness.conf import PROVIDER_KEY, PROVIDER_KEY_VARIABLE, base_conf, conf_text, merged
from harness.waiting import DEADLINE_S, wait_until

BINARY = os.environ.get(
    "HYPERION_BINARY", str(Path(__file__).resolve().parents[3] / "build/hyperion")
)
LISTENING = re.compile(r"listening on (https?)://127\.0\.0\.1:(\d+)( \(admin\))?")
# What a sanitizer, an assertion or the C++ runtime says before it ends a process.
BROKEN = re.compile(r"assert|Sanitizer|runtime error|terminate called", re.IGNORECASE)


class Gateway:
    """One process of `hyperion serve`. Use as a context: leaving it stops it and checks its end."""

    binary = BINARY

    def __init__(self, folder: Path, upstream_port: int, changes=None, environment=None, **options):
        self.folder = folder
        self.conf_file = folder / "hyperion.toml"
        self.log_file = folder / "requests.log"
        self.conf = merged(base_conf(upstream_port, str(self.log_file)), changes or {})
        self.write_conf(self.conf)
        self.environment = {
            "PATH": os.environ["PATH"],
            PROVIDER_KEY_VARIABLE: PROVIDER_KEY,
            **(environment or {}),
        }
        self.expected_exit = 0
        self.start(**options)

    def write_conf(self, conf: dict) -> None:
        self.conf_file.write_text(conf_text(conf))

    def start(self, **options) -> None:
        self.lines = []
        self.ports = {}
        self.process = subprocess.Popen(
            [self.binary, "serve", "-c", str(self.conf_file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=self.environment,
            text=True,
            errors="replace",
            **options,
        )
        self.reader = threading.Thread(target=self.read_stderr, daemon=True)
        self.reader.start()
        listeners = sum(not one.startswith("unix:") for one in self.conf["server"]["listen"])
        listeners += len(self.conf.get("tls", {}).get("listen", []))
        listeners += self.conf["admin"]["listen"] != "off"
        wait_until(
            lambda: len(self.ports) == listeners or self.process.poll() is not None,
            "the gateway to listen",
        )
        if len(self.ports) < listeners:
            self.reader.join(DEADLINE_S)
            raise AssertionError("the gateway did not start:\n" + self.stderr())
        self.port = self.ports.get("http")
        self.admin_port = self.ports.get("admin")
        self.tls_port = self.ports.get("https")
        self.url = f"http://127.0.0.1:{self.port}"

    def read_stderr(self) -> None:
        for line in self.process.stderr:
            self.lines.append(line)
            if found := LISTENING.search(line):
                self.ports["admin" if found[3] else found[1]] = int(found[2])

    def stderr(self) -> str:
        return "".join(self.lines)

    def wait_for_stderr(self, text: str) -> None:
        wait_until(lambda: text in self.stderr(), f"{text!r} on stderr")

    def log_lines(self) -> list:
        """The lines of the request log so far; one that is being written is left out."""
        if not self.log_file.exists():
            return []
        raw = self.log_file.read_bytes()
        return raw[: raw.rfind(b"\n") + 1].splitlines()

    def log(self) -> list:
        return [json.loads(line) for line in self.log_lines()]

    def wait_for_log(self, request_id: str) -> dict:
        def find():
            found = [line for line in self.log_lines() if request_id.encode() in line]
            return found and json.loads(found[0])

        return wait_until(find, f"the log line of {request_id}")

    def log_up_to(self, request_id: str) -> dict:
        """{id: line} of what was logged, once that of the last request is there."""
        self.wait_for_log(request_id)
        return {line["id"]: line for line in self.log()}

    def wait_for_outcome(self, outcome: str) -> dict:
        """The last line of the log, once it has this outcome."""

        def find():
            lines = self.log()
            return lines and lines[-1]["outcome"] == outcome and lines[-1]

        return wait_until(find, f"{outcome} in the log")

    def wait_for_log_lines(self, count: int) -> list:
        return wait_until(
            lambda: (lines := self.log()) and len(lines) >= count and lines, f"{count} log lines"
        )

    def metrics_text(self) -> str:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.admin_port}/metrics", timeout=DEADLINE_S
        ) as answer:
            return answer.read().decode()

    def metric(self, name: str) -> float:
        """The sum over all labels of a metric."""
        pattern = re.compile(rf"^{name}(?:\{{.*\}})? (\S+)$", re.MULTILINE)
        values = pattern.findall(self.metrics_text())
        assert values, f"no metric {name}"
        return sum(float(value) for value in values)

    def memory_bytes(self) -> int:
        """What the process holds in memory now."""
        text = Path(f"/proc/{self.process.pid}/statm").read_text()
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def send_signal(self, number: int) -> None:
        self.process.send_signal(number)

    def reload(self, changes: dict) -> None:
        """Writes the conf with `changes` and waits until it holds."""
        before = self.stderr().count("conf reloaded")
        self.conf = merged(self.conf, changes)
        self.write_conf(self.conf)
        self.send_signal(signal.SIGHUP)
        wait_until(lambda: self.stderr().count("conf reloaded") > before, "the reload")

    def wait_for_exit(self) -> int:
        status = self.process.wait(DEADLINE_S)
        self.reader.join(DEADLINE_S)
        return status

    def stop(self) -> None:
        """Stops it and asserts that its end was an orderly one."""
        if self.process.poll() is None:
            self.send_signal(signal.SIGTERM)
            try:
                self.process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("SIGTERM did not end it:\n" + self.stderr()) from None
        status = self.wait_for_exit()
        assert status == self.expected_exit, f"exit status {status}:\n{self.stderr()}"
        assert not BROKEN.search(self.stderr()), self.stderr()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.stop()
        else:
            self.process.kill()
            self.process.wait()
