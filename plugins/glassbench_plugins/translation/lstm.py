"""A recurrent network that reads one sequence and writes another, with attention."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.text.recurrent import turned
from glassbench_plugins.text.sizes import padding_of, vocabulary_of
from glassbench_plugins.translation.sizes import answer_tokens


class Seq2SeqLstm(nn.Module):
    """Long short-term memory that reads in both directions, and one that writes with attention to what was read.

    The encoder-decoder of Sutskever et al. (2014) with the global attention of Luong et al. (2015): each state of the writer
    asks all states of the reader, and what it gets decides the next token together with the state itself.

    Args:
        schema: Tells both vocabularies and the padding.
        embedding: Length of a token's vector.
        width: Length of the writer's state, and of the reader's in each direction.
        dropout: Share of the embeddings' and of the deciding vector's numbers set to 0 while training.
    """

    attribution_layer = "embedding"

    def __init__(self, schema: Schema, *, embedding: Count = 64, width: Count = 128, dropout: ShareBelowOne = 0.1) -> None:
        super().__init__()
        if min(embedding, width) < 1 or not 0 <= dropout < 1:
            got = f"embedding {embedding}, width {width}, dropout {dropout:g}"
            raise SettingsError("sizes are at least 1, and dropout is a share below 1", got=got, where="model")
        self.padding = padding_of(schema)
        self.embedding = nn.Embedding(vocabulary_of(schema), embedding, padding_idx=self.padding)
        self.answer_embedding = nn.Embedding(answer_tokens(schema), embedding)
        self.dropout = nn.Dropout(dropout)
        self.onward = nn.LSTM(embedding, width, batch_first=True)
        self.back = nn.LSTM(embedding, width, batch_first=True)
        self.first_state = nn.Linear(2 * width, width)
        self.first_cell = nn.Linear(2 * width, width)
        self.writer = nn.LSTM(embedding, width, batch_first=True)
        self.question = nn.Linear(width, 2 * width, bias=False)
        self.join = nn.Linear(3 * width, width)
        self.activation = nn.Tanh()
        self.output = nn.Linear(width, answer_tokens(schema))

    def forward(self, source: Tensor, emitted: Tensor) -> Tensor:
        """From a source `(n, s)` and the tokens before each place `(n, t)`, long, to their logits `(n, t, vocabulary)`."""
        return self.head(self.decode(self.encode(source), emitted))

    def encode(self, source: Tensor) -> tuple[Tensor, ...]:
        """Read a source, long `(n, s)`: its states `(n, s, 2 * width)`, which are read `(n, s)`, and the writer's start."""
        read = source != self.padding
        turn = turned(read)[:, :, None]
        vectors = self.dropout(self.embedding(source))
        onward = self.onward(vectors)[0]
        # The backward direction starts at a text's last token, not at its padding.
        back = torch.take_along_dim(self.back(torch.take_along_dim(vectors, turn, dim=1))[0], turn, dim=1)
        last = turn[:, :1]  # what is turned to the front is a text's last token
        summary = torch.cat([torch.take_along_dim(onward, last, dim=1)[:, 0], back[:, 0]], dim=1)
        start = self.activation(self.first_state(summary)), self.activation(self.first_cell(summary))
        return torch.cat([onward, back], dim=2), read, *start

    def decode(self, memory: tuple[Tensor, ...], emitted: Tensor) -> Tensor:
        """From what was read and the tokens before each place, long `(n, t)`, to what decides each token `(n, t, width)`."""
        states, read, hidden, cell = memory
        written, _ = self.writer(self.dropout(self.answer_embedding(emitted)), (hidden[None], cell[None]))
        scores = torch.bmm(self.question(written), states.transpose(1, 2))
        # A large finite number instead of infinity: a source of padding alone then weighs all its places alike.
        weights = torch.softmax(scores.masked_fill(~read[:, None, :], -1e9), dim=2)
        joined = self.join(torch.cat([torch.bmm(weights, states), written], dim=2))
        decided: Tensor = self.dropout(self.activation(joined))
        return decided

    def head(self, decided: Tensor) -> Tensor:
        """From what decides a token `(..., width)` to logits `(..., vocabulary)`."""
        logits: Tensor = self.output(decided)
        return logits
