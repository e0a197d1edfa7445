"""From what the fairness audit examined to its evidence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from glassbench.contracts.evidence import AuditResult, Finding, Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.subject import Subject
from glassbench_audits.fairness.charts import charts
from glassbench_audits.fairness.comparison.conditional import conditional_measures, conditional_tables, held_fixed, reversals
from glassbench_audits.fairness.comparison.criteria import Comparison
from glassbench_audits.fairness.comparison.grading import FOUR_FIFTHS, Judgement, Rules
from glassbench_audits.fairness.comparison.measures import four_fifths_measures, gap_measures, group_measures, overall_measures
from glassbench_audits.fairness.comparison.parity import direction_findings, undirected
from glassbench_audits.fairness.comparison.reference import Against, reference_findings, reference_measures, reference_table
from glassbench_audits.fairness.comparison.simpson import Explained, explained_findings, explained_measures
from glassbench_audits.fairness.findings import findings, size_findings
from glassbench_audits.fairness.frames.group_frame import GroupFrame
from glassbench_audits.fairness.frames.group_frames import good_outcomes
from glassbench_audits.fairness.frames.stacked_frame import confusion_part
from glassbench_audits.fairness.method import method
from glassbench_audits.fairness.next_steps import Advice
from glassbench_audits.fairness.selective import KnownOutcomes, selective_finding, unjudged_errors
from glassbench_audits.fairness.tables import definitions_table, gaps_table, numbers_table, sizes_table

Compared = Sequence[tuple[GroupFrame, tuple[Comparison, ...]]]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How gaps are measured.

    Args:
        level: Confidence level.
        small: Rows below which a group does not drive the headline; None for the default rule.
        replicates: How many resamples.
        most: The most groups of an intersection.
        reach: The most features that are combined.
    """

    level: float
    small: int | None
    replicates: int
    most: int
    reach: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Examined:
    """What was examined and found.

    Args:
        subject: The rows.
        settings, rules: How gaps are measured and judged.
        compared: Panels over all rows with their comparisons, of those that are shown.
        within: Panels within strata, with theirs.
        judged: The judged gaps that are shown.
        outcomes: For whom outcomes are known, where not for all.
        lacking: Why it is not known which outcome is favourable, or None.
        explained: Gaps that are others within the strata of a column.
        against: Groups held against a chosen one.
        control, reference: As set.
        tests: How many comparisons were corrected for.
        notes: Cautions of this run.
    """

    subject: Subject
    settings: Settings
    rules: Rules
    compared: Compared
    within: Compared
    judged: tuple[Judgement, ...]
    outcomes: KnownOutcomes | None
    lacking: str | None
    explained: tuple[Explained, ...]
    against: Sequence[Against]
    control: Sequence[str]
    reference: Mapping[str, str] | None
    tests: int
    notes: tuple[str, ...]


def result(found: Examined) -> AuditResult:
    """Return findings, measures, tables, charts and method."""
    level, judged = found.settings.level, found.judged
    single = [j for j in judged if j.frame.within is None and len(j.frame.by) == 1]
    fixed = held_fixed(single, found.within, level)
    outputs = found.subject.class_outputs
    positive = outputs[0].spoken if len(outputs) == 1 and confusion_part(found.compared[0][0]) else ""
    by = {tuple(sorted(frame.by)) for frame, _ in found.compared}
    measured = (
        *_measures(found),
        *explained_measures(found.explained, level),
        *reference_measures(found.against, level),
        *conditional_measures(found.within, fixed, by, level),
    )
    directed = (undirected(measure, found.lacking, found.rules.judged) for measure in measured)
    return AuditResult(
        findings=(
            *selective_finding(found.outcomes),
            *reversals(fixed, single, found.control),
            *explained_findings(found.explained),
            *_undirected(found),
            *reference_findings(
                found.against, found.rules.difference, found.rules.judged, level, Advice.of(found.subject).remedy
            ),
            *_findings(found),
        ),
        measures=tuple(unjudged_errors(measure, found.outcomes) for measure in directed),
        tables=(
            *_tables(found, positive),
            *reference_table(found.against, level),
            *conditional_tables(single, [j for j in judged if j.frame.within is not None], fixed),
        ),
        charts=tuple(_charts(found)),
        method=method(
            counted=confusion_part(found.compared[0][0]) is not None,
            several=any(metric.klass is not None for frame, _ in found.compared for metric in frame.metrics),
            controlled=bool(found.control),
            parameters=_parameters(found, positive),
            notes=found.notes,
        ),
    )


def _measured_criteria(found: Examined) -> list[str]:
    """Return the criteria that carry a verdict and are measured here."""
    measured = {comparison.name for _, comparisons in (*found.compared, *found.within) for comparison in comparisons}
    return [name for name in found.rules.judged if name in measured or (name == FOUR_FIFTHS and "demographic_parity" in measured)]


def _parameters(found: Examined, positive: str) -> dict[str, object]:
    settings, rules = found.settings, found.rules
    return {
        "level": settings.level,
        "replicates": settings.replicates,
        "draws_under_chance": 5 * settings.replicates,
        "small": settings.small if settings.small is not None else "2 % of the rows, at least 10, at most 100",
        "difference_allowed": rules.difference,
        "ratio_allowed": rules.ratio,
        "value_difference_allowed": rules.value,
        "positive_class": positive or None,
        "favourable": list(good_outcomes(found.subject)) or None,
        "judged": _measured_criteria(found),
        "control": list(found.control),
        "reference": found.reference,
        "comparisons_corrected_for": found.tests,
        "seed": found.subject.seed,
    }


def _undirected(found: Examined) -> Iterator[Finding]:
    asked = "demographic_parity" in found.rules.judged
    return direction_findings(found.compared, None if asked else found.lacking, found.rules, Advice.of(found.subject))


def _findings(found: Examined) -> tuple[Finding, ...]:
    sizes = [f for frame, comparisons in found.compared for f in size_findings(frame, comparisons, found.settings.most)]
    return (*findings(found.judged, found.settings.level, Advice.of(found.subject)), *sizes)


def _measures(found: Examined) -> Iterator[Measure]:
    level = found.settings.level
    yield from overall_measures(found.compared[0][0], level)
    for frame, comparisons in found.compared:
        yield from group_measures(frame, level)
        for comparison in comparisons:
            yield from gap_measures(frame, comparison, level)
            if any(output.selects for output in found.subject.class_outputs):
                yield from four_fifths_measures(frame, comparison, level, found.lacking)


def _tables(found: Examined, positive: str) -> Iterator[Table]:
    yield from (gaps_table(frame, pairs, [j for j in found.judged if j.frame is frame]) for frame, pairs in found.compared)
    yield from (sizes_table(frame, found.settings.small) for frame, _ in found.compared)
    yield from definitions_table(found.compared[0][0].metrics, positive)
    yield from (numbers_table(frame, found.settings.level) for frame, _ in found.compared)


def _charts(found: Examined) -> Iterator[Chart]:
    for frame, _ in found.compared:
        yield from charts(frame, found.settings.small, found.settings.level)
