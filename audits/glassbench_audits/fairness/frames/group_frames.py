"""From a subject to one frame per sensitive feature and per intersection; fairness follows the decision."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import pandas as pd

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.outputs import ClassOutput
from glassbench.contracts.subject import Subject
from glassbench.printable import plural
from glassbench.rows.known_outcomes import with_known_outcomes
from glassbench.stats.inference import Inference
from glassbench.stats.sampling import Sampling
from glassbench_audits.fairness.frames.confusion_frame import ConfusionFrame, WeighedCells
from glassbench_audits.fairness.frames.counts import CELLS, cells_per_cluster, cluster_counts, encode, margin, occupied, tally
from glassbench_audits.fairness.frames.group_frame import GroupFrame
from glassbench_audits.fairness.frames.groups import Column, Group, columns, feature_sets, mixed, product_groups
from glassbench_audits.fairness.frames.measured_frame import task_metric_frame
from glassbench_audits.fairness.frames.rates import SELECTION, ClassRate, class_rates
from glassbench_audits.fairness.frames.stacked_frame import stacked
from glassbench_audits.fairness.frames.values import value_frame

CLASSES = 20
"""With more classes only the accuracy is compared: rates of each would be too many to read and too few to tell."""

_NUMBERED = re.compile(r"([a-z]+) \d+")
"""Names of clusters that say what they are: "episode 3"."""

Measure = Callable[[tuple[Group, ...], np.ndarray, np.random.Generator], GroupFrame]


def group_frames(subject: Subject, *, depth: int, most: int, replicates: int) -> Iterator[GroupFrame]:
    """Yield the frame of each feature, then of each intersection of up to `depth` features.

    An intersection of more than `most` groups is left out.
    """
    features = columns(subject.predictions.groups)
    build = _counted if subject.class_outputs else _measured
    sampling, predictions = subject.predictions.sampling, subject.predictions.frame
    word = cluster_words(predictions["cluster"]) if "cluster" in predictions else plural(subject.schema.unit)
    each = "label" if len(subject.class_outputs) > 1 else "class"
    for group_frame in build(subject, features, depth, most, replicates):
        group_frame.each = each
        group_frame.cluster_word, group_frame.clusters = word, sampling.n if sampling.clustered else None
        yield group_frame


def cluster_words(names: pd.Series) -> str:
    """Return what the independent clusters of predictions are called, in the plural: by the word that all of them start with.

    Example:
        >>> [cluster_words(pd.Series(names)) for names in (["episode 0", "episode 12"], ["a", "b"])]
        ['episodes', 'clusters']
    """
    words = {found[1] if (found := _NUMBERED.fullmatch(str(name))) else None for name in pd.unique(names)}
    word = words.pop() if len(words) == 1 else None
    return f"{word or 'cluster'}s"


def good_outcomes(subject: Subject) -> tuple[str, ...]:
    """Return the outcomes that are good for a person: classes that can be predicted, or `higher` or `lower` of a value.

    None where nobody says so.
    """
    if subject.class_outputs:
        return tuple(dict.fromkeys(name for output in subject.class_outputs for name in output.favourable))
    values = subject.value_output
    return () if values is None or values.favourable is None else (values.favourable,)


@dataclass(frozen=True, eq=False, kw_only=True)
class Coded:
    """Truth and decision of rows as numbers, and the rates asked of their counts."""

    truth: np.ndarray
    decision: np.ndarray
    classes: int
    truths: int
    rates: tuple[ClassRate, ...]

    @property
    def cells(self) -> int:
        """How many cells a group's counts have."""
        return self.classes * self.truths


def coded(output: ClassOutput) -> Coded:
    """Return truth and decision of a choice among classes, and the rates asked of their counts."""
    names, known = output.classes, output.actual is not None
    actual = output.predicted if output.actual is None else output.actual
    absent = actual.isna().to_numpy()
    size, partly = min(len(names), CLASSES + 1), bool(absent.any())
    if size > CLASSES:
        right = (actual.astype(str) == output.predicted.astype(str)).to_numpy()
        truth, decision, size = np.where(absent, 2, 0).astype(np.uint8), (~right & ~absent).astype(np.uint8), 2
        rates = class_rates(names, [], truth=known, partly=partly)
    else:
        truth, decision = encode(actual, names), encode(output.predicted, names)
        focus = [names.index(output.spoken)] if size == 2 else list(range(size))
        good = [names.index(name) for name in output.favourable]
        both = not good and output.symmetric
        rates = class_rates(names, focus, truth=known, favourable=good, both=both, partly=partly, assigned=not output.selects)
    if output.name is not None:
        named = [replace(rate, metric=replace(rate.metric, klass=output.name)) for rate in rates]
        rates = tuple(
            replace(rate, metric=replace(rate.metric, good=rate.rate is SELECTION and bool(output.favourable))) for rate in named
        )
    return Coded(truth=truth, decision=decision, classes=size, truths=size + partly, rates=rates)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Counts:
    """The counts of one choice among classes, over all features together where these are few enough."""

    name: str | None
    told: Coded
    held: np.ndarray | None
    joint: np.ndarray | None
    per_cluster: np.ndarray | None

    @classmethod
    def of(cls, subject: Subject, output: ClassOutput, features: Sequence[Column]) -> "_Counts":
        told, held, clusters = coded(output), subject.predictions.held, subject.predictions.clusters
        counts = subject.predictions.frequency
        rows = (told.truth, told.decision, told.classes)
        few = prod(len(f.values) for f in features) * told.cells <= CELLS
        return cls(
            name=output.name,
            told=told,
            held=counts,
            joint=tally(features, *rows, counts, truths=told.truths) if few else None,
            per_cluster=None if clusters is None else cells_per_cluster(*rows, clusters, held=held, truths=told.truths),
        )

    def by(self, features: Sequence[Column], chosen: Sequence[int]) -> tuple[tuple[Group, ...], np.ndarray] | None:
        """Return the groups of some features that have rows, and their counts; None where there are too many cells."""
        kept, told = [features[i] for i in chosen], self.told
        if len(kept) > 1 and prod(len(f.values) for f in kept) * told.cells > CELLS:
            return None
        if self.joint is not None:
            return occupied(kept, margin(self.joint, chosen))
        table = tally(kept, told.truth, told.decision, told.classes, self.held, truths=told.truths)
        return occupied(kept, margin(table, range(len(kept))))


def _counted(subject: Subject, features: Sequence[Column], depth: int, most: int, replicates: int) -> Iterator[GroupFrame]:
    outputs = [_Counts.of(subject, output, features) for output in subject.class_outputs]
    overall: dict[str, Inference] = {}
    for chosen in feature_sets([f.name for f in features], depth):
        kept = [features[i] for i in chosen]
        counts = [found for one in outputs if (found := one.by(features, chosen)) is not None]
        if len(counts) < len(outputs) or (len(kept) > 1 and len(counts[0][0]) > most):
            continue
        counted = [
            _confusion_frame(subject, one.told, kept, *found, one.per_cluster, replicates, one.name)
            for one, found in zip(outputs, counts, strict=True)
        ]
        own = subject.kind.group_metrics(subject.task.metrics, subject.predictions.frame, subject.schema)
        yield _with_own(subject, counted, kept, own, replicates, f"{_purpose(kept)}.outcomes", overall)


def confusion_frame(subject: Subject, by: Sequence[str], replicates: int) -> ConfusionFrame:
    """Return the counted rates of some features' groups, with the intervals that the fairness audit gives them.

    Args:
        subject: What is examined; its decisions are classes.
        by: The features, in any order.
        replicates: How many resamples.
    """
    groups = subject.predictions.groups
    kept = columns(groups[[name for name in groups.columns if name in by]])
    counts = _Counts.of(subject, subject.class_outputs[0], kept)
    found = counts.by(kept, range(len(kept)))
    assert found is not None
    return _confusion_frame(subject, counts.told, kept, *found, counts.per_cluster, replicates)


def _purpose(features: Sequence[Column], output: str | None = None) -> str:
    return ".".join(("fairness.resample", *(f.name for f in features), *(() if output is None else (output,))))


def _confusion_frame(
    subject: Subject,
    told: Coded,
    features: Sequence[Column],
    groups: tuple[Group, ...],
    counts: np.ndarray,
    together: np.ndarray | None,
    replicates: int,
    output: str | None = None,
) -> ConfusionFrame:
    clusters = subject.predictions.clusters
    per_cluster = None
    if clusters is not None:
        rows = (told.truth, told.decision, told.classes)
        blocks = subject.generator("fairness.clusters")
        per_cluster = cluster_counts(features, *rows, clusters, blocks, held=subject.predictions.held, truths=told.truths)
    return ConfusionFrame(
        groups,
        counts,
        told.rates,
        replicates=replicates,
        generator=subject.generator(_purpose(features, output)),
        clusters=per_cluster,
        together=together,
        weighed=_weighed(subject, told, features),
    )


def _weighed(subject: Subject, told: Coded, features: Sequence[Column]) -> WeighedCells | None:
    """Return the sums of survey weights by group, truth and decision; None where rows count alike."""
    sampling = subject.predictions.sampling
    if not sampling.survey:
        return None
    rows = (features, told.truth, told.decision, told.classes)
    first, second, fourth = (
        occupied(features, margin(tally(*rows, sampling.weight**power, truths=told.truths), range(len(features))))[1]
        for power in (1, 2, 4)
    )
    return WeighedCells(first=first, second=second, fourth=fourth, clustered=sampling.clustered)


def _with_own(
    subject: Subject,
    counted: Sequence[GroupFrame],
    features: Sequence[Column],
    own: Sequence[Metric],
    replicates: int,
    purpose: str,
    overall: dict[str, Inference],
) -> GroupFrame:
    """Add metrics of the task's own, by intersections those alone that compare with no truth, where they are defined.

    They say what counts or errors do not: of actions what they bring, of classes how good the scores behind them are, of
    intervals how often they hold the truth.
    """
    frame = subject.predictions.frame
    said = {metric.name for one in counted for metric in one.metrics}
    candidates = tuple(m for m in own if m.name not in said and (not m.compares or len(features) == 1))
    if not candidates:
        return stacked(*counted)
    known = with_known_outcomes(subject)
    comparing, other = (tuple(m for m in candidates if m.compares is compares) for compares in (True, False))
    groups, codes = _grouped(features)
    frames = list(counted)
    for rows, chosen in [(subject, candidates)] if known is subject else [(known, comparing), (subject, other)]:
        held = codes if rows is subject else codes[frame["y_true"].notna().to_numpy()]
        metrics = [m for m in chosen if np.isfinite(over_all_rows(m, rows, overall, replicates).value)]
        unjudged = rows is not subject and len(np.unique(held)) < len(groups)  # some group has no known outcome
        if not metrics or unjudged:
            continue
        generator = subject.generator(purpose if rows is known else f"{purpose}.all rows")
        whole = [over_all_rows(m, rows, overall, replicates) for m in metrics]
        part = rows.predictions.frame
        frames.append(task_metric_frame(part, metrics, groups, held, overall=whole, replicates=replicates, generator=generator))
    return stacked(*frames)


def _measured(subject: Subject, features: Sequence[Column], depth: int, most: int, replicates: int) -> Iterator[GroupFrame]:
    frame, values = subject.predictions.frame, subject.value_output
    overall: dict[str, Inference] = {}
    for chosen in feature_sets([f.name for f in features], depth):
        kept = [features[i] for i in chosen]
        if len(kept) > 1 and prod(len(f.values) for f in kept) > CELLS:
            continue
        groups, codes = _grouped(kept)
        if len(kept) > 1 and len(groups) > most:
            continue
        generator = subject.generator(f"fairness.resample.{'.'.join(f.name for f in kept)}")
        if values is not None and values.actual is not None and not values.continues:
            errors = value_frame(
                values.actual,
                values.predicted,
                groups,
                codes,
                unit=values.unit,
                replicates=replicates,
                generator=generator,
                sampling=Sampling.of(frame),
            )
            own = subject.kind.group_metrics(subject.task.metrics, frame, subject.schema)
            further = [m for m in own if m.judged or not m.compares]
            yield _with_own(subject, [errors], kept, further, replicates, f"{_purpose(kept)}.own", overall)
        else:
            metrics = subject.kind.group_metrics(subject.task.metrics, frame, subject.schema)
            whole = [over_all_rows(m, subject, overall, replicates) for m in metrics]
            yield task_metric_frame(frame, metrics, groups, codes, overall=whole, replicates=replicates, generator=generator)


def over_all_rows(metric: Metric, subject: Subject, known: dict[str, Inference], replicates: int) -> Inference:
    """Return a metric over all rows, as every audit reports it, computed once."""
    if metric.name not in known:
        generator = subject.generator(f"metric.{metric.name}")
        known[metric.name] = metric.infer(subject.predictions.frame, generator, replicates=replicates)
    return known[metric.name]


def _grouped(features: Sequence[Column]) -> tuple[tuple[Group, ...], np.ndarray]:
    """Return the combinations that rows have, and which of them each row belongs to `(n,)`."""
    sizes = [len(f.values) for f in features]
    codes = mixed([f.codes for f in features], sizes)
    present = np.bincount(codes, minlength=prod(sizes)) > 0
    places = np.cumsum(present) - 1
    kept = tuple(g for g, there in zip(product_groups(features), present, strict=True) if there)
    return kept, places[codes]
