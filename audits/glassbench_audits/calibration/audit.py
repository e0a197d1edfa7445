"""The calibration audit: do stated probabilities come true?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from glassbench.contracts.evidence import AuditResult, Measure, Method
from glassbench.contracts.exhibits import Table
from glassbench.contracts.subject import Subject
from glassbench.rows.coded_classes import with_coded_classes
from glassbench.rows.single_choices import ChoiceEvidence, put_together, single_choices
from glassbench.stats.estimate import Estimate
from glassbench.stats.events import other_classes
from glassbench.stats.inference import mean
from glassbench.stats.percent import in_percent
from glassbench.stats.settings_types import Count, Level, OpenShare, Replicates, Share
from glassbench_audits.calibration.bins import brier_parts
from glassbench_audits.calibration.conformal import ENOUGH, set_coverage
from glassbench_audits.calibration.coverage import (
    Coverage,
    coverage_findings,
    coverage_measures,
    coverage_table,
    size_measures,
)
from glassbench_audits.calibration.draws import EXACT
from glassbench_audits.calibration.exhibits import group_chart, group_table, reliability_chart, reliability_table, score_chart
from glassbench_audits.calibration.findings import findings
from glassbench_audits.calibration.interval_audit import interval_audit
from glassbench_audits.calibration.parts import FEWEST, Part, parts_of


def audit(
    subject: Subject,
    *,
    bins: Count = 10,
    tolerance: OpenShare = 0.05,
    promised: OpenShare = 0.9,
    shortfall: Share = 0.1,
    level: Level = 0.95,
    replicates: Replicates = 1000,
) -> AuditResult:
    """Compare stated probabilities with what came true, over all rows and per group.

    With two classes the probability of the positive class is examined, with more the probability of the predicted class. Where
    rows were given intervals instead, how often these hold the truth is held against what they promise.

    Args:
        subject: What is examined.
        bins: Bins of equal mass.
        tolerance: Calibration error that a finding lets pass, a root mean square of probabilities.
        promised: How often sets of classes shall hold the truth; intervals say themselves what they promise.
        shortfall: How many more rows than promised sets or intervals may miss before a finding fails, as a share of those
            promised: at 0.1, those that promise 90 % fail below 89 %.
        level: Confidence level of the intervals.
        replicates: Resamples behind intervals and p-values.
    """
    settings: dict[str, Any] = {"bins": bins, "tolerance": tolerance, "promised": promised, "shortfall": shortfall}
    settings |= {"level": level, "replicates": replicates}
    if choices := single_choices(subject):
        return _of_choices(subject, {name: audit(one, **settings) for name, one in choices.items()})
    subject = with_coded_classes(subject)
    read = _stated(subject)
    if isinstance(read, str) and subject.interval_output is not None:
        return interval_audit(subject, subject.interval_output, shortfall=shortfall, level=level)
    if isinstance(read, str):
        return AuditResult(method=Method(summary="Not run."), not_applicable=read)
    stated, came, what = read
    parts = parts_of(subject, stated, came, bins, level, replicates)
    sampling = subject.predictions.sampling
    few = other_classes(subject.predictions.frame["y_true"], sampling)
    of_decided = len(subject.schema.target.classes) > 2
    brier = mean((stated - came) ** 2, sampling, lowest=0.0, unsupported=few).estimate(level)
    covered = _covered(subject, promised, level)
    return AuditResult(
        findings=(
            *findings(parts, tolerance, what, parts[0].counted),
            *coverage_findings(covered, promised, shortfall, "Sets"),
        ),
        measures=(
            *_measures(parts, level),
            *_brier(brier, brier_parts(stated, came, bins, sampling.weight), len(came), of_decided),
            *coverage_measures(covered, level),
            *size_measures(covered),
        ),
        tables=(
            reliability_table(stated, came, bins, level, sampling),
            *group_table([_row(p) for p in parts if p.by]),
            *([_set_table(covered, promised)] if covered else []),
        ),
        charts=(
            reliability_chart(stated, came, bins, level, what, sampling),
            score_chart(stated, what, subject.schema.unit),
            *group_chart([_row(p) for p in parts if p.by]),
        ),
        method=_method(subject, bins, (tolerance, promised, shortfall), level, replicates, what),
    )


def _of_choices(subject: Subject, found: Mapping[str, AuditResult]) -> AuditResult:
    """Return the calibration of each of several labels as one result; why there is none where no label states probabilities."""
    known = {name: one for name, one in found.items() if one.not_applicable is None}
    first = next(iter(known.values() if known else found.values()))
    if not known:
        return first
    parts = {
        name: ChoiceEvidence(findings=one.findings, measures=one.measures, tables=one.tables, charts=one.charts)
        for name, one in known.items()
    }
    whole = put_together(parts, len(subject.class_outputs))
    many = f"The {len(known)} labels were examined one by one; p-values are corrected within each label, not over all of them."
    return AuditResult(
        findings=whole.findings,
        measures=whole.measures,
        tables=whole.tables,
        charts=whole.charts,
        method=replace(first.method, cautions=(many, *first.method.cautions)),
    )


def _stated(subject: Subject) -> tuple[np.ndarray, np.ndarray, str] | str:
    """Return stated probabilities, what came true and what they are of; or why there are none."""
    scores, frame, target = subject.predictions.scores, subject.predictions.frame, subject.schema.target
    if len(subject.class_outputs) != 1 or not subject.kind.softmax:
        return "the predictions state neither probabilities nor intervals"
    if set(scores.columns) != set(target.classes):
        return "the probabilities of the classes are not known"
    values = scores[list(target.classes)].to_numpy(dtype=float)
    if not (np.isfinite(values).all() and (values >= 0).all() and (values <= 1).all()):
        return "the scores are no probabilities: some lie outside 0 to 1"
    truth = _positions(frame["y_true"], target.classes)
    if len(target.classes) == 2:
        k = target.classes.index(target.positive) if target.positive else 1
        return values[:, k], (truth == k).astype(float), f"“{target.classes[k]}”"
    decided = _positions(frame["y_pred"], target.classes)
    return values[np.arange(len(values)), decided], (truth == decided).astype(float), "the predicted class"


def _positions(column: pd.Series, classes: Sequence[str]) -> np.ndarray:
    """Return which of the classes each row names `(n,)`, -1 for none of them."""
    codes, names = pd.factorize(column)
    return np.asarray(pd.Index(classes).get_indexer(pd.Index([str(name) for name in names])))[codes]


def _covered(subject: Subject, promised: float, level: float) -> list[Coverage]:
    """Return how often conformal sets hold the truth; nothing for few rows or clusters."""
    frame, classes = subject.predictions.frame, subject.schema.target.classes
    sampling = subject.predictions.sampling
    many, clusters = sampling.n, sampling.clusters
    if sampling.effective < ENOUGH:
        return []
    stated = subject.predictions.scores[list(classes)].to_numpy(dtype=float)
    truth = _positions(frame["y_true"], classes)
    fitted = np.zeros(many, dtype=bool)
    fitted[subject.generator("calibration.conformal").permutation(many)[: many // 2]] = True
    groups = subject.predictions.groups.reset_index(drop=True)
    if clusters is None:
        return set_coverage(stated, truth, groups, fitted, promised, level=level)
    generator = subject.generator("calibration.conformal.chance")
    return set_coverage(stated, truth, groups, fitted[clusters], promised, level=level, sampling=sampling, generator=generator)


def _set_table(covered: Sequence[Coverage], promised: float) -> Table:
    title = f"Sets of classes that promise to hold the truth in {in_percent(promised)} of rows"
    note = "The threshold was fitted on one half of the held-out rows, the coverage counted on the other."
    return coverage_table(covered, title, "mean size of a set", note)


def _measures(parts: Sequence[Part], level: float) -> Iterator[Measure]:
    for part in parts:
        shared: dict[str, Any] = {
            "n": part.n,
            "level": level,
            "by": None if part.by is None else (part.by,),
            "group": None if part.by is None else {part.by: part.group},
        }
        yield Measure.of("calibration.bias", part.bias, by=shared["by"], group=shared["group"])
        if part.error is None:
            reason = f"{part.worth} are too few, {FEWEST} are needed"
            yield Measure(name="calibration.calibration_error", value=None, undefined=reason, higher_is_better=False, **shared)
            continue
        error = part.error
        ends: dict[str, Any] = {"low": error.low, "high": error.high, "higher_is_better": False}
        yield Measure(name="calibration.calibration_error", value=error.value, **ends, **shared)
        yield Measure(name="calibration.p_value", value=part.adjusted, **shared)


def _brier(brier: Estimate, parts: tuple[float, float, float], n: int, of_decided: bool) -> Iterator[Measure]:
    """Yield the Brier score and its parts; of more than two classes, that of the predicted class, by a name of its own."""
    name = "confidence_brier" if of_decided else "brier"
    yield Measure.of(f"calibration.{name}", brier, higher_is_better=False)
    names = ("reliability", "resolution", "uncertainty")
    better = (False, True, None)
    for name, part, direction in zip(names, parts, better, strict=True):
        yield Measure(name=f"calibration.{name}", value=part, n=n, higher_is_better=direction)


def _drawn(rows: int) -> tuple[str, ...]:
    if rows <= EXACT:
        return ()
    return (f"With more than {EXACT:,} rows, counts of bins were drawn instead of rows behind intervals and p-values.",)


def _row(part: Part) -> dict[str, object]:
    return {"by": part.by, "group": part.group, "n": part.n, "error": part.error, "bias": part.bias, "p": part.adjusted}


def _method(subject: Subject, bins: int, allowed: tuple[float, float, float], level: float, replicates: int, what: str) -> Method:
    tolerance, promised, shortfall = allowed
    return Method(
        summary=(
            f"The probability stated for {what} was compared with what came true in bins of equal mass. The calibration "
            "error is a root mean square over rows, freed of the part that chance puts into every bin; its interval is the "
            "basic bootstrap's, its p-value comes from truths drawn by the stated probabilities, corrected for the number of "
            "groups by Holm's method. Bias is the mean stated probability minus the share that came true. "
            "Sets of classes (split conformal) take every class whose probability is large enough; how large was read off one "
            "half of the held-out rows, and how often the sets hold the truth off the other; groups against other rows by "
            "Fisher's exact test, corrected. Where rows hang together in clusters, whole clusters are resampled, halved and "
            "shuffled, and n counts them. A concern lies beyond its tolerance with the whole interval."
        ),
        parameters={
            "bins": bins,
            "tolerance": tolerance,
            "promised": promised,
            "shortfall": shortfall,
            "level": level,
            "replicates": replicates,
            "fewest_rows": FEWEST,
            "seed": subject.seed,
        },
        references=(
            "Kumar, Liang, Ma (2019): Verified uncertainty calibration",
            "Murphy (1973): A new vector partition of the probability score",
            "Vovk, Gammerman, Shafer (2005): Algorithmic learning in a random world",
            "Sadinle, Lei, Wasserman (2019): Least ambiguous set-valued classifiers with bounded error levels",
            "Bröcker, Smith (2007): Increasing the reliability of reliability diagrams",
        ),
        cautions=(
            *filter(None, (subject.predictions.sampling.weighted_words,)),
            *_drawn(len(subject.predictions.frame)),
            "Binning hides errors that cancel within a bin, so the true error may be larger than the estimate.",
            "Well calibrated is not the same as good: stating the base rate for every row is calibrated and useless.",
        ),
    )
