"""Calendar properties of a moment, as groups."""

from typing import Literal

import pandas as pd

Property = Literal["hour", "part_of_day", "weekday", "day_type", "month", "season"]
Hemisphere = Literal["north", "south"]

_PARTS = ("night (0 to 5)", "morning (6 to 11)", "afternoon (12 to 17)", "evening (18 to 23)")
_SEASONS = ("winter", "spring", "summer", "autumn")


def calendar_groups(times: pd.DatetimeIndex, properties: tuple[Property, ...], hemisphere: Hemisphere) -> pd.DataFrame:
    """Return one column of text per property, a row per moment.

    Args:
        times: The moments, in the clock that people live by.
        properties: Which properties.
        hemisphere: Whose seasons; December, January and February are winter in the north.
    """
    columns = {name: [str(value) for value in _read(times, name, hemisphere)] for name in properties}
    return pd.DataFrame(columns, index=range(len(times)), dtype=object)


def _read(times: pd.DatetimeIndex, name: Property, hemisphere: Hemisphere) -> list[str]:
    if name == "hour":
        return [f"{hour:02d}" for hour in times.hour]
    if name == "part_of_day":
        return [_PARTS[hour // 6] for hour in times.hour]
    if name == "weekday":
        return [str(day) for day in times.day_name()]
    if name == "day_type":
        return ["weekend" if day >= 5 else "weekday" for day in times.day_of_week]
    if name == "month":
        return [str(month) for month in times.month_name()]
    shift = 0 if hemisphere == "north" else 2
    return [_SEASONS[(month % 12 // 3 + shift) % 4] for month in times.month]
