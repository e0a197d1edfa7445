"""Two or more runs beside each other: settings, measures, verdicts, and paired differences on the rows they share."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from scipy.special import ndtri

from glassbench.contracts.evidence import Measure
from glassbench.errors import RunError
from glassbench.report.facts import facts
from glassbench.report.record import Record, read_record
from glassbench.report.wording import gate_words
from glassbench.stats.inference import mean
from glassbench.stats.intervals import bootstrap
from glassbench.stats.sampling import Sampling

_EXACT_UP_TO = 20_000
_SEED = 0


def compare(folders: Sequence[Path]) -> dict[str, Any]:
    """Return what differs between runs, as plain JSON values; the first run is the one the others are held against.

    Args:
        folders: Two or more run folders.

    Returns:
        `runs` (id, name, verdict), `settings` that differ (`key`, `values`), `measures` over all rows and gaps (`name`, `by`,
        `unit`, `values`), `gates` (`gate`, `verdicts`, `changed`), and `paired` differences (see `paired_difference`).

    Raises:
        RunError: There are fewer than two runs, or a folder is no run folder.
    """
    if len(folders) < 2:
        raise RunError("a comparison takes two runs or more", got=str(len(folders)), fix="name at least two runs")
    records = [read_record(folder) for folder in folders]
    return {
        "runs": [{"run": r.run, "name": r.name, "verdict": r.verdict.get("verdict", "unfinished")} for r in records],
        "settings": changed_settings(records),
        "measures": shared_measures(records),
        "gates": _gates(records),
        "paired": [
            {"run": other.run, "against": records[0].run, **paired_difference(records[0], other)} for other in records[1:]
        ],
    }


def changed_settings(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return each setting of the resolved experiments that is not the same in all runs; None where a run lacks it."""
    flat = [{fact.name: fact.words for fact in facts(_comparable(record.resolved))} for record in records]
    keys = dict.fromkeys(key for settings in flat for key in settings)
    rows = [{"key": key, "values": [settings.get(key) for settings in flat]} for key in keys]
    return [row for row in rows if len(set(row["values"])) > 1]


def shared_measures(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return the measures over all rows, and the gaps between groups, of every run side by side."""
    found = [{_key(m): m for r in record.audits for m in r.measures if m.group is None} for record in records]
    keys = list(dict.fromkeys(key for measures in found for key in measures))
    return [_side_by_side(key, [measures.get(key) for measures in found]) for key in keys]


def paired_difference(first: Record, second: Record) -> dict[str, Any]:
    """Return how the second run's decisions differ from the first's on the rows both were judged by.

    For classes the difference of accuracies, for labels that of the shares of rows whose labels are all right, for values that of
    mean absolute errors, each second minus first, with the interval
    of a bootstrap over shared rows (1000 resamples; a normal interval beyond 20,000 rows, where the two agree). Rows with survey
    weights are weighed, with the interval of a weighted mean.

    Returns:
        `metric`, `n`, `value`, `low`, `high`, `undefined`; where the runs cannot be paired, only `undefined` says why.
    """
    try:
        truth, decisions, weights = _shared_rows(first, second)
    except _UnpairableError as reason:
        return {"metric": None, "n": 0, "value": None, "low": None, "high": None, "undefined": str(reason)}
    kind = str((first.schema.get("target") or {}).get("kind"))
    of_values = kind == "value"
    losses = [_loss(truth, decision, of_values) for decision in decisions]
    difference = losses[1] - losses[0]
    metric = _METRICS[kind]
    bounds: dict[str, float | None]
    if weights is None:
        low, high = _mean_interval(difference)
        bounds = {"value": float(difference.mean()), "low": low, "high": high}
    else:
        found = mean(difference, Sampling.of(weights)).estimate(0.95)
        bounds = {"value": found.value, "low": found.low, "high": found.high}
    return {"metric": metric, "n": len(difference), **bounds, "undefined": None}


_METRICS = {"class": "accuracy", "labels": "exact match", "value": "mean absolute error"}
"""What runs are compared by, by the kind of their target."""


class _UnpairableError(Exception):
    """The runs share no rows to be compared on."""


def _shared_rows(first: Record, second: Record) -> tuple[pd.Series, list[pd.Series], pd.DataFrame | None]:
    """Return what was true in the rows of both, what either predicted, and their survey weights where they have any."""
    frames = [_predictions(record) for record in (first, second)]
    rows = frames[0].index.intersection(frames[1].index)
    if not len(rows):
        raise _UnpairableError("the runs were judged by different rows")
    left, right = (frame.loc[rows] for frame in frames)
    if not left["y_true"].equals(right["y_true"]):
        raise _UnpairableError("the runs hold different truths for the same rows")
    if not left.get("weight", pd.Series(dtype=float)).equals(right.get("weight", pd.Series(dtype=float))):
        raise _UnpairableError("the runs weigh the same rows differently")
    known = left["y_true"].notna() & (left["weight"] > 0 if "weight" in left else True)
    if not known.any():
        raise _UnpairableError("no row's truth is known")
    weights = left.loc[known, ["weight"]] if "weight" in left else None
    return left["y_true"][known], [frame["y_pred"][known] for frame in (left, right)], weights


def _predictions(record: Record) -> pd.DataFrame:
    path = record.folder / "predictions.parquet"
    if not path.is_file():
        raise _UnpairableError(f"run {record.run} holds no predictions")
    if (record.schema.get("target") or {}).get("kind") not in _METRICS:
        raise _UnpairableError("decisions are neither classes, labels nor values")
    if "y_true" not in (names := pq.read_schema(path).names):
        raise _UnpairableError(f"run {record.run} knows no truth")
    columns = ["row", "y_true", "y_pred", *(["weight"] if "weight" in names else [])]
    frame = pd.read_parquet(path, columns=columns).drop_duplicates("row")
    return frame.set_index(frame.pop("row").astype(str))


def _loss(truth: pd.Series, decision: pd.Series, of_values: bool) -> np.ndarray:
    if of_values:
        return np.asarray((decision.astype(float) - truth.astype(float)).abs(), dtype=float)
    return np.asarray(decision.astype(str) == truth.astype(str), dtype=float)


def _mean_interval(values: np.ndarray) -> tuple[float, float]:
    n = len(values)
    if n > _EXACT_UP_TO:
        half = float(ndtri(0.975)) * float(values.std(ddof=1)) / math.sqrt(n)
        return float(values.mean()) - half, float(values.mean()) + half
    low, high = bootstrap(lambda weights: weights @ values / n, n, np.random.default_rng(_SEED))
    return float(low), float(high)


def _comparable(resolved: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = {key: value for key, value in resolved.items() if key not in ("gates", "overrides")}
    return {**kept, "gates": [gate_words(gate) for gate in resolved.get("gates") or []]}


def _key(measure: Measure) -> tuple[str, tuple[str, ...] | None]:
    return measure.name, measure.by


def _side_by_side(key: tuple[str, tuple[str, ...] | None], measures: Sequence[Measure | None]) -> dict[str, Any]:
    unit = next((m.unit for m in measures if m is not None), None)
    values = [
        None if m is None else {name: getattr(m, name) for name in ("value", "low", "high", "n", "undefined")} for m in measures
    ]
    return {"name": key[0], "by": None if key[1] is None else list(key[1]), "unit": unit, "values": values}


def _gates(records: Sequence[Record]) -> list[dict[str, Any]]:
    found = [{gate_words(gate): gate["verdict"] for gate in record.verdict.get("gates", [])} for record in records]
    words = dict.fromkeys(gate for gates in found for gate in gates)
    rows = [{"gate": gate, "verdicts": [gates.get(gate) for gates in found]} for gate in words]
    return [{**row, "changed": len(set(row["verdicts"])) > 1} for row in rows]
