"""How numbers read: sensible digits, intervals, units, and a reason where there is no number."""

import math
from collections.abc import Sequence

from glassbench.contracts.evidence import Measure
from glassbench.stats.percent import percent_interval

DASH = "\u2013"
_MINUS = "\u2212"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SIGNIFICANT = 3
_MOST_DECIMALS = 4
_MOST_OF_AN_INTERVAL = 6
_TINY = 1e-5
"""Decimals of an interval, unless both of its ends are smaller than this: three significant digits say more then."""

_GROUPED_FROM = 10_000
_LEAST_P = 0.001
"""Smaller p-values are said to be smaller; tests are not sure of more."""


def number(value: float | int | None, decimals: int | None = None) -> str:
    """Return a number with three significant digits, or with `decimals` places.

    Args:
        value: The number; None and NaN read as a dash.
        decimals: Places after the point; by default as many as three significant digits need.

    Example:
        >>> [number(v) for v in (0.7342, 12.345, 1234.5, 48842, 0.0, 1.5e-7, None)]
        ['0.734', '12.3', '1234', '48,842', '0', '1.5 × 10⁻⁷', '–']
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return DASH
    if isinstance(value, float) and math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    if isinstance(value, int):
        return _plain(value, 0)
    if value == 0:
        return _plain(0.0, decimals or 0)
    if decimals is None:
        decimals = _significant_decimals(value)
        if decimals > _MOST_DECIMALS + 1 or abs(value) >= 1e9:
            return _scientific(value)
    return _plain(value, max(0, decimals))


def signed(values: Sequence[float]) -> list[str]:
    """Return numbers with the same decimals, each with its sign.

    Example:
        >>> signed([0.25, -0.125, 0.004])
        ['+0.250', '−0.125', '+0.004']
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    decimals = max(0, _significant_decimals(largest)) if largest else None
    texts = [number(float(value), decimals) for value in values]
    return [f"+{text}" if value > 0 else text for value, text in zip(values, texts, strict=True)]


def trimmed(value: float | int | None) -> str:
    """Return a number with at most three significant digits, without padding.

    Example:
        >>> trimmed(0.28), trimmed(2.0), trimmed(0.12345), trimmed(120)
        ('0.28', '2', '0.123', '120')
    """
    return _unpadded(number(value))


def percent(part: float, whole: float) -> str:
    """Return `part` of `whole` in percent, without decimals unless it is small.

    Example:
        >>> [percent(*pair).split() for pair in ((17, 41), (1, 300), (3, 0))]
        [['41', '%'], ['0.33', '%'], ['–']]
    """
    if not whole:
        return DASH
    share = 100 * part / whole
    return f"{number(share, 0 if share >= 1 or share == 0 else 2)}\u00a0%"


def column(values: Sequence[float | int | None]) -> list[str]:
    """Return the numbers of one table column with the same decimals, unless they span too many magnitudes.

    Example:
        >>> column([0.5, 0.125, None])
        ['0.500', '0.125', '–']
        >>> column([0.31, 0.0012])
        ['0.31', '0.0012']
    """
    sizes = [abs(v) for v in values if isinstance(v, float) and math.isfinite(v) and v != 0]
    if not sizes:
        return [number(v) for v in values]
    decimals = min(_significant_decimals(max(sizes)), _MOST_DECIMALS)
    if decimals < 0 or min(sizes) < 10.0 ** (1 - decimals):
        return [trimmed(v) for v in values]
    return [number(float(v), decimals) if isinstance(v, float) else number(v) for v in values]


def interval(value: float | None, low: float | None, high: float | None) -> str:
    """Return a value with its interval, to the digits that the interval's width supports.

    Example:
        >>> interval(0.7303, 0.6299, 0.8114), interval(0.5, None, None), interval(3e-13, 2e-13, 4e-13)
        ('0.73 [0.63, 0.81]', '0.5', '3.0 × 10⁻¹³ [2.0 × 10⁻¹³, 4.0 × 10⁻¹³]')
    """
    if value is None or low is None or high is None or not math.isfinite(high - low):
        return trimmed(value)
    width = high - low
    decimals = None if width <= 0 else max(0, 1 - math.floor(math.log10(width)))
    if decimals is not None and decimals > _MOST_OF_AN_INTERVAL:
        decimals = None if max(abs(low), abs(high)) < _TINY else _MOST_OF_AN_INTERVAL
    return f"{number(float(value), decimals)} [{number(float(low), decimals)}, {number(float(high), decimals)}]"


def chart_figure(percent: bool, value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Return a number of a chart with its interval: a share in per cent where the chart says that its numbers are shares.

    Example:
        >>> chart_figure(True, 0.69, 0.4, 0.9), chart_figure(False, 0.69, 0.4, 0.9)
        ('69 % [40, 90]', '0.69 [0.40, 0.90]')
    """
    return percent_interval(value, low, high) if percent and value is not None else interval(value, low, high)


def probability(p: float | None) -> str:
    """Return a p-value: three places, and never 0, which no test can show.

    Example:
        >>> [probability(p) for p in (0.0, 0.0004, 0.0231, 1.0, None)]
        ['< .001', '< .001', '.023', '1.000', '–']
    """
    if p is None or not math.isfinite(p):
        return DASH
    return f"< {_LEAST_P:.3f}".replace("0.", ".") if p < _LEAST_P else f"{p:.3f}".removeprefix("0")


def is_probability(name: str) -> bool:
    """Whether a measure or a column holds p-values, by its name.

    Example:
        >>> [is_probability(name) for name in ("p", "corrected p", "calibration.p_value", "clusters.structure_p_value", "top")]
        [True, True, True, True, False]
    """
    return name in ("p", "p, corrected", "p (corrected)") or name.endswith((" p", "p_value", "p-value"))


def measured(measure: Measure) -> str:
    """Return a measure's value, interval and unit, or why it has none.

    Example:
        >>> measured(Measure(name="a.b", value=None, undefined="no positives"))
        'undefined: no positives'
    """
    if measure.value is None:
        return f"undefined: {measure.undefined}"
    text = probability(measure.value) if is_probability(measure.name) else interval(measure.value, measure.low, measure.high)
    return f"{text}\u00a0{measure.unit}" if measure.unit else text


def threshold(value: float) -> str:
    """Return a threshold as its author wrote it, without padding.

    Example:
        >>> threshold(0.2), threshold(12.0)
        ('0.2', '12')
    """
    return f"{value:g}".replace("-", _MINUS)


def _significant_decimals(value: float) -> int:
    return _SIGNIFICANT - 1 - math.floor(math.log10(abs(value)))


def _plain(value: float | int, decimals: int) -> str:
    grouping = "," if abs(value) >= _GROUPED_FROM else ""
    text = f"{value:{grouping}.{decimals}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", _MINUS)


def _unpadded(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text and text[-1] in "0123456789" else text


def _scientific(value: float) -> str:
    digits, _, power = f"{value:.1e}".partition("e")
    return f"{digits} \u00d7 10{str(int(power)).translate(_SUPERSCRIPT)}".replace("-", _MINUS)
