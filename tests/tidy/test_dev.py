#!/usr/bin/env python3
"""Proof that ./dev test counts honestly: crashes, missing counts, skips, and the exit status."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import linkage  # noqa: E402
from test_tidy import report  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
DEV = ROOT / "dev"


def run_suites(*suites: str) -> tuple:
    """(exit status, lines printed) of a run of `suites`, each a name and a shell command."""
    with tempfile.TemporaryDirectory() as logs:
        calls = "\n".join(f"suite {suite}" for suite in suites)
        script = f"source {DEV} help > /dev/null\nlogs={logs}/logs\nstart_counting\n{calls}\n"
        done = subprocess.run(
            ["bash", "-c", script + "finish_counting"], capture_output=True, text=True
        )
        return done.returncode, done.stdout.splitlines()


class Counting(unittest.TestCase):
    def assert_total(self, total: str, status: int, *suites: str) -> None:
        result, lines = run_suites(*suites)
        self.assertEqual((lines[-1], result), (total, status), "\n".join(lines))

    def test_counts_of_all_suites_are_added(self):
        self.assert_total(
            "5 passed, 0 failed, 1 skipped",
            0,
            "a 5 echo 2 passed, 0 failed, 1 skipped",
            "b 5 echo 3 passed, 0 failed, 0 skipped",
        )

    def test_a_failed_case_fails_the_run_and_later_suites_still_run(self):
        self.assert_total(
            "1 passed, 1 failed, 0 skipped",
            1,
            "a 5 sh -c 'echo 0 passed, 1 failed, 0 skipped; exit 1'",
            "b 5 echo 1 passed, 0 failed, 0 skipped",
        )

    def test_a_suite_that_dies_before_it_counted_is_a_failure(self):
        self.assert_total("0 passed, 1 failed, 0 skipped", 1, "a 5 sh -c 'kill -SEGV $$'")

    def test_a_suite_that_ends_well_without_counting_is_a_failure(self):
        self.assert_total("0 passed, 1 failed, 0 skipped", 1, "a 5 echo fine")

    def test_a_suite_that_counts_and_then_crashes_is_a_failure(self):
        crash = "a 5 sh -c 'echo 3 passed, 0 failed, 0 skipped; kill -ABRT $$'"
        self.assert_total("3 passed, 1 failed, 0 skipped", 1, crash)

    def test_a_suite_that_hangs_is_ended_and_a_failure(self):
        self.assert_total("0 passed, 1 failed, 0 skipped", 1, "a 1 sleep 60")

    def test_a_run_of_nothing_is_not_a_success(self):
        self.assert_total("0 passed, 0 failed, 0 skipped", 1)

    def test_skips_are_shown_with_their_reasons(self):
        skips = "skip: x: y -- no data\\nskip: z -- no data\\n"
        _, lines = run_suites(f"a 5 printf '{skips}0 passed, 0 failed, 2 skipped\\n'")
        self.assertIn("    skipped 2: no data", lines)


class ContinuousIntegration(unittest.TestCase):
    """.ci/run in a tree whose ./dev only leaves a log and prints a total."""

    def run_ci(self, log: str, with_shared: bool = True) -> subprocess.CompletedProcess:
        environment = {key: value for key, value in os.environ.items() if key != "HYPERION_SHARED"}
        with tempfile.TemporaryDirectory() as folder:
            checkout = Path(folder) / "checkout"
            (checkout / ".ci").mkdir(parents=True)
            shutil.copy(ROOT / ".ci/run", checkout / ".ci/run")
            if with_shared:
                (Path(folder) / "shared/suites").mkdir(parents=True)
            (checkout / "build/test-logs").mkdir(parents=True)
            (checkout / "build/test-logs/a.log").write_text(log)
            (checkout / "build/test-logs/summary").write_text("1 passed, 0 failed, 1 skipped\n")
            dev = checkout / "dev"
            dev.write_text('#!/bin/sh\necho "shared: $HYPERION_SHARED"\n')
            dev.chmod(0o755)
            return subprocess.run(
                [checkout / ".ci/run"], env=environment, capture_output=True, text=True
            )

    def test_it_names_the_shared_data_beside_the_checkout_as_an_absolute_path(self):
        done = self.run_ci("")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"shared: /.*/shared\n")

    def test_it_fails_where_there_is_no_shared_data(self):
        done = self.run_ci("", with_shared=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("set HYPERION_SHARED", done.stderr)

    def test_it_fails_when_a_test_was_skipped_for_want_of_shared_data(self):
        done = self.run_ci("skip: vectors -- HYPERION_SHARED is not set\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("a.log", done.stderr)

    def test_it_passes_when_a_test_was_skipped_for_another_reason(self):
        self.assertEqual(self.run_ci("skip: node -- no npm here\n").returncode, 0)


class Linkage(unittest.TestCase):
    def test_the_runtime_is_allowed_and_anything_else_named(self):
        listed = (
            "\tlinux-vdso.so.1 (0x1)\n\tlibstdc++.so.6 => /lib/libstdc++.so.6 (0x1)\n"
            "\tlibc.so.6 => /lib/libc.so.6 (0x1)\n\t/lib64/ld-linux-x86-64.so.2 (0x1)\n"
            "\tlibcurl.so.4 => /lib/libcurl.so.4 (0x1)\n"
        )
        self.assertEqual(linkage.foreign_libraries(listed), ["libcurl.so.4"])


if __name__ == "__main__":
    sys.exit(report(sys.modules[__name__]))
