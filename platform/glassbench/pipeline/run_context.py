"""What the phases of one run share: its data, model, predictions and subject, each made once when first asked for."""

import io
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
from torch import nn

from glassbench.contracts.data import Data, Encoder, Split
from glassbench.contracts.external_subject import ExternalSubject
from glassbench.contracts.mitigation import Facts
from glassbench.contracts.schema import Schema
from glassbench.contracts.specs import DatasetSpec
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions, Task
from glassbench.contracts.trainer import Trainer
from glassbench.errors import DataError, RunError
from glassbench.experiments.choice import Choice
from glassbench.experiments.mitigated_task import MitigatedTask
from glassbench.experiments.mitigations import trusted
from glassbench.experiments.plan import Plan
from glassbench.experiments.settings import arguments
from glassbench.pipeline.asking_device import asked_on
from glassbench.pipeline.building import blamed, build_model
from glassbench.pipeline.events import RunEvents
from glassbench.pipeline.mitigated_data import (
    MITIGATIONS,
    TransformingEncoder,
    with_inputs,
    with_training_rows,
    wrapped,
)
from glassbench.pipeline.remembered import BLUEPRINT
from glassbench.pipeline.run_data import read_data
from glassbench.pipeline.run_observer import RunObserver
from glassbench.registry import Registry, load_target
from glassbench.runs.artifacts import load_predictions, load_trained, read_schema
from glassbench.runs.provenance import describe_data
from glassbench.runs.run_folder import RunFolder
from glassbench.storage.data_files import check_data_file, read_data_file
from glassbench.storage.files import read_object, understood, write_json
from glassbench.storage.parquet_files import read_parquet

if TYPE_CHECKING:
    from glassbench.external.given_training import GivenTraining  # it imports Lightning, which most commands do not need

CALIBRATION = "calibration.json"
"""What a task's predictions need beyond the fitted model."""


class RunContext:
    """One run being worked on.

    Args:
        folder: The run's folder.
        plan: What the run will do, or what makes it when it is first asked for: what needs no plan, such as the report, then
            needs none of the components that the run was made with.
        registry: The plugins.
        observer: Is told of the run's progress.
        external: The external model and rows of this run; None where there are none, or where they were given in another process.
        given: The LightningModule and the loaders of this run; None likewise.
    """

    def __init__(
        self,
        folder: RunFolder,
        plan: Plan | Callable[[], Plan],
        registry: Registry,
        observer: RunObserver,
        external: ExternalSubject | None = None,
        given: "GivenTraining | None" = None,
    ) -> None:
        self.external = external
        self.given = given
        self.folder = folder
        self._plan = plan
        self.registry = registry
        self.observer = observer
        self.events = RunEvents(folder, registry, observer)

    @cached_property
    def plan(self) -> Plan:
        """What the run will do."""
        return self._plan if isinstance(self._plan, Plan) else self._plan()

    @cached_property
    def data(self) -> Data:
        """The data set, read again; its fingerprint must be the one the run started with."""
        return self.known(read_data(self.plan, self.external or self.given))

    def known(self, data: Data) -> Data:
        """Hold data against what the run remembers of them, and keep them.

        Raises:
            RunError: They are not those the run started with.
        """
        path, now = self.folder.path, describe_data(data)["fingerprint"]
        if read_object(path / "data.json").get("fingerprint") != now:
            raise RunError(
                "the data are not those the run started with",
                where=str(path),
                got=f"fingerprint {now[:12]}",
                fix="restore the data, or start a new run",
            )
        self.begun(data)
        return self.data

    def begun(self, data: Data) -> None:
        """Keep the data that the run has just been started with, with the inputs that mitigations change."""
        mitigations = self.plan.mitigations.made()
        self.__dict__["data"] = with_inputs(data, mitigations, self._input_facts) if mitigations else data

    @property
    def training_data(self) -> Data:
        """The data that the model is fitted to, with the training rows that mitigations weigh or draw again."""
        return with_training_rows(self.data, self.plan.mitigations.made(), self.plan.seed)

    @property
    def _input_facts(self) -> list[Facts | None]:
        """What each mitigation needs to change inputs."""
        path = self.folder.path / MITIGATIONS
        with understood(path):
            return list(read_object(path)["inputs"])

    @property
    def gone(self) -> bool:
        """Whether rows and model were external to a process that is over: only what the folder holds is left."""
        return self.plan.external and self.external is None

    def forget(self) -> None:
        """Forget model, predictions and data, so that they are read again when next asked for."""
        for name in ("data", "model", "asked_model", "predictions", "train"):
            self.__dict__.pop(name, None)

    @cached_property
    def schema(self) -> Schema:
        """What the rows are, from the run's folder."""
        return read_schema(self.folder.path / "schema.json")

    @cached_property
    def task(self) -> Task:
        """The learning problem, told what the rows are."""
        with blamed(self.plan.task, "checking the data"):
            task = cast(Task, self.plan.task.make())
            task = MitigatedTask(task, self.plan.mitigations.made()) if self.plan.mitigations.choices else task
            task.check(self.schema)
        path = self.folder.path / CALIBRATION
        if path.is_file():
            facts = read_object(path)
            with understood(path):
                task.use_calibration(facts)
        return task

    def calibrate(self, model: nn.Module) -> tuple[str, ...]:
        """Have the task read off held-out rows what its predictions need beyond the model; return the files that hold it."""
        with blamed(self.plan.task, "calibrating its predictions"):
            facts = self.task.calibrate(model, self.data)
        if facts is None:
            return ()
        write_json(self.folder.path / CALIBRATION, facts)
        self.__dict__.pop("task")  # made again, it takes them from the file as any later process does
        return (CALIBRATION,)

    @cached_property
    def model(self) -> nn.Module | None:
        """The trained model; None where the task is not learnt, or where audits cannot call an external one."""
        if self.external is not None:
            return self.external.model()
        return self._trained(self.plan.model) if self.plan.model else None

    def _trained(self, choice: Choice) -> nn.Module:
        fresh = self.wrapped(self._frame(choice), None)
        return load_trained(self.folder.path, fresh, trusted(choice, self.plan.mitigations)).eval()

    @cached_property
    def asked_model(self) -> nn.Module | None:
        """The trained model as audits ask it: on the device of its trainer."""
        trainer = None if self.plan.trainer is None else cast(Trainer, self.plan.trainer.make())
        return self.model if self.model is None or trainer is None else asked_on(self.model, trainer.asking_device)

    @property
    def encodes(self) -> bool:
        """Whether the data set can turn raw rows into inputs."""
        spec = cast(DatasetSpec, self.plan.dataset.component.spec)
        return spec.encoder is not None and (self.folder.path / "encoder.json").is_file()

    @cached_property
    def encoder(self) -> Encoder:
        """What turns raw rows into inputs."""
        spec = cast(DatasetSpec, self.plan.dataset.component.spec)
        path = self.folder.path / "encoder.json"
        if not self.encodes or spec.encoder is None:
            raise RunError(f"the data set '{spec.name}' does not encode raw rows", fix="predict with the model from Python")
        encoder = load_target(spec.encoder, f"the encoder of '{spec.name}'")
        content = read_object(path)
        with understood(path):
            made = cast(Encoder, encoder.from_json(content))  # type: ignore[attr-defined]
        mitigations = self.plan.mitigations.made()
        return cast(Encoder, TransformingEncoder(made, mitigations, self._input_facts)) if mitigations else made

    @cached_property
    def predictions(self) -> Predictions:
        """The held-out predictions."""
        return load_predictions(self.folder.path, self._test)

    @property
    def mitigation_facts(self) -> list[dict[str, Any]]:
        """What each mitigation was fitted to: what changes inputs and what changes decisions, in one mapping."""
        decisions = getattr(self.task, "facts", None) or [None] * len(self._input_facts)
        return [{**(a or {}), **(b or {})} for a, b in zip(self._input_facts, decisions, strict=True)]

    def subject(self) -> Subject:
        """Return what an audit gets: the same for each, with a frame of its own."""
        predictions = self.predictions
        bare = Subject(
            schema=self.schema,
            predictions=replace(predictions, frame=predictions.frame.copy()),
            task=self.task,
            history=tuple(self.folder.history()),
            seed=self.plan.seed,
            facts=self._facts(),
        )
        if self.gone:
            return bare
        train = self.data.train
        return replace(
            bare,
            model=self.asked_model,
            modelless=(self.external and self.external.unasked) or bare.modelless,
            held_out=self.external.held_out if self.external is not None else self.plan.trainer is not None or None,
            train=train if isinstance(train, Split) and len(train) else None,
            encoder=self.data.encoder,
            episodes=None if isinstance(self.data.test, Split) else self.data.test,
        )

    def _facts(self) -> dict[str, Any]:
        """Return what is known of the training."""
        path = self.folder.path / "provenance.json"
        with understood(path):
            return dict(read_object(path).get("training", {}))

    def record(self) -> dict[str, Any]:
        """Return what the run's folder says of itself: the resolved experiment, where its numbers come from, and its data."""
        files = {name: read_object(self.folder.path / f"{name}.json") for name in ("provenance", "data")}
        return {"experiment": self.plan.resolved, **files}

    def read_rows(self, path: Path) -> pd.DataFrame:
        """Read raw rows from a file, as the data set reads its own.

        Raises:
            DataError: The file is missing, empty or not a table.
        """
        spec = cast(DatasetSpec, self.plan.dataset.component.spec)
        check_data_file(path, "the rows to predict")
        try:
            if spec.reader is not None:
                reader = load_target(spec.reader, f"the reader of '{spec.name}'")
                frame = cast(pd.DataFrame, reader(path, arguments(self.plan.dataset.settings)))
            elif path.suffix in (".parquet", ".pq"):
                frame = read_parquet(path, "the rows to predict")
            else:
                content = io.BytesIO(read_data_file(path, "the rows to predict"))
                frame = pd.read_csv(content, dtype=str, na_filter=False, skipinitialspace=True)
        except (ValueError, OSError) as error:
            raise DataError("the rows cannot be read", got=str(error).splitlines()[0], where=str(path)) from error
        if frame.empty:
            raise DataError("there are no rows to decide", where=str(path))
        return frame

    def fresh_model(self, choice: Choice) -> Any:
        """Return the model untrained, its weights drawn from the experiment's seed."""
        if self.given is not None:
            return self.given.model
        model = build_model(choice, self.task.model_schema(self.schema), self.plan.seed)
        return self.task.adapt(model, self.schema) if isinstance(model, nn.Module) else model

    def wrapped(self, model: Any, data: Data | None) -> Any:
        """Return an unfitted estimator as mitigations wrap it, to be fitted to data; a network as it is."""
        return wrapped(model, self.plan.mitigations.made(), data)

    def _frame(self, choice: Choice) -> Any:
        """Return the model to load trained weights into; what started from weights kept elsewhere is built without them."""
        path = self.folder.path / BLUEPRINT
        if not path.is_file():
            return self.fresh_model(choice)
        blueprint = read_object(path)
        with blamed(choice, "being built again"):
            model = choice.factory.rebuilt(self.task.model_schema(self.schema), blueprint, **arguments(choice.settings))  # type: ignore[attr-defined]
        return self.task.adapt(model, self.schema)

    @property
    def _test(self) -> Split | None:
        if self.plan.external:
            return None if self.external is None else self.external.split
        return self.data.test if isinstance(self.data.test, Split) else None
