"""The fairness audit: whom the predictions treat differently, and how sure that is."""

from collections.abc import Iterator

from glassbench.evidence import AuditResult, Measure, Method
from glassbench.subject import Subject
from glassbench_audits.fairness.counts import encode, margin, occupied, tally
from glassbench_audits.fairness.families import compare
from glassbench_audits.fairness.groups import columns, feature_sets
from glassbench_audits.fairness.measures import gap_measures, group_measures
from glassbench_audits.fairness.panel import CountPanel, Panel
from glassbench_audits.fairness.rates import lines


def audit(
    subject: Subject,
    *,
    intersections: bool = True,
    depth: int = 2,
    level: float = 0.95,
    replicates: int = 1000,
    small: int | None = None,
) -> AuditResult:
    """Compare the groups of every sensitive feature, and of several together, by the rates that fit the decision.

    Args:
        subject: What is examined.
        intersections: Whether to look at several features together.
        depth: The most features to combine.
        level: Confidence level of the intervals.
        replicates: How many resamples.
        small: Rows below which a group is shown but does not drive the headline; None for 2 % of the rows, at least 10, at most 100.
    """
    measures: list[Measure] = []
    for panel in _panels(subject, depth if intersections else 1, replicates):
        measures += group_measures(panel, level)
        generator = subject.generator("fairness.chance")
        for comparison in compare(panel, level=level, small=small, chance=2000, generator=generator):
            measures += gap_measures(panel, comparison, level)
    return AuditResult(measures=tuple(measures), method=Method(summary="Rates per group from confusion counts."))


def _panels(subject: Subject, depth: int, replicates: int) -> Iterator[Panel]:
    target, frame = subject.schema.target, subject.predictions.frame
    features = columns(subject.predictions.groups)
    classes = target.classes
    focus = [classes.index(target.positive or classes[-1])] if len(classes) == 2 else list(range(len(classes)))
    named = lines(classes, focus)
    joint = tally(features, encode(frame["truth"], classes), encode(frame["decision"], classes), len(classes))
    for chosen in feature_sets([f.name for f in features], min(depth, len(features))):
        groups, counts = occupied([features[i] for i in chosen], margin(joint, chosen))
        generator = subject.generator("fairness.resample")
        yield CountPanel(groups, counts, named, focus, replicates=replicates, generator=generator)
