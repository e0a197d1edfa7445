"""Uncertain decisions in favour of the group that is decided against more often (reject option)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassbench.contracts.data import Data
from glassbench.contracts.mitigation import Facts, Mitigation
from glassbench.contracts.positive_class import favourable_classes
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Predictions, Task
from glassbench.stats.settings_types import Share
from glassbench_plugins.mitigation.group_thresholds import LEAST, decided
from glassbench_plugins.mitigation.groups import Groups, chosen_features

_MARGINS = 101


@dataclass(frozen=True, kw_only=True)
class RejectOption(Mitigation):
    """Decides rows near the threshold by their group: for the outcome that is good for a person in groups that get it less often.

    A decision whose score lies within a margin of one half is called uncertain. In groups that were selected less often than all
    validation rows together it then goes for the favourable class, in the others against it; every other decision stays. The
    margin is chosen on validation rows: of all that keep the accuracy within `accuracy_loss`, the smallest with a gap in
    selection rates of at most `tolerance`, else the one with the smallest gap. Groups with fewer than 30 validation rows keep the
    plain decision. Source: Kamiran, Karim and Zhang (2012), Decision theory for discrimination-aware classification.

    Args:
        features: Sensitive features whose combinations are the groups; None for all.
        tolerance: The largest gap in selection rates on validation rows that counts as alike.
        accuracy_loss: How much accuracy on validation rows may be given up.
    """

    features: tuple[str, ...] | None = None
    tolerance: Share = 0.02
    accuracy_loss: Share = 0.02

    def check(self, data: Data, task: Task, model: Any) -> None:
        """Refuse features that the data do not have."""
        chosen_features(self.features, data.schema, "reject-option")

    def fit_decisions(self, predictions: Predictions, schema: Schema) -> Facts:
        """Return the margin, and which groups uncertain decisions favour."""
        frame, good = predictions.frame, _favourable(schema)
        known = frame["y_true"].notna().to_numpy()
        groups = Groups.of(predictions.groups[known], chosen_features(self.features, schema, "reject-option"))
        codes = np.where(known, groups.codes(predictions.groups), -1)
        held = predictions.sampling.weight
        plain, truth = ((frame[column] == good).to_numpy(dtype=bool) for column in ("y_pred", "y_true"))
        large = [g for g in range(len(groups.names)) if int((codes == g).sum()) >= LEAST]
        member = np.isin(codes, large)
        overall = float(np.average(plain[member], weights=held[member])) if member.any() else 0.0
        rates = {g: float(np.average(plain[codes == g], weights=held[codes == g])) for g in large}
        favoured = [g for g in large if rates[g] < overall]
        score = frame[f"score.{good}"].to_numpy(dtype=np.float64)
        rows = _Rows(score[member], codes[member], plain[member], truth[member], held[member])
        margin = self._margin(rows, favoured) if favoured else 0.0
        return {
            "features": list(groups.features),
            "favourable": good,
            "margin": margin,
            "favoured": [list(groups.names[g]) for g in favoured],
            "others": [list(groups.names[g]) for g in large if g not in favoured],
            "rows": int(member.sum()),
            "uncertain": int((np.abs(rows.score - 0.5) <= margin).sum()) if margin else 0,
        }

    def decide(self, predictions: Predictions, facts: Facts) -> Predictions:
        """Return the predictions, uncertain ones decided by their group."""
        frame, good = predictions.frame, str(facts["favourable"])
        names = [str(column).removeprefix("score.") for column in frame.columns if str(column).startswith("score.")]
        listed = [*facts["favoured"], *facts["others"]]
        groups = Groups(tuple(facts["features"]), tuple(tuple(name) for name in listed))
        codes = groups.codes(predictions.groups) if listed else np.full(len(frame), -1)
        favoured = (codes >= 0) & (codes < len(facts["favoured"]))
        score = frame[f"score.{good}"].to_numpy(dtype=np.float64)
        plain = (frame["y_pred"] == good).to_numpy(dtype=bool)
        chosen = _chosen(score, plain, favoured, codes >= 0, float(facts["margin"]))
        return decided(predictions, np.where(chosen, good, next(name for name in names if name != good)), names)

    def account(self, data: Data, facts: Mapping[str, Any]) -> str:
        """Say which decisions were uncertain, and whom they favour."""
        if not facts["margin"]:
            return f"No decision was changed: groups of {', '.join(facts['features'])} were selected alike on validation rows."
        favoured, others = (", ".join(" / ".join(name) for name in facts[side][:8]) for side in ("favoured", "others"))
        return (
            f"Decisions whose score lies within {facts['margin']:.3f} of one half are uncertain ({facts['uncertain']:,} of "
            f"{facts['rows']:,} validation rows): they are '{facts['favourable']}' in {favoured}, and not in {others}."
        )

    def _margin(self, rows: "_Rows", favoured: list[int]) -> float:
        margins = np.linspace(0, 0.5, _MARGINS)
        helped = np.isin(rows.codes, favoured)
        found = []
        for margin in margins:
            chosen = _chosen(rows.score, rows.plain, helped, np.ones(len(helped), dtype=bool), float(margin))
            rates = [np.average(chosen[rows.codes == g], weights=rows.held[rows.codes == g]) for g in np.unique(rows.codes)]
            found.append((np.ptp(rates), np.average(chosen == rows.truth, weights=rows.held)))
        gaps, accuracy = np.array(found).T
        affordable = accuracy >= accuracy[0] - self.accuracy_loss
        alike = np.flatnonzero(affordable & (gaps <= self.tolerance))
        return float(margins[alike[0]] if len(alike) else margins[np.argmin(np.where(affordable, gaps, np.inf))])


def _favourable(schema: Schema) -> str:
    """Return the class that is good for a person; where nothing tells, the positive one."""
    target = schema.target
    return next(iter(favourable_classes(target)), target.positive or target.classes[-1])


@dataclass(frozen=True, eq=False)
class _Rows:
    """Validation rows of groups that are large enough, `(n,)` each."""

    score: np.ndarray
    codes: np.ndarray
    plain: np.ndarray
    truth: np.ndarray
    held: np.ndarray


def _chosen(score: np.ndarray, plain: np.ndarray, favoured: np.ndarray, known: np.ndarray, margin: float) -> np.ndarray:
    """Return whether each row is decided for the favourable class."""
    uncertain = known & (np.abs(score - 0.5) <= margin) if margin > 0 else np.zeros(len(score), dtype=bool)
    return np.where(uncertain, favoured, plain)
