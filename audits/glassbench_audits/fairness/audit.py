"""The fairness audit: whom the predictions treat differently, and how sure that is."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from glassbench.contracts.evidence import AuditResult, Method
from glassbench.contracts.schema import MISSING
from glassbench.contracts.subject import Subject
from glassbench.errors import SettingsError, suggest
from glassbench.rows.coded_classes import with_coded_classes
from glassbench.rows.known_outcomes import with_known_outcomes
from glassbench.stats.settings_types import Count, Level, NonNegativeNumber, Replicates, Share
from glassbench_audits.fairness.comparison.criteria import Comparison, compare
from glassbench_audits.fairness.comparison.grading import (
    FOUR_FIFTHS,
    JUDGED,
    JUDGED_VALUES,
    PARITY,
    PARITY_OF_VALUES,
    Judgement,
    Rules,
)
from glassbench_audits.fairness.comparison.grading import judge as judge_all
from glassbench_audits.fairness.comparison.parity import lacking_direction
from glassbench_audits.fairness.comparison.reference import against_reference
from glassbench_audits.fairness.comparison.simpson import explained_gaps
from glassbench_audits.fairness.comparison.strata import check_control, strata
from glassbench_audits.fairness.comparison.stratifiers import MOST_LEVELS, raw_columns
from glassbench_audits.fairness.frames.group_frame import GroupFrame
from glassbench_audits.fairness.frames.group_frames import good_outcomes, group_frames
from glassbench_audits.fairness.frames.groups import Group, feature_sets
from glassbench_audits.fairness.frames.stacked_frame import confusion_part
from glassbench_audits.fairness.results import Compared, Examined, Settings, result
from glassbench_audits.fairness.selective import known_outcomes

_SHOWN_ANYWAY = 2
"""Combinations of so many features are shown whatever is found."""


def audit(
    subject: Subject,
    *,
    intersections: bool = True,
    depth: Count = 3,
    control: tuple[str, ...] = (),
    level: Level = 0.95,
    replicates: Replicates = 1000,
    small: int | None = None,
    most_groups: Count = 100,
    difference: Share = 0.1,
    ratio: Share = 0.8,
    value_difference: NonNegativeNumber = 0.1,
    judge: tuple[str, ...] | None = None,
    reference: dict[str, str] | None = None,
) -> AuditResult:
    """Compare the groups of every sensitive feature, and of several together, by the numbers that fit the decision.

    Args:
        subject: What is examined.
        intersections: Whether to look at several features together.
        depth: The most features to combine. Combinations of three or more are searched, and shown only where a gap fails once
            everything judged is corrected for.
        control: Columns to hold fixed, sensitive or not: groups are compared within each combination of their values too, and not
            by these columns themselves. Without any, columns within whose values a gap vanishes or reverses are looked for.
        level: Confidence level of the intervals.
        replicates: How many resamples; p-values take five times as many draws.
        small: Rows behind a number below which a group is shown but does not drive the headline; None for 2 % of the rows the
            number rests on, at least 10, at most 100.
        most_groups: Beyond so many groups an intersection is left out, and a feature is said to have too many.
        difference: Largest difference between two groups' rates that a finding lets pass.
        ratio: Smallest ratio of two groups' selection rates that a finding lets pass.
        value_difference: Largest difference between two groups' mean values or errors that a finding lets pass, in standard
            deviations of the truth; of the quality of answers, in its own.
        judge: Criteria that carry a verdict, such as `[precision, demographic_parity]`: any whose gaps are measured. By default
            error rates, precision, false omission rate, accuracy and area under the ROC curve of classes, errors of values, and
            parity of decisions (with the four-fifths rule) where it is known which outcome is favourable.
        reference: A group of each feature that all its other groups are held against too, `{race: white}`.
    """
    compared = _comparable(subject)
    if compared is None:
        return _not_applicable(subject)
    subject = compared
    check_control(subject, control)
    reach = min(depth, len(subject.schema.sensitive) or depth) if intersections else 1
    settings = Settings(level=level, small=small, replicates=replicates, most=most_groups, reach=reach)
    rules = Rules(level=level, difference=difference, ratio=ratio, value=value_difference, judged=())
    return result(_examined(_prepared(subject), settings, rules, judge, control, reference))


def _comparable(subject: Subject) -> Subject | None:
    """Return the rows without the features that the task itself makes unequal; None where no other is left."""
    unequal = [f"group.{name}" for name in subject.schema.unequal]
    frame = subject.predictions.frame.drop(columns=unequal, errors="ignore")
    found = subject if not unequal else replace(subject, predictions=replace(subject.predictions, frame=frame))
    return None if found.predictions.groups.empty else found


def _not_applicable(subject: Subject) -> AuditResult:
    names = " and ".join(f"“{name}”" for name in subject.schema.unequal)
    reason = (
        f"the groups by {names} are unequal by the task itself, so a gap between them says nothing of the model; results by "
        "each stand in the audit performance"
    )
    return AuditResult(method=Method(summary="Groups compared by rates or errors."), not_applicable=reason)


def _prepared(subject: Subject) -> Subject:
    """Return the rows that can be used: all of them where decisions count without an outcome too."""
    values = subject.value_output
    everywhere = any(output.selects for output in subject.class_outputs) or (values is not None and not values.continues)
    return with_coded_classes(subject if everywhere else with_known_outcomes(subject))


def _examined(
    subject: Subject,
    settings: Settings,
    rules: Rules,
    judge: tuple[str, ...] | None,
    control: tuple[str, ...],
    reference: dict[str, str] | None,
) -> Examined:
    """Compare the groups and judge their gaps; the value allowed is still in standard deviations."""
    compared = [
        (group_frame, _compare(subject, group_frame, settings))
        for group_frame in _group_frames(subject, settings.reach, settings)
    ]
    within = [pair for group, part in strata(subject, control, settings.most) for pair in _within(part, group, settings)]
    outcomes = known_outcomes(subject, settings.level)
    chosen = _judged(subject) if judge is None else _asked(judge, compared)
    chosen = tuple(name for name in chosen if outcomes is None or name not in outcomes.biased)
    rules = replace(rules, value=rules.value * subject.kind.spread(subject.predictions.frame, subject.schema), judged=chosen)
    judged = judge_all([pair for pair in (*compared, *within) if not set(pair[0].by) & set(control)], rules)
    shown, worth = _worth_showing(compared, judged)
    return Examined(
        subject=subject,
        settings=settings,
        rules=rules,
        compared=shown,
        within=within,
        judged=worth,
        outcomes=outcomes,
        lacking=lacking_direction(subject),
        explained=explained_gaps(subject, compared, settings.level) if not control else (),
        against=against_reference([group_frame for group_frame, _ in compared], reference or {}, settings.level, settings.small),
        control=control,
        reference=reference,
        tests=len({(j.frame.within, j.frame.by, j.comparison.which) for j in judged}),
        notes=(
            *_notes(subject, compared, {group_frame.by for group_frame, _ in shown}, settings),
            *_unstratified(control, within, settings.most),
            *_unsearched(subject, compared, control),
        ),
    )


def _group_frames(subject: Subject, depth: int, settings: Settings) -> Iterator[GroupFrame]:
    return group_frames(subject, depth=depth, most=settings.most, replicates=settings.replicates)


def _compare(subject: Subject, group_frame: GroupFrame, settings: Settings) -> tuple[Comparison, ...]:
    names = (*group_frame.by, *(() if group_frame.within is None else group_frame.within.values))
    generator = subject.generator(f"fairness.chance.{'.'.join(names)}")
    return compare(group_frame, level=settings.level, small=settings.small, chance=5 * settings.replicates, generator=generator)


def _within(part: Subject, stratum: Group, settings: Settings) -> Iterator[tuple[GroupFrame, tuple[Comparison, ...]]]:
    """Yield what the rows of a stratum come to, by each feature alone."""
    for group_frame in _group_frames(part, 1, settings):
        group_frame.within = stratum
        yield group_frame, _compare(part, group_frame, settings)


def _judged(subject: Subject) -> tuple[str, ...]:
    """Return the criteria that carry a verdict by default.

    The metrics that say so themselves, errors of choices and of values; being put into a cluster is neither right nor wrong.
    Parity is judged where a decision about a person is made: where it is known which outcome is favourable.
    """
    good, frame = bool(good_outcomes(subject)), subject.predictions.frame
    own = tuple(m.name for m in subject.kind.group_metrics(subject.task.metrics, frame, subject.schema) if m.judged)
    if any(output.selects for output in subject.class_outputs):
        return (*own, *_of_each(JUDGED, subject), *(PARITY if good else ()))
    if subject.value_output is not None:
        return (*own, *JUDGED_VALUES, *(PARITY_OF_VALUES if good else ()))
    return own


def _of_each(criteria: Sequence[str], subject: Subject) -> tuple[str, ...]:
    """Return criteria, of several labels each label's own: a gap of one label must not hide that of another."""
    names = [output.name for output in subject.class_outputs if output.name is not None]
    return tuple(f"{criterion}[{name}]" for criterion in criteria for name in names) if names else tuple(criteria)


def _asked(criteria: Sequence[str], compared: Compared) -> tuple[str, ...]:
    """Return the criteria that the experiment asks to be judged.

    Raises:
        SettingsError: The gaps of one are not measured here.
    """
    known = list(dict.fromkeys(c.name for _, found in compared for c in found))
    known += [FOUR_FIFTHS] if "demographic_parity" in known else []
    for name in criteria:
        if name not in known:
            fix = suggest(name, known)
            raise SettingsError(
                f"fairness.judge names '{name}', whose gaps are not measured here", got=name, available=known, fix=fix
            )
    return tuple(criteria)


def _unstratified(control: Sequence[str], within: Compared, most: int) -> tuple[str, ...]:
    """Say where there were too many strata to look into."""
    if within or not control:
        return ()
    return (f"There are more than {most} strata of {' and '.join(control)}: they were not looked into; take fewer features.",)


def _worth_showing(
    compared: Sequence[tuple[GroupFrame, tuple[Comparison, ...]]], judged: Sequence[Judgement]
) -> tuple[list[tuple[GroupFrame, tuple[Comparison, ...]]], tuple[Judgement, ...]]:
    """Leave out combinations of three or more features, but for gaps there that fail: a search shows what survives correction."""
    failing = {j.frame.by for j in judged if j.grade == "concern" and j.frame.within is None}
    kept = [pair for pair in compared if len(pair[0].by) <= _SHOWN_ANYWAY or pair[0].by in failing]
    return kept, tuple(j for j in judged if len(j.frame.by) <= _SHOWN_ANYWAY or j.grade == "concern")


def _unsearched(subject: Subject, compared: Compared, control: Sequence[str]) -> tuple[str, ...]:
    """Say where no column could explain a gap, because the rows hold none beside those that are judged."""
    if control or confusion_part(compared[0][0]) is None or len(raw_columns(subject).columns):
        return ()
    source = subject.predictions.source
    if source is not None and source.strata is not None:
        return (
            f"The rows were counted where they are: whether a gap vanishes or reverses within the values of another column was "
            f"looked for in columns of 2 to {MOST_LEVELS} values (the twelve of the fewest), not in numbers of more values.",
        )
    return (
        "The rows hold no columns beside truth, decision, scores and sensitive features: whether a gap vanishes or reverses "
        "within the values of another column was not looked for.",
    )


def _notes(subject: Subject, compared: Compared, shown: set[tuple[str, ...]], settings: Settings) -> tuple[str, ...]:
    done, notes = {group_frame.by for group_frame, _ in compared}, [*filter(None, (subject.predictions.sampling.weighted_words,))]
    searched = [by for by in done if len(by) > _SHOWN_ANYWAY and by not in shown]
    if searched:
        notes.append(f"{len(searched)} combinations of three or more features were searched; no gap in them survives correction.")
    names = [str(c) for c in subject.predictions.groups.columns]
    left = [
        " and ".join(names[i] for i in s) for s in feature_sets(names, settings.reach) if tuple(names[i] for i in s) not in done
    ]
    if left:
        notes.append(f"Intersections of more than {settings.most} groups were not examined: {', '.join(left)}.")
    absent = [
        group_frame.by[0]
        for group_frame, _ in compared
        if len(group_frame.by) == 1 and any(MISSING in g.values for g in group_frame.groups)
    ]
    if absent:
        notes.append(f"Rows without a value of {', '.join(absent)} form a group of their own, “{MISSING}”.")
    return tuple(notes)
