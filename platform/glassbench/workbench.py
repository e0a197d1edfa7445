"""What the phases of one run share: its data, model, predictions and subject, each made once when first asked for."""

import contextlib
import random
from collections.abc import Iterator
from functools import cached_property
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from glassbench.artifacts import load_predictions, load_trained
from glassbench.data import Data, Encoder, Schema, Split
from glassbench.errors import GlassbenchError, PluginError, RunError
from glassbench.files import read_json, write_json
from glassbench.planning import Choice, Plan
from glassbench.provenance import describe_data
from glassbench.registry import Registry, load_target
from glassbench.runs import RunFolder
from glassbench.specs import DatasetSpec
from glassbench.subject import Subject
from glassbench.task import Predictions, Task
from glassbench.watcher import Watcher


class Workbench:
    """One run being worked on.

    Args:
        folder: The run's folder.
        plan: What the run will do.
        registry: The plugins.
        watcher: Whoever watches.
    """

    def __init__(self, folder: RunFolder, plan: Plan, registry: Registry, watcher: Watcher) -> None:
        self.folder = folder
        self.plan = plan
        self.registry = registry
        self.watcher = watcher

    @cached_property
    def data(self) -> Data:
        """The data set, read again; its fingerprint must be the one the run started with."""
        with blamed(self.plan.dataset, "reading its data"):
            data = self.plan.dataset.make(self.plan.seed)
        if not isinstance(data, Data):
            raise PluginError(f"the data set '{self.plan.dataset.component.canonical}' must return Data", got=type(data).__name__)
        self._keep(data)
        return data

    @cached_property
    def schema(self) -> Schema:
        """What the rows are, from the run's folder."""
        return Schema.from_json(read_json(self.folder.path / "schema.json"))

    @cached_property
    def task(self) -> Task:
        """The learning problem, told what the rows are."""
        with blamed(self.plan.task, "checking the data"):
            task = cast(Task, self.plan.task.make())
            task.check(self.schema)
        return task

    @cached_property
    def model(self) -> nn.Module | None:
        """The trained model; None where the task is not learnt."""
        return load_trained(self.folder.path, self.fresh_model(self.plan.model)).eval() if self.plan.model else None

    @cached_property
    def encoder(self) -> Encoder:
        """What turns raw rows into inputs."""
        spec = cast(DatasetSpec, self.plan.dataset.component.spec)
        path = self.folder.path / "encoder.json"
        if spec.encoder is None or not path.is_file():
            raise RunError(f"the data set '{spec.name}' does not encode raw rows", fix="predict with the model from Python")
        encoder = load_target(spec.encoder, f"the encoder of '{spec.name}'")
        return cast(Encoder, encoder.from_json(read_json(path)))  # type: ignore[attr-defined]

    @cached_property
    def predictions(self) -> Predictions:
        """The held-out predictions."""
        return load_predictions(self.folder.path, self._test)

    @cached_property
    def subject(self) -> Subject:
        """What every audit gets."""
        train = self.data.train
        return Subject(
            schema=self.schema,
            predictions=self.predictions,
            task=self.task,
            model=self.model,
            train=train if isinstance(train, Split) and len(train) else None,
            history=tuple(self.folder.history()),
            seed=self.plan.seed,
            facts=read_json(self.folder.path / "provenance.json").get("training", {}),
            encoder=self.data.encoder,
        )

    def fresh_model(self, choice: Choice) -> Any:
        """Return the model untrained, its weights drawn from the experiment's seed."""
        seed_all(self.plan.seed)
        with blamed(choice, "being built"):
            model = choice.make(self.schema)
        return self.task.adapt(model, self.schema) if isinstance(model, nn.Module) else model

    @property
    def _test(self) -> Split | None:
        return self.data.test if isinstance(self.data.test, Split) else None

    def _keep(self, data: Data) -> None:
        """Write what the run must remember of the data, or hold it against what was written before."""
        described, path = describe_data(data), self.folder.path
        if (path / "data.json").is_file():
            if read_json(path / "data.json")["fingerprint"] != described["fingerprint"]:
                raise RunError(
                    "the data are not those the run started with",
                    where=str(path),
                    got=f"fingerprint {described['fingerprint'][:12]}",
                    fix="restore the data, or start a new run",
                )
            return
        write_json(path / "schema.json", data.schema.to_json())
        if data.encoder is not None:
            write_json(path / "encoder.json", data.encoder.to_json())
        write_json(path / "data.json", described)


def seed_all(seed: int) -> None:
    """Seed every generator a model or a library may draw from."""
    random.seed(seed)
    np.random.seed(seed)  # scikit-learn and others still draw from it
    torch.manual_seed(seed)


@contextlib.contextmanager
def blamed(choice: Choice, doing: str) -> Iterator[None]:
    """Name the component when its own code raises; what it raises on purpose passes through."""
    try:
        yield
    except GlassbenchError:
        raise
    except Exception as error:
        component = choice.component
        raise PluginError(
            f"the {component.spec.kind} '{component.canonical}' failed while {doing}",
            got=f"{type(error).__name__}: {error}"[:400],
            fix="see the traceback with --debug",
        ) from error
