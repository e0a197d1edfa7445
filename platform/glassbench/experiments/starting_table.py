"""An experiment to start from, written for a file of data."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from glassbench.contracts.specs import DatasetSpec, TaskSpec
from glassbench.errors import DataError, ExperimentError, suggest
from glassbench.experiments.experiment_file import dump
from glassbench.experiments.inspection import ColumnFacts, Inspection
from glassbench.experiments.planning import task_for
from glassbench.experiments.starting_text import ending, opening
from glassbench.registry import Registry, load_target

_MOST_CLASSES = 10
_MOST_GROUPS = 50
_FAVOURABLE = {
    "class": ("  # favourable: CLASS  # the outcome that is good for a person; parity is judged where it is known",),
    "value": ("  # favourable: higher  # or lower: what is good for a person; parity is judged where it is known",),
}
_MODELS = {"class": "hist-gradient-boosting", "value": "hist-gradient-boosting", "labels": "mlp"}
_GATES = {
    "class": "{measure: performance.accuracy, at_least: 0.65}",
    "labels": "{measure: performance.macro_f1, at_least: 0.6}",
    "value": "{measure: performance.r2, at_least: 0.3}",
}


def look(registry: Registry, file: Path, dataset: str = "table") -> Inspection:
    """Look at a file as a data set does.

    Raises:
        ComponentError: There is no such data set.
        ExperimentError: The data set cannot look at files.
        DataError: The file cannot be read.
    """
    spec = cast(DatasetSpec, registry.find("dataset", dataset).spec)
    if spec.inspector is None or spec.folders:
        specs = [cast(DatasetSpec, component.spec) for component in registry.of_kind("dataset")]
        able = [each.name for each in specs if each.inspector and not each.folders]
        raise ExperimentError(f"the data set '{spec.name}' cannot look at files", got=dataset, available=able)
    inspector = load_target(spec.inspector, f"the inspector of '{spec.name}'")
    return cast(Inspection, inspector(file, {}))


def table_experiment(
    registry: Registry,
    inspection: Inspection,
    *,
    dataset: str,
    target: str | None,
    sensitive: Sequence[str],
    task: str | None,
    model: str | None,
) -> str:
    """Return an experiment on a file: the settings that read it, and what each column holds as a comment.

    Args:
        registry: The plugins.
        inspection: What the file holds.
        dataset: The data set that reads it.
        target: The column to be predicted, or several yes/no columns apart by commas, which are labels; None is an error that
            names likely ones.
        sensitive: Columns to audit by; numbers of many values are cut into bands.
        task: The learning problem; None for the one that fits the target.
        model: The model; None for gradient boosting, of labels for a network.

    Raises:
        DataError: A column isn't there, has too many groups, or is named for two purposes.
    """
    if target is None:
        likely = [column.name for column in inspection.columns if "target" in column.looks_like]
        fix = f"--target '{likely[-1]}'" if likely else "see `glassbench inspect`"
        names = [column.name for column in inspection.columns]
        raise DataError("no column to be predicted is named", got="no --target", fix=fix, available=likely or names)
    goals = _goals(inspection, target)
    groups = [_group(_column(inspection, name, "--sensitive")) for name in sensitive]
    for goal in goals:
        if goal.name in sensitive:
            fix = "name another column under --sensitive"
            raise DataError(
                f"'{goal.name}' is both the target and a sensitive feature", got=goal.name, where="--sensitive", fix=fix
            )
    kind = _kind(goals)
    chosen = task or task_for(kind, registry)
    predicts = cast(TaskSpec, registry.find("task", chosen).spec).predicts
    settings = _settings(inspection, goals, groups, kind if kind != "labels" and predicts in ("class", "value") else None)
    content = {
        "dataset": {"use": dataset, "path": inspection.path, **settings},
        "task": {"use": chosen},
        "model": {"use": model or _MODELS[kind]},
        "gates": [],
        "seed": 0,
    }
    held = f"{inspection.rows:,} rows of {len(inspection.columns):,} columns"
    said = [*inspection.problems[:20], *_other_outcomes(inspection, goals)]
    return "\n".join(
        [
            *opening(held, Path(inspection.path).name.split(".")[0], said, "table"),
            *_with_columns(dump({"dataset": content["dataset"]}).rstrip(), inspection, settings),
            *(dump({key: content[key]}).rstrip() for key in ("task", "model")),
            *ending(_GATES[kind]),
        ]
    )


def _goals(inspection: Inspection, target: str) -> tuple[ColumnFacts, ...]:
    """Return the columns to be predicted: the one of that name, else those that its commas part."""
    names = [name.strip() for name in target.split(",") if name.strip()]
    if inspection.column(target) is not None or len(names) < 2:
        return (_column(inspection, target, "--target"),)
    return tuple(_column(inspection, name, "--target") for name in dict.fromkeys(names))


def _kind(goals: Sequence[ColumnFacts]) -> str:
    """Return the kind of target that columns are: several are labels."""
    if len(goals) > 1:
        return "labels"
    return "class" if goals[0].kind != "number" or goals[0].distinct <= _MOST_CLASSES else "value"


def _settings(inspection: Inspection, goals: Sequence[ColumnFacts], groups: Sequence[Any], kind: str | None) -> dict[str, Any]:
    targets = [goal.name for goal in goals]
    persons = [c.name for c in inspection.columns if "a person's id" in c.looks_like and c.name not in targets]
    drop = [name for name in inspection.settings.get("drop", ()) if name not in targets]
    given = {key: list(value) if isinstance(value, tuple) else value for key, value in inspection.settings.items()}
    return {
        "target": targets if len(targets) > 1 else targets[0],
        **({"kind": kind} if kind else {}),
        **({"sensitive": list(groups)} if groups else {}),
        **({"cluster": persons[0]} if persons else {}),
        **{key: value for key, value in given.items() if key != "drop"},
        **({"drop": drop} if drop else {}),
    }


def _with_columns(text: str, inspection: Inspection, settings: dict[str, Any]) -> list[str]:
    """Put what each column holds below the data set, as comments."""
    features = [each if isinstance(each, str) else each["column"] for each in settings.get("sensitive", ())]
    named = dict.fromkeys(features, "audited by, no input")
    targets = settings["target"] if isinstance(settings["target"], list) else [settings["target"]]
    named |= dict.fromkeys(targets, "target" if len(targets) == 1 else "label")
    named |= {settings.get("cluster"): "rows of one person belong together"}
    lines = [text, *_FAVOURABLE.get(settings.get("kind", "") if "sensitive" in settings else "", ()), "  # columns:"]
    for column in inspection.columns[:200]:
        words = named.get(column.name) or (column.use if column.use == "input" else f"left out: {column.reason}")
        lines.append(f"  #   {' '.join(column.name.split())[:60]}: {column.kind}, {words}")
    if len(inspection.columns) > 200:
        lines.append(f"  #   and {len(inspection.columns) - 200:,} more: see `glassbench inspect`")
    return lines


def _other_outcomes(inspection: Inspection, goals: Sequence[ColumnFacts]) -> list[str]:
    """Ask about inputs that are called as targets are: an outcome that is known later gives the answer away."""
    likely = [c for c in inspection.columns if "target" in c.looks_like and c.use == "input" and c.distinct <= _MOST_CLASSES]
    targets = [goal.name for goal in goals]
    others = [column.name for column in likely if column.name not in targets]
    if not others:
        return []
    names = ", ".join(" ".join(name.split()) for name in others[:10])
    return [f"inputs that may be outcomes too: {names}. If they are known after '{goals[0].name}' is, put them in dataset.drop."]


def _column(inspection: Inspection, name: str, where: str) -> ColumnFacts:
    column = inspection.column(name)
    if column is None:
        names = [each.name for each in inspection.columns]
        raise DataError(f"there is no column '{name}'", got=name, where=where, available=names, fix=suggest(name, names))
    return column


def _group(column: ColumnFacts) -> str | dict[str, Any]:
    """Return a sensitive feature: a column, or a number cut into bands."""
    if column.bands:
        return {"column": column.name, "bins": list(column.bands)}
    if column.distinct > _MOST_GROUPS:
        fix = "name a column of fewer groups, or merge them first"
        got = f"{column.distinct} different values, at most {_MOST_GROUPS}"
        raise DataError(
            f"the sensitive column '{column.name}' has too many groups to compare", got=got, where="--sensitive", fix=fix
        )
    return column.name
