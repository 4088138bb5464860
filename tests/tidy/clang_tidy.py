#!/usr/bin/env python3
"""Runs clang-tidy, with the short list of .clang-tidy, over every source of src.

Usage: clang_tidy.py BUILD JOBS, where BUILD was made with clang (./dev fuzz makes one), so that its
compile commands are ones that clang-tidy understands. Slow: part of ./dev test --long only.
"""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = [f"clang-tidy-{version}" for version in range(21, 15, -1)] + ["clang-tidy"]


def sources(build: Path) -> list:
    commands = json.loads((build / "compile_commands.json").read_text())
    paths = {(Path(entry["directory"]) / entry["file"]).resolve() for entry in commands}
    return sorted(path for path in paths if ROOT / "src" in path.parents)


def check(tool: str, build: Path, source: Path) -> str:
    """What clang-tidy finds in one source; empty when it finds nothing."""
    command = [tool, "--quiet", "-p", str(build), str(source)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout if done.returncode else ""


def main() -> int:
    build, jobs = Path(sys.argv[1]), int(sys.argv[2])
    tool = next((name for name in TOOLS if shutil.which(name)), None)
    if tool is None or not (build / "compile_commands.json").exists():
        print("skip: clang_tidy -- clang-tidy of version 16 or later is not installed")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    checked = sources(build)
    with ThreadPoolExecutor(jobs) as pool:
        found = list(pool.map(lambda source: check(tool, build, source), checked))
    print("\n".join(text for text in found if text))
    failed = sum(1 for text in found if text)
    print(f"{len(checked) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
