"""The audit of identity terms: what a text's mention of a group does to its decision."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.subject import Subject
from glassbench.stats.estimate import Estimate
from glassbench.stats.intervals import around, wilson
from glassbench.stats.settings_types import Count, Level, Replicates, Share
from glassbench_audits.fairness.frames.subgroup_auc import Area, area, areas
from glassbench_audits.fairness.identity_exhibits import area_finding, areas_table, swap_finding, swaps_chart, swaps_table
from glassbench_audits.fairness.swaps import Swapped, each_swap, texts_of
from glassbench_audits.fairness.terms import DEFAULT, Terms, check_terms, mentions


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is let pass, and how sure intervals are.

    Args:
        flips: Largest share of decisions that a swap may change.
        shift: Largest mean shift of a score by a swap; for a language model of the log-likelihood per token.
        auc: Largest loss of area against the area over all rows.
        level: Confidence level of each interval.
        replicates: Resamples behind each interval.
        least: Rows below which a group is too small to tell.
    """

    flips: float
    shift: float
    auc: float
    level: float
    replicates: int
    least: int

    def joint(self, comparisons: int) -> float:
        """Return the level of each of several intervals that hold together at `level` (Bonferroni)."""
        return 1 - (1 - self.level) / max(comparisons, 1)


def identity(
    subject: Subject,
    *,
    terms: dict[str, dict[str, tuple[str, ...]]] | None = None,
    flips: Share = 0.05,
    shift: Share = 0.05,
    auc: Share = 0.1,
    most: Count = 500,
    least: Count = 10,
    replicates: Replicates = 1000,
    level: Level = 0.95,
) -> AuditResult:
    """Find out what mentions of identity terms do to decisions about texts.

    Two questions. Does the decision change when the text names another group, all else the same (counterfactual swaps; Garg et
    al. 2019)? And do the scores of texts that mention a group lie where everyone's do: subgroup, BPSN and BNSP area under the
    curve (Borkan et al. 2019), for two classes. For a language model the first question is asked of the likelihood.

    Args:
        terms: Families of identities with their groups, and the terms that name each, as many for each group of a family:
            `{gender: {woman: [she, wife], man: [he, husband]}}`. By default short English lists of gender, religion, origin
            and orientation.
        flips: Largest share of decisions that a swap may change.
        shift: Largest mean shift that a swap may bring to the score of the positive class (with more than two classes, of the
            class decided before); for a language model to the log-likelihood per token, in nats.
        auc: Largest loss of area that mentions of a group may bring, against the area over all rows.
        most: Rows to ask about again for each swap, at most.
        least: Rows below which a group is shown but too small to tell.
        replicates: Resamples behind each interval.
        level: Confidence level of the intervals.
    """
    limits = Limits(flips=flips, shift=shift, auc=auc, level=level, replicates=replicates, least=least)
    asked: Terms = terms if terms is not None else DEFAULT
    check_terms(asked)
    texts = texts_of(subject)
    if texts is None or not (subject.class_outputs or subject.kind.self_supervised):
        return _not_applicable("there are no texts that the model can be asked about again")
    found = {family: {name: mentions(texts, words) for name, words in groups.items()} for family, groups in asked.items()}
    if not any(member.any() for groups in found.values() for member in groups.values()):
        return _not_applicable("no held-out text mentions any of the terms")
    outcomes = list(each_swap(subject, texts, asked, most))
    measured = _areas(subject, found, limits)
    return AuditResult(
        findings=(*_swap_findings(subject, outcomes, limits), *_area_findings(measured, limits)),
        measures=(*_swap_measures(subject, outcomes, limits), *_area_measures(measured, limits)),
        tables=(
            _mentions_table(found, len(texts)),
            *((swaps_table(subject, outcomes, limits.level, limits.replicates),) if outcomes else ()),
            *((areas_table(measured, limits.level),) if measured else ()),
        ),
        charts=_charts(subject, outcomes, limits),
        method=_method(limits, asked, most, default=terms is None),
    )


Measured = dict[tuple[str, str], tuple[Area, ...]]
"""The areas of each family's groups; under ("", "") the area over all rows."""


def _areas(subject: Subject, found: dict[str, dict[str, np.ndarray]], limits: Limits) -> Measured:
    output = next(iter(subject.class_outputs), None)
    if output is None or len(output.classes) != 2 or output.actual is None or not output.known or output.scores is None:
        return {}
    name = output.spoken
    scores, positive = output.scores[name].to_numpy(dtype=np.float64), (output.actual.astype(str) == name).to_numpy()
    sure = {"replicates": limits.replicates, "level": limits.joint(3 * sum(map(len, found.values())))}
    generator = subject.generator("identity.areas")
    everyone = area("auc", scores[positive], scores[~positive], generator, replicates=limits.replicates, level=limits.level)
    measured: Measured = {("", ""): (everyone,)}
    for family, groups in found.items():
        for group, member in groups.items():
            if member.any():
                generator = subject.generator(f"identity.areas.{family}.{group}")
                measured[family, group] = areas(scores, positive, member, generator, **sure)  # type: ignore[arg-type]
    return measured


def _swap_findings(subject: Subject, outcomes: Sequence[Swapped], limits: Limits) -> list[Finding]:
    level = limits.joint(2 * len(outcomes))
    return [swap_finding(subject, outcome, limits, level) for outcome in outcomes]


def _area_findings(measured: Measured, limits: Limits) -> list[Finding]:
    everyone = measured[("", "")][0] if measured else None
    found = [] if everyone is None else [area_finding(key, each, everyone, limits) for key, each in measured.items() if key[0]]
    return [finding for finding in found if finding is not None]


def _swap_measures(subject: Subject, outcomes: Sequence[Swapped], limits: Limits) -> list[Measure]:
    measures = []
    for outcome in outcomes:
        by, group, n = (outcome.swap.family,), {outcome.swap.family: outcome.swap.written}, len(outcome.shift)
        generator = subject.generator(f"identity.shift.{outcome.swap.family}.{outcome.swap.words}")
        value, low, high = outcome.mean_shift(generator, replicates=limits.replicates, level=limits.level)
        name = f"identity.score_shift[{outcome.swap.words}]"
        measures.append(Measure(name=name, value=value, low=low, high=high, level=limits.level, n=n, by=by, group=group))
        if len(outcome.flipped):
            share, low, high = outcome.flips(limits.level)
            name, sure = f"identity.flip_share[{outcome.swap.words}]", limits.level
            measures.append(
                Measure(name=name, value=share, low=low, high=high, level=sure, n=n, by=by, group=group, higher_is_better=False)
            )
    return [*measures, *_pooled(outcomes, limits.level)]


def _pooled(outcomes: Sequence[Swapped], level: float) -> list[Measure]:
    flipped = np.concatenate([outcome.flipped for outcome in outcomes]) if outcomes else np.empty(0, dtype=bool)
    if not len(flipped):
        reason = "no decision is a class" if outcomes else "no swap changes a text"
        return [Measure(name="identity.flip_share", value=None, undefined=reason, higher_is_better=False)]
    low, high = wilson(np.array(flipped.sum()), np.array(len(flipped)), level)
    ends = {"low": float(low), "high": float(high), "level": level, "n": len(flipped)}
    return [Measure(name="identity.flip_share", value=float(flipped.mean()), higher_is_better=False, **ends)]  # type: ignore[arg-type]


def _area_measures(measured: Measured, limits: Limits) -> list[Measure]:
    return [_area_measure(family, group, each, limits) for (family, group), found in measured.items() for each in found]


def _area_measure(family: str, group: str, each: Area, limits: Limits) -> Measure:
    by, where = ((family,), {family: group}) if family else (None, None)
    reason = f"{each.positives} positive and {each.negatives} negative rows"
    ends = map(float, around(each.value, np.asarray(each.low), np.asarray(each.high)))
    estimate = Estimate.of(each.value, *ends, level=limits.level, n=each.positives + each.negatives, undefined=reason)
    return Measure.of(f"identity.{each.name}", estimate, by=by, group=where, higher_is_better=True)


def _charts(subject: Subject, outcomes: Sequence[Swapped], limits: Limits) -> tuple[Chart, ...]:
    return (swaps_chart(subject, outcomes, limits.level, limits.replicates),) if outcomes else ()


def _mentions_table(found: dict[str, dict[str, np.ndarray]], n: int) -> Table:
    rows = tuple(
        (family, group, int(member.sum()), float(member.mean()))
        for family, groups in found.items()
        for group, member in groups.items()
    )
    note = f"Of {n} held-out texts; a text may mention several groups."
    return Table(title="Mentions of identity terms", columns=("family", "group", "texts", "share"), rows=rows, note=note)


def _method(limits: Limits, terms: Terms, most: int, *, default: bool) -> Method:
    return Method(
        summary=(
            "Each held-out text that names a group is read again with the terms of another group of its family in their place, "
            "and the decisions are compared. Beside it, areas under the curve among texts with and without a mention."
        ),
        parameters={
            "terms": {family: {name: list(words) for name, words in groups.items()} for family, groups in terms.items()},
            "terms_are_default": default,
            "flips_allowed": limits.flips,
            "shift_allowed": limits.shift,
            "auc_loss_allowed": limits.auc,
            "most_rows_per_swap": most,
            "smallest_group": limits.least,
            "replicates": limits.replicates,
            "level": limits.level,
        },
        references=(
            "Garg et al. (2019), Counterfactual fairness in text classification through robustness",
            "Borkan et al. (2019), Nuanced metrics for measuring unintended bias with real data for text classification",
        ),
        cautions=(
            "A list of words finds neither every mention nor only mentions; name your own terms in audits.identity.terms.",
            "Exchanging a word may make a text odd or false; a small shift may be the oddness.",
            "Terms that the vocabulary does not know read alike, so that swapping them changes nothing.",
        ),
    )


def _not_applicable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Swaps of identity terms, and areas among their mentions."), not_applicable=reason)
