"""What gives the answer away, and how it is said."""

from dataclasses import dataclass

import numpy as np

from glassbench.contracts.evidence import Finding
from glassbench.stats.percent import in_percent
from glassbench_audits.data.sum_leakage import Sum

BLURRED = "among rows of one class it goes with no other column"
"""What marks a column as the answer under noise."""

ON_A_LINE = "on one line with the value"
"""What marks a column that is the value itself in a part of the rows."""

BLURRED_VALUE = "among rows of about one value it goes with no other column"
"""What marks a column as the value under noise."""

_STEP = "Drop it unless it is known before the answer, then train again."


@dataclass(frozen=True, kw_only=True)
class Leak:
    """What gives the answer away.

    Args:
        columns: The columns.
        where: For which rows, in words; empty for all of them.
        right: Held-out rows that the column decides rightly.
        n: Held-out rows that the column decides.
    """

    columns: tuple[str, ...]
    where: str
    right: int
    n: int


def alone_finding(name: str, *, values: bool) -> Finding:
    """Say that a column alone gives the class, or the value, away."""
    said = (
        f"{name} alone gives {'nearly the whole value' if values else 'nearly every answer'} away: "
        "is it known before the answer is?"
    )
    return Finding(sentence=said, grade="concern", measures=("data.leaking_columns",), weight=0.8, next_step=_STEP)


def hidden_finding(leak: Leak) -> Finding:
    """Say that a column gives the class away for a part of the rows, or two columns together do."""
    right = f"{leak.right:,} of {leak.n:,} held-out rows are predicted rightly by it alone ({in_percent(leak.right / leak.n, 1)})"
    if len(leak.columns) > 1:
        both = " and ".join(leak.columns)
        said = f"{both} together give nearly every answer away: {right}. Are both known before the answer is?"
    else:
        where = leak.where or "in nearly every row"
        said = f"{leak.columns[0]} gives the answer away {where}: {right}. Is it known before the answer is?"
    return Finding(sentence=said, grade="concern", measures=("data.hidden_leaks",), weight=0.75, next_step=_STEP)


def asked_finding(leak: Leak, truth: np.ndarray) -> Finding:
    """Ask about columns that decide much; `truth` holds the classes of the held-out rows."""
    usual = np.bincount(truth[truth >= 0]).max() / len(truth)
    known = "Are both" if len(leak.columns) > 1 else "Is it"
    alone = "together decide" if len(leak.columns) > 1 else "alone decides"
    nothing = {"": ", and hardly more than that either of them alone" if len(leak.columns) > 1 else "", BLURRED: ""}[leak.where]
    said = (
        f"{' and '.join(leak.columns)} {alone} {leak.right:,} of {leak.n:,} held-out rows right "
        f"({in_percent(leak.right / leak.n, 1)}; "
        f"the commonest class alone {in_percent(usual, 1)}{nothing})"
    )
    if leak.where == BLURRED:
        said += f", and {BLURRED}, as the answer itself under noise would be"
    return Finding(
        sentence=f"{said}. {known} known before the answer is?",
        grade="unclear",
        measures=("data.suspected_leaks",),
        weight=0.7,
        next_step=_STEP,
    )


def line_finding(leak: Leak) -> Finding:
    """Ask about a number that is the value to predict in a part of the rows."""
    said = (
        f"{leak.columns[0]} gives the value away exactly in {leak.right:,} of {leak.n:,} held-out rows "
        f"({in_percent(leak.right / leak.n, 1)}), which lie {ON_A_LINE}. Is it known before the value is?"
    )
    return Finding(sentence=said, grade="unclear", measures=("data.suspected_leaks",), weight=0.7, next_step=_STEP)


def blurred_value_finding(name: str, strength: float) -> Finding:
    """Say that a number may be the value to predict under noise."""
    said = (
        f"{name} goes with the value (correlation of its ranks {strength:.2f}), and {BLURRED_VALUE}, as the value itself under "
        "noise would. Is it known before the value is?"
    )
    return Finding(sentence=said, grade="unclear", measures=("data.suspected_leaks",), weight=0.7, next_step=_STEP)


def sum_finding(found: Sum) -> Finding:
    """Say that numbers together give the value."""
    names = f"{', '.join(found.columns[:-1])} and {found.columns[-1]}"
    made = {"sum": "added or subtracted", "product": "multiplied or divided"}[found.how]
    said = (
        f"{names}, {made}, give nearly the whole value away ({in_percent(found.share, 1)} of the variance of {found.n:,} "
        "held-out rows), and none of them alone does. Are they known before the value is?"
    )
    return Finding(sentence=said, grade="concern", measures=("data.hidden_leaks",), weight=0.75, next_step=_STEP)
