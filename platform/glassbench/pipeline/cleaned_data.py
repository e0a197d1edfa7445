"""Data without the rows that a cleaning drops and with the labels that it changes, and an account of what it did to whom."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Data, Split, Treatment
from glassbench.contracts.row_change import SPLITS
from glassbench.contracts.schema import Schema
from glassbench.errors import DataError, suggest
from glassbench.experiments.cleaning import Cleaning, CleaningLine
from glassbench.rows.group_order import in_group_order
from glassbench.rows.some_rows import rows_of
from glassbench.runs.provenance import fingerprint


@dataclass(frozen=True, eq=False, kw_only=True)
class SplitChange:
    """What becomes of the rows of a split.

    Args:
        split: The split before.
        dropped: Whether each row is left out, bool `(n,)`.
        classes: The class of each row after, long `(n,)`; None where no label changes.
        lines: The lines of the cleaning that change rows.
    """

    split: Split
    dropped: np.ndarray
    classes: np.ndarray | None
    lines: tuple[CleaningLine, ...]

    @property
    def relabelled(self) -> np.ndarray:
        """Whether each row that stays gets another label, bool `(n,)`."""
        if self.classes is None or self.split.target is None:
            return np.zeros(len(self.split), dtype=bool)
        return np.asarray((self.classes != self.split.target.cpu().numpy()) & ~self.dropped)

    def applied(self, schema: Schema) -> Split:
        """Return the rows as they are afterwards."""
        split = self.split
        if self.classes is not None:
            split = replace(split, target=torch.as_tensor(self.classes))
            name = schema.target.name
            if split.raw is not None and name in split.raw:
                raw, changed = split.raw.copy(), np.flatnonzero(self.relabelled)
                column = raw[name].astype(object)
                column.iloc[changed] = [schema.target.classes[code] for code in self.classes[changed]]
                raw[name] = column
                split = replace(split, raw=raw)
        return rows_of(split, np.flatnonzero(~self.dropped)) if self.dropped.any() else split


def source_fingerprint(data: Data) -> str:
    """Return the fingerprint of data as they are without a cleaning."""
    return fingerprint({name: getattr(data, name) for name in SPLITS.values()})


def cleaned(data: Data, cleaning: Cleaning) -> Data:
    """Return data as a cleaning makes them: rows stay in their split, and what the data set fitted to its rows stays as it is.

    Raises:
        DataError: It was made for other data, a row does not exist, a label is no class, or a split or a class loses all rows.
    """
    changes = split_changes(data, cleaning)
    parts: dict[str, Any] = {SPLITS[name]: change.applied(data.schema) for name, change in changes.items()}
    for name, change in changes.items():
        _refuse_emptied(name, change, parts[SPLITS[name]], data.schema, cleaning)
    said = tuple(Treatment(action="cleaned", sentence=sentence) for sentence in _sentences(changes, cleaning))
    return replace(data, **parts, treatments=(*data.treatments, *said))


def split_changes(data: Data, cleaning: Cleaning) -> dict[str, SplitChange]:
    """Return what becomes of each split that a cleaning changes, by its name.

    Raises:
        DataError: It was made for other data, or a line does not fit them.
    """
    now = source_fingerprint(data)
    if now != cleaning.data:
        raise DataError(
            "the cleaning was made for other data, or for the same data divided in another way",
            where=cleaning.name,
            got=f"data of fingerprint {now[:12]}, a cleaning of {cleaning.data[:12]}",
            fix="use the data, the settings of the data set and the seed of the run it came from, or propose one again",
        )
    if data.stream is not None and any(line.split == "training" and line.action != "keep" for line in cleaning.lines):
        problem = "these training rows are read part by part, and a cleaning does not reach them"
        raise DataError(problem, where=cleaning.name, fix="clean the files, or remove the lines of training rows")
    lines: dict[str, list[CleaningLine]] = {}
    for line in cleaning.lines:
        lines.setdefault(line.split, []).append(line)
    found = {name: _change(name, getattr(data, SPLITS[name]), of, data.schema, cleaning) for name, of in lines.items()}
    return {name: change for name, change in found.items() if change.lines}


def _change(name: str, split: Any, lines: Sequence[CleaningLine], schema: Schema, cleaning: Cleaning) -> SplitChange:
    where = str(Path(cleaning.name).with_suffix(".csv"))
    if not isinstance(split, Split):
        raise DataError(f"the data have no {name} rows", where=where, got=f"row {lines[0].row}", fix="remove these lines")
    places = pd.Series(np.arange(len(split)), index=split.rows.astype(str))
    strange = [line.row for line in lines if line.row not in places.index]
    if strange:
        fix = suggest(strange[0], list(places.index[:1000])) or "remove the line, or name the row as predictions.parquet does"
        raise DataError(f"the cleaning names {len(strange)} {name} rows that do not exist", where=where, got=strange[0], fix=fix)
    dropped = np.zeros(len(split), dtype=bool)
    dropped[places[[line.row for line in lines if line.action == "drop"]].to_numpy(dtype=np.int64)] = True
    _check_labels(name, split, lines, places, schema, where)
    relabelled = [line for line in lines if line.action == "relabel"]
    if relabelled and name == "test" and not cleaning.changes_test:
        raise DataError(
            "the cleaning changes labels of test rows, which its head does not allow",
            where=cleaning.name,
            got=f"{len(relabelled)} lines, first row {relabelled[0].row}",
            fix="write test_labels: change, and say so wherever figures are shown; or make these lines `keep`",
        )
    acting = tuple(line for line in lines if line.action != "keep")
    return SplitChange(split=split, dropped=dropped, classes=_classes(split, relabelled, places, schema), lines=acting)


def _check_labels(name: str, split: Split, lines: Sequence[CleaningLine], places: pd.Series, schema: Schema, where: str) -> None:
    """Make sure that labels which lines name are those of their rows, and that new ones are classes."""
    known = schema.target.classes if schema.target.kind == "class" else ()
    for line in lines:
        if line.action == "relabel" and (not known or split.target is None):
            problem = f"rows of '{schema.target.name}' have no class, so they can be dropped and not relabelled"
            raise DataError(problem, where=where, got=f"{name} row {line.row}", fix="drop the row, or remove the line")
        if line.action == "relabel" and line.new_label not in known:
            problem = f"the new label of {name} row {line.row} is no class of '{schema.target.name}'"
            fix = suggest(line.new_label, known)
            raise DataError(problem, where=where, got=line.new_label, available=known, fix=fix)
        if line.label and known and split.target is not None:
            code = int(split.target[int(places[line.row])])
            if code < 0 or known[code] != line.label:
                got, is_now = line.label, known[code] if code >= 0 else "not known"
                problem = f"the cleaning has another label for {name} row {line.row} than the data"
                raise DataError(problem, where=where, got=got, available=[is_now], fix="check the row's id")


def _classes(split: Split, lines: Sequence[CleaningLine], places: pd.Series, schema: Schema) -> np.ndarray | None:
    if not lines or split.target is None:
        return None
    codes = split.target.cpu().numpy().copy()
    codes[places[[line.row for line in lines]].to_numpy(dtype=np.int64)] = [
        schema.target.classes.index(line.new_label) for line in lines
    ]
    return np.asarray(codes)


def _refuse_emptied(name: str, change: SplitChange, after: Split, schema: Schema, cleaning: Cleaning) -> None:
    fix = "keep some of its rows: change lines to `keep`"
    if not len(after):
        raise DataError(f"the cleaning leaves no {name} row", where=cleaning.name, got=f"{len(change.split)} dropped", fix=fix)
    if schema.target.kind != "class" or change.split.target is None or after.target is None:
        return
    before, left = (set(target.cpu().numpy().tolist()) for target in (change.split.target, after.target))
    gone = [schema.target.classes[code] for code in sorted(before - left - {-1})]
    if gone:
        raise DataError(
            f"the cleaning leaves no {name} row of class '{gone[0]}'", where=cleaning.name, got=", ".join(gone), fix=fix
        )


def _sentences(changes: Mapping[str, SplitChange], cleaning: Cleaning) -> list[str]:
    found = []
    for name, change in changes.items():
        counts = (int(change.dropped.sum()), "dropped"), (int(change.relabelled.sum()), "relabelled")
        words = " and ".join(f"{count:,} {what}" for count, what in counts if count)
        if words:
            found.append(f"of {len(change.split):,} {name} rows the cleaning {cleaning.version} has {words}")
    return found


def account(data: Data, cleaning: Cleaning) -> dict[str, Any]:
    """Return what a cleaning did, JSON values for provenance and report.

    Args:
        data: The data without it.
        cleaning: The cleaning.

    Returns:
        `file`, `version`, `run` (whose findings it comes from), `data` (fingerprint), `test_labels` (whether labels of test rows
        may be changed), `splits` (rows, dropped, relabelled by split), `changes` (rows by split, action and measure), `classes`
        and `groups` (rows, dropped, relabelled of each class and of each group of each feature, by split), `listed` (rows that
        lines name and leave as they are), and `emptied` (groups that lose all rows of a split).
    """
    changes = split_changes(data, cleaning)
    reasons = Counter((name, line.action, line.measure) for name, change in changes.items() for line in change.lines)
    groups = {feature: _of_groups(changes, feature) for feature in data.schema.sensitive}
    return {
        "file": cleaning.name,
        "version": cleaning.version,
        "run": cleaning.run,
        "data": cleaning.data,
        "test_labels": cleaning.changes_test,
        "splits": {name: _counts(change, np.ones(len(change.split), dtype=bool)) for name, change in changes.items()},
        "changes": [
            {"split": name, "action": action, "measure": measure, "rows": rows}
            for (name, action, measure), rows in reasons.items()
        ],
        "classes": _of_classes(changes, data.schema),
        "groups": groups,
        "listed": sum(line.action == "keep" for line in cleaning.lines),
        "emptied": [
            {"feature": feature, "group": group, "split": name}
            for feature, found in groups.items()
            for group, splits in found.items()
            for name, counts in splits.items()
            if counts["rows"] and counts["rows"] == counts["dropped"]
        ],
    }


def _counts(change: SplitChange, rows: np.ndarray) -> dict[str, int]:
    stands = np.ones(len(change.split), dtype=np.int64) if change.split.frequency is None else change.split.frequency
    parts = {"rows": rows, "dropped": rows & change.dropped, "relabelled": rows & change.relabelled}
    return {name: int(stands[part].sum()) for name, part in parts.items()}


def _of_groups(changes: Mapping[str, SplitChange], feature: str) -> dict[str, dict[str, dict[str, int]]]:
    columns = {
        name: change.split.groups[feature].astype(str).to_numpy()
        for name, change in changes.items()
        if change.split.groups is not None
    }
    names = in_group_order({str(group) for column in columns.values() for group in np.unique(column)})
    return {group: {name: _counts(changes[name], column == group) for name, column in columns.items()} for group in names}


def _of_classes(changes: Mapping[str, SplitChange], schema: Schema) -> dict[str, dict[str, dict[str, int]]]:
    if schema.target.kind != "class":
        return {}
    return {
        label: {
            name: _counts(change, change.split.target.cpu().numpy() == code)
            for name, change in changes.items()
            if change.split.target is not None
        }
        for code, label in enumerate(schema.target.classes)
    }
