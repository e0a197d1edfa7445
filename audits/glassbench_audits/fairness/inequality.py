"""Optional measures of individual and entropy-based fairness, by the definitions of AIF360."""

from collections.abc import Iterator

import numpy as np
from sklearn.neighbors import NearestNeighbors

from glassbench.contracts.evidence import AuditResult, Measure, Method
from glassbench.contracts.subject import Subject
from glassbench.rows.known_outcomes import with_known_outcomes
from glassbench.stats.estimate import Estimate
from glassbench.stats.intervals import around, percentile
from glassbench.stats.settings_types import Count, Level, NonNegativeNumber, PositiveNumber, Replicates
from glassbench_audits.fairness.frames.group_frames import good_outcomes
from glassbench_audits.fairness.frames.groups import columns, mixed

_MOST_ROWS = 5_000
"""Rows whose neighbours are looked up."""


def inequality(
    subject: Subject,
    *,
    alpha: NonNegativeNumber = 2.0,
    neighbours: Count = 5,
    concentration: PositiveNumber = 1.0,
    replicates: Replicates = 1000,
    level: Level = 0.95,
) -> AuditResult:
    """Measure how unequally decisions benefit people: entropy of benefits, consistency among neighbours, differential fairness.

    The benefit of a row is 1 plus whether the favourable outcome was decided minus whether it was due (Speicher et al. 2018): 0,
    1 or 2. Figures without a verdict.

    Args:
        subject: What is examined.
        alpha: Order of the generalised entropy index; 1 is Theil's.
        neighbours: Rows that consistency compares each with, itself among them.
        concentration: Pseudo-rows that smooth each group's rate for differential fairness.
        replicates: How many resamples.
        level: Confidence level of the intervals.
    """
    if len(subject.class_outputs) != 1 or not subject.class_outputs[0].selects:
        return AuditResult(
            method=_method(alpha, neighbours, concentration), not_applicable="predictions are no choice of one class per row"
        )
    chosen = good_outcomes(subject) or (subject.class_outputs[0].spoken,)
    found = [
        *_entropies(subject, chosen, alpha, replicates, level),
        *_differential(subject, chosen, concentration, replicates, level),
    ]
    found.append(_consistency(subject, chosen, neighbours, level))
    return AuditResult(measures=tuple(found), method=_method(alpha, neighbours, concentration, " or ".join(chosen)))


def entropy_index(benefit: np.ndarray, weight: np.ndarray, alpha: float) -> np.ndarray:
    """Return the generalised entropy index of benefits under each row of weights.

    Args:
        benefit: Benefits `(k,)`, or under each row of weights its own `(b, k)`.
        weight: How many rows have each `(b, k)`.
        alpha: Its order; 1 is Theil's index.

    Example:
        >>> round(float(entropy_index(np.array([0.0, 1, 2]), np.array([[2.0, 6, 2]]), 2.0)[0]), 12)
        0.2
    """
    share = weight / weight.sum(axis=1, keepdims=True)
    ratio = benefit / (share * benefit).sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(ratio)
        if alpha == 1:
            terms = np.where(ratio > 0, ratio * logs, 0.0)
        elif alpha == 0:
            terms = -logs
        else:
            terms = (ratio**alpha - 1) / (alpha * (alpha - 1))
        return np.asarray(np.where(share > 0, share * terms, 0.0).sum(axis=1))


def between_groups_index(benefit: np.ndarray, weight: np.ndarray, group: np.ndarray, alpha: float) -> np.ndarray:
    """Return the part of the index that lies between groups: each benefit replaced by its group's mean.

    Args:
        benefit: Benefits `(k,)`.
        weight: How many rows have each `(b, k)`.
        group: Which group each is of `(k,)`, numbered from 0.
        alpha: As of `entropy_index`.
    """
    member = np.eye(int(group.max(initial=0)) + 1)[group]
    total, size = (weight * benefit) @ member, weight @ member
    means = np.divide(total, size, out=np.zeros(total.shape), where=size > 0)
    return entropy_index(means[:, group], weight, alpha)


def differential_fairness(selected: np.ndarray, n: np.ndarray, concentration: float = 1.0) -> np.ndarray:
    """Return the smoothed empirical differential fairness (Foulds et al. 2020): the largest log-ratio of two groups' rates.

    Args:
        selected: Rows with the favourable outcome `(..., groups)`.
        n: Rows of each group.
        concentration: Pseudo-rows, half of them favourable.

    Example:
        >>> round(float(differential_fairness(np.array([3.0, 1.0]), np.array([9.0, 9.0]))), 4)  # log of 3.5 / 1.5
        0.8473
    """
    rate = (selected + concentration / 2) / (n + concentration)
    return np.asarray(np.maximum(np.ptp(np.log(rate), axis=-1), np.ptp(np.log1p(-rate), axis=-1)))


def consistency_terms(inputs: np.ndarray, decided: np.ndarray, neighbours: int) -> np.ndarray:
    """Return for each row how far its decision lies from the mean of its nearest neighbours, itself among them `(n,)`.

    Consistency (Zemel et al. 2013) is 1 minus their mean.
    """
    _, near = NearestNeighbors(n_neighbors=neighbours, algorithm="ball_tree").fit(inputs).kneighbors(inputs)
    return np.asarray(np.abs(decided - decided[near].mean(axis=1)))


def _entropies(subject: Subject, chosen: tuple[str, ...], alpha: float, replicates: int, level: float) -> Iterator[Measure]:
    known = with_known_outcomes(subject)
    frame = known.predictions.frame
    names = ("generalized_entropy", "theil", "between_group_entropy", "within_group_entropy")
    if "y_true" not in frame:
        for name in names:
            yield Measure(name=f"inequality.{name}", value=None, undefined="no outcome is known")
        return
    decided, due = (frame[c].astype(str).isin(chosen).to_numpy() for c in ("y_pred", "y_true"))
    cells, weights = _resampled(known, (1 + decided.astype(int) - due).astype(np.int64), 3, replicates)
    benefit, group = (cells % 3).astype(float), cells // 3
    whole = entropy_index(benefit, weights, alpha)
    between = between_groups_index(benefit, weights, group, alpha)
    for name, values in zip(names, (whole, entropy_index(benefit, weights, 1.0), between, whole - between), strict=True):
        yield _measure(name, values, level, round(weights[0].sum()))


def _differential(
    subject: Subject, chosen: tuple[str, ...], concentration: float, replicates: int, level: float
) -> Iterator[Measure]:
    decided = subject.predictions.frame["y_pred"].astype(str).isin(chosen).to_numpy().astype(np.int64)
    cells, weights = _resampled(subject, decided, 2, replicates)
    member = np.eye(int((cells // 2).max(initial=0)) + 1)[cells // 2]
    selected, n = (weights * (cells % 2)) @ member, weights @ member
    yield _measure("differential_fairness", differential_fairness(selected, n, concentration), level, round(weights[0].sum()))


def _consistency(subject: Subject, chosen: tuple[str, ...], neighbours: int, level: float) -> Measure:
    source = subject.predictions.source
    tensor = source.inputs[0] if source is not None and isinstance(source.inputs, tuple) and source.inputs else None
    if tensor is None or tensor.ndim != 2 or len(tensor) < neighbours or subject.predictions.held is not None:
        reason = "the inputs are no table of numbers, one row for each decision, all counting alike"
        return Measure(name="inequality.consistency", value=None, undefined=reason, higher_is_better=True)
    rows = subject.sample(_MOST_ROWS, "inequality.consistency")
    decided = subject.predictions.frame["y_pred"].astype(str).isin(chosen).to_numpy().astype(float)[rows]
    terms = consistency_terms(tensor.numpy()[rows], decided, neighbours)
    resample = subject.generator("inequality.consistency").multinomial(len(rows), np.full(len(rows), 1 / len(rows)), 1000)
    return _measure(
        "consistency", 1 - np.concatenate([[terms.mean()], resample @ terms / len(rows)]), level, len(rows), better=True
    )


def _resampled(subject: Subject, values: np.ndarray, many: int, replicates: int) -> tuple[np.ndarray, np.ndarray]:
    """Return cells of group and value, and how many rows each has: in the first row as they are, then resampled.

    Groups are the combinations of all sensitive features. Whole clusters are resampled where rows hang together.

    Args:
        subject: What is examined.
        values: A value of each row, below `many`.
        many: How many values there are.
        replicates: How many resamples.
    """
    features = columns(subject.predictions.groups)
    groups = mixed([f.codes for f in features], [len(f.values) for f in features]).astype(np.int64)
    _, places = np.unique(groups, return_inverse=True)
    cells, code = np.unique(places * many + values, return_inverse=True)
    clusters, counts = subject.predictions.clusters, subject.predictions.held
    generator = subject.generator("inequality.resample")
    held = np.bincount(code, weights=counts, minlength=len(cells))
    if clusters is None:
        drawn = generator.multinomial(int(held.sum()), held / held.sum(), size=replicates)
    else:
        units = int(clusters.max(initial=0)) + 1
        cell = clusters * len(cells) + code
        table = np.bincount(cell, weights=counts, minlength=units * len(cells)).reshape(units, len(cells))
        drawn = generator.multinomial(units, np.full(units, 1 / units), size=replicates) @ table
    return cells, np.concatenate([held[None], drawn]).astype(float)


def _measure(name: str, values: np.ndarray, level: float, n: int, *, better: bool = False) -> Measure:
    value = float(values[0])
    ends = map(float, around(value, *percentile(values[1:], level)))
    estimate = Estimate.of(value, *ends, level=level, n=n, undefined="a benefit of 0 has no logarithm")
    return Measure.of(f"inequality.{name}", estimate, higher_is_better=better)


def _method(alpha: float, neighbours: int, concentration: float, favourable: str | None = None) -> Method:
    return Method(
        summary=(
            "Benefits are 1 plus decided minus due. Their generalised entropy index splits into a part between groups, where "
            "each benefit is replaced by its group's mean, and the rest within them. Consistency compares each decision with "
            "those of its nearest neighbours. Smoothed differential fairness is the largest log-ratio of two groups' rates. "
            "Intervals are percentiles of resampled rows, or of whole clusters."
        ),
        parameters={"alpha": alpha, "neighbours": neighbours, "concentration": concentration, "favourable": favourable},
        references=(
            "Speicher et al. (2018): A unified approach to quantifying algorithmic unfairness",
            "Zemel et al. (2013): Learning fair representations",
            "Foulds et al. (2020): An intersectional definition of fairness",
            "AIF360 (Bellamy et al. 2018), whose definitions these are",
        ),
        cautions=(
            "Percentile intervals of quantities that cannot be below 0 start above 0 even where nothing is there.",
            "Consistency calls rows alike by the distance of their encoded inputs, proxies among them; its interval takes rows "
            "as independent.",
        ),
    )
