"""What a person sees in a notebook while a run works: one bar, the phase, and what is odd."""

import importlib
import sys
import time
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.trainer import Record
from glassbench.pipeline.run_observer import RunObserver, SilentObserver
from glassbench.printable import printable

_SECONDS = 0.25
"""How often the bar is drawn again while a model trains."""

_BEGINS = {"fit": 0.02, "predict": 0.4, "audit": 0.45, "report": 0.95}
"""Where on the bar each phase begins; nobody knows how long each will take."""

_NOTES = 12


class NotebookProgress:
    """Watches a run and draws how far it is below a notebook's cell."""

    interactive = False

    def __init__(self) -> None:
        self._handle: Any = None
        self._phase, self._detail, self._share = "plan", "", 0.0
        self._audits, self._audited = 1, 0
        self._notes: list[str] = []
        self._drawn = 0.0

    def phase(self, name: str, detail: str) -> None:
        """Draw which phase starts."""
        self._phase, self._detail, self._share = name, detail, _BEGINS.get(name, self._share)
        if name == "audit":
            self._audits, self._audited = detail.count(",") + 1, 0
        self._draw()

    def treated(self, lines: Sequence[str]) -> None:
        """Draw what was left out, converted or detected while the data were read."""
        self._notes += lines[:_NOTES]
        self._draw()

    def record(self, record: Record) -> None:
        """Draw the last line of the training history, a few times a second at most."""
        if time.monotonic() - self._drawn > _SECONDS:
            shown = [f"{key.replace('_', ' ')} {value:.4g}" for key, value in record.items() if key != "step"]
            self._detail = ", ".join(shown)
            self._draw()

    def audited(self, result: AuditResult) -> None:
        """Draw how many audits are done."""
        self._audited = min(self._audited + 1, self._audits)
        self._share = _BEGINS["audit"] + (_BEGINS["report"] - _BEGINS["audit"]) * self._audited / self._audits
        self._detail = f"{self._audited} of {self._audits}: {result.audit} {'failed' if result.error else 'done'}"
        self._draw()

    def warn(self, text: str) -> None:
        """Draw what is odd."""
        self._notes.append(f"warning: {text}")
        self._draw()

    def finished(self, verdict: str) -> None:
        """Draw the whole bar, and what the run came to."""
        self._phase, self._detail, self._share = "done", verdict, 1.0
        self._draw()

    def _draw(self) -> None:
        shows: Any = importlib.import_module("IPython.display")  # it is there where a notebook is
        self._drawn = time.monotonic()
        bar = Markup('<progress max="1" value="{}" aria-label="how far the run is"></progress> <b>{}</b> {}').format(
            f"{self._share:.3f}", self._phase, printable(self._detail)[:200]
        )
        notes = Markup("").join(Markup("<li>{}</li>").format(printable(note)[:300]) for note in self._notes[:_NOTES])
        shown = shows.HTML(
            str(Markup('<div class="glassbench-progress">{}{}</div>').format(bar, Markup("<ul>{}</ul>").format(notes)))
        )
        if self._handle is None:
            self._handle = shows.display(shown, display_id=True)
        else:
            self._handle.update(shown)


def watching() -> RunObserver:
    """Return who watches a run where nobody was named: a bar in a notebook, nobody elsewhere."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return NotebookProgress() if type(shell).__name__ == "ZMQInteractiveShell" else SilentObserver()


def told(observer: RunObserver, verdict: str) -> None:
    """Tell an observer that draws in a notebook what the run came to."""
    if isinstance(observer, NotebookProgress):
        observer.finished(verdict)
