"""The files that hold one table of decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glassbench.errors import DataError, suggest
from glassbench.toolkit.reading.tables import PARQUET, Format


@dataclass(frozen=True, kw_only=True)
class Files:
    """Files of one table.

    Args:
        paths: The files, all Parquet or all text.
        form: How text files hold the table.
    """

    paths: tuple[Path, ...]
    form: Format

    @property
    def parquet(self) -> bool:
        """Whether they are Parquet files."""
        return all(path.suffix in PARQUET for path in self.paths)

    @property
    def separator(self) -> str:
        """What stands between the cells of text files."""
        return self.form.separator_of(self.paths[0])

    def check_alike(self, names: Sequence[Sequence[str]]) -> None:
        """Raise `DataError` unless all files have the columns of the first, in its order: engines match them by place.

        Args:
            names: Names of the columns of each file.
        """
        for path, found in zip(self.paths, names, strict=True):
            if list(found) != list(names[0]):
                problem = f"'{path}' has other columns than '{self.paths[0]}'"
                raise DataError(
                    problem, got=", ".join(found), available=names[0], fix="give all files the same columns in one order"
                )


def check_columns(known: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise `DataError`, with the nearest right spelling, when a column is not there."""
    for name in wanted:
        if name not in known:
            raise DataError(f"there is no column '{name}'", got=name, available=known, fix=suggest(name, known))
