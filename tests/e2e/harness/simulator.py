"""Runs `hyperion simulate` on a free port, as a provider that answers like OpenAI."""

import json
import os
import re
import signal
import subprocess
import threading
import urllib.request

from harness.gateway import BINARY, BROKEN
from harness.waiting import DEADLINE_S, wait_until

SIMULATING = re.compile(r"simulating OpenAI on http://127\.0\.0\.1:(\d+)/v1")


class Simulator:
    def __init__(self):
        self.lines = []
        self.process = subprocess.Popen(
            [BINARY, "simulate", "--port", "0"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={"PATH": os.environ["PATH"]},
        )
        self.reader = threading.Thread(target=self.read_stderr, daemon=True)
        self.reader.start()
        wait_until(lambda: self.port or self.process.poll() is not None, "the simulator")
        assert self.port, "".join(self.lines)

    def read_stderr(self) -> None:
        self.lines.extend(iter(self.process.stderr.readline, ""))

    @property
    def port(self):
        found = SIMULATING.search("".join(self.lines))
        return int(found[1]) if found else None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path: str, method: str = "GET"):
        """One of its own routes: what it got, what it bills."""
        asked = urllib.request.Request(self.url + path, method=method)
        with urllib.request.urlopen(asked, timeout=DEADLINE_S) as answer:
            return json.load(answer)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(DEADLINE_S)
        self.reader.join(DEADLINE_S)
        assert status == 0 and not BROKEN.search("".join(self.lines)), (status, self.lines)
