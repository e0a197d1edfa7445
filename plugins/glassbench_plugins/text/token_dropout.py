"""Hiding tokens from a network while it learns."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench_plugins.text.sizes import padding_of, unknown_of


class TokenDropout(nn.Module):
    """Reads some tokens as unknown ones while training, so that no single word is relied on alone; padding stays.

    Word dropout (Iyyer, Manjunatha, Boyd-Graber and Daumé III 2015, "Deep Unordered Composition Rivals Syntactic Methods for
    Text Classification"), with the unknown token in the place of a gap, so that it is learnt too.

    Args:
        schema: Tells the padding and the unknown token.
        share: Share of the tokens that are hidden.
    """

    def __init__(self, schema: Schema, share: float) -> None:
        super().__init__()
        if not 0 <= share < 1:
            raise SettingsError("the tokens hidden are a share below 1", got=f"{share:g}", where="model.token_dropout")
        self.share = share
        self.padding, self.unknown = padding_of(schema), unknown_of(schema)

    def forward(self, tokens: Tensor) -> Tensor:
        """From token numbers, long `(n, l)`, to token numbers of the same shape."""
        if not self.training or not self.share:
            return tokens
        hidden = (torch.rand(tokens.shape, device=tokens.device) < self.share) & (tokens != self.padding)
        return tokens.masked_fill(hidden, self.unknown)
