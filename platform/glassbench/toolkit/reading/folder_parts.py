"""Files in folders of classes as rows, and folders of parts as their division."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pandas as pd

from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.reading.labelled_files import labelled_files
from glassbench.toolkit.splits.split_by import SplitBy, division_of
from glassbench.toolkit.splits.splits import Division

PART = "folder of the part"
"""The column that says which part the folder of a file stands for."""


def files_by_class(root: Path, endings: Collection[str], kind: str, label: str | None = None) -> pd.DataFrame:
    """Return the files of a folder: columns `file`, `label`, and the part where folders name parts.

    The folder of a file is its class, unless a table beside the files names them and their classes.

    Args:
        root: The folder.
        endings: Endings of the files, in small letters with the point.
        kind: What the files are, for the error ("images").
        label: The table's column of classes, where it is named.

    Raises:
        DataError: There is none.
    """
    found = labelled_files(root, endings, kind, label).files
    return pd.DataFrame([{"file": one.name, "label": one.label, **({PART: one.part} if one.part else {})} for one in found])


def folder_division(
    split: SplitBy | None,
    table: pd.DataFrame,
    *,
    seed: int,
    cluster: str | None = None,
    shares: tuple[float, float] = (0.2, 0.2),
) -> Division:
    """Return how files are to be divided: as their folders say, where these are named for parts.

    Raises:
        DataError: The folders say it, and the setting says something else.
    """
    if PART not in table:
        return division_of(split, table, seed=seed, cells=Cells(), cluster=cluster, shares=shares)[1]
    if "by" in (split or {}):
        raise DataError(
            "the folders train and test say already which files are for testing",
            got=f"split by {(split or {})['by']}",
            where="dataset.split",
            fix="leave dataset.split out, or read a table that names files and labels",
        )
    named: SplitBy = {"by": "column", "column": PART, **(split or {})}
    return replace(division_of(named, table, seed=seed, cells=Cells(), shares=shares)[1], words="as their folders say")
