"""Runs `hyperion demo` on free ports: gateway and simulated providers, with the demo's keys."""

import os
import re
import signal
import subprocess
import threading

from harness.gateway import BINARY, BROKEN
from harness.waiting import DEADLINE_S, wait_until

DEMO_KEY = "sk_test_demo"
GATEWAY = re.compile(r"the gateway +(http://127\.0\.0\.1:\d+)/v1")
PROVIDER = re.compile(r"the provider +(http://127\.0\.0\.1:\d+)")
READY = "Ctrl-C ends it."


class Demo:
    """Use as a context: leaving it stops it and checks its end."""

    def __init__(self, *arguments):
        self.lines = []
        self.process = subprocess.Popen(
            [BINARY, "demo", "--port", "0", "--admin-port", "0", "--simulator-port", "0",
             *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={"PATH": os.environ["PATH"]},
        )
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        wait_until(lambda: READY in self.output() or self.process.poll() is not None, "the demo")
        found = GATEWAY.search(self.output())
        assert found and self.process.poll() is None, self.output()
        self.url = f"{found[1]}/v1"
        self.simulator_url = PROVIDER.search(self.output())[1]

    def read(self) -> None:
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def output(self) -> str:
        return "".join(self.lines)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(DEADLINE_S)
        self.reader.join(DEADLINE_S)
        assert status == 0 and not BROKEN.search(self.output()), (status, self.output())
