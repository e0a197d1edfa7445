"""The learning problem: Task and Predictions."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Batch, Data, Encoder, Split
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.choices import scores_of
from glassbench.contracts.predictions.kind import PredictionKind
from glassbench.contracts.schema import Schema
from glassbench.errors import GlassbenchError
from glassbench.stats.sampling import Sampling, survey_weights

if TYPE_CHECKING:
    import pytorch_lightning as pl  # seconds to import, and most commands train nothing


@dataclass(frozen=True, eq=False, kw_only=True)
class Predictions:
    """One row per decision, and the inputs each was decided on.

    Args:
        frame: Columns `row`, `y_true` (absent where there is none, missing in rows whose outcome is not known), `y_pred`,
            `score.<class>` or `score`, and `group.<feature>` for each sensitive feature. Classes and groups are text or
            categories. A task may add columns of its own (`episode`, `reward`). Where rows hang together, as the steps of an
            episode or the visits of a patient do, `cluster` names what each belongs to: audits then resample
            whole clusters. Where right and wrong say too little, as of written answers, `quality` says how near each decision
            comes to its truth, more being better. Where equal rows were counted, `frequency` says how many
            each stands for; of a survey, `weight` holds each row's weight, and `sampling` what follows from it.
        source: The rows the decisions were made on, in the frame's order; None when only the predictions are known.
        target_index: Which explained output each decision took, long `(n,)` or `(n, k)` to index outputs of k axes; or
            `(n, m, k)` where a decision is made of up to m of them, whose sum is explained, and -1 fills up.
    """

    frame: pd.DataFrame
    source: Split | None = None
    target_index: Tensor | None = None

    @property
    def scores(self) -> pd.DataFrame:
        """The score columns, named by class (or `score`), `(n, classes)`."""
        return scores_of(self.frame)

    @cached_property
    def sampling(self) -> Sampling:
        """What the rows are a sample of."""
        return Sampling.of(self.frame)

    @property
    def clusters(self) -> np.ndarray | None:
        """Which cluster each row is of, `(n,)` numbered from 0 in order of appearance; None where rows are independent.

        Of a survey, each row is a cluster of its own unless it is of another: resampling them allows for weights.
        """
        return self.sampling.clusters

    @property
    def held(self) -> np.ndarray | None:
        """What each row counts `(n,)`: `frequency`, int64, or survey weights with a mean of 1; None where each counts once."""
        weights = survey_weights(self.frame)
        return self.frequency if weights is None else weights

    @property
    def frequency(self) -> np.ndarray | None:
        """How many rows each stands for, int64 `(n,)`; None where each stands for itself."""
        return row_frequency(self.frame)

    def take(self, index: np.ndarray) -> "Predictions":
        """Return the predictions of the rows at `index` (integers `(k,)`), with their inputs."""
        return Predictions(
            frame=self.frame.iloc[index].reset_index(drop=True),
            source=None if self.source is None else self.source.take(index),
            target_index=None if self.target_index is None else self.target_index[torch.as_tensor(index)],
        )

    @cached_property
    def groups(self) -> pd.DataFrame:
        """The sensitive features, `(n, sensitive)`."""
        columns = [c for c in self.frame.columns if str(c).startswith("group.")]
        return self.frame[columns].rename(columns=lambda c: str(c).removeprefix("group."))


def row_frequency(frame: pd.DataFrame) -> np.ndarray | None:
    """Return the column `frequency` of predictions, int64 `(n,)`, or None where there is none."""
    return frame["frequency"].to_numpy(dtype=np.int64) if "frequency" in frame else None


@dataclass(frozen=True, kw_only=True)
class Optimization:
    """How a learner descends; the trainer's settings that a learner needs.

    Args:
        optimizer: Name of the optimizer.
        learning_rate: Peak step size.
        weight_decay: Decoupled for `adamw`, L2 otherwise.
        momentum: For `sgd`.
        schedule: Course of the step size over `total_steps`.
        warmup: Share of the steps over which the step size rises from 0.
        gradient_clip: Largest norm of the gradient, or None.
        batch_size: Rows per optimizer step and process, before accumulation.
        accumulate: Batches per optimizer step.
        total_steps: Optimizer steps the whole training will take.
        seed: Seed of everything random while training.
    """

    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.9
    schedule: Literal["constant", "cosine", "linear"] = "constant"
    warmup: float = 0.0
    gradient_clip: float | None = None
    batch_size: int = 64
    accumulate: int = 1
    total_steps: int = 1
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Generation:
    """How a model writes.

    Args:
        length: Most tokens it writes.
        temperature: Below 1 it keeps to what is likely, above 1 it dares more; 0 always takes the likeliest token.
        top_k: It draws among so many of the likeliest tokens; None among all.
        beams: How many unfinished answers are followed at once, where a task searches instead of drawing.
        seed: Seed of what is drawn.
    """

    length: int = 200
    temperature: float = 0.8
    top_k: int | None = None
    beams: int = 1
    seed: int = 0


class Task(ABC):
    """A learning problem: what is asked, how it is learnt, what a decision is and how good it is.

    A leaf class takes keyword-only settings; it holds no data. What an explanation explains is the output of
    `attribution_output`, one number per row and output, of which `Predictions.target_index` picks the one each decision took.
    """

    kind: PredictionKind
    """What a row of its predictions means."""
    attribution_output_name: str | None = None
    """What an explanation explains, in words ("the log-density"); None leaves them to the kind of prediction."""

    @property
    @abstractmethod
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of this task, the headline first."""

    @abstractmethod
    def check(self, schema: Schema) -> None:
        """Raise `DataError` when this task cannot be learnt from such rows.

        The platform calls this once before anything else, also when a run is loaded again; a task may keep the schema, since
        class names and units are not known otherwise.
        """

    def check_data(self, data: Data) -> None:  # noqa: B027 (most tasks need nothing)
        """Raise `DataError` when the splits lack what this task needs, such as validation rows to calibrate on.

        The platform calls this before a run is created, where there is a model; rows given with an external one are test rows.
        """

    def model_schema(self, schema: Schema) -> Schema:
        """Return the schema that models are built for; the schema itself unless a task wants more than one number for a value.

        A model gives `Target.outputs` numbers per row: a task that wants quantiles sets `Target.levels`, one that wants a mean
        and a variance sets `Target.width`. Audits and predictions keep the schema of the data.
        """
        return schema

    def adapt(self, model: nn.Module, schema: Schema) -> nn.Module:
        """Return the network as this task trains, saves and asks it; the network itself unless a task says otherwise.

        The platform calls this wherever it builds a network, before training and before loading saved weights. A task of values
        wraps the network so that it learns on a standardised scale and still answers in the target's own unit. Estimators are
        left as they are. Adapting twice is adapting once.
        """
        return model

    @abstractmethod
    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> "pl.LightningModule":
        """Wrap a network so that a Lightning trainer can fit it.

        Most tasks return `SupervisedLearner(model, self.loss, optimization, ...)`.
        """

    def calibrate(self, model: nn.Module, data: Data) -> Mapping[str, Any] | None:
        """Return what predicting needs beyond the fitted model, read off rows that it did not descend on, as JSON values.

        The platform calls this once, after the model was fitted, with the model as it is stored; a run keeps the answer as
        `calibration.json`. The place for offsets of intervals, a temperature, thresholds of a decision. None where predicting
        needs the model alone.
        """
        return None

    def use_calibration(self, facts: Mapping[str, Any]) -> None:  # noqa: B027 (most tasks keep nothing)
        """Take what `calibrate` returned, before anything is predicted, also in another process.

        Raises:
            KeyError, TypeError, ValueError: The facts are not in the form that `calibrate` returns.
        """

    @abstractmethod
    def predict(self, model: Any, source: Any) -> Predictions:
        """Decide every row of a split (or play evaluation episodes), in order, without changing the model.

        The model is the network or the wrapped estimator; None for a task whose spec says it is not learnt.
        """

    def baseline_predictions(self, predictions: Predictions) -> tuple[pd.DataFrame, str] | None:
        """Return the same rows as they would be decided without learning, and in words how ("repeating the last day").

        The frame has the columns of `predictions.frame`; the performance audit compares with it. None leaves the choice to the
        kind of prediction: the commonest class, the mean value.
        """
        return None

    def predict_rows(self, model: Any, source: Split) -> Predictions | None:
        """Predict rows one by one, however they are judged: a policy takes the action it prefers in each state.

        None where a changed row has no prediction to hold against that of the unchanged one.
        """
        return self.predict(model, source)

    def row_loss(self, output: Any, batch: Batch) -> Tensor | None:
        """Return the loss of each row `(n,)` that training minimises the mean of, differentiable; None where it has none."""
        return None

    def generate(self, model: nn.Module, encoder: Encoder, prompt: str, how: Generation) -> str:
        """Write what follows a prompt, or what answers it.

        Args:
            model: The network, in evaluation mode.
            encoder: What reads the prompt as the training text was read.
            prompt: What to go on from, or what to answer.
            how: How to write.

        Raises:
            GlassbenchError: This task writes nothing.
            DataError: The prompt cannot be read.
            SettingsError: `how` asks for the impossible.
        """
        raise GlassbenchError(
            "this task writes no text", got=type(self).__name__, fix="train with a task that writes first, such as 'next-token'"
        )

    @abstractmethod
    def attribution_output(self, output: Any) -> Tensor:
        """From a model's output to one number per row and output, `(n, ...)`, differentiable where the model is.

        Where the kind of prediction says `softmax`, the last axis holds scores whose softmax are probabilities: explanations
        speak of log-odds then. Other tasks give numbers that mean something by themselves.
        """


def forward_all(model: nn.Module, source: Split, size: int = 4096) -> Tensor:
    """Return a network's outputs for every row of a split, `(n, ...)` on the CPU, in evaluation mode, without gradients."""
    was_training = model.training
    model.eval()
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    with torch.inference_mode():
        parts = [model(*(t.to(device) for t in batch.inputs)).cpu() for batch in source.batches(size)]
    model.train(was_training)
    return torch.cat(parts).clone()
