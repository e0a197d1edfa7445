"""Selective labels: outcomes that are known for some rows alone, and what can be said of errors then (Lakkaraju et al. 2017)."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.subject import Subject
from glassbench.stats.grade import Grade
from glassbench_audits.fairness.frames.group_frames import good_outcomes
from glassbench_audits.fairness.frames.wording import percent

BIASED = ("true_positive_rate", "false_positive_rate", "false_negative_rate", "equalized_odds", "equal_opportunity", "accuracy")
"""What rests on rows of either decision: biased where the decision sways which outcomes are known. Precision and the false
omission rate look within one decision."""


@dataclass(frozen=True, kw_only=True)
class KnownOutcomes:
    """For how many rows of each decision the outcome is known.

    Args:
        selected: What the first of the two decisions is called.
        rows, known: Rows, and those with a known outcome, of that decision and of all others `(2,)`.
        by_decision: Whether the share known surely differs between the two.
        scored: Names of the metrics that judge scores, which rest on rows of either decision too.
    """

    selected: str
    rows: np.ndarray
    known: np.ndarray
    by_decision: bool
    scored: tuple[str, ...]

    @property
    def reason(self) -> str | None:
        """Why no verdict is given on rates that rest on rows of either decision, or None where one may be."""
        if not self.by_decision:
            return None
        return (
            f"outcomes are known for {self.share(0)} of the rows predicted “{self.selected}” and for {self.share(1)} of the "
            "others, so that this number is not that of all rows"
        )

    @property
    def biased(self) -> tuple[str, ...]:
        """The criteria that carry no verdict."""
        return (*BIASED, *self.scored) if self.by_decision else ()

    def share(self, which: int) -> str:
        """Say for which part of one decision's rows (0), or of the others (1), the outcome is known."""
        n = int(self.rows[which])
        return f"{percent(self.known[which] / n)} % ({int(self.known[which])} of {n})" if n else "none"


def known_outcomes(subject: Subject, level: float) -> KnownOutcomes | None:
    """Return for whom outcomes are known; None where they are for all rows or for none, or decisions are no classes.

    Args:
        subject: What is examined.
        level: How sure it must be that what is known depends on the decision.
    """
    frame = subject.predictions.frame
    if "y_true" not in frame or len(subject.class_outputs) != 1 or not subject.class_outputs[0].selects:
        return None
    held = frame["y_true"].array
    if isinstance(held, pd.Categorical) and held.codes.min(initial=0) >= 0:
        return None
    known = frame["y_true"].notna().to_numpy()
    if known.all() or not known.any():
        return None
    counts = subject.predictions.frequency
    held = np.ones(len(frame)) if counts is None else counts.astype(float)
    chosen = good_outcomes(subject) or (subject.class_outputs[0].spoken,)
    selected = frame["y_pred"].astype(str).isin(chosen).to_numpy()
    rows = np.array([held[selected].sum(), held[~selected].sum()])
    told = np.array([held[selected & known].sum(), held[~selected & known].sum()])
    sways = bool(rows.all()) and chi2_contingency(np.array([told, rows - told])).pvalue < 1 - level
    scored = tuple(metric.name for metric in subject.task.metrics if metric.scored)
    return KnownOutcomes(selected=" or ".join(chosen), rows=rows, known=told, by_decision=sways, scored=scored)


def unjudged_errors(measure: Measure, outcomes: KnownOutcomes | None) -> Measure:
    """Return a measure with the reason why no gate judges it, where it rests on a selected part of the rows."""
    stem = measure.name.removeprefix("fairness.")
    if outcomes is None or outcomes.reason is None or measure.value is None or not stem.startswith(outcomes.biased):
        return measure
    return replace(measure, not_judged=outcomes.reason)


def selective_finding(outcomes: KnownOutcomes | None) -> tuple[Finding, ...]:
    """Say for which rows outcomes are known and what follows; nothing where they are known for all."""
    if outcomes is None:
        return ()
    total, known = int(outcomes.rows.sum()), int(outcomes.known.sum())
    opening = (
        f"Outcomes are known for {known} of {total} rows ({percent(known / total)} %): {outcomes.share(0)} of those predicted "
        f"“{outcomes.selected}” and {outcomes.share(1)} of the others. Selection rates count all {total} rows, error rates the "
        f"{known} alone"
    )
    follows = (
        "Which outcomes are known depends on the decision, so true and false positive rates, accuracy and areas of all rows "
        "cannot be told from them and carry no verdict; precision and the false omission rate hold for rows of one decision if "
        "within it outcomes are known for anyone alike."
        if outcomes.by_decision
        else "They hold for all rows if outcomes are known for anyone alike."
    )
    grade: Grade = "unclear" if outcomes.by_decision else "not applicable"
    return (Finding(sentence=f"{opening}. {follows}", grade=grade, weight=0.65 if outcomes.by_decision else 0.3),)
