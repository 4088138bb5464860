#!/usr/bin/env python3
"""Runs files of Node's test runner and ends its output with the line that all suites share.

node_counts.py FOLDER FILE... runs `node --test` in the folder; what fails is in its output.
"""

import re
import shutil
import subprocess
import sys

NODE_MIN = 18


def count(output: str, what: str) -> int:
    found = re.search(rf"^# {what} (\d+)$", output, re.MULTILINE)
    return int(found[1]) if found else 0


def main() -> int:
    folder, *files = sys.argv[1:]
    version = None
    if shutil.which("node") is not None:
        asked = subprocess.run(["node", "--version"], capture_output=True, text=True)
        version = int(asked.stdout[1:].split(".")[0])
    if version is None or version < NODE_MIN or shutil.which("npm") is None:
        print(f"skip: {folder} -- node {NODE_MIN} and npm are not installed")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    command = ["node", "--test", "--test-reporter=tap", *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    print(done.stdout + done.stderr)
    passed, failed, skipped = (count(done.stdout, what) for what in ("pass", "fail", "skipped"))
    for name in re.findall(r"^ok \d+ - (.*) # SKIP", done.stdout, re.MULTILINE):
        print(f"skip: {name} -- it says so itself")
    if done.returncode != 0 and failed == 0:
        failed = 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
