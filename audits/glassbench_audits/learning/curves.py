"""The course of the losses and metrics while training."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from glassbench.contracts.exhibits import Chart
from glassbench.contracts.measure_words import measure_words

History = Sequence[Mapping[str, Any]]


def learning_charts(history: History) -> Iterator[Chart]:
    """Yield the course of the losses, and of the metrics on validation rows where there are any."""
    names = dict.fromkeys(key for record in history for key in record if key not in ("epoch", "part", "step", "seconds"))
    losses = [name for name in names if name.endswith("loss")]
    others = [name for name in names if name.startswith("validation_") and name not in losses]
    others += [name for name in names if name.replace("train_", "validation_", 1) in others and name not in others]
    if losses:
        yield _lines(history, losses, "Loss while training", "loss", _loss_message(history))
    if others:
        yield _lines(history, others, _title(history, others), "value", _last_message(history, others))


def _lines(history: History, names: Sequence[str], title: str, y_title: str, message: str) -> Chart:
    rows = tuple({"x": x, "y": y, "color": measure_words(name)} for name in names for x, y in course_of(history, name))
    x_title = axis_of(history).replace("_", " ")
    return Chart(kind="lines", title=title, message=message, rows=rows, x_title=x_title, y_title=y_title, section="Training")


def axis_of(history: History) -> str:
    """Return what the course is drawn over: steps in an environment, epochs, parts of a stream, or steps."""
    known = (name for name in ("environment_steps", "epoch", "part") if all(name in record for record in history))
    return next(known, "step")


def course_of(history: History, name: str) -> list[tuple[float, float]]:
    """Return where and what a quantity was each time it was measured."""
    axis = axis_of(history)
    points = ((record.get(axis, i), record.get(name)) for i, record in enumerate(history))
    return [(float(x), float(y)) for x, y in points if y is not None and y == y]


def _loss_message(history: History) -> str:
    said = [
        f"the {name.replace('_', ' ')} went from {course[0][1]:.3g} to {course[-1][1]:.3g}"
        for name in ("train_loss", "validation_loss")
        if (course := course_of(history, name))
    ]
    return f"{_capital(' and '.join(said))}." if said else "The course of the loss."


def _last_message(history: History, names: Sequence[str]) -> str:
    said = [f"{name.replace('_', ' ')} {course[-1][1]:.3g}" for name in names if (course := course_of(history, name))]
    return f"At the end: {', '.join(said)}."


def _title(history: History, names: Sequence[str]) -> str:
    played = axis_of(history) == "environment_steps"
    return "Return per episode while training" if played else "Metrics on validation rows while training"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
