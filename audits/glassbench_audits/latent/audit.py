"""The latent audit: what each entry of a code changes in the rows it stands for."""

from collections.abc import Iterator

import numpy as np

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.subject import Subject
from glassbench.stats.percent import in_percent
from glassbench.stats.settings_types import Count, Level, Replicates
from glassbench_audits.latent.changes import Changes, changes, decoder_of
from glassbench_audits.latent.encoded_columns import EncodedColumns, encoded_columns_of

IDLE = 0.05
"""Share of the largest change below which an entry is as good as unused."""
_NAMED, _TABLED, _DRAWN = 3, 6, 8


def audit(subject: Subject, *, rows: Count = 500, replicates: Replicates = 500, level: Level = 0.95) -> AuditResult:
    """Say what each entry of a code changes: rows are moved along it by a standard deviation and restored.

    Args:
        subject: What is examined.
        rows: The most held-out rows to move.
        replicates: Resamples of rows behind the intervals.
        level: Confidence level of the intervals.
    """
    decode = decoder_of(subject)
    if decode is None:
        return AuditResult(method=Method(summary="Not run."), not_applicable="the model restores no rows from a code")
    found = changes(subject, decode, rows=rows, replicates=replicates, level=level)
    columns = encoded_columns_of(subject, found.shape)
    return AuditResult(
        findings=tuple(_findings(found, columns)),
        measures=tuple(_measures(found, level)),
        tables=(_table(found, columns, level),),
        charts=tuple(_charts(found, columns)),
        method=_method(subject, found, replicates, level),
    )


def used(found: Changes) -> np.ndarray:
    """Return which entries change rows more than next to nothing, at the upper end of their interval, bool `(entries,)`."""
    return np.asarray(found.size_high > IDLE * max(float(found.size.max()), 1e-300))


def strongest(found: Changes, columns: EncodedColumns, entry: int) -> list[int]:
    """Return the positions of the encoded columns that an entry changes most, the strongest first."""
    order = np.argsort(-np.abs(found.mean[entry]), kind="stable")
    return [int(column) for column in order[: min(_TABLED, len(columns.names))]]


def _findings(found: Changes, columns: EncodedColumns) -> Iterator[Finding]:
    busy = used(found)
    for entry in np.argsort(-found.size, kind="stable")[:_NAMED].tolist():
        if busy[entry]:
            said = "; ".join(_words(found, columns, entry, column) for column in strongest(found, columns, entry)[:_NAMED])
            sentence = f"One standard deviation up in entry {entry + 1} of the code changes {said}."
            yield Finding(sentence=sentence, grade="ok", measures=(f"latent.change[{entry + 1}]",), weight=0.5)
    if not busy.all():
        idle = ", ".join(str(entry + 1) for entry in np.flatnonzero(~busy))
        sentence = f"{(~busy).sum()} of {len(busy)} entries of the code change next to nothing ({idle}): a shorter code would do."
        step = f"Train again with {int(busy.sum())} entries."
        yield Finding(sentence=sentence, grade="concern", measures=("latent.entries_used",), weight=0.6, next_step=step)


def _words(found: Changes, columns: EncodedColumns, entry: int, column: int) -> str:
    factor, unit = columns.factors[column], f" {columns.units[column]}" if columns.units[column] else ""
    middle, low, high = (factor * each[entry, column] for each in (found.mean, found.low, found.high))
    return f"{columns.names[column]} by {middle:+.3g} [{low:.3g}, {high:.3g}]{unit}"


def _measures(found: Changes, level: float) -> Iterator[Measure]:
    yield Measure(name="latent.entries_used", value=float(used(found).sum()), n=found.rows)
    for entry, size in enumerate(found.size.tolist()):
        low, high = float(found.size_low[entry]), float(found.size_high[entry])
        yield Measure(
            name=f"latent.change[{entry + 1}]", value=size, low=min(low, size), high=max(high, size), level=level, n=found.rows
        )


def _table(found: Changes, columns: EncodedColumns, level: float) -> Table:
    rows: list[tuple[str | float | int | None, ...]] = []
    for entry in range(len(found.size)):
        for column in strongest(found, columns, entry):
            figures = (float(columns.factors[column] * each[entry, column]) for each in (found.mean, found.low, found.high))
            rows.append((entry + 1, float(found.size[entry]), columns.names[column], *figures, columns.units[column] or ""))
    return Table(
        title="What each entry of the code changes",
        columns=("entry", "size", "input", "change", "low", "high", "unit"),
        rows=tuple(rows),
        note=(
            "Rows were moved half a standard deviation of the entry down and up; the change is the mean difference between what "
            f"is restored, with a {in_percent(level)} interval over rows. Size is the root mean square over all "
            "inputs, as the model "
            "sees them."
        ),
    )


def _charts(found: Changes, columns: EncodedColumns) -> Iterator[Chart]:
    order = [int(entry) for entry in np.argsort(-found.size, kind="stable")[:_DRAWN]]
    if columns.grid is None:
        kept = np.sort(np.argsort(-np.abs(found.mean).max(axis=0), kind="stable")[:24])
        rows = tuple(
            {"x": f"entry {entry + 1}", "y": columns.names[column], "color": float(found.mean[entry, column])}
            for entry in sorted(order)
            for column in kept.tolist()
        )
        yield _heat("What each entry changes", "Change per standard deviation, as the model sees it.", rows, "entry", "input")
        return
    across, down = columns.axes
    for entry in order:
        held = found.mean[entry].reshape(columns.grid)
        rows = tuple(
            {"x": f"{across} {i + 1}", "y": f"{down} {j + 1}", "color": float(held[j, i])}
            for j in range(held.shape[0])
            for i in range(held.shape[1])
        )
        message = f"Change per standard deviation, as the model sees it; size {found.size[entry]:.3g}."
        yield _heat(f"What entry {entry + 1} changes", message, rows, across, down)


def _heat(title: str, message: str, rows: tuple[dict[str, object], ...], across: str, down: str) -> Chart:
    records = tuple(dict(row) for row in rows)
    return Chart(kind="heat", title=title, message=message, rows=records, x_title=across, y_title=down, section="Directions")


def _method(subject: Subject, found: Changes, replicates: int, level: float) -> Method:
    return Method(
        summary=(
            "The code of each held-out row was moved along one entry at a time and restored; everything else of the code stayed. "
            "Rows were resampled for the intervals."
        ),
        parameters={"rows": found.rows, "replicates": replicates, "level": level, "idle_below": IDLE, "seed": subject.seed},
        cautions=("It says what the model's decoder does, not what would change in the world.",),
    )
