"""Whether held-out rows are like the training rows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import chi2, chi2_contingency, ks_2samp, kstwobign, mannwhitneyu, rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import Tensor

from glassbench.contracts.data import Split
from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench.stats.clusters import design_effect
from glassbench.stats.p_values import holm, p_words
from glassbench_audits.data.label_models import table_of
from glassbench_audits.data.section import Section

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
) -> Section:
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
        return Section()
    pairs = {str(name): (known[name], seen[name]) for name in known.columns if name in seen}
    if train.target is not None and held.target is not None and train.target.ndim == 1 == held.target.ndim:
        numbers = train.target.is_floating_point()
        both = (pd.Series(part.target.cpu().numpy()) for part in (train, held) if part.target is not None)
        pairs[f"{target} (truth)"] = tuple(part if numbers else part.astype(str) for part in both)  # type: ignore[assignment]
    together = clusters_of(train, held)
    compared = [distance(*pair, together) for pair in pairs.values()]
    p = holm(np.array([one[1] for one in compared]))
    drifted = [
        (name, far, value)
        for (name, (far, _)), value in zip(zip(pairs, compared, strict=True), p, strict=True)
        if value <= ALPHA and far > tolerance
    ]
    findings = [
        Finding(
            sentence=f"{name} is distributed differently in held-out rows: distance {far:.2f}, corrected p {p_words(value)}.",
            grade="concern",
            measures=("data.drifting",),
            weight=0.5,
            next_step="Find out what changed between these rows; train on rows like those that the model will meet.",
        )
        for name, far, value in sorted(drifted, key=lambda one: -one[1])
    ]
    measures = [Measure(name="data.drifting", value=float(len(drifted)), n=len(held), higher_is_better=False)]
    both_tables = table_of(train), table_of(held)
    told = None
    if both_tables[0] is not None and both_tables[1] is not None:
        told = told_apart(both_tables[0], both_tables[1], generator, level, rows, together)
    if told is not None:
        measures.append(told)
        findings.append(_classifier(told, tolerance, any_feature=bool(drifted)))
    tables, charts = _shown([(name, *one, value) for name, one, value in zip(pairs, compared, p, strict=True)])
    return Section(findings=tuple(findings), measures=tuple(measures), tables=tables, charts=charts)


Clusters = tuple[np.ndarray, np.ndarray]
"""Which cluster each training and each held-out row is of, numbered from 0."""


def clusters_of(train: Split, held: Split) -> Clusters | None:
    """Return the clusters of both splits; None where rows are independent."""
    if train.clusters is None or held.clusters is None:
        return None
    codes = pd.factorize(np.concatenate([train.clusters, held.clusters]))[0]
    return codes[: len(train)], codes[len(train) :]


def distance(known: pd.Series, seen: pd.Series, clusters: Clusters | None = None) -> tuple[float, float]:
    """Return how far two samples of a feature are apart, 0 to 1, and the chance of that if they came from one source.

    Kolmogorov and Smirnov's distance of numbers, Cramér's V of categories; absent values are compared too, as a category.
    Where rows hang together the tests are those of as many independent rows as would vary so much (Rao and Scott 1981).
    """
    if not pd.api.types.is_float_dtype(known):
        return _categories(known.fillna("missing"), seen.fillna("missing"), clusters)
    absent = _categories(known.isna().astype(str), seen.isna().astype(str), clusters)
    left, right = known.dropna(), seen.dropna()
    if not len(left) or not len(right):
        return absent
    found = ks_2samp(left, right, method="asymp")
    p = float(found.pvalue) if clusters is None else _kolmogorov(float(found.statistic), (known, seen), clusters)
    if not known.isna().any() and not seen.isna().any():
        return float(found.statistic), p
    return max(float(found.statistic), absent[0]), min(1.0, 2 * min(p, absent[1]))


def _kolmogorov(statistic: float, samples: tuple[pd.Series, pd.Series], clusters: Clusters) -> float:
    """Return the asymptotic p-value with both samples as small as the clusters of their ranks make them."""
    present = [sample.notna().to_numpy() for sample in samples]
    parts = [(sample.to_numpy()[kept], codes[kept]) for sample, kept, codes in zip(samples, present, clusters, strict=True)]
    sizes = [len(values) / design_effect(rankdata(values), codes) for values, codes in parts]
    return float(kstwobign.sf(statistic * np.sqrt(sizes[0] * sizes[1] / sum(sizes))))


def told_apart(
    train: Tensor,
    held: Tensor,
    generator: np.random.Generator,
    level: float,
    rows: int,
    clusters: Clusters | None = None,
) -> Measure | None:
    """Return the area under the curve of a classifier that tells held-out from training rows (Lopez-Paz and Oquab 2017).

    It learns on half of the rows and is judged on the other; the interval is DeLong's (1988). Where rows hang together, it
    learns on half of the clusters, and the interval is that of clusters (Obuchowski 1997).
    """
    units = tuple(np.arange(len(table)) for table in (train, held)) if clusters is None else clusters
    if min(len(np.unique(codes)) for codes in units) < FEWEST:
        return None
    kept = [np.sort(generator.permutation(len(table))[:rows]) for table in (train, held)]
    parts = [table[rows_of].cpu().numpy() for table, rows_of in zip((train, held), kept, strict=True)]
    inputs = np.concatenate(parts)
    which = np.repeat([0, 1], [len(part) for part in parts])
    learn = np.zeros(len(which), dtype=bool)
    own = np.concatenate([codes[rows_of] for codes, rows_of in zip(units, kept, strict=True)])
    for side in (0, 1):
        among = generator.permutation(np.unique(own[which == side]))
        learn |= (which == side) & np.isin(own, among[: len(among) // 2])
    weight = np.where(which == 1, len(parts[0]) / len(parts[1]), 1.0)
    model = HistGradientBoostingClassifier(max_iter=50, early_stopping=False, random_state=0)
    model.fit(inputs[learn], which[learn], sample_weight=weight[learn])
    scores = model.predict_proba(inputs[~learn])[:, 1]
    sides = [which[~learn] == side for side in (0, 1)]
    judged = None if clusters is None else tuple(own[~learn][side] for side in sides)
    value, low, high = area(scores[sides[0]], scores[sides[1]], level, judged)
    n = int((~learn).sum())
    return Measure(name="data.drift_auc", value=value, low=low, high=high, level=level, n=n, higher_is_better=False)


def area(
    low_class: np.ndarray, high_class: np.ndarray, level: float, clusters: tuple[np.ndarray, ...] | None = None
) -> tuple[float, float, float]:
    """Return the area under the curve of scores of two classes, with DeLong's interval (1988), or that of clusters."""
    m, n = len(high_class), len(low_class)
    ranks = rankdata(np.concatenate([high_class, low_class]))
    placed = (ranks[:m] - rankdata(high_class)) / n, 1 - (ranks[m:] - rankdata(low_class)) / m
    value = float(mannwhitneyu(high_class, low_class).statistic) / (m * n)
    effects = [1.0, 1.0] if clusters is None else [design_effect(p, c) for p, c in zip(placed, reversed(clusters), strict=True)]
    spread = placed[0].var(ddof=1) / m * effects[0] + placed[1].var(ddof=1) / n * effects[1]
    half = float(ndtri(0.5 + level / 2)) * float(np.sqrt(spread))
    return value, max(0.0, value - half), min(1.0, value + half)


def _categories(known: pd.Series, seen: pd.Series, clusters: Clusters | None = None) -> tuple[float, float]:
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
    far = float(np.sqrt(found.statistic / values.sum()))
    if clusters is None:
        return far, float(found.pvalue)
    effects = [
        design_effect((part.to_numpy()[:, None] == table.index.to_numpy()[None]).astype(float), codes)
        for part, codes in zip((known, seen), clusters, strict=True)
    ]
    sizes = table.sum().to_numpy()
    effect = float(effects[0] * sizes[1] + effects[1] * sizes[0]) / float(sizes.sum())  # the smaller sample varies most
    return far, float(chi2.sf(found.statistic / effect, len(values) - 1))


def _classifier(told: Measure, tolerance: float, *, any_feature: bool) -> Finding:
    assert told.value is not None
    assert told.low is not None
    assert told.high is not None
    figure = f"area under the curve {told.value:.2f} [{told.low:.2f}, {told.high:.2f}], 0.5 is guessing"
    names, limit = ("data.drift_auc",), 0.5 + tolerance / 2
    if told.low > limit:
        said = f"A classifier tells held-out from training rows: {figure}. They are not from one source."
        step = "Find out what differs between the two sources."
        return Finding(sentence=said, grade="concern", measures=names, weight=0.6, next_step=step)
    if told.high <= limit or (told.low <= 0.5 and not any_feature):
        said = f"Held-out rows can't be told from training rows: {figure}."
        return Finding(sentence=said, grade="ok", measures=names, weight=0.15)
    said = f"Whether held-out rows differ from training rows as a whole can't be told: {figure}."
    return Finding(sentence=said, grade="unclear", measures=names, weight=0.2)


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
