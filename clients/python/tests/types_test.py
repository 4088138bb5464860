"""The types as a user's checker sees them."""

import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).with_name("sample_typed.py")
WRONG = {
    "a misspelled option": 'create(model="m", messages=[], hyperion={"fallback": []})',
    "a field of the decision": 'create(model="m", messages=[]).hyperion.modle',
    "a parameter's type": 'create(model="m", messages=[], n="two")',
    "a parameter's name": 'create(model="m", messages=[], temprature=1)',
}


def check(*arguments):
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", "/dev/null", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def test_a_users_program_passes_and_mistakes_are_seen(tmp_path):
    if subprocess.run([sys.executable, "-c", "import mypy"], capture_output=True).returncode:
        pytest.skip("mypy is not installed")
    wrong = tmp_path / "wrong.py"
    lines = ["from hyperion import Hyperion", "completions = Hyperion().chat.completions"]
    wrong.write_text("\n".join(lines + [f"completions.{call}" for call in WRONG.values()]))
    status, output = check(str(SAMPLE), str(wrong))
    assert status == 1 and "sample_typed.py" not in output, output
    for number, mistake in enumerate(WRONG, len(lines) + 1):
        assert f"wrong.py:{number}: error" in output, (mistake, output)
