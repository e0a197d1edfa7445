"""Which classes are taken for which, and how well each is recognised."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.predictions.class_codes import class_codes
from glassbench.contracts.predictions.outputs import ClassOutput
from glassbench.contracts.task import row_frequency
from glassbench.stats.clusters import by_group, clustered_share
from glassbench.stats.intervals import rate_interval
from glassbench.stats.percent import in_percent
from glassbench.stats.sampling import Sampling

SHOWN = 20
"""The most classes in a confusion matrix; with more, the commonest confusions are listed."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Confusion:
    """How often each class was taken for each.

    Args:
        classes: Names in order; classes that only the predictions know stand last.
        counts: Rows by truth and decision `(classes, classes)`.
        label: The label it is about, where rows are given several choices; its rates are those of having it.
        clusters: Hits, predicted and actual rows, by cluster and class, each `(clusters, classes)`, of a survey sums of weights;
            None where rows are independent.
        survey: Whether rates are those of survey weights.
    """

    classes: tuple[str, ...]
    counts: np.ndarray
    clusters: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    label: str | None = None
    survey: bool = False

    @property
    def measured(self) -> tuple[tuple[int, str], ...]:
        """Positions and names of the classes whose precision and recall are given: all, or the one that a label names."""
        if self.label is None:
            return tuple(enumerate(self.classes))
        return ((len(self.classes) - 1, self.label),)

    def ends(self, truth: bool, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the intervals of each class's recall (`truth`) or precision, of clusters by their t."""
        rows = self.counts.sum(axis=1 if truth else 0)
        if self.clusters is not None:
            whole = self.clusters[2 if truth else 1]
            return clustered_share(self.clusters[0], whole, level, rows if self.survey else None)[1:]
        return rate_interval(np.diagonal(self.counts), rows, level)

    def rates(self, truth: bool) -> np.ndarray:
        """Return each class's recall (`truth`) or precision, NaN where no row is asked."""
        hits, whole = self.sums(truth)
        return np.asarray(np.divide(hits, whole, out=np.full(len(whole), np.nan), where=whole > 0))

    def sums(self, truth: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return hits and actual (`truth`) or predicted rows of each class, of a survey their weight, each `(classes,)`."""
        if self.clusters is not None and self.survey:
            return self.clusters[0].sum(axis=0), self.clusters[2 if truth else 1].sum(axis=0)
        return np.diagonal(self.counts), self.counts.sum(axis=1 if truth else 0)


def confusion(frame: pd.DataFrame, output: ClassOutput) -> Confusion:
    """Count the rows of each true and predicted class of a choice whose truths are known."""
    assert output.actual is not None
    columns = (output.actual, output.predicted)
    seen = sorted({str(name) for column in columns for name in column.unique()} - set(output.classes))
    names = (*output.classes, *seen)
    codes = [class_codes(column, names) for column in columns]
    places, held = codes[0] * len(names) + codes[1], row_frequency(frame)
    counts = np.bincount(places, minlength=len(names) ** 2)
    if held is not None:
        counts = np.bincount(places, weights=held, minlength=len(names) ** 2).astype(np.int64)
    return Confusion(
        classes=names,
        counts=counts.reshape(len(names), len(names)),
        clusters=_by_cluster(frame, codes[0], codes[1], len(names)),
        label=output.name,
        survey=Sampling.of(frame).survey,
    )


def _by_cluster(
    frame: pd.DataFrame, truth: np.ndarray, decision: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    sampling = Sampling.of(frame)
    if (clusters := sampling.clusters) is None:
        return None
    one = sampling.weight
    hits = (truth == decision) * one
    return tuple(by_group(values, places, classes, clusters) for values, places in ((hits, truth), (one, decision), (one, truth)))  # type: ignore[return-value]


def class_measures(found: Confusion, level: float) -> Iterator[Measure]:
    """Yield precision and recall of each class, as `performance.precision[class]`, with intervals."""
    for name, whole, lacking in (
        ("precision", found.counts.sum(axis=0), "no row was predicted to be of the class"),
        ("recall", found.counts.sum(axis=1), "no row is of the class"),
    ):
        rates, (lows, highs) = found.rates(name == "recall"), found.ends(name == "recall", level)
        for place, klass in found.measured:
            rate, n, low, high = rates[place], whole[place], lows[place], highs[place]
            yield Measure(
                name=f"performance.{name}[{klass}]",
                value=float(rate) if n else None,
                low=float(low) if n else None,
                high=float(high) if n else None,
                level=level,
                n=int(n),
                higher_is_better=True,
                undefined=None if n else lacking,
            )


def class_table(found: Sequence[Confusion], level: float) -> Table:
    """Return precision and recall of each class, or label, with intervals."""
    rows = []
    for one in found:
        measured, n = list(class_measures(one, level)), len(one.measured)
        for (_, name), p, r in zip(one.measured, measured[:n], measured[n:], strict=True):
            rows.append((name, p.value, p.low, p.high, p.n, r.value, r.low, r.high, r.n))
    return Table(
        title=f"Precision and recall of each {_noun(found)}",
        columns=(_noun(found), "precision", "low", "high", "predicted", "recall", "low", "high", "actual"),
        rows=tuple(rows),
        note=f"Low and high are the ends of the {in_percent(level)} interval.",
    )


def _noun(found: Sequence[Confusion]) -> str:
    return "class" if found[0].label is None else "label"


def confusion_table(found: Confusion) -> Table:
    """Return the confusion matrix, or of many classes the commonest confusions."""
    if len(found.classes) > SHOWN:
        rows = tuple((a, b, n) for a, b, n in _confusions(found)[:SHOWN])
        return Table(title="Commonest confusions", columns=("actual", "predicted", "rows"), rows=rows)
    return Table(
        title="Confusion matrix",
        columns=("actual", *(f"predicted {c}" for c in found.classes)),
        rows=tuple((c, *row) for c, row in zip(found.classes, found.counts.tolist(), strict=True)),
    )


def confusion_chart(found: Confusion) -> Chart | None:
    """Return the confusion matrix as shares of each true class, or None for many classes."""
    if len(found.classes) > SHOWN:
        return None
    totals = found.counts.sum(axis=1, keepdims=True)
    shares = found.counts / np.maximum(totals, 1)
    rows = tuple(
        {"x": b, "y": a, "color": float(shares[i, j]), "size": f"{in_percent(shares[i, j])}, n {found.counts[i, j]:,}"}
        for i, a in enumerate(found.classes)
        for j, b in enumerate(found.classes)
        if totals[i] > 0
    )
    return Chart(
        kind="heat",
        title="Confusion matrix, as shares of each true class",
        message=_message(found),
        rows=rows,
        x_title="predicted",
        y_title="actual",
        section="Classes",
    )


def recall_chart(found: Sequence[Confusion], level: float) -> Chart | None:
    """Return the recall of each class, or label, with its interval, or None for many of them."""
    recalls = [m for one in found for m in class_measures(one, level) if "recall" in m.name]
    names = [name for one in found for _, name in one.measured]
    if len(recalls) > SHOWN:
        return None
    hits, whole = (sum(float(part.sum()) for part in parts) for parts in zip(*(one.sums(True) for one in found), strict=True))
    right = hits / max(1, whole)
    rows = tuple(
        {"y": c, "x": m.value, "low": m.low, "high": m.high, "size": f"n {m.n or 0:,}"}
        for c, m in zip(names, recalls, strict=True)
        if m.value is not None
    )
    noun = _noun(found)
    return Chart(
        kind="intervals",
        title=f"How well each {noun} is recognised",
        message=f"Recall of each {noun} with its interval; the line is the share of all rows predicted rightly.",
        rows=rows,
        x_title="recall",
        y_title=noun,
        reference=(right, f"all rows {in_percent(right)}"),
        section="Classes",
    )


def _confusions(found: Confusion) -> list[tuple[str, str, int]]:
    off = found.counts * ~np.eye(len(found.classes), dtype=bool)
    order = np.argsort(-off, axis=None, kind="stable")
    places = zip(*np.unravel_index(order[: 2 * SHOWN], off.shape), strict=True)
    return [(found.classes[i], found.classes[j], int(off[i, j])) for i, j in places if off[i, j]]


def _message(found: Confusion) -> str:
    confusions = _confusions(found)
    if not confusions:
        return "No row was taken for another class."
    truth, decision, n = confusions[0]
    return f"The commonest confusion: {n} rows of actual “{truth}” were predicted “{decision}”."
