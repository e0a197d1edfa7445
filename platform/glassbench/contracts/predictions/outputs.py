"""What predictions can be read as: classes, values, written answers, episodes. A kind offers those that apply to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassOutput:
    """One choice among classes that every row was given.

    Args:
        name: The label it is about, where rows are given several choices; None where they are given one.
        classes: The classes in order.
        predicted: The class of each row, by name `(n,)`.
        actual: The true class of each row `(n,)`, missing where it is not known; None where it is known of no row.
        scores: What the choice was made by, one column per class `(n, classes)`; None where that is not known.
        positive: The class that rates speak of; None where nobody named one.
        favourable: The classes that are good for a person; none where that is not known.
        selects: Whether being given a class is a decision about the row, so that rates of selection can be fair or not; being
            put into a cluster is none.
        symmetric: Whether either of two classes might be the favourable one.
    """

    classes: tuple[str, ...]
    predicted: pd.Series
    actual: pd.Series | None = None
    scores: pd.DataFrame | None = None
    name: str | None = None
    positive: str | None = None
    favourable: tuple[str, ...] = ()
    selects: bool = True
    symmetric: bool = True

    @property
    def spoken(self) -> str:
        """The class that binary rates speak of: the positive one, else the last."""
        return self.positive or self.classes[-1]

    @property
    def known(self) -> bool:
        """Whether the true class of every row is known."""
        return self.actual is not None and bool(self.actual.notna().all())


@dataclass(frozen=True, eq=False, kw_only=True)
class ValueOutput:
    """One number that every row was given.

    Args:
        predicted: The numbers, float64 `(n,)`.
        actual: The true numbers, float64 `(n,)`, NaN where one is not known; None where none is.
        name: What the number is of.
        unit: Its unit.
        favourable: `higher` or `lower`, whichever is good for a person; None where that is not known.
        continues: Whether the numbers continue a series: what comes next follows the calendar, so that groups of rows differ by
            nature and only the errors can be compared.
    """

    predicted: np.ndarray
    actual: np.ndarray | None = None
    name: str = "value"
    unit: str | None = None
    favourable: str | None = None
    continues: bool = False

    @property
    def known(self) -> bool:
        """Whether the true number of every row is known."""
        return self.actual is not None and bool(np.isfinite(self.actual).all())


@dataclass(frozen=True, eq=False, kw_only=True)
class IntervalOutput:
    """One interval that every row was given, said to hold its true number with a stated chance.

    Args:
        low, high: The ends, both of which belong to it, float64 `(n,)`.
        coverage: The share of rows whose interval is said to hold the truth.
        actual: The true numbers, float64 `(n,)`; None where they are not known of every row.
        quantiles: Quantiles of the number that were predicted beside, by level in rising order, each float64 `(n,)`.
        crossed: Rows whose quantiles were not in rising order before they were sorted, bool `(n,)`; None where that is not known.
        name: What the number is of.
        unit: Its unit.
        words: How the intervals came about.
    """

    low: np.ndarray
    high: np.ndarray
    coverage: float
    actual: np.ndarray | None = None
    quantiles: Mapping[float, np.ndarray] = field(default_factory=dict)
    crossed: np.ndarray | None = None
    name: str = "value"
    unit: str | None = None
    words: str = "as the predictions state them"

    @property
    def width(self) -> np.ndarray:
        """How wide each interval is, float64 `(n,)`."""
        return np.asarray(self.high - self.low)

    @property
    def holds(self) -> np.ndarray | None:
        """Whether each interval holds the truth, bool `(n,)`; None where that is not known."""
        return None if self.actual is None else np.asarray((self.low <= self.actual) & (self.actual <= self.high))


@dataclass(frozen=True, eq=False, kw_only=True)
class AnswerOutput:
    """One written answer per row.

    Args:
        written: The answers `(n,)`.
        actual: The true answers `(n,)`; None where none is known.
        quality: How near each comes to the truth, more being better, float64 `(n,)`; None where that is not known.
    """

    written: pd.Series
    actual: pd.Series | None = None
    quality: np.ndarray | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class RankingOutput:
    """The items that each row was recommended, and what is known of items.

    Args:
        items: All items by name; lists hold their places, -1 fills up.
        recommended: The recommended items, best first, int64 `(n, k)`.
        relevant: Those that proved relevant, int64 `(n, m)`; None where that is not known.
        seen: Those of the user's past, int64 `(n, h)`; None where that is not known.
        popularity: Training interactions of each item, int64 `(items,)`.
        groups: The group of each item `(items,)`, by item feature.
    """

    items: tuple[str, ...]
    recommended: np.ndarray
    relevant: np.ndarray | None
    seen: np.ndarray | None
    popularity: np.ndarray
    groups: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class RegionOutput:
    """Where in pictures predictions and truths lie, so that they can be drawn over them.

    Args:
        names: What may lie somewhere, by number.
        predicted: What was predicted at each pixel of each picture, whole numbers `(height, width)`, -1 for nothing.
        actual: What is truly there, likewise; None where that is not known.
    """

    names: tuple[str, ...]
    predicted: tuple[np.ndarray, ...]
    actual: tuple[np.ndarray, ...] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class GeneratedOutput:
    """One generated row for each held-out row, made under the same condition.

    Args:
        rows: The generated rows as models see rows, float32 `(n, ...)`.
        wanted: The condition each was made under, that of the held-out row `(n,)`.
        seen: What an independent classifier sees in each `(n,)`.
        covered: Whether a generated row of the same condition is near each held-out row, 0 or 1 `(n,)`; NaN where not known.
        recalled: Whether each held-out row lies among the generated rows of its condition, likewise `(n,)`.
    """

    rows: np.ndarray
    wanted: pd.Series
    seen: pd.Series
    covered: np.ndarray
    recalled: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class EpisodeOutput:
    """Rows that are the steps of episodes.

    Args:
        episode: Which episode each step is of `(n,)`.
        reward: What each step brought, float64 `(n,)`; None where that is not known.
    """

    episode: np.ndarray
    reward: np.ndarray | None = None

    @property
    def returns(self) -> np.ndarray | None:
        """The sum of the rewards of each step's episode, float64 `(n,)`; None where rewards are not known."""
        if self.reward is None:
            return None
        codes = pd.factorize(self.episode)[0]
        return np.asarray(np.bincount(codes, weights=self.reward)[codes], dtype=float)


@dataclass(frozen=True, eq=False, kw_only=True)
class RowErrors:
    """How wrong each row's prediction is, or how far it moved.

    Args:
        size: The error of each row, at least 0, float64 `(n,)`; larger is worse.
        binary: Whether errors are 0 or 1, so that their mean is a share of rows.
        words: What their mean is called ("share predicted wrongly").
        measure: What their mean is called among measures (`error_rate`).
        complement: What the share of rows without an error is called ("accuracy"); None where errors are no shares.
        unit: Unit of an error.
        usual: What a change of their mean is held against: 1 of shares, the spread of the predictions of values.
    """

    size: np.ndarray
    binary: bool
    words: str
    measure: str
    complement: str | None = None
    unit: str | None = None
    usual: float = 1.0


@dataclass(frozen=True, kw_only=True)
class ExplainedOutput:
    """One of several outputs of a model that an explanation can speak of, for all rows alike.

    Args:
        name: What it is called, such as a label.
        index: Its place among the explained outputs, one number per axis after the rows.
        rows: How many rows it was predicted for.
    """

    name: str
    index: tuple[int, ...]
    rows: int


@dataclass(frozen=True, eq=False, kw_only=True)
class NotableRows:
    """Rows whose single explanations are worth showing.

    Args:
        title: Why they are ("the least certain prediction").
        rows: Positions, the most notable first `(k,)`.
    """

    title: str
    rows: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True)
class BaselinePredictions:
    """The same rows as predicted without looking at them.

    Args:
        frame: Predictions, with the columns of the model's.
        words: What the baseline does, to be read after "better than" ("always answering “no”").
        constant: Whether it answers the same for every row.
        learnt: Whether it was learnt from truths; an order as rows came is not.
        metrics: Names of the metrics that it has a number for; None for all.
    """

    frame: pd.DataFrame
    words: str
    constant: bool = False
    learnt: bool = True
    metrics: tuple[str, ...] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Losses:
    """Losses of predictions beside those of a constant guess.

    Args:
        predicted: Of the predictions, float64 `(n,)`.
        guessed: Of the guess, float64 `(n,)`.
    """

    predicted: np.ndarray
    guessed: np.ndarray

    @property
    def skill(self) -> float:
        """The share of the guess's loss that the predictions save: 1 is perfect, 0 no better than guessing."""
        return float(1 - self.predicted.sum() / self.guessed.sum())
