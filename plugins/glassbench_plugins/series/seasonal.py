"""Generated hourly channels whose seasons and noise are known."""

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, NonNegativeNumber
from glassbench_plugins.series.chronology import regular
from glassbench_plugins.series.forecasts import Layout, forecast_data
from glassbench_plugins.series.moments import Property

DAY, WEEK = 24, 168
_START = "2024-01-01"


def seasonal(
    seed: int,
    *,
    steps: Count = 3000,
    channels: Count = 3,
    noise: NonNegativeNumber = 0.3,
    weekend_noise: NonNegativeNumber = 2.0,
    length: Count = 96,
    horizon: Count = 24,
    test_stride: Count = 1,
    calendar: tuple[Property, ...] = ("part_of_day", "day_type"),
) -> Data:
    """Hourly channels with trend, daily and weekly seasons and noise.

    Each channel is a line, two daily and one weekly sine of its own size and phase, and noise of which a part carries over to
    the next hour (0.5). At weekends the noise is larger, so that forecasts are in fact worse there: an audit should find it.

    Args:
        seed: Seed of the channels.
        steps: Hours.
        channels: How many channels.
        noise: Standard deviation of what is new in the noise of an hour; the daily season has an amplitude around 1.
        weekend_noise: Factor of the noise on Saturdays and Sundays.
        length: Hours that a model sees.
        horizon: Hours that it forecasts.
        test_stride: Hours from one test window to the next.
        calendar: Calendar properties of the first forecast hour, as groups.
    """
    if min(steps, channels, length, horizon, test_stride) < 1 or noise < 0 or weekend_noise < 0:
        raise SettingsError("the series needs steps, channels and windows, and noise is not negative", where="dataset")
    times = pd.date_range(_START, periods=steps, freq="h")
    names = tuple(f"channel {chr(ord('A') + k)}" if channels <= 26 else f"channel {k + 1}" for k in range(channels))
    values = pd.DataFrame(_values(times, channels, noise, weekend_noise, np.random.default_rng([seed, 0x5EA50])), columns=names)
    layout = Layout(
        channels=names,
        target=names[0],
        length=length,
        horizon=horizon,
        test_stride=test_stride,
        units={},
        calendar=calendar,
    )
    return forecast_data(regular(times, values, step=None, gaps="refuse"), layout, source="generated")


def _values(times: pd.DatetimeIndex, channels: int, noise: float, weekend: float, generator: np.random.Generator) -> np.ndarray:
    """Return the channels `(steps, channels)`."""
    hours = np.arange(len(times))[:, None]
    sizes = generator.uniform(0.6, 1.4, (3, channels)) * [[1.0], [0.4], [0.7]]
    phases = generator.uniform(0, 2 * np.pi, (3, channels))
    waves = [
        size * np.sin(2 * np.pi * hours / period + phase)
        for size, phase, period in zip(sizes, phases, (DAY, DAY / 2, WEEK), strict=True)
    ]
    slope = generator.uniform(-0.3, 0.3, channels) / 1000
    fresh = generator.normal(size=(len(times), channels)) * noise
    fresh[times.day_of_week >= 5] *= weekend
    carried = np.zeros_like(fresh)
    carried[0] = fresh[0]
    for hour in range(1, len(times)):
        carried[hour] = 0.5 * carried[hour - 1] + fresh[hour]
    total: np.ndarray = slope * hours + sum(waves) + carried
    return total
