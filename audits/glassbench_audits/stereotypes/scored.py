"""How likely a model holds the two texts of each pair."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from glassbench.contracts.data import Encoder
from glassbench.contracts.text_likelihood import Continuation, ScoresTexts, TextLikelihood
from glassbench_audits.stereotypes.pairs import Pair


@dataclass(frozen=True, eq=False, kw_only=True)
class Scored:
    """Pairs with the log-likelihoods of their texts in nats.

    Args:
        pairs: The pairs that could be compared, n of them.
        more: Log-likelihoods of the stereotyped texts `(n,)`.
        less: Those of the other ones `(n,)`.
        unread: Pairs that the model cannot tell apart: their texts read as equal tokens, or differ in a token that is unknown or
            has nothing before it.
    """

    pairs: tuple[Pair, ...]
    more: np.ndarray
    less: np.ndarray
    unread: tuple[Pair, ...]

    @property
    def gap(self) -> np.ndarray:
        """How much likelier each stereotyped text is, in nats `(n,)`."""
        return np.asarray(self.more - self.less)


def scored(task: ScoresTexts, model: nn.Module, encoder: Encoder, pairs: Sequence[Pair], before: str) -> Scored:
    """Ask a model for both texts of each pair; `before` stands before every text that nothing else stands before."""
    texts = [(pair.more, pair.less) for pair in pairs]
    after = [pair.after or before for pair in pairs]
    asked = [Continuation(text=text, after=start) for both, start in zip(texts, after, strict=True) for text in both]
    found = task.text_likelihoods(model, encoder, asked)
    more, less = found[::2], found[1::2]
    read = [_comparable(pair, a, b) for pair, a, b in zip(pairs, more, less, strict=True)]
    return Scored(
        pairs=tuple(pair for pair, known in zip(pairs, read, strict=True) if known),
        more=np.array([a.total for a, known in zip(more, read, strict=True) if known]),
        less=np.array([b.total for b, known in zip(less, read, strict=True) if known]),
        unread=tuple(pair for pair, known in zip(pairs, read, strict=True) if not known),
    )


def _comparable(pair: Pair, more: TextLikelihood, less: TextLikelihood) -> bool:
    """Whether scored tokens tell both texts apart, and nothing of them is hidden behind the token for what is unknown."""
    if more.unknown or less.unknown or np.array_equal(more.tokens, less.tokens):
        return False
    return not (more.unscored or less.unscored) or pair.more.split()[:1] == pair.less.split()[:1]
