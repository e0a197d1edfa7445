"""Do predicted intervals hold the truth as often as they promise?"""

from collections.abc import Iterator, Sequence

import numpy as np

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.predictions.outputs import IntervalOutput
from glassbench.contracts.readable import plain_number
from glassbench.contracts.subject import Subject
from glassbench.stats.inference import share
from glassbench.stats.percent import in_percent
from glassbench.stats.sampling import Sampling
from glassbench.stats.verdict import judge
from glassbench_audits.calibration.coverage import coverage_findings, coverage_measures, least_coverage
from glassbench_audits.calibration.interval_exhibits import (
    coverage_chart,
    interval_table,
    quantile_chart,
    quantile_table,
    width_chart,
)
from glassbench_audits.calibration.intervals import (
    IntervalPart,
    QuantileLevel,
    coverage_by_width,
    interval_parts,
    quantile_levels,
)


def interval_audit(subject: Subject, output: IntervalOutput, *, shortfall: float, level: float) -> AuditResult:
    """Hold the coverage of intervals against what they promise, over all rows and per group.

    Args:
        subject: What is examined.
        output: Its intervals.
        shortfall: How many more misses than promised are let pass, as a share of the promised ones.
        level: Confidence level of the intervals.
    """
    if output.actual is None:
        return AuditResult(method=Method(summary="Not run."), not_applicable="the truth of the rows is not known")
    sampling = Sampling.of(subject.predictions.frame)
    groups = subject.predictions.groups.reset_index(drop=True)
    generator = subject.generator("calibration.intervals.chance")
    parts = interval_parts(output, output.actual, groups, sampling, level=level, generator=generator)
    levels = list(quantile_levels(output, output.actual, sampling, level))
    covered = [part.coverage for part in parts]
    return AuditResult(
        findings=(
            _overall(parts[0], output, shortfall),
            *coverage_findings(covered, output.coverage, shortfall, "Intervals"),
        ),
        measures=(
            *coverage_measures(covered, level),
            *_part_measures(parts, output.unit),
            *_level_measures(levels, output.unit),
            *_crossed(output, sampling, level),
        ),
        tables=(interval_table(parts, output, level), *quantile_table(levels, output.unit)),
        charts=(
            coverage_chart(parts, output.coverage),
            *width_chart(coverage_by_width(output, output.actual, sampling, level), output),
            *quantile_chart(levels),
        ),
        method=_method(subject, output, shortfall, level),
    )


def _overall(whole: IntervalPart, output: IntervalOutput, shortfall: float) -> Finding:
    """Return whether the intervals of all rows hold the truth as often as they promise."""
    covered, least = whole.coverage, least_coverage(output.coverage, shortfall)
    grade = judge(covered.estimate, least, "at_least").grade
    unit = f" {output.unit}" if output.unit else ""
    width = "" if whole.width.value is None else f" Their mean width is {plain_number(whole.width.value)}{unit}."
    promise = f"ntervals that promise to hold {output.name} in {in_percent(output.coverage)} of rows"
    rows = f"{covered.hits:,} of {covered.n:,}" if covered.weighted is None else f"n {covered.n:,}, weighted"
    counted = f"{in_percent(covered.share, 1)} ({rows}) [{in_percent(covered.low, 1)}, {in_percent(covered.high, 1)}]"
    generous = judge(covered.estimate, (1 + output.coverage) / 2, "at_least").grade == "ok"
    sentences = {
        "ok": f"I{promise} do so in {counted}, at least the {in_percent(least, 1)} that is let pass"
        + ("; they miss less than half as often as promised, so they are wider than they need to be." if generous else "."),
        "concern": f"I{promise} do so in {counted} only, below the {in_percent(least, 1)} that is let pass.",
    }
    unclear = f"Not enough data to judge i{promise}: they do so in {counted}, and at least {in_percent(least, 1)} is let pass."
    sentence = sentences.get(grade, unclear) + width
    step = {"concern": "Widen the intervals by conformal calibration.", "unclear": "Hold out more rows."}.get(grade, "")
    names = ("calibration.coverage", "calibration.width")
    return Finding(sentence=sentence, grade=grade, measures=names, weight=0.55, chart="Coverage", next_step=step)


def _part_measures(parts: Sequence[IntervalPart], unit: str | None) -> Iterator[Measure]:
    for part in parts:
        by, group = part.coverage.features, part.coverage.named
        for name, estimate in (("width", part.width), ("interval_score", part.score)):
            yield Measure.of(f"calibration.{name}", estimate, by=by, group=group, unit=unit, higher_is_better=False)


def _level_measures(levels: Sequence[QuantileLevel], unit: str | None) -> Iterator[Measure]:
    for one in levels:
        yield Measure.of(f"calibration.pinball_loss[{one.level:g}]", one.loss, unit=unit, higher_is_better=False)
        yield Measure.of(f"calibration.share_below[{one.level:g}]", one.below)


def _crossed(output: IntervalOutput, sampling: Sampling, level: float) -> Iterator[Measure]:
    if output.crossed is not None:
        yield Measure.of("calibration.crossed_quantiles", share(output.crossed, sampling).estimate(level), higher_is_better=False)


def _cautions(output: IntervalOutput, sampling: Sampling) -> Iterator[str]:
    if sampling.weighted_words is not None:
        yield sampling.weighted_words
    yield (
        "Coverage over all rows, or of a group, is an average: rows of one kind may be covered less, others more. The chart by "
        "width shows a part of that."
    )
    yield (
        "Intervals corrected on held-out rows promise their coverage for new rows like these, averaged over which rows were held "
        "out; with few of them a single run may lie some points off."
    )
    if output.crossed is not None and output.crossed.any():
        many = int(np.count_nonzero(output.crossed))
        yield f"In {many:,} of {len(output.crossed):,} rows the model's quantiles were out of order, and were sorted."


def _method(subject: Subject, output: IntervalOutput, shortfall: float, level: float) -> Method:
    return Method(
        summary=(
            f"How the intervals came about: {output.words}. Counted was how often they hold the true {output.name}; shares have "
            "an interval halfway between Clopper and Pearson's and Jeffreys', of clustered rows the score interval. Groups are "
            "compared with other rows by Fisher's exact test, corrected for the number of groups by Holm's method; where rows "
            "hang together in clusters, whole clusters are shuffled. Where intervals are said to fall short, the whole interval "
            "of their coverage lies below what is let pass, and for a group chance alone does not set it so far from other rows."
        ),
        parameters={
            "promised": output.coverage,
            "shortfall": shortfall,
            "level": level,
            "rows": len(output.low),
            "seed": subject.seed,
        },
        references=(
            "Koenker, Bassett (1978): Regression quantiles",
            "Gneiting, Raftery (2007): Strictly proper scoring rules, prediction, and estimation",
            "Romano, Patterson, Candès (2019): Conformalized quantile regression",
            "Chernozhukov, Fernández-Val, Galichon (2010): Quantile and probability curves without crossing",
            "Angelopoulos, Bates (2021): A gentle introduction to conformal prediction",
        ),
        cautions=tuple(_cautions(output, Sampling.of(subject.predictions.frame))),
    )
