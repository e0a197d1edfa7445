"""What a file of data holds, before anything is trained on it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class ColumnFacts:
    """One column of a table.

    Args:
        name: The column.
        kind: What it holds: `number`, `category`, `text`, `date`, `identifier`, `constant` or `empty`.
        reason: Why it is taken for that.
        missing: How many rows have no value.
        distinct: How many different values there are.
        example: The first value.
        use: What happens to it: `input`, or why it is left out.
        looks_like: What it may be for: `target`, `identifier`, `date`, `a person's id`, `sensitive feature`.
        bands: Bounds to cut a sensitive number at; empty where that makes no sense.
    """

    name: str
    kind: str
    reason: str
    missing: int
    distinct: int
    example: str
    use: str
    looks_like: tuple[str, ...] = ()
    bands: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """A file of data as a person would want to know it.

    Args:
        path: The file.
        rows: Number of rows.
        columns: Its columns in order.
        file: How it is written: separator, encoding, decimal mark, header.
        duplicates: Rows that are equal to an earlier one.
        problems: What has to be known or mended, with the setting that does so.
        settings: Settings of the data set that read the file, beyond its path.
    """

    path: str
    rows: int
    columns: tuple[ColumnFacts, ...]
    file: Mapping[str, str] = field(default_factory=dict)
    duplicates: int = 0
    problems: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def column(self, name: str) -> ColumnFacts | None:
        """Return a column by its name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return asdict(self)
