"""What stands behind a run whose model was given from Python: rows or episodes, the model, and its decisions."""

from typing import Any, Protocol

from torch import nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.task import Predictions, Task


class ExternalSubject(Protocol):
    """A model given to `glassbench.audit`, and what it is judged by.

    Attributes:
        data: The rows or episodes; there may be no training split.
        facts: What stands in the experiment for the data set (`rows`), the model (`model`) and the task (`task`): settings of
            these components.
        unasked: Why audits cannot ask the model, or None.
        held_out: Whether the model learnt nothing from what it is judged by, as far as that is known.
    """

    data: Data
    facts: Any
    unasked: str | None
    held_out: bool | None

    @property
    def split(self) -> Split | None:
        """The rows that predictions are about, where they are known before the model is asked and audits can ask it."""

    def model(self) -> nn.Module | None:
        """Return the model in evaluation mode with the weights it was given with; None where audits cannot call it."""

    def predictions(self, task: Task) -> Predictions:
        """Return what the model decides."""

    def check_width(self, task: Task) -> None:
        """Refuse outputs that a task would not look at."""

    def give_back(self) -> None:
        """Put the model back into the mode it came in."""
