"""The group that a row belongs to, where predictions depend on it beside the model's inputs."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from glassbench.export.scorer.raw_cells import MISSING, Row, RowsError, Texts

EVERYONE = "all rows"
"""What rows are called whose group has nothing of its own."""


class GroupColumn:
    """The column that tells a row's group.

    Args:
        spec: An entry of `groups` of the preprocessing of the kind `table`.
        cells: How raw cells read.
        labels: What values and columns are called.
    """

    def __init__(self, spec: Mapping[str, Any], cells: Mapping[str, Any], labels: Mapping[str, Any]) -> None:
        self.texts = Texts(spec["column"], cells, labels)
        self._column: str = spec["column"]
        self._bins: Sequence[float] | None = spec["bins"]
        self._names: Sequence[str] = spec["names"]

    def of(self, rows: Sequence[Row]) -> list[str] | None:
        """Return the group of each row; None where no row has the column.

        Raises:
            RowsError: The column is cut into bands, and cells of it are no numbers.
        """
        given = set().union(*rows)
        key = self._column if self._column in given else self.texts.raw_name
        if key not in given:
            return None
        labelled = key == self.texts.raw_name and bool(self.texts.called)
        cells = [row.get(key) for row in rows]
        return [self._group(self.texts.labelled(cell) if labelled else cell) for cell in cells]

    def _group(self, cell: Any) -> str:
        if self._bins is None:
            text = self.texts.read(cell)
            return MISSING if text is None else text
        try:
            number = self.texts.value(cell)
        except ValueError as error:
            raise RowsError(
                f"column '{self._column}' holds numbers, but a cell is none or infinite, such as '{error}'"
            ) from error
        return MISSING if number != number else self._names[bisect_right(self._bins, number)]
