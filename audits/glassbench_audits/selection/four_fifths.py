"""The four-fifths rule of the EEOC's Uniform Guidelines (29 CFR 1607.4 D) beside a significance test."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Table
from glassbench.contracts.positive_class import unknown_favourable
from glassbench.contracts.subject import Subject
from glassbench.rows.coded_classes import with_coded_classes
from glassbench.stats.grade import Grade
from glassbench.stats.p_values import p_words
from glassbench.stats.percent import in_percent
from glassbench.stats.settings_types import Level, Replicates, Share, ShareBelowOne
from glassbench_audits.selection.categories import (
    Breakdown,
    Category,
    Chosen,
    breakdowns,
    chosen_classes,
    large_enough,
    most_selected,
    unselected,
    with_undefined,
)
from glassbench_audits.selection.equal_rates import equal_rates

_STEP = "Ask what in the inputs or labels lowers this rate, and whether the purpose needs it."


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A category beside the one selected most.

    Args:
        category, best: The two.
        below: Whether the ratio of their rates is below four fifths, by whole numbers: exactly 0.80 is not.
        p_value: Of equal rates among all categories, two-sided, corrected for having picked two of them.
        test: How it was tested.
        flips: Whether one decision more for the one and one less for the other would lift the ratio to four fifths.
        ends: Ends of the interval of its ratio to the highest rate.
    """

    category: Category
    best: Category
    below: bool
    p_value: float
    test: str
    flips: bool
    ends: tuple[float, float]

    @property
    def ratio(self) -> float:
        """The ratio of the two rates."""
        return self.category.rate / self.best.rate


def audit(
    subject: Subject,
    *,
    selected: str | None = None,
    share: ShareBelowOne = 0.02,
    alpha: Share = 0.05,
    level: Level = 0.95,
    replicates: Replicates = 1000,
) -> AuditResult:
    """Hold each category's selection rate against four fifths of the highest, and say whether chance would do as much.

    Args:
        subject: What is examined.
        selected: The class that means being selected; by default the favourable outcome. Where nobody says which that is, the
            rule is applied to every class, each measure has the class in brackets, and there is no verdict.
        share: Share of the rows below which a category is shown and not judged.
        alpha: Level of the significance test.
        level: Confidence level of the intervals.
        replicates: Resamples behind intervals that allow for the choice of the highest rate.
    """
    chosen = chosen_classes(subject, selected)
    if not chosen:
        return AuditResult(method=_method(alpha, share), not_applicable=unselected(subject))
    subject = with_coded_classes(subject)
    features = [str(column) for column in subject.predictions.groups.columns]
    found = [
        (each, b, compare(b, share, level, subject.generator(f"four-fifths.{b.by[0]}")))
        for each in chosen
        for b in breakdowns(subject, each, features, unknown=(), sizes=(1,), replicates=replicates)
    ]
    lacking = unknown_favourable(subject.schema.target.classes) if chosen[0].suffix else None
    said = (
        [_undirected(found, lacking)] if lacking else [f for each, b, one in found for f in _findings(b, one, each.words, alpha)]
    )
    return AuditResult(
        findings=(_undirected(found, lacking),) if lacking else tuple(said),
        measures=with_undefined([m for each, b, one in found for m in _measures(b, one, level, each.suffix)], chosen[0], lacking),
        tables=tuple(_table(b, one, level, each) for each, b, one in found if one),
        method=_method(alpha, share),
    )


def _undirected(found: Sequence[tuple[Chosen, Breakdown, tuple[Compared, ...]]], lacking: str) -> Finding:
    """Say what the rule comes to for every outcome that may be the good one."""
    lowest = [(each, b, min(one, key=lambda c: c.ratio)) for each, b, one in found if one]
    shown = "; ".join(
        f"by {b.by[0]} {low.ratio:.2f} if “{each.words}” is good (“{low.category.label}” against “{low.best.label}”)"
        for each, b, low in lowest
    )
    sentence = f"No verdict on the four-fifths rule: {lacking}." + (f" Lowest ratios: {shown}." if shown else "")
    names = tuple(dict.fromkeys(f"four-fifths.lowest_ratio{each.suffix}" for each, _, _ in lowest))
    return Finding(sentence=sentence, grade="unclear", measures=names, weight=0.5)


def compare(breakdown: Breakdown, share: float, level: float, generator: np.random.Generator) -> tuple[Compared, ...]:
    """Compare every category that is large enough with the one selected most; nothing where fewer than two are, or nobody was."""
    judged = large_enough(breakdown, share)
    best = most_selected(judged)
    if best is None or best.selected == 0 or len(judged) < 2:
        return ()
    others = [category for category in judged if category is not best]
    tests = equal_rates(breakdown, judged, best, generator)
    ends = dict(zip((category.place for category in judged), breakdown.ratios(judged, level), strict=True))
    return tuple(
        Compared(
            category=category,
            best=best,
            below=below_four_fifths(category, best),
            p_value=p,
            test=test,
            flips=below_four_fifths(category, best) and not below_four_fifths(_moved(category, 1), _moved(best, -1)),
            ends=ends[category.place],
        )
        for category, (p, test) in zip(others, tests, strict=True)
    )


def below_four_fifths(category: Category, best: Category) -> bool:
    """Whether a rate is below four fifths of another, in whole numbers: .36 / .45 is exactly 0.80 and not below.

    Example:
        >>> a, b = (Category(by=("x",), values=(v,), n=100, selected=s) for v, s in (("a", 36), ("b", 45)))
        >>> below_four_fifths(a, b)
        False
    """
    return 5 * category.selected * best.n < 4 * best.selected * category.n


def _moved(category: Category, by: int) -> Category:
    changed = min(max(category.selected + by, 0), category.n)
    return Category(by=category.by, values=category.values, n=category.n, selected=changed)


def _grade(one: Compared, alpha: float) -> Grade:
    significant = one.p_value < alpha
    if one.below:
        return "concern" if significant else "unclear"
    return "unclear" if significant or one.ends[0] < 0.8 else "ok"


def _findings(breakdown: Breakdown, compared: tuple[Compared, ...], name: str, alpha: float) -> Iterator[Finding]:
    feature = breakdown.by[0]
    names = ("four-fifths.lowest_ratio",)
    if not compared:
        sentence = f"The four-fifths rule says nothing by {feature}: nobody, or one category alone, can be compared."
        yield Finding(sentence=sentence, grade="unclear", measures=names, weight=0.2, by=(feature,))
        return
    low = min(compared, key=lambda one: (_grade(one, alpha) != "concern", one.ratio))  # a small category must not hide a sure one
    grade = _grade(low, alpha)
    rates = (
        f"{in_percent(low.category.rate, 1)} against {in_percent(low.best.rate, 1)} for “{low.best.label}”, ratio "
        f"{low.ratio:.2f} "
    )
    rates += f"[{low.ends[0]:.2f}, {low.ends[1]:.2f}]"
    chance = f"p {p_words(low.p_value)} ({low.test})"
    ending = {
        (True, True): "below four fifths, and chance does not explain it",
        (True, False): "below four fifths, but chance could do as much",
        (False, True): "not below four fifths, yet the difference is more than chance",
        (False, False): "not below four fifths, and the difference is within chance",
    }[(low.below, low.p_value < alpha)]
    more = "; one decision more would lift it to four fifths" if low.flips else ""
    sure = sum(_grade(one, alpha) == "concern" for one in compared)
    others = f"; {sure - 1} more of its categories fail too" if sure > 1 else ""
    often = "as often" if low.ratio == 1 else "less often"
    said = f"“{name}” is predicted {often} for {feature} “{low.category.label}”"
    sentence = f"{said}: {rates}, {chance}: {ending}{more}{others}."
    step = (
        "Ask what in the inputs or labels lowers this rate, and whether the job or purpose needs it."
        if grade == "concern"
        else ""
    )
    weight = 0.8 if grade == "concern" else 0.5
    yield Finding(
        sentence=sentence, grade=grade, measures=names, weight=weight, by=(feature,), next_step=step, answers="differences"
    )


def _measures(breakdown: Breakdown, compared: tuple[Compared, ...], level: float, suffix: str) -> Iterator[Measure]:
    for one in compared:
        low, high = one.ends
        shared = {"by": breakdown.by, "group": one.category.group, "n": one.category.n, "level": level}
        yield Measure(name=f"four-fifths.ratio{suffix}", value=one.ratio, low=low, high=high, higher_is_better=True, **shared)  # type: ignore[arg-type]
        yield Measure(name=f"four-fifths.p_value{suffix}", value=one.p_value, **shared)  # type: ignore[arg-type]
    lowest = breakdown.lowest_ratio([compared[0].best, *(one.category for one in compared)], level) if compared else None
    yield Measure(
        name=f"four-fifths.lowest_ratio{suffix}",
        value=min((one.ratio for one in compared), default=None),
        low=None if lowest is None else lowest.low,
        high=None if lowest is None else lowest.high,
        level=level,
        n=sum(category.n for category in breakdown.categories),
        by=breakdown.by,
        higher_is_better=True,
        undefined=None if compared else "nobody, or one category alone, can be compared",
    )


def _table(breakdown: Breakdown, compared: tuple[Compared, ...], level: float, chosen: Chosen) -> Table:
    best = compared[0].best
    rows: list[tuple[str | float | int | bool | None, ...]] = [
        (best.label, best.n, best.selected, best.rate, 1.0, None, None, None, None, "", "")
    ]
    rows += [
        (
            one.category.label,
            one.category.n,
            one.category.selected,
            one.category.rate,
            one.ratio,
            *one.ends,
            one.below,
            one.p_value,
            one.test,
            one.flips,
        )
        for one in compared
    ]
    shown = {best.values, *(one.category.values for one in compared)}
    rows += [
        (c.label, c.n, c.selected, c.rate, None, None, None, None, None, "too few rows to judge", "")
        for c in breakdown.categories
        if c.values not in shown
    ]
    if breakdown.unknown:
        rows.append(("missing", breakdown.unknown, None, None, None, None, None, None, None, "not known", ""))
    return Table(
        title=f"Four-fifths rule by {breakdown.by[0]}" + (f", being “{chosen.words}”" if chosen.suffix else ""),
        columns=(
            "category",
            "n",
            "selected",
            "rate",
            "ratio",
            "low",
            "high",
            "below 4/5",
            "p",
            "test",
            "one decision would tell",
        ),
        rows=tuple(rows),
        note=f"Ratios to the highest rate, with {in_percent(level)} intervals; p-values allow for the choice of the highest.",
    )


def _method(alpha: float, share: float) -> Method:
    return Method(
        summary=(
            "Each category's selection rate was divided by the highest, and held against four fifths in whole numbers, so that "
            "exactly 0.80 is not below. Beside it stands a two-sided test of equal rates: two proportions, or Fisher's exact "
            "test where an expected count is below 5. With more than two categories the highest of several rates is picked: rows "
            "are then shuffled among all categories, and a difference is held against the widest of any two, in standard "
            "deviations; where rows hang together, whole clusters are shuffled. Intervals of ratios allow for that choice too "
            "and are those of the fairness audit. By the guidelines' practice a finding fails where the ratio of these rows is "
            "below four fifths and the test excludes equal rates; whether the ratio of all such rows is below four "
            "fifths is what the interval says, and what the fairness audit judges by."
        ),
        parameters={"alpha": alpha, "least_share": share},
        references=(
            "EEOC (1978): Uniform guidelines on employee selection procedures, 29 CFR 1607.4 D",
            "Fisher (1935): The logic of inductive inference",
            "Westfall, Young (1993): Resampling-based multiple testing",
            "Donner, Zou (2012): Closed-form confidence intervals for functions of the normal mean and standard deviation",
        ),
        cautions=(
            "The rule is a rule of thumb for deciding where to look. It is not a definition of discrimination, and a ratio above "
            "four fifths excuses nothing.",
            "It speaks of a whole selection procedure and of people hired or promoted. Applied to a model's decisions alone, or "
            "to other fields than employment, it is a convention without that standing.",
            "The rule takes the selected class for a favourable outcome, such as being hired. Where it is none, as of a "
            "diagnosis or a risk, a low ratio disadvantages nobody by itself: name the favourable outcome.",
            "In large samples a difference can be real and still not below four fifths; in small ones a ratio can fall below by "
            "chance. That is why the test stands beside it.",
            "The highest of many rates is high partly by chance, which lowers every ratio; intervals and p-values allow for it.",
        ),
    )
