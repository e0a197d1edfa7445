"""Nested cross-validation: the winner chosen anew for each fold, by runs that did not see its rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glassbench.contracts.evidence import Measure
from glassbench.stats.cross_validation import nested
from glassbench.studies.candidates import Candidate, common_values
from glassbench.studies.objectives import estimate
from glassbench.studies.study_file import StudyFile


def nested_choice(
    candidates: Sequence[Candidate],
    asked: StudyFile,
    measures: Mapping[str, Sequence[Measure]],
    goals: Sequence[bool],
    level: float,
) -> dict[str, Any] | None:
    """Return what the winner of a choice by inner folds comes to on folds that took no part; None without inner folds.

    Of each fold the candidate is chosen as the study's winner is: the best first objective among those that keep every floor and
    ceiling, by means over the inner folds.

    Args:
        candidates: The candidates.
        asked: The study.
        measures: Measures by run.
        goals: Of each objective whether higher is better.
        level: Confidence level.

    Returns:
        `value`, `low`, `high`, `inner_folds`, `chosen` (the candidate of each fold in words), and why there is no number,
        `undefined`; plain JSON values.
    """
    count, folds = asked.vary.inner_folds, asked.vary.folds
    if count is None or folds is None:
        return None
    usable, keys, values = common_values(candidates, 0)
    seeds = list(dict.fromkeys(seed for seed, _ in keys))
    whole = [c for c in usable if all(len(c.inner.get(key, ())) == count for key in keys)]
    if len(whole) < len(candidates) or len(whole) < 2 or len(keys) != len(seeds) * folds:
        return _told(count, undefined="runs are missing")
    order = [(seed, fold) for seed in seeds for fold in range(folds)]
    inner = np.array([[_inner(c, key, asked, measures, goals) for key in order] for c in whole])
    if np.isnan(inner).any():
        return _told(count, undefined="an objective is undefined on an inner fold")
    keeps = [o.violation for o in asked.objectives]
    allowed = np.array([[all(k(v) <= 0 for k, v in zip(keeps, row, strict=True)) for row in one] for one in inner])
    if not allowed.any(axis=0).all():
        return _told(count, undefined="no candidate keeps every floor and ceiling on the inner folds of some fold")
    shape = (len(whole), len(seeds), folds)
    outer = values[:, [keys.index(key) for key in order]].reshape(shape)
    found, best = nested(inner[:, :, 0].reshape(shape), outer, goals[0], allowed.reshape(shape), level)
    numbers = {"value": found.value, "low": found.low, "high": found.high}
    return {**_told(count), **numbers, "chosen": [whole[place].words for place in best.ravel()]}


def _told(count: int, undefined: str | None = None) -> dict[str, Any]:
    return {"value": None, "low": None, "high": None, "inner_folds": count, "chosen": [], "undefined": undefined}


def _inner(
    candidate: Candidate,
    key: tuple[int, int],
    asked: StudyFile,
    measures: Mapping[str, Sequence[Measure]],
    goals: Sequence[bool],
) -> list[float]:
    """Return the mean of each objective over the inner folds of a seed and a fold; NaN where one is undefined."""
    found = []
    for objective, up in zip(asked.objectives, goals, strict=True):
        values = [estimate(objective, measures[trial.run], up).value for trial in candidate.inner[key]]
        found.append(float(np.mean([np.nan if value is None else value for value in values])))
    return found
