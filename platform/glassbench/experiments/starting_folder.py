"""An experiment to start from, written for a folder of images, sounds or texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from glassbench.contracts.specs import DatasetSpec
from glassbench.errors import DataError, ExperimentError
from glassbench.experiments.experiment_file import dump
from glassbench.experiments.folder_inspection import FolderInspection
from glassbench.experiments.starting_text import ending, opening
from glassbench.registry import Component, Registry, load_target

_SHOWN = 50
_GATE = "{measure: performance.accuracy, at_least: 0.65}"


def reader_of(registry: Registry, folder: Path, tables: Sequence[str]) -> str | None:
    """Return the data set that reads most of a folder's files, None where most are tables or nothing reads them.

    Args:
        registry: The plugins.
        folder: The folder.
        tables: Endings of tables, which count where they lie in the folder itself.
    """
    files = [file for file in folder.rglob("*") if file.is_file() and not file.name.startswith(".")]
    flat = [file for file in files if file.parent == folder and file.suffix.lower() in tables]
    others = [file.suffix.lower() for file in set(files) - set(flat)]
    counts = {
        component.spec.name: sum(ending in cast(DatasetSpec, component.spec).folders for ending in others)
        for component in folder_readers(registry)
    }
    best = max(counts, key=lambda name: counts[name], default=None)
    return best if best is not None and counts[best] > len(flat) else None


def reader_beside_table(registry: Registry, folder: Path, tables: Sequence[str]) -> str | None:
    """Return the data set that may read files which lie beside a table and could be tables by their ending, as texts could.

    Args:
        registry: The plugins.
        folder: The folder.
        tables: Endings of tables.
    """
    flat = [file.suffix.lower() for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")]
    for component in folder_readers(registry):
        claimed = [ending for ending in flat if ending in cast(DatasetSpec, component.spec).folders]
        sure = [ending for ending in flat if ending in tables and ending not in claimed]
        if sure and len(claimed) > len(sure) and set(claimed) & set(tables):
            return component.spec.name
    return None


def folder_readers(registry: Registry) -> list[Component]:
    """Return the data sets that read folders."""
    return [component for component in registry.of_kind("dataset") if cast(DatasetSpec, component.spec).folders]


def look_into(registry: Registry, folder: Path, dataset: str, target: str | None = None) -> FolderInspection:
    """Look at a folder as a data set does.

    Args:
        registry: The plugins.
        folder: The folder.
        dataset: The data set.
        target: The column of classes of a table in the folder, where a person named it.

    Raises:
        ComponentError: There is no such data set.
        ExperimentError: The data set reads no folders.
        DataError: The folder holds nothing for it.
    """
    component = registry.find("dataset", dataset)
    spec = cast(DatasetSpec, component.spec)
    if not spec.folders or spec.inspector is None:
        able = [each.spec.name for each in folder_readers(registry)]
        raise ExperimentError(f"the data set '{spec.name}' cannot look at folders", got=dataset, available=able)
    component.load()  # names what is not installed, with the fix
    return cast(FolderInspection, load_target(spec.inspector, f"the inspector of '{spec.name}'")(folder, {"target": target}))


def folder_experiment(
    inspection: FolderInspection, *, target: str | None, sensitive: Sequence[str], task: str | None, model: str | None
) -> str:
    """Return an experiment on a folder, with what it holds as comments.

    Args:
        inspection: What the folder holds.
        target: The table's column of classes, where a table names them; else None: the folders are the classes.
        sensitive: Features to audit by that the data set measures itself.
        task: The learning problem; None for classification.
        model: The model; None for a small one.

    Raises:
        DataError: Another target is named, or there is one class only.
    """
    if target not in (None, inspection.target):
        fix = "leave --target out; for labels in a table put the table beside the files, without folders of classes"
        known = "the folders are" if inspection.target is None else f"the column '{inspection.target}' names"
        raise DataError(f"{known} the classes to be predicted", got=target, where="--target", fix=fix)
    if len(inspection.classes) < 2:
        got = ", ".join(inspection.classes) or "none that can be read"
        fix = "put files of each class into a folder of their own"
        raise DataError("there is nothing to tell apart: the folder holds one class only", got=got, where="FILE", fix=fix)
    dataset: dict[str, Any] = {"use": inspection.dataset, "path": inspection.path, **inspection.settings}
    dataset |= {"sensitive": list(sensitive)} if sensitive else {}
    classes = [f"  #   {' '.join(label.split())[:60]}: {count:,}" for label, count in list(inspection.classes.items())[:_SHOWN]]
    more = [f"  #   and {len(inspection.classes) - _SHOWN:,} more"] if len(inspection.classes) > _SHOWN else []
    held = f"{inspection.files:,} {inspection.holds} in {len(inspection.classes):,} classes"
    return "\n".join(
        [
            *opening(held, Path(inspection.path).resolve().name, inspection.problems, "folder"),
            dump({"dataset": dataset}).rstrip(),
            f"  # classes ({inspection.holds}):",
            *classes,
            *more,
            dump({"task": {"use": task or "classification"}}).rstrip(),
            dump({"model": {"use": model or inspection.model}}).rstrip(),
            *ending(_GATE),
        ]
    )
