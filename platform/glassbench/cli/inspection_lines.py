"""What `glassbench inspect` prints, in lines of 80 characters."""

import click

from glassbench.errors import shorten
from glassbench.experiments.folder_inspection import FolderInspection
from glassbench.experiments.inspection import ColumnFacts, Inspection

_WIDTH = 80
_NAME, _KIND, _NUMBER, _SHOWN_COLUMNS, _SHOWN_CLASSES = 24, 10, 8, 60, 40


def lines_of(inspection: Inspection) -> list[str]:
    """Return an inspection in lines of 80 characters."""
    lines = [f"{inspection.path}: {inspection.rows:,} rows, {len(inspection.columns):,} columns"]
    lines += [f"  {name:14} {value}" for name, value in inspection.file.items()]
    lines += [f"  {'duplicates':14} {inspection.duplicates:,} rows are equal to an earlier one"]
    head = f"{'column':{_NAME}} {'kind':{_KIND}} {'missing':>{_NUMBER}} {'distinct':>{_NUMBER}}  example"
    lines += ["", head]
    lines += [_row(column, inspection.rows) for column in inspection.columns[:_SHOWN_COLUMNS]]
    if len(inspection.columns) > _SHOWN_COLUMNS:
        lines.append(f"... and {len(inspection.columns) - _SHOWN_COLUMNS:,} more columns; --json shows all")
    left_out = [column for column in inspection.columns if column.use != "input"]
    lines += ["", *(_wrapped(f"left out: {c.name}, {c.kind}: {c.reason}") for c in left_out[:_SHOWN_COLUMNS])] if left_out else []
    lines += ["", *_purposes(inspection)]
    if inspection.problems:
        lines += ["", "to know:", *(_wrapped(f"- {problem}", "  ") for problem in inspection.problems)]
    return lines


def folder_lines(inspection: FolderInspection) -> list[str]:
    """Return an inspection of a folder in lines of 80 characters."""
    counts = f"{inspection.files:,} {inspection.holds}, {len(inspection.classes):,} classes"
    lines = [f"{inspection.path}: {counts}", f"  {'size':22} {inspection.size / 1e6:,.1f} MB"]
    named = {"formats": inspection.formats, "parts": inspection.parts, "other files": inspection.others}
    lines += [f"  {name:22} {shorten([f'{key} ({n:,})' for key, n in held.items()], 8)}" for name, held in named.items() if held]
    lines += [f"  {name:22} {said}" for name, said in inspection.properties.items()]
    lines += [f"  {'cannot be read':22} {len(inspection.unreadable):,}"]
    lines += [f"  {'duplicates':22} {sum(len(names) - 1 for names in inspection.duplicates):,} files are equal to another one"]
    lines += ["", f"{'class':{_NAME}} {inspection.holds:>{_NUMBER}}"]
    shown = list(inspection.classes.items())[:_SHOWN_CLASSES]
    lines += [f"{_cut(label, _NAME):{_NAME}} {count:>{_NUMBER},}" for label, count in shown]
    if len(inspection.classes) > _SHOWN_CLASSES:
        lines.append(f"... and {len(inspection.classes) - _SHOWN_CLASSES:,} more classes; --json shows all")
    if inspection.unreadable:
        lines += ["", "cannot be read:"]
        lines += [_wrapped(f"- {name}: {reason}", "  ") for name, reason in list(inspection.unreadable.items())[:10]]
    if inspection.problems:
        lines += ["", "to know:", *(_wrapped(f"- {problem}", "  ") for problem in inspection.problems)]
    return [*lines, "", _wrapped(f"next: glassbench init '{inspection.path}'")]


def _row(column: ColumnFacts, rows: int) -> str:
    missing = f"{100 * column.missing / rows:.1f} %" if rows and column.missing else "0"
    text = f"{_cut(column.name, _NAME):{_NAME}} {column.kind:{_KIND}} {missing:>{_NUMBER}} {column.distinct:>{_NUMBER},}  "
    return (text + _cut(column.example, _WIDTH - len(text))).rstrip()


def _purposes(inspection: Inspection) -> list[str]:
    lines = []
    for purpose in ("target", "sensitive feature", "a person's id", "identifier", "date"):
        names = [column.name for column in inspection.columns if purpose in column.looks_like]
        if names:
            lines.append(_wrapped(f"looks like {purpose}: {shorten(names, 10)}"))
    targets = [column.name for column in inspection.columns if "target" in column.looks_like]
    named = targets[-1] if targets else "COLUMN"
    return [*lines, "", _wrapped(f"next: glassbench init '{inspection.path}' --target '{named}'")]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def _wrapped(text: str, indent: str = "") -> str:
    return click.wrap_text(text, _WIDTH - 1, initial_indent=indent, subsequent_indent=indent + "  ")
