"""Whether held-out rows are like the training rows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import chi2_contingency, ks_2samp, mannwhitneyu, rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import Tensor

from glassbench.data import Split
from glassbench.evidence import Chart, Finding, Measure, Table
from glassbench.stats.intervals import holm, p_words
from glassbench_audits.data.chapter import Chapter
from glassbench_audits.data.labels import table_of

ALPHA = 0.05
FEWEST = 40
"""Rows of either split below which no classifier is asked to tell them apart."""


def examine_drift(
    train: Split,
    held: Split,
    known: pd.DataFrame,
    seen: pd.DataFrame,
    target: str,
    generator: np.random.Generator,
    *,
    tolerance: float,
    level: float,
    rows: int,
) -> Chapter:
    """Compare the splits feature by feature, and by how well a classifier tells them apart.

    Args:
        train, held: The splits.
        known, seen: Their named features.
        target: What the truth is called.
        generator: Source of the halves and of the sample.
        tolerance: Distance (Kolmogorov-Smirnov's, Cramér's V; twice an AUC above one half) that is let pass.
        level: Confidence level.
        rows: The most rows of either split for the classifier.
    """
    if not len(train) or not len(held):
        return Chapter()
    pairs = {str(name): (known[name], seen[name]) for name in known.columns if name in seen}
    if train.target is not None and held.target is not None and train.target.ndim == 1 == held.target.ndim:
        numbers = train.target.is_floating_point()
        both = (pd.Series(part.target.cpu().numpy()) for part in (train, held) if part.target is not None)
        pairs[f"{target} (truth)"] = tuple(part if numbers else part.astype(str) for part in both)  # type: ignore[assignment]
    compared = [distance(*pair) for pair in pairs.values()]
    p = holm(np.array([one[1] for one in compared]))
    drifted = [
        (name, far, value)
        for (name, (far, _)), value in zip(zip(pairs, compared, strict=True), p, strict=True)
        if value <= ALPHA and far > tolerance
    ]
    findings = [
        Finding(
            sentence=f"{name} is distributed differently in held-out rows: distance {far:.2f}, corrected p {p_words(value)}.",
            verdict="fail",
            measures=("data.drifting",),
            weight=0.5,
        )
        for name, far, value in sorted(drifted, key=lambda one: -one[1])
    ]
    measures = [Measure(name="data.drifting", value=float(len(drifted)), n=len(held), higher_is_better=False)]
    both_tables = table_of(train), table_of(held)
    told = None
    if both_tables[0] is not None and both_tables[1] is not None:
        told = told_apart(both_tables[0], both_tables[1], generator, level, rows)
    if told is not None:
        measures.append(told)
        findings.append(_classifier(told, tolerance, any_feature=bool(drifted)))
    tables, charts = _shown([(name, *one, value) for name, one, value in zip(pairs, compared, p, strict=True)])
    return Chapter(findings=tuple(findings), measures=tuple(measures), tables=tables, charts=charts)


def distance(known: pd.Series, seen: pd.Series) -> tuple[float, float]:
    """Return how far two samples of a feature are apart, 0 to 1, and the chance of that if they came from one source.

    Kolmogorov and Smirnov's distance of numbers, Cramér's V of categories; absent values are compared too, as a category.
    """
    if not pd.api.types.is_float_dtype(known):
        return _categories(known.fillna("missing"), seen.fillna("missing"))
    absent = _categories(known.isna().astype(str), seen.isna().astype(str))
    left, right = known.dropna(), seen.dropna()
    if not len(left) or not len(right):
        return absent
    found = ks_2samp(left, right, method="asymp")
    if not known.isna().any() and not seen.isna().any():
        return float(found.statistic), float(found.pvalue)
    return max(float(found.statistic), absent[0]), min(1.0, 2 * min(float(found.pvalue), absent[1]))


def told_apart(train: Tensor, held: Tensor, generator: np.random.Generator, level: float, rows: int) -> Measure | None:
    """Return the area under the curve of a classifier that tells held-out from training rows (Lopez-Paz and Oquab 2017).

    It learns on half of the rows and is judged on the other; the interval is DeLong's (1988).
    """
    if min(len(train), len(held)) < FEWEST:
        return None
    parts = [table[np.sort(generator.permutation(len(table))[:rows])].cpu().numpy() for table in (train, held)]
    inputs = np.concatenate(parts)
    which = np.repeat([0, 1], [len(part) for part in parts])
    learn = np.zeros(len(which), dtype=bool)
    for side in (0, 1):
        places = np.flatnonzero(which == side)
        learn[generator.permutation(places)[: len(places) // 2]] = True
    weight = np.where(which == 1, len(parts[0]) / len(parts[1]), 1.0)
    model = HistGradientBoostingClassifier(max_iter=50, early_stopping=False, random_state=0)
    model.fit(inputs[learn], which[learn], sample_weight=weight[learn])
    scores = model.predict_proba(inputs[~learn])[:, 1]
    value, low, high = area(scores[which[~learn] == 0], scores[which[~learn] == 1], level)
    n = int((~learn).sum())
    return Measure(name="data.drift_auc", value=value, low=low, high=high, level=level, n=n, higher_is_better=False)


def area(low_class: np.ndarray, high_class: np.ndarray, level: float) -> tuple[float, float, float]:
    """Return the area under the curve of scores of two classes, with DeLong's interval (DeLong et al. 1988)."""
    m, n = len(high_class), len(low_class)
    ranks = rankdata(np.concatenate([high_class, low_class]))
    placed = (ranks[:m] - rankdata(high_class)) / n, 1 - (ranks[m:] - rankdata(low_class)) / m
    value = float(mannwhitneyu(high_class, low_class).statistic) / (m * n)
    half = float(ndtri(0.5 + level / 2)) * float(np.sqrt(placed[0].var(ddof=1) / m + placed[1].var(ddof=1) / n))
    return value, max(0.0, value - half), min(1.0, value + half)


def _categories(known: pd.Series, seen: pd.Series) -> tuple[float, float]:
    counts = pd.DataFrame({"known": known.value_counts(), "seen": seen.value_counts()}).fillna(0)
    whole = counts.sum(axis=1)
    rare = whole * counts.sum().min() / counts.to_numpy().sum() < 5
    table = counts[~rare]
    if rare.any():
        table = pd.concat([table, counts[rare].sum().to_frame("others").T])
    values = table.to_numpy(dtype=float)
    if len(values) < 2 or (values.sum(axis=1) == 0).any():
        return 0.0, 1.0
    found = chi2_contingency(values, correction=len(values) == 2)
    return float(np.sqrt(found.statistic / values.sum())), float(found.pvalue)


def _classifier(told: Measure, tolerance: float, *, any_feature: bool) -> Finding:
    assert told.value is not None
    assert told.low is not None
    assert told.high is not None
    figure = f"area under the curve {told.value:.2f} [{told.low:.2f}, {told.high:.2f}], 0.5 is guessing"
    names, limit = ("data.drift_auc",), 0.5 + tolerance / 2
    if told.low > limit:
        said = f"A classifier tells held-out from training rows: {figure}. They are not from one source."
        return Finding(sentence=said, verdict="fail", measures=names, weight=0.6)
    if told.high <= limit or (told.low <= 0.5 and not any_feature):
        said = f"Held-out rows can't be told from training rows: {figure}."
        return Finding(sentence=said, verdict="pass", measures=names, weight=0.15)
    said = f"Whether held-out rows differ from training rows as a whole can't be told: {figure}."
    return Finding(sentence=said, verdict="insufficient evidence", measures=names, weight=0.2)


def _shown(compared: Sequence[tuple[str, float, float, float]]) -> tuple[tuple[Table, ...], tuple[Chart, ...]]:
    if not compared:
        return (), ()
    order = sorted(compared, key=lambda one: (one[3], -one[1]))
    table = Table(
        title="Held-out against training rows",
        columns=("feature", "distance", "p", "corrected p"),
        rows=tuple(order),
        note="Kolmogorov and Smirnov's distance of numbers, Cramér's V of categories; corrected by Holm's method.",
    )
    far = max(compared, key=lambda one: one[1])
    chart = Chart(
        kind="bars",
        title="How differently features are distributed in held-out rows",
        message=f"Furthest apart: {far[0]}, distance {far[1]:.2f}, corrected p {p_words(far[3])}.",
        rows=tuple({"y": name, "x": value} for name, value, _, _ in sorted(compared, key=lambda one: -one[1])[:20]),
        x_title="distance, 0 (alike) to 1",
        section="Drift",
    )
    return (table,), (chart,)
