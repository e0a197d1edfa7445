"""What a compression of a run gets: its model, the same as a graph, training rows, and ways to build and to fit a network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from glassbench.compressing.students import student
from glassbench.contracts.compression import CompressionSource, Fit
from glassbench.contracts.data import Data, Split
from glassbench.contracts.estimator import opaque
from glassbench.contracts.exporting import LinearMap, TreeSum
from glassbench.contracts.mitigation import Facts, Mitigation
from glassbench.contracts.specs import TrainerSpec
from glassbench.contracts.task import Task
from glassbench.contracts.trainer import Trainer, Workspace
from glassbench.entry_points import built_in_or_all
from glassbench.errors import RunError
from glassbench.experiments.choice import Choice, settled
from glassbench.experiments.experiment_file import Document
from glassbench.experiments.mitigated_task import MitigatedTask
from glassbench.export.arrays_to_onnx import arrays_to_onnx
from glassbench.export.estimators import as_arrays
from glassbench.export.networks import network_to_onnx, program_of
from glassbench.export.scorer_folder import serialized
from glassbench.pipeline.building import blamed
from glassbench.pipeline.run_context import RunContext

_SAMPLE = 3


@dataclass(frozen=True, eq=False, kw_only=True)
class Original:
    """The model of a run that is compressed.

    Args:
        model: The model, called as a network is.
        arrays: What it computes where it is an estimator; None where it is a network.
    """

    model: nn.Module
    arrays: TreeSum | LinearMap | None

    @property
    def network(self) -> nn.Module | None:
        """The model where it is a network."""
        return self.model if self.arrays is None else None


def original_of(context: RunContext) -> Original:
    """Return the model of a run.

    Raises:
        RunError: It cannot be compressed: it has several inputs, or is an estimator of which nothing tells what it computes.
    """
    if context.gone:
        raise RunError("the model of this run is external and was not stored", fix="compress a run that trained its model")
    model = context.model
    if model is None:
        raise RunError("this run has no model that could be compressed", got="no model")
    test = context.data.test
    if not isinstance(test, Split) or len(test.take(np.arange(1)).batch(slice(None)).inputs) != 1:
        got = "episodes" if not isinstance(test, Split) else "a model with several inputs"
        raise RunError("compression serves models with one input and rows that are decided one by one", got=got)
    return Original(model=model, arrays=as_arrays(model, context.task.model_schema(context.schema)) if opaque(model) else None)


def source_of(context: RunContext, graph: bytes, folder: Path) -> CompressionSource:
    """Return what a compression of a run gets.

    Args:
        context: The run.
        graph: Its model as a graph.
        folder: Where networks that are fitted anew keep their checkpoints.
    """
    original = original_of(context)
    train = context.data.train
    return CompressionSource(
        model=original.model,
        network=original.network,
        arrays=original.arrays,
        graph=graph,
        train=train if isinstance(train, Split) and len(train) else None,
        task=context.task,
        schema=context.task.model_schema(context.schema),
        seed=context.plan.seed,
        build=lambda use, share: student(context, use, share),
        fit=_fitter(context, folder),
    )


def graph_of(model: nn.Module | TreeSum | LinearMap, context: RunContext) -> bytes:
    """Return a network, or arrays, as an ONNX graph for any number of rows."""
    test = cast(Split, context.data.test)
    inputs = test.take(np.arange(min(_SAMPLE, len(test)))).batch(slice(None)).inputs
    if len(inputs[0]) < 2:  # PyTorch takes a sample of one row for a constant
        inputs = tuple(torch.cat([tensor] * _SAMPLE) for tensor in inputs)
    if not isinstance(model, nn.Module):
        return serialized(arrays_to_onnx(model, inputs[0].shape[1]))
    return serialized(network_to_onnx(program_of(model.eval(), inputs)))


def fresh_task(context: RunContext, extra: Mitigation | None = None) -> Task:
    """Return the run's task made anew, so that calibrating it changes nothing else."""
    with blamed(context.plan.task, "checking the data"):
        task = cast(Task, context.plan.task.make())
        mitigations = [*context.plan.mitigations.made(), *([extra] if extra else [])]
        task = MitigatedTask(task, mitigations) if mitigations else task
        task.check(context.schema)
    return task


class _Objective(Mitigation):
    """What changes the loss of a network that is fitted anew, and nothing else."""

    def __init__(self, made: Callable[[Data], nn.Module]) -> None:
        self._made = made

    def objective(self, data: Data) -> nn.Module:
        """Return what changes the loss."""
        return self._made(data)

    def account(self, data: Data, facts: Facts) -> str:
        """Return what was done."""
        return "The loss was changed."


def _fitter(context: RunContext, folder: Path) -> Fit:
    def fit(network: nn.Module, objective: Callable[[Data], nn.Module] | None = None, *, epochs: int | None = None) -> nn.Module:
        choice = _network_trainer(context)
        with blamed(choice, "training a smaller network"):
            trainer = cast(Trainer, choice.make())
            if trainer.several_processes:
                raise RunError(
                    "a smaller network is trained in one process, and the run's trainer spreads over several",
                    fix="compress on one device: run the experiment with trainer.devices=1",
                )
            trainer = trainer if epochs is None else trainer.with_epochs(epochs)
            extra = None if objective is None else _Objective(objective)
            workspace = Workspace(seed=context.plan.seed, folder=folder, record=_unheard)
            return trainer.fit(network, fresh_task(context, extra), context.training_data, workspace).model.eval()

    return fit


def _network_trainer(context: RunContext) -> Choice:
    """Return the run's trainer; of a run whose trainer fits estimators, the usual one of networks."""
    own = cast(Choice, context.plan.trainer)
    if cast(TrainerSpec, own.component.spec).trains == "module":
        return own
    specs = [(one, cast(TrainerSpec, one.spec)) for one in context.registry.of_kind("trainer")]
    usual = built_in_or_all([one for one, spec in specs if spec.trains == "module" and spec.usual])
    if not usual:
        raise RunError("no installed trainer trains a network", got="none that is the usual one")
    return settled(usual[0], {}, "trainer", Document(content={}, text="", name="trainer", lines={}))


def _unheard(_: Mapping[str, Any]) -> None:
    """Take a line of the training history, which nobody reads."""
