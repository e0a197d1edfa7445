"""Baseline runs that gates name: found and checked before anything is trained, held against when the audits are done."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data, Split
from glassbench.contracts.evidence import Measure
from glassbench.contracts.schema import Schema
from glassbench.errors import ExperimentError, GlassbenchError, RunError, suggest
from glassbench.experiments.experiment import read_experiment
from glassbench.experiments.gates import Gate, GateVerdict, selected
from glassbench.experiments.plan import Plan
from glassbench.registry import Registry
from glassbench.runs.all_runs import find_run
from glassbench.runs.artifacts import read_schema
from glassbench.runs.comparison.baseline import judge_against
from glassbench.runs.comparison.differences import RunDifferences, differences
from glassbench.runs.comparison.judged_run import JudgedRun
from glassbench.runs.run_folder import RunFolder


def with_baselines(plan: Plan, root: Path) -> Plan:
    """Return a plan whose gates name their baseline runs in full, after making sure that they can be held against them.

    Args:
        plan: The plan.
        root: The folder of all runs.

    Raises:
        ExperimentError: A baseline run is missing, unfinished, damaged or of another task, or a measure or a margin does not fit.
    """
    gates = [gate if gate.no_worse_than is None else _checked(plan, place, gate, root) for place, gate in enumerate(plan.gates)]
    return replace(plan, gates=tuple(gates))


def _checked(plan: Plan, place: int, gate: Gate, root: Path) -> Gate:
    where = plan.document.where(f"gates.{place}.no_worse_than")
    assert gate.no_worse_than is not None
    folder = _baseline(gate.no_worse_than, root, where)
    _check_task(plan, folder, where)
    measures = [measure for result in folder.results() for measure in result.measures]
    _check_measures(gate, measures, plan.document.where(f"gates.{place}.measure"), folder.run)
    _check_margin(gate, selected(gate, measures), plan.document.where(f"gates.{place}.margin"))
    inside = folder.path.parent.absolute() == root.absolute()
    return gate.model_copy(update={"no_worse_than": folder.run if inside else str(folder.path.absolute())})


def _baseline(name: str, root: Path, where: str) -> RunFolder:
    try:
        folder = find_run(os.path.expanduser(name), root)
        folder.confirm()
        folder.require("audit")
    except RunError as error:
        problem = f"a gate's baseline run cannot be used: {error.problem}"
        raise ExperimentError(problem, where=where, got=error.got or name, available=error.available, fix=error.fix) from error
    return folder


def _check_task(plan: Plan, folder: RunFolder, where: str) -> None:
    content = read_experiment(folder.path / "resolved.yaml").content
    task = content.get("task")
    used = str(task.get("use") if isinstance(task, dict) else task)
    if used not in (plan.task.component.canonical, plan.task.component.name):
        raise ExperimentError(
            "a gate's baseline run is of another task",
            where=where,
            got=used,
            available=[plan.task.component.canonical],
            fix="name a run of the same task",
        )


def _check_measures(gate: Gate, measures: Sequence[Measure], where: str, run: str) -> None:
    names = sorted({measure.name for measure in measures})
    found = selected(gate, measures)
    if not found:
        fix = suggest(gate.measure, names) or "name a measure that the baseline run holds"
        problem = f"the baseline run {run} does not hold the measure of a gate"
        raise ExperimentError(problem, where=where, got=gate.measure, available=names, fix=fix)
    if all(measure.higher_is_better is None for measure in found):
        directed = sorted({measure.name for measure in measures if measure.higher_is_better is not None})
        raise ExperimentError(
            "neither more nor less of a gate's measure is better, so that no run is worse by it",
            where=where,
            got=gate.measure,
            available=directed,
            fix="name a measure with a good direction, such as a gap between groups",
        )


def _check_margin(gate: Gate, measures: Sequence[Measure], where: str) -> None:
    """Refuse a margin of 1 or more where every measure is seen to be a share, most likely meant in percent."""
    assert gate.margin is not None
    ends = [end for m in measures for end in (m.value, m.low, m.high) if end is not None]
    shares = all(m.unit is None for m in measures) and bool(ends) and all(0 <= end <= 1 for end in ends)
    if gate.margin >= 1 and shares:
        raise ExperimentError(
            f"{gate.measure} lies between 0 and 1, so that a margin of {gate.margin:g} allows anything",
            where=where,
            got=f"{gate.margin:g}",
            fix=f"margin: {gate.margin / 100:g}, which is {gate.margin:g} points",
        )


def check_baseline_rows(plan: Plan, data: Data, root: Path) -> list[str]:
    """Make sure that baseline runs were judged by the same rows as this run will be, or by none of them.

    Args:
        plan: The plan.
        data: The data, read.
        root: The folder of all runs.

    Returns:
        A line for each baseline run that was judged by other rows, with which this run can be compared by intervals alone.

    Raises:
        ExperimentError: The target differs, or the runs share some rows and not all.
    """
    warnings = []
    for name in dict.fromkeys(gate.no_worse_than for gate in plan.gates if gate.no_worse_than is not None):
        folder = find_run(name, root)
        _check_target(read_schema(folder.path / "schema.json"), data.schema, name)
        path = folder.path / "predictions.parquet"
        if not isinstance(data.test, Split) or not path.is_file():
            continue
        theirs = set(pd.read_parquet(path, columns=["row"])["row"].astype(str))
        ours = set(map(str, np.asarray(data.test.rows).tolist()))
        shared = len(ours & theirs)
        if shared and shared < max(len(ours), len(theirs)):
            raise ExperimentError(
                f"the baseline run {name} was judged by other rows than this run would be",
                got=f"{shared:,} rows in both, of {len(theirs):,} and {len(ours):,}",
                fix="hold out the same rows in both: the same data, split and seed",
            )
        if not shared:
            warnings.append(f"the baseline run {name} was judged by other rows: gates on it compare independent samples")
    return warnings


def _check_target(theirs: Schema, ours: Schema, name: str) -> None:
    for what in ("name", "kind", "classes"):
        there, here = getattr(theirs.target, what), getattr(ours.target, what)
        if there != here:
            raise ExperimentError(
                f"the baseline run {name} predicts something else: the target's {what} differs",
                got=str(there),
                available=[str(here)],
                fix="name a run on the same data",
            )


def holding(folder: RunFolder, registry: Registry) -> Callable[[Gate], GateVerdict]:
    """Return what holds a gate of a run against its baseline run; each baseline is read once.

    Args:
        folder: The run, its audits done.
        registry: The plugins.
    """
    known: dict[str, RunDifferences | str] = {}

    def judged(gate: Gate) -> GateVerdict:
        name = str(gate.no_worse_than)
        if name not in known:
            known[name] = _differences(name, folder, registry)
        found = known[name]
        if isinstance(found, str):
            return GateVerdict(gate=gate, verdict="insufficient evidence", reason=found)
        return judge_against(gate, found)

    return judged


def _differences(name: str, folder: RunFolder, registry: Registry) -> RunDifferences | str:
    """Return how a run differs from its baseline, or why that cannot be told now."""
    try:
        baseline = find_run(name, folder.path.parent)
        baseline.confirm()
        baseline.require("audit")
        pair = [JudgedRun(path=one.path, results=one.results(), registry=registry) for one in (baseline, folder)]
        return differences(pair[0], pair[1])
    except GlassbenchError as error:
        return f"the baseline run {name} cannot be held against: {error.problem}"
