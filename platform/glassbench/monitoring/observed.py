"""What decided rows come to before they are counted: values from 0 to 1 whose means are followed, and values that are ranked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.predictions.kind import PredictionKind
from glassbench.contracts.predictions.outputs import ClassOutput
from glassbench.contracts.schema import Schema
from glassbench.stats.counted_values import CountedValues
from glassbench.stats.sequential_ranks import Value

MOST_CLASSES = 12
"""Of more classes, the share of each decision is not followed."""

Means = dict[str, np.ndarray]
Ranks = dict[str, list[Value]]


@dataclass(frozen=True, eq=False, kw_only=True)
class DecidedRows:
    """Rows and what was decided about them.

    Args:
        frame: Predictions, as in `predictions.parquet` `(n, ...)`.
        inputs: The inputs as a person knows them, one column per feature `(n, ...)`; None where they are not known.
        clusters: What each row belongs to `(n,)`; None where rows are independent.
    """

    frame: pd.DataFrame
    inputs: pd.DataFrame | None = None
    clusters: np.ndarray | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.frame)

    def take(self, kept: np.ndarray) -> "DecidedRows":
        """Return some of the rows, by a mask `(n,)`."""
        return DecidedRows(
            frame=self.frame[kept].reset_index(drop=True),
            inputs=None if self.inputs is None else self.inputs[kept].reset_index(drop=True),
            clusters=None if self.clusters is None else self.clusters[kept],
        )


def followed_means(rows: DecidedRows, schema: Schema, kind: PredictionKind, groups: dict[str, list[str]]) -> Means:
    """Return the values whose means are followed, by key; NaN where a row has none.

    Keys start with what they are of: `decisions`, `scores`, `performance`, `calibration`, `groups`, `rates`. The last are of rows
    of one group, or with `others` at the end of all others.

    Args:
        rows: The rows.
        schema: What they are.
        kind: What predictions are.
        groups: The groups of each sensitive feature, from the run.
    """
    found: Means = {}
    for output in kind.class_outputs(rows.frame, schema):
        prefix = f"{output.name}: " if output.name is not None else ""
        rates = _rates(output)
        found |= {f"{name}|{prefix}{of}": values for (name, of), values in _of_choice(output, rates).items()}
        found |= _by_group(rows.frame, groups, {f"{prefix}{name}": values for name, values in rates.items()})
    for feature, names in groups.items():
        column = rows.frame.get(f"group.{feature}")
        if column is not None:
            shown = column.astype(str)
            found |= {f"groups|{feature}={name}": (shown == name).to_numpy(dtype=float) for name in names}
            found[f"groups|{feature} not in the run"] = (~shown.isin(names)).to_numpy(dtype=float)
    return found


def ranked_values(rows: DecidedRows, schema: Schema, kind: PredictionKind) -> Ranks:
    """Return the values that are ranked, by key: `inputs`, `scores` and, of predicted numbers, `performance|absolute error`."""
    found: Ranks = {}
    if rows.inputs is not None:
        found |= {f"inputs|{name}": _values(rows.inputs[name]) for name in rows.inputs.columns}
    for output in kind.class_outputs(rows.frame, schema):
        if output.scores is not None and output.spoken in output.scores:
            prefix = f"{output.name}: " if output.name is not None else ""
            binary = len(output.classes) == 2
            scores = output.scores[output.spoken] if binary else output.scores.max(axis=1)
            found[f"scores|{prefix}{'score of ' + output.spoken if binary else 'highest score'}"] = _values(scores)
    value = kind.value_output(rows.frame, schema)
    if value is not None:
        found["scores|predicted value"] = _values(pd.Series(value.predicted))
        if value.actual is not None:
            errors = pd.Series(np.abs(value.predicted - value.actual)).dropna()
            found["performance|absolute error"] = _values(errors)
    return found


def count_means(means: Means, clusters: np.ndarray | None) -> dict[str, CountedValues]:
    """Return values counted; of clusters each counts once, with the mean of its rows."""
    codes = None if clusters is None else pd.factorize(clusters)[0]
    return {key: CountedValues.of(_independent(values, codes)) for key, values in means.items()}


def first_rows(clusters: np.ndarray | None, rows: int) -> np.ndarray:
    """Return a mask of the first row of each cluster `(n,)`; of all rows where they are independent."""
    return np.ones(rows, dtype=bool) if clusters is None else ~pd.Series(clusters).duplicated().to_numpy()


def _independent(values: np.ndarray, codes: np.ndarray | None) -> np.ndarray:
    known = ~np.isnan(values)
    if codes is None:
        return np.asarray(values[known])
    count = np.bincount(codes[known], minlength=int(codes.max(initial=-1)) + 1)
    total = np.bincount(codes[known], weights=values[known], minlength=len(count))
    return np.asarray(np.clip(total[count > 0] / count[count > 0], 0, 1))


def _rates(output: ClassOutput) -> Means:
    """Return the rates that groups are compared by: decisions for the class, and where the truth is known errors by its class."""
    predicted = output.predicted.astype(str).to_numpy() == output.spoken
    rates = {f"rate of {output.spoken}": predicted.astype(float)}
    if output.actual is None:
        return rates
    known, actual = output.actual.notna().to_numpy(), output.actual.astype(str).to_numpy()
    wrong = (output.predicted.astype(str).to_numpy() != actual).astype(float)
    rates["error rate"] = np.where(known, wrong, np.nan)
    if len(output.classes) == 2:
        rates["false negative rate"] = np.where(known & (actual == output.spoken), wrong, np.nan)
        rates["false positive rate"] = np.where(known & (actual != output.spoken), wrong, np.nan)
    return rates


def _of_choice(output: ClassOutput, rates: Means) -> dict[tuple[str, str], np.ndarray]:
    """Return what is followed over all rows of one choice."""
    found: dict[tuple[str, str], np.ndarray] = {}
    predicted = output.predicted.astype(str)
    followed = (output.spoken,) if len(output.classes) == 2 else output.classes if len(output.classes) <= MOST_CLASSES else ()
    for name in followed:
        found["decisions", f"share of {name}"] = (predicted == name).to_numpy(dtype=float)
    scores = _probabilities(output)
    if scores is not None:
        found["scores", "mean of the highest score"] = scores.max(axis=1)
    if output.actual is None:
        return found
    found["performance", "error rate"] = rates["error rate"]
    if scores is not None:
        actual = pd.Index(output.classes).get_indexer(pd.Index(output.actual.astype(str)))
        right = np.eye(len(output.classes))[actual]
        known = actual >= 0
        found["performance", "Brier score"] = np.where(known, ((scores - right) ** 2).sum(axis=1) / 2, np.nan)
        place = output.classes.index(output.spoken) if len(output.classes) == 2 else scores.argmax(axis=1)
        rows = np.arange(len(scores))
        over = (1 + right[rows, place] - scores[rows, place]) / 2
        found["calibration", _stated(output)] = np.where(known, over, np.nan)
    return found


def _stated(output: ClassOutput) -> str:
    return f"actual {output.spoken} minus stated probability" if len(output.classes) == 2 else "right minus stated probability"


def _probabilities(output: ClassOutput) -> np.ndarray | None:
    """Return the scores in the order of classes where they are probabilities `(n, classes)`."""
    if output.scores is None or not set(output.classes) <= set(map(str, output.scores.columns)):
        return None
    scores = output.scores[list(output.classes)].to_numpy(dtype=float)
    sums = scores.sum(axis=1)
    stated = len(scores) and np.isfinite(scores).all() and (scores >= 0).all() and np.allclose(sums, 1, atol=1e-3)
    return np.minimum(scores, 1.0) if stated else None


def _by_group(frame: pd.DataFrame, groups: dict[str, list[str]], rates: Means) -> Means:
    found: Means = {}
    for feature, name in each_group(groups):
        column = frame.get(f"group.{feature}")
        if column is None:
            continue
        own = (column.astype(str) == name).to_numpy()
        for rate, values in rates.items():
            found[f"rates|{rate}|{feature}={name}"] = np.where(own, values, np.nan)
            found[f"rates|{rate}|{feature}={name}|others"] = np.where(own, np.nan, values)
    return found


def each_group(groups: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Yield each group that is compared with all others; of two groups only the first."""
    for feature, names in groups.items():
        for name in names[:1] if len(names) == 2 else names if len(names) > 2 else []:
            yield feature, name


def _values(column: pd.Series) -> list[Value]:
    """Return a column as numbers, or as texts; what is absent is None."""
    absent = column.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        numbers: Sequence[Value] = column.astype(float).tolist()
    else:
        numbers = column.astype(str).tolist()
    return [None if gone else value for value, gone in zip(numbers, absent, strict=True)]
