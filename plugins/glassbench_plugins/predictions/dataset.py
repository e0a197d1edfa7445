"""The data set of decisions made elsewhere."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Data, Split
from glassbench.contracts.positive_class import checked_favourable
from glassbench.contracts.predictions.class_codes import class_codes
from glassbench.contracts.schema import Schema, Target
from glassbench.errors import DataError
from glassbench.stats.settings_types import CountOrZero, Name
from glassbench.toolkit.cells.cells import Cells
from glassbench.toolkit.cells.groups import Band, group_code, sensitive_column, sensitive_name
from glassbench.toolkit.cells.value_labels import Labels, LabelSettings
from glassbench.toolkit.reading.tables import Format
from glassbench.toolkit.splits.clusters import Clusters, clusters_of
from glassbench.toolkit.splits.weights import weights_of
from glassbench_plugins.predictions.columns import (
    DECISION,
    SCORE,
    class_names,
    classes_of,
    favourable_named,
    gathered,
    scores_of,
)
from glassbench_plugins.predictions.engines import Engine
from glassbench_plugins.predictions.files import Files
from glassbench_plugins.predictions.roles import Roles
from glassbench_plugins.predictions.sources import Source, read_source
from glassbench_plugins.predictions.strata import CountedStrata

_TRUTH = "y_true"

Shown = tuple[dict[str, str], dict[str, int]]
"""Units and digits after the point, by column."""


def predictions(
    seed: int,
    *,
    path: Path | tuple[Path, ...],
    truth: str | None = None,
    decision: str,
    score: str | None = None,
    sensitive: tuple[str | Band, ...] = (),
    kind: Literal["class", "value"] = "class",
    positive: Name | None = None,
    favourable: Name | tuple[Name, ...] | None = None,
    decides: tuple[Name, ...] = (),
    counts: str | None = None,
    weight: str | None = None,
    cluster: str | None = None,
    engine: Engine = "auto",
    labels: LabelSettings | None = None,
    missing: tuple[str, ...] = ("", "NA", "NaN", "null"),
    separator: str | None = None,
    encoding: str | None = None,
    units: dict[str, str] | None = None,
    decimals: dict[str, CountOrZero] | None = None,
    unit: str = "row",
) -> Data:
    """Decisions made elsewhere, as rows to audit; there is nothing to train on.

    Args:
        seed: Unused: nothing is drawn.
        path: A CSV or Parquet file, compressed too, or several with the same columns.
        truth: Column of what was true; without it, only what was decided is audited.
        decision: Column of what was decided or predicted.
        score: Column of the probability given to the positive class, between 0 and 1; two classes only.
        sensitive: Columns to audit by, or numbers cut into bands.
        kind: Whether decisions are classes or values.
        positive: The class that rates and the score speak of; names such as yes and no tell by themselves.
        favourable: The outcome that is good for a person: a class or several, or `higher` or `lower` of a value. Selection rates
            and parity speak of it; names such as granted and refused tell by themselves.
        decides: Values of the decision column that stand for the positive class, all others for the other one.
        counts: Column that says how many equal rows each row stands for.
        weight: Column of survey or sample weights, 0 or above, whole or not: every rate, mean, interval and test then weighs
            rows. Weights are no counts: they make no rows out of one.
        cluster: Column of what each row belongs to, such as a person with several rows: rows with the same value are not
            independent, and audits resample them together. Equal rows may be counted within each cluster.
        engine: Who reads the rows: `memory` one by one; `duckdb` or `spark` counts equal rows where they are, by one group-by, so
            that none comes into memory; `auto` has DuckDB count files of 64 MiB and more where only classes and groups matter.
        labels: Names for people: `{sex: {1: man, 2: woman}}` for values, `{race: ethnicity}` for a column. They are used
            everywhere, gates too; other settings name columns and values as the file does.
        missing: Marks that stand for no value.
        separator: What stands between the cells of a text file.
        encoding: Character encoding of a text file; UTF-8, or what fits where it is not valid UTF-8, unless given.
        units: Units of columns; that of the truth stands beside values.
        decimals: Digits after the point with which values and bounds of bands are shown, as in the data set `table`.
        unit: What one row is, in the singular.

    Raises:
        DataError: A file, a column, a label, a score or a count cannot be used.
        ComponentError: The engine is not installed.
    """
    roles = Roles(
        decision=decision,
        truth=truth,
        score=score,
        sensitive=tuple(sensitive),
        counts=counts,
        weight=weight,
        cluster=cluster,
        positive=positive,
        favourable=favourable,
        decides=tuple(decides),
    )
    roles.check(kind)
    files = Files(paths=(path,) if isinstance(path, Path) else path, form=Format(separator=separator, encoding=encoding))
    cells = Cells(missing=tuple(missing), whole=True)
    called = Labels.of(labels, missing=tuple(missing))
    read = _read(files, roles, kind, cells, engine)
    said = called.check(read.frame)
    read = replace(read, frame=called.apply(read.frame))
    data = _data(read, roles.called(called), kind, files, cells, (called.keyed(units), called.keyed(decimals)), unit)
    return replace(data, treatments=(*said, *data.treatments))


def _read(files: Files, roles: Roles, kind: str, cells: Cells, engine: Engine) -> Source:
    return read_source(
        files,
        [*roles.judged, *map(sensitive_column, roles.sensitive), *filter(None, (roles.cluster, roles.weight))],
        cells,
        counts=roles.counts,
        engine=engine,
        countable=kind == "class" and roles.score is None and roles.weight is None,
        small=roles.cluster is None,
    )


def _data(source: Source, roles: Roles, kind: str, files: Files, cells: Cells, shown: Shown, unit: str) -> Data:
    """Return the rows of files as data with a test split alone."""
    source, gaps = _without_gaps(source, list(roles.judged), roles.truth, cells)
    weights = weights_of(source.frame, roles.weight, cells)
    rows = kept = weights.weighing(np.arange(len(source.frame)))
    if len(kept) < len(source.frame):
        source = source.where(source.frame.index.isin(kept))
        rows = np.arange(len(kept))
    clusters = _clusters(source, roles.cluster, cells)
    target, raw = _classes(source.frame, roles, cells) if kind == "class" else _values(source.frame, roles, cells, shown)
    held = Split(
        inputs=(),
        rows=rows,
        target=_truth(raw, target),
        groups=_groups(source.frame, roles.sensitive, cells, shown[1]),
        raw=_with_others(raw, source.frame, roles.used),
        frequency=source.frequency,
        weights=weights.of(kept),
        clusters=clusters.of(rows),
        strata=_strata(source, files, cells),
    )
    return Data(
        split="decided elsewhere; how the rows that those decisions were learnt from were chosen is not known here",
        schema=Schema(
            modality="table",
            shape=(0,),
            target=target,
            sensitive=tuple(map(sensitive_name, roles.sensitive)),
            unit=unit,
            scored=roles.score is not None,
        ),
        train=Split(inputs=(), rows=np.arange(0)),
        test=held,
        notes=(*source.notes, *gaps, *clusters.notes, *weights.notes(kept)),
        source=", ".join(path.name for path in files.paths),
        treatments=weights.treatments,
    )


def _strata(source: Source, files: Files, cells: Cells) -> CountedStrata | None:
    """Return the other columns of rows that an engine counted; None where rows are in memory."""
    if source.keys is None or source.frequency is None:
        return None
    return CountedStrata(files=files, engine=source.engine, cells=cells, keys=source.keys, frequency=source.frequency)


def _with_others(raw: pd.DataFrame, frame: pd.DataFrame, used: tuple[str, ...]) -> pd.DataFrame:
    """Add the columns that rows have beside those that are judged, as they were read: what may explain a gap."""
    others = frame[[name for name in frame.columns if name not in {*used, _TRUTH, DECISION, SCORE}]]
    return raw.drop(columns=_TRUTH, errors="ignore").join(others)


def _clusters(source: Source, cluster: str | None, cells: Cells) -> Clusters:
    """Return the clusters of rows; counted rows must all have one.

    Raises:
        DataError: Counted rows have none: which of them belong together is not known.
    """
    if cluster is not None and source.frequency is not None and (absent := cells.absent(source.frame[cluster])).any():
        raise DataError(
            f"counted rows without a value of '{cluster}' belong to no cluster",
            got=f"{source.total(absent)} such rows",
            where="dataset.cluster",
            fix="name the cluster of every row, or read them one by one (engine memory, no counts)",
        )
    return clusters_of(source.frame, cluster, cells)


def _groups(frame: pd.DataFrame, sensitive: tuple[str | Band, ...], cells: Cells, decimals: dict[str, int]) -> pd.DataFrame:
    codes = [group_code(feature, frame, cells, decimals) for feature in sensitive]
    return pd.DataFrame({code.name: code.categories(frame[code.column], cells) for code in codes}, index=frame.index)


def _without_gaps(source: Source, columns: list[str], truth: str | None, cells: Cells) -> tuple[Source, tuple[str, ...]]:
    """Leave out rows without a decision or a score, and say how many; say too how many of the others have no truth."""
    absent = pd.concat([cells.absent(source.frame[column]) for column in columns], axis=1)
    unknown = absent[truth] if truth else pd.Series(False, index=absent.index)
    others = [column for column in columns if column != truth]
    gaps = absent[others].any(axis=1)
    if (gaps | unknown).all():
        wanted = "a truth and a decision" if len(columns) > 1 else "a decision"
        fix = "leave the truth out to audit what was decided alone" if truth and not gaps.all() else None
        raise DataError(f"no row has {wanted}", got=f"{source.total(gaps | unknown)} rows", fix=fix)
    notes = [f"{source.total(gaps)} rows without {' or '.join(others)} were left out"] if gaps.any() else []
    if (left := source.total(unknown & ~gaps)) > 0:
        notes.append(
            f"{left} rows without {truth} are decided all the same: they count towards selection rates, not towards errors"
        )
    return source.where(~gaps) if gaps.any() else source, tuple(notes)


def _classes(frame: pd.DataFrame, roles: Roles, cells: Cells) -> tuple[Target, pd.DataFrame]:
    truth, decides, positive, favourable = roles.truth, roles.decides, roles.positive, _several(roles.favourable)
    decided = written = cells.categories(frame[roles.decision])
    if truth is None and decides:
        decided, positive = gathered(decided, decides)
    actual = decided if truth is None else cells.categories(frame[truth])
    names = class_names(actual, actual if decides else decided, positive, favourable)
    if decides and truth is not None:
        decided = classes_of(decided, decides, names)
    good = favourable_named(favourable, written, decides, names)
    raw = pd.DataFrame({DECISION: decided} if truth is None else {_TRUTH: actual, DECISION: decided})
    if roles.score is not None:
        raw[SCORE] = scores_of(cells.numbers(frame[roles.score]), roles.score, decided, names)
    last = names[-1] if len(names) == 2 else positive
    return Target(name=truth or roles.decision, kind="class", classes=names, positive=last, favourable=good), raw


def _values(frame: pd.DataFrame, roles: Roles, cells: Cells, shown: Shown) -> tuple[Target, pd.DataFrame]:
    truth = str(roles.truth)
    raw = pd.DataFrame({_TRUTH: cells.numbers(frame[truth]), DECISION: cells.numbers(frame[roles.decision])})
    good, (units, decimals) = checked_favourable(roles.favourable, (), where="dataset.favourable"), shown
    return Target(name=truth, kind="value", favourable=good, unit=units.get(truth), decimals=decimals.get(truth)), raw


def _several(favourable: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return () if favourable is None else (favourable,) if isinstance(favourable, str) else favourable


def _truth(raw: pd.DataFrame, target: Target) -> torch.Tensor | None:
    if _TRUTH not in raw:
        return None
    if target.kind == "value":
        return torch.tensor(raw[_TRUTH].to_numpy(dtype=np.float64))
    return torch.as_tensor(class_codes(raw[_TRUTH], target.classes).astype(np.int64))
