"""Decisions of the gateway's own program, `hyperion explain --jsonl`, under weights of a file."""

import json
import pathlib
import subprocess
import tempfile

# One provider is enough: the score and the class do not depend on the candidates.
CONF = """
[[providers]]
name = "anthropic"

[routing]
weights_file = "{weights}"
"""


class Program:
    def __init__(self, path):
        self.path = pathlib.Path(path).resolve()
        if not self.path.exists():
            raise SystemExit(f"{self.path} is missing: build it first (./dev build)")

    def decide(self, bodies, weights=None):
        """A decision for each body; `weights`: the bytes of a file, or those built in."""
        lines = "".join(json.dumps(body, ensure_ascii=False) + "\n" for body in bodies)
        with tempfile.TemporaryDirectory() as folder:
            command = [str(self.path), "explain", "--jsonl"]
            if weights is not None:
                file = pathlib.Path(folder) / "routing.weights"
                file.write_bytes(weights)
                conf = pathlib.Path(folder) / "fold.toml"
                conf.write_text(CONF.format(weights=file), encoding="utf-8")
                command += ["-c", str(conf)]
            run = subprocess.run(command, input=lines.encode(), capture_output=True)
        decisions = [json.loads(line) for line in run.stdout.splitlines()]
        if len(decisions) != len(bodies):
            raise SystemExit(f"hyperion explain: {run.stderr.decode()[:2000]}")
        for decision in decisions:
            if "score" not in decision:
                raise SystemExit(f"hyperion explain: {decision}")
        return decisions
