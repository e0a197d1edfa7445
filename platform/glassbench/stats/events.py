"""How many events a number rests on: with few of its rarer outcome, no interval is given and no verdict is based on it."""

import numpy as np
import pandas as pd

from glassbench.stats.estimate import too_few
from glassbench.stats.sampling import Sampling

Labels = np.ndarray | pd.Series


def rarest_class(truth: Labels, sampling: Sampling) -> str | None:
    """Return why the rarest of the classes that occur has too few rows, or None where it has enough.

    Args:
        truth: The class of each row `(n,)`.
        sampling: How the rows were sampled; with clusters, those that hold the class are counted.
    """
    return _few(_counts(truth, sampling), sampling)


def other_classes(truth: Labels, sampling: Sampling) -> str | None:
    """Return why too few rows are of other classes than the commonest, or None: for means over all rows, such as a loss."""
    counts = _counts(truth, sampling)
    if len(counts) <= 2:
        return _few(counts, sampling)
    commonest = max(counts, key=lambda name: counts[name])
    others = np.asarray(pd.Series(truth).astype(str) != commonest)
    return too_few(sampling.count(others), f"{_noun(sampling)} of classes other than “{commonest}”")


def _counts(truth: Labels, sampling: Sampling) -> dict[str, float]:
    codes, names = pd.factorize(truth)
    if sampling.survey:
        return {str(name): sampling.count(codes == k) for k, name in enumerate(names)}
    if sampling.clusters is None:
        held = np.bincount(codes, weights=sampling.weight, minlength=len(names))
    else:
        pairs = np.unique(np.stack([sampling.clusters, codes]), axis=1)
        held = np.bincount(pairs[1], minlength=len(names))
    return {str(name): round(float(count)) for name, count in zip(names, held, strict=True)}


def _few(counts: dict[str, float], sampling: Sampling) -> str | None:
    if len(counts) < 2:
        only = "".join(f" “{name}”" for name in counts)
        return f"all rows are of one class{only}"
    name = min(counts, key=lambda key: counts[key])
    return too_few(counts[name], f"{_noun(sampling)} of the class “{name}”")


def _noun(sampling: Sampling) -> str:
    return f"{sampling.noun} with rows" if sampling.clustered else sampling.noun
