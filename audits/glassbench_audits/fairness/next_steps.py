"""What to do about a gap: where to look first, by the number that differs, and what can be changed, by the kind of prediction."""

from dataclasses import dataclass

from glassbench.contracts.subject import Subject
from glassbench.printable import plural
from glassbench_audits.fairness.comparison.grading import FOUR_FIFTHS, PARITY, PARITY_OF_VALUES, Judgement

_MISSED = ("false_negative_rate", "true_positive_rate")
_ALARMS = ("false_positive_rate", "false_discovery_rate", "precision")
_SKEWED = "mean_signed_error"


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What is advised on rows of one kind.

    Args:
        rows: What rows are called, in the plural.
        remedy: What can be done where groups fare differently (`PredictionKind.remedy`).
        conditions: Features that are no groups of people (`Schema.conditions`).
    """

    rows: str
    remedy: str
    conditions: tuple[str, ...] = ()

    @classmethod
    def of(cls, subject: Subject) -> "Advice":
        """Read what rows and predictions are."""
        schema = subject.schema
        return cls(rows=plural(schema.unit), remedy=subject.kind.remedy(schema), conditions=tuple(schema.conditions))

    def about(self, judgement: Judgement) -> str:
        """Return what to do about a gap: find its cause where it is sure, wait for more rows where it is not."""
        if judgement.gap.where is None or judgement.grade == "ok":
            return ""
        if judgement.grade == "concern" and set(judgement.frame.by) <= set(self.conditions):
            return f"Train with more {self.rows} of {worse(judgement)}, or do not use the model there."
        if judgement.grade == "concern":
            return self.remedied(looked_for(judgement, self.rows))
        more = judgement.more_rows
        if more is None:
            return ""
        return f"Collect about {more.likely:,} more {judgement.frame.cluster_word}: in 8 of 10 cases enough to tell."

    def remedied(self, look: str) -> str:
        """Return where to look, then what can be changed."""
        return f"{look}; then {self.remedy}."


def looked_for(judgement: Judgement, rows: str) -> str:
    """Return where to look for the cause of a gap.

    Args:
        judgement: The gap.
        rows: What rows are called, in the plural.
    """
    where = judgement.gap.where
    assert where is not None
    metric = judgement.frame.metrics[where.metric]
    stem, klass = judgement.name.partition("[")[0], f" “{metric.outcome}”" if metric.outcome else ""
    if stem in (*PARITY, FOUR_FIFTHS, *PARITY_OF_VALUES):
        top, bottom = (judgement.frame.groups[place].words for place in (where.top, where.bottom))
        return f"Check whether {top} and {bottom} differ as much in truth"
    if metric.name in _MISSED:
        return f"Look at the actual{klass} {rows} of {worse(judgement)} that were missed"
    if metric.name in _ALARMS:
        return f"Look at the {rows} of {worse(judgement)} wrongly called{klass or ' positive'}"
    if metric.name == _SKEWED:
        return f"Look at the {rows} of both groups that lie furthest off, and which way"
    return f"Look at the worst {judgement.frame.cluster_word if judgement.frame.clusters else rows} of {worse(judgement)}"


def worse(judgement: Judgement) -> str:
    """Return the group that a gap is worse for, in words."""
    assert judgement.gap.where is not None
    good = judgement.frame.metrics[judgement.gap.where.metric].higher_is_better
    return judgement.frame.groups[judgement.gap.where.bottom if good else judgement.gap.where.top].words
