"""A generated machine with three sensors, of which one goes wrong at times."""

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, NonNegativeNumber
from glassbench_plugins.anomalies.sliding import Layout, window_data
from glassbench_plugins.series.chronology import regular

CHANNELS = ("load", "temperature", "vibration")
_UNITS = {"load": "%", "temperature": "°C", "vibration": "mm/s"}
_NOISE = {"load": 2.0, "temperature": 0.5, "vibration": 0.1}
_DAY = 24


def machine_faults(
    seed: int,
    *,
    steps: Count = 2400,
    length: Count = 24,
    faults: Count = 8,
    lasting: Count = 12,
    strength: NonNegativeNumber = 8.0,
    channel: str = "temperature",
    test_stride: Count = 1,
) -> Data:
    """Hours of a machine whose temperature and vibration follow its load, until one sensor goes its own way for a while.

    The load has a daily course and wanders. Temperature follows it slowly, vibration at once, each with noise. A fault shifts one
    sensor for some hours while the others stay what they were. The first half, without faults, is learnt from; all faults lie in
    the second. It is known which hours are faulty and which channel is to blame, so an explanation can be tested.

    Args:
        seed: Seed of everything drawn.
        steps: Hours.
        length: Hours of a window.
        faults: How many faults.
        lasting: Hours each lasts.
        strength: Size of the shift, in standard deviations of the sensor's noise.
        channel: The sensor that goes wrong: `load`, `temperature` or `vibration`.
        test_stride: Hours from one test window to the next.
    """
    if channel not in CHANNELS:
        raise SettingsError("there is no such sensor", got=channel, available=list(CHANNELS), where="dataset.channel")
    start = steps // 2
    room = (steps - start) // max(faults, 1)
    if faults < 1 or lasting < 1 or length < 1 or start < 3 * length or room <= lasting + length:
        raise SettingsError(
            "the faults do not fit into the second half",
            got=f"{faults} faults of {lasting} hours in {steps - start} hours, windows of {length}",
            fix="raise dataset.steps, or lower dataset.faults, dataset.lasting or dataset.length",
            where="dataset",
        )
    generator = np.random.default_rng([seed, 0xFA17])
    values = _course(steps, generator)
    unusual = np.zeros(steps, dtype=bool)
    for k in range(faults):
        first = start + k * room + int(generator.integers(length, room - lasting + 1))
        unusual[first : first + lasting] = True
    values[channel] += np.where(unusual, strength * _NOISE[channel], 0.0)
    times = pd.date_range("2026-01-01", periods=steps, freq="h")
    layout = Layout(channels=CHANNELS, length=length, test_stride=test_stride, calendar=("part_of_day",), units=_UNITS)
    return window_data(regular(times, values, step="h", gaps="refuse"), layout, unusual, source="generated")


def _course(steps: int, generator: np.random.Generator) -> pd.DataFrame:
    """Return the three sensors without faults."""
    wander = np.zeros(steps)
    for t in range(1, steps):
        wander[t] = 0.95 * wander[t - 1] + generator.normal(scale=2.0)
    load = 50 + 20 * np.sin(2 * np.pi * np.arange(steps) / _DAY) + wander
    warmth = np.zeros(steps)
    warmth[0] = load[0]
    for t in range(1, steps):
        warmth[t] = 0.8 * warmth[t - 1] + 0.2 * load[t]
    noise = {name: generator.normal(scale=size, size=steps) for name, size in _NOISE.items()}
    return pd.DataFrame(
        {
            "load": load + noise["load"],
            "temperature": 20 + 0.4 * warmth + noise["temperature"],
            "vibration": 1 + 0.04 * load + noise["vibration"],
        }
    )
