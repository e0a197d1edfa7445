"""How good ranked lists are: NDCG, recall and hit rate at so many places, with intervals over users."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.ranked_lists import Ranked
from glassbench.stats.inference import Inference, mean, share
from glassbench.stats.sampling import Sampling

Values = Callable[[Ranked], np.ndarray]


def ranking_metrics(places: int) -> tuple[Metric, ...]:
    """Return the metrics of lists of so many places, NDCG first."""
    return (
        _mean_of(f"ndcg_at_{places}", places, lambda lists: lists.ndcg(), judged=True),
        _mean_of(f"recall_at_{places}", places, lambda lists: lists.recall()),
        _hit_rate(f"hit_rate_at_{places}", places),
    )


def _mean_of(name: str, places: int, values: Values, *, judged: bool = False) -> Metric:
    def compute(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
        found = values(Ranked(frame, places))
        known = np.isfinite(found)
        return np.asarray((weights[:, known] @ found[known]) / weights[:, known].sum(axis=1))

    def inference(frame: pd.DataFrame, sampling: Sampling) -> Inference:
        found = values(Ranked(frame, places))
        known = np.isfinite(found)
        part = sampling if known.all() else sampling.part(known)
        return mean(found[known], part, lowest=0.0, highest=1.0)

    return Metric(name=name, compute=compute, inference=inference, lowest=0.0, highest=1.0, scored=True, judged=judged)


def _hit_rate(name: str, places: int) -> Metric:
    def hits(frame: pd.DataFrame) -> np.ndarray:
        return np.asarray(np.nan_to_num(Ranked(frame, places).recall()) > 0)

    return Metric(
        name=name,
        compute=lambda frame, weights: weights @ hits(frame) / weights.sum(axis=1),
        inference=lambda frame, sampling: share(hits(frame), sampling),
        rate=True,
        scored=True,
    )
