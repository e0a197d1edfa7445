"""Impact ratios as New York City's Local Law 144 asks for them (Rules of the City of New York, title 6, section 5-301)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.positive_class import unknown_favourable
from glassbench.contracts.subject import Subject
from glassbench.rows.coded_classes import with_coded_classes
from glassbench.stats.percent import in_percent
from glassbench.stats.settings_types import Level, Replicates, Share
from glassbench_audits.selection.categories import (
    Breakdown,
    Category,
    Chosen,
    Ends,
    breakdowns,
    chosen_classes,
    decided_anew,
    large_enough,
    most_selected,
    unselected,
    with_undefined,
)

ABOVE = "above the median"
"""What counts as being selected by a score."""


_Ratio = tuple[float | None, Ends | None, str | None]
"""A category's ratio, the ends of its interval, and why there is none."""

_Above = tuple[np.ndarray, float]
"""Which rows score above the median of all, and the median."""


@dataclass(frozen=True, kw_only=True)
class Rated:
    """A breakdown with the categories that take part in its ratios.

    Args:
        name: `selection` or `scoring`.
        breakdown: The categories.
        included: Those that take part.
        level: Confidence level of intervals.
    """

    name: str
    breakdown: Breakdown
    included: tuple[Category, ...]
    level: float

    @property
    def best(self) -> Category | None:
        """The category that ratios are taken to, or None where nobody was selected."""
        found = most_selected(self.included)
        return found if found is not None and found.selected else None

    @cached_property
    def ratios(self) -> dict[Category, _Ratio]:
        """The ratio of each category to the highest rate; that of the highest itself has no interval."""
        best = self.best
        ends = {} if best is None else dict(zip(self.included, self.breakdown.ratios(self.included, self.level), strict=True))

        def ratio(category: Category) -> _Ratio:
            if category not in self.included:
                return None, None, "left out of the ratios: too few of the rows are of this category"
            if best is None:
                return None, None, "nobody was selected"
            return category.rate / best.rate, None if category is best else ends[category], None

        return {category: ratio(category) for category in self.breakdown.categories}


def audit(
    subject: Subject,
    *,
    features: tuple[str, ...] = (),
    selected: str | None = None,
    unknown: tuple[str, ...] = ("unknown", "Unknown"),
    leave_out_below: Share = 0.0,
    level: Level = 0.95,
    replicates: Replicates = 1000,
) -> AuditResult:
    """Report selection and scoring rates with their impact ratios, by sex, by race or ethnicity, and by both.

    The rule asks for figures and sets no pass mark, so there is no finding and no verdict.

    Args:
        subject: What is examined.
        features: Sensitive features to report by, each alone and together; all of them by default.
        selected: The class that means being selected or put forward; by default the favourable outcome. Where nobody says which
            that is, the figures of every class are reported, each measure with the class in brackets.
        unknown: Values that mean that a category is not known; such rows are counted and stay out of the calculation.
        leave_out_below: Share of the rows below which a category may be left out of the ratios, 0.02 by the rule; its count and
            rate are shown all the same.
        level: Confidence level of the intervals, which the rule does not ask for.
        replicates: Resamples behind intervals that allow for the choice of the highest rate.
    """
    chosen = chosen_classes(subject, selected)
    if not chosen:
        return AuditResult(method=Method(summary="Impact ratios."), not_applicable=unselected(subject))
    frame = subject.predictions.groups
    asked = list(features) or [str(column) for column in frame.columns]
    if strange := [feature for feature in asked if feature not in frame]:
        reason = f"'{strange[0]}' is no sensitive feature of the data"
        return AuditResult(method=Method(summary="Impact ratios."), not_applicable=reason)
    subject = with_coded_classes(subject)
    lacking = unknown_favourable(subject.schema.target.classes) if chosen[0].suffix else None
    above = {each.words: _above_median(subject, each) for each in chosen}
    rest = (asked, unknown, leave_out_below, level, replicates)
    found = [(each, rated) for each in chosen for rated in _of_class(subject, each, above[each.words], *rest)]
    return AuditResult(
        findings=() if lacking is None else (_undirected(lacking),),
        measures=with_undefined([m for each, rated in found for m in _measures(rated, each.suffix)], chosen[0], lacking),
        tables=tuple(_table(rated, each.words) for each, rated in found),
        charts=tuple(chart for each, rated in found if len(rated.breakdown.by) == 1 for chart in _charts(rated, each)),
        method=_method([each.words for each in chosen], _medians(above), leave_out_below, unknown),
    )


def _of_class(
    subject: Subject,
    chosen: Chosen,
    above: _Above | None,
    asked: Sequence[str],
    unknown: Sequence[str],
    below: float,
    level: float,
    replicates: int,
) -> Iterator[Rated]:
    """Yield the selection rates of one meaning of being selected, and the scoring rates where one class alone means it."""
    sizes = sorted({1, 2, len(asked)} & set(range(1, len(asked) + 1)))
    for breakdown in breakdowns(subject, chosen, asked, unknown=unknown, sizes=sizes, replicates=replicates):
        yield _rated("selection", breakdown, below, level)
    if above is not None and len(chosen.classes) == 1:
        scored, anew = Chosen(classes=(ABOVE,)), decided_anew(subject, Chosen(classes=(ABOVE,)), above[0])
        for breakdown in breakdowns(anew, scored, asked, unknown=unknown, sizes=sizes, replicates=replicates):
            yield _rated("scoring", breakdown, below, level)


def _medians(above: Mapping[str, _Above | None]) -> dict[str, float] | float | None:
    """Return the median score of each meaning of being selected; of a single one, the median itself."""
    medians = {words: found[1] for words, found in above.items() if found is not None}
    return medians if len(above) > 1 else next(iter(medians.values()), None)


def _undirected(lacking: str) -> Finding:
    sentence = f"The impact ratios of every outcome are reported, because {lacking}."
    return Finding(sentence=sentence, grade="not applicable", weight=0.5)


def _rated(name: str, breakdown: Breakdown, below: float, level: float) -> Rated:
    return Rated(name=name, breakdown=breakdown, included=tuple(large_enough(breakdown, below)), level=level)


def _above_median(subject: Subject, chosen: Chosen) -> _Above | None:
    """Return which rows score the first class chosen above the median of all, and the median; None where there are no scores."""
    scores, counts, name = subject.predictions.scores, subject.predictions.frequency, chosen.classes[0]
    if name not in scores:
        return None
    values = scores[name].to_numpy(dtype=float)
    median = float(np.median(values)) if counts is None else _weighted_median(values, counts)
    return values > median, median


def _weighted_median(values: np.ndarray, counts: np.ndarray) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(counts[order])
    middle = [(reached[-1] - 1) // 2, reached[-1] // 2]
    return float(values[order][np.searchsorted(reached, middle, side="right")].mean())


def _measures(rated: Rated, suffix: str) -> Iterator[Measure]:
    by = rated.breakdown.by
    ratio_name = "impact_ratio" if rated.name == "selection" else "scoring_impact_ratio"
    for category, (low, high) in zip(rated.breakdown.categories, rated.breakdown.rates(rated.level), strict=True):
        yield Measure(
            name=f"local-law-144.{rated.name}_rate{suffix}",
            value=category.rate,
            low=low,
            high=high,
            level=rated.level,
            n=category.n,
            by=by,
            group=category.group,
        )
        value, ends, reason = rated.ratios[category]
        yield Measure(
            name=f"local-law-144.{ratio_name}{suffix}",
            value=value,
            low=None if ends is None else ends[0],
            high=None if ends is None else ends[1],
            level=rated.level,
            n=category.n,
            by=by,
            group=category.group,
            higher_is_better=True,
            undefined=reason,
        )
    if rated.name == "selection":
        yield Measure(name=f"local-law-144.unknown{suffix}", value=float(rated.breakdown.unknown), by=by, unit="rows")


def _table(rated: Rated, selected: str) -> Table:
    what = {"selection": ("selected", "selection rate"), "scoring": (ABOVE, "scoring rate")}[rated.name]
    rows: list[tuple[str | float | int | None, ...]] = []
    for category, (value, ends, reason) in rated.ratios.items():
        shown = (None, None) if ends is None else ends
        rows.append(
            (*category.values, category.n, category.selected, category.rate, value if reason is None else "left out", *shown)
        )
    blank = ("unknown", *("" for _ in rated.breakdown.by[1:]))
    rows.append((*blank, rated.breakdown.unknown, None, None, "not calculated", None, None))
    return Table(
        title=f"Impact ratios of {rated.name} rates by {' and '.join(rated.breakdown.by)}",
        columns=(*rated.breakdown.by, "applicants", what[0], what[1], "impact ratio", "low", "high"),
        rows=tuple(rows),
        note=f"Selected means “{selected}”. Low and high: the ratio's {in_percent(rated.level)} interval. The rule "
        "sets no pass mark.",
    )


def _charts(rated: Rated, chosen: Chosen) -> Iterator[Chart]:
    shown = [(category, *found) for category, found in rated.ratios.items()]
    rows = tuple(
        {"y": c.label, "x": value, "low": ends[0] if ends else value, "high": ends[1] if ends else value, "size": f"n {c.n:,}"}
        for c, value, ends, _ in shown
        if value is not None
    )
    if rows and rated.best is not None:
        yield Chart(
            kind="intervals",
            title=f"Impact ratios of {rated.name} rates by {rated.breakdown.by[0]}" + _of(chosen),
            message=f"Each category's rate as a share of the highest, that of {rated.best.label}.",
            rows=rows,
            x_title="impact ratio",
            y_title=rated.breakdown.by[0],
            section="Impact ratios",
        )


def _of(chosen: Chosen) -> str:
    return f", being “{chosen.words}”" if chosen.suffix else ""


def _method(selected: Sequence[str], medians: object, below: float, unknown: Sequence[str]) -> Method:
    return Method(
        summary=(
            "Selection rate: selected among all of a category. Scoring rate: those who score above the median of all. Impact "
            "ratio: a category's rate divided by the highest rate of any. Rows of an unknown category are counted, no more."
        ),
        parameters={
            "selected": list(selected),
            "median_score": medians,
            "leave_out_below": below,
            "unknown": list(unknown),
        },
        references=(
            "New York City Administrative Code 20-870 (Local Law 144 of 2021)",
            "Rules of the City of New York, title 6, section 5-301",
            "Donner, Zou (2012): Closed-form confidence intervals for functions of the normal mean and standard deviation",
        ),
        cautions=(
            "These are figures that a bias audit reports, not a bias audit: the law asks for an independent auditor, its own "
            "data and a published summary.",
            "The rule sets no pass mark. A ratio below 0.8 is not a breach of it, and one above is no proof of fairness.",
            "The highest of many rates is high partly by chance, which makes every ratio look lower than it is; the high end of "
            "an interval allows for that choice.",
        ),
    )
