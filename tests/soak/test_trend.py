#!/usr/bin/env python3
"""The soak test's judgement: it sees a leak, and none where there is only noise."""

import random
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tidy"))

from soak import judge_memory  # noqa: E402
from test_tidy import report  # noqa: E402
from trend import slope_of  # noqa: E402

SECONDS = 600


def wandering(seed: int, leak_per_s: float) -> list:
    """Memory that goes up and down by pages that come and go, each level kept for a while."""
    choices = random.Random(seed)
    level, values = 0.0, []
    for second in range(SECONDS):
        level = 0.9 * level + choices.gauss(0, 100_000)
        values.append(20_000_000 + level + leak_per_s * second)
    return values


class Trend(unittest.TestCase):
    def test_a_straight_line_has_its_slope(self):
        slope = slope_of(list(range(60)), [5 + 3 * second for second in range(60)])
        self.assertAlmostEqual(slope.value, 3)
        self.assertAlmostEqual(slope.low, 3)

    def test_noise_alone_is_hardly_ever_a_leak(self):
        times = list(range(SECONDS))
        found = sum(bool(judge_memory(times, wandering(seed, 0))) for seed in range(200))
        self.assertLessEqual(found, 4)

    def test_two_kilobytes_a_second_are_seen(self):
        times = list(range(SECONDS))
        found = sum(bool(judge_memory(times, wandering(seed, 2000))) for seed in range(50))
        self.assertGreaterEqual(found, 48)

    def test_a_page_gained_once_is_no_leak(self):
        values = [20_000_000.0] * (SECONDS // 2) + [20_004_096.0] * (SECONDS // 2)
        self.assertEqual(judge_memory(list(range(SECONDS)), values), [])


if __name__ == "__main__":
    sys.exit(report(sys.modules[__name__]))
