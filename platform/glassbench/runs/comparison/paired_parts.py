"""Who loses from one model to another on the same rows: paired differences for all rows, each group and each class."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from glassbench.contracts.predictions.kind import PredictionKind
from glassbench.contracts.predictions.outputs import RowErrors
from glassbench.contracts.schema import Schema
from glassbench.errors import RunError
from glassbench.rows.group_order import in_group_order
from glassbench.stats.contrast import paired_mean, paired_share
from glassbench.stats.estimate import Estimate
from glassbench.stats.sampling import Sampling
from glassbench.stats.verdict import judge

ALPHA = 0.05
"""The share of samples in which a part is said to lose that does not, at most; as large a share for one said to be kept."""

FEWEST = 10
"""With fewer rows a part is shown and not tested."""

ACTUAL_CLASS = "actual class"


@dataclass(frozen=True, kw_only=True)
class PartDifference:
    """What changed for some of the rows.

    Args:
        feature: What the rows have in common: a sensitive feature, or `ACTUAL_CLASS`; None of all rows.
        group: Their group or class; None of all rows.
        rows: How many there are.
        before, after: Their mean error.
        better, worse: Rows whose error is smaller or larger after.
        gain: How much smaller the mean error is after, with an interval each end of which holds for all parts at once; None where
            not tested.
        verdict: `loses` where the whole interval lies below no difference, `kept` where it lies wholly above minus the tolerance,
            `unclear` between, and `too few rows`.
        within: Whether the loss is surely no larger than the tolerance.
    """

    feature: str | None
    group: str | None
    rows: int
    before: float
    after: float
    better: int
    worse: int
    gain: Estimate | None
    verdict: str
    within: bool

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; `gain` becomes `gain`, `low` and `high`."""
        found = self.gain
        numbers = {"gain": found and found.value, "low": found and found.low, "high": found and found.high}
        return {**{name: value for name, value in asdict(self).items() if name != "gain"}, **numbers}


@dataclass(frozen=True, kw_only=True)
class PairedParts:
    """What changed for whom.

    Args:
        parts: All rows first, then groups and classes.
        tests: How many parts were corrected for (Bonferroni).
        tolerance: The loss of the mean error that counts as kept.
        words: What the mean error is called; `complement` the share of rows without one, None where errors are no shares.
        unit: Unit of an error; None of a share.
    """

    parts: tuple[PartDifference, ...]
    tests: int
    tolerance: float
    words: str
    complement: str | None
    unit: str | None

    @property
    def losing(self) -> tuple[PartDifference, ...]:
        """The parts that lose, the largest loss first."""
        found = [one for one in self.parts if one.verdict == "loses"]
        return tuple(sorted(found, key=lambda one: one.gain.value or 0.0 if one.gain else 0.0))

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        told = {name: getattr(self, name) for name in ("tests", "tolerance", "words", "complement", "unit")}
        return {**told, "parts": [one.to_json() for one in self.parts]}


def paired_parts(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    kind: PredictionKind,
    schema: Schema,
    features: Sequence[str],
    tolerance: float = 0.01,
) -> PairedParts:
    """Return who loses from one set of predictions to another of the same rows.

    For each part the mean difference of the rows' errors has an interval whose level is corrected for the number of parts
    (Bonferroni): all upper ends hold at once in 95 % of samples, and so do all lower ends. Loss is asked of upper ends alone and
    safety of lower ends alone, so that either error is made in at most 5 % of samples. Intervals are Tango's score intervals
    where errors are 0 or 1, Student's t elsewhere. `glassbench.judge` holds them against no difference and the tolerance.

    Args:
        before, after: Predictions of the same rows in the same order, with `y_true` and `group.<feature>`.
        kind: What a row of predictions means.
        schema: What the rows are.
        features: Sensitive features.
        tolerance: The loss that counts as none, a share of rows; of values a share of their spread.

    Raises:
        RunError: Rows differ, or predictions are neither right nor wrong.
    """
    if before["row"].astype(str).tolist() != after["row"].astype(str).tolist():
        raise RunError("the models did not decide the same rows", got=f"{len(before):,} and {len(after):,} rows")
    known = before["y_true"].notna().to_numpy() if "y_true" in before else np.zeros(len(before), dtype=bool)
    first, second = (frame[known].reset_index(drop=True) for frame in (before, after))
    errors = [kind.row_errors(frame, schema) if len(frame) else None for frame in (first, second)]
    if errors[0] is None or errors[1] is None:
        raise RunError("who loses cannot be told: the truth of these predictions is not known", got=kind.name)
    found = list(_parts(first, errors[0], features))
    sampling = Sampling.of(first)
    tests = sum(_size(sampling, rows) >= FEWEST for _, _, rows in found)
    limit = tolerance * errors[0].usual
    level = 1 - 2 * ALPHA / max(tests, 1)
    sizes = (errors[0].size, errors[1].size)
    parts = [
        _part(feature, group, rows, sizes, sampling, errors[0].binary, level, limit)
        for feature, group, rows in found
        if rows.any()
    ]
    return PairedParts(
        parts=tuple(parts),
        tests=tests,
        tolerance=limit,
        words=errors[0].words,
        complement=errors[0].complement,
        unit=errors[0].unit,
    )


def _parts(
    frame: pd.DataFrame, errors: RowErrors, features: Sequence[str]
) -> Iterator[tuple[str | None, str | None, np.ndarray]]:
    """Yield all rows, the groups of each feature, and, where decisions are right or wrong, the actual classes."""
    yield None, None, np.ones(len(frame), dtype=bool)
    columns = {feature: frame[f"group.{feature}"] for feature in features if f"group.{feature}" in frame}
    if errors.binary and not pd.api.types.is_numeric_dtype(frame["y_true"]):
        columns |= {ACTUAL_CLASS: frame["y_true"]}
    for feature, column in columns.items():
        texts = column.astype(str).to_numpy()
        for group in in_group_order(pd.unique(texts)):
            yield feature, group, texts == group


def _size(sampling: Sampling, rows: np.ndarray) -> float:
    return sampling.part(rows).effective if rows.any() else 0.0


def _part(
    feature: str | None,
    group: str | None,
    rows: np.ndarray,
    sizes: tuple[np.ndarray, np.ndarray],
    sampling: Sampling,
    binary: bool,
    level: float,
    limit: float,
) -> PartDifference:
    own = sampling.part(rows)
    before, after = (size[rows] for size in sizes)
    gained = before - after
    gain = _gain(gained, own, binary, level) if own.effective >= FEWEST else None
    verdict, within = ("too few rows", False) if gain is None else _verdict(gain, limit)
    return PartDifference(
        feature=feature,
        group=group,
        rows=own.rows,
        before=own.mean(before),
        after=own.mean(after),
        better=int((gained > 0).sum()),
        worse=int((gained < 0).sum()),
        gain=gain,
        verdict=verdict,
        within=within,
    )


def _gain(gained: np.ndarray, sampling: Sampling, binary: bool, level: float) -> Estimate:
    value = sampling.mean(gained)
    spread = sampling.spread(gained - value)
    if binary:
        return paired_share(value, spread.error, spread.events, spread.freedom if sampling.clustered else np.inf).estimate(level)
    return paired_mean(value, spread.error, spread.events, spread.freedom).estimate(level)


def _verdict(gain: Estimate, limit: float) -> tuple[str, bool]:
    """Hold a gain against no difference and against the tolerance."""
    within = judge(gain, -limit, "at_least").verdict == "pass"
    if judge(gain, 0.0, "at_least").verdict == "fail":
        return "loses", within
    return ("kept" if within else "unclear"), within
