"""What more training rows bring, by the runs of a study with several shares of them: overall, and for the group worst off."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glassbench.contracts.evidence import Measure
from glassbench.stats.best_of_many import Repeated
from glassbench.stats.cross_validation import Folds
from glassbench.stats.estimate import Estimate
from glassbench.stats.learning_curve import gain_of_more_rows
from glassbench.storage.files import read_object, understood
from glassbench.studies.objectives import estimate
from glassbench.studies.study_file import Objective
from glassbench.studies.study_folder import StudyFolder
from glassbench.studies.trials import Trial

TIMES = 2.0
"""How many times the most training rows the law is asked about."""

_ARM = 1.959963984540054


def size_curves(
    folder: StudyFolder,
    trials: Sequence[Trial],
    measures: Mapping[str, Sequence[Measure]],
    objective: Objective,
    up: bool,
    level: float,
) -> list[dict[str, Any]]:
    """Return the curves of one objective over the training rows of one candidate.

    Args:
        folder: The study.
        trials: The candidate's runs that came to their end, with all shares.
        measures: Their measures, by run.
        objective: The objective.
        up: Whether higher is better.
        level: Confidence level of each point.

    Returns:
        The curve overall; and of an objective over all rows one for the group whose mean at the most rows is worst, where runs
        measured the same by group.
    """
    curves = [_curve(folder, trials, "overall", {t.run: estimate(objective, measures[t.run], up) for t in trials}, level)]
    group = _worst_group(trials, measures, objective, up)
    if group is not None:
        named = {t.run: _of_group(measures[t.run], objective, group) for t in trials}
        known = {run: e for run, e in named.items() if e is not None}
        words = ", ".join(f"{feature} {value}" for feature, value in group)
        curves.append(_curve(folder, [t for t in trials if t.run in known], f"worst group: {words}", known, level))
    return curves


def _curve(
    folder: StudyFolder, trials: Sequence[Trial], name: str, found: Mapping[str, Estimate], level: float
) -> dict[str, Any]:
    folds = folder.asked.vary.folds
    points = []
    for share in folder.asked.vary.rows:
        runs = [trial for trial in trials if trial.rows == share]
        repeated = Repeated(estimates=[found[t.run] for t in runs], folds=None if folds is None else Folds(folds))
        if repeated.undefined:
            continue
        low, high = repeated.interval(level) or (None, None)
        rows = float(np.mean([_training_rows(folder, trial) for trial in runs]))
        points.append({"share": share, "rows": rows, "value": repeated.value, "low": low, "high": high, "runs": len(runs)})
    return {"name": name, "points": points, "gain": _gain(points, level)}


def _gain(points: Sequence[Mapping[str, Any]], level: float) -> dict[str, Any] | None:
    known = [p for p in points if p["low"] is not None]
    errors = [(p["high"] - p["low"]) / 2 / _ARM for p in known]
    found = gain_of_more_rows([p["rows"] for p in known], [p["value"] for p in known], errors, TIMES, level)
    return None if found is None else {"times": TIMES, "value": found.value, "low": found.low, "high": found.high}


def _training_rows(folder: StudyFolder, trial: Trial) -> float:
    path = folder.runs / trial.run / "data.json"
    content = read_object(path)
    with understood(path):
        return float(content["rows"]["train"])


Group = tuple[tuple[str, str], ...]


def _worst_group(
    trials: Sequence[Trial], measures: Mapping[str, Sequence[Measure]], objective: Objective, up: bool
) -> Group | None:
    """Return the group whose mean at the most rows is worst; None where no run measured the objective by group."""
    if objective.by is not None or objective.group is not None:
        return None
    most = max((trial.rows or 0.0 for trial in trials), default=0.0)
    held: dict[Group, list[float]] = {}
    for trial in trials:
        for measure in measures[trial.run] if trial.rows == most else ():
            if measure.group and len(measure.group) == 1 and measure.value is not None and _same(measure, objective):
                held.setdefault(tuple(measure.group.items()), []).append(measure.value)
    means = {group: float(np.mean(values)) for group, values in held.items()}
    return (min if up else max)(means, key=lambda group: means[group]) if means else None


def _of_group(measures: Sequence[Measure], objective: Objective, group: Group) -> Estimate | None:
    named = [m for m in measures if m.group and tuple(m.group.items()) == group and _same(m, objective) and m.value is not None]
    if not named:
        return None
    one = named[0]
    return Estimate(value=one.value, low=one.low, high=one.high, level=one.level, n=one.n)


def _same(measure: Measure, objective: Objective) -> bool:
    """Whether a measure is of the objective's metric, whichever audit measured it."""
    return measure.name.partition(".")[2] == objective.measure.partition(".")[2] and not math.isnan(measure.value or 0.0)
