"""Recurrent networks that read a text in both directions."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.text.attention import AttentionWeights, pooled
from glassbench_plugins.text.sizes import classes_of, padding_of, vocabulary_of
from glassbench_plugins.text.token_dropout import TokenDropout


class Recurrent(nn.Module):
    """A text classifier: embedding, a recurrent layer in both directions, attention pooling, a linear answer.

    The backward direction starts at a text's last token: texts are turned round by their own length, so that padding is
    read after the text in both directions and takes no part in the answer.

    Args:
        schema: Tells the vocabulary, the padding and the classes.
        cell: The recurrent layer.
        embedding: Length of a token's vector.
        width: Length of the state of each direction.
        layers: Recurrent layers on top of each other.
        dropout: Share of the embedding's and the pooled vector's numbers set to 0 while training.
        token_dropout: Share of the tokens read as unknown ones while training.
    """

    attribution_layer = "embedding"
    attention_layer = "attention"

    def __init__(
        self,
        schema: Schema,
        cell: Callable[..., nn.RNNBase],
        *,
        embedding: int,
        width: int,
        layers: int,
        dropout: float,
        token_dropout: float,
    ) -> None:
        super().__init__()
        if min(embedding, width, layers) < 1 or not 0 <= dropout < 1:
            got = f"embedding {embedding}, width {width}, layers {layers}, dropout {dropout:g}"
            raise SettingsError("sizes are at least 1, and dropout is a share below 1", got=got, where="model")
        self.padding = padding_of(schema)
        self.token_dropout = TokenDropout(schema, token_dropout)
        self.embedding = nn.Embedding(vocabulary_of(schema), embedding, padding_idx=self.padding)
        self.embedding_dropout = nn.Dropout(dropout)
        widths = [embedding] + [2 * width] * (layers - 1)
        self.forwards = nn.ModuleList(cell(size, width, batch_first=True) for size in widths)
        self.backwards = nn.ModuleList(cell(size, width, batch_first=True) for size in widths)
        self.attention = AttentionWeights(2 * width)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * width, classes_of(schema))

    def forward(self, tokens: Tensor) -> Tensor:
        """From token numbers, long `(n, l)`, to logits `(n, classes)`."""
        read = tokens != self.padding
        turn = turned(read)
        states = self.embedding_dropout(self.embedding(self.token_dropout(tokens)))
        for onward, back in zip(self.forwards, self.backwards, strict=True):
            behind = _ordered(back(_ordered(states, turn))[0], turn)
            states = torch.cat([onward(states)[0], behind], dim=2)
        answer: Tensor = self.head(self.dropout(pooled(states, self.attention(states, read))))
        return answer


class Rnn(Recurrent):
    """A plain recurrent network (Elman 1990) in both directions with attention pooling.

    Args:
        schema: Tells the vocabulary, the padding and the classes.
        embedding: Length of a token's vector.
        width: Length of the state of each direction.
        layers: Recurrent layers on top of each other.
        dropout: Share of the embedding's and the pooled vector's numbers set to 0 while training.
        token_dropout: Share of the tokens read as unknown ones while training.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        embedding: Count = 64,
        width: Count = 64,
        layers: Count = 1,
        dropout: ShareBelowOne = 0.3,
        token_dropout: ShareBelowOne = 0.0,
    ) -> None:
        sizes = {"embedding": embedding, "width": width, "layers": layers}
        super().__init__(schema, nn.RNN, **sizes, dropout=dropout, token_dropout=token_dropout)


class Lstm(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997) in both directions with attention pooling.

    Args:
        schema: Tells the vocabulary, the padding and the classes.
        embedding: Length of a token's vector.
        width: Length of the state of each direction.
        layers: Recurrent layers on top of each other.
        dropout: Share of the embedding's and the pooled vector's numbers set to 0 while training.
        token_dropout: Share of the tokens read as unknown ones while training.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        embedding: Count = 64,
        width: Count = 64,
        layers: Count = 1,
        dropout: ShareBelowOne = 0.3,
        token_dropout: ShareBelowOne = 0.0,
    ) -> None:
        sizes = {"embedding": embedding, "width": width, "layers": layers}
        super().__init__(schema, nn.LSTM, **sizes, dropout=dropout, token_dropout=token_dropout)


class Gru(Recurrent):
    """Gated recurrent units (Cho et al. 2014) in both directions with attention pooling.

    Args:
        schema: Tells the vocabulary, the padding and the classes.
        embedding: Length of a token's vector.
        width: Length of the state of each direction.
        layers: Recurrent layers on top of each other.
        dropout: Share of the embedding's and the pooled vector's numbers set to 0 while training.
        token_dropout: Share of the tokens read as unknown ones while training.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        embedding: Count = 64,
        width: Count = 64,
        layers: Count = 1,
        dropout: ShareBelowOne = 0.3,
        token_dropout: ShareBelowOne = 0.0,
    ) -> None:
        sizes = {"embedding": embedding, "width": width, "layers": layers}
        super().__init__(schema, nn.GRU, **sizes, dropout=dropout, token_dropout=token_dropout)


def turned(read: Tensor) -> Tensor:
    """Return positions `(n, l)` that turn each text round and leave the padding after it where it is.

    Example:
        >>> turned(torch.tensor([[True, True, True, False]])).tolist()
        [[2, 1, 0, 3]]
    """
    place = torch.arange(read.shape[1], device=read.device).expand(read.shape)
    length = ((place + 1) * read).amax(dim=1, keepdim=True)
    return torch.where(place < length, length - 1 - place, place)


def _ordered(states: Tensor, order: Tensor) -> Tensor:
    return torch.gather(states, 1, order[:, :, None].expand(states.shape))
