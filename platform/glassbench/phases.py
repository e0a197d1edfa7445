"""The phases of a run: plan, fit, predict, audit, report; each idempotent, each resumable."""

import datetime
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from glassbench.artifacts import save_predictions, save_trained
from glassbench.errors import FitError, GlassbenchError
from glassbench.evidence import AuditResult, Method
from glassbench.experiment import read_experiment
from glassbench.experiment_file import dump
from glassbench.files import read_json, write_json, write_text
from glassbench.gates import judge
from glassbench.planning import Choice, Plan, make_plan
from glassbench.provenance import environment
from glassbench.registry import Registry
from glassbench.report import render_index, render_junit, render_markdown, render_report
from glassbench.runs import RunFolder, append_line, create_run, new_run_id
from glassbench.runs_index import refresh_index
from glassbench.specs import AuditSpec
from glassbench.subject import Subject
from glassbench.trainer import Fitted, Record, Trainer, Workspace
from glassbench.workbench import Workbench, blamed


def start(plan: Plan, registry: Registry, root: Path, command: str) -> RunFolder:
    """Create the run's folder with the plan in it: the first phase."""
    run = new_run_id()
    provenance = {
        "run": run,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **environment(registry.plugins, Path.cwd(), command, plan.seed),
    }
    files = {
        "experiment.yaml": plan.document.text or dump(plan.document.content),
        "resolved.yaml": dump(plan.resolved),
        "provenance.json": json.dumps(provenance, indent=1) + "\n",
    }
    return create_run(root, run, files, list(plan.audits))


def replan(folder: RunFolder, registry: Registry) -> Plan:
    """Make the plan of an existing run again, from its resolved experiment."""
    document = read_experiment(folder.path / "resolved.yaml")
    content = {key: value for key, value in document.content.items() if key != "overrides"}
    overrides = tuple(document.content.get("overrides", ()))
    return make_plan(replace(document, content=content, overrides=overrides), registry)


def work(bench: Workbench) -> None:
    """Do every phase that is not done, each with its completion record; the run is held alone meanwhile."""
    with bench.folder.locked():
        bench.folder.sweep()
        _tell(bench, "glassbench_run_start")
        for name, phase in _PHASES.items():
            if not bench.folder.done(name):
                started = time.perf_counter()
                phase(bench)
                bench.folder.complete(name, time.perf_counter() - started)
                _tell(bench, "glassbench_phase_done", phase=name)
        seal(bench)


def fit(bench: Workbench) -> None:
    """Train the model and keep it; where the task is not learnt, look at the data alone."""
    model, trainer = bench.plan.model, bench.plan.trainer
    source = bench.plan.dataset.component.spec.name
    bench.watcher.phase("fit", f"{model.component.spec.name} on {source}" if model else f"nothing to fit on {source}")
    data, task = bench.data, bench.task
    fitted = None
    if model is not None and trainer is not None:
        fresh = bench.fresh_model(model)
        with blamed(trainer, f"training '{model.component.spec.name}'"):
            made = cast(Trainer, trainer.make())
            if made.several_processes:
                spread(bench.folder)
            fitted = made.fit(fresh, task, data, workspace_of(bench))
        save_trained(bench.folder.path, fitted.model)
    lines = [json.dumps(record) for record in bench.folder.history()]
    write_text(bench.folder.path / "metrics.jsonl", "".join(f"{line}\n" for line in lines))
    _note_training(bench.folder, fitted)


def predict(bench: Workbench) -> None:
    """Decide the held-out rows."""
    bench.watcher.phase("predict", "held-out rows")
    test = bench.data.test
    with blamed(bench.plan.task, "predicting"):
        predictions = bench.task.predict(bench.model, test)
    save_predictions(bench.folder.path, predictions, cast(Any, test))


def audit(bench: Workbench) -> None:
    """Run every audit that has no result yet, then hold the gates against all measures."""
    names = list(bench.plan.audits)
    bench.watcher.phase("audit", ", ".join(names) or "no audits")
    for name, choice in bench.plan.audits.items():
        path = bench.folder.path / "audits" / name / "result.json"
        if path.is_file():
            continue
        result = examine(name, choice, bench, bench.subject)
        write_json(path, result.to_json())
        bench.watcher.audited(result)
        _tell(bench, "glassbench_audit_done", result=result)
    verdict = judge(bench.plan.gates, bench.folder.results())
    write_json(bench.folder.path / "verdict.json", verdict.to_json())


def examine(name: str, choice: Choice, bench: Workbench, subject: Subject) -> AuditResult:
    """Run one audit; what it cannot examine, and what goes wrong inside it, becomes part of its result."""
    started = time.perf_counter()
    reason = bench.plan.excluded.get(name)
    try:
        reason = reason or subject.missing(cast(AuditSpec, choice.component.spec).needs)
        result = _unable(reason) if reason else _checked(choice.make(subject), name)
    except GlassbenchError as error:
        result = _failed(str(error))
    except Exception as error:  # the plugin boundary: one audit's failure must not cost the others
        result = _failed(f"{type(error).__name__}: {error}")
    if result.error:
        bench.watcher.warn(f"the audit '{name}' failed: {result.error}")
        bench.folder.log("audit failed", audit=name, error=result.error)
    return AuditResult(**{**vars(result), "audit": name, "seconds": round(time.perf_counter() - started, 3)})


def report(bench: Workbench) -> None:
    """Render the report from the run's folder alone."""
    bench.watcher.phase("report", "report.html, summary.md, junit.xml")
    path = bench.folder.path
    write_text(path / "report.html", render_report(path))
    write_text(path / "summary.md", render_markdown(path))
    write_text(path / "junit.xml", render_junit(path))


def seal(bench: Workbench) -> None:
    """Write the manifest, and bring the indexes over all runs up to date."""
    bench.folder.write_manifest()
    root = bench.folder.path.parent
    refresh_index(root)
    write_text(root / "index.html", render_index(root))
    verdict = read_json(bench.folder.path / "verdict.json")["verdict"]
    _tell(bench, "glassbench_run_end", verdict=verdict)


def audit_again(bench: Workbench, names: Sequence[str] = ()) -> None:
    """Throw away the results of audits (all, or those named) and do that phase and the report again; nothing is retrained."""
    with bench.folder.locked():
        _ = bench.subject  # what cannot be loaded again must not cost the results there are
        for name in names or list(bench.plan.audits):
            (bench.folder.path / "audits" / name / "result.json").unlink(missing_ok=True)
        bench.folder.reopen("audit")
    work(bench)


def report_again(bench: Workbench) -> None:
    """Render the report again."""
    with bench.folder.locked():
        bench.folder.reopen("report")
    work(bench)


_PHASES: dict[str, Callable[[Workbench], None]] = {"fit": fit, "predict": predict, "audit": audit, "report": report}


def spread(folder: RunFolder) -> None:
    """Have the model fitted by processes of their own, and wait for them.

    Raises:
        FitError: They did not come to an end; the message holds the last of what they said.
    """
    done = subprocess.run([sys.executable, "-m", "glassbench.worker", str(folder.path)], stderr=subprocess.PIPE, text=True)
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-6:])
        raise FitError("training in several processes failed", got=said or f"exit code {done.returncode}")


def workspace_of(bench: Workbench) -> Workspace:
    """Return what a trainer is lent while it fits this run's model."""
    path = bench.folder.path / "metrics.jsonl"

    def record(line: Record) -> None:
        append_line(path, line)
        bench.watcher.record(line)

    folder = bench.folder.path / "checkpoints"
    return Workspace(seed=bench.plan.seed, folder=folder, record=record, interactive=bench.watcher.interactive)


def _note_training(folder: RunFolder, fitted: Fitted | None) -> None:
    provenance = read_json(folder.path / "provenance.json")
    data = read_json(folder.path / "data.json")["fingerprint"]
    training = {} if fitted is None else {"training": dict(fitted.facts), "callbacks": list(fitted.callbacks)}
    write_json(folder.path / "provenance.json", {**provenance, **training, "data": data})


def _checked(result: Any, name: str) -> AuditResult:
    if not isinstance(result, AuditResult):
        raise TypeError(f"an audit returns an AuditResult, got {type(result).__name__}")
    stray = [m.name for m in result.measures if not m.name.startswith(f"{name}.")]
    if stray:
        raise ValueError(f"a measure of this audit must be named '{name}.<measure>', got '{stray[0]}'")
    return result


def _unable(reason: str) -> AuditResult:
    return AuditResult(method=Method(summary="Not run."), not_applicable=reason)


def _failed(error: str) -> AuditResult:
    return AuditResult(method=Method(summary="The audit stopped before it was done."), error=error)


def _tell(bench: Workbench, hook: str, **facts: Any) -> None:
    for complaint in bench.registry.notify(hook, folder=str(bench.folder.path), **facts):
        bench.watcher.warn(complaint)
        bench.folder.log("hook failed", complaint=complaint)
