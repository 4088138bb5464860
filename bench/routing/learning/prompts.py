"""Prompts with what is known of them: rows of the shared data, read into one shape.

Rows of HYPERION_SHARED/data/routing: `train` may train weights, `check` may only be measured on.
"""

import dataclasses
import hashlib
import json
import os
import pathlib
import re

KINDS = (
    "tool_use",
    "long_context",
    "code",
    "math",
    "reasoning",
    "knowledge",
    "transform",
    "writing",
    "simple_qa",
    "chat",
)
KIND_OF_LABEL = {"command": "chat", "trivial": "simple_qa"}


@dataclasses.dataclass
class Row:
    identity: str
    source: str
    category: str
    kind: str | None
    prompt: str
    tools: int = 0
    outcomes: dict = dataclasses.field(default_factory=dict)
    hardness: float | None = None  # of prompts of our own: 0 any model does it, 1 only a strong one
    system: str = ""

    def body(self, prompt=None):
        """A request body, as the gateway would get it."""
        messages = [{"role": "user", "content": self.prompt if prompt is None else prompt}]
        if self.system:
            messages.insert(0, {"role": "system", "content": self.system})
        body = {"model": "auto", "messages": messages}
        if self.tools:
            body["tools"] = [
                {"type": "function", "function": {"name": f"function_{i}"}}
                for i in range(self.tools)
            ]
        return body

    def group(self):
        """Equal for near-duplicates, which must never stand on both sides of a split."""
        letters = re.sub(r"[^a-z]+", " ", self.prompt.lower())[-160:]
        return hashlib.md5(letters.encode()).hexdigest()


def whole_prompt(fields):
    """The prompt, with blanks where the shared data left the middle of a long one out."""
    prompt = fields["prompt"]
    tail = fields.get("prompt_tail")
    if not tail:
        return prompt
    missing = fields.get("prompt_chars", 0) - len(prompt) - len(tail)
    filler = prompt[1000:4000] or prompt
    middle = (filler * (missing // len(filler) + 1))[: max(missing, 0)]
    return prompt + middle + tail


def shared_folder():
    shared = os.environ.get("HYPERION_SHARED")
    if not shared:
        raise SystemExit("set HYPERION_SHARED to the folder that holds data/routing")
    return pathlib.Path(shared) / "data" / "routing"


def read_rows(part):
    """All rows of `train` or `check`, in the order of files and lines."""
    rows = []
    for path in sorted((shared_folder() / part).glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").split("\n"):
            if not line:
                continue
            fields = json.loads(line)
            label = KIND_OF_LABEL.get(fields["class"], fields["class"])
            rows.append(
                Row(
                    identity=fields["id"],
                    source=fields["source"],
                    category=fields.get("category", ""),
                    kind=label if label in KINDS else None,
                    prompt=whole_prompt(fields),
                    tools=int(fields.get("n_tools") or 0),
                    outcomes=fields.get("outcomes") or {},
                )
            )
    return rows
