"""The run's held-out rows as new rows are compared with them: counted once, at the first look, and kept in the run's folder."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from glassbench.contracts.data import Split
from glassbench.contracts.schema import Schema
from glassbench.errors import GlassbenchError, RunError
from glassbench.monitoring.observed import DecidedRows, count_means, first_rows, followed_means, ranked_values
from glassbench.pipeline.run_context import RunContext
from glassbench.rows.group_order import in_group_order
from glassbench.runs.artifacts import read_predictions
from glassbench.stats.counted_values import CountedValues
from glassbench.stats.sequential_ranks import RankCells

FORMAT = 1
_NUMBERS = TypeAdapter(dict[str, dict[str, int]])
_GROUPS = TypeAdapter(dict[str, list[str]])


@dataclass(frozen=True, eq=False, kw_only=True)
class Reference:
    """The run's held-out rows, counted.

    Args:
        rows: How many there are; of clusters how many clusters.
        means: Values whose means are followed, by key.
        ranks: Cells of ranked values, by key.
        groups: The groups of each sensitive feature.
        clustered: Whether rows belong to clusters, each of which counts once.
        notes: What is not compared, and why.
        predictions: SHA-256 of the predictions that were counted.
    """

    rows: int
    means: Mapping[str, CountedValues]
    ranks: Mapping[str, RankCells]
    groups: dict[str, list[str]]
    clustered: bool
    notes: tuple[str, ...]
    predictions: str

    def to_json(self) -> dict[str, Any]:
        """Return the reference as plain JSON values."""
        return {
            "format": FORMAT,
            "rows": self.rows,
            "means": {key: counted.to_json() for key, counted in self.means.items()},
            "ranks": {key: cells.to_json() for key, cells in self.ranks.items()},
            "groups": self.groups,
            "clustered": self.clustered,
            "notes": list(self.notes),
            "predictions": self.predictions,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Reference":
        """Rebuild a reference from `to_json`.

        Raises:
            ValueError: It is of another version, or damaged.
        """
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}")
        return cls(
            rows=int(content["rows"]),
            means={key: CountedValues.from_json(one) for key, one in _NUMBERS.validate_python(content["means"]).items()},
            ranks={key: RankCells.from_json(one) for key, one in content["ranks"].items()},
            groups=_GROUPS.validate_python(content["groups"]),
            clustered=bool(content["clustered"]),
            notes=tuple(str(note) for note in content["notes"]),
            predictions=str(content["predictions"]),
        )


def count_reference(context: RunContext, predictions: str) -> Reference:
    """Count the held-out rows of a run.

    Args:
        context: The run.
        predictions: SHA-256 of its predictions.

    Raises:
        RunError: Its rows cannot be compared: they are counted, or are no rows.
    """
    rows, notes = _held_out(context)
    schema, kind = context.schema, context.task.kind
    groups = {
        feature: in_group_order(rows.frame[f"group.{feature}"].astype(str).unique())
        for feature in schema.sensitive
        if f"group.{feature}" in rows.frame
    }
    means = count_means(followed_means(rows, schema, kind, groups), rows.clusters)
    once = rows.take(first_rows(rows.clusters, len(rows)))
    ranks = {
        key: RankCells.of(values, generator(key, predictions), depth=1 if key.startswith("performance|") else 4)
        for key, values in ranked_values(once, schema, kind).items()
        if values
    }
    if not means and not ranks:
        raise RunError("nothing of this run can be monitored", where=str(context.folder.path), got=f"predictions of {kind.name}")
    return Reference(
        rows=len(once),
        means=means,
        ranks=ranks,
        groups=groups,
        clustered=rows.clusters is not None,
        notes=tuple(notes),
        predictions=predictions,
    )


def generator(*names: str) -> np.random.Generator:
    """Return a source of random numbers that depends on names alone."""
    digest = hashlib.sha256("\n".join(names).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def _held_out(context: RunContext) -> tuple[DecidedRows, list[str]]:
    """Return the run's held-out rows, and what of them cannot be compared."""
    context.folder.require("predict")
    notes: list[str] = []
    inputs = _held_out_inputs(context, notes)
    frame = read_predictions(context.folder.path)
    if "frequency" in frame:
        fix = "monitor a run whose rows are not counted"
        raise RunError("rows of this run stand for several equal ones", where=str(context.folder.path), fix=fix)
    if "weight" in frame:
        notes.append("Survey weights are not used: rows count alike, in the run and in new rows.")
    if not len(frame):
        raise RunError("the run has no held-out rows to compare with", where=str(context.folder.path))
    if inputs is not None and len(inputs) != len(frame):
        notes.append("Inputs are not compared: the held-out rows are not those of the predictions.")
        inputs = None
    clusters = frame["cluster"].to_numpy() if "cluster" in frame else None
    return DecidedRows(frame=frame, inputs=inputs, clusters=clusters), notes


def _held_out_inputs(context: RunContext, notes: list[str]) -> pd.DataFrame | None:
    names = [feature.name for feature in context.schema.features]
    if context.gone or not names:
        notes.append("Inputs are not compared: the run does not know its rows as a table.")
        return None
    try:
        test = context.data.test
    except GlassbenchError as error:
        notes.append(f"Inputs are not compared: {error.problem}.")
        return None
    raw = test.raw if isinstance(test, Split) else None
    known = [] if raw is None else [name for name in names if name in raw]
    if not known:
        notes.append("Inputs are not compared: the run does not know its rows as a table.")
        return None
    return cast(pd.DataFrame, raw)[known]


def inputs_of(raw: pd.DataFrame | None, schema: Schema) -> pd.DataFrame | None:
    """Return the input columns of raw rows; None where there are none."""
    names = [] if raw is None else [feature.name for feature in schema.features if feature.name in raw]
    return cast(pd.DataFrame, raw)[names] if names else None
