"""A run's model compressed in several ways, each held against the original on the run's test rows."""

from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from glassbench.compressing.against_original import against_original, compared_audits
from glassbench.compressing.candidate import Candidate, make_candidate, validation_score
from glassbench.compressing.chains import Chain, chains_of
from glassbench.compressing.draft import draft_of
from glassbench.compressing.onnx_network import OnnxNetwork
from glassbench.compressing.source import graph_of, original_of
from glassbench.compressing.speed import BATCH, energies, speeds
from glassbench.compressing.stored_model import bytes_of, size_of
from glassbench.contracts.data import Split
from glassbench.errors import GlassbenchError, RunError
from glassbench.pipeline.phases import replan
from glassbench.pipeline.run_context import RunContext
from glassbench.pipeline.run_observer import SilentObserver
from glassbench.registry import Registry
from glassbench.report.compression_page import render_compression
from glassbench.runs.run_folder import RunFolder
from glassbench.storage.files import read_object, write_json, write_text

ORIGINAL = "original"
"""What the run's own model is called."""

FOUND, PAGE = "compression.json", "compression.html"

Told = Callable[[str, str], None]
"""Called with a chain's name and what happens to it."""


def compress(
    run: Path,
    registry: Registry,
    *,
    to: Sequence[str] = (),
    settings: Sequence[str] = (),
    fit_in: str | int | None = None,
    tolerance: float = 0.01,
    torch_export: bool = False,
    output: Path | None = None,
    told: Told | None = None,
) -> dict[str, Any]:
    """Compress a run's model, and hold each compressed model against the original, paired, on the run's test rows.

    Compressed models, their predictions, `compression.json` and `compression.html` are written into a new folder, whole or not at
    all. Killed, the same call goes on where it stopped.

    Args:
        run: The run's folder, audited.
        registry: The plugins.
        to: Compressions by name, `a+b` one after the other; none tries each built-in one that can serve the run.
        settings: Their settings, such as `pruned.share=0.9`.
        fit_in: The bytes that a model's file may take, such as `256KiB`. Compressions that can go further do so until they fit;
            the best by the task's headline metric on validation rows is chosen among those that fit.
        tolerance: The loss of a group or class that counts as kept, a share of rows; of values a share of their spread.
        torch_export: Whether networks are written as a PyTorch program (`model.pt2`) too.
        output: The new folder; None for `RUN-compressed` in the current folder.
        told: Is told of each compression as it begins and ends.

    Returns:
        `run`, `name`, `folder`, `page`, `original` and `candidates` (sizes, speeds, what changed for whom), `refused` (with the
        reason), `fit_in`, `chosen` and `tolerance`, plain JSON values.

    Raises:
        GlassbenchError: The run has no model that can be compressed, a name or a setting is wrong, or nothing that was asked for
            can serve it.
    """
    budget, chains = bytes_of(fit_in), chains_of(to, settings, registry)
    folder = RunFolder(run)
    folder.require("audit")
    folder.confirm()
    context = RunContext(folder, replan(folder, registry), registry, SilentObserver())
    original = original_of(context)
    place = (output or Path(f"{folder.run}-compressed")).absolute()
    request = {
        "run": folder.run,
        "chains": [chain.resolved for chain in chains],
        "fit_in": budget,
        "tolerance": tolerance,
        "torch_export": torch_export,
        "version": version("glassbench"),
    }
    with draft_of(place, request) as draft:
        graph = graph_of(original.model if original.arrays is None else original.arrays, context)
        make = partial(make_candidate, context=context, graph=graph, budget=budget, torch_export=torch_export)
        made, refused = _made(chains, make, draft, strict=bool(to), told=told or _silent)
        found = _found(made, refused, context, graph, budget, tolerance)
        write_json(draft / FOUND, found)
        write_text(draft / PAGE, render_compression(found))
    return {**found, "folder": str(place), "page": str(place / PAGE)}


def _silent(_: str, __: str) -> None:
    """Say nothing."""


def _made(
    chains: Sequence[Chain], make: Callable[..., Candidate], draft: Path, *, strict: bool, told: Told
) -> tuple[list[Candidate], list[dict[str, str]]]:
    """Return compressed models, and those of all installed ones that cannot serve the run."""
    made, refused = [], []
    for chain in chains:
        told(chain.name, "compressing")
        try:
            made.append(make(chain, folder=draft / chain.folder))
        except GlassbenchError as error:
            if strict:
                raise
            refused.append({"name": chain.name, "reason": str(error.problem)})
            told(chain.name, f"cannot serve this run: {error.problem}")
    if not made:
        reasons = "; ".join(f"{one['name']}: {one['reason']}" for one in refused)
        raise RunError("no installed compression can serve this run", got=reasons[:400] or "no compression is installed")
    return made, refused


def _found(
    made: Sequence[Candidate],
    refused: Sequence[dict[str, str]],
    context: RunContext,
    graph: bytes,
    budget: int | None,
    tolerance: float,
) -> dict[str, Any]:
    names = compared_audits(context)
    results = [result for result in context.folder.results() if result.audit in names]
    networks = {ORIGINAL: OnnxNetwork(graph), **{str(one.facts["name"]): OnnxNetwork(one.graph) for one in made}}
    inputs = cast(Split, context.data.test).batch(slice(0, BATCH)).inputs[0].numpy(force=True)
    taken, energy = speeds(networks, inputs), energies(networks, inputs)
    candidates = [
        {
            **{name: value for name, value in one.facts.items() if name != "sha256"},
            "speed": taken[str(one.facts["name"])],
            "energy": energy[str(one.facts["name"])],
            **against_original(one, context, results, tolerance),
        }
        for one in made
    ]
    headline = validation_score(context.task, context.model, context)
    size = size_of(graph, packed=False).to_json()
    return {
        "run": context.folder.run,
        "name": context.plan.name,
        "data": read_object(context.folder.path / "data.json").get("fingerprint"),
        "tolerance": tolerance,
        "fit_in": budget,
        "chosen": _chosen(candidates, budget),
        "original": {"size": size, "speed": taken[ORIGINAL], "energy": energy[ORIGINAL], "validation": headline},
        "candidates": candidates,
        "refused": list(refused),
    }


def _chosen(candidates: Sequence[dict[str, Any]], budget: int | None) -> str | None:
    """Return the model that fits and is best on validation rows, the smaller of equals; None where none fits or nothing must."""
    fitting = [one for one in candidates if one["fits"]]
    if budget is None or not fitting:
        return None

    def merit(one: dict[str, Any]) -> tuple[float, int]:
        known = one["validation"]
        worth = 0.0 if known is None else known["value"] if known["higher_is_better"] else -known["value"]
        return worth, -one["size"]["stored"]

    return str(max(fitting, key=merit)["name"])
