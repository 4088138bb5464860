"""Whether a series of measurements rises: its slope with a confidence interval.

Measurements that follow each other closely are not independent, which makes an ordinary interval
far too narrow. So the series is cut into blocks and the line is fitted through their means.
"""

import math
from dataclasses import dataclass

BLOCKS = 20
# Student's t for 99 %, two-sided, with BLOCKS - 2 = 18 degrees of freedom.
T_99 = 2.878


@dataclass
class Slope:
    """Per second."""

    value: float
    low: float
    high: float


def slope_of(times: list, values: list) -> Slope:
    """The slope of values over times (seconds), with its 99 % confidence interval."""
    assert len(times) == len(values) >= 3 * BLOCKS
    edges = [len(times) * block // BLOCKS for block in range(BLOCKS + 1)]
    x = [mean(times[a:b]) for a, b in zip(edges, edges[1:])]
    y = [mean(values[a:b]) for a, b in zip(edges, edges[1:])]
    middle_x, middle_y = mean(x), mean(y)
    spread = sum((at - middle_x) ** 2 for at in x)
    value = sum((at - middle_x) * (v - middle_y) for at, v in zip(x, y)) / spread
    rest = sum((v - middle_y - value * (at - middle_x)) ** 2 for at, v in zip(x, y))
    half = T_99 * math.sqrt(rest / (BLOCKS - 2) / spread)
    return Slope(value, value - half, value + half)


def mean(values: list) -> float:
    return sum(values) / len(values)
