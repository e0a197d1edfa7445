"""Two or more runs beside each other: settings, verdicts, and how every measure differs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from glassbench.contracts.evidence import Measure
from glassbench.errors import RunError
from glassbench.registry import Registry
from glassbench.report.facts import facts
from glassbench.report.record import Record, read_record
from glassbench.report.wording import gate_words
from glassbench.runs.comparison.differences import RunDifferences, differences
from glassbench.runs.comparison.judged_run import JudgedRun


def compare(folders: Sequence[Path], registry: Registry | None = None) -> dict[str, Any]:
    """Return what differs between runs, as plain JSON values; the first run is the one the others are held against.

    Args:
        folders: Two or more run folders.
        registry: The plugins, whose audits measure resampled rows; None finds the installed ones.

    Returns:
        `runs` (id, name, verdict), `settings` that differ (`key`, `values`), `measures` over all rows and gaps (`name`, `by`,
        `unit`, `values`), `gates` (`gate`, `verdicts`, `changed`), and `differences` of each other run from the first: `rows`
        (how the rows of both relate), `tests` (how many differences were corrected for), `measures` (each in both runs, the
        `difference` with interval, corrected p-value and whether it `differs`; what differs first) and `lacking` (measures that
        one run alone holds).

    Raises:
        RunError: There are fewer than two runs, a run is named twice, or a folder is no run folder.
    """
    if len(folders) < 2:
        raise RunError("a comparison takes two runs or more", got=str(len(folders)), fix="name at least two runs")
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise RunError("a run is compared with itself", got=folders[0].name, fix="name different runs")
    records = [read_record(folder) for folder in folders]
    registry = registry or Registry()
    judged = [JudgedRun(path=record.folder, results=record.audits, registry=registry) for record in records]
    return {
        "runs": [{"run": r.run, "name": r.name, "verdict": r.verdict.get("verdict", "unfinished")} for r in records],
        "settings": changed_settings(records),
        "measures": shared_measures(records),
        "gates": _gates(records),
        "differences": [
            {"run": record.run, "against": records[0].run, **told(differences(judged[0], other))}
            for record, other in zip(records[1:], judged[1:], strict=True)
        ],
    }


def told(found: RunDifferences) -> dict[str, Any]:
    """Return how measures of two runs differ, as plain JSON values: one of the `differences` that `compare` returns."""
    lacking = [sorted({measure.name for measure in measures}) for measures in found.lacking]
    return {
        "rows": {"kind": found.rows.kind, "n": len(found.rows.first), "words": found.rows.words},
        "tests": found.tests,
        "differing": sum(one.differs for one in found.measures),
        "measures": [one.to_json() for one in found.measures],
        "lacking": {"second": lacking[0], "first": lacking[1]},
    }


def changed_settings(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return each setting of the resolved experiments that is not the same in all runs; None where a run lacks it."""
    flat = [{fact.name: fact.words for fact in facts(_comparable(record.resolved))} for record in records]
    keys = dict.fromkeys(key for settings in flat for key in settings)
    rows = [{"key": key, "values": [settings.get(key) for settings in flat]} for key in keys]
    return [row for row in rows if len(set(row["values"])) > 1]


def shared_measures(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return the measures over all rows, and the gaps between groups, of every run side by side."""
    found = [{_key(m): m for r in record.audits for m in r.measures if m.group is None} for record in records]
    keys = list(dict.fromkeys(key for measures in found for key in measures))
    return [_side_by_side(key, [measures.get(key) for measures in found]) for key in keys]


def _comparable(resolved: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = {key: value for key, value in resolved.items() if key not in ("gates", "overrides")}
    return {**kept, "gates": [gate_words(gate) for gate in resolved.get("gates") or []]}


def _key(measure: Measure) -> tuple[str, tuple[str, ...] | None]:
    return measure.name, measure.by


def _side_by_side(key: tuple[str, tuple[str, ...] | None], measures: Sequence[Measure | None]) -> dict[str, Any]:
    unit = next((m.unit for m in measures if m is not None), None)
    values = [
        None if m is None else {name: getattr(m, name) for name in ("value", "low", "high", "n", "undefined")} for m in measures
    ]
    return {"name": key[0], "by": None if key[1] is None else list(key[1]), "unit": unit, "values": values}


def _gates(records: Sequence[Record]) -> list[dict[str, Any]]:
    found = [{gate_words(gate): gate["verdict"] for gate in record.verdict.get("gates", [])} for record in records]
    words = dict.fromkeys(gate for gates in found for gate in gates)
    rows = [{"gate": gate, "verdicts": [gates.get(gate) for gates in found]} for gate in words]
    return [{**row, "changed": len(set(row["verdicts"])) > 1} for row in rows]
