"""Columns that miss values, say nothing, or say who the row is."""

import numpy as np
import pandas as pd

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Table
from glassbench_audits.data.section import Section, beyond, percent, share

UNIQUE = 0.9
"""Share of different values from which a category tells rows apart rather than describing them."""

FEWEST = 20
"""Rows below which nothing is said of unique values."""


def examine_columns(train: pd.DataFrame, held: pd.DataFrame, tolerance: float) -> Section:
    """Look at the values of each column.

    Args:
        train, held: Named features of the training and the held-out rows.
        tolerance: Share of missing values that is let pass.
    """
    if train.empty:
        return Section()
    missing = {str(name): share(f"missing[{name}]", int(train[name].isna().sum()), len(train)) for name in train.columns}
    constant = [str(name) for name in train.columns if train[name].nunique(dropna=True) <= 1 and not train[name].isna().any()]
    unique = [str(name) for name in train.columns if tells_rows_apart(train[name])]
    findings = [
        Finding(
            sentence=f"{percent(measure)} of the training rows have no value of {name}.",
            grade="concern",
            measures=("data.missing",),
            weight=0.45,
            next_step=f"Find out why {name} is missing, and whether it is missing alike in every group.",
        )
        for name, measure in missing.items()
        if beyond(measure, tolerance) == "concern"
    ]
    if constant:
        said = f"{_names(constant)} {'has' if len(constant) == 1 else 'have'} one value in every training row: no help, drop it."
        step = "Leave such columns out of the inputs."
        findings.append(Finding(sentence=said, grade="concern", measures=("data.constant_columns",), weight=0.35, next_step=step))
    if unique:
        said = f"{_names(unique)} {'is' if len(unique) == 1 else 'are'} different in nearly every row: a name, not a property."
        step = "Leave such columns out of the inputs."
        findings.append(Finding(sentence=said, grade="concern", measures=("data.unique_columns",), weight=0.45, next_step=step))
    cells = int(train.isna().to_numpy().sum())
    measures = [
        Measure(name="data.missing", value=cells / train.size, n=len(train), higher_is_better=False),
        Measure(name="data.constant_columns", value=float(len(constant)), n=len(train), higher_is_better=False),
        Measure(name="data.unique_columns", value=float(len(unique)), n=len(train), higher_is_better=False),
    ]
    return Section(findings=tuple(findings), measures=tuple(measures), tables=(_table(train, held),))


def tells_rows_apart(column: pd.Series) -> bool:
    """Whether a category is different in nearly every row, or whole numbers count the rows."""
    present = column.dropna()
    if len(present) < FEWEST or present.nunique() < UNIQUE * len(present):
        return False
    if not pd.api.types.is_float_dtype(present):
        return True
    whole = bool((present == np.round(present)).all())
    return whole and present.nunique() == len(present) and float(present.max() - present.min()) < 2 * len(present)


def _table(train: pd.DataFrame, held: pd.DataFrame) -> Table:
    rows = tuple(
        (
            str(name),
            "number" if pd.api.types.is_float_dtype(train[name]) else "category",
            int(train[name].nunique()),
            float(train[name].isna().mean()),
            float(held[name].isna().mean()) if name in held and len(held) else None,
        )
        for name in train.columns
    )
    columns = ("column", "kind", "different values", "missing in training", "missing in held-out")
    return Table(title="Columns", columns=columns, rows=rows)


def _names(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
