"""The rates of a decision between classes, as shares of confusion cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glassbench_audits.fairness.counts import one_versus_rest

TN, FP, FN, TP = range(4)


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A share of rows: those of some confusion cells among those of others.

    Args:
        name: As Fairlearn and measures name it.
        part: Cells counted in the numerator.
        whole: Cells counted in the denominator.
        of: What the denominator counts, in words; "{class}" stands for the class.
        asks, matters, silent: What it asks, when it matters, what it cannot tell.
        higher_is_better: Direction, None where neither is.
    """

    name: str
    part: tuple[int, ...]
    whole: tuple[int, ...]
    of: str
    asks: str
    matters: str
    silent: str
    higher_is_better: bool | None

    @property
    def words(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ")


SELECTION = Rate(
    name="selection_rate",
    part=(FP, TP),
    whole=(TN, FP, FN, TP),
    of="rows",
    asks="How often is “{class}” decided?",
    matters="When the decision hands out a good or a burden and each group should get its share.",
    silent="Whether the decisions are right, or whether the groups truly differ.",
    higher_is_better=None,
)
TPR = Rate(
    name="true_positive_rate",
    part=(TP,),
    whole=(FN, TP),
    of="rows that truly are “{class}”",
    asks="Of those who truly are “{class}”, how many are recognised?",
    matters="When being recognised brings help or a chance.",
    silent="What happens to everyone else, or whether the recorded truth is itself biased.",
    higher_is_better=True,
)
FPR = Rate(
    name="false_positive_rate",
    part=(FP,),
    whole=(TN, FP),
    of="rows that truly are not “{class}”",
    asks="Of those who truly are not “{class}”, how many are decided to be?",
    matters="When being called “{class}” wrongly does harm.",
    silent="How many are missed, or whether the recorded truth is itself biased.",
    higher_is_better=False,
)
FNR = Rate(
    name="false_negative_rate",
    part=(FN,),
    whole=(FN, TP),
    of="rows that truly are “{class}”",
    asks="Of those who truly are “{class}”, how many are missed?",
    matters="When being missed means help, or a chance, withheld.",
    silent="How many are called “{class}” wrongly.",
    higher_is_better=False,
)
PRECISION = Rate(
    name="precision",
    part=(TP,),
    whole=(FP, TP),
    of="rows decided “{class}”",
    asks="Of those decided “{class}”, how many truly are?",
    matters="When people act on the decision: it should mean the same for every group.",
    silent="How many are missed. With unequal base rates it cannot be equal together with both error rates.",
    higher_is_better=True,
)
ACCURACY = Rate(
    name="accuracy",
    part=(TN, TP),
    whole=(TN, FP, FN, TP),
    of="rows",
    asks="How often is the decision right?",
    matters="As a first look, when both errors weigh the same.",
    silent="Which error is made: equal accuracy can hide opposite errors.",
    higher_is_better=True,
)
CLASS_RATES = (SELECTION, TPR, FPR, FNR, PRECISION)
"""Rates of one class against the rest."""

RATES = (*CLASS_RATES, ACCURACY)


@dataclass(frozen=True)
class Line:
    """One number that every group has.

    Args:
        name: As measures name it, without the class.
        klass: The class it speaks of where several are examined, else None.
        words: What it is called in sentences.
        of: What its denominator counts, in words.
        higher_is_better: Direction, None where neither is.
        unit: Unit of the number, None for a share.
    """

    name: str
    words: str
    of: str
    higher_is_better: bool | None
    klass: str | None = None
    unit: str | None = None

    @property
    def measure(self) -> str:
        """The name with its class: `precision` or `precision[setosa]`."""
        return self.name if self.klass is None else f"{self.name}[{self.klass}]"


def lines(classes: Sequence[str], focus: Sequence[int], *, truth: bool = True) -> tuple[Line, ...]:
    """Return what `shares` computes, in its order: the class rates of each class in focus, then the accuracy.

    Args:
        classes: Names of all classes.
        focus: Positions of the classes whose rates are asked for; the names carry no class where there is only one.
        truth: Whether the truth is known; without it, selection alone can be counted.
    """
    rates = CLASS_RATES if truth else (SELECTION,)
    named = [_line(rate, classes[k], classes[k] if len(focus) > 1 else None) for k in focus for rate in rates]
    return (*named, _line(ACCURACY, "", None)) if truth else tuple(named)


def shares(counts: np.ndarray, focus: Sequence[int], *, truth: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return numerators and denominators, each `(..., lines, groups)`.

    Args:
        counts: Rows by truth and decision `(..., groups, classes, classes)`.
        focus: Positions of the classes whose rates are asked for.
        truth: Whether the truth is known.
    """
    rates = CLASS_RATES if truth else (SELECTION,)
    total, hits = counts.sum(axis=(-2, -1)), np.trace(counts, axis1=-2, axis2=-1)
    cells = [one_versus_rest(counts, klass, total) for klass in focus]
    parts = [_cell_sum(of_class, rate.part) for of_class in cells for rate in rates]
    wholes = [_cell_sum(of_class, rate.whole) if len(rate.whole) < 4 else total for of_class in cells for rate in rates]
    if truth:
        parts.append(hits)
        wholes.append(total)
    return np.stack(parts, axis=-2), np.stack(wholes, axis=-2)


def _line(rate: Rate, klass: str, suffix: str | None) -> Line:
    return Line(
        name=rate.name,
        words=rate.words,
        of=rate.of.replace("{class}", klass),
        higher_is_better=rate.higher_is_better,
        klass=suffix,
    )


def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide counts, NaN where the denominator is 0.

    Example:
        >>> share(np.array([1, 0]), np.array([4, 0])).tolist()
        [0.25, nan]
    """
    quotient: np.ndarray = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0)
    return quotient


def _cell_sum(cells: Sequence[np.ndarray], which: tuple[int, ...]) -> np.ndarray:
    """Sum some of the four cells."""
    total = cells[which[0]]
    for cell in which[1:]:
        total = total + cells[cell]
    return total
