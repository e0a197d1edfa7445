"""Selective labels: outcomes that are known for some rows alone, and what can be said of errors then (Lakkaraju et al. 2017)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, mannwhitneyu

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.subject import Subject
from glassbench.stats.grade import Grade
from glassbench.stats.percent import bare_percent
from glassbench_audits.fairness.frames.group_frames import good_outcomes

EITHER = ("true_positive_rate", "false_positive_rate", "false_negative_rate", "equalized_odds", "equal_opportunity", "accuracy")
"""What rests on rows of either decision: biased where the decision sways which outcomes are known."""

WITHIN = (("precision", "false_discovery_rate"), ("false_omission_rate",))
"""What rests on rows of one decision: those predicted the class that rates speak of, and all others. Biased where within that
decision outcomes are known for some groups or scores more often than for others."""


@dataclass(frozen=True, kw_only=True)
class KnownOutcomes:
    """For how many rows of each decision the outcome is known.

    Args:
        rows, known: Rows, and those with a known outcome, of that decision and of all others `(2,)`.
        by_decision: Whether the share known surely differs between the two.
        unlike: Per decision, by what outcomes are surely known more often among its rows, such as "sex"; empty where for anyone
            alike, as far as groups and scores tell `(2,)`.
        chosen: The classes of the first decision.
        spoken: The class that rates without a class in their name speak of.
        several: Whether there are more than two classes.
        scored: Names of the metrics that judge scores, which rest on rows of either decision too.
    """

    rows: np.ndarray
    known: np.ndarray
    by_decision: bool
    unlike: tuple[tuple[str, ...], tuple[str, ...]]
    chosen: tuple[str, ...]
    spoken: str
    several: bool
    scored: tuple[str, ...]

    @property
    def selected(self) -> str:
        """What the first of the two decisions is called."""
        return " or ".join(self.chosen)

    @property
    def reason(self) -> str | None:
        """Why no verdict is given on rates that rest on rows of either decision, or None where one may be."""
        if self.by_decision:
            return (
                f"outcomes are known for {self.share(0)} of the rows predicted “{self.selected}” and for {self.share(1)} of the "
                "others, so that this number is not that of all rows"
            )
        return next(iter(self._reasons((0, 1))), None)

    @property
    def biased(self) -> tuple[str, ...]:
        """The criteria that carry no verdict."""
        either = (*EITHER, *self.scored) if self.reason else ()
        return (*either, *(name for names in WITHIN if self._within(names[0]) for name in names))

    def why_not(self, name: str) -> str | None:
        """Return why a metric carries no verdict, by the start of its name, or None where it may carry one."""
        if any(name.startswith(names) for names in WITHIN):
            return self._within(name)
        return self.reason if name.startswith((*EITHER, *self.scored)) else None

    @property
    def sentences(self) -> tuple[str, ...]:
        """Say by what outcomes are known more often within each decision, one sentence per decision where they are."""
        return tuple(f"{reason[0].upper()}{reason[1:]}." for reason in self._reasons((0, 1), so=""))

    def _within(self, name: str) -> str | None:
        """Why no verdict is given on a metric that looks within one decision, or None."""
        place = next((k for k, names in enumerate(WITHIN) if name.startswith(names)), None)
        if place is None:
            return None
        klass = name.partition("[")[2].removesuffix("]") or self.spoken
        own = int(klass not in self.chosen)
        asked = (0, 1) if place and self.several else ((own + place) % 2,)
        return next(iter(self._reasons(asked)), None)

    def _reasons(self, asked: tuple[int, ...], so: str = ", so that this number is not that of all of them") -> Iterator[str]:
        """Yield for each decision by what outcomes are known more often among its rows."""
        for which in asked:
            if self.unlike[which]:
                whom = f"the rows {'' if which == 0 else 'not '}predicted “{self.selected}”"
                by = " and ".join(self.unlike[which])
                yield f"among {whom} outcomes are known for some more often than for others by {by}{so}"

    def share(self, which: int) -> str:
        """Say for which part of one decision's rows (0), or of the others (1), the outcome is known."""
        n = int(self.rows[which])
        return f"{bare_percent(self.known[which] / n)} % ({int(self.known[which])} of {n})" if n else "none"


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
    output, alarm = subject.class_outputs[0], 1 - level
    return KnownOutcomes(
        rows=rows,
        known=told,
        by_decision=bool(rows.all()) and chi2_contingency(np.array([told, rows - told])).pvalue < alarm,
        unlike=(_unlike(subject, known, selected, held, alarm), _unlike(subject, known, ~selected, held, alarm)),
        chosen=tuple(chosen),
        spoken=output.spoken,
        several=len(output.classes) > 2,
        scored=tuple(metric.name for metric in subject.task.metrics if metric.scored),
    )


def _unlike(subject: Subject, known: np.ndarray, rows: np.ndarray, held: np.ndarray, alarm: float) -> tuple[str, ...]:
    """Return by what outcomes of some rows are surely known more often: names of groups, and "score".

    Args:
        subject: What is examined.
        known, rows: Which rows have an outcome, and which are asked about `(n,)`.
        held: For how many equal rows each stands `(n,)`.
        alarm: Chance that any is named for either decision though outcomes are known for anyone alike (Bonferroni's correction).
    """
    groups, counts = subject.predictions.groups, subject.predictions.frequency
    told, output = known[rows], subject.class_outputs[0]
    tests = {str(name): _known_by(groups[name].to_numpy()[rows], told, held[rows]) for name in groups}
    if output.scores is not None and counts is None and told.any() and not told.all():
        score = output.scores[output.spoken].to_numpy()[rows]
        tests["score"] = float(mannwhitneyu(score[told], score[~told]).pvalue)
    return tuple(name for name, p in tests.items() if p < alarm / (2 * len(tests)))


def _known_by(group: np.ndarray, known: np.ndarray, held: np.ndarray) -> float:
    """Return the chance of shares of known outcomes as unlike between groups, were they known for anyone alike."""
    table = pd.crosstab(pd.Series(group).astype(str), known, values=held, aggfunc="sum").fillna(0.0).to_numpy()
    return float(chi2_contingency(table).pvalue) if min(table.shape) > 1 else 1.0


def unjudged_errors(measure: Measure, outcomes: KnownOutcomes | None) -> Measure:
    """Return a measure with the reason why no gate judges it, where it rests on a selected part of the rows."""
    stem = measure.name.removeprefix("fairness.")
    if outcomes is None or measure.value is None or (reason := outcomes.why_not(stem)) is None:
        return measure
    return replace(measure, not_judged=reason)


def selective_finding(outcomes: KnownOutcomes | None) -> tuple[Finding, ...]:
    """Say for which rows outcomes are known and what follows; nothing where they are known for all."""
    if outcomes is None:
        return ()
    total, known = int(outcomes.rows.sum()), int(outcomes.known.sum())
    opening = (
        f"Outcomes are known for {known} of {total} rows ({bare_percent(known / total)} %): {outcomes.share(0)} of those "
        f"predicted “{outcomes.selected}” and {outcomes.share(1)} of the others. Selection rates count all {total} "
        f"rows, error rates the {known} alone"
    )
    doubt = outcomes.reason is not None
    grade: Grade = "unclear" if doubt else "not applicable"
    follows = " ".join((*outcomes.sentences, _follows(outcomes)))
    return (Finding(sentence=f"{opening}. {follows}", grade=grade, weight=0.65 if doubt else 0.3),)


def _follows(outcomes: KnownOutcomes) -> str:
    """Say what can be told from the rows whose outcome is known."""
    if outcomes.reason is None:
        return "They hold for all rows if outcomes are known for anyone alike."
    opening = "Which outcomes are known depends on the decision, so" if outcomes.by_decision else "So"
    words = {"precision": "precision", "false_omission_rate": "the false omission rate"}
    lost = ["accuracy", "areas", *(said for name, said in words.items() if name in outcomes.biased)]
    kept = [said for name, said in words.items() if name not in outcomes.biased]
    named = f"true and false positive rates, {', '.join(lost[:-1])} and {lost[-1]}"
    told = f"{opening} {named} of all rows cannot be told from them and carry no verdict"
    if not kept:
        return f"{told}."
    hold = "hold" if len(kept) > 1 else "holds"
    return f"{told}; {' and '.join(kept)} {hold} for rows of one decision if within it outcomes are known for anyone alike."
