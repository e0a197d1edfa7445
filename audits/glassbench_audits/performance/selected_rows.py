"""Which rows metrics stand on where the outcome of some is not known."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import mannwhitneyu

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.subject import Subject
from glassbench.printable import continued
from glassbench.stats.percent import in_percent
from glassbench_audits.fairness.selective import KnownOutcomes, known_outcomes


@dataclass(frozen=True, kw_only=True)
class SelectedRows:
    """The rows whose outcome is known, among all that were decided.

    Args:
        known, rows: How many there are.
        words: Of which decisions outcomes are known, or empty.
        reason: Why a metric of these rows is not that of all rows, or None where nothing speaks against it.
        classes: What is known by decision between classes, or None.
    """

    known: int
    rows: int
    words: str
    reason: str | None
    classes: KnownOutcomes | None = None


def selected_rows(subject: Subject, level: float) -> SelectedRows | None:
    """Return which rows have a known outcome; None where all have, or none has.

    Args:
        subject: What is examined, rows without an outcome among them.
        level: How sure it must be that what is known depends on the decision.
    """
    frame = subject.predictions.frame
    if "y_true" not in frame:
        return None
    known, counts = frame["y_true"].notna().to_numpy(), subject.predictions.frequency
    if known.all() or not known.any():
        return None
    held = np.ones(len(frame)) if counts is None else counts
    some, whole = int(held[known].sum()), int(held.sum())
    classes = known_outcomes(subject, level)
    if classes is not None:
        words = f"{classes.share(0)} of those predicted “{classes.selected}” and {classes.share(1)} of the others"
        return SelectedRows(known=some, rows=whole, words=words, reason=classes.reason, classes=classes)
    sways = (values := subject.value_output) is not None and _sways(values.predicted, known, level)
    reason = "outcomes are known more often for some predicted values, so that this number is not that of all rows"
    return SelectedRows(known=some, rows=whole, words="", reason=reason if sways else None)


def _sways(decided: np.ndarray, known: np.ndarray, level: float) -> bool:
    """Whether rows with a known outcome surely have other predicted values than those without (Mann and Whitney 1947)."""
    return float(mannwhitneyu(decided[known], decided[~known]).pvalue) < 1 - level


def selected_finding(found: SelectedRows | None) -> Iterator[Finding]:
    """Yield on which rows metrics stand, where these are not all."""
    if found is None:
        return
    said = (
        f"Metrics stand on the {found.known} of {found.rows} rows ({in_percent(found.known / found.rows, 1)}) whose "
        "outcome is known"
    )
    said += f": {found.words}" if found.words else ""
    if found.reason is None:
        follows = "They hold for all rows if outcomes are known for anyone alike."
        yield Finding(sentence=f"{said}. {follows}", grade="not applicable", weight=0.3)
        return
    unlike = () if found.classes is None or found.classes.by_decision else found.classes.sentences
    why = " ".join(unlike) or "Which outcomes are known depends on the decision."
    follows = f"{why} Metrics of all rows cannot be told from these: no verdict."
    yield Finding(sentence=f"{said}. {follows}", grade="unclear", weight=0.65)


def of_known_rows(finding: Finding, found: SelectedRows | None) -> Finding:
    """Return a finding on metrics that says on which rows they stand, without a verdict where these are a selected part."""
    if found is None or finding.grade not in ("ok", "concern"):
        return finding
    sentence = f"On the {found.known} rows whose outcome is known: {continued(finding.sentence)}"
    grade = finding.grade if found.reason is None else "unclear"
    return replace(finding, sentence=sentence, grade=grade)


def unjudged(measure: Measure, found: SelectedRows | None) -> Measure:
    """Return a measure with the reason why no gate judges it, where the rows behind it are a selected part.

    A class's precision looks within one decision, and is judged.
    """
    if found is None or measure.value is None:
        return measure
    name = measure.name.removeprefix("performance.")
    within = found.classes if name.startswith("precision[") else None
    reason = found.reason if within is None else within.why_not(name)
    return measure if reason is None else replace(measure, not_judged=reason)
