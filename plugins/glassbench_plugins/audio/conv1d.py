"""Convolutions over the samples themselves."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.audio.sizes import clip_size


class Conv1d(nn.Module):
    """Blocks of strided convolution over the samples, then their mean and maximum over time.

    A long first convolution learns filters of its own in place of a spectrogram: the M5 of Dai, Dai, Qu, Li and Das (2017),
    "Very Deep Convolutional Neural Networks for Raw Waveforms", made smaller.

    Args:
        schema: Tells the sizes.
        kernel: Samples that the first convolution spans.
        stride: Samples from one of its steps to the next.
        widths: Channels of each block; all but the first quarter the steps.
        dropout: Share of the summary set to 0 while training.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        kernel: Count = 64,
        stride: Count = 8,
        widths: tuple[Count, ...] = (32, 32, 64),
        dropout: ShareBelowOne = 0.1,
    ) -> None:
        super().__init__()
        samples, _, classes = clip_size(schema, "conv1d")
        steps = (samples - kernel) // stride + 1 if stride > 0 else 0
        if not widths or kernel < 1 or steps < 4 ** (len(widths) - 1):
            got = f"{samples} samples, kernel {kernel}, stride {stride}, {len(widths)} blocks"
            raise SettingsError("each block but the first quarters the steps, of which one must remain", got=got, where="model")
        first, *rest = widths
        blocks: list[nn.Module] = [nn.Conv1d(1, first, kernel, stride, bias=False), nn.BatchNorm1d(first), nn.ReLU()]
        width = first
        for wide in rest:
            blocks += [nn.Conv1d(width, wide, 5, padding=2, bias=False), nn.BatchNorm1d(wide), nn.ReLU(), nn.MaxPool1d(4)]
            width = wide
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * width, classes)

    def forward(self, clips: Tensor) -> Tensor:
        """From clips `(n, samples)` to logits `(n, classes)`."""
        features = self.blocks(clips[:, None])
        summary = torch.cat([features.mean(dim=2), features.amax(dim=2)], dim=1)
        logits: Tensor = self.head(self.dropout(summary))
        return logits
