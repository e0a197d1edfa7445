"""Reading a Parquet file that a person named."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from pyarrow import ArrowException

from glassbench.storage.data_files import check_data_file, check_unpacked, unreadable


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
        raise unreadable(path, error, where) from error


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
        raise unreadable(path, error, where) from error
    check_unpacked(max(cells, stated), path.stat().st_size, path, where)
