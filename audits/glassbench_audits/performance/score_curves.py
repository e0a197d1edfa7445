"""What the scores of two classes are worth at every threshold: ROC, precision and recall, gain, and net benefit."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from glassbench.contracts.exhibits import Chart, Reference
from glassbench.contracts.subject import Subject
from glassbench.stats.estimate import FEWEST_EVENTS
from glassbench.stats.percent import in_percent

SECTION = "Scores and thresholds"
BY_CHANCE: Final[Reference] = ("diagonal", "by chance")

Rows = tuple[dict[str, object], ...]

_POINTS = 100
_TENTH = 0.1
_LOWEST = -0.05
"""Net benefit below which deciding alike for all is not drawn: it falls without end."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Ranked:
    """Rows by falling score, those with equal scores taken together.

    Args:
        score: The different scores, falling `(k,)`.
        hits, alarms: Weight of the rows of the positive and of the other class with at least that score, each `(k,)`.
    """

    score: np.ndarray
    hits: np.ndarray
    alarms: np.ndarray

    @classmethod
    def of(cls, score: np.ndarray, positive: np.ndarray, weight: np.ndarray) -> Self:
        """Rank rows.

        Args:
            score: Of the positive class `(n,)`.
            positive: Whether rows are of it, truth values `(n,)`.
            weight: What rows count `(n,)`.
        """
        distinct, place = np.unique(-score, return_inverse=True)
        hits, alarms = (np.bincount(place, weights=weight * of, minlength=len(distinct)) for of in (positive, ~positive))
        return cls(score=-distinct, hits=np.cumsum(hits), alarms=np.cumsum(alarms))

    @property
    def share(self) -> float:
        """Share of the positive class."""
        return float(self.hits[-1] / (self.hits[-1] + self.alarms[-1]))

    @property
    def recall(self) -> np.ndarray:
        """Share of the positive class with at least each score, a 0 before the first `(k + 1,)`."""
        return np.append(0.0, self.hits / self.hits[-1])

    @property
    def fall_out(self) -> np.ndarray:
        """Share of the other class with at least each score, a 0 before the first `(k + 1,)`."""
        return np.append(0.0, self.alarms / self.alarms[-1])

    @property
    def taken(self) -> np.ndarray:
        """Share of all rows with at least each score, a 0 before the first `(k + 1,)`."""
        return np.append(0.0, (self.hits + self.alarms) / (self.hits[-1] + self.alarms[-1]))

    @property
    def precision(self) -> np.ndarray:
        """Share of the positive class among the rows with at least each score `(k,)`."""
        return np.asarray(self.hits / (self.hits + self.alarms))

    def net_benefit(self, thresholds: np.ndarray) -> np.ndarray:
        """Return the net benefit of deciding for the positive class from each threshold on `(t,)` (Vickers and Elkin 2006).

        Right decisions for the positive class count 1 a row, wrong ones `threshold / (1 - threshold)`: who decides from a
        probability of 20 % on takes a wrong decision to be worth a quarter of a right one.
        """
        place = np.searchsorted(-self.score, -thresholds, side="right")
        hits, alarms = (np.append(0.0, of)[place] for of in (self.hits, self.alarms))
        benefit: np.ndarray = (hits - alarms * thresholds / (1 - thresholds)) / (self.hits[-1] + self.alarms[-1])
        return benefit

    def benefit_of_all(self, thresholds: np.ndarray) -> np.ndarray:
        """Return the net benefit of deciding for the positive class whatever the score `(t,)`."""
        return np.asarray(self.share - (1 - self.share) * thresholds / (1 - thresholds))


def score_curves(subject: Subject) -> Iterator[Chart]:
    """Yield the curves of scores of two classes, where both have enough rows; net benefit where scores are probabilities."""
    target = subject.schema.target
    scores = subject.predictions.scores
    if len(target.classes) != 2 or len(subject.class_outputs) != 1 or "y_true" not in subject.predictions.frame:
        return
    name = target.positive or target.classes[-1]
    if name not in scores.columns:
        return
    truth, score = subject.predictions.frame["y_true"], scores[name].to_numpy(dtype=float)
    known = truth.notna().to_numpy() & np.isfinite(score)
    positive = truth.astype(str).to_numpy() == name
    if min((known & positive).sum(), (known & ~positive).sum()) < FEWEST_EVENTS:
        return
    ranked = Ranked.of(score[known], positive[known], subject.predictions.sampling.weight[known])
    yield _roc(ranked, name)
    yield _precision(ranked, name)
    yield _gain(ranked, name, subject.schema.unit)
    if subject.kind.softmax and (score[known] >= 0).all() and (score[known] <= 1).all():
        yield _benefit(ranked, name)


def _roc(ranked: Ranked, name: str) -> Chart:
    at = float(np.interp(_TENTH, ranked.fall_out, ranked.recall))
    message = f"At a false positive rate of {in_percent(_TENTH)}, the true positive rate is {in_percent(at)}."
    rows = _line(ranked.fall_out, ranked.recall)
    return _curve("ROC curve", message, rows, "false positive rate", f"true positive rate of “{name}”", BY_CHANCE)


def _precision(ranked: Ranked, name: str) -> Chart:
    half = int(np.searchsorted(ranked.recall[1:], 0.5))
    message = (
        f"Where half of “{name}” is found, {in_percent(ranked.precision[half])} of those predicted are; "
        f"{in_percent(ranked.share)} of all rows are."
    )
    rows = _line(ranked.recall[1:], ranked.precision)
    return _curve("Precision and recall", message, rows, f"recall of “{name}”", "precision", (ranked.share, "by chance"))


def _gain(ranked: Ranked, name: str, unit: str) -> Chart:
    at = float(np.interp(_TENTH, ranked.taken, ranked.recall))
    message = (
        f"The tenth of {unit}s with the highest scores holds {in_percent(at)} of “{name}”, "
        f"{at / _TENTH:.1f} times as much as a tenth drawn at random (lift)."
    )
    rows = _line(ranked.taken, ranked.recall)
    return _curve("Gain", message, rows, f"share of {unit}s, by falling score", f"share of “{name}” found", BY_CHANCE)


def _benefit(ranked: Ranked, name: str) -> Chart:
    thresholds = np.arange(1, 100) / 100
    model, everyone = ranked.net_benefit(thresholds), ranked.benefit_of_all(thresholds)
    better = thresholds[model > np.maximum(everyone, 0) + 1e-12]
    where = f", between {in_percent(better[0])} and {in_percent(better[-1])}" if len(better) else ""
    message = (
        "Deciding by the scores has a higher net benefit than deciding alike for all "
        f"at {len(better)} of {len(thresholds)} thresholds{where}."
    )
    drawn = everyone >= _LOWEST
    rows = (
        *_line(thresholds, np.maximum(model, _LOWEST), "by scores"),
        *_line(thresholds[drawn], everyone[drawn], f"“{name}” for all"),
    )
    axis = f"probability of “{name}” from which it is decided"
    return _curve("Decision curve", message, rows, axis, "net benefit per row", (0.0, "for none"))


def _curve(title: str, message: str, rows: Rows, x_title: str, y_title: str, reference: Reference) -> Chart:
    return Chart(
        kind="lines",
        title=title,
        message=message,
        rows=rows,
        x_title=x_title,
        y_title=y_title,
        reference=reference,
        section=SECTION,
    )


def _line(x: np.ndarray, y: np.ndarray, color: str | None = None) -> Rows:
    """Return a curve as rows of a chart, of many points about a hundred."""
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), _POINTS)).round().astype(int))
    named = {} if color is None else {"color": color}
    return tuple({"x": round(float(x[i]), 4), "y": round(float(y[i]), 4), **named} for i in kept)
