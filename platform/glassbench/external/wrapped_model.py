"""An external model and its rows, ready for a run."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.task import Predictions, Task
from glassbench.errors import DataError
from glassbench.external.wrappers import KnownOutputs


class WrappedModel:
    """An external model and its rows, ready for a run.

    Args:
        data: The audited rows; there is no training split unless a background was given.
        model: The model wrapped as a network; None where no tensor stands for its rows.
        facts: What stands in the experiment for rows and model, settings of the two components.
        answers: The model's answers to the audited rows, read as log-probabilities, logits or values `(n, ...)`.
        decided: Its own decisions `(n,)` where these need not be those of the largest score, or None.
        scored: Whether it says how sure it is.
        unasked: Why audits cannot ask the model, or None.
        held_out: Whether the model learnt nothing from the audited rows, as far as the caller says.
    """

    def __init__(
        self,
        *,
        data: Data,
        model: nn.Module | None,
        facts: Mapping[str, Mapping[str, Any]],
        answers: Tensor,
        decided: pd.Series | None,
        scored: bool,
        unasked: str | None = None,
        held_out: bool | None = None,
    ) -> None:
        self.data, self.facts, self.unasked = data, facts, unasked
        self.held_out = held_out
        self._answers, self._decided, self._scored = answers, decided, scored
        self._model = model
        modules = [] if model is None else list(model.modules())
        self._modes = [(module, module.training) for module in modules]
        self._state = {} if model is None else {name: t.detach().clone() for name, t in model.state_dict().items()}

    @property
    def kind(self) -> str:
        """What is predicted: `class` or `value`."""
        return self.data.schema.target.kind

    @property
    def split(self) -> Split | None:
        """The audited rows where audits can ask the model about them, or None."""
        return self.data.test if self._model is not None and isinstance(self.data.test, Split) else None

    def model(self) -> nn.Module | None:
        """Return the model in evaluation mode, with the weights it was given with, whatever was done to it since."""
        if self._model is None:
            return None
        self._model.load_state_dict(self._state)
        return self._model.eval()

    def give_back(self) -> None:
        """Put every module of a network back into the mode it came in."""
        for module, training in self._modes:
            module.training = training

    def predictions(self, task: Task) -> Predictions:
        """Return the task's predictions from the model's answers, with its own decisions and no scores it did not give."""
        assert isinstance(self.data.test, Split)
        asked = replace(self.data.test, inputs=(torch.arange(len(self._answers)),))
        found = task.predict(KnownOutputs(self._answers), asked)
        frame, target_index = found.frame, found.target_index
        if not self._scored and self.kind == "class":
            frame = frame.drop(columns=[c for c in frame if str(c).startswith("score.")])
        if self._decided is not None:
            frame = frame.assign(y_pred=self._decided.to_numpy())
            target_index = torch.as_tensor(pd.Index(self.data.schema.target.classes).get_indexer(pd.Index(self._decided)))
        return Predictions(frame=frame, source=self.split, target_index=target_index)

    def check_width(self, task: Task) -> None:
        """Refuse values that a task would not look at.

        Raises:
            DataError: The model gives another number of values per row than the task takes.
        """
        takes = task.model_schema(self.data.schema).target.outputs
        gives = 1 if self._answers.ndim == 1 else self._answers.shape[1]
        if self.kind == "value" and gives != takes:
            raise DataError(
                f"the model gives {gives} numbers per row, and the task takes {takes}",
                got=f"answers of shape {tuple(self._answers.shape)}",
                fix="return as many numbers as the task takes; the task 'quantile-regression' takes one for each quantile",
            )
