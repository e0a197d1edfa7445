"""Predicted values per group: their mean, their errors, and how much of the truth's variance they explain."""

import numpy as np

from glassbench_audits.fairness.drawn_panel import DrawnPanel, block_sums, members
from glassbench_audits.fairness.groups import Group
from glassbench_audits.fairness.rates import Line


def value_lines(unit: str | None) -> tuple[Line, ...]:
    """Return what is measured of values, in the target's unit."""
    return (
        Line("mean_prediction", "mean prediction", "rows", None, unit=unit),
        Line("mean_error", "mean error (prediction minus truth)", "rows", None, unit=unit),
        Line("mean_absolute_error", "mean absolute error", "rows", False, unit=unit),
        Line("r2", "R²", "rows whose truth varies", True),
    )


def value_panel(
    truth: np.ndarray,
    decision: np.ndarray,
    groups: tuple[Group, ...],
    codes: np.ndarray,
    *,
    unit: str | None,
    replicates: int,
    generator: np.random.Generator,
    clusters: np.ndarray | None = None,
) -> DrawnPanel:
    """Measure predicted values in every group.

    Args:
        truth: True values `(n,)`.
        decision: Predicted values `(n,)`.
        groups: The groups.
        codes: Which group each row belongs to `(n,)`.
        unit: Unit of the values.
        replicates: How many resamples.
        generator: Source of the resamples.
        clusters: Which cluster each row is of `(n,)`, numbered from 0, where rows hang together: clusters are then resampled.
    """
    centre = float(truth.mean())
    parts = moments(truth, decision, centre)
    taken = members(codes, len(groups))
    sums = [parts[rows].sum(axis=0) for rows in taken]
    value = np.stack([statistics(s, centre) for s in sums], axis=-1)
    pooled = [parts[rows] if clusters is None else unit_sums(parts[rows], clusters[rows]) for rows in taken]
    draws = np.stack([_draw(each, centre, replicates, generator) for each in pooled], axis=-1)
    sizes = [len(each) for each in pooled]
    infinite = (-np.inf, np.inf)
    bounds = [infinite, infinite, (0.0, np.inf), (-np.inf, 1.0)]
    return DrawnPanel(groups, np.array(sizes[:-1]), value_lines(unit), value, draws, bounds=bounds, whole=sizes[-1])


def unit_sums(parts: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Sum the parts `(n, k)` of each cluster's rows `(clusters, k)`."""
    _, codes = np.unique(clusters, return_inverse=True)
    return np.stack([np.bincount(codes, weights=column) for column in parts.T], axis=1)


def moments(truth: np.ndarray, decision: np.ndarray, centre: float) -> np.ndarray:
    """Return per row what sums up to every statistic `(n, 6)`: 1, error, its size, its square, centred truth, its square."""
    error, deviation = decision - truth, truth - centre
    return np.stack([np.ones_like(truth), error, np.abs(error), error**2, deviation, deviation**2], axis=1)


def statistics(sums: np.ndarray, centre: float) -> np.ndarray:
    """From sums of moments `(..., 6)` to mean prediction, mean error, mean absolute error and R² `(..., 4)`."""
    n, error, size, squared, deviation, spread = np.moveaxis(sums, -1, 0)
    around = spread - deviation**2 / n
    varies = around > 1e-12 * np.maximum(spread, 1e-300)
    r2 = np.where(varies, 1 - squared / np.where(varies, around, 1), np.nan)
    return np.stack([centre + (deviation + error) / n, error / n, size / n, r2], axis=-1)


def _draw(parts: np.ndarray, centre: float, replicates: int, generator: np.random.Generator) -> np.ndarray:
    """Resample a group's rows (or blocks of them) and return its statistics `(replicates, 4)`."""
    clusters = block_sums(parts, generator)
    weights = generator.multinomial(len(clusters), np.full(len(clusters), 1 / len(clusters)), size=replicates)
    return statistics(weights @ clusters, centre)
