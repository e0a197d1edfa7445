"""What a person sees while a run works: a live line on a terminal, quiet lines when piped."""

import time
from collections.abc import Sequence

import click
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from glassbench.cli.options import width, wrapped
from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.trainer import Record
from glassbench.printable import one_line, printable
from glassbench.report.wording import SYMBOLS, outcome_words
from glassbench.stats.more_rows import MoreRows

_MARKS = SYMBOLS | {"not applicable": "-"}
_COLOURS = {"pass": "green", "fail": "red", "insufficient evidence": "yellow", "not applicable": "white"}
_QUIET_SECONDS = 10.0
_SHOWN_TREATMENTS = 12


class Progress:
    """Watches a run and says on the error stream how far it is.

    Args:
        debug: Whether to show the traceback of an audit that failed.
    """

    def __init__(self, *, debug: bool = False) -> None:
        self._debug = debug
        self._console = Console(stderr=True, highlight=False)
        self._status: Status | None = None
        self._last = time.monotonic()

    @property
    def interactive(self) -> bool:
        """Whether the error stream is a terminal."""
        return self._console.is_terminal

    def phase(self, name: str, detail: str) -> None:
        """Say which phase starts."""
        self.close()
        self._console.print(f"[bold]{name:8}[/bold] {escape(printable(detail))}", markup=True)
        if self.interactive and name != "fit":  # while it fits, the trainer draws
            self._status = self._console.status(name)
            self._status.start()

    def treated(self, lines: Sequence[str]) -> None:
        """Say what was left out, converted or detected while the data were read."""
        for place, line in enumerate(lines[:_SHOWN_TREATMENTS]):
            self._console.print(f"{'' if place else 'data':8} {line}", markup=False, soft_wrap=True)
        if len(lines) > _SHOWN_TREATMENTS:
            self._console.print(f"         and {len(lines) - _SHOWN_TREATMENTS} more, in the report", markup=False)

    def record(self, record: Record) -> None:
        """When piped, print one line every ten seconds; on a terminal the trainer shows every epoch."""
        if not self.interactive and time.monotonic() - self._last > _QUIET_SECONDS:
            self._last = time.monotonic()
            self._console.print(f"         {printable(_line(record))}", markup=False)

    def audited(self, result: AuditResult) -> None:
        """Say what an audit came to."""
        word = "failed" if result.error else audit_outcome(result)
        mark = "✗" if result.error else _MARKS[result.grade]
        took = "" if result.not_applicable else f" ({result.seconds:.1f} s)"
        self._console.print(f"         {mark} {result.audit}: {word}{took}", markup=False)
        if self._debug and result.error:
            for file in result.files:
                self._console.print(printable(file.text or ""), markup=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Say what is odd."""
        self._console.print(f"[yellow]warning:[/yellow] {escape(printable(text))}")

    def close(self) -> None:
        """End the live line."""
        if self._status is not None:
            self._status.stop()
            self._status = None


def audit_outcome(result: AuditResult) -> str:
    """Return what an audit that did not fail came to; one without findings measured or wrote something that nobody judges."""
    if result.not_applicable:
        return f"not applicable, {result.not_applicable}"
    if result.findings:
        return result.grade
    return f"wrote {', '.join(file.name for file in result.files)}" if result.files else "measured, nothing to judge"


def print_verdict(verdict: str, gates: list[dict[str, object]]) -> None:
    """Print the verdict and each gate on one line."""
    click.echo(click.style(f"{_MARKS[verdict]} {outcome_words(verdict).upper()}", fg=_COLOURS[verdict], bold=True))
    for gate in gates:
        word = str(gate["verdict"])
        bound = _bound(gate)
        by = f" by {', '.join(gate['by'])}" if isinstance(gate["by"], list) else ""
        more = _more_words(gate.get("more_rows"))
        name = one_line(f"{gate['measure']}{by} {bound}")
        line = f"{name:62} {_measured(gate)}  {word}{more}"
        if len(line) + 4 > width():
            line = wrapped(f"{word}: {name}, {_measured(gate)}{more}", indent=4).lstrip()
        click.echo(f"  {click.style(_MARKS[word], fg=_COLOURS[word])} {line}")


def _bound(gate: dict[str, object]) -> str:
    if gate.get("no_worse_than"):
        return f"no worse than {gate['no_worse_than']} by more than {gate['margin']}"
    return f"at least {gate['at_least']}" if gate["at_least"] is not None else f"at most {gate['at_most']}"


def _more_words(more: object) -> str:
    return f", {MoreRows(**more).words()}" if isinstance(more, dict) else ""


def _measured(gate: dict[str, object]) -> str:
    compared = gate["compared"]
    first = compared[0] if isinstance(compared, list) and compared else None
    if first is None or first["value"] is None:
        return printable(str(gate["reason"]))
    if first.get("unsupported"):
        return f"{first['value']:.3f} ({printable(str(gate['reason']))})"
    interval = "" if first["low"] is None else f" [{first['low']:.3f}, {first['high']:.3f}]"
    return f"{first['value']:.3f}{interval}"


def _line(record: Record) -> str:
    shown = [f"{key.replace('_', ' ')} {value:.4g}" for key, value in record.items() if key not in ("step", "epoch", "part")]
    place = "part" if "part" in record else "epoch"
    return f"{place} {record.get(place, '-')}  " + "  ".join(shown)
