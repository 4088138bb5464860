#!/usr/bin/env python3
"""What bench/models_diff says of a newer list, and that it knows the list it was seeded from."""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/tidy"))

from test_tidy import report  # noqa: E402

TOOL = ROOT / "bench/models_diff"
CATALOGUE = """
[[models]]
id = "gpt-9-2026-01-02"
family = "openai"
series = ["gpt"]
endpoints = ["chat", "responses"]
context_tokens = 1000
output_tokens_max = 100
capabilities = ["tools"]
input_usd_per_million = 2
output_usd_per_million = 8
"""
ROW = {
    "id": "gpt-9-2026-01-02", "provider": "openai", "kind": "chat", "context": 1000,
    "max_output": 100, "input": 2, "output": 8, "cached_input": None, "status": "active",
    "caps": {"tools": True, "vision": None}, "asof": "2026-01-02", "released": "2026-01-01",
}  # fmt: skip


def run(rows, *options: str, catalogue: str = CATALOGUE):
    """(exit status, lines of the output) for a list of rows, or a text that stands for one."""
    with tempfile.TemporaryDirectory() as folder:
        listed, known = Path(folder) / "list.json", Path(folder) / "models.toml"
        listed.write_text(rows if isinstance(rows, str) else json.dumps(rows), encoding="utf-8")
        known.write_text(catalogue, encoding="utf-8")
        command = [sys.executable, TOOL, *options, listed, known]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()


def row(**facts) -> dict:
    return {**ROW, **facts}


RELEASED = {"catalogue": CATALOGUE + "released = 2026-01-02\n"}


class Differences(unittest.TestCase):
    def assert_diff(self, status: int, lines: list, *rows, **more) -> None:
        self.assertEqual(run(list(rows), **{**RELEASED, **more}), (status, lines))

    def test_a_list_that_says_the_same_is_no_difference(self):
        self.assert_diff(0, [], ROW)

    def test_models_come_and_go(self):
        self.assert_diff(
            1,
            ["added    openai/gpt-10", "removed  openai/gpt-9-2026-01-02"],
            row(id="gpt-10", released=None),
        )

    def test_a_changed_fact_is_shown_old_and_new(self):
        name = "changed  openai/gpt-9-2026-01-02"
        self.assert_diff(
            1,
            [
                f"{name} output_tokens_max: 100 -> 200",
                f"{name} efforts: unknown -> [\"low\"]",
                f"{name} input_usd_per_million: 2 -> 1.5",
            ],
            row(input=1.5, max_output=200, efforts=["LOW"]),
        )

    def test_tiers_are_compared(self):
        tier = {"above": 500, "input": 4, "output": 12, "cached_input": 0}
        self.assert_diff(
            1,
            [
                "changed  openai/gpt-9-2026-01-02 price_tiers: unknown -> [{ above_tokens = 500, "
                "input_usd_per_million = 4, output_usd_per_million = 12 }]"
            ],
            row(tiers=[tier]),
        )

    def test_null_is_no_fact(self):
        self.assert_diff(0, [], row(context=None, input=None, caps=None))

    def test_an_undated_name_adds_what_its_newer_listing_says(self):
        alias = row(id="gpt-9", alias_of=ROW["id"], asof="2026-02-01", max_output=150)
        self.assert_diff(
            1, ["changed  openai/gpt-9-2026-01-02 output_tokens_max: 100 -> 150"], ROW, alias
        )
        self.assert_diff(0, [], ROW, {**alias, "asof": "2025-12-31"})

    def test_limits_that_a_script_filled_in_are_no_facts(self):
        self.assert_diff(0, [], row(context=4096, max_output=16384))

    def test_what_is_known_to_be_wrong_is_left_alone_until_the_list_says_something_else(self):
        known = '[[models]]\nid = "gpt-4"\nfamily = "openai"\nstatus = "deprecated"\n'
        listed = {"id": "gpt-4", "provider": "openai", "kind": "chat", "asof": "2026-01-01"}
        catalogue = known + 'endpoints = ["chat", "responses"]\n'
        self.assert_diff(0, [], {**listed, "status": "active"}, catalogue=catalogue)
        self.assert_diff(
            1,
            ['changed  openai/gpt-4 status: "deprecated" -> "retired"'],
            {**listed, "status": "retired"},
            catalogue=catalogue,
        )


class Use(unittest.TestCase):
    def test_written_rows_are_a_catalogue_that_says_the_same(self):
        rows = [
            row(id="gpt-10", price=0.00001, input=0.00001, released=None),
            row(id="claude-9", provider="anthropic", kind="embedding", sampling="no",
                platform_ids={"openrouter": "anthropic/claude-9"}),
        ]  # fmt: skip
        status, lines = run(rows, "--write", catalogue="models = []\n")
        self.assertEqual(status, 1)
        text = "\n".join(lines)
        self.assertEqual(len(tomllib.loads(text)["models"]), 2)
        self.assertIn("# By hand: series, thinking", text)
        self.assertEqual(run(rows, catalogue=text), (0, []))

    def test_what_cannot_be_read_is_status_2(self):
        self.assertEqual(run("no json")[0], 2)
        self.assertEqual(run([{"id": "x"}])[0], 2)
        self.assertEqual(run([ROW], catalogue="models = 5")[0], 2)
        self.assertEqual(run([ROW], "--unknown")[0], 2)

    def test_the_catalogue_agrees_with_the_list_it_was_seeded_from(self):
        shared = os.environ.get("HYPERION_SHARED")
        if not shared:
            self.skipTest("HYPERION_SHARED is not set")
        command = [sys.executable, TOOL, Path(shared) / "data/models.json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))


if __name__ == "__main__":
    sys.exit(report(sys.modules[__name__]))
