"""What an audit examines."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor, nn

from glassbench.contracts.data import Encoder, Episodes, Split
from glassbench.contracts.estimator import differentiable
from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.predictions.kind import PredictionKind
from glassbench.contracts.predictions.outputs import (
    ClassOutput,
    EpisodeOutput,
    GeneratedOutput,
    IntervalOutput,
    RowErrors,
    ValueOutput,
)
from glassbench.contracts.schema import Schema
from glassbench.contracts.specs import Need
from glassbench.contracts.task import Predictions, Task


@dataclass(frozen=True, eq=False, kw_only=True)
class Subject:
    """A trained model (or none), its held-out predictions and its history; every audit gets the same one.

    Args:
        schema: What the rows are.
        predictions: Held-out decisions, with the inputs they were made on where these are known.
        task: The learning problem.
        model: The fitted model in evaluation mode, or None when only predictions are known.
        modelless: Why there is no model to ask, where there is none.
        train: The training split, for baselines and backgrounds, or None.
        history: The training history, one record per step measured.
        seed: The experiment's seed.
        facts: What the trainer says of the training.
        encoder: What turns raw rows into inputs, for audits that ask the model about rows of their own; or None.
        episodes: The episodes a policy was judged by, where a model learnt by interaction; or None.
        results: What the other audits found, for an audit that needs `results`; empty for all others.
        held_out: Whether the model was kept from learning the rows it decided: True where the platform split the data or the
            caller says so, False where the caller says that they are training rows, None where that is not known.
        record: What the run's folder says of itself, for such an audit: `experiment` (resolved), `provenance` and `data`.
    """

    schema: Schema
    predictions: Predictions
    task: Task
    model: nn.Module | None = None
    modelless: str = "there is no model, only its predictions"
    train: Split | None = None
    history: tuple[Mapping[str, Any], ...] = ()
    seed: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    encoder: Encoder | None = None
    episodes: Episodes | None = None
    results: tuple[AuditResult, ...] = ()
    held_out: bool | None = None
    record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> PredictionKind:
        """What a row of the predictions means."""
        return self.task.kind

    @cached_property
    def class_outputs(self) -> tuple[ClassOutput, ...]:
        """The choices among classes that every row was given; none where predictions are no choices."""
        return self.kind.class_outputs(self.predictions.frame, self.schema)

    @cached_property
    def value_output(self) -> ValueOutput | None:
        """The number every row was given; None where it was given none."""
        return self.kind.value_output(self.predictions.frame, self.schema)

    @cached_property
    def interval_output(self) -> IntervalOutput | None:
        """The interval every row was given for its number; None where it was given none."""
        return self.kind.interval_output(self.predictions.frame, self.schema)

    @cached_property
    def generated_output(self) -> GeneratedOutput | None:
        """The row that was generated for each held-out row; None where none is."""
        return self.kind.generated_output(self.predictions.frame, self.schema)

    @cached_property
    def episode_output(self) -> EpisodeOutput | None:
        """Which episode each row is a step of; None where rows are no steps."""
        return self.kind.episode_output(self.predictions.frame, self.schema)

    @cached_property
    def row_errors(self) -> RowErrors | None:
        """How wrong each row is; None where a prediction is neither right nor wrong, or a truth is not known."""
        return self.kind.row_errors(self.predictions.frame, self.schema)

    def missing(self, needs: tuple[Need, ...]) -> str | None:
        """Return in words what this subject cannot give of `needs`, or None."""
        frame, source = self.predictions.frame, self.predictions.source
        reasons: dict[Need, str | None] = {
            "model": None if self.model is not None else self.modelless,
            "gradients": None if self.model is not None and differentiable(self.model) else "the model gives no gradients",
            "predictions": None if len(frame) else "there are no predictions",
            "truth": None if "y_true" in frame and frame["y_true"].notna().all() else "the truth of the rows is not known",
            "groups": None if not self.predictions.groups.empty else "the data set names no sensitive features",
            "history": None if self.history else "the model was not trained step by step",
            "results": None if self.results else "no other audit found anything",
            "training data": None if self.train is not None else "the rows it was trained on are not known",
        }
        if "model" in needs and source is None and reasons["model"] is None:
            return "the inputs of the predictions are not known"
        said = [reason for need in needs if (reason := reasons[need])]
        return "; ".join(said) or None

    def attribution_output(self, *inputs: Tensor) -> Tensor:
        """Run the model and return what explanations explain: one number per row and output, `(n, ...)`."""
        assert self.model is not None
        return self.task.attribution_output(self.model(*inputs))

    def generator(self, purpose: str) -> np.random.Generator:
        """Return a random generator that depends on the experiment's seed and the purpose alone."""
        return np.random.default_rng([self.seed, zlib.crc32(purpose.encode())])

    def sample(self, size: int, purpose: str) -> np.ndarray:
        """Return at most `size` row positions, in order, drawn without replacement for `purpose`.

        Rows that are predicted together (`PredictionKind.together`) are drawn as whole lists, unless not one has room.
        """
        n, generator = len(self.predictions.frame), self.generator(purpose)
        if n <= size:
            return np.arange(n)
        if self.kind.together is not None:
            lists = pd.factorize(self.predictions.frame[self.kind.together])[0]
            order = generator.permutation(lists.max() + 1)
            chosen = order[np.cumsum(np.bincount(lists)[order]) <= size]
            if len(chosen):
                return np.flatnonzero(np.isin(lists, chosen))
        return np.sort(generator.choice(n, size, replace=False))
