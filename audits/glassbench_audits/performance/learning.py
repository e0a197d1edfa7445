"""How training went, step by step."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from glassbench.evidence import Chart, Finding
from glassbench.subject import Subject

WORSE = 1.25
"""The validation loss must end this many times its least value before overfitting is spoken of."""

PATIENCE = 3
"""It must also have been past its least value for so many epochs."""

History = Sequence[Mapping[str, Any]]


def learning_charts(history: History) -> Iterator[Chart]:
    """Yield the course of the losses, and of the metrics on validation rows where there are any."""
    names = dict.fromkeys(key for record in history for key in record if key not in ("epoch", "step"))
    losses = [name for name in names if name.endswith("loss")]
    others = [name for name in names if name.startswith("validation_") and name not in losses]
    others += [name for name in names if name.replace("train_", "validation_", 1) in others and name not in others]
    if losses:
        yield _lines(history, losses, "Loss while training", "loss", _loss_message(history))
    if others:
        yield _lines(history, others, _title(history, others), "value", _last_message(history, others))


def learning_finding(subject: Subject) -> Finding | None:
    """Return what the course of the validation loss says of overfitting, or None where it says nothing clear."""
    course = _course(subject.history, "validation_loss")
    if len(course) < 2:
        return None
    best_at, best = min(course, key=lambda point: point[1])
    last_at, last = course[-1]
    if best <= 0 or last < WORSE * best or last_at - best_at < PATIENCE:
        return None
    said = f"The validation loss was least at epoch {best_at:g} ({best:.3g}) and rose to {last:.3g} by epoch {last_at:g}"
    if subject.facts.get("best_epoch") is not None:
        return Finding(
            sentence=f"{said}: the model overfitted from there on, and the weights from before were kept.",
            verdict="pass",
            weight=0.2,
        )
    return Finding(sentence=f"{said}: the model overfits. Stop earlier, or keep the best weights.", verdict="fail", weight=0.6)


def _lines(history: History, names: Sequence[str], title: str, y_title: str, message: str) -> Chart:
    rows = tuple({"x": x, "y": y, "color": name.replace("_", " ")} for name in names for x, y in _course(history, name))
    x_title = _axis(history).replace("_", " ")
    return Chart(kind="lines", title=title, message=message, rows=rows, x_title=x_title, y_title=y_title, section="Training")


def _axis(history: History) -> str:
    """Return what the course is drawn over: steps in an environment where they were counted, else epochs, else steps."""
    known = (name for name in ("environment_steps", "epoch") if all(name in record for record in history))
    return next(known, "step")


def _course(history: History, name: str) -> list[tuple[float, float]]:
    """Return where and what a quantity was each time it was measured."""
    axis = _axis(history)
    points = ((record.get(axis, i), record.get(name)) for i, record in enumerate(history))
    return [(float(x), float(y)) for x, y in points if y is not None and y == y]


def _loss_message(history: History) -> str:
    said = [
        f"the {name.replace('_', ' ')} went from {course[0][1]:.3g} to {course[-1][1]:.3g}"
        for name in ("train_loss", "validation_loss")
        if (course := _course(history, name))
    ]
    return f"{_capital(' and '.join(said))}." if said else "The course of the loss."


def _last_message(history: History, names: Sequence[str]) -> str:
    said = [f"{name.replace('_', ' ')} {course[-1][1]:.3g}" for name in names if (course := _course(history, name))]
    return f"At the end: {', '.join(said)}."


def _title(history: History, names: Sequence[str]) -> str:
    played = _axis(history) == "environment_steps"
    return "Return per episode while training" if played else "Metrics on validation rows while training"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
