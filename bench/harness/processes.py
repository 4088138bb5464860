"""Starting, pinning, reading and ending the processes of a benchmark.

Every process is ended by its own id, whatever happens: by `stop`, at exit, and by the kernel
(PR_SET_PDEATHSIG) if this script is killed.
"""

import atexit
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)

_running = []


class BenchError(Exception):
    """Something the reader of the message can put right."""


def raise_priority(nice):
    """Gives this script and all it starts a priority against the rest of the machine.

    Linux shares a CPU between sessions first (autogroup), then within one, so a nice value counts
    for little unless the session has it. The script goes on in a child with a session of its own;
    the parent waits, hands on its end, and does not return.
    """
    child = os.fork()
    if child == 0:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        os.setsid()
        try:
            os.setpriority(os.PRIO_PROCESS, 0, nice)
            autogroup = Path("/proc/self/autogroup")
            if autogroup.exists():
                autogroup.write_text(str(nice))
        except PermissionError as error:
            raise BenchError("a negative nice value needs root") from error
        return
    while True:
        try:
            _, status = os.waitpid(child, 0)
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
        except (KeyboardInterrupt, SystemExit):
            os.kill(child, signal.SIGTERM)


def _prepare_child(cpu):
    def prepare():
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        os.sched_setaffinity(0, {cpu})

    return prepare


class Process:
    """One child process on one CPU, with the processes it forks."""

    def __init__(self, command, cpu, **popen):
        try:
            self.popen = subprocess.Popen(command, preexec_fn=_prepare_child(cpu), **popen)
        except OSError as error:
            raise BenchError(f"cannot start {command[0]}: {error.strerror}") from error
        self.pid = self.popen.pid
        self.cpu_at_end = 0.0
        _running.append(self)

    def pids(self):
        """This process and its descendants, e.g. nginx's master and worker."""
        found = [self.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    found += [int(word) for word in task.read_text().split()]
                except OSError:
                    pass  # It has ended meanwhile.
        return found

    def cpu_seconds(self):
        total = 0.0
        for pid in self.pids():
            try:
                # The kernel's CPU clock of a whole process (clock_getcpuclockid).
                total += time.clock_gettime((~pid << 3) | 2)
            except OSError:
                pass
        return max(total, self.cpu_at_end)

    def resident_kib(self):
        total = 0
        for pid in self.pids():
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1])
        return total

    def alive(self):
        return self.popen.poll() is None

    def stop(self, how=signal.SIGTERM, patience_seconds=5.0):
        if self.alive():
            self.cpu_at_end = self.cpu_seconds()
            os.kill(self.pid, how)
            try:
                self.popen.wait(patience_seconds)
            except subprocess.TimeoutExpired:
                for pid in reversed(self.pids()):
                    os.kill(pid, signal.SIGKILL)
                self.popen.wait()
        if self in _running:
            _running.remove(self)


def stop_all():
    for process in list(reversed(_running)):
        process.stop()


atexit.register(stop_all)


def _on_terminate(*_):
    """A plain `kill` of the script unwinds it, too."""
    print("ended by SIGTERM", file=sys.stderr)
    sys.exit(128 + signal.SIGTERM)


signal.signal(signal.SIGTERM, _on_terminate)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, patience_seconds=10.0):
    """Returns when something accepts connections on the port; False if it never does."""
    limit = time.monotonic() + patience_seconds
    while time.monotonic() < limit and process.alive():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.02)
    return False
