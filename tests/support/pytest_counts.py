"""A pytest plugin: ends the output with the line all suites share, and names what was skipped.

With pytest-xdist the main process counts, which sees the reports of all workers.
"""

import sys

counts = {"passed": 0, "failed": 0, "skipped": 0}
skips = []


def pytest_runtest_logreport(report):
    if report.skipped:
        counts["skipped"] += 1
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        skips.append((report.nodeid, str(reason).removeprefix("Skipped: ")))
    elif report.failed:
        counts["failed"] += 1
    elif report.when == "call":
        counts["passed"] += 1


def pytest_collectreport(report):
    """A file that cannot be collected is a failure; one that skips itself whole is a skip."""
    if report.failed:
        counts["failed"] += 1
    elif report.skipped:
        counts["skipped"] += 1
        skips.append((report.nodeid, str(report.longrepr[2]).removeprefix("Skipped: ")))


def pytest_unconfigure(config):
    if hasattr(config, "workerinput"):
        return  # A worker of pytest-xdist.
    for name, reason in skips:
        print(f"skip: {name} -- {reason}")
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    sys.stdout.flush()
