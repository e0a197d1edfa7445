"""What the self-tests of an explanation work on, and the form of what they find."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from glassbench.contracts.evidence import Measure
from glassbench.contracts.subject import Subject
from glassbench.stats.intervals import bootstrap
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.explain.checks.reliability import Check
from glassbench_audits.explain.checks.removal import removal_of

FEWEST_UNITS = 3
"""Below this many units, rankings say nothing."""

SECTION = "How the explanation was tested"


@dataclass(frozen=True, eq=False, kw_only=True)
class Examined:
    """What the self-tests work on.

    Args:
        subject: The subject.
        explainer: The explainer under test.
        rows: The rows that were explained.
        attributions: Their attributions per unit `(n, units)`.
        replicates: Resamples behind intervals.
        level: Confidence level.
        clusters: Which independent cluster each row is of `(n,)`, where rows hang together; whole clusters are resampled then.
    """

    subject: Subject
    explainer: Explainer
    rows: Rows
    attributions: np.ndarray
    replicates: int
    level: float
    clusters: np.ndarray | None = None

    def few(self) -> "Examined":
        """Return some rows, evenly spread, for the tests that ask the model many times, their attributions afresh.

        Explained anew, because what a method gives a row may depend on the rows beside it.
        """
        affordable = self.explainer.explained.affords(64, 16, 6)
        limit = min(affordable, max(6, self.explainer.method.rows // 4))
        index = np.unique(np.linspace(0, len(self.rows) - 1, min(limit, len(self.rows))).astype(int))
        rows = self.rows.take(torch.as_tensor(index))
        clusters = None if self.clusters is None else self.clusters[index]
        return replace(self, rows=rows, attributions=self.explainer.per_feature_group(rows), clusters=clusters)

    def unranked(self) -> str | None:
        """Return why units cannot be ranked, or None."""
        few = len(self.explainer.feature_groups) < FEWEST_UNITS
        return f"fewer than {FEWEST_UNITS} inputs cannot be ranked" if few else None

    def irremovable(self) -> str | None:
        """Return why units cannot be ranked and taken out, or None."""
        if reason := self.unranked():
            return reason
        possible = removal_of(self.explainer, self.rows.take(slice(0, 1))).possible
        return None if possible else "attributions speak of parts that cannot be taken out"

    def mean(self, name: str, values: np.ndarray, *, higher_is_better: bool = True) -> Measure:
        """Return the mean over rows `(n,)` with its bootstrap interval, as a measure."""
        return self.ratio(name, values, np.ones(len(values)), higher_is_better=higher_is_better)

    def ratio(self, name: str, above: np.ndarray, below: np.ndarray, *, higher_is_better: bool) -> Measure:
        """Return the ratio of two sums over rows, each `(n,)`, with its bootstrap interval, as a measure."""
        low, high = self.interval(name, above, below)
        return Measure(
            name=name,
            value=float(above.sum() / below.sum()),
            low=low,
            high=high,
            level=self.level,
            n=int((below != 0).sum()),
            higher_is_better=higher_is_better,
        )

    def defined(self, name: str, values: np.ndarray, *, higher_is_better: bool) -> Measure:
        """Return the mean over the rows where a value is defined, one at least, with its bootstrap interval, as a measure."""
        known = np.isfinite(values)
        return self.ratio(name, np.where(known, values, 0.0), known.astype(np.float64), higher_is_better=higher_is_better)

    def interval(self, purpose: str, above: np.ndarray, below: np.ndarray | None = None) -> tuple[float, float]:
        """Return the bootstrap interval of a mean over rows, or of a ratio of two sums over them."""
        base = np.ones(len(above)) if below is None else below

        def ratio(weights: np.ndarray) -> np.ndarray:
            total = weights @ base
            values: np.ndarray = np.divide(weights @ above, total, out=np.full_like(total, np.nan), where=total != 0)
            return values

        low, high = bootstrap(
            ratio,
            len(above),
            self.subject.generator(purpose),
            replicates=self.replicates,
            level=self.level,
            clusters=None if self.clusters is None else np.unique(self.clusters, return_inverse=True)[1],
        )
        return float(low), float(high)


def spread(measure: Measure) -> str:
    """Return a measure with its interval, in words."""
    return f"{measure.value:.2f} [{measure.low:.2f}, {measure.high:.2f}]"


def undefined(name: str, reason: str, *, higher_is_better: bool) -> Measure:
    """Return a measure without a value."""
    return Measure(name=name, value=None, undefined=reason, higher_is_better=higher_is_better)


def skipped(test: str, meaning: str, reason: str, measure: Measure, *more: Measure) -> Check:
    """Return a self-test that does not apply."""
    return Check(name=test, outcome="not applicable", result=reason, meaning=meaning, measure=measure, more=more)
