"""A fitted booster as a network: what LightGBM and XGBoost have in common here."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from glassbench.contracts.estimator import HeldOutRows
from glassbench.contracts.exporting import Link, Tree, TreeSum
from glassbench.contracts.schema import Schema
from glassbench.contracts.trainer import Record
from glassbench.errors import FitError, RunError
from glassbench_plugins.boosting.encoded_trees import AskedColumns
from glassbench_plugins.boosting.tree_columns import Monotone, TreeColumns, balanced_weights

Objective = Literal["squared", "absolute", "huber", "poisson", "gamma", "tweedie"]


class BoostedTrees(nn.Module):
    """Trees of a boosting library, called with encoded rows as a network is.

    Classes get scores whose softmax is the library's own probability, in the precision that the library computes in; values are
    the library's prediction. There are no gradients.

    Args:
        schema: Tells the columns, and whether classes or a value are predicted.
        rounds: Rounds of boosting, at most.
        early_stopping: Rounds without a smaller validation loss after which boosting ends, or None.
        monotone: Columns along which the prediction may only rise or fall.
        class_weight: `balanced` makes rare classes count as much as common ones.

    Raises:
        FitError: Neither one class nor one value is predicted, or class weights meet no classes.
        SettingsError: A constraint is of no column of numbers.
    """

    differentiable = False
    own_file: str
    double_precision: bool
    """Whether the library adds trees in double precision, and not in single."""

    def __init__(
        self,
        schema: Schema,
        *,
        rounds: int,
        early_stopping: int | None,
        monotone: Monotone | None,
        class_weight: Literal["balanced"] | None,
    ) -> None:
        super().__init__()
        target = schema.target
        if target.kind not in ("class", "value") or target.levels:
            got = "quantiles of a value" if target.levels else f"a target of kind {target.kind}"
            raise FitError("boosted trees predict one class or one value per row", got=got, fix="use a network, such as 'mlp'")
        if class_weight and target.kind != "class":
            raise FitError("class_weight fits classes only", got=f"a {target.kind}", fix="remove model.class_weight")
        self.columns = TreeColumns.of(schema)
        self.monotone = self.columns.constraints(monotone, schema)
        self.classes = len(target.classes)
        self.rounds = rounds
        self.early_stopping = early_stopping
        self.class_weight = class_weight
        self.booster: Any = None
        self.kept_rounds = 0

    @property
    def outputs(self) -> int:
        """How many trees a round grows: one, or one for each of more than two classes."""
        return self.classes if self.classes > 2 else 1

    @property
    def facts(self) -> Mapping[str, Any]:
        """How many rounds there were and why they ended."""
        early = self.early_stopping is not None and self.kept_rounds < self.rounds
        reason = f"the validation loss did not improve for {self.early_stopping} rounds" if early else "all rounds were boosted"
        return {"iterations": self.kept_rounds, "features": len(self.columns.features), "stopped": reason}

    def fit(
        self,
        rows: np.ndarray,
        target: np.ndarray | None = None,
        sample_weight: np.ndarray | None = None,
        *,
        validation: HeldOutRows | None = None,
        record: Callable[[Record], None] = lambda line: None,
        seed: int = 0,
    ) -> "BoostedTrees":
        """Boost trees on encoded rows `(n, d)` and class indices or values `(n,)`.

        Args:
            rows: Encoded training rows.
            target: Their truth.
            sample_weight: Their weights, or None.
            validation: Rows whose loss is recorded, and that end the boosting early where that is asked for.
            record: Takes both losses of each round.
            seed: Seed of rows and columns that are drawn.

        Raises:
            FitError: There are no validation rows to stop early by, or the library refuses the rows.
        """
        if self.early_stopping is not None and validation is None:
            raise FitError(
                "there are no validation rows to stop early by",
                got=f"early_stopping: {self.early_stopping}",
                fix="set aside validation rows in the data set's split, or set model.early_stopping to null",
            )
        assert target is not None
        weights = balanced_weights(target, sample_weight) if self.class_weight else sample_weight
        held = validation
        if held is not None and self.class_weight:
            held = held._replace(weights=balanced_weights(held.target, held.weights))

        def note(place: int, train: float, validated: float | None) -> None:
            held_out = {} if validated is None else {"validation_loss": validated}
            record({"epoch": place, "step": place + 1, "train_loss": train, **held_out})

        self.boost(rows, target, weights, held, note, seed)
        return self

    def forward(self, inputs: Tensor) -> Tensor:
        """From encoded rows `(n, d)` to scores `(n, classes)` or values `(n,)`."""
        answers = torch.from_numpy(self.answers(self.columns.table(inputs.detach().cpu().numpy())))
        if self.classes != 2:
            return answers
        half = answers / 2
        return torch.stack([-half, half], dim=1)

    def exported(self, schema: Schema) -> TreeSum:
        """Return the trees as arrays over sums of encoded columns.

        Raises:
            RunError: Predictions are more than a sum of trees.
        """
        link: Link = "identity" if not self.classes else "log_odds" if self.classes == 2 else "scores"
        columns = AskedColumns(int(schema.shape[0] or 0))
        trees, start = self.arrays(columns)
        return TreeSum(
            trees=tuple(trees),
            asked=columns.weights(),
            outputs=tuple((place % self.outputs,) for place in range(len(trees))),
            start=start,
            link=link,
            classes=self.classes or None,
            double=self.double_precision,
        )

    @abstractmethod
    def arrays(self, columns: AskedColumns) -> tuple[Sequence[Tree], tuple[float, ...]]:
        """Return the trees in the order in which they are added, and what the sums start from.

        Args:
            columns: Takes what the trees ask.

        Raises:
            RunError: Predictions are more than a sum of trees.
        """

    @abstractmethod
    def boost(
        self,
        rows: np.ndarray,
        target: np.ndarray,
        weights: np.ndarray | None,
        validation: HeldOutRows | None,
        note: Callable[[int, float, float | None], None],
        seed: int,
    ) -> None:
        """Set `booster` and `kept_rounds`; `note` takes each round's number and losses."""

    @abstractmethod
    def answers(self, table: np.ndarray) -> np.ndarray:
        """From a library's table `(n, features)` to log-odds `(n,)` of the second of two classes, scores `(n, classes)` of
        more, or values `(n,)`.
        """

    @abstractmethod
    def to_bytes(self) -> bytes:
        """Return the model file of the library."""

    @abstractmethod
    def from_bytes(self, content: bytes) -> None:
        """Read a model file of the library.

        Raises:
            ValueError: It is of another version, or damaged.
        """


def no_sum(objective: str) -> RunError:
    """Return the error for an objective whose predictions are more than a sum of trees."""
    available = ["squared", "absolute", "huber"]
    return RunError(f"boosted trees with the objective '{objective}' cannot be exported", got=objective, available=available)
