"""What happens in a run as CSV files."""

import csv
from collections.abc import Mapping
from pathlib import Path

from glassbench import AuditResult, Failure, TrackedRun
from glassbench.storage.csv_text import plain_cell

MEASURES = ("audit", "measure", "group", "value", "low", "high", "level", "n", "unit")


class CsvTracker:
    """Writes `metrics.csv`, `measures.csv` and `outcome.csv` into the run's folder, under `trackers/csv`, line by line.

    A line of the history with a value that no line had before gives `metrics.csv` a new column; earlier lines have none there.
    """

    def __init__(self, run: TrackedRun) -> None:
        self._metrics = run.output / "metrics.csv"
        self._measures = run.output / "measures.csv"
        self._outcome = run.output / "outcome.csv"
        self._columns = _header(self._metrics)

    def metric(self, record: Mapping[str, float | int]) -> None:
        """Add a line of the training history."""
        new = [name for name in record if name not in self._columns]
        if new:
            self._columns += new
            _widen(self._metrics, self._columns)
        _append(self._metrics, self._columns, [record.get(name) for name in self._columns])

    def audited(self, result: AuditResult) -> None:
        """Add a line for each measure of an audit."""
        for m in result.measures:
            group = ", ".join(f"{feature}: {name}" for feature, name in (m.group or {}).items()) or ", ".join(m.by or ())
            values = (m.value, m.low, m.high, m.level if m.low is not None or m.high is not None else None, m.n, m.unit)
            _append(self._measures, MEASURES, [result.audit, m.name, group, *values])

    def finished(self, verdict: str, report: Path) -> None:
        """Add the verdict and where the report is."""
        _append(self._outcome, ("outcome", "detail"), [verdict, str(report)])

    def failed(self, error: Failure) -> None:
        """Add in which phase the run stopped, and why."""
        _append(self._outcome, ("outcome", "detail"), [f"stopped in {error.phase}", error.message])


def _header(path: Path) -> list[str]:
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return next(csv.reader(file), [])


def _widen(path: Path, columns: list[str]) -> None:
    """Write a file again with more columns."""
    lines: list[list[str]] = []
    if path.is_file():
        with open(path, newline="", encoding="utf-8") as file:
            lines = list(csv.reader(file))[1:]
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *([*line, *[""] * (len(columns) - len(line))] for line in lines)])


def _append(path: Path, columns: list[str] | tuple[str, ...], cells: list[object]) -> None:
    new = not path.is_file()
    with open(path, "a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([*([columns] if new else []), [plain_cell(cell) for cell in cells]])
