"""A transformer that reads one sequence and writes another."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, PositiveNumber, ShareBelowOne
from glassbench_plugins.text.sizes import context_of, padding_of, vocabulary_of
from glassbench_plugins.translation.sizes import answer_context, answer_tokens


class Seq2SeqTransformer(nn.Module):
    """An encoder-decoder transformer (Vaswani et al. 2017) that normalises first, with learnt positions.

    Logits come from the answer's embedding itself (Press and Wolf 2017).

    Args:
        schema: Tells both vocabularies, the padding and both contexts.
        layers: Blocks that read, and as many that write.
        heads: Attention heads.
        width: Length of a token's vector; a multiple of `heads`.
        expansion: Width of each block's feed-forward part, in token lengths.
        dropout: Share of the embeddings and of what each part adds set to 0 while training.
    """

    attribution_layer = "embedding"

    def __init__(
        self,
        schema: Schema,
        *,
        layers: Count = 2,
        heads: Count = 4,
        width: Count = 128,
        expansion: PositiveNumber = 2.0,
        dropout: ShareBelowOne = 0.1,
    ) -> None:
        super().__init__()
        if min(layers, heads, width) < 1 or width % heads or not 0 <= dropout < 1:
            got = f"layers {layers}, heads {heads}, width {width}, dropout {dropout:g}"
            raise SettingsError("width must be a multiple of heads, and dropout a share below 1", got=got, where="model")
        self.padding = padding_of(schema)
        self.scale = width**0.5
        self.embedding = nn.Embedding(vocabulary_of(schema), width, padding_idx=self.padding)
        self.answer_embedding = nn.Embedding(answer_tokens(schema), width)
        self.places = nn.Parameter(torch.empty(context_of(schema), width).normal_(std=0.02))
        self.answer_places = nn.Parameter(torch.empty(answer_context(schema), width).normal_(std=0.02))
        self.dropout = nn.Dropout(dropout)
        inner = round(width * expansion)
        self.readers = nn.ModuleList(Reader(width, heads, inner, dropout) for _ in range(layers))
        self.read_norm = nn.LayerNorm(width)
        self.writers = nn.ModuleList(Writer(width, heads, inner, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        for embedding in (self.embedding, self.answer_embedding):
            nn.init.normal_(embedding.weight, std=1 / self.scale)
        nn.init.zeros_(self.embedding.weight[self.padding])

    def forward(self, source: Tensor, emitted: Tensor) -> Tensor:
        """From a source `(n, s)` and the tokens before each place `(n, t)`, long, to their logits `(n, t, vocabulary)`."""
        return self.head(self.decode(self.encode(source), emitted))

    def encode(self, source: Tensor) -> tuple[Tensor, ...]:
        """Read a source, long `(n, s)`: its states `(n, s, width)`, and a penalty for padding `(n, 1, 1, s)`."""
        states = self.dropout(self.embedding(source) * self.scale + self.places[: source.shape[1]])
        # Padding gets a large finite penalty: a source of padding alone then attends to all of it.
        penalty = torch.zeros_like(source, dtype=states.dtype).masked_fill(source == self.padding, -1e9)[:, None, None, :]
        for reader in self.readers:
            states = reader(states, penalty)
        return self.read_norm(states), penalty

    def decode(self, memory: tuple[Tensor, ...], emitted: Tensor) -> Tensor:
        """From what was read and the tokens before each place, long `(n, t)`, to what decides each token `(n, t, width)`."""
        read, penalty = memory
        states = self.dropout(self.answer_embedding(emitted) * self.scale + self.answer_places[: emitted.shape[1]])
        for writer in self.writers:
            states = writer(states, read, penalty)
        decided: Tensor = self.norm(states)
        return decided

    def head(self, decided: Tensor) -> Tensor:
        """From what decides a token `(..., width)` to logits `(..., vocabulary)`."""
        return functional.linear(decided, self.answer_embedding.weight)


class Reader(nn.Module):
    """Attention among the source's tokens, then a feed-forward part, each normalised first and added to what came in.

    Args:
        width: Length of a token's vector.
        heads: Attention heads.
        inner: Width of the feed-forward part.
        dropout: Share of what each part adds set to 0 while training.
    """

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.feed_norm = nn.LayerNorm(width)
        self.feed = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, penalty: Tensor) -> Tensor:
        """From states `(n, s, width)` to states of the same shape; `penalty` keeps attention away from padding."""
        normed = self.attention_norm(states)
        states = states + self.dropout(self.attention(normed, normed, penalty))
        changed: Tensor = states + self.dropout(self.feed(self.feed_norm(states)))
        return changed


class Writer(nn.Module):
    """Attention to the tokens written before, attention to the source, then a feed-forward part.

    Args:
        width: Length of a token's vector.
        heads: Attention heads.
        inner: Width of the feed-forward part.
        dropout: Share of what each part adds set to 0 while training.
    """

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.own_norm = nn.LayerNorm(width)
        self.own_attention = Attention(width, heads)
        self.source_norm = nn.LayerNorm(width)
        self.source_attention = Attention(width, heads)
        self.feed_norm = nn.LayerNorm(width)
        self.feed = nn.Sequential(nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, read: Tensor, penalty: Tensor) -> Tensor:
        """From states `(n, t, width)` and what was read `(n, s, width)` to states of the same shape, none looking ahead."""
        normed = self.own_norm(states)
        states = states + self.dropout(self.own_attention(normed, normed, None))
        states = states + self.dropout(self.source_attention(self.source_norm(states), read, penalty))
        changed: Tensor = states + self.dropout(self.feed(self.feed_norm(states)))
        return changed


class Attention(nn.Module):
    """Scaled dot-product attention with several heads.

    Args:
        width: Length of a token's vector.
        heads: Attention heads.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ask = nn.Linear(width, width)
        self.offer = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, asking: Tensor, asked: Tensor, penalty: Tensor | None) -> Tensor:
        """From `(n, t, width)` and `(n, s, width)` to `(n, t, width)`; without a penalty nothing later is looked at."""
        query = self.ask(asking).unflatten(2, (self.heads, -1)).transpose(1, 2)
        key, value = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.offer(asked).chunk(2, dim=2))
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=penalty, is_causal=penalty is None)
        answer: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return answer
