"""A cleaning proposed from a run's findings: every row that a measure of concern finds fault with, one line each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.row_change import RowChange
from glassbench.contracts.specs import AuditSpec
from glassbench.errors import RunError, suggest
from glassbench.experiments.cleaning import Cleaning, CleaningLine
from glassbench.experiments.settings import arguments
from glassbench.pipeline.building import blamed
from glassbench.pipeline.cleaned_data import source_fingerprint
from glassbench.pipeline.phases import replan
from glassbench.pipeline.run_context import RunContext
from glassbench.pipeline.run_data import source_data
from glassbench.pipeline.run_observer import SilentObserver
from glassbench.registry import Registry, load_target
from glassbench.runs.run_folder import RunFolder

_ORDER = ("drop", "relabel", "keep")


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """A cleaning and what it leaves aside.

    Args:
        context: The run that it comes from.
        cleaning: The cleaning, with the lines of the run's own before; without any line where nothing is to be cleaned.
        aside: How many rows each measure finds fault with whose finding is no concern, so that they have no line.
    """

    context: RunContext
    cleaning: Cleaning
    aside: dict[str, int]


def propose(folder: Path, registry: Registry, *, measures: Sequence[str] = ()) -> Proposed:
    """Return a cleaning from what the audits of a run find fault with in single rows.

    Args:
        folder: The run, audited.
        registry: The plugins.
        measures: Measures to act on whatever their finding says; without any, those that findings of concern rest on.

    Raises:
        RunError: The run is not audited, its rows were given from Python, or none of its audits finds fault with rows as named.
        DataError: The data cannot be read again.
    """
    run = RunFolder(folder)
    run.require("audit")
    context = RunContext(run, replan(run, registry), registry, SilentObserver())
    if context.plan.external:
        fix = "change the rows before they are given, and audit again"
        raise RunError("rows that are given from Python are not cleaned", where=str(folder), fix=fix)
    found = _found(context)
    known = sorted({one.measure for one in found})
    if strange := [name for name in measures if name not in known]:
        problem = f"no audit of the run finds fault with rows by '{strange[0]}'"
        raise RunError(problem, got=strange[0], available=known, fix=suggest(strange[0], known))
    chosen = set(measures) or _of_concern(run.results())
    lines = _merged(one for one in found if one.measure in chosen)
    before = context.plan.cleaning
    if before is not None:
        lines = tuple({(line.split, line.row): line for line in (*lines, *before.lines)}.values())
    counts = {name: sum(one.measure == name for one in found) for name in known if name not in chosen}
    cleaning = Cleaning(
        name=run.run,
        data=source_fingerprint(source_data(context.plan)),
        run=run.run,
        lines=lines,
        changes_test=before is not None and before.changes_test,
    )
    return Proposed(context=context, cleaning=cleaning, aside=counts)


def _found(context: RunContext) -> list[RowChange]:
    """Return what the audits of a run propose for single rows."""
    found: list[RowChange] = []
    subject = context.subject()
    for name, choice in context.plan.audits.items():
        target = cast(AuditSpec, choice.component.spec).row_changes
        if target is None or ("training data" in cast(AuditSpec, choice.component.spec).needs and subject.train is None):
            continue
        with blamed(choice, "saying which rows it finds fault with"):
            proposed = load_target(target, f"what the audit '{name}' says of single rows")(subject, arguments(choice.settings))
            found += list(cast(Iterable[RowChange], proposed))
    return found


def _of_concern(results: Iterable[AuditResult]) -> set[str]:
    return {name for r in results for finding in r.findings if finding.grade == "concern" for name in finding.measures}


def _merged(changes: Iterable[RowChange]) -> tuple[CleaningLine, ...]:
    """Return one line per row: dropping goes before relabelling, and both before keeping."""
    found: dict[tuple[str, str], CleaningLine] = {}
    for change in sorted(changes, key=lambda one: _ORDER.index(one.action)):
        found.setdefault((change.split, change.row), _line(change))
    return tuple(found.values())


def _line(change: RowChange) -> CleaningLine:
    return CleaningLine(
        row=change.row,
        split=change.split,
        action=change.action,
        label=change.label or "",
        new_label=change.new_label or "",
        chance_wrong="" if change.chance_wrong is None else f"{change.chance_wrong:g}",
        measure=change.measure,
        reason=change.reason,
    )
