"""Held-out rows that are near-duplicates of training rows: noise, one changed cell, an edited text, another encoding."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Table
from glassbench.contracts.schema import Schema
from glassbench.stats.percent import in_percent
from glassbench_audits.data.near_rows import NearDuplicates, near_rows
from glassbench_audits.data.near_vectors import near_texts, near_vectors, sketched
from glassbench_audits.data.section import Section, beyond, percent, share

FEWEST_ROWS = 100
"""Training rows below which nothing can be told about what is near by nature."""

MOST_HELD = 1500
"""Pictures, sounds, series and texts of the held-out rows that are compared, drawn by chance where there are more."""

MOST_TRAIN = 100_000
"""Training rows they are compared with, drawn by chance where there are more."""

WORDS, SHOWN, EXCERPT = 2, 10, 90


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was compared, and what was found.

    Args:
        near: Near-duplicates by position, or None where rows cannot be compared.
        compared: How rows were compared, in words; why not, where they were not.
        texts: The texts of training and held-out rows, where texts were compared.
    """

    near: NearDuplicates | None
    compared: str
    texts: tuple[pd.Series, pd.Series] | None = None


def examine_near_duplicates(
    train: Split,
    held: Split,
    known: pd.DataFrame,
    seen: pd.DataFrame,
    schema: Schema,
    generator: np.random.Generator,
    tolerance: float,
) -> Section:
    """Count held-out rows that lie much nearer to a training row than rows of these data do by nature.

    Args:
        train, held: The splits.
        known, seen: Their named features.
        schema: What the rows are.
        generator: Draws the rows that are compared, where there are many.
        tolerance: Share of near-duplicates that is let pass.
    """
    looked = near_duplicates(train, held, known, seen, schema, generator)
    if looked.near is None:
        measure = Measure(name="data.near_copies", value=None, n=len(held), undefined=looked.compared, higher_is_better=False)
        return Section(measures=(measure,))
    near = looked.near
    measure = share("near_copies", len(near.held), len(near.examined), higher_is_better=False)
    if not len(near.held):
        return Section(measures=(measure,))
    table = _examples(looked, near, train, held, known, seen)
    return Section(findings=(_finding(measure, looked, near, len(held), tolerance),), measures=(measure,), tables=(table,))


def near_duplicates(
    train: Split, held: Split, known: pd.DataFrame, seen: pd.DataFrame, schema: Schema, generator: np.random.Generator
) -> Looked:
    """Return the held-out rows that lie much nearer to a training row than rows of these data do by nature; see the audit."""
    if len(train) < FEWEST_ROWS or not len(held):
        return Looked(near=None, compared=f"fewer than {FEWEST_ROWS} training rows show too little of what is near by nature")
    if schema.layout.sequential:
        return Looked(near=None, compared="steps of an episode are near each other by nature")
    if len(known.columns) > 1 and set(known.columns) == set(seen.columns):
        return Looked(near=near_rows(known, seen[list(known.columns)], generator), compared="columns")
    measured = schema.layout.measured
    texts = (None, None) if measured else (texts_of(train), texts_of(held))
    part = np.sort(generator.permutation(len(held))[:MOST_HELD])
    learnt = np.sort(generator.permutation(len(train))[:MOST_TRAIN])
    if texts[0] is not None and texts[1] is not None:
        near = near_texts(texts[0].iloc[learnt].tolist(), texts[1].iloc[part].tolist())
        return Looked(near=near.at(learnt, part), compared="texts", texts=(texts[0], texts[1]))
    pair = sketched(train, learnt), sketched(held, part)
    if pair[0] is None or pair[1] is None or pair[0].shape[1] != pair[1].shape[1]:
        return Looked(near=None, compared="rows of this kind are not compared with each other")
    return Looked(near=near_vectors(pair[0], pair[1]).at(learnt, part), compared="values")


def texts_of(split: Split) -> pd.Series | None:
    """Return the column of longest texts of several words each `(n,)`, or None."""
    columns = [] if split.raw is None else [split.raw[name].astype(str) for name in split.raw.columns]
    longest = max(columns, key=lambda column: float(column.str.count(" ").mean()), default=None)
    return longest if longest is not None and float(longest.str.count(" ").mean()) >= WORDS else None


def _finding(measure: Measure, looked: Looked, near: NearDuplicates, held: int, tolerance: float) -> Finding:
    differ = {
        "columns": "they differ by a trace of noise, or in one cell",
        "texts": "they differ by small edits",
        "values": "they differ by noise, scale or encoding",
    }[looked.compared]
    drawn = f" drawn from {held:,}" if len(near.examined) < held else ""
    grade = beyond(measure, tolerance)
    said = (
        f"{percent(measure)} of the held-out rows ({len(near.held):,} of {len(near.examined):,}{drawn}) are near-duplicates of "
        f"training rows: {differ}, and lie nearer than rows of these data do by nature"
        + (f" (about {near.expected:.1f} expected)" if near.expected >= 0.05 else "")
    )
    if grade == "concern":
        words = f"{said}. The model has nearly seen them, and figures on held-out rows flatter it."
        step = "Divide the rows again so that copies stay together, train and audit again."
        return Finding(sentence=words, grade="concern", measures=("data.near_copies",), weight=0.8, next_step=step)
    words = f"{said}; {in_percent(tolerance)} are let pass."
    return Finding(sentence=words, grade=grade, measures=("data.near_copies",), weight=0.3)


def _examples(looked: Looked, near: NearDuplicates, train: Split, held: Split, known: pd.DataFrame, seen: pd.DataFrame) -> Table:
    rows = []
    for one, other in list(zip(near.held.tolist(), near.train.tolist(), strict=True))[:SHOWN]:
        if looked.texts is not None:
            what = " / ".join(f"“{text.iloc[at][:EXCERPT]}”" for text, at in zip(looked.texts, (other, one), strict=True))
        elif looked.compared == "columns":
            what = _differences(known.iloc[other], seen.iloc[one])
        else:
            what = "values, slightly"
        rows.append((str(held.rows[one]), str(train.rows[other]), what))
    return Table(
        title="Near-duplicates across the splits",
        columns=("held-out row", "training row", "difference (training, held-out)"),
        rows=tuple(rows),
        note=f"{len(rows)} of {len(near.held):,} found.",
    )


def _differences(learnt: pd.Series, judged: pd.Series) -> str:
    changed = [
        f"{name}: {learnt[name]} / {judged[name]}"
        for name in learnt.index
        if learnt[name] != judged[name] and not (pd.isna(learnt[name]) and pd.isna(judged[name]))
    ]
    return "; ".join(changed[:2]) + (f"; {len(changed) - 2} more columns" if len(changed) > 2 else "")
