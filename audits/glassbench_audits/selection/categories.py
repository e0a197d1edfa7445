"""How many of each category there are, and how many of them were selected."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import ndtri

from glassbench.data import MISSING
from glassbench.evidence import Measure
from glassbench.positive import favourable_classes
from glassbench.stats.clusters import by_group, effective_clusters, effective_rows, student
from glassbench.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Category:
    """One value of a sensitive feature, or of several together.

    Args:
        by: The features.
        values: Their values.
        n: Rows.
        selected: Rows that were selected.
        independent: As many independent rows as would make the rate vary so much (Kish 1965); n where rows are independent.
        freedom: Degrees of freedom of that, infinite where rows are independent.
    """

    by: tuple[str, ...]
    values: tuple[str, ...]
    n: int
    selected: int
    independent: float | None = None
    freedom: float = np.inf

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


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """The categories of one feature, or of several together.

    Args:
        by: The features.
        categories: Categories with rows, in order.
        unknown: Rows whose category is not known.
        summed: Selected rows and all rows by cluster and category, each `(clusters, categories)`; None where rows are
            independent.
    """

    by: tuple[str, ...]
    categories: tuple[Category, ...]
    unknown: int
    summed: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def best(self) -> Category:
        """The category with the highest rate; of several, the largest."""
        return max(self.categories, key=lambda category: (category.rate, category.n))


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
        return np.asarray(subject.predictions.frame["decision"].astype(str).isin(self.classes).to_numpy())


def chosen_classes(subject: Subject, selected: str | None) -> tuple[Chosen, ...]:
    """Return what counts as being selected: the class named, else the favourable ones; each class in turn where none is known.

    Nothing where decisions are no classes, or the class named is not among them.
    """
    target = subject.schema.target
    if subject.task.decision != "class" or not target.classes:
        return ()
    good = (selected,) if selected is not None else favourable_classes(target)
    if good:
        return (Chosen(classes=good),) if set(good) <= set(target.classes) else ()
    return tuple(Chosen(classes=(name,), suffix=f"[{name}]") for name in target.classes)


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
    groups: pd.DataFrame,
    selected: np.ndarray,
    counts: np.ndarray | None,
    features: Sequence[str],
    unknown: Sequence[str],
    clusters: np.ndarray | None = None,
) -> tuple[Breakdown, ...]:
    """Return the categories of each feature, then of each pair, then of all together.

    Args:
        groups: The sensitive features `(n, features)`.
        selected: Which rows were selected, truth values `(n,)`.
        counts: How many rows each stands for `(n,)`, or None.
        features: The features to look at.
        unknown: Values that mean the category is not known.
        clusters: Which cluster each row is of `(n,)`, where rows hang together.
    """
    held = np.ones(len(groups), dtype=np.int64) if counts is None else counts
    sizes = sorted({1, 2, len(features)} & set(range(1, len(features) + 1)))
    chosen = [by for size in sizes for by in combinations(features, size)]
    return tuple(_breakdown(groups, selected, held, by, {MISSING, *unknown}, clusters) for by in chosen)


def _breakdown(
    groups: pd.DataFrame,
    selected: np.ndarray,
    held: np.ndarray,
    by: tuple[str, ...],
    unknown: set[str],
    clusters: np.ndarray | None,
) -> Breakdown:
    texts = groups[list(by)].astype(str)
    known = ~texts.isin(unknown).any(axis=1).to_numpy()
    columns = list(range(len(by)))  # a feature may be called what a count is called
    frame = texts[known].set_axis(columns, axis=1).assign(n=held[known], selected=(held * selected)[known])
    found = frame.groupby(columns, sort=True, observed=True)[["n", "selected"]].sum().reset_index()
    categories = tuple(
        Category(by=by, values=tuple(map(str, row[:-2])), n=int(row[-2]), selected=int(row[-1]))
        for row in found.itertuples(index=False, name=None)
    )
    unknown_rows = int(held[~known].sum())
    if clusters is None or not categories:
        return Breakdown(by=by, categories=categories, unknown=unknown_rows)
    places = pd.factorize(pd.MultiIndex.from_frame(texts[known]), sort=True)[0]
    part, whole = (
        by_group(values, places, len(categories), clusters[known]) for values in (1.0 * selected[known], np.ones(known.sum()))
    )
    sizes = zip(categories, effective_rows(part, whole), effective_clusters(whole), strict=True)
    hanging = tuple(replace(category, independent=float(rows), freedom=float(many) - 1) for category, rows, many in sizes)
    return Breakdown(by=by, categories=hanging, unknown=unknown_rows, summed=(part, whole))


def ratio_interval(part: Category, whole: Category, level: float) -> tuple[float, float] | None:
    """Return the interval of the ratio of two categories' rates.

    By logarithms with half a row added (Walter 1975; Pettigrew, Gart, Thomas 1986). Of
    rows that hang together, as many count as would vary so much. None where the denominator selects nobody.
    """
    if whole.selected == 0:
        return None
    rows = [one.n if one.independent is None else one.independent for one in (part, whole)]
    (a, n), (b, m) = ((one.rate * size + 0.5, size + 0.5) for one, size in zip((part, whole), rows, strict=True))
    centre = np.log((a / n) / (b / m))
    t = float(student(float(ndtri(0.5 + level / 2)), np.array(min(part.freedom, whole.freedom))))
    half = t * np.sqrt(1 / a - 1 / n + 1 / b - 1 / m)
    value = part.rate / whole.rate
    low = 0.0 if part.selected == 0 else min(value, float(np.exp(centre - half)))
    return low, max(value, float(np.exp(centre + half)))
