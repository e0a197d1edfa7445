"""The phases of a run: plan, fit, predict, audit, report; each idempotent, each resumable."""

import datetime
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from glassbench.artifacts import check_storable, save_predictions, save_trained
from glassbench.child_python import run_module
from glassbench.data import Schema
from glassbench.energy import metered
from glassbench.errors import ExperimentError, FitError, Interrupted, RunError, suggest
from glassbench.examination import examine, reads_results
from glassbench.experiment import read_experiment
from glassbench.experiment_file import dump
from glassbench.files import read_object, understood, write_json, write_text
from glassbench.frames import FRAME, KeptFrame, reading
from glassbench.gates import judge
from glassbench.lent.components import gone
from glassbench.lent.lent import Lent
from glassbench.planning import Choice, Plan, make_plan
from glassbench.provenance import environment
from glassbench.registry import Registry
from glassbench.report import refuse_narrow_memory, render_index, render_junit, render_markdown, render_report
from glassbench.report.treatments import treatment_lines
from glassbench.runs import RunFolder, append_line, create_run, new_run_id
from glassbench.runs_index import refresh_index
from glassbench.specs import AuditSpec, ModelSpec
from glassbench.trainer import Fitted, Record, Trainer, Workspace
from glassbench.watcher import Watcher
from glassbench.workbench import Workbench, blamed, build_model, read_data, remembered


def start(
    plan: Plan,
    registry: Registry,
    watcher: Watcher,
    root: Path,
    command: str,
    lent: Lent | None = None,
    frame: KeptFrame | None = None,
) -> Workbench:
    """Read the data, or take those that were lent, then create the run's folder with plan and data described: the first phase.

    What is wrong with plan, data or model is said before the folder is created. A frame that was given becomes the run's.
    """
    for complaint in plan.complaints:
        watcher.warn(complaint)
    refuse_narrow_memory()  # before hours of training, not after
    data = read_data(plan, lent)
    watcher.treated([words for _, words in treatment_lines(data.treatments)])
    if frame is not None:
        data = replace(data, source=frame.source, notes=(*frame.notes, *data.notes))
    model = None if lent is not None or plan.model is None else _built(plan.model, data.schema, plan.seed)
    run = new_run_id()
    plan = plan if frame is None else reading(plan, root / run / FRAME)
    provenance = {
        "run": run,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **environment(registry.plugins, Path.cwd(), command, plan.seed),
    }
    files = {
        "experiment.yaml": plan.document.text or dump(plan.document.content),
        "resolved.yaml": dump(plan.resolved),
        "provenance.json": json.dumps(provenance, indent=1) + "\n",
        **remembered(data, model),
    }
    moved = {} if frame is None else {FRAME: frame.path}
    bench = Workbench(create_run(root, run, files, list(plan.audits), moved), plan, registry, watcher, lent)
    bench.begun(data)
    return bench


def _built(choice: Choice, schema: Schema, seed: int) -> Any:
    model = build_model(choice, schema, seed)
    check_storable(model, cast(ModelSpec, choice.component.spec))
    return model


def replan(folder: RunFolder, registry: Registry, *, audited: bool = True) -> Plan:
    """Make the plan of an existing run again, from its resolved experiment; without its audits and gates where none is asked."""
    document = read_experiment(folder.path / "resolved.yaml")
    content = {key: value for key, value in document.content.items() if key != "overrides"}
    content |= {} if audited else {"audits": {}, "gates": []}
    overrides = tuple(document.content.get("overrides", ()))
    plan = make_plan(replace(document, content=content, overrides=overrides), registry)
    frame = folder.path / FRAME
    return reading(plan, frame) if frame.is_file() else plan  # wherever the folder was moved to


def work(bench: Workbench) -> None:
    """Do every phase that is not done, each with its completion record; the run is held alone meanwhile."""
    with bench.folder.locked():
        _go_on(bench)


def _go_on(bench: Workbench) -> None:
    try:
        _do_what_is_left(bench)
    except KeyboardInterrupt as error:
        raise Interrupted(bench.folder.path, done=bench.folder.status["sealed"]) from error


def _do_what_is_left(bench: Workbench) -> None:
    bench.folder.unseal()
    bench.folder.sweep()
    _tell(bench, "glassbench_run_start")
    for name, phase in _PHASES.items():
        if not bench.folder.done(name):
            started = time.perf_counter()
            files = phase(bench)
            bench.folder.complete(name, time.perf_counter() - started, files)
            _tell(bench, "glassbench_phase_done", phase=name)
    conclude(bench)


def fit(bench: Workbench) -> Sequence[str]:
    """Train the model and keep it; where the task is not learnt, look at the data alone."""
    model, trainer = bench.plan.model, bench.plan.trainer
    source = bench.plan.dataset.component.spec.name
    bench.watcher.phase("fit", f"{model.component.spec.name} on {source}" if model and trainer else f"nothing to fit on {source}")
    task = bench.task
    fitted, kept = None, ""
    if model is not None and trainer is not None:
        fresh = bench.fresh_model(model)
        with metered() as meter, blamed(trainer, f"training '{model.component.spec.name}'"):
            made = cast(Trainer, trainer.make())
            if made.several_processes:
                spread(bench.folder)
            fitted = made.fit(fresh, task, bench.data, workspace_of(bench))
        if meter.energy.kilowatt_hours is not None:
            fitted = replace(fitted, facts={**fitted.facts, "energy": meter.energy.to_json()})
        kept = save_trained(bench.folder.path, fitted.model)
    lines = [json.dumps(record) for record in bench.folder.history()]
    write_text(bench.folder.path / "metrics.jsonl", "".join(f"{line}\n" for line in lines))
    _note_training(bench.folder, fitted)
    return ("metrics.jsonl", *([kept] if fitted is not None else []))


def predict(bench: Workbench) -> Sequence[str]:
    """Decide the held-out rows."""
    bench.watcher.phase("predict", "held-out rows" if bench.plan.trainer is not None else "nothing: decisions are given")
    test = bench.data.test
    with blamed(bench.plan.task, "predicting"):
        predictions = bench.task.predict(bench.model, test) if bench.lent is None else bench.lent.predictions(bench.task)
    return save_predictions(bench.folder.path, predictions, cast(Any, test))


def audit(bench: Workbench) -> Sequence[str]:
    """Run every audit that has no result yet, then hold the gates against all measures."""
    names = list(bench.plan.audits)
    paths = {name: bench.folder.path / "audits" / name / "result.json" for name in names}
    waiting = [name for name in names if not bench.folder.kept(f"audits/{name}/result.json")]
    todo = sorted(waiting, key=lambda name: reads_results(bench.plan.audits[name]))
    bench.watcher.phase("audit", ", ".join(todo) or "nothing is left to do")
    started = time.perf_counter()
    for place, name in enumerate(todo):
        path = paths[name]
        left = None if bench.plan.budget is None else bench.plan.budget - (time.perf_counter() - started)
        result = examine(name, bench.plan.audits[name], bench, None if left is None else max(0.0, left) / (len(todo) - place))
        for file in result.files:
            write_text(path.parent / file.name, file.text or "")
        write_json(path, result.to_json())
        bench.folder.keep(*(f"audits/{name}/{file}" for file in (*(file.name for file in result.files), path.name)))
        bench.watcher.audited(result)
        _tell(bench, "glassbench_audit_done", result=result)
    verdict = judge(bench.plan.gates, bench.folder.results(), allow_failed=bench.plan.allow_failed)
    write_json(bench.folder.path / "verdict.json", verdict.to_json())
    return ("verdict.json", *(f"audits/{name}/result.json" for name in names))


def report(bench: Workbench) -> Sequence[str]:
    """Render the report from the run's folder alone."""
    bench.watcher.phase("report", "report.html, summary.md, junit.xml")
    path = bench.folder.path
    write_text(path / "report.html", render_report(path))
    write_text(path / "summary.md", render_markdown(path))
    write_text(path / "junit.xml", render_junit(path))
    return ("report.html", "summary.md", "junit.xml")


def conclude(bench: Workbench) -> None:
    """Write the manifest, and bring the indexes over all runs up to date."""
    with understood(bench.folder.path / "verdict.json"):
        verdict = read_object(bench.folder.path / "verdict.json")["verdict"]
    _tell(bench, "glassbench_run_end", verdict=verdict)
    bench.folder.seal()
    root = bench.folder.path.parent
    try:
        refresh_index(root)
        write_text(root / "index.html", render_index(root))
    except Exception as error:  # the other runs must never cost this one
        bench.watcher.warn(f"the index of all runs could not be renewed: {error}")


def audit_again(bench: Workbench, names: Sequence[str] = ()) -> None:
    """Throw away the results of audits (all, or those named) and do that phase and the report again; nothing is retrained.

    Raises:
        ExperimentError: A name is no audit of this run.
        RunError: The run was stopped before its predictions were made, or an audit needs what was lent from Python and is gone.
    """
    known = list(bench.plan.audits)
    strange = [name for name in names if name not in known]
    if strange:
        fix = suggest(strange[0], known)
        raise ExperimentError(f"the run has no audit '{strange[0]}'", got=strange[0], available=known, fix=fix)
    bench.folder.require("predict")
    again = _repeatable(bench, names or known, named=bool(names))
    with bench.folder.locked():
        bench.subject()  # what cannot be loaded again must not cost the results there are
        gone_now = {*again, *(name for name, choice in bench.plan.audits.items() if reads_results(choice))}
        bench.folder.reopen_audits(gone_now)
        _go_on(bench)


def _repeatable(bench: Workbench, names: Sequence[str], *, named: bool) -> list[str]:
    """Return the audits that can be made again; where the model was lent and is gone, those that need it keep their results.

    Raises:
        RunError: One that was named cannot be.
    """
    if not bench.gone:
        return list(names)
    needs = {name: cast(AuditSpec, bench.plan.audits[name].component.spec).needs for name in names}
    lost = [name for name, need in needs.items() if {"model", "gradients", "training data"} & set(need)]
    if lost and (named or len(lost) == len(names)):
        error = gone("the model")
        raise RunError(f"the audit '{lost[0]}' needs its model: {error.problem}", where=str(bench.folder.path), fix=error.fix)
    if lost:
        bench.watcher.warn(f"kept as they are, for {gone('the model').problem}: {', '.join(lost)}")
    return [name for name in names if name not in lost]


def report_again(bench: Workbench) -> None:
    """Render the report again.

    Raises:
        RunError: The run was stopped before its audits were done.
    """
    bench.folder.require("audit")
    with bench.folder.locked():
        bench.folder.reopen("report")
        _go_on(bench)


_PHASES: dict[str, Callable[[Workbench], Sequence[str]]] = {"fit": fit, "predict": predict, "audit": audit, "report": report}


def spread(folder: RunFolder) -> None:
    """Have the model fitted by processes of their own, and wait for them.

    Raises:
        FitError: They did not come to an end; the message holds the last of what they said.
    """
    done = run_module("glassbench.worker", str(folder.path))
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
    provenance = read_object(folder.path / "provenance.json")
    data = read_object(folder.path / "data.json")["fingerprint"]
    training = {} if fitted is None else {"training": dict(fitted.facts), "callbacks": list(fitted.callbacks)}
    folder.write("provenance.json", {**provenance, **training, "data": data})


def _tell(bench: Workbench, hook: str, **facts: Any) -> None:
    for complaint in bench.registry.notify(hook, folder=str(bench.folder.path), **facts):
        bench.watcher.warn(complaint)
        bench.folder.log("hook failed", complaint=complaint)
