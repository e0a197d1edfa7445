"""Looking at a file of a table: how it is written, what its columns hold and what they may be for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from glassbench.errors import DataError
from glassbench.experiments.inspection import ColumnFacts, Inspection
from glassbench.toolkit.cells.cells import Cells, ColumnReading
from glassbench.toolkit.cells.columns import Reading, read_columns
from glassbench.toolkit.cells.kinds import DATES, Asked
from glassbench.toolkit.reading.detection import NAMES
from glassbench.toolkit.reading.shape import NO_NAMES, TOTAL, TWO_HEADERS
from glassbench.toolkit.reading.tables import WIDE, Format, Loaded, load
from glassbench.toolkit.reading.workbooks import EXCEL
from glassbench_plugins.tabular.marks_among_numbers import codes_problem, marks_problem, missing_marks
from glassbench_plugins.tabular.purposes import bands_of, codes_like, looks_like, named_target, only_binary, person_like

_TRIES = 4


def inspect_table(path: Path, settings: Mapping[str, Any]) -> Inspection:
    """Look at a CSV, Parquet or Excel file.

    Args:
        path: The file.
        settings: Settings of `table` that say how it is read; what they leave open is detected.

    Raises:
        DataError: The file cannot be read in any way that is known; the message says what helps.
    """
    loaded, found, problems = _loaded(path, Format(**settings))
    frame, cells = loaded.frame, Cells()
    reading, asked = _reading(frame, cells, problems)
    found |= asked
    columns = tuple(_facts(column, reading) for _, column in frame.items())
    left_out = [column.name for column in columns if column.kind == "date"]
    found |= {"drop": left_out} if left_out else {}
    problems += [f"column '{name}' holds dates, which are no input by themselves: it is dropped" for name in left_out]
    problems += [str(one) for one in reading.treatments if one.action in ("missing", "converted")]
    problems += [_may_be_codes(column) for column in columns if codes_like(column, len(frame))]
    columns = _with_purposes(frame, columns)
    problems += _among_numbers(frame, columns, reading)
    return Inspection(
        path=str(path),
        rows=len(frame),
        columns=columns,
        file=_written(path, loaded, reading),
        duplicates=_duplicates(frame),
        problems=tuple(problems),
        settings=found,
    )


def _loaded(path: Path, form: Format) -> tuple[Loaded, dict[str, Any], list[str]]:
    """Return a file's table, the settings that read it, and what had to be worked around."""
    found: dict[str, Any] = {}
    problems: list[str] = []
    for _ in range(_TRIES):
        try:
            loaded = load(path, form, "FILE")
        except DataError as error:
            known: dict[str, dict[str, Any]] = {
                NO_NAMES: {"columns": _numbered(path, form)},
                TWO_HEADERS: {"skip": form.skip + 1},
                TOTAL: {"skip_end": form.skip_end + 1},
            }
            if error.problem not in known:
                raise
            found |= known[error.problem]
            form = replace(form, **known[error.problem])
            names = ", ".join(f"{name}={_short(value)}" for name, value in known[error.problem].items())
            problems.append(f"{error.problem} ({error.got}): read with {names}")
        else:
            return loaded, found, problems
    raise DataError("the file cannot be read", got=path.name, where="FILE", fix="; ".join(problems))


def _numbered(path: Path, form: Format) -> tuple[str, ...]:
    """Name the columns of a file without a header after their places."""
    try:
        width = load(path, replace(form, columns=("x",)), "FILE").frame.shape[1]
    except DataError as error:
        told = error.problem.split()
        width = int(told[3]) if error.problem.startswith("a row has") else 1
    return tuple(f"c{place}" for place in range(1, width + 1))


def _reading(frame: pd.DataFrame, cells: Cells, problems: list[str]) -> tuple[Reading, dict[str, Any]]:
    """Return how columns read, with what a person must say for it."""
    asked: dict[str, Any] = {}
    rules = Asked(strange="missing", dates="leave out")
    try:
        reading = read_columns(frame, cells, rules)
    except DataError as error:
        problems.append(f"{error.problem}; read with dataset.decimal='.', change it if that is wrong")
        asked, rules = {"decimal": "."}, replace(rules, decimal=".")
        reading = read_columns(frame, cells, rules)
    if any("no numbers" in one.sentence for one in reading.treatments if one.action == "missing"):
        asked["strange"] = "missing"
    return reading, asked


def _facts(column: pd.Series, reading: Reading) -> ColumnFacts:
    name = str(column.name)
    counted, reason = reading.cells.counted(column), reading.reasons[name]
    kind = reading.kinds.get(name) or _left_out(reason)
    return ColumnFacts(
        name=name,
        kind=kind,
        reason=reason,
        missing=len(column) - sum(counted.values()),
        distinct=len(counted),
        example=next(iter(counted), "")[:40],
        use="input" if kind in ("number", "category") else "left out",
        bands=bands_of(reading.cells.numbers(column).to_numpy()) if kind == "number" else (),
    )


def _duplicates(frame: pd.DataFrame) -> int:
    if frame.shape[1] <= WIDE:
        return int(frame.astype(str).duplicated().sum())
    return len(frame) - len({tuple(map(str, row)) for row in frame.to_numpy(dtype=object)})


def _left_out(reason: str) -> str:
    if reason == DATES:
        return "date"
    if reason.startswith("no value"):
        return "empty"
    return "constant" if reason.startswith("the same value") else "identifier" if "numbers the rows" in reason else "text"


def _with_purposes(frame: pd.DataFrame, columns: tuple[ColumnFacts, ...]) -> tuple[ColumnFacts, ...]:
    rows, last = len(frame), "" if not columns or any(map(named_target, columns)) else columns[-1].name
    found = []
    for column in columns:
        purposes = looks_like(column, rows, is_last=column.name == last)
        if person_like(column, rows):
            purposes = (*purposes, "a person's id")
        found.append(replace(column, looks_like=purposes))
    if not any("target" in column.looks_like for column in found):
        only = only_binary(found)
        found = [replace(c, looks_like=("target", *c.looks_like)) if c.name == only else c for c in found]
    return tuple(found)


def _among_numbers(frame: pd.DataFrame, columns: Sequence[ColumnFacts], reading: Reading) -> Iterator[str]:
    """Yield what may be no number among numbers: marks of missing values, and codes of a target's classes."""
    for column in columns:
        if column.kind != "number":
            continue
        values = reading.cells.numbers(frame[column.name]).to_numpy()
        marks = missing_marks(values)
        if marks:
            yield marks_problem(column, marks)
        if "target" in column.looks_like and (said := codes_problem(column, values)) is not None:
            yield said


def _may_be_codes(column: ColumnFacts) -> str:
    return (
        f"{column.name}: {column.distinct} different numbers under a name that codes have, read as numbers; "
        f"if they say which and not how much, set dataset.types={{{column.name}: category}}"
    )


def _written(path: Path, loaded: Loaded, reading: Reading) -> dict[str, str]:
    if loaded.form.separator is None:
        return {"format": "Parquet"}
    separator, encoding = NAMES.get(loaded.form.separator, loaded.form.separator), str(loaded.form.encoding)
    workbook = path.suffix.lower() in EXCEL
    marks = sorted({mark for name, one in reading.cells.columns.items() for mark in _decimal_mark(loaded.frame[name], one)})
    return {
        **({"format": "Excel workbook"} if workbook else {"separator": separator, "encoding": encoding}),
        "decimal mark": " and ".join(marks) or ("none: whole numbers" if "number" in reading.kinds.values() else "no numbers"),
        "header": "none: columns are named by their place" if loaded.form.columns else "the first line",
        **({"skipped": f"{loaded.form.skip} lines above the header"} if loaded.form.skip else {}),
    }


def _decimal_mark(column: pd.Series, reading: ColumnReading) -> list[str]:
    """Return the mark before the fractions of a column of numbers; none where it is of whole numbers or of none."""
    if reading.notation is None or not column.astype("string").str.contains(reading.notation.decimal, regex=False).any():
        return []
    return ["comma" if reading.notation.decimal == "," else "point"]


def _short(value: object) -> str:
    return f"[{value[0]}, ..., {value[-1]}]" if isinstance(value, tuple) and value else str(value)
