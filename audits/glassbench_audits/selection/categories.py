"""How many of each category there are, how many of them were selected, and how sure rates and their ratios are."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import pandas as pd

from glassbench.contracts.evidence import Measure
from glassbench.contracts.schema import MISSING
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench_audits.fairness.comparison.gaps import Gap, gaps, ratios_to_highest
from glassbench_audits.fairness.frames.confusion_frame import ConfusionFrame
from glassbench_audits.fairness.frames.group_frame import critical
from glassbench_audits.fairness.frames.group_frames import confusion_frame
from glassbench_audits.fairness.frames.rates import SELECTION

OTHER = "other"
"""What is decided for rows that were not selected, where rows are decided anew."""


@dataclass(frozen=True, kw_only=True)
class Category:
    """One value of a sensitive feature, or of several together.

    Args:
        by: The features.
        values: Their values.
        n: Rows.
        selected: Rows that were selected.
        place: Its position among the groups of the frame that rates come from.
    """

    by: tuple[str, ...]
    values: tuple[str, ...]
    n: int
    selected: int
    place: int = field(default=0, compare=False)

    @property
    def rate(self) -> float:
        """The share that was selected."""
        return self.selected / self.n

    @property
    def label(self) -> str:
        """The values, as a reader sees them."""
        return " & ".join(self.values)

    @property
    def group(self) -> dict[str, str]:
        """The category as a measure names it."""
        return dict(zip(self.by, self.values, strict=True))


Ends = tuple[float, float]
"""The low and the high end of an interval."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Breakdown:
    """The categories of one feature, or of several together.

    Args:
        by: The features.
        categories: Categories with rows, in order.
        unknown: Rows whose category is not known.
        frame: The selection rates as the fairness audit counts them.
        metric: Which of the frame's rates is that of being selected.
    """

    by: tuple[str, ...]
    categories: tuple[Category, ...]
    unknown: int
    frame: ConfusionFrame
    metric: int

    @property
    def clustered(self) -> bool:
        """Whether rows hang together in clusters."""
        return self.frame.by_cluster is not None

    def rates(self, level: float) -> list[Ends]:
        """Return the ends of each category's selection rate."""
        _, low, high = self.frame.limits(critical(level), [self.metric])
        return [(float(low[0, c.place]), float(high[0, c.place])) for c in self.categories]

    def ratios(self, included: Sequence[Category], level: float) -> list[Ends]:
        """Return the ends of each included category's ratio to the highest rate, which may be that of any of them."""
        low, high = ratios_to_highest(self.frame, self.metric, self._taking_part(included), level)
        return [(float(low[c.place]), float(high[c.place])) for c in included]

    def lowest_ratio(self, included: Sequence[Category], level: float) -> Gap:
        """Return the lowest of these ratios with its interval, as the fairness audit reports it for the same groups."""
        return gaps(self.frame, [(self.metric,)], self._taking_part(included), level)[0][1]

    def _taking_part(self, included: Sequence[Category]) -> np.ndarray:
        keep = np.zeros(self.frame.value.shape, dtype=bool)
        keep[self.metric, [c.place for c in included]] = True
        return keep


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What counts as being selected.

    Args:
        classes: The classes that mean it.
        suffix: What names of measures end with: the class in brackets where nobody says which one is favourable, else nothing.
    """

    classes: tuple[str, ...]
    suffix: str = ""

    @property
    def words(self) -> str:
        """The classes in words."""
        return " or ".join(self.classes)

    def rows(self, subject: Subject) -> np.ndarray:
        """Return which rows were selected, truth values `(n,)`."""
        return np.asarray(subject.predictions.frame["y_pred"].astype(str).isin(self.classes).to_numpy())


def chosen_classes(subject: Subject, selected: str | None) -> tuple[Chosen, ...]:
    """Return what counts as being selected: the class named, else the favourable ones; each class in turn where none is known.

    Nothing where decisions are no classes, or the class named is not among them.
    """
    outputs = [output for output in subject.class_outputs if output.selects and output.symmetric]
    if len(outputs) != 1 or not subject.schema.target.classes:
        return ()
    classes, favourable = outputs[0].classes, outputs[0].favourable
    good = (selected,) if selected is not None else favourable
    if good:
        return (Chosen(classes=good),) if set(good) <= set(classes) else ()
    return tuple(Chosen(classes=(name,), suffix=f"[{name}]") for name in classes)


def unselected(subject: Subject) -> str:
    """Return why nobody is selected, where `chosen_classes` returns nothing."""
    if len(subject.class_outputs) > 1:
        return "rows are given several labels, and being selected is one choice; the fairness audit compares each label's rates"
    return "the decisions select nobody: they are no classes"


def with_undefined(measures: Sequence[Measure], first: Chosen, lacking: str | None) -> tuple[Measure, ...]:
    """Return measures, and where each class has its own, those without a class too: undefined, so that no gate on them passes.

    Args:
        measures: The measures of every meaning of being selected.
        first: The first of these meanings.
        lacking: Why it is not known which outcome is favourable, or None.
    """
    if lacking is None:
        return tuple(measures)
    plain = [replace(m, name=m.name.removesuffix(first.suffix)) for m in measures if m.name.endswith(first.suffix)]
    return (*(replace(m, value=None, low=None, high=None, undefined=lacking) for m in plain), *measures)


def breakdowns(
    subject: Subject, chosen: Chosen, features: Sequence[str], *, unknown: Sequence[str], sizes: Sequence[int], replicates: int
) -> tuple[Breakdown, ...]:
    """Return the categories of each feature, and of combinations of several.

    Args:
        subject: What is examined; its decisions are classes.
        chosen: What counts as being selected.
        features: The features to look at.
        unknown: Values that mean the category is not known.
        sizes: How many features are combined.
        replicates: Resamples behind intervals that allow for the choice of the highest rate.
    """
    subject = _favouring(subject, chosen)
    return tuple(
        _breakdown(subject, chosen, by, {MISSING, *unknown}, replicates) for size in sizes for by in combinations(features, size)
    )


def decided_anew(subject: Subject, chosen: Chosen, rows: np.ndarray) -> Subject:
    """Return a subject whose decisions are whether rows were selected, by truth values `(n,)`; truths are left out.

    Args:
        subject: What is examined.
        chosen: What selection is called.
        rows: Which rows were selected.
    """
    frame = subject.predictions.frame.drop(columns="y_true", errors="ignore")
    decision = pd.Categorical.from_codes(rows.astype(int), categories=pd.Index([OTHER, chosen.words]))
    target = replace(subject.schema.target, classes=(OTHER, chosen.words), positive=chosen.words, favourable=chosen.words)
    return replace(
        subject,
        schema=replace(subject.schema, target=target),
        predictions=Predictions(frame=frame.assign(y_pred=decision)),
    )


def _favouring(subject: Subject, chosen: Chosen) -> Subject:
    """Return a subject whose favourable outcome is that of being selected."""
    target = replace(subject.schema.target, favourable=chosen.classes)
    return replace(subject, schema=replace(subject.schema, target=target))


def _breakdown(subject: Subject, chosen: Chosen, by: tuple[str, ...], unknown: set[str], replicates: int) -> Breakdown:
    group_frame = confusion_frame(subject, by, replicates)
    metric = _metric(group_frame, chosen)
    if metric is None:  # of very many classes none has a rate of its own
        group_frame = confusion_frame(decided_anew(subject, chosen, chosen.rows(subject)), by, replicates)
        metric = _metric(group_frame, chosen)
    assert metric is not None
    named = [tuple(group.mapping[name] for name in by) for group in group_frame.groups]
    categories = tuple(
        Category(
            by=by, values=values, n=int(group_frame.n[metric, g]), selected=round(float(group_frame.part[metric, g])), place=g
        )
        for g, values in enumerate(named)
        if not unknown & set(values)
    )
    rows = int(group_frame.n[metric].sum()) - sum(category.n for category in categories)
    return Breakdown(by=by, categories=categories, unknown=rows, frame=group_frame, metric=metric)


def _metric(group_frame: ConfusionFrame, chosen: Chosen) -> int | None:
    metrics = enumerate(group_frame.metrics)
    return next((k for k, metric in metrics if metric.name == SELECTION.name and metric.outcome == chosen.words), None)


def large_enough(breakdown: Breakdown, share: float) -> list[Category]:
    """Return the categories that hold at least a share of the rows; of rows that hang together, enough clusters as well."""
    total = sum(category.n for category in breakdown.categories)
    supported = breakdown.frame.supported[breakdown.metric]
    return [
        category
        for category in breakdown.categories
        if category.n >= share * total and (not breakdown.clustered or supported[category.place])
    ]


def most_selected(categories: Sequence[Category]) -> Category | None:
    """Return the category with the highest rate, the larger one of equal rates; None of none."""
    return max(categories, key=lambda category: (category.rate, category.n), default=None)
