"""Test data outside the project, found through HYPERION_SHARED; without it tests are skipped."""

import base64
import json
import os
from pathlib import Path

import pytest

SKIPPED = "HYPERION_SHARED is not set"


def shared_folder(*parts: str) -> Path:
    top = os.environ.get("HYPERION_SHARED")
    if not top:
        pytest.skip(SKIPPED)
    folder = Path(top).joinpath(*parts)
    assert folder.exists(), f"{folder} is missing"
    return folder


def read_cases(*parts: str) -> list:
    """The objects of a JSON-lines file; every `..._b64` member is decoded to bytes."""
    cases = []
    for line in shared_folder(*parts).read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        for name in [name for name in case if name.endswith("_b64")]:
            value = case[name]
            if isinstance(value, list):
                case[name[:-4]] = [base64.b64decode(part) for part in value]
            else:
                case[name[:-4]] = base64.b64decode(value)
        cases.append(case)
    assert cases
    return cases
