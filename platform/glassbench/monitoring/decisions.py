"""New rows with what was decided about them: by the run's model, or by whoever decided them elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.positive_class import infer_positive_class
from glassbench.contracts.schema import MISSING
from glassbench.errors import DataError, RunError, shorten, suggest
from glassbench.experiments.settings import arguments
from glassbench.monitoring.observed import DecidedRows
from glassbench.monitoring.reference import inputs_of
from glassbench.pipeline.run_context import RunContext


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What columns of new rows hold.

    Args:
        truth: What was true; None takes the target's column where there is one.
        decision: What was decided elsewhere; None has the run's model decide.
        score: The probability of the positive class that was stated with it.
        cluster: What each row belongs to; None takes the run's column where its rows belong to clusters.
    """

    truth: str | None = None
    decision: str | None = None
    score: str | None = None
    cluster: str | None = None


def decided_rows(context: RunContext, raw: pd.DataFrame, columns: Columns, *, clustered: bool) -> DecidedRows:
    """Return new rows with their decisions.

    Args:
        context: The run.
        raw: The rows, in the columns of the data set.
        columns: What columns hold.
        clustered: Whether the run's rows belong to clusters.

    Raises:
        DataError: A column is missing or holds what cannot be read.
        RunError: The run has no model, and decisions are not given.
    """
    for option, name in vars(columns).items():
        if name is not None and name not in raw.columns:
            raise _no_column(name, f"--{option}", raw)
    clusters = _clusters(context, raw, columns.cluster, clustered=clustered)
    raw = _with_truth(context, raw, columns.truth)
    rows = _given(context, raw, columns) if columns.decision is not None else _by_model(context, raw)
    if columns.truth is not None and ("y_true" not in rows.frame or rows.frame["y_true"].isna().all()):
        raise DataError(
            "no row has a truth", got=f"column {columns.truth} is empty in all {len(raw):,} rows", fix="leave out --truth"
        )
    return DecidedRows(frame=rows.frame, inputs=rows.inputs, clusters=clusters)


def _no_column(name: str, option: str, raw: pd.DataFrame) -> DataError:
    known = [str(column) for column in raw.columns]
    return DataError(
        f"the rows have no column '{name}'", where=option, got=f"{len(known)} columns", available=known, fix=suggest(name, known)
    )


def _with_truth(context: RunContext, raw: pd.DataFrame, truth: str | None) -> pd.DataFrame:
    """Return the rows with their truth in the target's column."""
    target = context.schema.target.name
    if truth is None or truth == target:
        return raw
    return raw.drop(columns=[target], errors="ignore").rename(columns={truth: target})


def _by_model(context: RunContext, raw: pd.DataFrame) -> DecidedRows:
    if context.gone:
        raise RunError(
            "the model of this run is external and was not stored", where=str(context.folder.path),
            fix="give its decisions on the new rows: --decision COLUMN, and --score COLUMN where it states probabilities",
        )  # fmt: skip
    if context.plan.model is None:
        raise RunError(
            "the run has no model", where=str(context.folder.path),
            fix="give the decisions on the new rows: --decision COLUMN, and --score COLUMN where there are scores",
        )  # fmt: skip
    split = context.encoder.encode(raw)
    frame = context.task.predict(context.model, split).frame.reset_index(drop=True)
    return DecidedRows(
        frame=_with_groups(frame, raw, split, context.schema.sensitive), inputs=inputs_of(split.raw, context.schema)
    )


def _given(context: RunContext, raw: pd.DataFrame, columns: Columns) -> DecidedRows:
    """Return rows that somebody else decided."""
    target = context.schema.target
    frame = pd.DataFrame({"row": np.arange(len(raw))})
    for column, name in (("y_pred", columns.decision), ("y_true", target.name if target.name in raw else None)):
        if name is not None:
            frame[column] = _read(raw[name], target.classes, name, missing=column == "y_true")
    if target.classes and columns.score is not None:
        frame = frame.assign(**_scores(raw[columns.score], target.classes, target.positive, columns.score))
    split = _encoded(context, raw)
    frame = _with_groups(frame, raw, split, context.schema.sensitive)
    return DecidedRows(frame=frame, inputs=None if split is None else inputs_of(split.raw, context.schema))


def _encoded(context: RunContext, raw: pd.DataFrame) -> Split | None:
    """Return the rows as the run's encoder reads them; None where it has none or they lack inputs."""
    names = [feature.name for feature in context.schema.features]
    if not (context.folder.path / "encoder.json").is_file() or not set(names) <= set(map(str, raw.columns)):
        return None
    return context.encoder.encode(raw)


def _read(column: pd.Series, classes: Sequence[str], name: str, *, missing: bool) -> pd.Series:
    """Return decisions or truths as the run writes them."""
    absent = column.isna() | (column.astype(str).str.strip() == "")
    if absent.any() and not missing:
        raise DataError(f"{int(absent.sum()):,} rows have no decision", got=f"column {name}", fix="leave these rows out")
    if not classes:
        numbers = pd.to_numeric(column.where(~absent), errors="coerce")
        strange = column[numbers.isna() & ~absent]
        if len(strange):
            raise DataError(f"'{name}' holds what is no number", got=shorten([repr(v) for v in strange.unique()[:3]]))
        return numbers.astype(float).reset_index(drop=True)
    shown = column.astype(str).str.strip()
    unknown = sorted(set(shown[~absent]) - set(classes))
    if unknown:
        fix = "name the decisions as the run names its classes"
        raise DataError(
            f"'{name}' holds no class of the run", got=shorten([repr(v) for v in unknown], 5), available=classes, fix=fix
        )
    return shown.where(~absent).reset_index(drop=True)


def _scores(column: pd.Series, classes: Sequence[str], positive: str | None, name: str) -> dict[str, np.ndarray]:
    """Return the columns of scores of two classes.

    Raises:
        DataError: There are more classes, or a score is no probability.
    """
    if len(classes) != 2:
        raise DataError("one column of scores speaks of two classes", got=f"{len(classes)} classes", fix="leave out --score")
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    if not ((numbers >= 0) & (numbers <= 1)).all():
        raise DataError(
            f"'{name}' holds what is no probability", got=shorten([repr(v) for v in column[:3]]), fix="0 to 1 in each row"
        )
    spoken = positive or infer_positive_class(classes) or classes[-1]
    other = next(c for c in classes if c != spoken)
    return {f"score.{spoken}": numbers, f"score.{other}": 1 - numbers}


def _with_groups(frame: pd.DataFrame, raw: pd.DataFrame, split: Split | None, sensitive: Sequence[str]) -> pd.DataFrame:
    """Return predictions with the groups of the rows, where their columns are there."""
    found = None if split is None else split.groups
    for feature in sensitive:
        if f"group.{feature}" in frame:
            continue
        if found is not None and feature in found:
            frame[f"group.{feature}"] = found[feature].to_numpy()
        elif feature in raw:
            shown = raw[feature].astype(str).str.strip()
            frame[f"group.{feature}"] = shown.where(raw[feature].notna() & (shown != ""), MISSING).to_numpy()
    return frame


def _clusters(context: RunContext, raw: pd.DataFrame, named: str | None, *, clustered: bool) -> np.ndarray | None:
    """Return what each row belongs to, text `(n,)`; None where rows are independent."""
    asked = arguments(context.plan.dataset.settings).get("cluster")
    name = named or (asked if clustered and isinstance(asked, str) and asked in raw.columns else None)
    if name is None and clustered:
        raise DataError(
            "the run's rows belong to clusters, and nothing says which cluster each new row is of",
            available=[str(column) for column in raw.columns],
            fix="--cluster COLUMN",
        )
    if name is None:
        return None
    shown = raw[name].astype(str).str.strip()
    alone = raw[name].isna() | (shown == "")
    return np.where(alone, [f"row {place}" for place in range(len(raw))], shown.to_numpy())
