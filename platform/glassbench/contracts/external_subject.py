"""What stands behind a run whose model was given from Python: rows or episodes, the model, and its decisions."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
from torch import nn

from glassbench.contracts.data import Data, Encoder, Split
from glassbench.contracts.facts import Facts
from glassbench.contracts.schema import Modality
from glassbench.contracts.task import Predictions, Task


@dataclass(frozen=True, eq=False, kw_only=True)
class GivenRows:
    """Rows given to `glassbench.audit` with a model of a kind that a plugin reads rows for.

    Args:
        X: The rows `(n,)` as they were given; frames and series of other libraries than pandas are read as pandas.
        groups: One text column per sensitive feature `(n, features)`, in the rows' order; None where there is none.
        clusters: Names of what each row belongs to `(n,)`, or None.
        background: Rows like those the model was trained on, in the form of X, or None.
        held_out: Whether the model learnt nothing from the rows, as the caller said; None where not said.
        notes: How the columns were joined to the rows, and what was said of the rows.
    """

    X: Any
    groups: pd.DataFrame | None = None
    clusters: np.ndarray | None = None
    background: Any = None
    held_out: bool | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class EncodedModel:
    """A model given to `glassbench.audit` whose rows a plugin turns into the tensors that its network reads.

    Truth, groups, weights and classes are then read as those of any model.

    Args:
        network: From encoded rows `(n, ...)` to logits `(n, classes)`, to one logit or to one value `(n, 1)`; it may name its
            `attribution_layer`.
        kind: What the model is, in words.
        modality: What kind of thing one row is.
        encoder: From raw rows to inputs.
        raw: The rows as the encoder reads them `(n, columns)`.
        background: Rows like those it was trained on, likewise, or None.
        facts: What is known of such rows beside their shape.
        predicts: `class` or `value`; None where the truth tells.
        classes: Names of its classes in the order of its outputs, where it says so itself.
        at_once: Rows that it is asked at a time.
        notes: What a reader must know of how rows are read.
    """

    network: nn.Module
    kind: str
    modality: Modality
    encoder: Encoder
    raw: pd.DataFrame
    background: pd.DataFrame | None = None
    facts: Facts | None = None
    predicts: Literal["class", "value"] | None = "class"
    classes: tuple[str, ...] = ()
    at_once: int = 256
    notes: tuple[str, ...] = ()


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
