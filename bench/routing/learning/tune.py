"""Chooses what parts of the difficulty count, by cross-validation inside the rows to learn from.

The rows that a fold is judged on have no part in it: for each fold everything is chosen anew. The
middle of the grid is taken unless the rows held out say otherwise by more than one standard error:
a family's gap is small, and the best of many on some thousand rows is mostly luck.
"""

import itertools

import numpy
import scipy.stats

from learning import fit

FOLDS = 3
PRIOR = 0.1
SHARES = tuple(
    fit.Shares(forest, PRIOR, length)
    for forest, length in itertools.product((1.0, 2.0, 4.0), (0.1, 0.25, 1.0))
)
MIDDLE = fit.Shares(2.0, PRIOR, 0.25)


def inner_folds(groups, seed):
    """A fold for each row; rows of one group are in the same."""
    names, places = numpy.unique(groups, return_inverse=True)
    return (numpy.random.default_rng(seed).permutation(len(names)) % FOLDS)[places]


def better_by(order, middle, gain):
    """How much more APGR one order of the rows has than another, and the standard error of it."""
    moved = gain * (order - middle) / len(gain) / gain.sum()
    return moved.sum(), moved.std() * numpy.sqrt(len(gain))


def choose(features, rows, targets, middle, gain, kinds, sources, groups, seed):
    """(target, Shares): a key of `targets`, {key: values}, and what its parts count.

    `middle` is the target that is taken unless another is better on `gain`.
    """
    folds = inner_folds(groups, seed)
    orders = {}
    for fold in range(FOLDS):
        learn, judge = folds != fold, folds == fold
        space = fit.Space(features, rows[learn])
        for key, target in targets.items():
            learned = fit.Difficulty(
                space, rows[learn], target[learn], kinds[learn], sources[learn], seed=seed
            )
            parts = learned.parts_of(rows[judge], kinds[judge])
            for shares in SHARES:
                order = orders.setdefault((key, shares), numpy.zeros(len(rows)))
                # Of different rows to learn from, sums are on different scales: places are not.
                order[judge] = scipy.stats.rankdata(learned.sums(parts, shares)) / judge.sum()
    orders = {choice: scipy.stats.rankdata(order) for choice, order in orders.items()}
    best, most = (middle, MIDDLE), 0.0
    for choice, order in orders.items():
        more, error = better_by(order, orders[middle, MIDDLE], gain)
        if more > error and more > most:
            best, most = choice, more
    return best
