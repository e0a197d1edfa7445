"""Predicted values per group: their mean, their errors, and how much of the truth's variance they explain."""

import numpy as np

from glassbench.stats.inference import Inference, mean, undefined
from glassbench.stats.sampling import Sampling
from glassbench.stats.values import mean_absolute_error, r_squared
from glassbench_audits.fairness.frames.groups import Group
from glassbench_audits.fairness.frames.measured_frame import Measured, MeasuredFrame, members
from glassbench_audits.fairness.frames.rates import GroupMetric


def value_metrics(unit: str | None) -> tuple[GroupMetric, ...]:
    """Return what is measured of values, in the target's unit."""
    return (
        GroupMetric("mean_prediction", "mean prediction", "rows", None, unit=unit, scaled=True),
        GroupMetric("mean_signed_error", "mean signed error (prediction minus truth)", "rows", None, unit=unit, scaled=True),
        GroupMetric("mean_absolute_error", "mean absolute error", "rows", False, unit=unit, scaled=True),
        GroupMetric("r2", "R²", "rows whose truth varies", True),
    )


def value_frame(
    truth: np.ndarray,
    decision: np.ndarray,
    groups: tuple[Group, ...],
    codes: np.ndarray,
    *,
    unit: str | None,
    replicates: int,
    generator: np.random.Generator,
    sampling: Sampling,
) -> MeasuredFrame:
    """Measure predicted values in every group: their mean over all rows, their errors over those whose truth is known.

    Args:
        truth: True values, NaN where they are not known `(n,)`.
        decision: Predicted values `(n,)`.
        groups: The groups.
        codes: Which group each row belongs to `(n,)`.
        unit: Unit of the values.
        replicates: How many deviations are drawn where the widest of many gaps is looked for.
        generator: Source of these.
        sampling: How the rows were sampled.
    """
    found = []
    for rows in [*members(codes, len(groups)), np.arange(len(codes))]:
        known = rows[np.isfinite(truth[rows])]
        predictions = mean(decision[rows], sampling.part(rows))
        found.append((predictions, *_errors(truth[known], decision[known], sampling.part(known))))
    measured = [
        Measured(metric=metric, inferences=cells)
        for metric, cells in zip(value_metrics(unit), zip(*found, strict=True), strict=True)
    ]
    sizes = np.array([one.n for one in measured[0].inferences[:-1]])
    return MeasuredFrame(groups, sizes, measured, replicates=replicates, generator=generator)


def _errors(truth: np.ndarray, predicted: np.ndarray, sampling: Sampling) -> tuple[Inference, Inference, Inference]:
    """Return the mean error, the mean absolute error and R² of rows with a known truth; undefined where there is none."""
    if not len(truth):
        return undefined(0), undefined(0), undefined(0)
    off = mean(predicted - truth, sampling)
    return off, mean_absolute_error(truth, predicted, sampling), r_squared(truth, predicted, sampling)
