"""A run beside the same experiment with a cleaning: what differs on the rows that both were judged by, and for whom."""

from pathlib import Path
from typing import Any

import pandas as pd

from glassbench.errors import RunError
from glassbench.experiments.cleaning import Cleaning
from glassbench.experiments.experiment import read_experiment
from glassbench.experiments.planning import make_plan
from glassbench.pipeline import phases
from glassbench.pipeline.run_context import RunContext
from glassbench.pipeline.run_observer import RunObserver, SilentObserver
from glassbench.registry import Registry
from glassbench.report import compare
from glassbench.report.cleaning_page import render_cleaning
from glassbench.run_handle import command_line
from glassbench.runs.artifacts import read_predictions
from glassbench.runs.comparison.decision_changes import changes
from glassbench.runs.run_folder import RunFolder
from glassbench.storage.files import read_object, write_json, write_text


def before_and_after(folder: Path, cleaning: Path, registry: Registry, *, observer: RunObserver | None = None) -> dict[str, Any]:
    """Train and audit the experiment of a run again with a cleaning, and compare both row by row.

    The new run stands beside the run; `before-after.json` and `before-after.html` are written beside the cleaning.

    Args:
        folder: The run, audited.
        cleaning: The cleaning's YAML file.
        registry: The plugins.
        observer: Is told of the new run's progress.

    Returns:
        `run`, `name`, `cleaned` (the new run), `cleaning` (what it did, as `provenance.json` of the new run has it), `comparison`
        (what `report.compare` returns) and `changes` (whose decision changed, on rows of the same truth in both), plain JSON
        values; `page` is where it can be read.

    Raises:
        GlassbenchError: The cleaning does not fit, or the run cannot be trained again.
    """
    run = RunFolder(folder)
    run.require("audit")
    context = RunContext(run, phases.replan(run, registry), registry, SilentObserver())
    if context.plan.external or context.plan.trainer is None:
        fix = "give the experiment a model and a trainer, so that it can be trained again"
        raise RunError("nothing of this run can be trained again", got="external decisions or an external model", fix=fix)
    content = {key: value for key, value in context.plan.resolved.items() if key not in ("overrides", "trackers")}
    content["gates"] = [gate for gate in content.get("gates", []) if gate.get("no_worse_than") is None]
    plan = make_plan(read_experiment({**content, "cleaning": {"file": str(cleaning)}}), registry)
    _refuse_same(plan.cleaning, context.plan.cleaning, run)
    after = phases.start(plan, registry, observer or SilentObserver(), folder.parent, command_line())
    phases.work(after)
    found = {
        "run": run.run,
        "name": context.plan.name,
        "cleaned": after.folder.run,
        "cleaning": read_object(after.folder.path / "provenance.json")["cleaning"],
        "comparison": compare([folder, after.folder.path], registry),
        "changes": _changes(context, after),
    }
    found["comparison"]["runs"] = [
        {**one, "name": label} for one, label in zip(found["comparison"]["runs"], ("before", "after"), strict=True)
    ]
    page = cleaning.parent / "before-after.html"
    write_json(cleaning.parent / "before-after.json", found)
    write_text(page, render_cleaning(found))
    return {**found, "page": str(page)}


def _refuse_same(new: Cleaning | None, old: Cleaning | None, run: RunFolder) -> None:
    if new is not None and old is not None and new.version == old.version:
        raise RunError("the run was made with this cleaning", got=f"version {new.version}", fix="name the run without it")


def _changes(before: RunContext, after: RunContext) -> list[dict[str, Any]]:
    """Return whose decision changed; of classes alone, and of rows whose truth is the same in both."""
    if before.schema.target.kind != "class":
        return []
    first, second = (read_predictions(one.folder.path) for one in (before, after))
    return changes(_same_truth(first, second), second, before.schema, before.schema.sensitive)


def _same_truth(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    if "y_true" not in first or "y_true" not in second or not second["row"].is_unique:
        return first
    theirs = first["row"].map(second.set_index("row")["y_true"].astype(str))
    return first[theirs.eq(first["y_true"].astype(str)) | theirs.isna()].reset_index(drop=True)
