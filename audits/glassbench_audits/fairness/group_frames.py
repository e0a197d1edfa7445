"""From a subject to one frame per sensitive feature and per intersection; fairness follows the decision."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import pandas as pd

from glassbench.known_outcomes import with_known_outcomes
from glassbench.positive_class import favourable_classes
from glassbench.stats.inference import Inference
from glassbench.stats.sampling import Sampling
from glassbench.subject import Subject
from glassbench.task import FLAGS, Metric
from glassbench_audits.fairness.bootstrap_frame import task_metric_frame
from glassbench_audits.fairness.confusion_frame import ConfusionFrame
from glassbench_audits.fairness.counts import CELLS, cells_per_cluster, cluster_counts, encode, margin, occupied, tally
from glassbench_audits.fairness.group_frame import GroupFrame
from glassbench_audits.fairness.groups import Column, Group, columns, feature_sets, mixed, product_groups
from glassbench_audits.fairness.rates import ClassRate, class_rates
from glassbench_audits.fairness.stacked_frame import StackedFrame
from glassbench_audits.fairness.values import value_frame

CLASSES = 20
"""With more classes only the accuracy is compared: rates of each would be too many to read and too few to tell."""

_QUALITY = Metric(name="quality", compute=lambda frame, w: w @ frame["quality"].to_numpy(dtype=float) / w.sum(axis=1))
"""How near answers come to the truth, on the scale of the task that wrote them."""

_NUMBERED = re.compile(r"([a-z]+) \d+")
"""Names of clusters that say what they are: "episode 3"."""

_MEAN = Metric(name="mean_prediction", compute=lambda frame, w: w @ frame["decision"].to_numpy(dtype=float) / w.sum(axis=1))
"""What is predicted, where nobody says what is true."""

Measure = Callable[[tuple[Group, ...], np.ndarray, np.random.Generator], GroupFrame]


def group_frames(subject: Subject, *, depth: int, most: int, replicates: int) -> Iterator[GroupFrame]:
    """Yield the frame of each feature, then of each intersection of up to `depth` features.

    An intersection of more than `most` groups is left out.
    """
    features = columns(subject.predictions.groups)
    build = _counted if subject.task.decision in ("class", "flag", "action", "cluster") else _measured
    clusters, word = subject.predictions.clusters, cluster_words(subject.predictions.frame)
    for group_frame in build(subject, features, depth, most, replicates):
        group_frame.cluster_word, group_frame.clusters = word, None if clusters is None else int(clusters.max(initial=-1)) + 1
        yield group_frame


def cluster_words(frame: pd.DataFrame) -> str:
    """Return what the independent clusters of predictions are called, in the plural: by the word that all of them start with.

    Example:
        >>> [cluster_words(pd.DataFrame({"cluster": names})) for names in (["episode 0", "episode 12"], ["a", "b"])]
        ['episodes', 'clusters']
    """
    if "cluster" not in frame:
        return "rows"
    words = {found[1] if (found := _NUMBERED.fullmatch(str(name))) else None for name in pd.unique(frame["cluster"])}
    word = words.pop() if len(words) == 1 else None
    return f"{word or 'cluster'}s"


def positive_class(subject: Subject) -> str:
    """Return the class that binary rates speak of: the target's positive class, else the last of its classes."""
    target = subject.schema.target
    return classes_of(subject)[-1] if subject.task.decision == "cluster" else target.positive or classes_of(subject)[-1]


def good_outcomes(subject: Subject) -> tuple[str, ...]:
    """Return the outcomes that are good for a person: classes that decisions can be, or `higher` or `lower` of a value.

    None of clusters and of answers, and none where nobody says so.
    """
    decision = subject.task.decision
    if decision == "value":
        return favourable_classes(subject.schema.target)
    if decision not in ("class", "flag", "action"):
        return ()
    known = classes_of(subject)
    return tuple(name for name in favourable_classes(replace(subject.schema.target, classes=known)) if name in known)


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


def coded(subject: Subject) -> Coded:
    """Return truth and decision of a subject that decides classes, and the rates asked of their counts."""
    frame, names = subject.predictions.frame, classes_of(subject)
    clustered = subject.task.decision == "cluster"
    known = "truth" in frame and not clustered  # a cluster's number is no name of a class
    actual = frame["truth"] if known else frame["decision"]
    absent = actual.isna().to_numpy()
    size, partly = min(len(names), CLASSES + 1), bool(absent.any())
    if size > CLASSES:
        right = (actual.astype(str) == frame["decision"].astype(str)).to_numpy()
        truth, decision, size = np.where(absent, 2, 0).astype(np.uint8), (~right & ~absent).astype(np.uint8), 2
        rates = class_rates(names, [], truth=known, partly=partly)
    else:
        truth, decision = encode(actual, names), encode(frame["decision"], names)
        focus = [names.index(positive_class(subject))] if size == 2 else list(range(size))
        good = [names.index(name) for name in good_outcomes(subject)]
        both = not good and subject.task.decision in ("class", "action")
        rates = class_rates(names, focus, truth=known, favourable=good, both=both, partly=partly, assigned=clustered)
    return Coded(truth=truth, decision=decision, classes=size, truths=size + partly, rates=rates)


def _counted(subject: Subject, features: Sequence[Column], depth: int, most: int, replicates: int) -> Iterator[GroupFrame]:
    told, held, clusters = coded(subject), subject.predictions.counts, subject.predictions.clusters
    rows = (told.truth, told.decision, told.classes)
    joint = None
    if prod(len(f.values) for f in features) * told.cells <= CELLS:
        joint = tally(features, *rows, held, truths=told.truths)
    per = None if clusters is None else cells_per_cluster(*rows, clusters, held=held, truths=told.truths)
    overall: dict[str, Inference] = {}
    for chosen in feature_sets([f.name for f in features], depth):
        kept = [features[i] for i in chosen]
        if len(kept) > 1 and prod(len(f.values) for f in kept) * told.cells > CELLS:
            continue
        table, places = (tally(kept, *rows, held, truths=told.truths), range(len(kept))) if joint is None else (joint, chosen)
        groups, counts = occupied(kept, margin(table, places))
        if len(kept) == 1 or len(groups) <= most:
            counted = _confusion_frame(subject, told, kept, groups, counts, per, replicates)
            yield _with_outcomes(subject, counted, kept, replicates, f"{_purpose(kept)}.outcomes", overall)


def confusion_frame(subject: Subject, by: Sequence[str], replicates: int) -> ConfusionFrame:
    """Return the counted rates of some features' groups, with the intervals that the fairness audit gives them.

    Args:
        subject: What is examined; its decisions are classes.
        by: The features, in any order.
        replicates: How many resamples.
    """
    told, held, clusters = coded(subject), subject.predictions.counts, subject.predictions.clusters
    rows = (told.truth, told.decision, told.classes)
    groups = subject.predictions.groups
    kept = columns(groups[[name for name in groups.columns if name in by]])
    named, counts = occupied(kept, margin(tally(kept, *rows, held, truths=told.truths), range(len(kept))))
    per = None if clusters is None else cells_per_cluster(*rows, clusters, held=held, truths=told.truths)
    return _confusion_frame(subject, told, kept, named, counts, per, replicates)


def _purpose(features: Sequence[Column]) -> str:
    return f"fairness.resample.{'.'.join(f.name for f in features)}"


def _confusion_frame(
    subject: Subject,
    told: Coded,
    features: Sequence[Column],
    groups: tuple[Group, ...],
    counts: np.ndarray,
    together: np.ndarray | None,
    replicates: int,
) -> ConfusionFrame:
    clusters = subject.predictions.clusters
    per_cluster = None
    if clusters is not None:
        rows = (told.truth, told.decision, told.classes)
        blocks = subject.generator("fairness.clusters")
        per_cluster = cluster_counts(features, *rows, clusters, blocks, held=subject.predictions.counts, truths=told.truths)
    return ConfusionFrame(
        groups,
        counts,
        told.rates,
        replicates=replicates,
        generator=subject.generator(_purpose(features)),
        clusters=per_cluster,
        together=together,
    )


def _with_outcomes(
    subject: Subject,
    counted: ConfusionFrame,
    features: Sequence[Column],
    replicates: int,
    purpose: str,
    overall: dict[str, Inference],
) -> GroupFrame:
    """Add what no counts say: of actions what they bring, of classes how good the scores behind them are, by single features.

    That is the task's metrics that compare with no truth, or that judge scores, where they are defined.
    """
    frame = subject.predictions.frame
    candidates = _uncounted(subject) if subject.task.decision == "action" or len(features) == 1 else ()
    if not candidates:
        return counted
    known = with_known_outcomes(subject)
    metrics = [m for m in candidates if np.isfinite(over_all_rows(m, known, overall, replicates).value)]
    if not metrics:
        return counted
    groups, codes = _grouped(features)
    if known is not subject and subject.task.decision == "class":
        codes = codes[frame["truth"].notna().to_numpy()]
        frame, subject = known.predictions.frame, known
        if len(np.unique(codes)) < len(groups):  # of a group without a known outcome no score can be judged
            return counted
    return StackedFrame(
        counted,
        task_metric_frame(
            frame,
            metrics,
            groups,
            codes,
            overall=[over_all_rows(m, subject, overall, replicates) for m in metrics],
            replicates=replicates,
            generator=subject.generator(purpose),
        ),
    )


def _uncounted(subject: Subject) -> tuple[Metric, ...]:
    """Return the task's metrics that no confusion counts yield."""
    if subject.task.decision == "action":
        return tuple(m for m in subject.task.metrics if not m.compares)
    scored = tuple(m for m in subject.task.metrics if m.scored)
    known = scored and "truth" in subject.predictions.frame and not subject.predictions.scores.empty
    return scored if known and subject.task.decision == "class" else ()


def _measured(subject: Subject, features: Sequence[Column], depth: int, most: int, replicates: int) -> Iterator[GroupFrame]:
    frame, target = subject.predictions.frame, subject.schema.target
    overall: dict[str, Inference] = {}
    for chosen in feature_sets([f.name for f in features], depth):
        kept = [features[i] for i in chosen]
        if len(kept) > 1 and prod(len(f.values) for f in kept) > CELLS:
            continue
        groups, codes = _grouped(kept)
        if len(kept) > 1 and len(groups) > most:
            continue
        generator = subject.generator(f"fairness.resample.{'.'.join(f.name for f in kept)}")
        if subject.task.decision == "value" and "truth" in frame and not forecasts(subject):
            truth, decision = frame["truth"].to_numpy(dtype=float), frame["decision"].to_numpy(dtype=float)
            yield value_frame(
                truth,
                decision,
                groups,
                codes,
                unit=target.unit,
                replicates=replicates,
                generator=generator,
                sampling=Sampling.of(frame),
            )
        else:
            metrics = [metric for metric in subject.task.metrics if "truth" in frame or not metric.compares]
            metrics += [_QUALITY] if "quality" in frame else []
            metrics += [_MEAN] if subject.task.decision == "value" and "truth" not in frame else []
            whole = [over_all_rows(m, subject, overall, replicates) for m in metrics]
            yield task_metric_frame(frame, metrics, groups, codes, overall=whole, replicates=replicates, generator=generator)


def over_all_rows(metric: Metric, subject: Subject, known: dict[str, Inference], replicates: int) -> Inference:
    """Return a metric over all rows, as every audit reports it, computed once."""
    if metric.name not in known:
        generator = subject.generator(f"metric.{metric.name}")
        known[metric.name] = metric.infer(subject.predictions.frame, generator, replicates=replicates)
    return known[metric.name]


def forecasts(subject: Subject) -> bool:
    """Whether values continue a series: what comes next follows the calendar by nature, so groups differ by errors alone."""
    return subject.task.decision == "value" and subject.schema.modality == "series"


def _grouped(features: Sequence[Column]) -> tuple[tuple[Group, ...], np.ndarray]:
    """Return the combinations that rows have, and which of them each row belongs to `(n,)`."""
    sizes = [len(f.values) for f in features]
    codes = mixed([f.codes for f in features], sizes)
    present = np.bincount(codes, minlength=prod(sizes)) > 0
    places = np.cumsum(present) - 1
    kept = tuple(g for g, there in zip(product_groups(features), present, strict=True) if there)
    return kept, places[codes]


def classes_of(subject: Subject) -> tuple[str, ...]:
    """Return the target's classes, or where decisions are none of them (clusters, flags, actions) all that rows show."""
    target, frame = subject.schema.target, subject.predictions.frame
    if subject.task.decision == "cluster":
        return tuple(map(str, subject.predictions.scores.columns))
    if target.classes:
        return target.classes
    if subject.task.decision == "flag":
        return FLAGS
    return tuple(sorted({str(v) for c in ("truth", "decision") if c in frame for v in frame[c].dropna().unique()}))
