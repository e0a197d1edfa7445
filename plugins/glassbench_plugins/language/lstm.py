"""A recurrent language model."""

from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.text.sizes import vocabulary_of


class LanguageLstm(nn.Module):
    """Long short-term memory read left to right, one guess of the next token at each (Zaremba et al. 2014).

    Args:
        schema: Tells the vocabulary.
        embedding: Length of a token's vector.
        width: Length of the state.
        layers: Recurrent layers on top of each other.
        dropout: Share of what goes into and comes out of the layers set to 0 while training.
    """

    attribution_layer = "embedding"

    def __init__(
        self, schema: Schema, *, embedding: Count = 64, width: Count = 256, layers: Count = 1, dropout: ShareBelowOne = 0.0
    ) -> None:
        super().__init__()
        if min(embedding, width, layers) < 1 or not 0 <= dropout < 1:
            got = f"embedding {embedding}, width {width}, layers {layers}, dropout {dropout:g}"
            raise SettingsError("sizes are at least 1, and dropout is a share below 1", got=got, where="model")
        self.embedding = nn.Embedding(vocabulary_of(schema), embedding)
        self.recurrent = nn.LSTM(embedding, width, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, vocabulary_of(schema))

    def forward(self, tokens: Tensor) -> Tensor:
        """From token numbers, long `(n, l)`, to logits of each following token `(n, l, vocabulary)`."""
        states, _ = self.recurrent(self.dropout(self.embedding(tokens)))
        answer: Tensor = self.head(self.dropout(states))
        return answer
