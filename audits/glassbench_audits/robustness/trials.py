"""Every perturbation at every strength, overall and per group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.subject import Subject
from glassbench.stats.intervals import Limits
from glassbench_audits.robustness.perturbation import Attack, Perturbation
from glassbench_audits.robustness.quality import Quality, drop_limits, mean_limits, predicted, quality

SMALLEST = 20
"""Rows of a group below which it is not shown apart."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Trial:
    """One perturbation at one strength.

    Args:
        perturbation: What was done.
        strength: How strongly; 0 stands for the rows as they are.
        mean: The mean quality with its interval.
        drop: How much it fell, with the interval of pairs of rows.
        groups: The mean quality of each group, by feature and group, with its number of rows; of attacks only for the best.
        after: How good each decision is.
    """

    perturbation: Perturbation
    strength: float
    mean: Limits
    drop: Limits
    groups: dict[tuple[str, str], tuple[Limits, int]]
    after: Quality


@dataclass(frozen=True, eq=False, kw_only=True)
class Judge:
    """Decides rows before and after a change.

    Args:
        subject: What is examined.
        source: The rows as they are.
        clusters: Which unit each row is of, or None.
        level: Confidence level.
        before: How good the decisions are without a change.
        predictions: What they are, as `predictions.parquet` holds them.
    """

    subject: Subject
    source: Split
    clusters: np.ndarray | None
    level: float
    before: Quality
    predictions: pd.DataFrame

    def after(self, perturbation: Perturbation, strength: float, generator: np.random.Generator) -> Quality:
        """Return how good the decisions are once the rows were changed."""
        made = predicted(self.subject, perturbation.apply(self.source, strength, generator))
        assert made is not None
        found = quality(self.subject, made, self.predictions)
        assert found is not None
        return found

    def drop(self, after: Quality, generator: np.random.Generator) -> Limits:
        """Return how much worse they are."""
        return drop_limits(self.before, after, generator, self.level, self.clusters)


def judge_of(subject: Subject, part: np.ndarray, level: float) -> Judge | None:
    """Return a judge of some held-out rows; None where predictions of changed rows cannot be held against anything."""
    assert subject.predictions.source is not None
    source, clusters = subject.predictions.source.take(part), subject.predictions.clusters
    made = predicted(subject, source)
    before = None if made is None else quality(subject, made, made)
    if made is None or before is None:
        return None
    return Judge(
        subject=subject,
        source=source,
        clusters=None if clusters is None else np.unique(clusters[part], return_inverse=True)[1],
        level=level,
        before=before,
        predictions=made,
    )


def trials(judge: Judge, perturbations: Sequence[Perturbation]) -> Iterator[Trial]:
    """Yield every perturbation at strength 0 and at each of its own."""
    for perturbation in perturbations:
        for strength in (0.0, *perturbation.strengths):
            # The same draws at every strength, so that curves show strength and nothing else.
            generator = judge.subject.generator(f"robustness.{perturbation.name}")
            after = judge.after(perturbation, strength, generator) if strength else judge.before
            yield _trial(judge, perturbation, strength, after, generator)


def best_attack(judge: Judge, tried: Sequence[Trial], sources: Sequence[Attack]) -> list[Trial]:
    """Return, at each strength, what becomes of each row under the attack that does it the most harm; none without attacks.

    Args:
        judge: What decided the rows.
        tried: The trials.
        sources: The kinds of attacks to choose among.
    """
    among = [trial for trial in tried if trial.perturbation.attack in sources]
    if not among:
        return []
    best = replace(among[0].perturbation, name="the best attack", attack="best")
    found = []
    for strength in (0.0, *best.strengths):
        rows = np.min([trial.after.rows for trial in among if trial.strength == strength], axis=0)
        generator = judge.subject.generator("robustness.best_attack")
        found.append(_trial(judge, best, strength, replace(judge.before, rows=rows), generator))
    return found


def _trial(judge: Judge, perturbation: Perturbation, strength: float, after: Quality, generator: np.random.Generator) -> Trial:
    return Trial(
        perturbation=perturbation,
        strength=strength,
        mean=mean_limits(after, generator, judge.level, judge.clusters),
        drop=judge.drop(after, generator),
        groups=dict(_groups(judge, after, generator)) if perturbation.attack in (None, "best") else {},
        after=after,
    )


def _groups(judge: Judge, after: Quality, generator: np.random.Generator) -> Iterator[tuple[tuple[str, str], tuple[Limits, int]]]:
    groups = judge.source.groups
    if groups is None:
        return
    for feature in groups.columns:
        values = groups[feature].astype(str).to_numpy()
        for group in sorted(set(values)):
            inside = values == group
            if inside.sum() >= SMALLEST:
                part = Quality(rows=after.rows[inside], shares=after.shares, words=after.words, usual=after.usual)
                clusters = None if judge.clusters is None else np.unique(judge.clusters[inside], return_inverse=True)[1]
                yield (str(feature), group), (mean_limits(part, generator, judge.level, clusters), int(inside.sum()))
