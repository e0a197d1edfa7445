"""The rates of a decision between classes, as shares of confusion cells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from glassbench.contracts.measure_words import measure_words
from glassbench_audits.fairness.frames.counts import one_versus_rest, sum_of

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
        return measure_words(self.name)


SELECTION = Rate(
    name="selection_rate",
    part=(FP, TP),
    whole=(TN, FP, FN, TP),
    of="rows",
    asks="What share of the rows is predicted “{class}”?",
    matters="When the decision hands out a good or a burden and each group should get its share.",
    silent="Whether the decisions are right, or whether the groups differ in fact.",
    higher_is_better=None,
)
TPR = Rate(
    name="true_positive_rate",
    part=(TP,),
    whole=(FN, TP),
    of="rows with actual “{class}”",
    asks="Of the actual “{class}”, how many are predicted “{class}”?",
    matters="When being recognised brings help or a chance.",
    silent="What happens to everyone else, or whether the recorded truth is itself biased.",
    higher_is_better=True,
)
FPR = Rate(
    name="false_positive_rate",
    part=(FP,),
    whole=(TN, FP),
    of="rows without actual “{class}”",
    asks="Of those that are not actual “{class}”, how many are predicted “{class}”?",
    matters="When being called “{class}” wrongly does harm.",
    silent="How many are missed, or whether the recorded truth is itself biased.",
    higher_is_better=False,
)
FNR = Rate(
    name="false_negative_rate",
    part=(FN,),
    whole=(FN, TP),
    of="rows with actual “{class}”",
    asks="Of the actual “{class}”, how many are missed?",
    matters="When being missed means help, or a chance, withheld.",
    silent="How many are called “{class}” wrongly.",
    higher_is_better=False,
)
PRECISION = Rate(
    name="precision",
    part=(TP,),
    whole=(FP, TP),
    of="rows predicted “{class}”",
    asks="Of those predicted “{class}”, how many are actual “{class}”?",
    matters="When people act on the decision: it should mean the same for every group.",
    silent="How many are missed. With unequal base rates it cannot be equal together with both error rates.",
    higher_is_better=True,
)
FDR = Rate(
    name="false_discovery_rate",
    part=(FP,),
    whole=(FP, TP),
    of="rows predicted “{class}”",
    asks="Of those predicted “{class}”, how many are not actual “{class}”? The rest of precision to 100 %.",
    matters="When acting on a wrong “{class}” costs something.",
    silent="How many are missed.",
    higher_is_better=False,
)
FOR = Rate(
    name="false_omission_rate",
    part=(FN,),
    whole=(TN, FN),
    of="rows not predicted “{class}”",
    asks="Of those not predicted “{class}”, how many are actual “{class}”?",
    matters="When people rely on not being called “{class}”.",
    silent="How many are called “{class}” wrongly.",
    higher_is_better=False,
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
CLASS_RATES = (SELECTION, TPR, FPR, FNR, PRECISION, FDR, FOR)
"""Rates of one class against the rest."""

RATES = (*CLASS_RATES, ACCURACY)

ASSIGNED = "share of rows assigned"
"""What a selection rate is called where decisions put rows into clusters: nobody is selected."""

KNOWN = "rows with a known outcome"
"""What accuracy counts where the outcome of some rows is not known."""


@dataclass(frozen=True)
class GroupMetric:
    """One number that every group has.

    Args:
        name: As measures name it, without the class.
        klass: The class it speaks of where several are examined, else None.
        words: What it is called in sentences.
        of: What its denominator counts, in words.
        higher_is_better: Direction, None where neither is.
        unit: Unit of the number, None for a share.
        scaled: Whether gaps are held against the spread of what is predicted, and not against a difference of shares.
        good: Whether what it speaks of is good for a person.
        share: Whether it is a share of rows.
        proportion: Whether it is written in per cent although it is no share of rows.
        outcome: The class or classes it speaks of in words, also where one class alone is examined; empty where there is none.
    """

    name: str
    words: str
    of: str
    higher_is_better: bool | None
    klass: str | None = None
    unit: str | None = None
    outcome: str = ""
    scaled: bool = False
    good: bool = False
    share: bool = False
    proportion: bool = False

    @property
    def measure(self) -> str:
        """The name with its class: `precision` or `precision[setosa]`."""
        return self.name if self.klass is None else f"{self.name}[{self.klass}]"


@dataclass(frozen=True, kw_only=True)
class ClassRate:
    """A rate of one class, or of several together, against the rest.

    Args:
        rate: The rate.
        of: Positions of the classes; none for the accuracy.
        metric: What the number is called.
    """

    rate: Rate
    of: tuple[int, ...]
    metric: GroupMetric


def class_rates(
    classes: Sequence[str],
    focus: Sequence[int],
    *,
    truth: bool = True,
    favourable: Sequence[int] = (),
    both: bool = False,
    partly: bool = False,
    assigned: bool = False,
) -> tuple[ClassRate, ...]:
    """Return the rates of each class in focus, then the accuracy, then further selection rates.

    The selection rate without a class in its name speaks of the favourable classes where they are known.

    Args:
        classes: Names of all classes.
        focus: Positions of the classes whose rates are asked for; the names carry no class where there is only one.
        truth: Whether the truth is known; without it, selection alone can be counted.
        favourable: Positions of the classes that are good for a person; none where that is not known.
        both: Whether the other class of two gets a selection rate as well, because nobody says which of them is good.
        partly: Whether the truth of some rows is not known.
        assigned: Whether decisions put rows into clusters.
    """
    rates = CLASS_RATES if truth else (SELECTION,)
    single, good = len(focus) == 1, tuple(favourable)
    found = []
    for k in focus:
        for rate in rates:
            of = good if good and single and rate is SELECTION else (k,)
            found.append(_named(rate, of, classes, None if single else classes[k]))
    if truth:
        found.append(_named(ACCURACY, (), classes, None, of_rows=KNOWN if partly else None))
    if good and not single:
        found.append(_named(SELECTION, good, classes, None))
    if both and single:
        found += [_named(SELECTION, (k,), classes, classes[k]) for k in range(len(classes)) if k not in focus]
    if assigned:
        found = [replace(each, metric=replace(each.metric, words=ASSIGNED)) for each in found]
    return tuple(found)


def shares(counts: np.ndarray, rates: Sequence[ClassRate]) -> tuple[np.ndarray, np.ndarray]:
    """Return numerators and denominators, each `(..., rates, groups)`.

    Args:
        counts: Rows by truth and decision `(..., groups, classes, classes)`, or `(..., groups, classes + 1, classes)` where the
            last truth is that of rows whose outcome is not known: they count towards selection rates alone.
        rates: The rates asked for.
    """
    parts, wholes = zip(*_each_share(counts, rates), strict=True)
    return np.stack(parts, axis=-2), np.stack(wholes, axis=-2)


def rates_of(counts: np.ndarray, rates: Sequence[ClassRate]) -> np.ndarray:
    """Return the rates of counts `(..., truths, classes)`, as of `shares`, metric by metric: `(rates, ...)`."""
    return np.stack([share(part, whole) for part, whole in _each_share(counts, rates)])


def _each_share(counts: np.ndarray, rates: Sequence[ClassRate]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    by_class = np.ascontiguousarray(np.moveaxis(counts, (-2, -1), (0, 1)))
    classes = by_class.shape[1]
    known, unknown = by_class[:classes], by_class[classes] if len(by_class) > classes else None
    total = known.sum(axis=(0, 1))
    everyone = total if unknown is None else total + unknown.sum(axis=0)
    cells = {of: one_versus_rest(known, of, total) for of in {rate.of for rate in rates} if of}
    sums: dict[tuple[tuple[int, ...], tuple[int, ...]], np.ndarray] = {}
    for each in rates:
        if each.rate is ACCURACY:
            yield np.trace(known), total
            continue
        for which in (each.rate.part, each.rate.whole):
            if (each.of, which) not in sums:
                sums[each.of, which] = sum_of([cells[each.of][cell] for cell in which])
        part = sums[each.of, each.rate.part]
        if each.rate is SELECTION:
            yield part if unknown is None else part + sum_of([unknown[k] for k in each.of]), everyone
        else:
            yield part, sums[each.of, each.rate.whole]


def _named(
    rate: Rate, of: tuple[int, ...], classes: Sequence[str], klass: str | None, *, of_rows: str | None = None
) -> ClassRate:
    outcome = " or ".join(classes[k] for k in of)
    metric = GroupMetric(
        name=rate.name,
        words=rate.words,
        of=of_rows or rate.of.replace("{class}", outcome),
        higher_is_better=rate.higher_is_better,
        klass=klass,
        outcome=outcome,
        share=True,
    )
    return ClassRate(rate=rate, of=of, metric=metric)


def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide counts, NaN where the denominator is 0.

    Example:
        >>> share(np.array([1, 0]), np.array([4, 0])).tolist()
        [0.25, nan]
    """
    there = np.asarray(whole) > 0
    if there.all():
        return np.asarray(np.divide(part, whole))
    quotient: np.ndarray = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=there)
    return quotient
