"""Features of which a small change alone changes decisions."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import binomtest, norm
from scipy.stats import t as student_t

from glassbench.contracts.data import Split
from glassbench.stats.clusters import cluster_sums, clustered_share
from glassbench.stats.intervals import Limits, wilson
from glassbench.stats.p_values import holm
from glassbench_audits.robustness.corruptions import with_rows
from glassbench_audits.robustness.perturbation import Perturbation
from glassbench_audits.robustness.quality import Quality
from glassbench_audits.robustness.scales import Scale
from glassbench_audits.robustness.trials import Judge

SMALL = 0.1
"""The small change: so many standard deviations of normal noise."""

ALPHA = 0.05


@dataclass(frozen=True, eq=False, kw_only=True)
class PerturbedFeature:
    """What noise in one feature does.

    Args:
        feature: The feature.
        drop: How much quality fell, with its interval.
        changed: Share of rows whose decision became right or wrong, with Wilson's interval.
        p: The chance of such a fall if the noise did nothing, corrected for the number of features.
    """

    feature: str
    drop: Limits
    changed: Limits
    p: float


def perturb_feature(judge: Judge, scale: Scale) -> list[PerturbedFeature]:
    """Return what a tenth of a standard deviation of noise in each number does, the worst first."""
    encoded_columns = {f.name: f.columns[0] for f in judge.subject.schema.features if f.numeric}
    rows = judge.source.inputs[0] if isinstance(judge.source.inputs, tuple) else None
    columns = rows is not None and rows.ndim == 2 and scale.unit.ndim == 1
    encoded_columns = {
        name: encoded_column
        for name, encoded_column in encoded_columns.items()
        if columns and float(scale.unit[encoded_column]) > 0
    }
    found: list[tuple[str, Limits, Limits, float]] = []
    for name, encoded_column in encoded_columns.items():
        generator = judge.subject.generator(f"robustness.feature.{name}")
        after = judge.after(_one(scale, encoded_column), SMALL, generator)
        fell = judge.before.rows - after.rows
        found.append((name, judge.drop(after, generator), _share(fell != 0, judge), p_value(judge.before, after, judge.clusters)))
    corrected = holm(np.array([p for *_, p in found]))
    perturbed = [
        PerturbedFeature(feature=name, drop=drop, changed=changed, p=float(p))
        for (name, drop, changed, _), p in zip(found, corrected, strict=True)
    ]
    return sorted(perturbed, key=lambda one: -float(one.drop[0]))


def p_value(before: Quality, after: Quality, clusters: np.ndarray | None = None) -> float:
    """Return the chance of as large a fall: McNemar's exact test of shares, a paired z-test of values, by clusters a t-test."""
    fell = before.rows - after.rows
    if not fell.any():
        return 1.0
    if clusters is not None:
        by_cluster = cluster_sums(fell, clusters)
        error = max(float(by_cluster.std(ddof=1)) * np.sqrt(len(by_cluster)), 1e-300)
        return float(student_t.sf(by_cluster.sum() / error, len(by_cluster) - 1))
    if before.shares:
        worse, changed = int((fell > 0).sum()), int((fell != 0).sum())
        return float(binomtest(worse, changed, alternative="greater").pvalue)
    return float(norm.sf(fell.mean() / max(fell.std(ddof=1) / np.sqrt(len(fell)), 1e-300)))


def _share(rows: np.ndarray, judge: Judge) -> Limits:
    level, clusters = judge.level, judge.clusters
    if clusters is not None:
        return clustered_share(cluster_sums(1.0 * rows, clusters), cluster_sums(np.ones(len(rows)), clusters), level)
    low, high = wilson(rows.sum(), np.array(len(rows)), level)
    return np.array(rows.mean()), low, high


def _one(scale: Scale, encoded_column: int) -> Perturbation:
    def apply(source: Split, strength: float, generator: np.random.Generator) -> Split:
        assert isinstance(source.inputs, tuple)
        rows = source.inputs[0].clone()
        rows[:, encoded_column] += (
            strength * scale.unit[encoded_column] * torch.as_tensor(generator.normal(size=len(rows)), dtype=rows.dtype)
        )
        return with_rows(source, rows)

    return Perturbation(name="noise in one feature", strengths=(SMALL,), judged=0, unit=scale.words, apply=apply)
