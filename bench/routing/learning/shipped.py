"""The weights that are shipped: learned from every source at once, for no family in particular."""

import numpy

from learning import fit, targets
from learning.prompts import KINDS

# Beside the gain of a strong model: where even strong ones fail a prompt is hard as well.
FAILURE_SHARE = 0.05
# A source counts as much as this many rows at most.
ROWS_OF_A_SOURCE = 1500
# Fixed, not searched for here: there is no one target to choose them by.
SHARES = fit.Shares(forest=1.5, prior=0.6, length=0.5)
# Few rows, but of the pair of models that routers are usually compared by.
MORE_OF = {"routellm_mmlu": 2.0, "routellm_gsm8k": 2.0}
ROWS_OF_OWN = 150
OWN_GAIN = (-0.3, 0.75)  # of prompts of our own of hardness 0 and 1


def difficulty_target(row):
    """What the difficulty is fitted to, or None for rows that say nothing of it."""
    if row.hardness is not None:
        return OWN_GAIN[0] + row.hardness * (OWN_GAIN[1] - OWN_GAIN[0])
    scores = targets.pooled(row)
    if scores is None:
        return None
    strong, cheap = scores
    return strong - cheap + FAILURE_SHARE * (1 - strong)


def source_weights(sources, most):
    """One for each row, less where a source has more rows than `most`."""
    names, places, counts = numpy.unique(sources, return_inverse=True, return_counts=True)
    del names
    return numpy.minimum(1.0, most / counts)[places]


def fit_shipped(features, rows, chosen, seed):
    """Weights from the rows at the places `chosen`."""
    space = fit.Space(features, chosen)
    parts = space.parts()
    fit.fit_known(parts, features, chosen)

    values = [difficulty_target(rows[i]) for i in chosen]
    hard = numpy.array([i for i, value in zip(chosen, values, strict=True) if value is not None])
    target = numpy.array([value for value in values if value is not None])
    weights = source_weights([rows[i].source for i in hard], ROWS_OF_A_SOURCE)
    weights = weights * numpy.array([MORE_OF.get(rows[i].source, 1.0) for i in hard])
    sources = numpy.array([rows[i].source for i in hard])
    kinds = numpy.array([rows[i].kind or "" for i in hard])
    learned = fit.Difficulty(
        space, hard, target, kinds, sources, weights, seed, fit.SHALLOW
    )
    learned.write(parts, SHARES)
    sums = learned.sums(learned.parts_of(hard, kinds), SHARES)
    even = source_weights([rows[i].source for i in hard], ROWS_OF_OWN)
    fit.fit_curve(parts, sums, fit.spread, even)

    known = numpy.array([i for i in chosen if rows[i].kind in KINDS])
    kinds = [rows[i].kind for i in known]
    fit.fit_kinds(space, parts, known, kinds, source_weights([rows[i].source for i in known], 200))
    return parts
