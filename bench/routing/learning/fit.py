"""Fits weights to prompts: the kinds, and the difficulty for one target.

The difficulty is the sum of a ridge over hashed words and structure, a small forest over structure
(extremely randomised trees), a prior, and the length by kind (learning/length.py): the first knows
subjects, the second shapes. The length has its say only there, and more sentences or lines never
lower the difficulty. Everything random has a seed.
"""

import dataclasses

import numpy
import scipy.sparse
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from learning import blob
from learning.length import apply_curves, fit_curves
from learning.prompts import KINDS

# Round, and fixed for every target; what matters more is chosen where it is learned (tune.py).
STRUCTURE_SHARE = 0.5
RIDGE = 4.0
LEAF_ROWS = 8


@dataclasses.dataclass(frozen=True)
class ForestForm:
    trees: int
    depth: int
    traits_tried: float  # share of the traits, at each branch
    rows_half: int  # with so many rows, half of its share


# For one target: what its own rows show in detail holds for the rows to come.
DEEP = ForestForm(trees=64, depth=8, traits_tried=0.5, rows_half=500)
# For traffic of any kind: detail of these sources does not carry over, and costs time.
SHALLOW = ForestForm(trees=32, depth=6, traits_tried=0.4, rows_half=0)


@dataclasses.dataclass(frozen=True)
class Shares:
    """What each part counts, beside the ridge."""

    forest: float
    prior: float  # of the target's spread
    length: float


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
LENGTH_PRIOR = 0.5  # the least slope of the length, in the same measure
PRIOR = {
    "line_length": 1.0, "commas": 0.5, "sentences": 0.5, "conditions": 0.5,
    "quantities": 0.5, "steps": 0.5, "colons": 0.5, "questions": 0.3, "negations": 0.3,
    "explaining": 0.3,
}  # fmt: skip
# Traits that are about the traffic and not about the prompt, or that no target may learn from.
UNUSED = ("known_words", "system_length", "other_length", "turns", "tool_results", "images")
# Says what kind a prompt is of, never how hard it is; the length has curves of its own.
NOT_OF_DIFFICULTY = ("greeting", "words", "length")
RISING = ("sentences", "lines")


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


class Difficulty:
    """What was learned of a target, part by part; `write` puts a sum of the parts into weights.

    Learns from each row twice, as it stands and asked for politely, half as much from each.
    """

    def __init__(self, space, rows, target, kinds, sources, weights=None, seed=0, form=DEEP):
        self.space = space
        self.form = form
        self.rows = len(rows)
        self.spread = GAIN_UNIT * target.std()
        names = space.features.names
        self.used = numpy.array([name not in NOT_OF_DIFFICULTY for name in names])
        weights = numpy.ones(len(rows)) if weights is None else weights
        polite = space.features.polite
        structure = numpy.concatenate([space.structure(rows), space.structure(rows, polite)])
        words = scipy.sparse.vstack([space.words(rows), space.words(rows, polite)])
        both = numpy.tile(weights, 2) / 2
        self.middle = target.mean() * GAIN_UNIT
        self._fit_ridge(words, structure * self.used, numpy.tile(target * GAIN_UNIT, 2), both)
        self._fit_forest(structure * self.used, numpy.tile(target * GAIN_UNIT, 2), both, seed)
        prior = numpy.array([PRIOR.get(name, 0.0) for name in names])
        # Of a spread of one.
        self.prior_size = 1 / (space.structure(rows) @ prior).std()
        self.prior = prior * self.prior_size
        self._fit_length(rows, target * GAIN_UNIT, kinds, sources, weights)

    def _fit_ridge(self, words, structure, target, weights):
        names = self.space.features.names
        share = numpy.sqrt(STRUCTURE_SHARE / structure.shape[1])
        kept = numpy.ones(structure.shape[1], bool)
        while True:
            scaled = scipy.sparse.csr_matrix(structure * kept * share)
            ridge = Ridge(alpha=RIDGE, solver="sparse_cg", tol=1e-6)
            ridge.fit(scipy.sparse.hstack([words, scaled]).tocsr(), target, sample_weight=weights)
            self.linear = ridge.coef_[words.shape[1] :] * share * kept
            falling = [names.index(name) for name in RISING if self.linear[names.index(name)] < 0]
            if not falling:
                break
            kept[falling] = False
        self.words = ridge.coef_[: words.shape[1]]
        self.intercept = ridge.intercept_

    def _fit_forest(self, structure, target, weights, seed):
        self.forest = ExtraTreesRegressor(
            self.form.trees,
            max_depth=self.form.depth,
            min_samples_leaf=2 * LEAF_ROWS,
            max_features=self.form.traits_tried,
            monotonic_cst=[int(name in RISING) for name in self.space.features.names],
            random_state=seed,
        )
        self.forest.fit(structure * 64, target, sample_weight=weights)

    def _fit_length(self, rows, target, kinds, sources, weights):
        """To what ridge and forest together leave over, each of which aims at the whole target."""
        known = self.parts_of(rows)
        ridge = known["ridge"] - self.middle
        left = target - self.middle - (ridge + known["forest"]) / 2
        slope_min = LENGTH_PRIOR * self.prior_size
        lengths = self.lengths(rows)
        self.told = fit_curves(lengths, left, kinds, sources, weights, 0.0)
        # The prior's part: the same slope for every kind, where that kind's own line rises.
        self.untold = {
            kind: dataclasses.replace(curve, slope=slope_min) for kind, curve in self.told.items()
        }

    def lengths(self, rows):
        return self.space.structure(rows)[:, self.space.features.names.index("length")]

    def parts_of(self, rows, kinds=None):
        """{part: values}; the length's only where the kinds are given."""
        structure = self.space.structure(rows)
        parts = {
            "ridge": self.space.words(rows) @ self.words + structure @ self.linear + self.intercept,
            "forest": self.forest.predict(structure * self.used * 64) - self.middle,
            "prior": structure @ self.prior,
        }
        if kinds is not None:
            lengths = self.lengths(rows)
            parts["length"] = apply_curves(self.told, lengths, kinds)
            parts["prior"] = parts["prior"] + apply_curves(self.untold, lengths, kinds)
        return parts

    def factors(self, shares):
        """What each part is multiplied with in the sum."""
        forest = shares.forest * self.rows / (self.rows + self.form.rows_half)
        return {
            "ridge": 1.0,
            "forest": forest,
            "prior": shares.prior * self.spread,
            "length": shares.length * (1 + forest),
        }

    def sums(self, parts, shares):
        factors = self.factors(shares)
        return sum(factors[name] * values for name, values in parts.items())

    def write(self, parts, shares):
        """Into the weights, the difficulty's columns, the forest and the curves of length."""
        factors = self.factors(shares)
        parts.linear[:, 0] = self.linear + factors["prior"] * self.prior
        parts.bias[0] = self.intercept
        parts.words[:, 0] = self.words * numpy.sqrt(self.space.rarity)
        thresholds, traits, leaves = blob.full_trees(self.forest, self.form.depth)
        parts.depth = self.form.depth
        leaves = (leaves - self.middle) * factors["forest"] / len(leaves)
        parts.forest = (thresholds, traits, leaves)
        for place, kind in enumerate(KINDS):
            kind = kind if kind in self.told else None
            told, untold = self.told[kind], self.untold[kind]
            slope = factors["length"] * told.slope + factors["prior"] * untold.slope
            parts.lengths[place] = (told.low, told.high, slope, told.middle)


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
    parts.bias[1 : 1 + len(KINDS)] = -20  # kinds that were never seen
    if len(set(kinds)) == 1:
        parts.bias[1 + KINDS.index(kinds[0])] = 0.0
        return
    sums = {kind: weights[kinds == kind].sum() for kind in set(kinds)}
    weights = weights / numpy.array([sums[kind] for kind in kinds])
    model = LogisticRegression(C=KIND_COST, max_iter=300, tol=1e-4, fit_intercept=False)
    model.fit(design, kinds, sample_weight=weights / weights.mean() * 0.3)
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
