"""Measures of a run computed again, on resampled rows."""

import math
from dataclasses import dataclass

import numpy as np

from glassbench.contracts.recomputed import GapOf, MeasureKey, Number, Recomputed
from glassbench.runs.comparison.judged_run import Judged
from glassbench.stats.group_numbers import GroupNumbers
from glassbench.stats.sampling import Sampling

ROWS = 10_000
"""The most rows that are resampled; with more, a random part is, and the spread narrowed to fit."""

REPLICATES = 1000
_SEED = 20261128


@dataclass(frozen=True, eq=False, kw_only=True)
class Resamples:
    """The numbers of a run, and the same in each resample of its rows.

    Args:
        recomputed: What the numbers are.
        value: The numbers `(k,)`.
        draws: The numbers in each resample `(b, k)`.
        sampling: How the rows were sampled.
    """

    recomputed: Recomputed
    value: np.ndarray
    draws: np.ndarray
    sampling: Sampling

    @property
    def numbers(self) -> dict[MeasureKey, int]:
        """The position of each number."""
        return {number.key: at for at, number in enumerate(self.recomputed.numbers) if number.name}

    @property
    def gaps(self) -> dict[MeasureKey, GapOf]:
        """The gaps by their measure."""
        return {gap.key: gap for gap in self.recomputed.gaps}

    def size(self, number: Number) -> float:
        """Return on how many independent rows a number rests; of clusters and weighted rows, of as many as say as much."""
        return number.of * min(1.0, self.sampling.effective / max(self.sampling.rows, 1))

    def of_groups(self, gap: GapOf) -> GroupNumbers:
        """Return the numbers that a gap is the widest of."""
        places = [at for part in gap.parts for at in part]
        metric = np.repeat(np.arange(len(gap.parts)), [len(part) for part in gap.parts])
        chosen = [self.recomputed.numbers[at] for at in places]
        n = np.array([self.size(number) if number.share else math.inf for number in chosen])
        return GroupNumbers(value=self.value[places], draws=self.draws[:, places], metric=metric, n=n)

    def gap(self, gap: GapOf) -> float:
        """Return a gap: the largest difference or the smallest ratio, NaN where no two groups have a number."""
        found = []
        for part in gap.parts:
            values = self.value[list(part)]
            values = values[np.isfinite(values)]
            if len(values) >= 2 and (gap.kind == "difference" or values.max() > 0):
                found.append(values.max() - values.min() if gap.kind == "difference" else values.min() / values.max())
        return math.nan if not found else float(max(found) if gap.kind == "difference" else min(found))


def resamples(run: Judged, rows: np.ndarray | None = None) -> Resamples:
    """Return the numbers of some rows of a run, or of all, and the same in each resample.

    Runs on the same rows in the same order are resampled alike.

    Args:
        run: The run.
        rows: Positions of the rows `(n,)`, in order; None for all.
    """
    assert run.frame is not None
    frame = run.frame if rows is None else run.frame.iloc[rows].reset_index(drop=True)
    sampling, generator = Sampling.of(frame), np.random.default_rng(_SEED)
    whole = run.recomputed(rows)
    value = whole.compute(sampling.weight[None])[0]
    part, drawn, scale = whole, sampling, 1.0
    if sampling.binomial and len(frame) > ROWS and bool((sampling.weight == 1).all()):
        chosen = np.sort(generator.choice(len(frame), ROWS, replace=False))
        part, drawn = run.recomputed(chosen if rows is None else rows[chosen]), sampling.part(chosen)
        scale = math.sqrt(ROWS / len(frame))
    draws = [part.compute(weights) for weights in drawn.resampled(REPLICATES, generator)]
    return Resamples(
        recomputed=whole, value=value, draws=_placed(np.concatenate(draws), part, whole, value, scale), sampling=sampling
    )


def _placed(draws: np.ndarray, part: Recomputed, whole: Recomputed, value: np.ndarray, scale: float) -> np.ndarray:
    """Return draws of a part of the rows where the numbers of all rows stand, their spread narrowed; NaN where it lacks one."""
    if part is whole:
        return draws
    known = {number.key: at for at, number in enumerate(part.numbers)}
    found = np.full((len(draws), len(whole.numbers)), np.nan)
    for at, number in enumerate(whole.numbers):
        if (place := known.get(number.key)) is not None:
            column = draws[:, place]
            found[:, at] = value[at] + scale * (column - np.nanmean(column)) if np.isfinite(column).any() else np.nan
    return found
