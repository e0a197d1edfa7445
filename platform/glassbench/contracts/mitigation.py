"""What changes how a run learns or decides: Mitigation."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from torch import nn

from glassbench.contracts.data import Data, Episodes, Split
from glassbench.contracts.metric import Metric
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Predictions, Task

Facts = Mapping[str, Any]
"""What a mitigation found in the rows it was fitted to, JSON values; kept with the model."""


@runtime_checkable
class GradientObjective(Protocol):
    """An objective that changes the gradient of each parameter, which no loss of rows can say."""

    def take_parameters(self, parameters: Sequence[nn.Parameter]) -> None:
        """Keep the parameters that the network learns; called once, before training."""
        ...


class Mitigation(ABC):
    """A change of training rows, inputs, training or decisions; a leaf class takes keyword-only settings and holds no data.

    Whatever a leaf class does not override changes nothing. Rows to be judged are never weighed, drawn again or left out by it.
    The platform calls `check` before a run is created; then, in the order of the experiment, `fit_inputs` and `transform`,
    `training_rows` (or `training_episodes`), `wrap` or `objective`; when the model is fitted, `fit_decisions`; and `decide`
    wherever rows are predicted.
    """

    def check(self, data: Data, task: Task, model: Any) -> None:  # noqa: B027 (most need nothing beyond their spec)
        """Raise `DataError` when it cannot serve such data, task or model (a network, or an unfitted estimator as it is wrapped).

        What the spec says (kinds, forms, two classes, sensitive features) is checked by the platform.
        """

    def training_rows(self, train: Split, schema: Schema, seed: int) -> Split:
        """Return the training rows with other weights, or other rows drawn from them."""
        return train

    def training_episodes(self, episodes: Episodes, schema: Schema) -> Episodes:
        """Return the episodes that a policy learns from, or those by which its weights are chosen, with other rewards.

        Called where a data set yields episodes in place of rows, for training and validation; never for those to be judged by.
        """
        return episodes

    def fit_inputs(self, train: Split, schema: Schema) -> Facts | None:
        """Return what `transform` needs, read off the training rows; None where inputs stay as they are."""
        return None

    def transform(self, split: Split, facts: Facts) -> Split:
        """Return the rows with other inputs of the same shape; called for every split, and for raw rows that are predicted.

        Raises:
            DataError: The rows lack what it needs, such as their groups.
        """
        return split

    def wrap(self, estimator: Any, data: Data | None) -> Any:
        """Return the estimator that is fitted in its place, unfitted.

        Args:
            estimator: The unfitted estimator.
            data: The data that it will be fitted to; None where only its type is asked for.
        """
        return estimator

    def objective(self, data: Data) -> nn.Module | None:
        """Return what changes the loss of a network; None where the loss stays as it is.

        The module is called with the losses of a batch's rows `(n,)`, the model's output and the batch, and returns losses `(n,)`
        whose (weighted) mean is descended. `batch.positions` say which rows these are: of `data.train` in training mode, of
        `data.validation` in evaluation mode. Its buffers are stored in checkpoints. One that is a `GradientObjective` is first
        told the network's parameters.
        """
        return None

    def fit_decisions(self, predictions: Predictions, schema: Schema) -> Facts | None:
        """Return what `decide` needs, read off the validation rows' predictions; None where decisions stay as they are."""
        return None

    @property
    def decides(self) -> bool:
        """Whether it changes decisions, and so is fitted to validation rows."""
        return type(self).fit_decisions is not Mitigation.fit_decisions

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is measured of its decisions beside the task's metrics; they may read columns that `decide` adds."""
        return ()

    def decide(self, predictions: Predictions, facts: Facts) -> Predictions:
        """Return the predictions with other decisions, scores or further columns, the same rows in the same order.

        Raises:
            DataError: The rows lack what it needs, such as their groups.
            KeyError, TypeError, ValueError: The facts are not in the form that `fit_decisions` returns.
        """
        return predictions

    @abstractmethod
    def account(self, data: Data, facts: Facts) -> str:
        """Return what was done, on which groups and with which numbers, in one to three sentences for a report.

        Args:
            data: The data that the model was fitted to.
            facts: What `fit_inputs` and `fit_decisions` returned, in one mapping.
        """
