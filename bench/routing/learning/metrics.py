"""How much of the strong model's gain a score finds, for how many strong calls."""

import numpy


def curve(scores, gain):
    """Gain recovered, of its sum, when the n rows of the highest scores go to the strong model."""
    # Ties are broken by a fixed chance, not by the order of rows.
    chance = numpy.random.default_rng(0).random(len(scores))
    order = numpy.lexsort((chance, -scores))
    found = numpy.concatenate([[0.0], numpy.cumsum(gain[order])])
    # A sample without a gap has no curve: it is left out of intervals.
    return found / gain.sum() if gain.sum() > 0 else numpy.full(len(found), numpy.nan)


def apgr(scores, gain):
    """Average performance gap recovered (RouteLLM): the area under the curve; random is 0.5."""
    found = curve(scores, gain)
    return (found[1:] + found[:-1]).mean() / 2


def calls_for(scores, gain, share):
    """Share of strong calls that recovers `share` of the gap (RouteLLM's CPT)."""
    found = curve(scores, gain)
    return int(numpy.argmax(found >= share)) / len(scores) if (found >= share).any() else 1.0


def calls_at_threshold(scores, strong, cheap, folds, kept):
    """(strong calls, quality kept) where each fold's threshold is set on the other folds' rows.

    The threshold is the highest with which the other rows keep `kept` of the strong model's score.
    """
    goes_strong = numpy.zeros(len(scores), bool)
    for fold in numpy.unique(folds):
        other = folds != fold
        order = numpy.argsort(-scores[other], kind="stable")
        gained = cheap[other].sum() + numpy.concatenate(
            [[0.0], numpy.cumsum((strong - cheap)[other][order])]
        )
        count = int(numpy.argmax(gained >= kept * strong[other].sum()))
        ordered = scores[other][order]
        threshold = ordered[count - 1] if count > 0 else numpy.inf
        goes_strong[folds == fold] = scores[folds == fold] >= threshold
    quality = numpy.where(goes_strong, strong, cheap).sum() / strong.sum()
    return goes_strong.mean(), quality


def interval(statistic, count, samples=400, seed=0):
    """95 % by the bootstrap over rows: `statistic` gets the places drawn."""
    generator = numpy.random.default_rng(seed)
    values = [statistic(generator.integers(0, count, count)) for _ in range(samples)]
    values = [value for value in values if numpy.isfinite(value)]
    return tuple(numpy.quantile(values, (0.025, 0.975)))


def f1_by_class(truth, found):
    """{class: (F1, recall, rows)} of the classes that occur in `truth`."""
    truth, found = numpy.array(truth), numpy.array(found)
    results = {}
    for name in sorted(set(truth)):
        hit = int(((truth == name) & (found == name)).sum())
        wanted = int((truth == name).sum())
        said = int((found == name).sum())
        score = 2 * hit / (wanted + said) if wanted + said else 0.0
        results[name] = (score, hit / wanted, wanted)
    return results
