"""The process of one tracker: `python -P -m glassbench.pipeline.tracker_process`, events as JSON lines in, a line for each
out."""

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.tracker import Failure, TrackedRun, Tracker
from glassbench.errors import FOREIGN, GlassbenchError, said
from glassbench.experiments.settings import arguments, settle
from glassbench.registry import load_target

_GRACE = 30.0
"""Seconds that a tracker gets to end after the run's process is gone."""


def serve(events: IO[str], answers: IO[str]) -> None:
    """Make the tracker that the first line asks for, tell it each event, and answer when it is done with it.

    Args:
        events: One JSON object a line; the first says which tracker, with which settings, follows which run.
        answers: Gets `{}` for each event that was taken, and `{"error": ...}` for the one that ended the tracker.
    """
    try:
        tracker = opened(json.loads(events.readline()))
        _answer(answers, {})
        for event in map(json.loads, events):
            tell(tracker, event)
            _answer(answers, {})
            if event["event"] == "end":
                return
    except GlassbenchError as error:
        _answer(answers, {"error": str(error).replace("\n", "; ")})
    except FOREIGN as error:
        _answer(answers, {"error": said(error)})


def opened(asked: Mapping[str, Any]) -> Tracker:
    """Return the tracker that the first line asks for."""
    sys.path[:] = asked["search_path"]  # what the run can import, the tracker can
    factory = load_target(asked["target"], f"the tracker '{asked['name']}'")
    run = asked["run"]
    output = Path(run["output"])
    output.mkdir(parents=True, exist_ok=True)
    followed = TrackedRun(**{**run, "folder": Path(run["folder"]), "output": output})
    tracker: Tracker = factory(followed, **arguments(settle(factory, asked["settings"], asked["name"])))
    return tracker


def tell(tracker: Tracker, event: Mapping[str, Any]) -> None:
    """Tell a tracker one event."""
    match event["event"]:
        case "metric":
            tracker.metric(event["record"])
        case "audited":
            tracker.audited(AuditResult.from_json(event["result"]))
        case "finished":
            tracker.finished(event["verdict"], Path(event["report"]))
        case "failed":
            tracker.failed(Failure(**event["error"]))


def _answer(answers: IO[str], content: Mapping[str, Any]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()


def _end_with(parent: int) -> None:
    """End this process some time after its parent is gone, whatever the tracker is doing."""
    while os.getppid() == parent:
        time.sleep(1)
    time.sleep(_GRACE)
    os._exit(1)


def main() -> None:
    """Serve, with input and output of this process kept from the tracker: it prints to the error stream, and reads nothing."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    events, answers = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    serve(events, answers)


if __name__ == "__main__":
    main()
