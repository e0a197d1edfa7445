"""The index of all runs: one page with each run's verdict, main measures and learning curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from glassbench.contracts.evidence import Measure, measure_from_json
from glassbench.contracts.measure_words import measure_words
from glassbench.errors import RunError
from glassbench.report.headline import subject_words
from glassbench.report.numbers import measured, number
from glassbench.report.record import Record, read_record
from glassbench.report.templating import render
from glassbench.runs.all_runs import run_names

_SHOWN_MEASURES = 3
_WIDTH, _HEIGHT = 96.0, 22.0
_MOST_POINTS = 60


@dataclass(frozen=True)
class Sparkline:
    """A learning curve the size of a word: points of a polyline, and what it says."""

    points: str
    words: str


@dataclass(frozen=True)
class IndexLine:
    """A run as one line of the index.

    Args:
        run, name, subject, link: Its title and where its report lies.
        verdict: pass, fail, ..., or unfinished.
        measures: Its main measures in words.
        curve: Its validation loss, or None.
    """

    run: str
    name: str
    subject: str
    link: str | None
    verdict: str
    measures: tuple[tuple[str, str], ...]
    curve: Sparkline | None


def render_index(runs: Path) -> str:
    """Return the page `runs/index.html`, the newest run first; folders that are no runs are passed over.

    Args:
        runs: The folder that holds the run folders.
    """
    folders = [runs / name for name in reversed(run_names(runs))]
    return render("index.html.j2", lines=[line for line in map(_line, folders) if line is not None])


def _line(folder: Path) -> IndexLine | None:
    try:
        record = read_record(folder)
    except RunError:  # it must not hide the others
        return IndexLine(folder.name, folder.name, "", None, "damaged", (), None)
    return IndexLine(
        run=record.run,
        name=record.name,
        subject=subject_words(record),
        link=f"{quote(folder.name)}/report.html" if record.verdict else None,
        verdict=record.verdict.get("verdict", "unfinished"),
        measures=tuple((measure_words(m.name), measured(m)) for m in main_measures(record)),
        curve=sparkline(_losses(record)),
    )


def main_measures(record: Record) -> list[Measure]:
    """Return what a reader compares runs by: the gates' decisive measures, then the first over all rows."""
    gated = [measure_from_json(gate["compared"][0]) for gate in record.verdict.get("gates", []) if gate.get("compared")]
    overall = [m for r in record.audits for m in r.measures if m.by is None and m.higher_is_better is not None]
    found = {m.name: m for m in [*overall[::-1], *gated[::-1]]}
    ordered = dict.fromkeys(m.name for m in [*gated, *overall])
    return [found[name] for name in ordered][:_SHOWN_MEASURES]


def sparkline(values: Sequence[float]) -> Sparkline | None:
    """Return a learning curve as a polyline, or None for fewer than two values."""
    if len(values) < 2:
        return None
    stride = max(1, len(values) // _MOST_POINTS)
    shown = [*values[: len(values) - 1 : stride], values[-1]]
    low, span = min(shown), (max(shown) - min(shown)) or 1.0
    step = _WIDTH / (len(shown) - 1)
    points = (f"{i * step:.1f},{_HEIGHT - 2 - (value - low) / span * (_HEIGHT - 4):.1f}" for i, value in enumerate(shown))
    return Sparkline(" ".join(points), f"validation loss from {number(values[0])} to {number(values[-1])}")


def _losses(record: Record) -> list[float]:
    values = (line.get("validation_loss") for line in record.history)
    return [float(value) for value in values if isinstance(value, int | float)]
