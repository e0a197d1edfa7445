"""How many rows each class and each group has, and how often groups have which label."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from glassbench.contracts.data import Split
from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Table
from glassbench.contracts.schema import Schema
from glassbench.stats.clusters import between_groups, by_group, clustered_share
from glassbench.stats.intervals import wilson
from glassbench.stats.p_values import holm, p_words
from glassbench.stats.percent import in_percent
from glassbench_audits.data.section import Section, percent, share

SMALL = 0.05
"""A class or group below this share is called rare."""

ALPHA = 0.05

DRAWS = 5_000
"""Draws behind a p-value where rows hang together."""


def examine_balance(train: Split, schema: Schema, generator: np.random.Generator, *, groups: bool = True) -> Section:
    """Count the training rows of each class and group, and the labels of each group.

    Args:
        train: The training rows.
        schema: What they are.
        generator: Draws what chance alone shows, where rows hang together.
        groups: Whether groups are counted.
    """
    counted = (examine_groups(train),) if groups else ()
    sections = (_classes(train, schema), *counted, _labels(train, schema, generator))
    return Section(
        findings=tuple(f for c in sections for f in c.findings),
        measures=tuple(m for c in sections for m in c.measures),
        tables=tuple(t for c in sections for t in c.tables),
    )


def _codes(train: Split, schema: Schema) -> np.ndarray | None:
    if not schema.target.classes or train.target is None or train.target.ndim != 1 or train.target.is_floating_point():
        return None
    return train.target.cpu().numpy()


def _classes(train: Split, schema: Schema) -> Section:
    labels, names = _codes(train, schema), schema.target.classes
    if labels is None:
        return Section()
    counts = np.bincount(labels, minlength=len(names))
    rarest = int(counts.argmin())
    smallest = share("smallest_class", int(counts[rarest]), len(labels))
    rows = tuple((name, int(n), float(n / len(labels))) for name, n in zip(names, counts, strict=True))
    table = Table(title="Classes of the training rows", columns=("class", "rows", "share"), rows=rows)
    findings: tuple[Finding, ...] = ()
    if smallest.high is not None and smallest.high < min(SMALL, 0.5 / len(names)):
        said = (
            f"“{names[rarest]}” is rare: {percent(smallest)} of the training rows ({int(counts[rarest])}). "
            "Accuracy hardly notices it; look at its recall."
        )
        step = f"Collect more rows of “{names[rarest]}”, or weigh them more."
        findings = (Finding(sentence=said, grade="concern", measures=("data.smallest_class",), weight=0.4, next_step=step),)
    return Section(findings=findings, measures=(smallest,), tables=(table,))


def examine_groups(train: Split) -> Section:
    """Count the training rows of each group.

    Args:
        train: The training rows.
    """
    if train.groups is None or train.groups.empty:
        return Section()
    rows: list[tuple[str, str, int, float]] = []
    measures = []
    for feature in train.groups.columns:
        counts = train.groups[feature].astype(str).value_counts()
        rows += [(str(feature), str(group), int(n), float(n / len(train))) for group, n in counts.items()]
        measures.append(share("smallest_group", int(counts.min()), len(train), by=(str(feature),)))
    table = Table(title="Groups of the training rows", columns=("feature", "group", "rows", "share"), rows=tuple(rows))
    return Section(measures=tuple(measures), tables=(table,))


def _labels(train: Split, schema: Schema, generator: np.random.Generator) -> Section:
    labels = _codes(train, schema)
    if labels is None or train.groups is None or len(schema.target.classes) != 2:
        return Section()
    positive = schema.target.positive or schema.target.classes[-1]
    hits = labels == schema.target.classes.index(positive)
    measures, rows, p = [], [], []
    for feature in train.groups.columns:
        counts = pd.crosstab(train.groups[feature].astype(str).to_numpy(), hits)
        counts = counts.reindex(columns=[False, True], fill_value=0)
        n, k = counts.sum(axis=1).to_numpy(), counts[True].to_numpy()
        summed = _by_cluster(train, str(feature), hits, list(counts.index))
        low, high = wilson(k, n) if summed is None else clustered_share(*summed)[1:]
        for i, group in enumerate(map(str, counts.index)):
            found: dict[str, Any] = {"by": (str(feature),), "group": {str(feature): group}}
            ends: dict[str, Any] = {"low": float(low[i]), "high": float(high[i]), "level": 0.95, "n": int(n[i])}
            measures.append(Measure(name="data.label_rate", value=float(k[i] / n[i]), **ends, **found))
            rows.append((str(feature), group, int(n[i]), float(k[i] / n[i]), float(low[i]), float(high[i])))
        told = len(counts) > 1 and counts.sum().min() > 0
        p.append(_p_value(counts.to_numpy(), summed, generator) if told else np.nan)
    columns = ("feature", "group", "rows", f"share of “{positive}”", "low", "high")
    table = Table(title="Labels of each group", columns=columns, rows=tuple(rows))
    findings = tuple(
        _differs(str(feature), positive, [row for row in rows if row[0] == feature], float(value))
        for feature, value in zip(train.groups.columns, holm(np.array(p)), strict=True)
        if value <= ALPHA
    )
    return Section(findings=findings, measures=tuple(measures), tables=(table,))


def _by_cluster(train: Split, feature: str, hits: np.ndarray, groups: list[str]) -> tuple[np.ndarray, np.ndarray] | None:
    """Return positive rows and all rows by cluster and group; None where rows are independent."""
    if train.clusters is None or train.groups is None:
        return None
    clusters, places = pd.factorize(train.clusters)[0], pd.Index(groups).get_indexer(pd.Index(train.groups[feature].astype(str)))
    return by_group(1.0 * hits, places, len(groups), clusters), by_group(np.ones(len(hits)), places, len(groups), clusters)


def _p_value(counts: np.ndarray, summed: tuple[np.ndarray, np.ndarray] | None, generator: np.random.Generator) -> float:
    """Return the chance that rates lie as far apart: by the chi-square test, of clusters by shuffling whole ones."""
    if summed is None:
        return float(chi2_contingency(counts, correction=False).pvalue)
    size = counts.sum(axis=1)
    rate = counts[:, 1].sum() / counts.sum()
    apart = size @ np.square(counts[:, 1] / size - rate)
    drawn = np.square(between_groups(*summed, DRAWS, generator) - rate) @ size
    return float((1 + (drawn >= apart - 1e-9).sum()) / (1 + DRAWS))


def _differs(feature: str, positive: str, rows: list[tuple[str, str, int, float, float, float]], p: float) -> Finding:
    least, most = min(rows, key=lambda row: row[3]), max(rows, key=lambda row: row[3])
    said = (
        f"Labels differ between groups of {feature} before any model: “{positive}” for {in_percent(least[3])} of “{least[1]}” "
        f"(n {least[2]:,}) and {in_percent(most[3])} of “{most[1]}” (n {most[2]:,}), corrected p {p_words(p)}."
    )
    return Finding(sentence=said, grade="ok", measures=("data.label_rate",), weight=0.3)
