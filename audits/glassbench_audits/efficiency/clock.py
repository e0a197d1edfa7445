"""How long forward passes take."""

import time
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor, nn

from glassbench.contracts.data import Split

WARM_UP, FEWEST, MOST = 3, 10, 300
"""Passes that are not timed, and how many are timed at least and at most."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Timing:
    """Forward passes of one batch size.

    Args:
        rows: Rows per pass.
        seconds: What each timed pass took `(passes,)`.
    """

    rows: int
    seconds: np.ndarray

    @property
    def throughput(self) -> float:
        """Rows per second at the median."""
        return float(self.rows / np.median(self.seconds))

    def percentile(self, share: float) -> float:
        """Return a percentile of the seconds per pass."""
        return float(np.quantile(self.seconds, share))

    def median_interval(self, level: float) -> tuple[float, float]:
        """Return the interval of the median by order statistics, which asks for no distribution."""
        ordered, n = np.sort(self.seconds), len(self.seconds)
        half = float(ndtri(0.5 + level / 2)) * np.sqrt(n) / 2
        low, high = max(0, int(np.floor(n / 2 - half))), min(n - 1, int(np.ceil(n / 2 + half)))
        return float(ordered[low]), float(ordered[high])


def batch_of(source: Split, rows: int, model: nn.Module) -> tuple[Tensor, ...]:
    """Return the first rows of a split, repeated where there are fewer, where the model is."""
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    places = torch.arange(rows) % len(source)
    return tuple(t.to(device) for t in source.batch(places).inputs)


def time_passes(model: nn.Module, source: Split, rows: int, budget: float) -> Timing:
    """Time forward passes of `rows` rows for about `budget` seconds."""
    inputs = batch_of(source, rows, model)
    seconds: list[float] = []
    with torch.inference_mode():
        for _ in range(WARM_UP):
            _pass(model, inputs)
        while len(seconds) < MOST and (len(seconds) < FEWEST or sum(seconds) < budget):
            seconds.append(_pass(model, inputs))
    return Timing(rows=rows, seconds=np.array(seconds))


def _pass(model: nn.Module, inputs: tuple[Tensor, ...]) -> float:
    started = time.perf_counter()
    model(*inputs)
    if inputs[0].is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - started
