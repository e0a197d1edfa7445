"""The model's answer for a held-out row of a table, as it is and with cells changed."""

from collections.abc import Mapping
from threading import Lock
from typing import Any

import pandas as pd

from glassbench.errors import DataError, RunError
from glassbench.run_handle import Run
from glassbench.storage.files import read_object

_SCORE = "score."


class WhatIf:
    """Held-out rows of a run, decided again.

    Args:
        run: The run; nothing in its folder is changed.
    """

    def __init__(self, run: Run) -> None:
        self._run, self._lock = run, Lock()
        self._schema = read_object(run.folder / "schema.json")

    @property
    def unavailable(self) -> str | None:
        """Why nothing can be changed, or None: the rows are no table."""
        return None if self._schema.get("modality") == "table" else "the rows of this run are no table"

    def row(self, place: int, changes: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return a held-out row with its inputs, what was predicted for it, and what is predicted with some cells changed.

        Args:
            place: Its place among the held-out rows.
            changes: Cells as text, by column; an empty one is a missing cell.

        Raises:
            RunError: The run holds no such row, or its rows are no table.
            DataError: A cell cannot be read, or is of a column that is no input.
        """
        if self.unavailable:
            raise RunError("nothing can be changed here", got=self.unavailable, fix="read the report instead")
        with self._lock:  # one decision at a time, as everywhere else
            rows = self._run.held_out_rows
            if not 0 <= place < len(rows):
                raise RunError("the run holds no such row", got=str(place), available=[f"0 to {len(rows) - 1}"])
            raw = rows.iloc[[place]].reset_index(drop=True)
            changed = self._changed(raw, changes or {})
            unusual = [str(one) for one in self._run.unusual(changed)] if changes else []
            answers = [_answer(self._run.predict(frame)) for frame in ([raw, changed] if changes else [raw])]
        inputs = [self._input(feature, raw) for feature in self._inputs(raw)]
        return {
            "place": place,
            "rows": len(rows),
            "inputs": inputs,
            "before": answers[0],
            "after": answers[-1],
            "unusual": unusual,
        }

    def _inputs(self, raw: pd.DataFrame) -> list[Mapping[str, Any]]:
        return [feature for feature in self._schema.get("features", []) if feature["name"] in raw]

    def _input(self, feature: Mapping[str, Any], raw: pd.DataFrame) -> dict[str, Any]:
        value = raw[feature["name"]].iloc[0]
        number = pd.api.types.is_numeric_dtype(raw[feature["name"]])
        options = [str(name) for name in feature.get("categories") or ()]
        text = "" if pd.isna(value) else f"{value:.12g}" if number and not isinstance(value, bool) else str(value)
        return {"name": feature["name"], "value": text, "unit": feature.get("unit"), "options": options}

    def _changed(self, raw: pd.DataFrame, changes: Mapping[str, str]) -> pd.DataFrame:
        known, changed = {feature["name"] for feature in self._inputs(raw)}, raw.copy()
        for name, text in changes.items():
            if name not in known:
                raise DataError(f"'{name}' is no input of the model", got=name, available=sorted(known))
            changed[name] = [_cell(raw[name], text, name)]
        return changed


def _cell(column: pd.Series, text: str, name: str) -> Any:
    if not text.strip():
        return None
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return text
    try:
        return float(text)
    except ValueError as error:
        raise DataError(f"'{name}' takes a number", got=text[:80], fix="write it with a point for decimals") from error


def _answer(decided: pd.DataFrame) -> dict[str, Any]:
    row = decided.iloc[0]
    scores = {str(c).removeprefix(_SCORE): float(row[c]) for c in decided.columns if str(c).startswith(_SCORE)}
    return {"prediction": str(row["y_pred"]), "scores": scores}
