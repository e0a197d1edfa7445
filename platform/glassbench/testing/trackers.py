"""What every tracker promises."""

import inspect
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.tracker import Failure, TrackedRun
from glassbench.errors import FOREIGN
from glassbench.experiments.settings import settings_model
from glassbench.system.process_state import put_back

_EVENTS = {
    "metric": ({"epoch": 0, "step": 5, "train_loss": 0.7},),
    "audited": (AuditResult(method=Method(summary=".")),),
    "finished": ("pass", Path("report.html")),
    "failed": (Failure(phase="fit", message="."),),
}


def check_tracker(factory: Callable[..., Any], **settings: Any) -> None:
    """Check that a tracker keeps its promises: in a run that is done, in one that fails, and in one that goes on.

    A tracker of a server is checked against the server that its settings or the environment name.

    Args:
        factory: The component, `(run, *, settings...)`.
        settings: Settings to make it with.

    Raises:
        AssertionError: It does not; the message says which promise is broken.
    """
    settings_model(factory)
    with tempfile.TemporaryDirectory() as folder:
        failed, done = _run(Path(folder) / "failed"), _run(Path(folder) / "done")
        _follow(factory, settings, failed, [*_metrics(5, 10), ("failed", _failure(interrupted=False))])
        _follow(factory, settings, _resumed(failed), [*_metrics(15), *_audits(), ("finished", ("pass", _report(failed)))])
        _follow(factory, settings, done, [*_metrics(5), *_audits(), ("finished", ("fail", _report(done)))])
        _follow(factory, settings, _resumed(done), [("failed", _failure(interrupted=True))])
        _follow(factory, settings, _resumed(done), [("finished", ("not applicable", _report(done)))])


def _follow(factory: Callable[..., Any], settings: Mapping[str, Any], run: TrackedRun, events: list[tuple[str, Any]]) -> None:
    run.output.mkdir(parents=True, exist_ok=True)
    before = _files(run)
    doing = "being made"
    try:
        with put_back(output=True) as changed:
            tracker = factory(run, **settings)
            _check_methods(tracker)
            for name, given in events:
                doing = f"told '{name}'"
                getattr(tracker, name)(*given)
    except AssertionError:
        raise
    except FOREIGN as error:
        raise AssertionError(f"a tracker must take every event; while it was {doing}: {type(error).__name__}: {error}") from error
    changed = [what for what in changed if "output" not in what]  # what it prints goes to its log
    assert not changed, f"a tracker must leave the process as it was; it changed {', '.join(changed)}"
    assert _files(run) == before, f"a tracker writes into `run.output` alone, not into the run's folder: {_files(run) - before}"


def _check_methods(tracker: Any) -> None:
    for name, given in _EVENTS.items():
        method = getattr(tracker, name, None)
        assert callable(method), f"a tracker has the method {name}"
        try:
            inspect.signature(method).bind(*given)
        except TypeError as error:
            raise AssertionError(f"the method {name} takes other arguments than those of glassbench.Tracker: {error}") from None


def _run(folder: Path) -> TrackedRun:
    folder.mkdir()
    (folder / "report.html").write_text("<!doctype html>", encoding="utf-8")
    experiment = {"name": "toy", "seed": 0, "model": {"use": "glassbench/mlp", "hidden": [8]}}
    return TrackedRun(id=folder.name, name="toy", folder=folder, output=folder / "trackers" / "own", experiment=experiment)


def _resumed(run: TrackedRun) -> TrackedRun:
    return TrackedRun(**{**vars(run), "resumed": True})


def _report(run: TrackedRun) -> Path:
    return run.folder / "report.html"


def _metrics(*steps: int) -> list[tuple[str, Any]]:
    """Return lines of a history; the last one holds a value that the others do not."""
    lines: list[dict[str, float | int]] = [{"epoch": step // 5, "step": step, "train_loss": 1 / step} for step in steps]
    return [("metric", (line,)) for line in [*lines[:-1], {**lines[-1], "validation_loss": 0.5}]]


def _audits() -> list[tuple[str, Any]]:
    measures = (
        Measure(name="toy.rate", value=0.5, low=0.25, high=0.75, n=16, by=("side",), group={"side": "=left"}),
        Measure(name="toy.gap", value=None, undefined="one group alone", by=("side",)),
    )
    findings = (Finding(sentence="The rate is 50 %.", grade="unclear", measures=("toy.rate",)),)
    done = AuditResult(audit="toy", method=Method(summary="."), measures=measures, findings=findings, seconds=0.1)
    unable = AuditResult(audit="other", method=Method(summary="."), not_applicable="it needs gradients")
    return [("audited", (result,)) for result in (done, unable, AuditResult(audit="broken", method=unable.method, error="."))]


def _failure(*, interrupted: bool) -> tuple[Failure]:
    return (Failure(phase="fit", message="it was interrupted" if interrupted else "no memory", interrupted=interrupted),)


def _files(run: TrackedRun) -> set[str]:
    """Return the files of the run's folder outside the tracker's own."""
    found = [Path(place) / name for place, _, names in os.walk(run.folder) for name in names]
    return {str(path.relative_to(run.folder)) for path in found if run.output not in path.parents}
