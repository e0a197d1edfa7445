"""A small conformer."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, PositiveNumber, ShareBelowOne
from glassbench_plugins.speech.front import Subsampling, spectrogram_of, symbols_of
from glassbench_plugins.translation.transformer import Attention


class Conformer(nn.Module):
    """Blocks of attention and convolution over the frames of a log-mel spectrogram (Gulati et al. 2020), made small.

    Where a frame is told by sines and cosines (Vaswani et al. 2017) in place of relative positions. Explanations start at the
    spectrogram.

    Args:
        schema: Tells the sizes, the rate and the symbols.
        window: Length of a spectrogram's window in seconds.
        hop: Time from one window to the next in seconds; a frame of the scores spans two.
        bands: Number of mel bands.
        channels: Channels of the convolutions that come first.
        width: Length of a frame's vector, an even number.
        heads: Attention heads, a divisor of the width.
        layers: Blocks.
        kernel: Frames that a block's convolution spans, an odd number.
        dropout: Share of what each part adds set to 0 while training.
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
        heads: Count = 4,
        layers: Count = 2,
        kernel: Count = 15,
        dropout: ShareBelowOne = 0.1,
    ) -> None:
        super().__init__()
        symbols = symbols_of(schema, "conformer")
        if width % heads or width % 2 or kernel % 2 == 0:
            got = f"width {width}, heads {heads}, kernel {kernel}"
            raise SettingsError("a width is even and a multiple of the heads, and a kernel odd", got=got, where="model")
        self.spectrogram = spectrogram_of(schema, window=window, hop=hop, bands=bands)
        self.subsampling = Subsampling(bands, channels, width)
        self.blocks = nn.ModuleList(ConformerBlock(width, heads, kernel, dropout) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, symbols)

    def forward(self, clips: Tensor) -> Tensor:
        """From clips `(n, samples)` to logits `(n, frames, symbols)`."""
        states = self.subsampling(self.spectrogram(clips))
        states = self.dropout(states + places(states.shape[1], states.shape[2]).to(states))
        for block in self.blocks:
            states = block(states)
        logits: Tensor = self.head(states)
        return logits


class ConformerBlock(nn.Module):
    """Half a feed-forward part, attention, convolution, and the other half, each normalised first and added to what came in.

    Args:
        width: Length of a frame's vector.
        heads: Attention heads.
        kernel: Frames that the convolution spans.
        dropout: Share of what each part adds set to 0 while training.
    """

    def __init__(self, width: int, heads: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.first, self.second = _feed_forward(width), _feed_forward(width)
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.convolution_norm = nn.LayerNorm(width)
        self.gate = nn.Conv1d(width, 2 * width, 1)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width, bias=False)
        self.convolution = nn.Sequential(nn.BatchNorm1d(width), nn.SiLU(), nn.Conv1d(width, width, 1))
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor) -> Tensor:
        """From states `(n, frames, width)` to states of the same shape."""
        states = states + 0.5 * self.dropout(self.first(states))
        normed = self.attention_norm(states)
        states = states + self.dropout(self.attention(normed, normed, states.new_zeros(1, 1)))
        states = states + self.dropout(self._convolved(states))
        states = states + 0.5 * self.dropout(self.second(states))
        changed: Tensor = self.norm(states)
        return changed

    def _convolved(self, states: Tensor) -> Tensor:
        gated = nn.functional.glu(self.gate(self.convolution_norm(states).transpose(1, 2)), dim=1)
        convolved: Tensor = self.convolution(self.depthwise(gated)).transpose(1, 2)
        return convolved


def places(frames: int, width: int) -> Tensor:
    """Return what tells where each frame is `(frames, width)`: sines, then cosines, of falling frequency."""
    at = torch.arange(frames, dtype=torch.float32)[:, None]
    angles = at * 10_000 ** (-torch.arange(width // 2, dtype=torch.float32) * 2 / width)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _feed_forward(width: int) -> nn.Sequential:
    return nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, width))
