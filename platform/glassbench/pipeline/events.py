"""What happens in a run, told in order to whoever watches, to the hooks of plugins, and to trackers."""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.tracker import Failure
from glassbench.contracts.trainer import Record
from glassbench.experiments.choice import Choice
from glassbench.pipeline.run_observer import RunObserver
from glassbench.pipeline.tracker_delivery import Delivery, Message
from glassbench.registry import Registry
from glassbench.runs.run_folder import RunFolder
from glassbench.runs.seals import TRACKERS
from glassbench.storage.files import read_object, understood

_PATIENCE = 5.0
"""Seconds that trackers get to hear of a run that a person stopped."""


class RunEvents:
    """Tells what happens in one run. No hook and no tracker can stop it: what goes wrong is a warning.

    Args:
        folder: The run's folder.
        registry: The plugins, whose hooks are called.
        observer: Is told of the run's progress.
    """

    def __init__(self, folder: RunFolder, registry: Registry, observer: RunObserver) -> None:
        self._folder = folder
        self._registry = registry
        self._observer = observer
        self._trackers: list[Delivery] = []
        self._steps: set[Any] = set()

    def started(self, trackers: Mapping[str, Choice], experiment: Mapping[str, Any]) -> None:
        """Work on the run begins, or goes on; trackers are first told what they missed.

        Args:
            trackers: Who follows the run, by name.
            experiment: The experiment with every setting in full.
        """
        self._hook("glassbench_run_start")
        opening = {name: _opening(name, choice, self._folder, experiment) for name, choice in trackers.items()}
        self._trackers = [Delivery(name, self._folder.path, asked) for name, asked in opening.items()]
        for record in self._folder.history():
            self._steps.add(_step(record))
            self._tell(_metric(record))
        for result in self._folder.results() if self._trackers else ():
            if self._folder.kept(f"audits/{result.audit}/result.json"):
                self._tell(_audited(result))

    def metric(self, record: Record) -> None:
        """A line of the training history was measured; after a kill, steps that are done again are not told again."""
        self._observer.record(record)
        if _step(record) in self._steps:
            return
        self._steps.add(_step(record))
        self._hook("glassbench_metric", record=dict(record))
        self._tell(_metric(record))

    def missed(self) -> None:
        """Tell what other processes added to the training history."""
        for record in self._folder.history():
            if _step(record) not in self._steps:
                self.metric(record)

    def phase_done(self, phase: str) -> None:
        """A phase's completion record is on disk."""
        self._hook("glassbench_phase_done", phase=phase)

    def audited(self, result: AuditResult) -> None:
        """One audit's result is on disk."""
        self._observer.audited(result)
        self._hook("glassbench_audit_done", result=result)
        self._tell(replace(_audited(result), once=False))  # made again, even an equal result is news

    def finished(self) -> None:
        """The report is on disk; wait until all trackers know."""
        path, report = self._folder.path / "verdict.json", str(self._folder.path / "report.html")
        judged = read_object(path)
        with understood(path):
            verdict = judged["verdict"]
        self._hook("glassbench_run_end", verdict=verdict, report=report)
        for tracker in self._trackers:
            event = {"event": "finished", "verdict": verdict, "report": report}
            tracker.tell(Message(key=f"finished {_digest(judged)}", content=event, once=not tracker.begun))
        self._close()

    def failed(self, error: Failure) -> None:
        """The run stops before its end; trackers of a run that a person stopped get a few seconds."""
        self._hook("glassbench_run_failed", phase=error.phase, error=error.message)
        for tracker in self._trackers:
            tracker.tell(Message(key="failed", content={"event": "failed", "error": asdict(error)}, once=False))
        self._close(_PATIENCE if error.interrupted else None)

    def _close(self, seconds: float | None = None) -> None:
        for tracker in self._trackers:
            tracker.close(seconds)
        self._complain()
        self._trackers = []

    def _tell(self, message: Message) -> None:
        for tracker in self._trackers:
            tracker.tell(message)
        self._complain()

    def _complain(self) -> None:
        for tracker in self._trackers:
            if complaint := tracker.complaint():
                self._observer.warn(complaint)
                self._folder.log("tracker failed", tracker=tracker.name, complaint=complaint)

    def _hook(self, hook: str, **facts: Any) -> None:
        for complaint in self._registry.notify(hook, folder=str(self._folder.path), **facts):
            self._observer.warn(complaint)
            self._folder.log("hook failed", complaint=complaint)


def _opening(name: str, choice: Choice, folder: RunFolder, experiment: Mapping[str, Any]) -> dict[str, Any]:
    output = folder.path / TRACKERS / name
    run = {"id": folder.run, "name": experiment["name"], "folder": str(folder.path), "output": str(output)}
    asked = {"name": name, "target": choice.component.spec.target, "search_path": _search_path()}
    return {**asked, "settings": choice.settings.model_dump(mode="json"), "run": {**run, "experiment": dict(experiment)}}


def _metric(record: Record) -> Message:
    return Message(key=f"step {_step(record)}", content={"event": "metric", "record": dict(record)})


def _audited(result: AuditResult) -> Message:
    content = result.to_json()
    return Message(key=f"audit {result.audit} {_digest(content)}", content={"event": "audited", "result": content})


def _search_path() -> list[str]:
    return [entry or os.getcwd() for entry in sys.path]


def _step(record: Record) -> Any:
    return record["step"] if "step" in record else _digest(record)


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
