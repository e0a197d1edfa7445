"""How good predictions are, as a number with an interval."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from glassbench.stats.inference import Inference, effective_size, rate_limits, undefined
from glassbench.stats.resampling import resampled
from glassbench.stats.sampling import Sampling


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number that says how good predictions are.

    Args:
        name: As gates and reports name it (`accuracy`).
        compute: From predictions (a frame of n rows as in `predictions.parquet`) and weights `(b, n)` to values `(b,)`: the
            metric under each row of weights, NaN where it is undefined. A weight counts like as many rows. Ones give the point
            value; resampled counts give its bootstrap distribution in a few matrix products.
        higher_is_better: Direction.
        unit: Unit of the value, None for a proportion or a pure number.
        rate: Whether it is a share of rows, so that Wilson's interval applies.
        proportion: Whether it is a share that may lie above 1, such as an error rate of words: gaps of it are held against a
            difference of shares, and it is shown in per cent.
        lowest, highest: Values it can never lie beyond; an interval does not reach there either.
        compares: Whether it compares with the truth; a reward does not.
        scored: Whether it judges scores, beyond what was decided by them.
        grouped: Whether groups are compared by it although it judges decisions, which rates by group do not say, such as a cost.
        judged: Whether a gap of it between groups carries a verdict where an experiment names no criteria: by the largest
            difference of shares allowed where it lies between 0 and 1, else in units of `PredictionKind.spread`.
        inference: From predictions and how their rows were sampled to the number with its limits, for a metric that is a mean,
            a share or has a known influence function (`glassbench.stats.inference`): exact, without resampling. None resamples
            rows and studentizes.
        corrected: Whether `inference` takes out of the number a bias that falls with the number of rows, which `compute` keeps.
    """

    name: str
    compute: Callable[[pd.DataFrame, np.ndarray], np.ndarray]
    higher_is_better: bool = True
    unit: str | None = None
    rate: bool = False
    proportion: bool = False
    lowest: float = -math.inf
    highest: float = math.inf
    compares: bool = True
    scored: bool = False
    grouped: bool = False
    judged: bool = False
    inference: Callable[[pd.DataFrame, Sampling], Inference] | None = None
    corrected: bool = False

    def infer(self, frame: pd.DataFrame, generator: np.random.Generator, *, replicates: int = 1000) -> Inference:
        """Return the number over the rows of a frame, with limits at any level: one way, wherever it is reported.

        Args:
            frame: Predictions.
            generator: Source of resamples, where the metric needs them.
            replicates: How many resamples.
        """
        sampling = Sampling.of(frame)
        if len(frame) == 0:
            return undefined(0)
        if self.inference is not None:
            return self.inference(frame, sampling)

        def statistic(weights: np.ndarray, rows: np.ndarray | None) -> np.ndarray:
            chosen = frame if rows is None else frame.iloc[rows].reset_index(drop=True)
            with np.errstate(divide="ignore", invalid="ignore"):  # without a row that counts a metric is undefined
                return np.asarray(self.compute(chosen, weights), dtype=float)

        if self.rate and sampling.binomial:
            value = float(statistic(sampling.weight[None], None)[0])
            return Inference(value=value, error=np.nan, n=sampling.rows, limits=lambda z: rate_limits(value, sampling.rows, z))
        low, high = self.bounds
        found = resampled(statistic, sampling, generator, lowest=low, highest=high, replicates=replicates)
        spotless = self.proportion and found.value == 0 and found.error == 0  # resamples show no error that others might have
        if not (self.rate or spotless) or not np.isfinite(found.value):
            return found
        size = effective_size(found.value, found.error, sampling)
        return replace(found, limits=lambda z: rate_limits(found.value, size, z, sampling.freedom), unsupported=None)

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value there can be."""
        return (0.0, 1.0) if self.rate else (self.lowest, self.highest)
