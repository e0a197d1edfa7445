"""The audit of influential training rows."""

from dataclasses import dataclass

import numpy as np
import torch

from glassbench.contracts.data import Batch, Split
from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.subject import Subject
from glassbench.errors import SettingsError
from glassbench.stats.grade import Grade
from glassbench.stats.intervals import bootstrap
from glassbench.stats.p_values import p_words
from glassbench.stats.percent import in_percent
from glassbench.stats.settings_types import Count, Level, Replicates, Share
from glassbench_audits.influence import exhibits
from glassbench_audits.influence.contradiction import Contradiction, against_class, against_labels, contradiction
from glassbench_audits.influence.last_layer import PASS_ROWS, NoLastLayer, Traces, traces
from glassbench_audits.influence.refit import class_fit, label_fit, removal_gain, value_fit

ALPHA = 0.05
"""A p-value below which training rows are contradicted more often than held-out ones."""

FIRST = 10
"""Rows listed first that the model must not contradict for the most part, for nothing to be said against labels."""

TOP = 0.01
"""Share of the training rows whose part in all self-influence is told."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Traced:
    """Training and held-out rows as the last layer sees them.

    Args:
        positions: Positions in the training split `(n,)`.
        train, held: Their traces.
        truth, held_truth: Their truth: class indices, which labels they have `(n, labels)`, or values in standard deviations of
            the training rows.
        against: Which rows the model decides otherwise than they are labelled; None for values.
    """

    positions: np.ndarray
    train: Traces
    held: Traces
    truth: np.ndarray
    held_truth: np.ndarray
    against: Contradiction | None


def audit(
    subject: Subject,
    *,
    rows: Count = 5000,
    remove: Share = 0.05,
    shown: Count = 20,
    replicates: Replicates = 1000,
    level: Level = 0.95,
) -> AuditResult:
    """Find the training rows that decisions rest on, and those that stand against all others.

    Args:
        rows: Training rows looked at, at most.
        remove: Share of them that is left out to see whether the model does better without.
        shown: Rows listed in each table.
        replicates: Resamples of held-out rows behind the interval.
        level: Its confidence level.
    """
    for name, value in {"rows": rows / 20, "remove": remove, "shown": shown, "replicates": replicates, "level": level}.items():
        share = name in ("remove", "level")
        if not (0 < value < 1 if share else value >= 1):
            bound = "lie between 0 and 1" if share else f"be at least {20 if name == 'rows' else 1}"
            raise SettingsError(f"{name} must {bound}", got=str(value), where=f"audits.influence.{name}")
    if reason := subject.missing(("model", "gradients", "predictions", "truth", "training data")):
        return _not_applicable(reason)
    if _truth(subject) is None:
        return _not_applicable(
            f"the truth of predictions of this kind ({subject.kind.name}) is not one class or one value per row"
        )
    if subject.train is None or subject.train.target is None:
        return _not_applicable("the truth of the training rows is not known")
    try:
        traced = _traced(subject, subject.train, rows)
    except NoLastLayer as refusal:
        return _not_applicable(f"the model's last layer cannot be read: {refusal}")
    return _result(subject, traced, remove=remove, shown=shown, replicates=replicates, level=level)


def _traced(subject: Subject, train: Split, rows: int) -> Traced:
    assert subject.model is not None
    source, model, held_truth = subject.predictions.source, subject.model, _truth(subject)
    assert source is not None
    assert held_truth is not None
    positions = np.sort(subject.generator("influence.rows").permutation(len(train))[:rows])
    chosen = train.take(positions)
    training, was = model.training, [p.requires_grad for p in model.parameters()]
    model.eval()
    try:
        first = traces(model, subject.task, list(chosen.batches(PASS_ROWS)))
        second = traces(model, subject.task, _held(source, held_truth))
    finally:
        model.train(training)
        for parameter, needed in zip(model.parameters(), was, strict=True):
            parameter.requires_grad_(needed)
    assert chosen.target is not None
    truth, known = chosen.target.numpy(), held_truth.numpy()
    if subject.value_output is not None:
        scale = float(truth.std()) or 1.0
        return Traced(positions=positions, train=first, held=second, truth=truth / scale, held_truth=known / scale, against=None)
    return Traced(
        positions=positions,
        train=first,
        held=second,
        truth=truth,
        held_truth=known,
        against=contradiction(_against(subject, chosen, truth), _against(subject, source, known)),
    )


def _held(source: Split, truth: torch.Tensor) -> list[Batch]:
    return [batch._replace(target=truth[batch.positions]) for batch in source.batches(PASS_ROWS)]


def _truth(subject: Subject) -> torch.Tensor | None:
    """Return the truth of the held-out rows as the model learnt it: class indices or values `(n,)`, or which of several labels
    each row has `(n, labels)`; None where it is neither."""
    found = subject.kind.encoded_truth(subject.predictions.frame, subject.schema)
    if found is None or found.ndim == 1:
        return found
    return found if found.ndim == 2 and found.shape[1] == len(subject.class_outputs) else None


def _against(subject: Subject, chosen: Split, truth: np.ndarray) -> np.ndarray:
    """Return how sure the model is of something else than each row's label, 0 where it agrees `(n,)`."""
    if not subject.kind.softmax:
        return against_labels(_label_chances(subject, chosen), truth)
    with torch.no_grad():
        parts = [torch.softmax(subject.attribution_output(*batch.inputs), dim=1) for batch in chosen.batches(PASS_ROWS)]
    return against_class(torch.cat(parts).double().numpy(), truth)


def _label_chances(subject: Subject, chosen: Split) -> np.ndarray:
    """Return the probability of each choice's spoken class `(n, choices)`, or whether it is predicted where there is none."""
    frame = subject.task.predict(subject.model, chosen).frame
    outputs = subject.kind.class_outputs(frame, subject.schema)
    return np.stack(
        [
            (o.predicted == o.spoken).to_numpy(dtype=float) if o.scores is None else o.scores[o.spoken].to_numpy(dtype=float)
            for o in outputs
        ],
        axis=1,
    )


def _result(subject: Subject, traced: Traced, *, remove: float, shown: int, replicates: int, level: float) -> AuditResult:
    n, own = len(traced.train), traced.train.own()
    order = np.argsort(-own, kind="stable")
    suspects = order[: max(1, round(remove * n))]
    gain = _gain_measure(subject, traced, suspects, replicates, level)
    top = float(own[order[: max(1, round(TOP * n))]].sum() / own.sum()) if own.sum() > 0 else None
    measures = (
        Measure(
            name="influence.largest_share", value=top, n=n, undefined=None if top is not None else "no row has any influence"
        ),
        _contradicted(traced, suspects),
        gain,
    )
    return AuditResult(
        measures=measures,
        findings=(_gain_finding(gain, suspects, n), *_suspect_findings(traced, suspects, top)),
        tables=(
            exhibits.suspects(subject, traced.positions[order[:shown]], own[order[:shown]] / max(own.sum(), 1e-300)),
            *exhibits.behind_decisions(subject, traced.positions, traced.train, traced.held, shown),
        ),
        charts=exhibits.charts(own),
        method=_method(n, remove, level, replicates),
    )


def _gain_measure(subject: Subject, traced: Traced, suspects: np.ndarray, replicates: int, level: float) -> Measure:
    name, held = "influence.removal_gain", traced.held.given[:, :-1]
    given = traced.train.given[:, :-1]
    centre, spread = given.mean(axis=0), given.std(axis=0)
    given, held = ((values - centre) / np.where(spread > 1e-12, spread, 1) for values in (given, held))
    kept, single = np.delete(traced.truth, suspects, axis=0), traced.truth.ndim == 1 and traced.against is not None
    if single and len(np.unique(kept)) < 2:
        return Measure(name=name, value=None, undefined="without these rows one class alone is left")
    if traced.against is None:
        fit = value_fit(given, traced.truth, held, traced.held_truth)
    elif single:
        fit = class_fit(given, traced.truth, held, traced.held_truth, len(subject.schema.target.classes))
    else:
        fit = label_fit(given, traced.truth, held, traced.held_truth)
    gain = removal_gain(fit, suspects, len(given), subject.generator("influence.removal"))
    low, high = bootstrap(
        lambda weights: weights @ gain / weights.sum(axis=1),
        len(gain),
        subject.generator("influence.gain"),
        replicates=replicates,
        level=level,
        clusters=subject.predictions.clusters,
    )
    ends = float(low), float(high)
    return Measure(
        name=name, value=float(gain.mean()), low=ends[0], high=ends[1], level=level, n=len(gain), higher_is_better=False
    )


def _contradicted(traced: Traced, suspects: np.ndarray) -> Measure:
    name = "influence.contradicted"
    if traced.against is None:
        return Measure(name=name, value=None, undefined="values are not decided one way or the other")
    share = float(traced.against.rows[suspects].mean())
    return Measure(name=name, value=share, n=len(suspects), higher_is_better=False)


def _gain_finding(gain: Measure, suspects: np.ndarray, n: int) -> Finding:
    many = f"the {len(suspects)} of {n} training rows that stand most against the others"
    if gain.value is None or gain.low is None or gain.high is None:
        return Finding(sentence=f"Whether {many} do harm cannot be told: {gain.undefined}.", grade="unclear")
    size = f"{gain.value:.3g} [{gain.low:.3g}, {gain.high:.3g}]"
    names = ("influence.removal_gain",)
    if gain.low > 0:
        text = (
            f"Without {many}, the last layer decides held-out rows better: their loss falls by {size} more than without as many "
        )
        step = "Have a person look at these rows and their labels."
        return Finding(sentence=f"{text}others.", grade="concern", measures=names, weight=0.7, next_step=step)
    if gain.high <= 0:
        text = (
            f"Without {many}, the last layer decides held-out rows no better: their loss changes by {-gain.value:.3g} "
            f"[{-gain.high:.3g}, {-gain.low:.3g}] against leaving out as many others. This says nothing about their labels."
        )
        return Finding(sentence=text, grade="ok", measures=names, weight=0.3)
    text = f"Too few rows to tell whether {many} do harm: without them the loss falls by {size} more than without as many others."
    return Finding(sentence=text, grade="unclear", measures=names, weight=0.35)


def _suspect_findings(traced: Traced, suspects: np.ndarray, top: float | None) -> tuple[Finding, ...]:
    """Say how the model contradicts the labels of the suspects, and of training rows against held-out rows."""
    if top is None or traced.against is None:
        return ()
    against, (held, rows) = traced.against, traced.against.held
    count = int(against.rows[suspects].sum())
    listed = (
        f"Of the {len(suspects)} training rows that stand most against the others, {count} are labelled otherwise than the model "
        "decides them"
    )
    compared = (
        f"{listed}. It contradicts labels with a confidence of at least {in_percent(against.confidence)} for "
        f"{against.counted} of "
        f"{len(against.rows)} training rows against {held} of {rows} held-out rows (corrected p {p_words(against.p)}): "
    )
    grade: Grade = "ok"
    if against.p < ALPHA:
        grade, text = "concern", f"{compared}labels of training rows look wrong."
    elif count > len(suspects) / 2 or against.rows[suspects[:FIRST]].mean() > 1 / 2:
        advice = "whether labels are wrong or rows are hard to decide cannot be told from this model. Look at the rows listed."
        grade, text = "unclear", f"{compared}{advice}"
    elif against.by_heart:
        mine, due = (in_percent(share, 1) for share in against.shares)
        text = (
            f"{listed}. It contradicts {mine} of training labels and {due} of held-out ones: it has learnt training rows by "
            "heart, and wrong labels with them. Whether labels are wrong cannot be told from this model."
        )
        grade = "unclear"
    else:
        text = f"{listed}; one in a hundred training rows carries {in_percent(top)} of all self-influence."
    names = ("influence.contradicted", "influence.largest_share")
    weight = {"concern": 0.65, "unclear": 0.35}.get(grade, 0.25)
    step = "Have a person check the labels of the rows listed." if grade == "concern" else ""
    return (Finding(sentence=text, grade=grade, measures=names, weight=weight, next_step=step),)


def _method(n: int, remove: float, level: float, replicates: int) -> Method:
    return Method(
        summary="The influence of a training row on another is the inner product of the gradients of their losses in the last "
        "layer's weights, at the end of training (TracIn). Rows with the largest influence on themselves stand against the "
        "others. As a test of that, the last layer is fitted again without them and without as many rows drawn at random.",
        parameters={"training_rows": n, "remove": remove, "level": level, "replicates": replicates},
        references=("Pruthi et al. (2020), Estimating training data influence by tracing gradient descent",),
        cautions=(
            "One checkpoint, the final model, and its last layer alone: earlier layers and steps are not seen.",
            "A row that stands against the others may be wrong, or rare and right: deleting it unseen loses the rare.",
        ),
    )


def _not_applicable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Influence of training rows by their last-layer gradients."), not_applicable=reason)
