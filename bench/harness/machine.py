"""The machine under the benchmark: what it is, and what else ran on it meanwhile."""

import os
import platform
import re
import subprocess
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def describe(repository):
    """Facts that a table of results is worthless without, in printing order."""
    text = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", text)
    return {
        "CPU": f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} cores seen",
        "kernel": platform.release(),
        "commit": commit(repository),
    }


def commit(repository):
    def git(*words):
        run = subprocess.run(["git", "-C", str(repository), *words], capture_output=True, text=True)
        return run.stdout.strip() if run.returncode == 0 else ""

    head = git("rev-parse", "--short=12", "HEAD") or "none"
    changed = git("status", "--porcelain", "--untracked-files=no")
    return head + (" with local changes" if changed else "")


def version_of(*command):
    """The first line that mentions a version; nginx prints it on stderr."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except OSError:
        return "not installed"
    lines = (run.stdout + run.stderr).strip().splitlines()
    return lines[0] if lines else "unknown"


class Neighbours:
    """Watches two CPUs for time that is neither ours nor idle.

    A spinner keeps a CPU busy, so idle time says nothing; other people's time is all busy time less
    what our own processes used.
    """

    def __init__(self, cpus):
        self.cpus = cpus
        self.begin = self._read()

    def _read(self):
        busy = steal = 0
        for line in Path("/proc/stat").read_text().splitlines():
            words = line.split()
            if words[0] in {f"cpu{cpu}" for cpu in self.cpus}:
                user, nice, system, _, _, irq, softirq, stolen = map(int, words[1:9])
                busy += user + nice + system + irq + softirq
                steal += stolen
        return busy / TICKS_PER_SECOND, steal / TICKS_PER_SECOND, os.times().elapsed

    def share(self, own_cpu_seconds):
        """(others' share, stolen share) of the CPUs since the beginning, 0 to 1."""
        busy, steal, clock = (now - then for now, then in zip(self._read(), self.begin))
        whole = max(clock * len(self.cpus), 1e-9)
        return max(busy - own_cpu_seconds, 0.0) / whole, steal / whole
