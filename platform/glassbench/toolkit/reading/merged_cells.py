"""Cells of an Excel sheet that were merged: one value that stands for several rows or columns."""

import re
from collections.abc import Sequence
from typing import Any
from zipfile import ZipFile

from glassbench.contracts.data import Treatment

_MERGED = re.compile(rb'<mergeCell [^>]*ref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"')

Area = tuple[int, int, int, int]
"""First and last row, first and last column, counted from 0."""


def merged_areas(archive: ZipFile, page: Any) -> list[Area]:
    """Return what was merged on a sheet that openpyxl has open in its read-only mode, which leaves that out."""
    found = _MERGED.findall(archive.read(page._worksheet_path.lstrip("/")))
    return [(int(top) - 1, int(bottom) - 1, _column(left), _column(right)) for left, top, right, bottom in found]


def filled_down(rows: list[list[str]], areas: Sequence[Area]) -> list[Treatment]:
    """Write the value of cells that were merged over several rows of one column into each of them, in place; say so.

    Cells merged over several columns keep their value in the first one, as spreadsheets show it; that is said too.

    Args:
        rows: The cells of a sheet, by row; shorter rows end in blanks.
        areas: What was merged.
    """
    down = [area for area in areas if area[1] > area[0] and area[2] == area[3]]
    across = [(top, left) for top, _, left, right in areas if right > left and 0 < top < len(rows)]
    examples: list[str] = []
    for top, bottom, column, _ in down:
        value = rows[top][column] if top < len(rows) and column < len(rows[top]) else ""
        for row in rows[top : bottom + 1] if value else ():
            row.extend([""] * (column + 1 - len(row)))
            row[column] = value
        examples += [value] if value else []
    said = []
    if examples:
        sentence = f"{len(examples)} cells merged over several rows; their value counts for each of the rows"
        said.append(Treatment(action="converted", sentence=sentence, count=len(examples), examples=tuple(examples[:3])))
    if across:
        sentence = f"{len(across)} cells merged over several columns; their value stands in the first, the others are blank"
        said.append(Treatment(action="detected", sentence=sentence, count=len(across)))
    return said


def _column(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - ord("A") + 1
    return place - 1
