"""Which labels a model that has not learnt from them doubts, and how many of these may be wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import IsotonicRegression

from glassbench.stats.intervals import wilson
from glassbench.stats.percent import in_percent

CERTAIN = 0.2
"""The share of rows, those decided with most certainty, whose labels are questioned."""

GOOD = 0.2
"""A model that contradicts more of these labels than that, or doubts its own decisions on them more than that, is not good
enough to question any."""

OVERLAP = 0.4
"""Classes that overlap more than that leave open whether a contradicted label is wrong or its row hard."""

LIKELY = 0.5
"""The chance of being wrong from which a doubted label is listed."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Questioned:
    """Labels beside out-of-sample probabilities.

    Args:
        rows: Row ids `(n,)`.
        labels: Class of each `(n,)`.
        stated: Probabilities by a model that did not learn from the row `(n, classes)`.
    """

    rows: np.ndarray
    labels: np.ndarray
    stated: np.ndarray

    @property
    def certainty(self) -> np.ndarray:
        """The probability of each decision `(n,)`."""
        return np.asarray(self.stated.max(axis=1))

    @property
    def certain(self) -> np.ndarray:
        """Positions of the rows decided with most certainty."""
        order = np.argsort(-self.certainty, kind="stable")
        return order[: max(1, round(CERTAIN * len(order)))]

    @property
    def contradicted(self) -> np.ndarray:
        """Whether each row was decided to be of another class than its label, bool `(n,)`."""
        return np.asarray(self.stated.argmax(axis=1) != self.labels)

    @property
    def unable(self) -> str | None:
        """Why the model is not good enough to question any label, or None where it is: it is wrong, or doubts itself, too often
        even where it is most certain."""
        contradicted = float(self.contradicted[self.certain].mean())
        doubt = float((1 - self.certainty[self.certain]).mean())
        if contradicted > GOOD:
            return (
                f"the model contradicts {in_percent(contradicted)} even of the labels it is most certain of: it can question none"
            )
        if doubt > GOOD:
            return (
                f"even where the model is most certain it gives its decision a probability of {1 - doubt:.2f} on average: it can "
                "question no label"
            )
        return None

    @property
    def doubted(self) -> np.ndarray:
        """Whether confident learning doubts each label (Northcutt et al. 2021), bool `(n,)`.

        A row is doubted when it is decided to be of another class with at least the certainty that rows of that class have on
        average.
        """
        present = np.unique(self.labels)
        usual = np.full(self.stated.shape[1], np.inf)
        usual[present] = [self.stated[self.labels == k, k].mean() for k in present]
        return np.asarray(self.contradicted & (self.certainty >= usual[self.stated.argmax(axis=1)]))


@dataclass(frozen=True, eq=False, kw_only=True)
class Suspects:
    """Labels of a split that may be wrong.

    Args:
        positions: Their positions in what was questioned, the least believable label first `(k,)`.
        wrong: The chance that each is wrong `(k,)`.
        share: The expected share of wrong labels among them, with the ends of its interval; None where there are none.
    """

    positions: np.ndarray
    wrong: np.ndarray
    share: tuple[float, float, float] | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Contradictions:
    """How often labels contradict a model, by the model's certainty, over all rows that were questioned.

    Where the model is most certain, rows that are hard contradict it least, while wrong labels contradict it everywhere alike.

    Args:
        rate: Share of contradicted labels where the model is most certain, with the ends of Wilson's interval: about the share
            of all labels that are wrong, and more than that where rows are hard even there.
        everywhere: Share of contradicted labels among all rows.
        blind: Share of labels that contradict the commonest class.
        classes: Number of classes.
        curve: Certainties in rising order, and the share of contradicted labels at each, never rising (isotonic regression).
    """

    rate: tuple[float, float, float]
    everywhere: float
    blind: float
    classes: int
    curve: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, splits: Sequence[Questioned]) -> "Contradictions":
        """Measure them over all splits together."""
        labels = np.concatenate([one.labels for one in splits])
        stated = np.concatenate([one.stated for one in splits])
        pooled = Questioned(rows=np.arange(len(labels)), labels=labels, stated=stated)
        wrong = int(pooled.contradicted[pooled.certain].sum())
        low, high = wilson(np.array(wrong), np.array(len(pooled.certain)))
        curve = IsotonicRegression(increasing=False).fit(pooled.certainty, pooled.contradicted)
        return cls(
            rate=(wrong / len(pooled.certain), float(low), float(high)),
            everywhere=float(pooled.contradicted.mean()),
            blind=float(1 - np.bincount(labels).max() / len(labels)),
            classes=stated.shape[1],
            curve=(curve.X_thresholds_, curve.y_thresholds_),
        )

    @property
    def overlap(self) -> float:
        """How far classes overlap once wrong labels are set aside: errors of the model over those of a blind guess.

        Wrong labels, were they the contradictions where the model is most certain, add as much to both; the ratio of what is
        left is that of the true labels. 0 where the model is never wrong on these, 1 where it knows nothing.
        """
        left, guess = self.everywhere - self.rate[0], self.blind - self.rate[0]
        return max(left, 0.0) / guess if guess > 0 else 1.0

    def chance_wrong(self, certainty: np.ndarray, rate: float) -> np.ndarray:
        """Return the chance that contradicted labels are wrong `(n,)`, were `rate` of all labels replaced by another class.

        Of rows decided with a certainty the share c contradicts the model. The decision is the true class in a share q of them,
        and c = rate q + (what keeps a label that the decision misses); the chance is rate q / c.
        """
        contradicted = np.maximum(np.interp(certainty, *self.curve), rate)
        kept = 1 - rate - rate / (self.classes - 1)
        missed = np.clip((contradicted - rate) / kept, 0, 1) if kept > 0 else np.ones_like(contradicted)
        return np.asarray(rate * (1 - missed) / np.maximum(contradicted, np.finfo(float).tiny))

    def suspects(self, questioned: Questioned) -> Suspects:
        """Return the labels of a split that are doubted and may rather be wrong than right, the upper end of the rate assumed."""
        doubted = np.flatnonzero(questioned.doubted)
        listed = doubted[self.chance_wrong(questioned.certainty[doubted], self.rate[2]) >= LIKELY]
        own = questioned.stated[listed, questioned.labels[listed]]
        listed = listed[np.argsort(own, kind="stable")]
        chances = [self.chance_wrong(questioned.certainty[listed], rate) for rate in self.rate]
        value, low, high = (float(chance.mean()) if len(listed) else 0.0 for chance in chances)
        return Suspects(positions=listed, wrong=chances[0], share=(value, low, high) if len(listed) else None)


def suspected(splits: Mapping[str, Questioned]) -> dict[str, Suspects]:
    """Return the labels of each split that may be wrong."""
    overall = Contradictions.of(list(splits.values()))
    return {name: overall.suspects(questioned) for name, questioned in splits.items()}
