"""Runs the scripts of the clients for Node."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[1] / "dialects"
# The newest versions of these clients want Node 22; those that are pinned want this.
NODE_MIN = 18


def packages_folder() -> str:
    """The folder in whose node_modules the clients are: where ./dev installed them."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    if int(version[1:].split(".")[0]) < NODE_MIN:
        pytest.skip(f"these clients need node {NODE_MIN}")
    for folder in filter(None, os.environ.get("NODE_PATH", "").split(os.pathsep)):
        if (Path(folder) / "@google/genai").exists():
            return str(Path(folder).parent)
    pytest.skip("the npm packages of the clients are not installed (./dev setup, with npm)")


def run_script(name: str, context: dict, seconds: float) -> list:
    """The lines of JSON that the script prints, given the context."""
    given = json.dumps({**context, "packages": packages_folder()})
    done = subprocess.run(["node", str(SCRIPTS / name), given], capture_output=True, text=True,
                          timeout=seconds)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
