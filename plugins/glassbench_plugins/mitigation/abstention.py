"""Uncertain rows left open, for somebody else to decide (abstention, the reject option of Chow 1970)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from glassbench.contracts.data import Data, Split
from glassbench.contracts.metric import Metric
from glassbench.contracts.mitigation import Facts, Mitigation
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Predictions, Task
from glassbench.errors import DataError
from glassbench.stats.percent import in_percent
from glassbench.stats.settings_types import Level, OpenShare, PositiveShare
from glassbench_plugins.mitigation.confidence_cut import Cut, least_rows, of_coverage, of_error
from glassbench_plugins.mitigation.decided_rows import DECIDED, METRICS, wrong_rows

_LEAST = 30
"""Groups with fewer validation rows are not named."""


@dataclass(frozen=True, kw_only=True)
class Abstention(Mitigation):
    """Leaves rows open whose predicted class has too low a score; the others are decided as before.

    A column `decided` of the predictions says which rows are decided. `y_pred` stays what the model says, also of rows left open,
    where it is a suggestion and no decision. The lowest score with which a row is decided is the same for every group, and is
    chosen on validation rows: by `coverage`, the share of rows that are decided, or by `error`, the largest share of wrong
    decisions among them, at a `confidence` that allows for the choice. Sources: Chow (1970), On optimum recognition error and
    reject tradeoff; Geifman and El-Yaniv (2017), Selective classification for deep neural networks. Scores should be calibrated
    where they are compared between groups (`score-calibration` before it).

    Args:
        coverage: The share of validation rows that are decided; None where an error is given, and 0.9 where neither is.
        error: The largest error among decided rows; None to choose by coverage.
        confidence: How sure it must be that the error among decided rows is no larger, of rows drawn like the validation rows.
    """

    coverage: PositiveShare | None = None
    error: OpenShare | None = None
    confidence: Level = 0.95

    def check(self, data: Data, task: Task, model: Any) -> None:
        """Refuse two targets at once, and an error that so few validation rows cannot show."""
        if self.coverage is not None and self.error is not None:
            got = f"coverage {self.coverage:g}, error {self.error:g}"
            raise DataError("rows are left open by a coverage or by an error, not by both", got=got, fix="leave out one of them")
        rows = len(data.validation) if isinstance(data.validation, Split) else 0
        if self.error is None or rows >= (needed := least_rows(self.error, self.confidence)):
            return
        raise DataError(
            f"an error of at most {self.error:g} cannot be shown with so few validation rows, even if none were wrong",
            got=f"{rows:,} validation rows",
            available=[f"at least {needed:,} rows"],
            fix="give more validation rows, allow a larger error, or write coverage in its place",
        )

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The share of rows that are decided, how many of these are wrong, and how many of the others would be."""
        return METRICS

    def fit_decisions(self, predictions: Predictions, schema: Schema) -> Facts:
        """Return the lowest score with which a row is decided, and what it means on the rows it was chosen on."""
        frame = predictions.frame
        known = frame["y_true"].notna().to_numpy()
        score = _confidence(predictions)[known]
        wrong = wrong_rows(frame)[known]
        held = predictions.sampling.weight[known]
        counts = None if predictions.frequency is None else predictions.frequency[known]
        cut = self._cut(score, wrong, held, counted=counts is not None)
        decided = score >= cut.score
        return {
            "score": cut.score,
            "bound": cut.bound,
            "met": cut.met,
            "rows": len(score),
            "coverage": float(np.average(decided, weights=held)),
            "wrong": float(np.average(wrong, weights=held)),
            "wrong_decided": _mean(wrong[decided], held[decided]),
            "wrong_open": _mean(wrong[~decided], held[~decided]),
            "groups": _open_by_group(predictions, known, ~decided, held),
        }

    def _cut(self, score: np.ndarray, wrong: np.ndarray, held: np.ndarray, *, counted: bool) -> Cut:
        if self.error is not None:
            return of_error(score, wrong, held, self.error, self.confidence, counted=counted)
        return of_coverage(score, held, 0.9 if self.coverage is None else self.coverage)

    def decide(self, predictions: Predictions, facts: Facts) -> Predictions:
        """Return the predictions with the column that says which rows are decided."""
        decided = _confidence(predictions) >= float(facts["score"])
        return replace(predictions, frame=predictions.frame.assign(**{DECIDED: decided}))

    def account(self, data: Data, facts: Mapping[str, Any]) -> str:
        """Say which rows are left open, what error stays, whether the target is met, and of which groups most are left open."""
        open_rows = in_percent(1 - facts["coverage"], 1)
        said = (
            f"Rows whose predicted class has a score below {facts['score']:.3f} are left open: {open_rows} of "
            f"{facts['rows']:,} validation rows. Of those decided {_share(facts['wrong_decided'])} were wrong, of all "
            f"{_share(facts['wrong'])}, and of those left open {_share(facts['wrong_open'])} would have been."
        )
        return " ".join(part for part in (said, self._target_words(facts), _group_words(facts["groups"])) if part)

    def _target_words(self, facts: Mapping[str, Any]) -> str:
        if self.error is None:
            return ""
        sure = f"at {self.confidence:g} confidence it is at most {_share(facts['bound'])}"
        if facts["met"]:
            return f"The error among decided rows that was asked for, {_share(self.error)}, is met: {sure}."
        return f"The error among decided rows that was asked for, {_share(self.error)}, is not met: {sure}."


def _confidence(predictions: Predictions) -> np.ndarray:
    """Return the score of each row's predicted class, float64 `(n,)`."""
    scores = predictions.scores
    names = [str(name) for name in scores.columns]
    places = {name: place for place, name in enumerate(names)}
    codes = predictions.frame["y_pred"].astype(str).map(places).to_numpy(dtype=float, na_value=np.nan)
    if not names or np.isnan(codes).any():
        raise DataError(
            "abstention needs a score of each class, and predictions have none", fix="choose a model that gives probabilities"
        )
    return np.asarray(scores.to_numpy(dtype=np.float64)[np.arange(len(scores)), codes.astype(int)])


def _mean(wrong: np.ndarray, held: np.ndarray) -> float | None:
    return float(np.average(wrong, weights=held)) if held.sum() > 0 else None


def _open_by_group(predictions: Predictions, known: np.ndarray, open_rows: np.ndarray, held: np.ndarray) -> list[dict[str, Any]]:
    """Return the share of validation rows that are left open in each group that has enough of them."""
    found = []
    for feature, column in predictions.groups[known].items():
        names = column.astype(str).to_numpy()
        for name in np.unique(names):
            member = names == name
            if int(member.sum()) >= _LEAST:
                share = float(np.average(open_rows[member], weights=held[member]))
                found.append({"feature": str(feature), "group": str(name), "rows": int(member.sum()), "open": share})
    return found


def _group_words(groups: list[Mapping[str, Any]]) -> str:
    if len(groups) < 2:
        return ""
    ordered = sorted(groups, key=lambda one: -float(one["open"]))
    return f"Left open most often are rows of {_one_group(ordered[0])}, least often those of {_one_group(ordered[-1])}."


def _one_group(one: Mapping[str, Any]) -> str:
    return f"{one['feature']} {one['group']} ({in_percent(one['open'], 1)} of {one['rows']:,} rows)"


def _share(value: float | None) -> str:
    return "none" if value is None else in_percent(value, 1)
