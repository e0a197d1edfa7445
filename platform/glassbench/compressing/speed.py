"""How long models take for a row and for a batch, measured in turns so that what else the machine does hits them alike."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import binom

from glassbench.compressing.onnx_network import OnnxNetwork
from glassbench.system.energy import available, metered

ROUNDS = 31
_TURN = 0.004
"""Seconds that one model is called for in one round, at least once."""

BATCH = 256
_ENERGY_SECONDS = 2.0


def speeds(models: Mapping[str, OnnxNetwork], inputs: np.ndarray) -> dict[str, list[dict[str, Any]]]:
    """Return how long each model takes, against the first.

    Args:
        models: The original first.
        inputs: Rows `(n, ...)` to decide.

    Returns:
        For each model, for one row and for a batch: `batch`, `milliseconds` of a call (the median over rounds) with its `low` and
        `high` (95 %, by order statistics), and `times`, how many times as long as the original takes in the same round, with
        `times_low` and `times_high`.
    """
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in models}
    for size in sorted({1, min(BATCH, len(inputs))}):
        seconds = _in_turns(models, inputs[:size])
        base = next(iter(seconds.values()))
        for name, taken in seconds.items():
            value, low, high = (1000 * end for end in median(taken))
            times = dict(zip(("times", "times_low", "times_high"), median(taken / base), strict=True))
            found[name].append({"batch": size, "milliseconds": value, "low": low, "high": high, **times})
    return found


def median(values: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    """Return the median of values `(n,)` with a confidence interval free of any distribution (order statistics).

    Example:
        >>> median(np.arange(1.0, 32.0))
        (16.0, 10.0, 22.0)
    """
    ordered = np.sort(values)
    rank = int(binom.ppf((1 - level) / 2, len(ordered), 0.5)) - 1
    rank = max(rank, 0)
    return float(np.median(ordered)), float(ordered[rank]), float(ordered[len(ordered) - 1 - rank])


def energies(models: Mapping[str, OnnxNetwork], inputs: np.ndarray) -> dict[str, dict[str, Any]]:
    """Return the electricity for a thousand rows in joules, or why it was not measured."""
    return {name: _energy(model, inputs[:BATCH]) for name, model in models.items()}


def _energy(model: OnnxNetwork, inputs: np.ndarray) -> dict[str, Any]:
    rows = 0
    with metered() as meter:
        end = time.perf_counter() + _ENERGY_SECONDS
        while available() and time.perf_counter() < end:
            model.run(inputs)
            rows += len(inputs)
    hours = meter.energy.kilowatt_hours
    joules = None if not hours or not rows else hours * 3.6e6 / rows * 1000
    return {"joules_per_1000_rows": joules, "method": meter.energy.method}


def _in_turns(models: Mapping[str, OnnxNetwork], inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Return the seconds of a call of each model in each round."""
    calls = {}
    for name, model in models.items():
        model.run(inputs)
        calls[name] = max(1, round(_TURN / max(_called(model, inputs, 1), 1e-6)))
    taken = {name: np.empty(ROUNDS) for name in models}
    for place in range(ROUNDS):
        for name, model in models.items():
            taken[name][place] = _called(model, inputs, calls[name])
    return taken


def _called(model: OnnxNetwork, inputs: np.ndarray, times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        model.run(inputs)
    return (time.perf_counter() - started) / times
