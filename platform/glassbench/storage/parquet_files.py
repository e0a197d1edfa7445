"""Reading a Parquet file that a person named."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from pyarrow import ArrowException

from glassbench.errors import DataError
from glassbench.storage.data_files import check_data_file, check_unpacked
from glassbench.storage.plain_files import readable


def read_parquet(path: Path, where: str = "dataset.path") -> pd.DataFrame:
    """Read a Parquet file with its types, once its kind, its size and the number of its cells are known to be bearable.

    Args:
        path: The file; links are followed.
        where: The setting that names it.

    Raises:
        DataError: It is missing, no plain file, no Parquet file, damaged or too large.
    """
    check_parquet(path, where)
    try:
        return pd.read_parquet(path)
    except (ArrowException, OSError, ValueError, MemoryError) as error:
        raise _unreadable(path, error, where) from error


def check_parquet(path: Path, where: str = "dataset.path") -> None:
    """Make sure that what a Parquet file says of itself is not too large to be read into memory.

    Equal values next to each other take no place in the file: each cell counts as a byte at least.

    Raises:
        DataError: It is missing, no plain file, no Parquet file, or too large.
    """
    check_data_file(path, where)
    try:
        facts = pq.read_metadata(path)
        groups = [facts.row_group(place) for place in range(facts.num_row_groups)]
        cells = sum(group.num_rows * group.num_columns for group in groups)
        stated = sum(group.total_byte_size for group in groups)
    except (ArrowException, OSError, ValueError, MemoryError) as error:
        raise _unreadable(path, error, where) from error
    check_unpacked(max(cells, stated), path.stat().st_size, path, where)


def _unreadable(path: Path, error: BaseException, where: str) -> DataError:
    got = f"{readable(str(path))}: {error}"[:300]
    return DataError(
        "the file cannot be read", got=got, where=where, fix="check that the file is whole and that its ending says what it is"
    )
