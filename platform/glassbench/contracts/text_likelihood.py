"""How likely a model holds texts: an ability that a task declares, for audits of language models."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from glassbench.contracts.data import Encoder


@dataclass(frozen=True, kw_only=True)
class Continuation:
    """A text whose likelihood is asked.

    Args:
        text: The text.
        after: What stands before it; the model reads it, and it is not scored.
    """

    text: str
    after: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class TextLikelihood:
    """How likely a model holds a text, token by token.

    Args:
        each: Natural logarithm of each scored token's probability given all before it, float64 `(k,)`.
        guessed: Whether each scored token was the likeliest one, `(k,)`.
        tokens: The tokens as numbers `(k,)`, those not scored left out.
        unknown: How many tokens of the text stand for whatever the vocabulary does not know.
        unscored: How many tokens at the beginning of the text are not scored, since nothing stood before them.
    """

    each: np.ndarray
    guessed: np.ndarray
    tokens: np.ndarray
    unknown: int = 0
    unscored: int = 0

    @property
    def total(self) -> float:
        """The text's log-likelihood in nats."""
        return float(self.each.sum())


@runtime_checkable
class ScoresTexts(Protocol):
    """A task whose models give texts a likelihood."""

    def text_likelihoods(self, model: Any, encoder: Encoder, passages: Sequence[Continuation]) -> list[TextLikelihood]:
        """Return how likely the model holds each passage, in order, without changing the model.

        Args:
            model: The network, in evaluation mode.
            encoder: What reads texts as the training text was read.
            passages: The texts.

        Raises:
            GlassbenchError: The encoder cannot read texts for this task.
        """
        ...
