"""What routing by nothing, by length, or by keywords reaches, and what no router can exceed."""

import re

import numpy

# Groups of keywords with their weights, as the gateways without learning have them.
KEYWORDS = (
    (3.0, "prove proof theorem derive step-by-step lemma formally"),
    (2.0, "algorithm optimize architecture distributed concurrency kubernetes microservice"),
    (2.0, "function class import def async await const return code debug implement compile"),
    (1.5, "analyze analyse compare contrast evaluate trade-off explain reasoning because why"),
    (1.5, "calculate solve equation integral derivative matrix probability percent"),
    (1.0, "first then next finally step plan phase"),
    (1.0, "must exactly at least at most constraint require limit without"),
    (1.0, "json yaml xml table schema csv markdown"),
    (1.0, "clinical legal financial quantum genomic cryptographic statistical"),
    (0.8, "story poem brainstorm creative imagine compose"),
    (0.5, "above below previous following refer context document"),
    (0.5, "not never avoid except unless neither"),
    (-1.0, "what is|who is|define|capital of|translate|hello|hi|thanks|yes or no"),
    (-0.5, "short brief simple quick summary list"),
    (0.5, "deploy build create configure test fix refactor"),
)


def _pattern(words):
    return re.compile(r"\b(?:" + "|".join(
        re.escape(word) for word in (words.split("|") if "|" in words else words.split())
    ) + r")\b")  # fmt: skip


PATTERNS = tuple((weight, _pattern(words)) for weight, words in KEYWORDS)


def keyword_score(prompt):
    """The idea of the public keyword routers: weighted groups, each capped, and the length."""
    text = prompt.lower()
    score = sum(
        weight * min(len(pattern.findall(text)), 3) / 3 for weight, pattern in PATTERNS
    )
    length = len(text) / 4
    score += -1.0 if length < 50 else 1.0 if length > 500 else 0.0
    return score + 0.3 * min(text.count("?"), 3)


def source_means(sources, gain, folds):
    """The mean gain of a row's source among the rows of the other folds."""
    scores = numpy.zeros(len(gain))
    for fold in numpy.unique(folds):
        other = folds != fold
        for source in numpy.unique(sources):
            here = (folds == fold) & (sources == source)
            there = other & (sources == source)
            scores[here] = gain[there].mean() if there.any() else 0
    return scores
