"""A cleaning: which rows of one data set are dropped and which get another label, as a person has read and edited it."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from glassbench.contracts.row_change import ACTIONS, SPLITS
from glassbench.errors import ExperimentError, suggest
from glassbench.experiments.experiment import validated
from glassbench.experiments.experiment_file import parse_document
from glassbench.storage.csv_text import as_written, csv_text
from glassbench.storage.plain_files import read_given

CLEANING, ROWS = "cleaning.yaml", "cleaning.csv"
"""What a cleaning is called where it is proposed and in a run's folder; its rows are in the file beside it."""

_LARGEST = 200_000_000
_REQUIRED = ("row", "split", "action")

_OPENING = """\
# What to change in the rows of one data set, split as they were. The rows are in the .csv file beside this one, a line each:
# action `drop` leaves a row out, `relabel` gives it new_label, `keep` changes nothing. Edit both as you like.
"""


@dataclass(frozen=True, kw_only=True)
class CleaningLine:
    """What becomes of one row.

    Args:
        row: Its id.
        split: `training`, `validation` or `test`.
        action: `drop`, `relabel` or `keep`.
        label: Its class by now; empty where nobody wrote it.
        new_label: The class it gets.
        chance_wrong: The chance that its label is wrong, as text.
        measure: The measure whose finding it comes from.
        reason: Why.
        remark: What a person says of it.
    """

    row: str
    split: str
    action: str
    label: str = ""
    new_label: str = ""
    chance_wrong: str = ""
    measure: str = ""
    reason: str = ""
    remark: str = ""


COLUMNS = tuple(field.name for field in fields(CleaningLine))


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: Literal[1]
    data: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    run: str = ""
    test_labels: Literal["keep", "change"] = "keep"

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, content: Any) -> Any:
        return {key: str(value) if key in ("data", "run") else value for key, value in content.items()}


@dataclass(frozen=True, kw_only=True)
class Cleaning:
    """A cleaning of one data set.

    Args:
        name: The file that it was read from, for messages.
        data: Fingerprint of the data it was made for, as they are without it.
        lines: What becomes of which rows.
        run: The run whose findings it comes from.
        changes_test: Whether labels of test rows may be changed.
    """

    name: str
    data: str
    lines: tuple[CleaningLine, ...]
    run: str = ""
    changes_test: bool = False

    @property
    def version(self) -> str:
        """What tells cleanings apart by what they do: the first 16 digits of a SHA-256; remarks and reasons have no part."""
        acting = sorted((one.split, one.row, one.action, one.new_label) for one in self.lines if one.action != "keep")
        return hashlib.sha256(repr((self.data, acting)).encode()).hexdigest()[:16]

    def files(self) -> dict[str, str]:
        """Return the text of its files by name."""
        content = {"run": self.run, "data": self.data, "test_labels": "change" if self.changes_test else "keep"}
        keys = "".join(f"{key}: {json.dumps(value)}\n" for key, value in content.items())
        frame = pd.DataFrame([asdict(line) for line in self.lines], columns=list(COLUMNS), dtype=object)
        return {CLEANING: f"{_OPENING}format: 1\n{keys}", ROWS: csv_text(frame)}


def read_cleaning(path: Path, version: str | None = None) -> Cleaning:
    """Read a cleaning and check its form; whether it fits the data is checked where they are read.

    Args:
        path: Its YAML file; its rows are in the CSV file of the same name beside it.
        version: The version it must have; None for any.

    Raises:
        ExperimentError: A file is missing or cannot be read, a key or a line is wrong, or it is of another version.
    """
    form = validated(_Form, parse_document(_text(path), path.name))
    rows = path.with_suffix(".csv")
    cleaning = Cleaning(
        name=str(path),
        data=form.data,
        run=form.run,
        changes_test=form.test_labels == "change",
        lines=_lines(_text(rows), rows.name),
    )
    if version is not None and version != cleaning.version:
        raise ExperimentError(
            "the cleaning is of another version than the experiment asks for",
            where=str(path),
            got=cleaning.version,
            available=[version],
            fix="restore the files, or name the version that was got, or none",
        )
    return cleaning


def _text(path: Path) -> str:
    try:
        return read_given(path, _LARGEST).decode("utf-8-sig")
    except FileNotFoundError as error:
        near = sorted(p.name for p in path.parent.glob(f"[!.]*{path.suffix}")) if path.parent.is_dir() else []
        fix = "`glassbench clean RUN` proposes a cleaning"
        raise ExperimentError("a cleaning's file is missing", got=str(path), available=near, fix=fix) from error
    except OSError as error:
        raise ExperimentError("a cleaning's file cannot be read", got=error.strerror, where=str(path)) from error
    except ValueError as error:
        raise ExperimentError("a cleaning's file is not UTF-8 text", got=str(error)[:200], where=str(path)) from error


def _lines(text: str, name: str) -> tuple[CleaningLine, ...]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        _check_columns(reader.fieldnames or (), name)
        found = [(reader.line_num, row) for row in reader if any(row.values())]
    except csv.Error as error:
        raise ExperimentError("the rows of a cleaning are no CSV", where=f"{name}:{reader.line_num}", got=str(error)) from error
    known: dict[tuple[str, str], str] = {}
    lines = []
    for number, row in found:
        line, where = line_of(row, f"{name}:{number}"), f"{name}:{number}"
        if (first := known.setdefault((line.split, line.row), where)) != where:
            problem = f"{line.split} row {line.row} has two lines in the cleaning"
            raise ExperimentError(problem, where=where, got=f"the other is {first}", fix="keep one of them")
        lines.append(line)
    return tuple(lines)


def _check_columns(columns: Sequence[str], name: str) -> None:
    strange = [column for column in columns if column not in COLUMNS]
    lacking = [column for column in _REQUIRED if column not in columns]
    if strange or lacking:
        problem = (
            f"the rows of a cleaning {'lack the column' if lacking else 'have an unknown column'} '{(lacking or strange)[0]}'"
        )
        fix = None if lacking else suggest(strange[0], COLUMNS) or "put what you have to say into 'remark'"
        raise ExperimentError(problem, where=f"{name}:1", got=", ".join(columns)[:200], available=COLUMNS, fix=fix)


def line_of(row: Mapping[Any, Any], where: str) -> CleaningLine:
    """Return a line of a cleaning's rows, checked by itself.

    Raises:
        ExperimentError: It has too few or too many cells, or an unknown split or action, or a new label is missing.
    """
    if None in row or None in row.values():
        raise ExperimentError("a line of a cleaning has another number of cells than its head", where=where)
    line = CleaningLine(**{str(name): as_written(str(cell).strip()) for name, cell in row.items()})
    for value, known, what in ((line.split, tuple(SPLITS), "split"), (line.action, ACTIONS, "action")):
        if value not in known:
            fix = suggest(value, known)
            raise ExperimentError(f"'{value}' is no {what} of a cleaning", where=where, got=value, available=known, fix=fix)
    if not line.row:
        raise ExperimentError("a line of a cleaning names no row", where=where)
    if line.action == "relabel" and not line.new_label:
        raise ExperimentError("a row is to be relabelled and no new_label is given", where=where, got=f"row {line.row}")
    return line
