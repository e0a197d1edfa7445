"""What an audit shows: tables, charts, pictures, single cases."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of evidence under a title.

    Args:
        title: What the table shows.
        columns: Header of each column.
        rows: Cells: text, numbers, truth values or None.
        note: One line under the table.

    Raises:
        ValueError: A row has more or fewer cells than there are columns.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int | bool | None, ...], ...]
    note: str | None = None

    def __post_init__(self) -> None:
        """Refuse ragged rows."""
        for place, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(f"the table '{self.title}' has {len(self.columns)} columns; row {place} has {len(row)} cells")


_CHANNELS = ("x", "y", "low", "high", "color", "size")
_PLAIN = (str, int, float, bool, type(None))


ChartKind = Literal["intervals", "bars", "lines", "points", "heat", "histogram"]

Reference = tuple[float | Literal["diagonal"], str]
"""Where a reference line lies and what it means."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A picture of a table, from a closed set of kinds so that evidence can never carry code.

    `intervals`: one point with an interval per category `y` (`low`, `x`, `high`), a vertical `reference`, a label at the
    right from `size`.
    `bars`: signed horizontal bars `x` per category `y`.
    `lines`: `y` over `x`, one line per `color`; a band where `low` and `high` are given, a horizontal or diagonal `reference`.
    `points`: a scatter of `y` over `x`, a horizontal or diagonal `reference`.
    `heat`: a value `color` per cell (`x`, `y`), with the cell's text in `size` where given.
    `histogram`: bars of height `y` from `low` to `high`.

    Args:
        kind: One of the kinds above.
        title: What is shown.
        message: What a reader should take from it, one sentence; also read out by screen readers.
        rows: Records with the keys `x`, `y`, `low`, `high`, `color`, `size` that the kind uses.
        x_title, y_title: Axis titles with units.
        reference: A reference line's position and meaning, or None; at "diagonal", `x` and `y` are equal.
        section: Heading under which charts of an audit are grouped.
        percent: Whether what it measures are shares from 0 to 1, to be written in per cent.

    Raises:
        ValueError: There is no such kind, a record holds another key or a value that is neither text nor a number, or the
            reference is no pair of a position and a text, or a diagonal of axes that are not both numbers.
    """

    kind: ChartKind
    title: str
    message: str
    rows: tuple[Mapping[str, Any], ...]
    x_title: str = ""
    y_title: str = ""
    reference: Reference | None = None
    section: str | None = None
    percent: bool = False

    def __post_init__(self) -> None:
        """Refuse what no chart can be drawn of."""
        if self.kind not in get_args(ChartKind):
            raise ValueError(
                f"the chart '{self.title}' is of no known kind: {self.kind!r}; kinds: {', '.join(get_args(ChartKind))}"
            )
        for row in self.rows:
            strange = [key for key, value in row.items() if key not in _CHANNELS or not isinstance(value, _PLAIN)]
            if strange:
                raise ValueError(f"the chart '{self.title}' cannot show {strange[0]!r}: {row[strange[0]]!r}")
        if self.reference is not None and not _is_reference(self.reference, self.kind):
            raise ValueError(f"the chart '{self.title}' of kind {self.kind!r} can have no such reference: {self.reference!r}")

    @property
    def on_diagonal(self) -> bool:
        """Whether the reference line is the diagonal."""
        return self.reference is not None and self.reference[0] == "diagonal"

    @property
    def reference_value(self) -> float | None:
        """The number that the reference line stands at; None where it is the diagonal, or there is none."""
        return None if self.reference is None or self.reference[0] == "diagonal" else self.reference[0]


SHARE_OF_INFLUENCE = "share of all influence"
"""The column of a table that tells how much of an explanation each input holds, whose first column names the inputs: what a
summary shows of why a model decides so."""


def _is_reference(given: object, kind: ChartKind) -> bool:
    if not isinstance(given, tuple) or len(given) != 2 or not isinstance(given[1], str):
        return False
    return kind in ("lines", "points") if given[0] == "diagonal" else isinstance(given[0], int | float)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One contribution within a case.

    Args:
        name: The feature.
        value: Its value in the row, in a person's words and units.
        contribution: Signed contribution to the explained output.
    """

    name: str
    value: str
    contribution: float


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image, with whatever is laid over it already drawn in.

    Args:
        title: What is shown.
        message: What a reader should take from it, one sentence; also read out by screen readers.
        png: The bytes of a PNG file in base64.
        legend: What the colours mean.

    Raises:
        ValueError: `png` holds no PNG.
    """

    title: str
    message: str
    png: str
    legend: str = ""

    def __post_init__(self) -> None:
        """Refuse anything but a PNG: evidence can never carry code."""
        if not base64.b64decode(self.png, validate=True).startswith(_PNG):
            raise ValueError(f"the picture '{self.title}' is no PNG")


@dataclass(frozen=True, kw_only=True)
class Token:
    """A piece of a text, in reading order.

    Args:
        text: The piece as a person reads it, with the space before it where there is one.
        contribution: Signed contribution to the explained output; None where the piece takes no part.
    """

    text: str
    contribution: float | None


@dataclass(frozen=True, kw_only=True)
class Case:
    """A single decision shown in full.

    Args:
        title: Why this row is shown ("the least certain decision").
        row: Its id.
        decision: What was decided, with its certainty, in words.
        truth: What was true, in words, or None.
        parts: Contributions, largest first.
        tokens: The text the decision was made on, shaded by contribution.
        pictures: The image the decision was made on, with its map.
        charts: The series or the signal the decision was made on, with its map.
        note: What else a reader must know.
    """

    title: str
    row: str
    decision: str
    truth: str | None
    parts: tuple[Part, ...] = ()
    tokens: tuple[Token, ...] = ()
    pictures: tuple[Picture, ...] = ()
    charts: tuple[Chart, ...] = ()
    note: str | None = None
