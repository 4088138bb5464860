"""How much harder more text makes a prompt: for each kind a line that rises and then stays.

Learned from what is left when words and structure have said theirs, and within sources only: that
the prompts of one source are longer than those of another says nothing of length. A kind of which
little is known gets the slope of all; no slope is below the prior's. Where the line stops rising is
the kind's own: the quantile of its lengths that explains most.
"""

import dataclasses

import numpy

STOPS = (0.5, 0.75, 0.9, 0.98)
STOP_UNTOLD = 0.9
ROWS_MIN = 20
# The slope of all kinds counts as much as this many rows.
ROWS_OF_ALL = 100.0


@dataclasses.dataclass
class Curve:
    """In standard deviations of the length, from `low` to `high`; flat outside."""

    low: float
    high: float
    slope: float
    middle: float = 0.0  # of the kind's rows: there the line says nothing

    def __call__(self, lengths):
        return self.slope * (numpy.clip(lengths, self.low, self.high) - self.middle)


def _within(values, weights, groups):
    """Less the mean of the row's group."""
    sums = numpy.bincount(groups, weights * values)
    return values - (sums / numpy.bincount(groups, weights))[groups]


def _best(lengths, left, weights, groups, slope_of_all, slope_min):
    low = numpy.quantile(lengths, 0.02)
    wanted = _within(left, weights, groups)
    best, least = None, None
    for stop in STOPS:
        high = max(numpy.quantile(lengths, stop), low + 0.5)
        rising = _within(numpy.clip(lengths, low, high), weights, groups)
        own = (weights * rising * rising).sum()
        more = ROWS_OF_ALL * weights.mean() * rising.var()
        slope = ((weights * rising * wanted).sum() + more * slope_of_all) / (own + more + 1e-9)
        slope = max(slope, slope_min)
        error = (weights * (wanted - slope * rising) ** 2).sum()
        if least is None or error < least - 1e-9:
            best, least = Curve(low, high, slope), error
    if best.slope <= slope_min:
        best.high = max(numpy.quantile(lengths, STOP_UNTOLD), low + 0.5)
    return best


def fit_curves(lengths, left, kinds, sources, weights, slope_min):
    """{kind: Curve}, and under None that of kinds that are not there."""
    groups = numpy.unique(sources, return_inverse=True)[1]
    of_all = _best(lengths, left, weights, groups, 0.0, slope_min)
    of_all.middle = numpy.clip(lengths, of_all.low, of_all.high).mean()
    curves = {None: of_all}
    for kind in sorted(set(kinds)):
        mine = kinds == kind
        if mine.sum() < ROWS_MIN:
            continue
        groups = numpy.unique(sources[mine], return_inverse=True)[1]
        curve = _best(
            lengths[mine], left[mine], weights[mine], groups, of_all.slope, slope_min
        )
        curve.middle = numpy.clip(lengths[mine], curve.low, curve.high).mean()
        curves[kind] = curve
    return curves


def apply_curves(curves, lengths, kinds):
    values = curves[None](lengths)
    for kind, curve in curves.items():
        if kind is not None:
            values = numpy.where(kinds == kind, curve(lengths), values)
    return values
