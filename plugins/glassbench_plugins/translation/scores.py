"""How near answers come to the truth: exact match, BLEU and chrF, under any weights of the rows."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from glassbench_plugins.language.losses import loss, token_accuracy
from glassbench_plugins.supervised.written import exact_match

__all__ = ["bleu", "chrf", "exact_match", "loss", "pair_chrf", "token_accuracy"]

# `force` leaves out a warning about texts that end in a blank and a full stop.
_BLEU = BLEU(force=True)
_CHRF = CHRF()


def bleu(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return BLEU over all rows (Papineni et al. 2002) as sacrebleu computes it: cased, tokenizer 13a, 0 to 100, `(b,)`."""
    return _corpus(_BLEU, frame, weights)


def chrf(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return chrF2 over all rows (Popović 2015) as sacrebleu computes it, 0 to 100, `(b,)`."""
    return _corpus(_CHRF, frame, weights)


def pair_chrf(decisions: Sequence[str], truths: Sequence[str]) -> np.ndarray:
    """Return the chrF2 of each pair, 0 to 100, `(n,)`."""
    return np.array([_CHRF.sentence_score(d, [t]).score for d, t in zip(decisions, truths, strict=True)])


def _corpus(metric: Any, frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return a metric of sums over rows `(b,)`, as sacrebleu's own resampling does; its methods for that are not public."""
    texts = tuple(tuple(frame[name].astype(str)) for name in ("y_pred", "y_true"))
    sums = _least_one(weights) @ _statistics(metric, *texts)
    scored: Callable[[list[float]], Any] = metric._compute_score_from_stats
    values = np.array([scored([float(s) for s in row]).score for row in np.round(sums, 6)])
    return np.where(weights.any(axis=1), values, np.nan)


def _least_one(weights: np.ndarray) -> np.ndarray:
    """Return each row of weights `(b, n)` in units of its least positive one: smoothing speaks of counts, not of shares."""
    least = np.min(weights, axis=1, initial=np.inf, where=weights > 0, keepdims=True)
    return np.asarray(weights / np.where(np.isfinite(least), least, 1))


@lru_cache(maxsize=8)
def _statistics(metric: Any, decisions: tuple[str, ...], truths: tuple[str, ...]) -> np.ndarray:
    """Return what sums up to a metric, per row `(n, k)`."""
    if not decisions:
        return np.zeros((0, 1))
    return np.asarray(metric._extract_corpus_statistics(list(decisions), [list(truths)]), dtype=np.float64)
