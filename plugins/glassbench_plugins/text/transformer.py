"""A transformer encoder that decides the class of a text."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, PositiveNumber, ShareBelowOne
from glassbench_plugins.text.attention import AttentionWeights, pooled
from glassbench_plugins.text.sizes import classes_of, context_of, padding_of, vocabulary_of
from glassbench_plugins.text.token_dropout import TokenDropout


class TextTransformer(nn.Module):
    """A transformer encoder (Vaswani et al. 2017) that normalises first, with learnt positions and attention pooling.

    Args:
        schema: Tells the vocabulary, the padding, the context and the classes.
        blocks: Transformer blocks.
        width: Length of a token's vector; a multiple of `heads`.
        heads: Attention heads.
        expansion: Width of each block's feed-forward part, in token lengths.
        dropout: Share of what each part adds, of the embedding and of the pooled vector set to 0 while training.
        token_dropout: Share of the tokens read as unknown ones while training.
    """

    attribution_layer = "embedding"
    attention_layer = "attention"

    def __init__(
        self,
        schema: Schema,
        *,
        blocks: Count = 2,
        width: Count = 64,
        heads: Count = 4,
        expansion: PositiveNumber = 2.0,
        dropout: ShareBelowOne = 0.2,
        token_dropout: ShareBelowOne = 0.0,
    ) -> None:
        super().__init__()
        if min(blocks, width, heads) < 1 or width % heads or not 0 <= dropout < 1:
            got = f"blocks {blocks}, width {width}, heads {heads}, dropout {dropout:g}"
            raise SettingsError("width must be a multiple of heads, and dropout a share below 1", got=got, where="model")
        self.padding = padding_of(schema)
        self.token_dropout = TokenDropout(schema, token_dropout)
        self.embedding = nn.Embedding(vocabulary_of(schema), width, padding_idx=self.padding)
        self.places = nn.Parameter(torch.empty(context_of(schema), width).normal_(std=0.02))
        self.embedding_dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, heads, round(width * expansion), dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.attention = AttentionWeights(width)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, classes_of(schema))

    def forward(self, tokens: Tensor) -> Tensor:
        """From token numbers, long `(n, l)`, to logits `(n, classes)`."""
        read = tokens != self.padding
        states = self.embedding_dropout(self.embedding(self.token_dropout(tokens)) + self.places[: tokens.shape[1]])
        for block in self.blocks:
            states = block(states, read)
        states = self.norm(states)
        answer: Tensor = self.head(self.dropout(pooled(states, self.attention(states, read))))
        return answer


class Block(nn.Module):
    """Attention among the tokens, then a feed-forward part, each normalised first and added to what came in.

    Args:
        width: Length of a token's vector.
        heads: Attention heads.
        inner: Width of the feed-forward part.
        dropout: Share of what each part adds set to 0 while training.
    """

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.together = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.feed_norm = nn.LayerNorm(width)
        self.feed = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, read: Tensor) -> Tensor:
        """From states `(n, l, width)` to states of the same shape; only positions that are read `(n, l)` are attended to."""
        states = states + self.dropout(self._attend(self.attention_norm(states), read))
        changed: Tensor = states + self.dropout(self.feed(self.feed_norm(states)))
        return changed

    def _attend(self, states: Tensor, read: Tensor) -> Tensor:
        query, key, value = self.together(states).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        # Padding gets a large finite penalty: a text of padding alone then attends to all of it.
        penalty = torch.zeros_like(read, dtype=states.dtype).masked_fill(~read, -1e9)[:, None, None, :]
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=penalty)
        answer: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return answer
