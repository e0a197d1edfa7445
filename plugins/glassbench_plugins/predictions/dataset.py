"""The data set of decisions made elsewhere."""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch

from glassbench.data import Data, Schema, Split, Target
from glassbench.errors import DataError, suggest
from glassbench_plugins.predictions.columns import DECISION, SCORE, class_names, classes_of, scores_of
from glassbench_plugins.tabular.cells import Cells
from glassbench_plugins.tabular.groups import Band, group_code, sensitive_column, sensitive_name
from glassbench_plugins.tabular.reading import Format, read_table


def predictions(
    seed: int,
    *,
    path: Path | tuple[Path, ...],
    truth: str,
    decision: str,
    score: str | None = None,
    sensitive: tuple[str | Band, ...] = (),
    kind: Literal["class", "value"] = "class",
    positive: str | None = None,
    decides: tuple[str, ...] = (),
    missing: tuple[str, ...] = ("", "NA", "NaN", "null"),
    separator: str | None = None,
    encoding: str = "utf-8",
    unit: str = "row",
) -> Data:
    """Decisions made elsewhere, as rows to audit; there is nothing to train on.

    Args:
        seed: Unused: nothing is drawn.
        path: A CSV or Parquet file, compressed too, or several with the same columns.
        truth: Column of what was true.
        decision: Column of what was decided or predicted.
        score: Column of the probability given to the positive class, between 0 and 1; two classes only.
        sensitive: Columns to audit by, or numbers cut into bands.
        kind: Whether decisions are classes or values.
        positive: The class that rates speak of; without it, the last of two in order.
        decides: Values of the decision column that stand for the positive class, all others for the other one.
        missing: Marks that stand for no value.
        separator: What stands between the cells of a text file.
        encoding: Character encoding of a text file.
        unit: What one row is, in the singular.

    Raises:
        DataError: A file, a column, a label or a score cannot be used.
    """
    paths = (path,) if isinstance(path, Path) else path
    frame = _read(paths, Format(separator=separator, encoding=encoding))
    wanted = [truth, decision, *([score] if score else []), *(sensitive_column(feature) for feature in sensitive)]
    _check_columns(frame, wanted)
    cells = Cells(missing=tuple(missing))
    frame, notes = _without_gaps(frame, [truth, decision, *([score] if score else [])], cells)
    target, raw = (
        _classes(frame, truth, decision, score, positive, decides, cells)
        if kind == "class"
        else _values(frame, truth, decision, cells)
    )
    codes = [group_code(feature, frame, cells) for feature in sensitive]
    groups = pd.DataFrame({code.name: code.groups(frame[code.column], cells).to_numpy() for code in codes}, index=frame.index)
    names = tuple(sensitive_name(feature) for feature in sensitive)
    schema = Schema(modality="table", shape=(0,), target=target, sensitive=names, unit=unit, extras={"scores": score is not None})
    held = Split(inputs=(), rows=np.arange(len(frame)), target=_truth(raw, target), groups=groups, raw=raw.drop(columns="truth"))
    nothing = Split(inputs=(), rows=np.arange(0))
    return Data(schema=schema, train=nothing, test=held, notes=notes, source=", ".join(path.name for path in paths))


def _read(paths: tuple[Path, ...], form: Format) -> pd.DataFrame:
    frames = [read_table(path, form) for path in paths]
    strange = [path for path, frame in zip(paths, frames, strict=True) if list(frame.columns) != list(frames[0].columns)]
    if strange:
        raise DataError(f"'{strange[0]}' has other columns than '{paths[0]}'", available=list(frames[0].columns))
    return pd.concat(frames, ignore_index=True)


def _check_columns(frame: pd.DataFrame, wanted: list[str]) -> None:
    for name in wanted:
        if name not in frame:
            known = list(map(str, frame.columns))
            raise DataError(f"there is no column '{name}'", got=name, available=known, fix=suggest(name, known))


def _without_gaps(frame: pd.DataFrame, columns: list[str], cells: Cells) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Leave out rows without a truth, a decision or a score, and say how many."""
    gaps = pd.concat([cells.texts(frame[column]).isna() for column in columns], axis=1).any(axis=1)
    if gaps.all():
        raise DataError("no row has a truth and a decision", got=f"{len(frame)} rows")
    notes = (f"{int(gaps.sum())} rows without {' or '.join(columns)} were left out",) if gaps.any() else ()
    return frame[~gaps].reset_index(drop=True), notes


def _classes(
    frame: pd.DataFrame,
    truth: str,
    decision: str,
    score: str | None,
    positive: str | None,
    decides: tuple[str, ...],
    cells: Cells,
) -> tuple[Target, pd.DataFrame]:
    actual, decided = cells.texts(frame[truth]), cells.texts(frame[decision])
    names = class_names(actual, decided if not decides else actual, positive)
    if decides:
        decided = classes_of(decided, decides, names)
    raw = pd.DataFrame({"truth": actual, DECISION: decided})
    if score is not None:
        raw[SCORE] = scores_of(cells.numbers(frame[score]), score, names)
    return Target(name=truth, kind="class", classes=names, positive=names[-1] if len(names) == 2 else positive), raw


def _values(frame: pd.DataFrame, truth: str, decision: str, cells: Cells) -> tuple[Target, pd.DataFrame]:
    raw = pd.DataFrame({"truth": cells.numbers(frame[truth]), DECISION: cells.numbers(frame[decision])})
    return Target(name=truth, kind="value"), raw


def _truth(raw: pd.DataFrame, target: Target) -> torch.Tensor:
    if target.kind == "value":
        return torch.tensor(raw["truth"].to_numpy(dtype=np.float64))
    return torch.tensor(pd.Index(target.classes).get_indexer(pd.Index(raw["truth"])), dtype=torch.long)
