"""Whether the clusters come back when the rows are others, and whether there are any at all."""

import copy
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.metrics import adjusted_rand_score, silhouette_score

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.subject import Subject
from glassbench.stats.grade import Grade
from glassbench.stats.intervals import student_interval
from glassbench.stats.p_values import p_words
from glassbench.stats.percent import in_percent
from glassbench_audits.clusters.members import NOISE, Members

_ROWS = 5_000
_SHARE = 0.8
_SILHOUETTE_ROWS = 2_000
STABLE, DISSOLVED = 0.75, 0.6
"""Mean Jaccard from which a cluster counts as stable, and below which it should not be trusted (Hennig 2007)."""


@dataclass(frozen=True, eq=False)
class Stability:
    """How well clusterings of other samples agree with the model's on the held-out rows.

    Args:
        agreement: Adjusted Rand index of each resample `(b,)`.
        jaccard: Best overlap of each cluster with one of each resample `(b, clusters)`.
        structure: The silhouette beside those of rows without structure, or None.
    """

    agreement: np.ndarray
    jaccard: np.ndarray
    structure: "Structure | None"


@dataclass(frozen=True, eq=False)
class Structure:
    """How tight the clusters are beside those found where there are none.

    Args:
        silhouette: Of the held-out rows.
        shuffled: Of rows whose columns were shuffled apart, one per refit that found clusters.
        p: Share of the refits that were as tight, counting the model's own clustering as one.
    """

    silhouette: float
    shuffled: np.ndarray
    p: float


def unavailable(members: Members) -> str | None:
    """Return why the model cannot be fitted again, or None."""
    if members.subject.train is None or members.inputs is None:
        return "the rows it was fitted to are not known"
    if not callable(getattr(members.subject.model, "refit", None)):
        return "the model is too dear to fit again for each resample"
    return None


def resample(members: Members, replicates: int) -> Stability:
    """Fit the clustering again to four fifths of the training rows, and to rows without structure."""
    subject = members.subject
    assert subject.train is not None
    generator = subject.generator("clusters.stability")
    rows = subject.train.batch(slice(None)).inputs[0].numpy()
    if len(rows) > _ROWS:
        rows = rows[np.sort(generator.choice(len(rows), _ROWS, replace=False))]
    half = max(2, round(_SHARE * len(rows)))
    agreement, jaccard = [], []
    for _ in range(replicates):
        labels = _again(subject, rows[generator.permutation(len(rows))[:half]], generator)
        agreement.append(adjusted_rand_score(members.decided, labels))
        jaccard.append([_overlap(members.codes == k, labels) for k in range(len(members.names))])
    return Stability(np.array(agreement), np.array(jaccard), _structure(members, rows, generator, replicates))


def stability_measures(members: Members, found: Stability, level: float) -> list[Measure]:
    """Return the mean agreements with the range of what resamples gave, and the p-value of there being structure."""
    whole = _measure("clusters.stability", found.agreement, level)
    each = [_measure(f"clusters.cluster_stability[{name}]", found.jaccard[:, k], level) for k, name in enumerate(members.names)]
    if found.structure is None:
        return [whole, *each]
    return [whole, *each, *_structure_measures(found.structure, level)]


def _structure_measures(found: Structure, level: float) -> list[Measure]:
    """Return the silhouette, that of rows without structure with the range of the refits, and the p-value of the difference."""
    own = Measure(name="clusters.silhouette", value=found.silhouette, level=level, higher_is_better=True)
    null = [_measure("clusters.silhouette_shuffled", found.shuffled, level)] if len(found.shuffled) else []
    return [own, *null, Measure(name="clusters.structure_p_value", value=found.p, higher_is_better=False)]


def stability_findings(members: Members, found: Stability, level: float) -> list[Finding]:
    """Return whether to trust the clusters as a whole, and which of them not.

    A mean over refits is judged by its interval over refits (Student's, 95 %): other refits would give another mean. The range of
    the refits is shown, as the measure has it.
    """
    mean, low, high = _mean(found.agreement)
    grade: Grade = "ok" if low >= STABLE else "concern" if high < DISSOLVED else "unclear"
    words = {"ok": "come back", "unclear": "come back in part", "concern": "do not come back"}[grade]
    sentence = (
        f"Fitted again to four fifths of the rows, {len(found.agreement)} times, the clusters {words}: adjusted Rand index "
        f"{mean:.2f} on average, {_range(found.agreement, level)}."
    )
    step = "" if grade == "ok" else "Ask for fewer clusters, or collect more rows."
    names: tuple[str, ...] = ("clusters.stability",)
    findings = [Finding(sentence=sentence, grade=grade, measures=names, weight=0.8, next_step=step, answers="quality")]
    for name, column in zip(members.names, found.jaccard.T, strict=True):
        overlap, _, most = _mean(column)
        if most < DISSOLVED:
            said = (
                f"Do not build on {name}: on average only {in_percent(overlap)} of it comes back (mean Jaccard {overlap:.2f}, "
                f"{_range(column, level)})."
            )
            names, step = (f"clusters.cluster_stability[{name}]",), f"Leave {name} out of what is acted on."
            findings.append(Finding(sentence=said, grade="concern", measures=names, weight=0.75, next_step=step))
    return [*findings, *_structure_finding(found)]


def _range(values: np.ndarray, level: float) -> str:
    low, high = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2])
    return f"{in_percent(level)} of the refits from {low:.2f} to {high:.2f}"


def _mean(values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean over refits `(b,)` with its interval, Student's of 95 %."""
    return float(values.mean()), *student_interval(values)


def _structure_finding(found: Stability) -> list[Finding]:
    one = found.structure
    if one is None:
        return []
    real = one.p <= 0.05
    words = "tighter than" if real else "no tighter than"
    end = "" if real else ": there may be no clusters to find"
    null = f"{one.shuffled.mean():.2f} on average, " if len(one.shuffled) else ""
    sentence = (
        f"The clusters are {words} those found in rows whose columns were shuffled apart (silhouette {one.silhouette:.2f} "
        f"against {null}p {p_words(one.p)}){end}."
    )
    grade: Grade = "ok" if real else "concern"
    step = "" if real else "Do not act on these clusters."
    names = ("clusters.structure_p_value", "clusters.silhouette")
    return [Finding(sentence=sentence, grade=grade, measures=names, weight=0.82, next_step=step, answers="quality")]


def _structure(members: Members, rows: np.ndarray, generator: np.random.Generator, replicates: int) -> Structure | None:
    """Return the silhouette on held-out rows beside those under the null, the columns of all rows shuffled independently."""
    inputs = members.inputs
    assert inputs is not None
    observed = _silhouette(members.decided, inputs)
    if observed is None:
        return None
    null = []
    for _ in range(replicates):
        shuffled = generator.permuted(rows, axis=0)
        held = generator.permuted(inputs, axis=0)
        labels = _again(members.subject, shuffled, generator, held.reshape(len(held), *rows.shape[1:]))
        null.append(_silhouette(labels, held))
    known = np.array([value for value in null if value is not None])
    return Structure(observed, known, (1 + int((known >= observed).sum())) / (1 + len(null)))


def _silhouette(labels: np.ndarray, rows: np.ndarray) -> float | None:
    kept = labels != NOISE
    if not 2 <= len(set(labels[kept])) < kept.sum():
        return None
    return float(silhouette_score(rows[kept], labels[kept], sample_size=min(_SILHOUETTE_ROWS, int(kept.sum())), random_state=0))


def _again(subject: Subject, rows: np.ndarray, generator: np.random.Generator, held: np.ndarray | None = None) -> np.ndarray:
    """Fit a copy of the model to rows and return its decisions on the held-out rows, or on others in their place."""
    assert subject.predictions.source is not None
    model: Any = copy.deepcopy(subject.model)
    state = np.random.get_state()
    np.random.seed(int(generator.integers(2**32)))  # scikit-learn draws from NumPy's own generator
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a resample warns of is no news
            model.refit(rows)
    finally:
        np.random.set_state(state)
    source = subject.predictions.source
    if held is not None:
        source = type(source)(inputs=(torch.as_tensor(held, dtype=torch.float32),), rows=source.rows)
    return subject.task.predict(model, source).frame["y_pred"].astype(str).to_numpy()


def _overlap(member: np.ndarray, labels: np.ndarray) -> float:
    """Return the largest Jaccard overlap of a cluster with one of another clustering."""
    others = [labels == name for name in set(labels) - {NOISE}]
    return max((float((member & other).sum() / (member | other).sum()) for other in others), default=0.0)


def _measure(name: str, values: np.ndarray, level: float) -> Measure:
    low, high = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2])
    value = float(np.clip(values.mean(), low, high))
    return Measure(name=name, value=value, low=float(low), high=float(high), level=level, n=len(values), higher_is_better=True)
