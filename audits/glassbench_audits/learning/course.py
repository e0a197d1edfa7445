"""What the course of the training says: overfitting, spikes, and whether it ended too early."""

from collections.abc import Iterator, Sequence

import numpy as np

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.subject import Subject
from glassbench.stats.percent import in_percent
from glassbench_audits.learning.curves import axis_of, course_of

WORSE = 1.25
"""The validation loss must end this many times its least value before overfitting is spoken of."""

PATIENCE = 3
"""It must also have been past its least value for so many epochs."""

SPIKE, NOISE = 0.3, 6.0
"""A spike rises by this share of all that was learnt, and by so many times the usual unrest."""

BEGINNING = -1
"""The epoch of the weights that a training begins with."""

JUMP = 3.0
"""A learning rate so many times that of its neighbours is a spike."""

FEWEST = 7
"""Losses below which nothing is said of spikes."""

FALLING = 0.02
"""A share by which the loss still fell in the last tenth of the epochs, above which training ended early."""


def course_measures(subject: Subject) -> Iterator[Measure]:
    """Yield how far the validation loss rose, the gap at the kept weights, and the spikes."""
    held = course_of(subject.history, "validation_loss")
    unknown = "no validation loss was recorded"
    rise = _rise(held)
    yield _measure("rise", rise, unknown if len(held) < 2 else "the losses are not all above 0")
    yield _measure("gap", gap(subject), "training and validation losses at the kept weights were not both recorded")
    losses = [y for _, y in course_of(subject.history, "train_loss")]
    yield _measure(
        "loss_spikes", _count(spikes(losses), losses), f"fewer than {FEWEST} training losses were recorded", len(losses)
    )
    rates = [y for _, y in course_of(subject.history, "learning_rate")]
    yield _measure("rate_spikes", _count(jumps(rates), rates), f"fewer than {FEWEST} learning rates were recorded", len(rates))


def course_findings(subject: Subject, tolerance: float) -> Iterator[Finding]:
    """Yield a training in vain, overfitting, a wide gap, spikes, and an end that came early.

    Args:
        subject: What is examined.
        tolerance: The gap that is let pass, a share of the first validation loss.
    """
    held = course_of(subject.history, "validation_loss")
    if _kept(subject) == BEGINNING:
        said = "No epoch reached the validation loss that the training began with; the weights from before it were kept."
        step = "Lower the learning rate, and train again."
        yield Finding(sentence=said, grade="concern", measures=("learning.rise",), weight=0.5, next_step=step)
    elif finding := _overfitting(subject, held):
        yield finding
    width = gap(subject)
    if width is not None and width > tolerance:
        said = (
            f"At the kept weights the validation loss lies above the training loss by {in_percent(width)} of what it "
            "was at first: "
            "much of what was learnt holds for the training rows alone."
        )
        step = "Regularise more, shrink the model or learn from more rows."
        yield Finding(sentence=said, grade="concern", measures=("learning.gap",), weight=0.5, next_step=step)
    yield from _spike_findings(subject)
    if _still_falling(subject, [y for _, y in held]):
        said = f"The validation loss was still falling when training ended ({subject.facts['stopped']}): more may help."
        yield Finding(sentence=said, grade="unclear", measures=("learning.rise",), weight=0.35, next_step="Train longer.")


def gap(subject: Subject) -> float | None:
    """Return validation minus training loss at the kept epoch, as a share of the first validation loss; None where unknown."""
    held, train = (course_of(subject.history, name) for name in ("validation_loss", "train_loss"))
    best = _kept(subject)
    if not held or not train or held[0][1] <= 0 or best == BEGINNING:
        return None
    at = held[-1][0] if best is None else float(best)
    mine, others = dict(train).get(at, train[-1][1]), dict(held).get(at, held[-1][1])
    return float((others - mine) / held[0][1])


def _kept(subject: Subject) -> int | None:
    """Return the epoch whose weights were kept, the part where rows were streamed; None where the last were."""
    epoch: int | None = subject.facts.get("best_epoch")
    return subject.facts.get("best_part") if epoch is None else epoch


def spikes(losses: Sequence[float]) -> list[int]:
    """Return where a loss rises far above its neighbours.

    Each loss is compared with the median of the three before and the three after it; the rise must exceed 6 times the median
    absolute deviation of all such differences, and 0.3 of the way from the first loss to the least.
    """
    values = np.asarray(losses, dtype=float)
    if len(values) < FEWEST:
        return []
    above = values - _neighbours(values)
    usual = 1.4826 * float(np.median(np.abs(above)))
    limit = max(NOISE * usual, SPIKE * float(values[0] - values.min()))
    return [int(i) for i in np.flatnonzero(above > max(limit, 1e-12)) if i >= 2]


def jumps(rates: Sequence[float]) -> list[int]:
    """Return where a learning rate is more than three times that of its neighbours."""
    values = np.asarray(rates, dtype=float)
    return [int(i) for i in np.flatnonzero(values > JUMP * _neighbours(values)) if i >= 2] if len(values) >= FEWEST else []


def _neighbours(values: np.ndarray) -> np.ndarray:
    """Return the median of the up to three values before and after each."""
    padded = np.concatenate([np.full(3, np.nan), values, np.full(3, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 7)
    return np.asarray(np.nanmedian(np.delete(windows, 3, axis=1), axis=1))


def _rise(held: Sequence[tuple[float, float]]) -> float | None:
    if len(held) < 2 or min(y for _, y in held) <= 0:
        return None
    return float(held[-1][1] / min(y for _, y in held) - 1)


def _count(places: Sequence[int], values: Sequence[float]) -> float | None:
    return float(len(places)) if len(values) >= FEWEST else None


def _measure(name: str, value: float | None, undefined: str, n: int | None = None) -> Measure:
    reason = None if value is not None else undefined
    return Measure(name=f"learning.{name}", value=value, undefined=reason, n=n, higher_is_better=False)


def _overfitting(subject: Subject, course: Sequence[tuple[float, float]]) -> Finding | None:
    """Return what the course of the validation loss says of overfitting, or None where it says nothing clear."""
    if len(course) < 2:
        return None
    best_at, best = min(course, key=lambda point: point[1])
    last_at, last = course[-1]
    if best <= 0 or last < WORSE * best or last_at - best_at < PATIENCE:
        return None
    names, place = ("learning.rise",), axis_of(subject.history)
    said = f"The validation loss was least at {place} {best_at:g} ({best:.3g}) and rose to {last:.3g} by {place} {last_at:g}"
    if _kept(subject) is not None:
        kept = f"{said}: the model overfitted from there on, and the weights from before were kept."
        return Finding(sentence=kept, grade="ok", measures=names, weight=0.2)
    step = "Stop earlier, or keep the best weights."
    return Finding(sentence=f"{said}: the model overfits.", grade="concern", measures=names, weight=0.6, next_step=step)


def _spike_findings(subject: Subject) -> Iterator[Finding]:
    losses, rates = (course_of(subject.history, name) for name in ("train_loss", "learning_rate"))
    high, fast = spikes([y for _, y in losses]), jumps([y for _, y in rates])
    place = axis_of(subject.history)
    if high:
        near = any(abs(i - j) <= 1 for i in high for j in fast)
        why = ", where the learning rate jumped" if near else ""
        said = f"The training loss spiked {_times(len(high))}, first at {place} {losses[high[0]][0]:g}{why}."
        step = "Lower the learning rate, warm it up, or set trainer.gradient_clip."
        yield Finding(sentence=said, grade="concern", measures=("learning.loss_spikes",), weight=0.45, next_step=step)
    elif fast:
        said = f"The learning rate jumped {_times(len(fast))}, first at {place} {rates[fast[0]][0]:g}; the loss did not."
        yield Finding(sentence=said, grade="ok", measures=("learning.rate_spikes",), weight=0.2)


def _still_falling(subject: Subject, held: Sequence[float]) -> bool:
    """Whether training ended at its limit while the validation loss fell by more than 2 % within the last tenth."""
    if "max_" not in str(subject.facts.get("stopped", "")) or len(held) < 10 or min(held) <= 0:
        return False
    return min(held) in held[-2:] and min(held) < (1 - FALLING) * min(held[: -max(2, len(held) // 10)])


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
