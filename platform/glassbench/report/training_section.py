"""How the training went: learning curves and what the trainer recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from glassbench.contracts.exhibits import Chart
from glassbench.report.facts import Fact, facts
from glassbench.report.figures import DrawnChart, drawn_charts
from glassbench.report.grid import chart_table, stands_in
from glassbench.report.numbers import trimmed
from glassbench.report.record import Record
from glassbench.report.wording import short

_SPLITS = ("train", "validation")
_MOST_CURVES = 4
_MOST_POINTS = 250
_PLACES = ("epoch", "part", "step", "seconds")


@dataclass(frozen=True)
class MitigationLine:
    """What a mitigation did, what it assumes, and when not to use it."""

    name: str
    when: str
    done: str
    assumes: str
    caution: str


@dataclass(frozen=True)
class TrainingSection:
    """Learning curves, the trainer's facts, and what mitigations changed."""

    charts: tuple[DrawnChart, ...]
    facts: tuple[Fact, ...]
    mitigations: tuple[MitigationLine, ...] = ()


def training_section(record: Record) -> TrainingSection | None:
    """Return how the training went, without curves that an audit shows, or None where nothing was trained."""
    known = facts(record.provenance.get("training") or {})
    told = [chart_table(chart) for result in record.audits for chart in result.charts]
    charts = [curve for curve in learning_curves(record.history) if stands_in(curve, told) is None]
    mended = mitigation_lines(record)
    if not known and not charts and not mended:
        return None
    return TrainingSection(drawn_charts(charts, "training"), known, mended)


def mitigation_lines(record: Record) -> tuple[MitigationLine, ...]:
    """Return what each mitigation of the run did, in order."""
    told = record.provenance.get("mitigations") or []
    return tuple(
        MitigationLine(short(str(one["use"])), *(str(one[key]) for key in ("when", "done", "assumes", "caution"))) for one in told
    )


def learning_curves(history: Sequence[Mapping[str, object]]) -> list[Chart]:
    """Return one chart per metric of the history, training and validation in one, the loss first."""
    names = dict.fromkeys(key for line in history for key in line if key not in _PLACES)
    metrics = list(dict.fromkeys(_metric(name) for name in names))
    metrics.sort(key=lambda metric: metric != "loss")
    curves = [_curve(metric, [name for name in names if _metric(name) == metric], history) for metric in metrics]
    return [curve for curve in curves if len({row["y"] for row in curve.rows}) > 1][:_MOST_CURVES]


def _metric(name: str) -> str:
    split, _, rest = name.partition("_")
    return rest if split in _SPLITS else name


def _curve(metric: str, names: Sequence[str], history: Sequence[Mapping[str, object]]) -> Chart:
    stride = max(1, len(history) // _MOST_POINTS)
    lines = [*history[: len(history) - 1 : stride], *history[-1:]]
    series = {name: name.removesuffix(f"_{metric}") if name != metric else metric for name in names}
    axis = next((place for place in ("epoch", "part") if any(place in line for line in lines)), "step")
    rows = tuple(
        {"x": line[axis], "y": line[name], "color": label}
        for name, label in series.items()
        for line in lines
        if isinstance(line.get(name), int | float) and axis in line
    )
    words = metric.replace("_", " ")
    return Chart(kind="lines", title=f"{words.capitalize()} by {axis}", message=_message(words, rows), rows=rows, x_title=axis)


def _message(words: str, rows: Sequence[Mapping[str, object]]) -> str:
    parts = []
    for name in dict.fromkeys(row["color"] for row in rows):
        values = [row["y"] for row in rows if row["color"] == name]
        ends = [value for value in (values[0], values[-1]) if isinstance(value, int | float)]
        whose = "" if name == words.replace(" ", "_") else f"{name} "
        parts.append(f"{whose}{' to '.join(trimmed(float(value)) for value in ends)}")
    return f"From first to last epoch: {', '.join(parts)}."
