"""Recurrent layers over the steps of a series."""

from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.series.sizes import shape_of


class SeriesLstm(nn.Module):
    """Long short-term memory over the steps; its last state is mapped to the forecast or to classes.

    A forecast is told as the change from the last step seen, so that a level that drifts need not be learnt. Hochreiter and
    Schmidhuber (1997), "Long Short-Term Memory".

    Args:
        schema: Tells the sizes.
        hidden: Width of the state.
        layers: Layers on top of each other.
        dropout: Share of a layer's outputs set to 0 on the way to the next and to the answer, while training.
    """

    def __init__(self, schema: Schema, *, hidden: Count = 64, layers: Count = 1, dropout: ShareBelowOne = 0.0) -> None:
        super().__init__()
        self.shape = shape_of(schema, "series-lstm")
        self.forecasts = len(self.shape.output) == 2
        between = dropout if layers > 1 else 0.0
        self.recurrent = nn.LSTM(self.shape.channels, hidden, layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, self.shape.outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """From series `(n, length, channels)` to forecasts `(n, horizon, channels)` or logits `(n, classes)`."""
        last = inputs[:, -1:] if self.forecasts else None
        states, _ = self.recurrent(inputs if last is None else inputs - last)
        answer = self.shape.answer(self.head(self.dropout(states[:, -1])))
        return answer if last is None else answer + last
