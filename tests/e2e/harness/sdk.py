"""The project's own clients: Python's from its sources, Node's as ./dev built it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PYTHON_SOURCES = ROOT / "clients/python/src"
NODE_PACKAGE = Path(os.environ.get("HYPERION_SDK", ROOT / "build/client_typescript"))

# Before what may be installed under the same name.
sys.path.insert(0, str(PYTHON_SOURCES))


def environment(url: str, key: str) -> dict:
    """Of a program that uses a client; OpenAI's variables are there to be left alone."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(PYTHON_SOURCES),
            "PYTHONDONTWRITEBYTECODE": "1", "HYPERION_API_KEY": key, "HYPERION_BASE_URL": url,
            "OPENAI_API_KEY": "sk-not-for-hyperion", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}


def run_python(script: Path, url: str, key: str, *arguments: str) -> str:
    return run([sys.executable, str(script), *arguments], environment(url, key))


def run_node(script: Path, folder: Path, url: str, key: str, *arguments: str) -> str:
    """Runs a copy of the script in the folder, where it finds the package as if installed."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if not (NODE_PACKAGE / "dist/index.js").exists():
        pytest.skip("the client for Node is not built (./dev setup, with npm)")
    scope = folder / "node_modules/@hyperion-ai"
    scope.mkdir(parents=True, exist_ok=True)
    if not (scope / "sdk").exists():
        (scope / "sdk").symlink_to(NODE_PACKAGE)
    copied = shutil.copy(script, folder)
    return run(["node", str(copied), *arguments], environment(url, key))


def run(command: list, variables: dict) -> str:
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
