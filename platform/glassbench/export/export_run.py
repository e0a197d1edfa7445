"""A finished run, exported: written whole, after it was held against the run, or not at all."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from glassbench.errors import ExperimentError, RunError, suggest
from glassbench.export.agreement import ROWS, Agreement, agreement
from glassbench.export.card import CARD, card
from glassbench.export.made_rows import made_rows
from glassbench.export.networks import program_of
from glassbench.export.parts import FORMS, Parts, parts_of
from glassbench.export.raw_graph import raw_graph
from glassbench.export.raw_program import RowsProgram, TableProgram, sample_rows
from glassbench.export.scorer.score import Scorer
from glassbench.export.scorer_folder import core_onnx, scorer_files, serialized
from glassbench.export.trial import asked_onnx, asked_program, tried
from glassbench.export.use import SCORER_USE, onnx_use, program_use
from glassbench.run_handle import Run
from glassbench.storage.files import digests, json_text, storage, temporary_name

FACTS = "export.json"
"""What an export is and how it was tried."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written.

    Args:
        folder: The folder.
        form: `onnx`, `torch-export` or `scorer`.
        agreement: How its predictions were held against the run's.
        size: Bytes of all files.
    """

    folder: Path
    form: str
    agreement: Agreement
    size: int


def export_run(run: Run, form: str, folder: str | Path) -> Exported:
    """Export a finished run into a new folder.

    Args:
        run: The run.
        form: `onnx`, `torch-export` or `scorer`.
        folder: The folder, which must not exist.

    Raises:
        ExperimentError: There is no such form, or the folder exists.
        RunError: The run cannot be exported, or its export would predict something else; nothing is written then.
    """
    place = Path(folder)
    if form not in FORMS:
        raise ExperimentError(f"there is no export to '{form}'", got=form, available=FORMS, fix=suggest(form, FORMS))
    if place.exists() or place.is_symlink():
        raise ExperimentError("the export would replace what is there", where=str(place), fix="name another folder with --output")
    parts = parts_of(run)
    draft = temporary_name(place)
    try:
        with storage(place):
            agreed = _FORMS[form](parts, draft)
            draft.rename(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    return Exported(folder=place, form=form, agreement=agreed, size=size)


def _scorer(parts: Parts, draft: Path) -> Agreement:
    """Write a scorer's folder and hold it against the run."""
    files = scorer_files(parts)
    _write(draft, files)
    rows = made_rows(parts.preprocessing, ROWS)
    scored = pd.DataFrame(Scorer(draft).predict({str(name): cells.tolist() for name, cells in rows.items()}))
    agreed = agreement(parts.run.predict(rows), scored)
    _finish(draft, files, parts, "scorer", agreed, SCORER_USE)
    return agreed


def _onnx(parts: Parts, draft: Path) -> Agreement:
    """Write a graph and hold it against the run."""
    graph = raw_graph(core_onnx(parts), parts)
    files = {"model.onnx": serialized(graph), **_told(parts)}
    _write(draft, files)
    agreed = tried(parts, asked_onnx(files["model.onnx"], parts))
    _finish(draft, files, parts, "onnx", agreed, onnx_use(graph, parts))
    return agreed


def _torch_export(parts: Parts, draft: Path) -> Agreement:
    """Write a PyTorch program and hold it against the run."""
    if parts.decision.get("by"):
        raise RunError(
            "a PyTorch program takes numbers and places of categories, which do not tell the group of a row",
            got=f"intervals that are corrected by groups of '{parts.decision['by']['feature']}'",
            available=["onnx", *(["scorer"] if parts.tabular else [])],
            fix="export it with --to scorer",
        )
    if parts.arrays is not None:
        raise RunError(
            "PyTorch exports networks alone",
            got=f"the model {type(getattr(parts.model, 'estimator', parts.model)).__name__}",
            available=["onnx", *(["scorer"] if parts.tabular else [])],
            fix="export it with --to onnx",
        )
    network = TableProgram(parts) if parts.tabular else RowsProgram(parts)
    program = program_of(network.eval(), sample_rows(parts))
    draft.mkdir(parents=True, exist_ok=True)
    torch.export.save(program, str(draft / "model.pt2"))
    _write(draft, _told(parts))
    files = {path.name: path.read_bytes() for path in draft.iterdir()}
    agreed = tried(parts, asked_program(program, parts))
    _finish(draft, files, parts, "torch-export", agreed, program_use(parts))
    return agreed


def _told(parts: Parts) -> dict[str, bytes]:
    """Return the files that say how rows become inputs and outputs predictions; a tokenizer gets one of its own."""
    rows = {name: value for name, value in parts.preprocessing.items() if name != "tokenizer"}
    files = {"preprocessing.json": json_text({"rows": rows, "decision": parts.decision}).encode()}
    tokenizer = parts.preprocessing.get("tokenizer")
    return files if tokenizer is None else {**files, "tokenizer.json": json_text(tokenizer).encode()}


def _finish(draft: Path, files: Mapping[str, bytes], parts: Parts, form: str, agreed: Agreement, use: str) -> None:
    """Write what is known only once the export was tried."""
    facts: dict[str, Any] = {
        "form": form,
        "run": parts.run.folder.name,
        "glassbench": version("glassbench"),
        "target": parts.schema.target.name,
        "agreement": agreed.to_json(),
        "sha256": digests(files),
    }
    _write(draft, {FACTS: json_text(facts).encode(), CARD: card(parts, agreed, use).encode()})


def _write(draft: Path, files: Mapping[str, bytes]) -> None:
    draft.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (draft / name).write_bytes(content)


_FORMS: Mapping[str, Callable[[Parts, Path], Agreement]] = {"onnx": _onnx, "torch-export": _torch_export, "scorer": _scorer}
