"""Times a whole `fit` of a small network against a plain PyTorch loop that takes the same steps.

    python tests/benchmarks/fit.py --repeats 7
    OMP_NUM_THREADS=1 python tests/benchmarks/fit.py

The loop slices tensors in the same order, with the same loss; each repeat runs both beside each other, in turns of order.
It prints processor and wall seconds of both, the medians of the ratios, and whether the weights are equal to the last bit.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.learner import SupervisedLearner
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.task import Optimization, Predictions, Task
from glassbench.contracts.trainer import Workspace
from glassbench_plugins.training.batches import TrainingRows
from glassbench_plugins.training.lightning import LightningTrainer


class Seconds(NamedTuple):
    """What a training took."""

    wall: float
    processor: float


class TwoClasses(Task):
    """A cross-entropy and nothing else, so that only the training itself is timed."""

    kind = Classes()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return ()

    def check(self, schema: Schema) -> None:
        pass

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> SupervisedLearner:
        return SupervisedLearner(model, self.loss, optimization)

    def loss(self, output: Tensor, batch: Batch) -> Tensor:
        return nn.functional.cross_entropy(output, batch.target)

    def predict(self, model: nn.Module, source: object) -> Predictions:
        raise NotImplementedError

    def attribution_output(self, output: Tensor) -> Tensor:
        return output


def make_data(rows: int, width: int) -> Data:
    """Return rows of noise with a rule in them, and no validation split: the plain loop has none either."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, width, generator=generator)
    split = Split((x,), np.arange(rows), (x[:, 0] * x[:, 1] > 0).long())
    target = Target(name="y", kind="class", classes=("no", "yes"))
    return Data(schema=Schema(modality="table", shape=(width,), target=target), train=split, test=split)


def make_network(width: int) -> nn.Sequential:
    """Return the same network each time."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))


def plain(data: Data, epochs: int, batch_size: int, *, fused: bool) -> nn.Module:
    """Train with a loop as one writes it by hand."""
    assert isinstance(data.train, Split)
    assert isinstance(data.train.inputs, tuple)
    assert data.train.target is not None
    x, y = data.train.inputs[0], data.train.target
    network = make_network(x.shape[1])
    network.train()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=fused or None)
    rows = TrainingRows(data.train, batch_size=batch_size, seed=0)
    for epoch in range(epochs):
        rows.set_epoch(epoch)
        order = rows.order()
        for start in range(0, len(order), batch_size):
            index = order[start : start + batch_size]
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(x[index]), y[index])
            loss.backward()
            optimizer.step()
    return network


def glassbench(data: Data, epochs: int, batch_size: int) -> nn.Module:
    """Train with the trainer as an experiment does."""
    network = make_network(data.schema.shape[0] or 0)
    trainer = LightningTrainer(accelerator="cpu", max_epochs=epochs, batch_size=batch_size, learning_rate=1e-3)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(seed=0, folder=Path(folder) / "checkpoints", record=lambda line: None)
        return trainer.fit(network, TwoClasses(), data, workspace).model


def timed(run: Callable[[], nn.Module]) -> tuple[Seconds, nn.Module]:
    """Run once and say how long it took."""
    wall, processor = time.perf_counter(), time.process_time()
    network = run()
    return Seconds(time.perf_counter() - wall, time.process_time() - processor), network


def equal(a: nn.Module, b: nn.Module) -> bool:
    """Whether two networks have the same weights, bit for bit."""
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def compare(name: str, reference: Callable[[], nn.Module], ours: Callable[[], nn.Module], repeats: int) -> None:
    """Time both, `repeats` times beside each other, and print the medians."""
    pairs: list[tuple[Seconds, Seconds]] = []
    for repeat in range(repeats):
        first, second = (reference, ours) if repeat % 2 == 0 else (ours, reference)
        one, two = timed(first), timed(second)
        (theirs, network), (own, trained) = (one, two) if repeat % 2 == 0 else (two, one)
        pairs.append((theirs, own))
        print(f"  {name} {theirs.processor:7.3f} s   glassbench {own.processor:7.3f} s", flush=True)
    for unit in Seconds._fields:
        ratio = statistics.median(getattr(own, unit) / getattr(theirs, unit) for theirs, own in pairs)
        middle = [statistics.median(getattr(pair[i], unit) for pair in pairs) for i in (0, 1)]
        print(f"{name}, {unit} time: {middle[0]:.3f} s, glassbench {middle[1]:.3f} s, median ratio {ratio:.3f}")
    print(f"weights equal bit for bit: {equal(network, trained)}")


def main() -> None:
    """Read the arguments and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--width", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    data = make_data(given.rows, given.width)
    sizes = (given.epochs, given.batch_size)
    print(
        f"{given.rows} x {given.width} rows, batch {given.batch_size}, {given.epochs} epochs, {torch.get_num_threads()} threads"
    )
    plain(data, 1, given.batch_size, fused=False), glassbench(data, 1, given.batch_size)  # warm up
    for name, fused in (("plain loop", False), ("plain loop, fused Adam", True)):
        compare(name, lambda fused=fused: plain(data, *sizes, fused=fused), lambda: glassbench(data, *sizes), given.repeats)


if __name__ == "__main__":
    main()
