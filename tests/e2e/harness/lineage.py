"""A gateway that hands itself over to new processes, from a binary that a test may replace."""

import ctypes
import os
import re
import shutil
import signal
from pathlib import Path

from harness.gateway import BINARY, BROKEN, Gateway
from harness.waiting import wait_until

PR_SET_CHILD_SUBREAPER = 36
SERVES = re.compile(r"handed over: process (\d+) serves")


def adopt_orphans(wanted: bool) -> None:
    """A process whose parent has ended becomes a child of ours, so that its status can be had."""
    assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0) == 0


class Lineage(Gateway):
    """`pid` is the process that serves now; `pids` are all of them, the first ours by birth."""

    def __init__(self, folder: Path, upstream_port: int, changes=None, environment=None, **options):
        self.binary = str(folder / "hyperion")
        shutil.copy2(BINARY, self.binary)
        self.statuses = {}
        self.expected = {}
        super().__init__(folder, upstream_port, changes, environment, **options)

    def start(self, **options) -> None:
        super().start(**options)
        self.pids = [self.process.pid]

    @property
    def pid(self) -> int:
        return self.pids[-1]

    def replace_binary(self, text=None) -> None:
        """Puts a script, or the real binary again, where the binary stands, as installers do."""
        fresh = self.folder / "fresh"
        if text is None:
            shutil.copy2(BINARY, fresh)
        else:
            fresh.write_text(text)
            fresh.chmod(0o755)
        fresh.replace(self.binary)

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def hand_over(self) -> None:
        """To a new process; returns when that serves."""
        self.send_signal(signal.SIGUSR2)
        self.wait_for_successor()

    def wait_for_successor(self) -> None:
        known = len(self.pids)
        found = wait_until(
            lambda: (pids := SERVES.findall(self.stderr()))[known - 1:] and pids, "the hand-over")
        self.pids.append(int(found[known - 1]))

    def status_of(self, pid: int):
        """The exit status of one that has ended, or None."""
        if pid == self.process.pid:
            return self.process.poll()
        if pid not in self.statuses:
            try:
                ended, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:  # The one that started it lives.
                return None
            if ended:
                self.statuses[pid] = os.waitstatus_to_exitcode(status)
        return self.statuses.get(pid)

    def wait_for_end_of(self, pid: int) -> int:
        wait_until(lambda: self.status_of(pid) is not None, f"process {pid} to end")
        return self.status_of(pid)

    def stop(self) -> None:
        """Ends the one that serves; all must have ended well."""
        if self.status_of(self.pid) is None:
            self.send_signal(signal.SIGTERM)
        try:
            statuses = {pid: self.wait_for_end_of(pid) for pid in self.pids}
        except AssertionError:
            self.kill()
            raise AssertionError("a process did not end:\n" + self.stderr()) from None
        expected = {pid: self.expected.get(pid, 0) for pid in self.pids}
        assert statuses == expected, (statuses, self.stderr())
        assert not BROKEN.search(self.stderr()), self.stderr()

    def kill(self) -> None:
        for pid in self.pids:
            if self.status_of(pid) is None:
                os.kill(pid, signal.SIGKILL)

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.stop()
        else:
            self.kill()
