"""Convolutions and a recurrent network that reads both ways."""

from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.stats.settings_types import Count, PositiveNumber, ShareBelowOne
from glassbench_plugins.speech.front import Subsampling, spectrogram_of, symbols_of


class ConvRecurrent(nn.Module):
    """Convolutions over a log-mel spectrogram, gated recurrent units that read both ways, and scores of symbols per frame.

    The layout is that of Deep Speech 2 (Amodei et al. 2016), made small. Explanations start at the spectrogram.

    Args:
        schema: Tells the sizes, the rate and the symbols.
        window: Length of a spectrogram's window in seconds.
        hop: Time from one window to the next in seconds; a frame of the scores spans two.
        bands: Number of mel bands.
        channels: Channels of the convolutions.
        width: Units of each direction of a recurrent layer.
        layers: Recurrent layers.
        dropout: Share of each frame's summary set to 0 while training.
    """

    attribution_layer = "spectrogram"

    def __init__(
        self,
        schema: Schema,
        *,
        window: PositiveNumber = 0.032,
        hop: PositiveNumber = 0.01,
        bands: Count = 40,
        channels: Count = 16,
        width: Count = 64,
        layers: Count = 1,
        dropout: ShareBelowOne = 0.1,
    ) -> None:
        super().__init__()
        symbols = symbols_of(schema, "conv-recurrent")
        self.spectrogram = spectrogram_of(schema, window=window, hop=hop, bands=bands)
        self.subsampling = Subsampling(bands, channels, width)
        between = dropout if layers > 1 else 0.0
        self.recurrent = nn.GRU(width, width, layers, batch_first=True, bidirectional=True, dropout=between)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * width, symbols)

    def forward(self, clips: Tensor) -> Tensor:
        """From clips `(n, samples)` to logits `(n, frames, symbols)`."""
        states, _ = self.recurrent(self.dropout(self.subsampling(self.spectrogram(clips))))
        logits: Tensor = self.head(self.dropout(states))
        return logits
