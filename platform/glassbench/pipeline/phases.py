"""The phases of a run: plan, fit, predict, audit, report; each idempotent, each resumable."""

import datetime
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from glassbench.contracts.data import Data
from glassbench.contracts.external_subject import ExternalSubject
from glassbench.contracts.specs import AuditSpec
from glassbench.contracts.task import Task
from glassbench.contracts.tracker import Failure
from glassbench.errors import ExperimentError, GlassbenchError, Interrupted, RunError, said, suggest
from glassbench.experiments.choice import Choice
from glassbench.experiments.cleaning import CLEANING
from glassbench.experiments.experiment import read_experiment
from glassbench.experiments.experiment_file import dump
from glassbench.experiments.gates import judge
from glassbench.experiments.mitigations import trusted
from glassbench.experiments.plan import Plan
from glassbench.experiments.planning import make_plan
from glassbench.experiments.trackers import everyones_trackers, named
from glassbench.external.components import gone
from glassbench.pipeline.baselines import check_baseline_rows, holding
from glassbench.pipeline.building import blamed, build_model
from glassbench.pipeline.cleaned_data import account
from glassbench.pipeline.examination import examine, reads_results
from glassbench.pipeline.fitting import fit
from glassbench.pipeline.frames import FRAME, KeptFrame, reading
from glassbench.pipeline.given_module import check_one_process
from glassbench.pipeline.mitigated_data import check_mitigations, wrapped
from glassbench.pipeline.offered_audits import offered
from glassbench.pipeline.remembered import remembered
from glassbench.pipeline.run_context import RunContext
from glassbench.pipeline.run_data import ready, source_data
from glassbench.pipeline.run_observer import RunObserver
from glassbench.registry import Registry
from glassbench.report import (
    refuse_narrow_memory,
    render_index,
    render_junit,
    render_markdown,
    render_report,
    render_sarif,
    render_summary,
)
from glassbench.report.treatments import treatment_lines
from glassbench.runs.all_runs import create_run, new_run_id
from glassbench.runs.artifacts import check_storable, save_predictions
from glassbench.runs.index import refresh_index
from glassbench.runs.provenance import environment
from glassbench.runs.run_folder import RunFolder
from glassbench.storage.files import write_json, write_text
from glassbench.storage.home_paths import without_home

if TYPE_CHECKING:
    from glassbench.external.given_training import GivenTraining  # it imports Lightning, which most commands do not need


def start(
    plan: Plan,
    registry: Registry,
    observer: RunObserver,
    root: Path,
    command: str,
    external: ExternalSubject | None = None,
    frame: KeptFrame | None = None,
    run: str | None = None,
    given: "GivenTraining | None" = None,
) -> RunContext:
    """Read the data, or take external ones, then create the run's folder with plan and data described: the first phase.

    What is wrong with plan, data or model is said before the folder is created. A frame that was given becomes the run's. The run
    gets a new id unless one was reserved for it.
    """
    for complaint in plan.complaints:
        observer.warn(complaint)
    refuse_narrow_memory()  # before hours of training, not after
    source = source_data(plan, external or given)
    data = ready(plan, source, external or given)
    for line in check_baseline_rows(plan, data, root):
        observer.warn(line)
    observer.treated([words for _, words in treatment_lines(data.treatments)])
    if frame is not None:
        data = replace(data, source=frame.source, notes=(*frame.notes, *data.notes))
    if given is not None:
        check_one_process(plan)
    model = None if (external or given) is not None or plan.model is None else _built(plan, plan.model, data)
    run = run or new_run_id()
    plan = plan if frame is None else reading(plan, root / run / FRAME)
    provenance = {
        "run": run,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **environment(registry.plugins, Path.cwd(), command, plan.seed),
        **offered(registry, plan, data),
        **({} if plan.cleaning is None else {"cleaning": account(source, plan.cleaning)}),
    }
    files = {
        "experiment.yaml": plan.document.text or dump(plan.document.content),
        "resolved.yaml": dump(plan.resolved),
        "provenance.json": json.dumps(provenance, indent=1) + "\n",
        **remembered(data, model, plan.mitigations.made()),
        **({} if plan.cleaning is None else plan.cleaning.files()),
    }
    moved = {} if frame is None else {FRAME: frame.path}
    context = RunContext(create_run(root, run, files, list(plan.audits), moved), plan, registry, observer, external, given)
    context.begun(data)
    return context


def _built(plan: Plan, choice: Choice, data: Data) -> Any:
    """Return the model untrained, after making sure that it can be stored and that mitigations can serve it."""
    asked = cast(Task, plan.task.make())
    asked.check(data.schema)
    model = build_model(choice, asked.model_schema(data.schema), plan.seed)
    fitted = wrapped(model, plan.mitigations.made(), None)
    check_mitigations(plan.mitigations, data, asked, fitted)
    check_storable(fitted, choice.component.spec.name, trusted(choice, plan.mitigations))
    return model


def replan(folder: RunFolder, registry: Registry, *, audited: bool = True) -> Plan:
    """Make the plan of an existing run again, from its resolved experiment; without its audits and gates where none is asked."""
    plan = resolved_plan(folder.path / "resolved.yaml", registry, audited=audited)
    frame = folder.path / FRAME
    return reading(plan, frame) if frame.is_file() else plan  # wherever the folder was moved to


def resolved_plan(path: Path, registry: Registry, *, audited: bool = True) -> Plan:
    """Make a plan again from a resolved experiment, as a run's `resolved.yaml` holds it."""
    document = read_experiment(path)
    content = {key: value for key, value in document.content.items() if key != "overrides"}
    content |= {} if audited else {"audits": {}, "gates": []}
    content |= _own_cleaning(content, path.parent)
    overrides = tuple(document.content.get("overrides", ()))
    return make_plan(replace(document, content=content, overrides=overrides), registry)


def _own_cleaning(content: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the cleaning that a run's folder holds in place of the file it was read from, which may be gone or edited."""
    own, asked = folder / CLEANING, content.get("cleaning")
    return {"cleaning": {**asked, "file": str(own)}} if isinstance(asked, Mapping) and own.is_file() else {}


def work(context: RunContext) -> None:
    """Do every phase that is not done, each with its completion record; the run is held alone meanwhile."""
    with context.folder.locked():
        _go_on(context, _trackers(context))


def _trackers(context: RunContext) -> Mapping[str, Choice]:
    """Return who follows the run; the plan is not made for a run that nobody follows."""
    followed = read_experiment(context.folder.path / "resolved.yaml").content.get("trackers")
    return named([*(context.plan.trackers if followed else ()), *everyones_trackers(context.registry)])


def _go_on(context: RunContext, trackers: Mapping[str, Choice]) -> None:
    try:
        _do_what_is_left(context, trackers)
    except KeyboardInterrupt as error:
        context.events.failed(Failure(phase=_phase(context), message="it was interrupted", interrupted=True))
        raise Interrupted(context.folder.path, done=context.folder.status["sealed"]) from error
    except BaseException as error:
        message = without_home(str(error) if isinstance(error, GlassbenchError) else said(error))
        context.events.failed(Failure(phase=_phase(context), message=message))
        raise


def _phase(context: RunContext) -> str:
    """Return the phase that is next to be done; the last where all are."""
    return next((name for name in _PHASES if not context.folder.done(name)), list(_PHASES)[-1])


def _do_what_is_left(context: RunContext, trackers: Mapping[str, Choice]) -> None:
    context.folder.unseal()
    context.folder.sweep()
    context.events.started(trackers, context.plan.resolved if trackers else {})
    for name, phase in _PHASES.items():
        if not context.folder.done(name):
            started = time.perf_counter()
            files = phase(context)
            context.folder.complete(name, time.perf_counter() - started, files)
            context.events.phase_done(name)
    conclude(context)


def predict(context: RunContext) -> Sequence[str]:
    """Decide the held-out rows."""
    context.observer.phase("predict", "held-out rows" if context.plan.trainer is not None else "nothing: decisions are given")
    test = context.data.test
    with blamed(context.plan.task, "predicting"):
        predictions = (
            context.task.predict(context.model, test) if context.external is None else context.external.predictions(context.task)
        )
        context.task.kind.check(predictions.frame, context.data.schema)
    return save_predictions(context.folder.path, predictions, cast(Any, test))


def audit(context: RunContext) -> Sequence[str]:
    """Run every audit that has no result yet, then hold the gates against all measures."""
    names = list(context.plan.audits)
    paths = {name: context.folder.path / "audits" / name / "result.json" for name in names}
    waiting = [name for name in names if not context.folder.kept(f"audits/{name}/result.json")]
    todo = sorted(waiting, key=lambda name: reads_results(context.plan.audits[name]))
    context.observer.phase("audit", ", ".join(todo) or "nothing is left to do")
    started = time.perf_counter()
    for place, name in enumerate(todo):
        path = paths[name]
        left = None if context.plan.budget is None else context.plan.budget - (time.perf_counter() - started)
        result = examine(name, context.plan.audits[name], context, None if left is None else max(0.0, left) / (len(todo) - place))
        for file in result.files:
            write_text(path.parent / file.name, file.text or "")
        write_json(path, result.to_json())
        context.folder.keep(*(f"audits/{name}/{file}" for file in (*(file.name for file in result.files), path.name)))
        context.events.audited(result)
    against = holding(context.folder, context.registry)
    verdict = judge(context.plan.gates, context.folder.results(), allow_failed=context.plan.allow_failed, against=against)
    write_json(context.folder.path / "verdict.json", verdict.to_json())
    return ("verdict.json", *(f"audits/{name}/result.json" for name in names))


def report(context: RunContext) -> Sequence[str]:
    """Render the report from the run's folder alone."""
    context.observer.phase("report", "report.html, summary.html, summary.md, junit.xml, findings.sarif")
    path = context.folder.path
    write_text(path / "report.html", render_report(path))
    write_text(path / "summary.html", render_summary(path))
    write_text(path / "summary.md", render_markdown(path))
    write_text(path / "junit.xml", render_junit(path))
    write_text(path / "findings.sarif", render_sarif(path))
    return ("report.html", "summary.html", "summary.md", "junit.xml", "findings.sarif")


def conclude(context: RunContext) -> None:
    """Write the manifest, and bring the indexes over all runs up to date."""
    context.events.finished()
    context.folder.seal()
    root = context.folder.path.parent
    try:
        refresh_index(root)
        write_text(root / "index.html", render_index(root))
    except Exception as error:  # the other runs must never cost this one
        context.observer.warn(f"the index of all runs could not be renewed: {error}")


def audit_again(context: RunContext, names: Sequence[str] = ()) -> None:
    """Throw away the results of audits (all, or those named) and do that phase and the report again; nothing is retrained.

    Raises:
        ExperimentError: A name is no audit of this run.
        RunError: The run was stopped before its predictions were made, or an audit needs an external model that was not stored.
    """
    known = list(context.plan.audits)
    strange = [name for name in names if name not in known]
    if strange:
        fix = suggest(strange[0], known)
        raise ExperimentError(f"the run has no audit '{strange[0]}'", got=strange[0], available=known, fix=fix)
    context.folder.require("predict")
    again = _repeatable(context, names or known, named=bool(names))
    with context.folder.locked():
        context.subject()  # what cannot be loaded again must not cost the results there are
        gone_now = {*again, *(name for name, choice in context.plan.audits.items() if reads_results(choice))}
        context.folder.reopen_audits(gone_now)
        _go_on(context, _trackers(context))


def _repeatable(context: RunContext, names: Sequence[str], *, named: bool) -> list[str]:
    """Return the audits that can be made again; those that need an external model keep their results.

    Raises:
        RunError: One that was named cannot be.
    """
    if not context.gone:
        return list(names)
    needs = {name: cast(AuditSpec, context.plan.audits[name].component.spec).needs for name in names}
    lost = [name for name, need in needs.items() if {"model", "gradients", "training data"} & set(need)]
    if lost and (named or len(lost) == len(names)):
        error = gone("the model")
        raise RunError(f"the audit '{lost[0]}' needs its model: {error.problem}", where=str(context.folder.path), fix=error.fix)
    if lost:
        context.observer.warn(f"kept as they are, for {gone('the model').problem}: {', '.join(lost)}")
    return [name for name in names if name not in lost]


def report_again(context: RunContext) -> None:
    """Render the report again.

    Raises:
        RunError: The run was stopped before its audits were done.
    """
    context.folder.require("audit")
    with context.folder.locked():
        context.folder.reopen("report")
        _go_on(context, {})


_PHASES: dict[str, Callable[[RunContext], Sequence[str]]] = {"fit": fit, "predict": predict, "audit": audit, "report": report}
