"""Scores raw rows of a table with an exported model: NumPy, ONNX Runtime and the files beside this one.

From the command line, `python score.py rows.csv`; from Python:

    from score import Scorer
    scorer = Scorer()
    scorer.predict([{"age": 41, "sex": "female"}])
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from glassbench.export.scorer.decisions import decided
from glassbench.export.scorer.group_column import GroupColumn
from glassbench.export.scorer.raw_cells import Row, RowsError, Table, Unusual

_BATCH = 4096
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Scorer:
    """An exported model.

    Args:
        folder: Where its files are; that of this file unless given.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = Path(folder or Path(__file__).parent)
        content = json.loads((self.folder / "preprocessing.json").read_text(encoding="utf-8"))
        self.decision: Mapping[str, Any] = content["decision"]
        told = content["rows"]
        self.table = Table(told)
        self.groups = [GroupColumn(each, told["cells"], told["labels"]) for each in told["groups"]]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # sums of trees are then added in one order, to the last digit
        options.inter_op_num_threads = 1
        path = str(self.folder / "model.onnx")
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def predict(self, rows: Sequence[Row] | Mapping[str, Sequence[Any]], *, strict: bool = False) -> list[dict[str, Any]]:
        """Return one prediction per row: `y_pred`, and the scores or quantiles behind it.

        Args:
            rows: Rows as mappings from column to cell, or columns of cells. Cells are text, numbers or None.
            strict: Whether rows are refused that hold what the training rows did not.

        Raises:
            RowsError: A column is missing, a cell cannot be read, or `strict` refuses the rows.
        """
        return self.score(rows, strict=strict)[0]

    def score(
        self, rows: Sequence[Row] | Mapping[str, Sequence[Any]], *, strict: bool = False
    ) -> tuple[list[dict[str, Any]], list[Unusual]]:
        """Return predictions as `predict` does, and counts of missing cells, unseen categories and values out of range."""
        listed = _listed(rows)
        if not listed:
            raise RowsError("there are no rows to score")
        inputs, unusual = self.table.encode(listed)
        if strict and unusual:
            raise RowsError("rows hold what the training rows did not: " + "; ".join(map(str, unusual)))
        outputs = [self._session.run(None, {self._input: part})[0] for part in _parts(inputs)]
        groups = self.groups[0].of(listed) if self.groups else None
        columns = decided(outputs[0] if len(outputs) == 1 else np.concatenate(outputs), self.decision, groups)
        names, values = list(columns), [column.tolist() for column in columns.values()]
        return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)], unusual


def _listed(rows: Sequence[Row] | Mapping[str, Sequence[Any]]) -> Sequence[Row]:
    if not isinstance(rows, Mapping):
        return rows
    names = list(rows)
    return [dict(zip(names, cells, strict=True)) for cells in zip(*rows.values(), strict=True)]


def _parts(inputs: np.ndarray) -> Iterable[np.ndarray]:
    return (inputs[start : start + _BATCH] for start in range(0, len(inputs), _BATCH))


def read_csv(path: Path, separator: str | None = None, encoding: str = "utf-8-sig") -> list[dict[str, Any]]:
    """Read the rows of a CSV file with a header.

    Args:
        path: The file.
        separator: What stands between cells; the likeliest mark of the header unless given.
        encoding: Its character encoding.

    Raises:
        RowsError: It cannot be read, names a column twice, or a row is longer than the header.
    """
    try:
        with path.open(newline="", encoding=encoding) as file:
            first = file.readline()
            file.seek(0)
            mark = separator or max(",;\t|", key=first.count)
            lines = [line for line in csv.reader(file, delimiter=mark, skipinitialspace=True) if line]
    except (OSError, UnicodeError, csv.Error) as error:
        raise RowsError(f"{path} cannot be read: {error}") from error
    header, *body = lines or [[]]
    names = [name.strip() for name in header]
    if twice := {name for name in names if names.count(name) > 1}:
        raise RowsError(f"{path} names a column twice: {', '.join(sorted(twice))}")
    for place, line in enumerate(body, 2):
        if len(line) > len(names):
            raise RowsError(f"row {place} of {path} has {len(line)} cells, and the header {len(names)}")
    return [dict(zip(names, line, strict=False)) for line in body]


def write_csv(predictions: Sequence[Mapping[str, Any]], file: Any) -> None:
    """Write predictions as CSV, numbered; text that a spreadsheet would run as a formula gets an apostrophe in front."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["row", *map(_cell, predictions[0])])
    writer.writerows([place, *map(_cell, each.values())] for place, each in enumerate(predictions))


def _cell(value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith(_FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Score a CSV file; return 0, or 2 where its rows cannot be scored."""
    parser = argparse.ArgumentParser(description="Score the rows of a CSV file.")
    parser.add_argument("rows", type=Path, help="a CSV file with a header")
    parser.add_argument("-o", "--output", type=Path, help="write a CSV file instead of printing")
    parser.add_argument("--strict", action="store_true", help="refuse rows with cells that the training rows did not have")
    parser.add_argument("--separator", help="what stands between cells; the likeliest unless given")
    parser.add_argument("--encoding", default="utf-8-sig", help="character encoding of the file; UTF-8 unless given")
    asked = parser.parse_args(arguments)
    try:
        predictions, unusual = Scorer().score(read_csv(asked.rows, asked.separator, asked.encoding), strict=asked.strict)
        for one in unusual:
            print(f"note: {one}", file=sys.stderr)
        if asked.output is None:
            write_csv(predictions, sys.stdout)
        else:
            with asked.output.open("w", newline="", encoding="utf-8") as file:
                write_csv(predictions, file)
    except (RowsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
