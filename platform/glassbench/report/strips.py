"""Numbers with their intervals on one common line, and the small picture that they make."""

from collections.abc import Sequence
from dataclasses import dataclass

from glassbench.contracts.evidence import Measure
from glassbench.report.charts import Drawing
from glassbench.report.figures import Image
from glassbench.report.numbers import measured, number
from glassbench.stats.percent import percent_interval

LENGTH = 200
"""Width of a strip in units of its view box; its height is 12."""

MOST_STRIPS = 6


@dataclass(frozen=True)
class Strip:
    """A number on a line, with its interval.

    Args:
        name: Whose number it is.
        words: The number with its interval and what it rests on.
        at, low, high: Places along the strip, 0 to `LENGTH`; the ends are None without an interval.
        base: Where its bar starts; None for a point.
    """

    name: str
    words: str
    at: float
    low: float | None
    high: float | None
    base: float | None = None


@dataclass(frozen=True)
class Glance:
    """A small picture.

    Args:
        title: What its numbers are.
        strips: Numbers on one common line; empty where it is a drawing or an image.
        mark: Place of the threshold or the reference on the line, and what it is; None without.
        side: Where along the line the threshold is met, from and to; None without a threshold.
        drawing, image: The picture where it is another one.
        label: What the picture says, for screen readers.
        notes: What stands below it: the gap between groups, how many rows of the chart are shown.
    """

    title: str
    strips: tuple[Strip, ...] = ()
    mark: tuple[float, str] | None = None
    side: tuple[float, float] | None = None
    drawing: Drawing | None = None
    image: Image | None = None
    label: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """A scale: numbers from `low` to `high` along a strip."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return the place of a number along a strip."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(4 + share * (LENGTH - 8), 1)


def line_of(values: Sequence[float], *, bare: bool = False) -> Line:
    """Return the scale for some numbers: 0 to 1 for shares, else wide enough for all of them and, unless `bare`, for 0."""
    low, high = min(values), max(values)
    if low >= 0 and high <= 1:
        return Line(0.0, 1.0)
    low, high = (low, high) if bare else (min(low, 0.0), max(high, 0.0))
    pad = 0.08 * (high - low) or abs(low) or 1.0
    return Line(low - pad * (low != 0), high + pad * (high != 0))


def strip(
    line: Line, name: str, words: str, ends: tuple[float, float | None, float | None], *, base: float | None = None
) -> Strip:
    """Return a number `(value, low, high)` as a strip."""
    value, low, high = ends
    return Strip(
        name, words, line.at(value), None if low is None else line.at(low), None if high is None else line.at(high), base
    )


def measure_ends(measure: Measure) -> list[float]:
    """Return a measure's value and the ends of its interval, those that there are."""
    return [value for value in (measure.value, measure.low, measure.high) if value is not None]


def measure_line(measures: Sequence[Measure]) -> Line:
    """Return the scale for some measures."""
    return line_of([end for measure in measures for end in measure_ends(measure)])


def measure_strip(line: Line, measure: Measure, name: str, *, percent: bool = False) -> Strip:
    """Return a measure that has a value as a strip, its number in per cent where that is asked for."""
    ends = (measure.value or 0.0, measure.low, measure.high)
    words = percent_interval(*ends) if percent else measured(measure)
    return strip(line, name, f"{words}{size_words(measure.n)}", ends)


def size_words(size: object) -> str:
    """Return what a number rests on, behind a comma: a count, or words of its own."""
    if size is None:
        return ""
    counted = isinstance(size, int) and not isinstance(size, bool)
    return f", n\u00a0{number(size)}" if counted else f", {size}"  # type: ignore[arg-type]
