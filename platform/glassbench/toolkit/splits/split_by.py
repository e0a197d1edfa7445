"""The setting `split`: how rows are divided into those to learn from, to stop by and to be judged by."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import ConfigDict
from typing_extensions import TypedDict

from glassbench.errors import DataError, SettingsError, suggest
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.columns import require_columns
from glassbench.toolkit.splits.folds import Fold
from glassbench.toolkit.splits.named_parts import named_parts
from glassbench.toolkit.splits.split_by_date import by_date
from glassbench.toolkit.splits.splits import Division, Part, Positions

Files = Path | tuple[Path, Path]
By = Literal["random", "cluster", "date", "column", "file"]
_From = TypedDict("_From", {"from": str | int | float}, total=False)

_KEYS: dict[str, tuple[str, ...]] = {
    "random": ("validation", "test"),
    "cluster": ("column", "validation", "test"),
    "date": ("column", "format", "from", "validation_from", "validation", "test"),
    "column": ("column", "validation"),
    "file": ("test", "validation"),
}
_NEEDED = {"date": "column", "column": "column", "file": "test"}


class SplitBy(_From, total=False):
    """How rows are divided.

    Attributes:
        by: `random` (stratified by class, or by tenths of a value); `cluster` (no cluster in two parts); `date` (the latest rows
            for testing, those before for validation); `column` (a column names the part of each row); `file` (other files).
        column: The column of dates, of groups that stay together, or of the names train, validation and test.
        from: The first date of the test rows, instead of their share.
        validation_from: The first date of the validation rows, instead of their share.
        format: How dates are written, as in `%d/%m/%Y`, where they do not tell.
        validation: Share of the rows for validation, 0 for none; of the training rows where the test rows are given. Or a file;
            or two, where the data set reads two files whose lines belong together.
        test: Share of the rows for testing. Or a file, or two.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]
    by: By
    column: str
    validation_from: str | int | float
    format: str
    validation: float | Path | tuple[Path, Path]
    test: float | Path | tuple[Path, Path]


def division_of(
    split: SplitBy | None,
    frame: pd.DataFrame,
    *,
    seed: int,
    cells: Cells,
    cluster: str | None = None,
    shares: tuple[float, float] = (0.2, 0.2),
    read: Callable[[Files, str], pd.DataFrame] | None = None,
    fold: Fold | None = None,
) -> tuple[pd.DataFrame, Division]:
    """Return all rows, those of further files too, and how they are to be divided.

    Args:
        split: The setting; None divides at random.
        frame: The rows of the data set's own file.
        seed: Seed of what is drawn.
        cells: How cells read.
        cluster: The column of clusters, or None.
        shares: Shares for validation and testing where the setting names none.
        read: Reads a further file, given its path and the setting that names it; None where there can be none.
        fold: The fold of cross-validation that is for testing, or None.

    Raises:
        SettingsError: The setting has a key that does not belong, or lacks one that does; or it leaves no folds.
        DataError: The column is missing, or does not divide the rows.
    """
    given: dict[str, Any] = dict(split or {})
    by = str(given.get("by", "random"))
    _check_keys(by, given)
    if fold is not None:
        _check_folds(by, given)
    if by == "file":
        return _by_file(given, frame, seed, shares, read)
    validation, test = (_share(given, key, usual) for key, usual in zip(("validation", "test"), shares, strict=True))
    column = given.get("column")
    require_columns(frame.columns, [column] if column else [], "dataset.split.column")
    if by == "cluster":
        return frame, replace(_by_cluster(column or cluster, seed, validation, test), fold=fold)
    if by == "column":
        parts = named_parts(frame[str(column)])
        words = f"as the column '{column}' says"
        return frame, Division(seed=seed, validation=validation, given=parts, words=words, columns=(str(column),))
    if by == "date":
        parts, words = by_date(frame[str(column)], given, cells, validation=validation, test=test)
        return frame, Division(seed=seed, validation=0, given=parts, words=words, columns=(str(column),))
    return frame, Division(seed=seed, validation=validation, test=test, fold=fold)


def _check_folds(by: str, given: Mapping[str, Any]) -> None:
    """Refuse folds where the test rows are not drawn, or have a share of their own."""
    if by not in ("random", "cluster"):
        fix = "a split by random or by cluster, or no `fold`"
        raise SettingsError(
            f"a split by {by} says which rows are for testing, so there are no folds", where="dataset.fold", fix=fix
        )
    if "test" in given:
        fix = "remove one of them"
        raise SettingsError("`test` and `fold` both say how many rows are for testing", where="dataset.split.test", fix=fix)


def one_file(files: Files, where: str) -> Path:
    """Return the file that was named.

    Raises:
        DataError: There are two.
    """
    if isinstance(files, tuple | list):
        raise DataError("this data set reads one file for each part", where=where, got=_named(files))
    return files


def _by_cluster(column: str | None, seed: int, validation: float, test: float) -> Division:
    if column is None:
        raise SettingsError(
            "a split by cluster needs to know the clusters",
            where="dataset.split",
            fix="name their column in dataset.cluster, or a column whose rows stay together: {by: cluster, column: ...}",
        )
    return Division(
        seed=seed,
        validation=validation,
        test=test,
        together=column,
        words=f"at random by {column}: all rows with the same value are in one part",
        columns=(column,),
    )


def _by_file(
    given: Mapping[str, Any],
    frame: pd.DataFrame,
    seed: int,
    shares: tuple[float, float],
    read: Callable[[Files, str], pd.DataFrame] | None,
) -> tuple[pd.DataFrame, Division]:
    if read is None:
        raise SettingsError("this data set reads one file", where="dataset.split.by", got="file", available=["random", "date"])
    files: dict[Part, Files] = {part: given[part] for part in ("validation", "test") if _is_file(given.get(part))}
    if "test" not in files:
        raise SettingsError(
            "a split by file names the file of the test rows", where="dataset.split.test", got=str(given.get("test"))
        )
    frames: dict[Part, pd.DataFrame] = {"train": frame}
    for part, file in files.items():
        further = read(file, f"dataset.split.{part}")
        require_columns(further.columns, list(map(str, frame.columns)), f"dataset.split.{part}")
        frames[part] = further[frame.columns]
    ends = np.cumsum([0, *map(len, frames.values())])
    parts: Positions = {part: np.arange(ends[i], ends[i + 1]) for i, part in enumerate(frames)}
    validation = 0.0 if "validation" in files else _share(given, "validation", shares[0])
    words = " and ".join(f"{part} rows from {_named(file)}" for part, file in files.items())
    return pd.concat(frames.values(), ignore_index=True), Division(seed=seed, validation=validation, given=parts, words=words)


def _is_file(value: Any) -> bool:
    return isinstance(value, str | Path | tuple | list)


def _named(file: Files) -> str:
    return " and ".join(Path(each).name for each in (file if isinstance(file, tuple | list) else (file,)))


def _check_keys(by: str, given: Mapping[str, Any]) -> None:
    keys = _KEYS[by]
    for key in given:
        if key != "by" and key not in keys:
            raise SettingsError(
                f"a split by {by} takes no '{key}'",
                where=f"dataset.split.{key}",
                available=keys,
                fix=suggest(key, keys) or _meant(key),
            )
    needed = _NEEDED.get(by)
    if needed is not None and needed not in given:
        raise SettingsError(f"a split by {by} needs '{needed}'", where=f"dataset.split.{needed}", available=keys)
    for share, start in (("test", "from"), ("validation", "validation_from")):
        if share in given and start in given:
            raise SettingsError(
                f"'{share}' and '{start}' both say where the {share} rows begin", where="dataset.split", fix="remove one of them"
            )


def _meant(key: str) -> str | None:
    meant = [by for by, keys in _KEYS.items() if key in keys]
    return f"did you mean a split by {' or '.join(meant)}?" if meant else None


def _share(given: Mapping[str, Any], key: str, usual: float) -> float:
    value = given.get(key, usual)
    if _is_file(value):
        raise SettingsError(
            f"'{key}' is a share of the rows here",
            where=f"dataset.split.{key}",
            got=str(value),
            fix=f"a number between 0 and 1; for a file of {key} rows: {{by: file, test: ...}}",
        )
    if not 0 <= value < 1:
        raise DataError(
            f"'{key}' is a share of the rows", where=f"dataset.split.{key}", got=f"{value:g}", fix="a number from 0 to below 1"
        )
    return float(value)
