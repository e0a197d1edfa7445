"""How to make the run again, and how to tell that nothing was changed since."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from glassbench.contracts.exhibits import Table
from glassbench.report.facts import Fact, facts
from glassbench.report.grid import MOST_ROWS, Grid, grid
from glassbench.report.record import Record, checksums


@dataclass(frozen=True)
class ReproduceSection:
    """The command, the experiment, the machine and the files.

    Args:
        command: What was run.
        experiment: The experiment with every setting in full, as YAML.
        facts: Code, data, seed, hardware, callbacks.
        tables: Versions, plugins, checksums.
    """

    command: str
    experiment: str
    facts: tuple[Fact, ...]
    tables: tuple[Grid, ...]


def reproduce_section(record: Record) -> ReproduceSection:
    """Return how to reproduce a run."""
    provenance = record.provenance
    tables = [_accepted(provenance), _versions(provenance), _plugins(provenance), _callbacks(provenance), _files(record)]
    return ReproduceSection(
        command=str(provenance.get("command") or ""),
        experiment=yaml.safe_dump(dict(record.resolved), sort_keys=False, allow_unicode=True, width=100),
        facts=_facts(record),
        tables=tuple(grid(table, most=MOST_ROWS, source="manifest.json and provenance.json") for table in tables if table.rows),
    )


def _facts(record: Record) -> tuple[Fact, ...]:
    provenance = record.provenance
    known = {
        "run": record.run,
        "created": provenance.get("created"),
        "code": _code(provenance.get("code") or {}),
        "seed": provenance.get("seed"),
        "data": provenance.get("data"),
        "hardware": _listed(provenance.get("hardware") or {}),
        "platform": provenance.get("platform"),
        "seconds": _listed({name: phase.get("seconds") for name, phase in record.phases.items() if name != "report"}),
    }
    return facts({name: value for name, value in known.items() if value not in (None, {}, "")})


def _listed(content: Mapping[str, Any]) -> str:
    return ", ".join(f"{fact.name} {fact.words}" for fact in facts(content))


def _code(code: Mapping[str, Any]) -> str:
    if not code.get("commit"):
        return "not under version control"
    state = {True: "with uncommitted changes", False: "clean"}.get(code.get("dirty"), "state unknown")  # type: ignore[arg-type]
    return f"commit {code['commit']}, {state}"


def _accepted(provenance: Mapping[str, Any]) -> Table:
    told = provenance.get("accepted_changes") or []
    rows = tuple((str(one["when"]), str(change)) for one in told for change in one["changes"])
    note = "These files were not as the run wrote them, and were taken as they are with --accept-changes."
    return Table(title="Changes accepted after the run", columns=("accepted", "change"), rows=rows, note=note)


def _versions(provenance: Mapping[str, Any]) -> Table:
    own = {name: provenance[name] for name in ("glassbench", "python") if provenance.get(name)}
    rows = tuple((str(name), str(version)) for name, version in {**own, **(provenance.get("packages") or {})}.items())
    return Table(title="Versions", columns=("package", "version"), rows=rows)


def _plugins(provenance: Mapping[str, Any]) -> Table:
    keys = ("name", "distribution", "version", "status")
    rows = tuple(tuple(str(plugin.get(key, "")) for key in keys) for plugin in provenance.get("plugins") or [])
    return Table(title="Plugins", columns=keys, rows=rows)


def _callbacks(provenance: Mapping[str, Any]) -> Table:
    rows = tuple((str(path).rpartition(".")[2], str(path)) for path in provenance.get("callbacks") or [])
    return Table(title="Callbacks that took part", columns=("callback", "import path"), rows=rows)


def _files(record: Record) -> Table:
    rows = tuple(checksums(record.folder).items())
    note = "The report itself and what a run still changes after it are in manifest.json."
    return Table(title="Files and their SHA-256", columns=("file", "SHA-256"), rows=rows, note=note)
