"""The row groups of Parquet files, read one at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from glassbench.errors import DataError, said
from glassbench.storage.data_files import check_data_file

_ENDINGS = (".parquet", ".pq")


@dataclass(frozen=True, eq=False, kw_only=True)
class RowGroups:
    """Row groups of one table, in the order of their files' names.

    Args:
        files: The Parquet files.
        groups: The row groups.
        sizes: How many rows each has, int64 `(groups,)`.
        schema: The columns; folders named `key=value` add columns.
    """

    files: tuple[Path, ...]
    groups: tuple[ds.ParquetFileFragment, ...]
    sizes: np.ndarray
    schema: pa.Schema

    def __len__(self) -> int:
        """Number of row groups."""
        return len(self.groups)

    @property
    def total(self) -> int:
        """Number of rows."""
        return int(self.sizes.sum())

    def first_row(self, place: int) -> int:
        """Return how many rows stand before a row group."""
        return int(self.sizes[:place].sum())

    def frame(self, place: int, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read a row group; numbers that may be missing are float64.

        Args:
            place: Which one.
            columns: The columns that are wanted; None for all.

        Raises:
            DataError: It cannot be read.
        """
        try:
            table = self.groups[place].to_table(schema=self.schema, columns=None if columns is None else list(columns))
            frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True)
        except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
            raise _unreadable(Path(self.groups[place].path), error) from error
        return frame


def row_groups(path: Path, where: str = "dataset.path") -> RowGroups:
    """Return the row groups of a Parquet file, or of all Parquet files in a folder.

    Raises:
        DataError: There is none, a file cannot be read, or files have other columns.
    """
    files = [path] if not path.is_dir() else sorted(file for file in path.rglob("*") if file.suffix in _ENDINGS)
    if not files:
        raise DataError("the folder holds no Parquet files", got=str(path), where=where)
    for file in files:
        check_data_file(file, where, whole=False)
    try:
        base = {"partition_base_dir": str(path)} if path.is_dir() else {}
        table = ds.dataset([str(file) for file in files], format="parquet", partitioning="hive", **base)
        groups = tuple(group for file in table.get_fragments() for group in file.split_by_row_group())
        sizes = np.array([group.row_groups[0].num_rows for group in groups], dtype=np.int64)
        _check_columns(files, table)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(path, error, where) from error
    kept = np.flatnonzero(sizes > 0)
    if not len(kept):
        raise DataError("the files hold no rows", got=str(path), where=where)
    return RowGroups(files=tuple(files), groups=tuple(groups[place] for place in kept), sizes=sizes[kept], schema=table.schema)


def _check_columns(files: Sequence[Path], table: ds.Dataset) -> None:
    """Raise `DataError` where a file has other columns than the first."""
    first: pa.Schema | None = None
    for file, fragment in zip(files, table.get_fragments(), strict=True):
        found = fragment.physical_schema
        first = first or found
        if not found.equals(first):
            other = sorted({*map(str, found)} ^ {*map(str, first)})
            raise DataError(
                "the files of one table have the same columns",
                got=f"{file.name} differs from {files[0].name} in {', '.join(other[:5])}",
                where="dataset.path",
                fix="write all files with the same columns and types",
            )


def _unreadable(path: Path, error: BaseException, where: str = "dataset.path") -> DataError:
    fix = "check that the file is whole and that it is a Parquet file"
    return DataError("the file cannot be read", got=f"{path.name}: {said(error)}"[:300], where=where, fix=fix)
