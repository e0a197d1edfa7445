"""One compressed model of a run: made, stored and asked to decide the run's test rows."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from torch import nn

from glassbench.compressing.chains import Chain, harder
from glassbench.compressing.onnx_network import OnnxNetwork
from glassbench.compressing.source import fresh_task, graph_of, source_of
from glassbench.compressing.stored_model import as_stored, size_of, unpacked
from glassbench.compressing.torch_program import write_program
from glassbench.contracts.compression import Compressed, Compression, CompressionSource
from glassbench.contracts.data import Split
from glassbench.contracts.task import Predictions, Task
from glassbench.errors import FOREIGN, GlassbenchError, PluginError, said
from glassbench.pipeline.run_context import CALIBRATION, RunContext
from glassbench.storage.files import digests, read_object, write_file, write_json

FACTS = "candidate.json"
"""What a compressed model is; it is written last, so that a folder with it is whole."""

PREDICTIONS = "predictions.parquet"
_KEPT = ("resolved.yaml", "schema.json", "data.json", "provenance.json", "mitigations.json", CALIBRATION)
"""Files of the run that say what its rows and its predictions are."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Candidate:
    """A compressed model in its folder.

    Args:
        folder: The folder.
        facts: What is known of it.
        graph: Its graph.
    """

    folder: Path
    facts: Mapping[str, Any]
    graph: bytes

    @classmethod
    def read(cls, folder: Path) -> "Candidate":
        """Read one that was written whole."""
        facts = read_object(folder / FACTS)
        name = str(facts["file"])
        return cls(folder=folder, facts=facts, graph=unpacked({name: (folder / name).read_bytes()}))


@dataclass(frozen=True, eq=False, kw_only=True)
class _Made:
    graph: bytes
    network: nn.Module | None
    packed: bool
    trained: bool
    accounts: tuple[str, ...]
    facts: tuple[Mapping[str, Any], ...]

    @property
    def stored(self) -> int:
        return len(as_stored(self.graph, packed=self.packed)[1])


def make_candidate(
    chain: Chain, context: RunContext, graph: bytes, folder: Path, budget: int | None, *, torch_export: bool = False
) -> Candidate:
    """Return a compressed model, made into a folder unless it is there already.

    Where a `budget` of bytes is given, settings that compress more are tried until the file fits or none is left.

    Raises:
        GlassbenchError: The run's model cannot be compressed so.
    """
    if (folder / FACTS).is_file():
        return Candidate.read(folder)
    work = folder / "work"
    made, compressions, attempts = None, chain.made(), 0
    while True:
        attempts += 1
        made = _compressed(chain, compressions, context, source_of(context, graph, work / str(attempts)))
        further = harder(compressions) if budget is not None and made.stored > budget else None
        if further is None:
            break
        compressions = further
    found = _written(made, chain, context, folder)
    if torch_export:
        found["program"] = write_program(made.network, OnnxNetwork(made.graph), context, folder)
    fits = None if budget is None else found["size"]["stored"] <= budget
    write_json(folder / FACTS, {**found, "attempts": attempts, "fits": fits})
    shutil.rmtree(work, ignore_errors=True)
    return Candidate.read(folder)


def _compressed(chain: Chain, compressions: Sequence[Compression], context: RunContext, source: CompressionSource) -> _Made:
    done: list[Compressed] = []
    accounts: list[str] = []
    for choice, compression in zip(chain.choices, compressions, strict=True):
        result = _by(compression, source, choice.component.canonical)
        model = result.arrays if result.network is None else result.network
        written = result.graph if model is None else graph_of(model, context)
        assert written is not None
        source = replace(source, graph=written, network=result.network, arrays=result.arrays)
        done.append(result)
        accounts.append(compression.account(result.facts))
    return _Made(
        graph=source.graph,
        network=source.network,
        packed=any(one.packed for one in done),
        trained=any(one.trained for one in done),
        accounts=tuple(accounts),
        facts=tuple(one.facts for one in done),
    )


def _by(compression: Compression, source: CompressionSource, name: str) -> Compressed:
    """Have a compression work; the plugin boundary."""
    try:
        result = compression.compress(source)
    except GlassbenchError:
        raise
    except FOREIGN as error:
        fix = "see the traceback with --debug"
        raise PluginError(f"the compression '{name}' failed", got=said(error), fix=fix) from error
    if not isinstance(result, Compressed) or result.forms != 1:
        raise PluginError(
            f"the compression '{name}' must return Compressed with a network, arrays or a graph", got=type(result).__name__
        )
    return result


def _written(made: _Made, chain: Chain, context: RunContext, folder: Path) -> dict[str, Any]:
    """Write a model and how it decides the test rows; return what is known of it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _KEPT:
        if (context.folder.path / name).is_file():
            shutil.copyfile(context.folder.path / name, folder / name)
    network = OnnxNetwork(made.graph)
    task = _calibrated(made, network, context, folder)
    test = cast(Split, context.data.test)
    predictions = task.predict(network, test)
    task.kind.check(predictions.frame, context.schema)
    write_file(folder / PREDICTIONS, lambda path: predictions.frame.to_parquet(path, index=False))
    file, content = as_stored(made.graph, packed=made.packed)
    write_file(folder / file, lambda path: path.write_bytes(content))
    size = size_of(made.graph, packed=made.packed)
    return {
        "name": chain.name,
        "folder": chain.folder,
        "file": file,
        "steps": chain.resolved,
        "notes": [[chain.choices[k].component.name, list(map(list, spec.notes))] for k, spec in enumerate(chain.specs)],
        "done": list(made.accounts),
        "facts": [dict(one) for one in made.facts],
        "size": size.to_json(),
        "calibrated_again": made.trained and (folder / CALIBRATION).is_file(),
        "validation": validation_score(task, network, context),
        "sha256": digests({file: content, PREDICTIONS: (folder / PREDICTIONS).read_bytes()}),
    }


def _calibrated(made: _Made, network: OnnxNetwork, context: RunContext, folder: Path) -> Task:
    """Return the run's task with its calibration, or with one of its own for a network that learnt anew."""
    task = fresh_task(context)
    path = folder / CALIBRATION
    if made.trained and path.is_file():
        found = fresh_task(context).calibrate(network, context.data)
        write_json(path, found)
    if path.is_file():
        task.use_calibration(read_object(path))
    return task


def validation_score(task: Task, network: Any, context: RunContext) -> dict[str, Any] | None:
    """Return the headline metric on the validation rows, each as often as it counts, by which models are chosen.

    None where there are no such rows.
    """
    rows = context.data.validation
    if not isinstance(rows, Split) or not len(rows) or rows.target is None:
        return None
    metric = task.metrics[0]
    predictions: Predictions = task.predict(network, rows)
    value = float(metric.compute(predictions.frame, predictions.sampling.weight[None])[0])
    known = np.isfinite(value)
    return {"metric": metric.name, "value": value, "higher_is_better": metric.higher_is_better} if known else None


def predictions_of(candidate: Candidate) -> pd.DataFrame:
    """Return how a candidate decided the test rows."""
    return pd.read_parquet(candidate.folder / PREDICTIONS)
