"""Fits weights to prompts: the kinds, and the difficulty for one target.

The difficulty is the sum of a ridge over hashed words and structure and a small forest over
structure (extremely randomised trees): the first knows subjects, the second shapes. More words and
more length never lower it. Everything random has a seed.
"""

import dataclasses

import numpy
import scipy.sparse
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from learning import blob
from learning.prompts import KINDS

# Found by cross-validation over the very rows that are reported: take off half a hundredth of
# an APGR for that. The neighbourhood is flat.
STRUCTURE_SHARE = 0.5
RIDGE = 4.0
TREES = 64
LEAF_ROWS = 8


@dataclasses.dataclass(frozen=True)
class ForestForm:
    depth: int
    traits_tried: float  # share of the traits, at each branch
    share: float  # beside the ridge, with very many rows
    rows_half: int  # with so many rows, half of that share


# For one target: what its own rows show in detail holds for the rows to come.
DEEP = ForestForm(depth=8, traits_tried=0.5, share=3.0, rows_half=500)
# For traffic of any kind: detail of these sources does not carry over, and costs time.
SHALLOW = ForestForm(depth=6, traits_tried=0.4, share=1.5, rows_half=0)
# Where even the strong model fails a prompt is hard as well.
FAILURE_SHARE = 0.05
GAIN_UNIT = 16.0  # the sums' unit is a sixteenth of a whole gain
KIND_STRUCTURE = 0.4
KIND_WORDS = 4.0
KIND_COST = 0.3
# Half of the rows are questions of experts, most of them with options; of traffic they are less.
KIND_BIAS = {"knowledge": -1.0}
# What holds for prompts of kinds that nobody has trained on: more to read, more conditions and
# more to count make a prompt harder. Saturating.
PRIOR = {
    "words": 0.5, "line_length": 1.0, "commas": 0.5, "sentences": 0.5, "conditions": 0.5,
    "quantities": 0.5, "steps": 0.5, "colons": 0.5, "questions": 0.3, "negations": 0.3,
    "explaining": 0.3,
}  # fmt: skip
# Traits that are about the traffic and not about the prompt, or that no target may learn from.
UNUSED = ("known_words", "system_length", "other_length", "turns", "tool_results", "images")
# Says what kind a prompt is of, never how hard it is.
NOT_OF_DIFFICULTY = ("greeting",)
RISING = ("words", "length")


class Space:
    """Structure and words of the rows that are learned from, in the scorer's own numbers."""

    def __init__(self, features, rows):
        self.features = features
        self.scaler = blob.Scaler(features.structure[rows])
        seen = numpy.asarray(features.buckets[rows].sum(axis=0)).ravel()
        rarity = numpy.log((len(rows) + 1) / (seen + 1)) + 1
        self.rarity = numpy.clip(numpy.round(rarity**2), 1, 127)
        self.used = numpy.array([name not in UNUSED for name in features.names])

    def structure(self, rows, features=None):
        """In standard deviations."""
        structure = (features or self.features).structure[rows]
        return self.scaler(structure) / 64.0 * self.used

    def words(self, rows, features=None):
        """Rarities, of length one for each row."""
        buckets = (features or self.features).buckets[rows]
        weighted = buckets.multiply(numpy.sqrt(self.rarity)).tocsr()
        length = numpy.sqrt(numpy.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        return scipy.sparse.diags(1 / numpy.maximum(length, 1e-9)) @ weighted

    def parts(self):
        return blob.Parts(self.scaler, self.rarity)


def fit_difficulty(space, parts, rows, target, weights=None, seed=0, form=DEEP):
    """Writes the difficulty's columns and the forest; returns the sums of these rows.

    Learns from each row twice, as it stands and asked for politely, half as much from each.
    """
    names = space.features.names
    polite = space.features.polite
    used = numpy.array([name not in NOT_OF_DIFFICULTY for name in names])
    structure = numpy.concatenate([space.structure(rows), space.structure(rows, polite)]) * used
    words = scipy.sparse.vstack([space.words(rows), space.words(rows, polite)])
    target = numpy.tile(target * GAIN_UNIT, 2)
    weights = numpy.tile(numpy.ones(len(rows)) if weights is None else weights, 2) / 2
    share = numpy.sqrt(STRUCTURE_SHARE / structure.shape[1])
    kept = numpy.ones(structure.shape[1], bool)
    while True:
        design = scipy.sparse.hstack([words, scipy.sparse.csr_matrix(structure * kept * share)])
        ridge = Ridge(alpha=RIDGE, solver="sparse_cg", tol=1e-6)
        ridge.fit(design.tocsr(), target, sample_weight=weights)
        linear = ridge.coef_[words.shape[1] :] * share * kept
        falling = [names.index(name) for name in RISING if linear[names.index(name)] < 0]
        if not falling:
            break
        kept[falling] = False
    share_of_forest = form.share * len(rows) / (len(rows) + form.rows_half)
    forest = ExtraTreesRegressor(
        TREES,
        max_depth=form.depth,
        min_samples_leaf=2 * LEAF_ROWS,
        max_features=form.traits_tried,
        monotonic_cst=[int(name in RISING) for name in names],
        random_state=seed,
    )
    scaled = structure * 64
    forest.fit(scaled, target, sample_weight=weights)
    parts.linear[:, 0] = linear
    parts.bias[0] = ridge.intercept_
    parts.words[:, 0] = ridge.coef_[: words.shape[1]] * numpy.sqrt(space.rarity)
    thresholds, traits, leaves = blob.full_trees(forest, form.depth)
    parts.depth = form.depth
    parts.forest = (thresholds, traits, (leaves - target.mean()) * share_of_forest / len(leaves))
    shapes = (forest.predict(scaled) - target.mean()) * share_of_forest
    return (ridge.predict(design.tocsr()) + shapes)[: len(rows)]


def add_prior(space, parts, rows, size):
    """Adds the prior to the structure's weights; returns what that adds to these rows."""
    names = space.features.names
    prior = numpy.array([PRIOR.get(name, 0.0) for name in names])
    structure = space.structure(rows)
    prior *= size / (structure @ prior).std()
    parts.linear[:, 0] += prior
    return structure @ prior


def fit_curve(parts, sums, logits, weights=None):
    """The curve from sums to difficulties: the q-th part of `sums` gets the q-th of `logits`."""
    order = numpy.argsort(sums, kind="stable")
    weight = (numpy.ones(len(sums)) if weights is None else weights)[order]
    place = (numpy.cumsum(weight) - weight / 2) / weight.sum()
    points = numpy.linspace(0.01, 0.99, blob.CURVE_POINTS)
    values = numpy.interp(points, place, sums[order])
    parts.curve = list(zip(values, logits(points), strict=True))


def spread(points):
    """Logits whose scores are spread evenly over 0 to 1."""
    return numpy.log(points / (1 - points))


def fit_kinds(space, parts, rows, kinds, weights):
    """Writes the kinds' columns: a logistic regression over words and structure.

    Without intercepts and with as much weight for every kind, so that a prompt of words that were
    never seen is of no kind in particular.
    """
    words = space.words(rows) * KIND_WORDS
    structure = scipy.sparse.csr_matrix(space.structure(rows) * KIND_STRUCTURE)
    design = scipy.sparse.hstack([words, structure]).tocsr()
    kinds = numpy.array(kinds)
    sums = {kind: weights[kinds == kind].sum() for kind in set(kinds)}
    weights = weights / numpy.array([sums[kind] for kind in kinds])
    model = LogisticRegression(C=KIND_COST, max_iter=300, tol=1e-4, fit_intercept=False)
    model.fit(design, kinds, sample_weight=weights / weights.mean() * 0.3)
    parts.bias[1 : 1 + len(KINDS)] = -20  # kinds that were never seen
    for place, kind in enumerate(model.classes_):
        column = 1 + KINDS.index(kind)
        size = words.shape[1]
        parts.words[:, column] = model.coef_[place, :size] * KIND_WORDS * numpy.sqrt(space.rarity)
        parts.linear[:, column] = model.coef_[place, size:] * KIND_STRUCTURE
        parts.bias[column] = KIND_BIAS.get(kind, 0.0)


def fit_known(parts, features, rows, seen_min=5):
    """The set of known words: those of at least `seen_min` prompts."""
    hashes, counts = numpy.unique(
        numpy.concatenate([features.words[row] for row in rows]), return_counts=True
    )
    parts.known = blob.known_set(hashes[counts >= seen_min])
    parts.known_words_min = 0.52
    parts.other_script_max = 0.3
