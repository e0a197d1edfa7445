"""A run's gap, mitigations tried against it on the same rows, and what each did."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from glassbench.contracts.evidence import Measure
from glassbench.contracts.metric import Metric
from glassbench.contracts.task import Task
from glassbench.errors import RunError, suggest
from glassbench.mitigating.proposals import Proposal, proposals, unmitigated, worst_gap
from glassbench.pipeline.phases import replan
from glassbench.pipeline.run_context import RunContext
from glassbench.pipeline.run_observer import SilentObserver
from glassbench.registry import Registry
from glassbench.report import compare
from glassbench.report.mitigation_page import render_mitigation
from glassbench.runs.artifacts import read_predictions
from glassbench.runs.comparison.decision_changes import changes
from glassbench.runs.run_folder import RunFolder
from glassbench.runs.verdict_form import read_verdict
from glassbench.storage.files import write_json, write_text
from glassbench.studies import Study, run_study
from glassbench.studies.supply import Told


def propose(
    folder: Path, registry: Registry, *, gap: str | None = None, by: Sequence[str] | None = None
) -> tuple[RunContext, Measure, list[Proposal]]:
    """Return a run, its gap, and every installed mitigation with whether it can serve.

    Raises:
        RunError: The run is not audited, measured no gap, or cannot be trained again.
    """
    run = RunFolder(folder)
    run.require("audit")
    context = RunContext(run, replan(run, registry), registry, SilentObserver())
    found = worst_gap(run.results(), read_verdict(run.path / "verdict.json")["gates"], measure=gap, by=by)
    return context, found, proposals(context, found, registry)


def mitigate(
    folder: Path,
    registry: Registry,
    *,
    gap: str | None = None,
    by: Sequence[str] | None = None,
    only: Sequence[str] = (),
    studies: Path = Path("studies"),
    workers: int | None = None,
    told: Told | None = None,
) -> dict[str, Any]:
    """Try mitigations that fit a run as a study over the same split and seed, and compare each with the run row by row.

    `mitigation.json` and `mitigation.html` are written into the study's folder.

    Args:
        folder: The run, audited.
        registry: The plugins.
        gap: The measure to be mended; None for the gravest gap between groups.
        by: The features whose groups it compares.
        only: Names of mitigations to try; none tries all that fit.
        studies: The folder of all studies.
        workers: Runs at work at one time.
        told: Called with each run that came to its end.

    Returns:
        `run`, `gap`, `headline` (the measure of the task's first metric), `proposals` (with the reason why one cannot serve),
        `study`, `page`, `same` (`rows` or `episodes`, by which all are judged), `comparison` (what `report.compare` returns: the
        run, then each mitigated one) and `changes` (of each mitigated run, whose decision changed; none of episodes, whose steps
        are what earlier decisions led to), plain JSON values.

    Raises:
        GlassbenchError: Nothing fits, a name is unknown, or no run came to its end.
    """
    context, measure, found = propose(folder, registry, gap=gap, by=by)
    chosen = _chosen(found, only)
    metric = cast(Task, context.plan.task.make()).metrics[0]
    headline = _headline(context, metric)
    asked = _study(context, measure, headline, metric, chosen)
    study = run_study(asked, studies=studies, workers=workers, registry=registry, told=told)
    content = {**_compared(folder, context, measure, found, chosen, study, registry), "headline": headline}
    page = study.folder / "mitigation.html"
    write_json(study.folder / "mitigation.json", content)
    write_text(page, render_mitigation(content))
    return {**content, "page": str(page)}


def _chosen(found: Sequence[Proposal], only: Sequence[str]) -> list[Proposal]:
    fitting = [one for one in found if one.reason is None]
    for name in only:
        one = next((p for p in found if name in (p.name, p.use["use"])), None)
        if one is None:
            names = [p.name for p in found]
            raise RunError(f"no mitigation is named '{name}'", got=name, available=names, fix=suggest(name, names))
        if one.reason is not None:
            names = [p.name for p in fitting]
            raise RunError(f"the mitigation '{name}' cannot serve this run: {one.reason}", got=name, available=names)
    chosen = [one for one in fitting if not only or {one.name, str(one.use["use"])} & set(only)]
    if not chosen:
        reasons = "; ".join(f"{one.name}: {one.reason}" for one in found)
        raise RunError("no installed mitigation can serve this run", got=reasons[:400])
    return chosen


def _study(context: RunContext, gap: Measure, headline: str | None, metric: Metric, chosen: Sequence[Proposal]) -> dict[str, Any]:
    objectives = [{"measure": gap.name, "by": list(gap.by or ()), "goal": "minimize"}]
    if headline is not None:
        objectives.append({"measure": headline, "goal": "maximize" if metric.higher_is_better else "minimize"})
    return {
        "name": f"mitigations of {context.plan.name}"[:120],
        "experiment": unmitigated(context),
        "vary": {"seeds": [context.plan.seed], "grid": {"mitigations": [[], *([dict(one.use)] for one in chosen)]}},
        "objectives": objectives,
    }


def _headline(context: RunContext, metric: Metric) -> str | None:
    """Return the measure of a metric over all rows, of the audit that gives it an interval where one does."""
    whole = [m for r in context.folder.results() for m in r.measures if m.by is None and m.group is None]
    found = [m for m in whole if m.name.rpartition(".")[2] == metric.name]
    return next((m.name for m in sorted(found, key=lambda m: m.low is None)), None)


def _compared(
    folder: Path,
    context: RunContext,
    gap: Measure,
    found: Sequence[Proposal],
    chosen: Sequence[Proposal],
    study: Study,
    registry: Registry,
) -> dict[str, Any]:
    named = {str(one.use["use"]): one.name for one in chosen}
    done = [trial for trial in study.trials if trial.settings["mitigations"] and trial.run not in study.failures]
    folders = [study.folder / "runs" / trial.run for trial in done]
    finished = [(trial, path) for trial, path in zip(done, folders, strict=True) if (path / "report.html").is_file()]
    labels = ["before", *(named[trial.settings["mitigations"][0]["use"]] for trial, _ in finished)]
    comparison = compare([folder, *(path for _, path in finished)], registry)
    runs = [{**run, "name": label} for run, label in zip(comparison["runs"], labels, strict=True)]
    before = read_predictions(folder)
    played = context.task.kind.episode_output(before, context.schema) is not None
    effects = [
        {
            "mitigation": label,
            "run": trial.run,
            "changes": [] if played else changes(before, read_predictions(path), context.schema, gap.by or ()),
        }
        for label, (trial, path) in zip(labels[1:], finished, strict=True)
    ]
    return {
        "run": context.folder.run,
        "name": context.plan.name,
        "gap": {"measure": gap.name, "by": list(gap.by or ()), "value": gap.value, "low": gap.low, "high": gap.high},
        "proposals": [
            {"name": one.name, "use": dict(one.use), "reason": one.reason, "notes": [list(n) for n in one.notes]} for one in found
        ],
        "study": str(study.folder),
        "failures": study.failures,
        "same": "episodes" if played else "rows",
        "comparison": {**comparison, "runs": runs},
        "changes": effects,
    }
