"""The same training through the platform and in a plain PyTorch loop that takes the same steps.

Both train the same network from the same weights on the same rows in the same order, with the same optimizer, precision and
`torch.compile`; both do a few steps beforehand, so that kernels are compiled and loaded. Data: Fashion-MNIST and Tiny
Shakespeare; at size `tiny` noise and Python's own documentation take their place. `gpu.py` runs it.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.task import Optimization, Task
from glassbench.contracts.trainer import Workspace
from glassbench_plugins.language.datasets import pydoc, text_file
from glassbench_plugins.language.gpt import Gpt
from glassbench_plugins.language.next_token import NextToken
from glassbench_plugins.segmentation.task import Segmentation
from glassbench_plugins.segmentation.textured_shapes import textured_shapes
from glassbench_plugins.segmentation.unet import UNet
from glassbench_plugins.supervised.classification import Classification
from glassbench_plugins.training.batches import TrainingRows
from glassbench_plugins.training.lightning import LightningTrainer
from glassbench_plugins.vision.idx import idx
from glassbench_plugins.vision.resnet import ResNet

_LAST = 50
"""Steps whose mean loss is shown."""
_DECAY = 0.1

Precision = Literal["32-true", "bf16-mixed"]
Size = Literal["tiny", "small", "full"]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What both train.

    Args:
        name: What it is called.
        data: The rows.
        task: Its loss.
        network: Makes the network, the same each time.
        batch_size: Rows per step.
        steps: Optimizer steps.
        learning_rate: Step size.
    """

    name: str
    data: Data
    task: Task
    network: Callable[[Schema], nn.Module]
    batch_size: int
    steps: int
    learning_rate: float


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where and how both train."""

    device: torch.device
    precision: Precision
    compile: bool
    threads: int


class Trained(NamedTuple):
    """What a training took, and where it ended."""

    wall: float
    processor: float
    loss: float
    memory: float
    """The most memory of the device that tensors took, in MiB; 0 on the CPU."""


def resnet(size: Size, data_folder: Path) -> Problem:
    """Return Fashion-MNIST with a residual network: ResNet-18 in full, else a small one."""
    data = _noise(256) if size == "tiny" else idx(0, path=str(data_folder / "fashion_mnist"))
    depth: Literal["small", 18] = 18 if size == "full" else "small"
    steps = {"tiny": 6, "small": 100, "full": 2000}[size]
    batch = {"tiny": 32, "small": 64, "full": 256}[size]

    def network(schema: Schema) -> nn.Module:
        return ResNet(schema, depth=depth)

    return Problem(
        name=f"resnet-{depth}",
        data=data,
        task=Classification(),
        network=network,
        batch_size=batch,
        steps=steps,
        learning_rate=1e-3,
    )


def gpt(size: Size, data_folder: Path) -> Problem:
    """Return Tiny Shakespeare by characters with a GPT in the sizes of nanoGPT's README: that for CPUs, or that for a GPU."""
    context = {"tiny": 16, "small": 64, "full": 256}[size]
    text = data_folder / "tiny_shakespeare" / "input.txt.gz"
    data = pydoc(0, context=context) if size == "tiny" else text_file(0, path=str(text), context=context)
    shape = {"layers": 6, "heads": 6, "width": 384, "dropout": 0.2} if size == "full" else {"layers": 4, "heads": 4, "width": 128}
    if size == "tiny":
        shape |= {"layers": 1, "width": 32}

    def network(schema: Schema) -> nn.Module:
        return Gpt(schema, **shape)  # type: ignore[arg-type]

    steps = {"tiny": 6, "small": 2000, "full": 5000}[size]
    batch = {"tiny": 12, "small": 12, "full": 64}[size]
    name = f"gpt, {shape['layers']} layers of {shape['width']}"
    return Problem(name=name, data=data, task=NextToken(), network=network, batch_size=batch, steps=steps, learning_rate=1e-3)


def unet(size: Size, _: Path) -> Problem:
    """Return discs with textures and a U-Net, which gives each pixel a class."""
    rows = {"tiny": 40, "small": 400, "full": 4000}[size]
    width = 4 if size == "tiny" else 32

    def network(schema: Schema) -> nn.Module:
        return UNet(schema, width=width)

    return Problem(
        name=f"u-net of width {width}",
        data=textured_shapes(0, rows=rows),
        task=Segmentation(flips="none"),
        network=network,
        batch_size={"tiny": 8, "small": 16, "full": 64}[size],
        steps={"tiny": 4, "small": 50, "full": 500}[size],
        learning_rate=1e-3,
    )


def plain(problem: Problem, machine: Machine) -> Trained:
    """Train with a loop as one writes it by hand."""
    network, split = _fresh(problem).to(machine.device), problem.data.train
    assert isinstance(split, Split)
    assert isinstance(split.inputs, tuple)
    assert split.target is not None
    learner = problem.task.learner(network, problem.data, Optimization())
    asked = torch.compile(network) if machine.compile else network
    optimizer = torch.optim.AdamW(network.parameters(), lr=problem.learning_rate, weight_decay=_DECAY, fused=True)
    mixed = machine.precision == "bf16-mixed"
    rows, losses, epoch = TrainingRows(split, batch_size=problem.batch_size, seed=0), list[Tensor](), 0
    clock = Clock(machine.device)
    network.train()
    while len(losses) < problem.steps:
        rows.set_epoch(epoch)
        for index in rows.order().split(problem.batch_size)[: problem.steps - len(losses)]:
            batch = split.batch(index)
            x, y = batch.inputs[0].to(machine.device), batch.target.to(machine.device)
            with torch.autocast(machine.device.type, torch.bfloat16) if mixed else nullcontext():
                loss = learner.loss(asked(x), batch._replace(inputs=(x,), target=y))  # type: ignore[operator]
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        epoch += 1
    return clock.stop(losses)


def glassbench(problem: Problem, machine: Machine) -> Trained:
    """Train with the trainer as an experiment does, on what it is given: without validation, as the loop is."""
    trainer = LightningTrainer(
        accelerator="cpu" if machine.device.type == "cpu" else "gpu",
        devices=1,
        precision=machine.precision,
        compile=machine.compile,
        deterministic=False,
        max_epochs=1000,
        max_steps=problem.steps,
        batch_size=problem.batch_size,
        optimizer="adamw",
        learning_rate=problem.learning_rate,
        weight_decay=_DECAY,
        threads=machine.threads,
    )
    losses: list[Tensor] = []
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(seed=0, folder=Path(folder) / "checkpoints", record=lambda line: None)
        network, task = _fresh(problem), _Listened(problem.task, losses)
        clock = Clock(machine.device)
        trainer.fit(network, task, problem.data, workspace)
        return clock.stop(losses)


class _Listened:
    """A task whose learner's losses are noted, as the plain loop notes them."""

    def __init__(self, task: Task, losses: list[Tensor]) -> None:
        self._task, self._losses = task, losses

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> Any:
        """Return the task's learner, with a loss that is noted."""
        learner = self._task.learner(model, data, optimization)
        known: Any = learner.loss

        def noted(output: Tensor, batch: Any) -> Tensor:
            loss: Tensor = known(output, batch)
            self._losses.append(loss.detach())
            return loss

        learner.loss = noted  # type: ignore[assignment]
        return learner


class Clock:
    """Measures from when it is made; waits for the device before it reads the time."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        self.wall, self.processor = self._now()

    def stop(self, losses: list[Tensor]) -> Trained:
        """Return what was measured."""
        wall, processor = self._now()
        last = float(torch.stack(losses[-_LAST:]).float().mean())
        memory = torch.cuda.max_memory_allocated() / 2**20 if self.device.type == "cuda" else 0.0
        return Trained(wall - self.wall, processor - self.processor, last, memory)

    def _now(self) -> tuple[float, float]:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter(), time.process_time()


def compare(problem: Problem, machine: Machine, repeats: int) -> dict[str, Any]:
    """Time both beside each other, in turns of order; return medians of speed, memory and loss, and the ratio of speeds."""
    problem.task.check(problem.data.schema)
    warm = replace(problem, steps=3)
    plain(warm, machine), glassbench(warm, machine)
    runs: list[tuple[Trained, Trained]] = []
    for repeat in range(repeats):
        first, second = (plain, glassbench) if repeat % 2 == 0 else (glassbench, plain)
        one, two = first(problem, machine), second(problem, machine)
        runs.append((one, two) if repeat % 2 == 0 else (two, one))
    samples = problem.steps * problem.batch_size
    loop, own = ([pair[side] for pair in runs] for side in range(2))
    return {
        "problem": f"{problem.name}: {problem.steps} steps of {problem.batch_size} rows",
        "plain loop": _medians(loop, samples),
        "glassbench": _medians(own, samples),
        "ratio": statistics.median(one.wall / two.wall for one, two in runs),
        "ratio of processor time": statistics.median(one.processor / two.processor for one, two in runs),
    }


def _medians(runs: list[Trained], samples: int) -> dict[str, float]:
    wall, processor, loss, memory = (statistics.median(run[field] for run in runs) for field in range(4))
    return {
        "samples per second": samples / wall,
        "seconds": wall,
        "processor seconds": processor,
        "last loss": loss,
        "MiB": memory,
    }


def _fresh(problem: Problem) -> nn.Module:
    torch.manual_seed(0)
    return problem.network(problem.data.schema)


def _noise(rows: int) -> Data:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(rows, 1, 8, 8, generator=generator)
    split = Split((images,), np.arange(rows), (images.mean(dim=(1, 2, 3)) > 0).long())
    target = Target(name="label", kind="class", classes=("dark", "bright"))
    return Data(schema=Schema(modality="image", shape=(1, 8, 8), target=target), train=split, test=split)
