#!/usr/bin/env python3
"""Gathers what a fuzz target starts from: a dictionary and a folder of seed inputs.

Usage: seeds.py TARGET FOLDER, run by ./dev fuzz. Writes FOLDER/dictionary and FOLDER/seeds. Seeds
are the files committed in tests/fuzz/seeds/TARGET and, where HYPERION_SHARED is set, the vectors
there that fit the target by its name. Without it a target starts from the committed seeds alone.
"""

import base64
import hashlib
import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

# What a word in a target's name says about its input: dictionaries, and where seeds are.
KINDS = [
    (
        ("http", "head", "request_stream", "response", "body", "chunk"),
        ("http", "url"),
        ("suites/http1-*/*.jsonl",),
    ),
    (("json", "scan", "splice"), ("json", "utf8", "llm-own"), ("suites/json-parsing/test_*/*",)),
    (("sse",), ("llm-own", "json"), ("suites/sse-parsing/*.jsonl",)),
    (("conf", "toml"), ("utf8",), ()),
    (("translation",), ("llm-own", "json"), ()),
]

# Folders of recordings that are not of Chat Completions, and the dialect's number in a target.
DIALECTS = [("responses", 1), ("anthropic", 2), ("gemini", 3), ("vertex", 3)]


def inputs_of_case(case: dict) -> list:
    """The byte strings of one line of a suite: every field named *_b64, joined if a list."""
    found = []
    for key, value in case.items():
        if key.endswith("_b64"):
            parts = value if isinstance(value, list) else [value]
            found.append(b"".join(base64.b64decode(part) for part in parts))
    return found


def inputs_of_file(path: Path) -> list:
    if path.suffix != ".jsonl":
        return [path.read_bytes()]
    lines = path.read_text(encoding="utf-8").splitlines()
    return [data for line in lines if line.strip() for data in inputs_of_case(json.loads(line))]


def recorded_bodies(shared: Path, side: str) -> list:
    """Bodies of recorded requests or responses behind the byte by which a target chooses."""
    inputs = []
    for path in sorted(shared.glob("recorded/*/*/*.json")):
        recording = json.loads(path.read_text(encoding="utf-8"))
        exchanges = recording.get("exchanges", []) if isinstance(recording, dict) else []
        for exchange in exchanges:
            body = (exchange[side].get("body") or "").encode()
            if not 10 < len(body) < 30000:
                continue
            dialect = next((n for word, n in DIALECTS if f"/{word}/" in str(path)), 0)
            streamed = side == "response" and not body.lstrip().startswith((b"{", b"["))
            choices = (0x08, 0x1C) if side == "response" else (0x10, 0xFC)
            for choice in choices:
                chosen = (choice & ~4) | 4 * streamed if side == "response" else choice
                inputs.append(bytes([dialect | chosen]) + body)
    return inputs


def gather(target: str) -> tuple:
    """(text of the dictionary, list of seed inputs) for a target."""
    dictionaries, inputs = [], []
    for path in sorted((HERE / "seeds" / target).glob("*")):
        inputs += inputs_of_file(path)
    if "conf" in target:
        inputs += [path.read_bytes() for path in sorted((HERE.parents[1] / "conf").glob("*.toml"))]
    shared = os.environ.get("HYPERION_SHARED")
    if not shared:
        return "", inputs
    if target.endswith("_translation"):
        inputs += recorded_bodies(Path(shared), target.replace("answer", "response").split("_")[0])
    for words, names, patterns in KINDS:
        if not any(word in target for word in words):
            continue
        for name in names:
            path = Path(shared) / "suites/fuzz-dicts" / f"{name}.dict"
            dictionaries.append(path.read_text(encoding="utf-8", errors="replace"))
        for pattern in patterns:
            for path in sorted(Path(shared).glob(pattern)):
                inputs += inputs_of_file(path)
    return "\n".join(dictionaries) + "\n", inputs


def main() -> int:
    target, folder = sys.argv[1], Path(sys.argv[2])
    dictionary, inputs = gather(target)
    seeds = folder / "seeds"
    seeds.mkdir(parents=True, exist_ok=True)
    (folder / "dictionary").write_text(dictionary, encoding="utf-8")
    for data in inputs:
        (seeds / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    print(f"{target}: {len(inputs)} seed inputs, {len(dictionary.splitlines())} dictionary lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
