"""Convolutions over a log-mel spectrogram."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, PositiveNumber, ShareBelowOne
from glassbench_plugins.audio.sizes import clip_size
from glassbench_plugins.audio.spectrogram import Spectrogram


class SpectrogramCnn(nn.Module):
    """Turns clips into log-mel spectrograms and decides on them by convolutions, as on pictures.

    Explanations start at the spectrogram, which a person can look at, not at the samples. The layout follows the small
    networks that Hershey et al. (2017), "CNN Architectures for Large-Scale Audio Classification", found to carry over from
    pictures.

    Args:
        schema: Tells the sizes and the rate.
        window: Length of a spectrogram's window in seconds.
        hop: Time from one window to the next in seconds.
        bands: Number of mel bands.
        widths: Channels of each block; each halves both axes.
        dropout: Share of the summary set to 0 while training.
    """

    attribution_layer = "spectrogram"

    def __init__(
        self,
        schema: Schema,
        *,
        window: PositiveNumber = 0.032,
        hop: PositiveNumber = 0.016,
        bands: Count = 32,
        widths: tuple[Count, ...] = (16, 32, 64),
        dropout: ShareBelowOne = 0.1,
    ) -> None:
        super().__init__()
        samples, rate, classes = clip_size(schema, "spectrogram-cnn")
        size, step = round(window * rate), round(hop * rate)
        frames = 1 + samples // max(step, 1)
        if size < 2 or step < 1 or size // 2 >= samples or min(bands, frames) < 2 ** len(widths) or not widths:
            got = f"{bands} bands and {frames} windows of {size} samples, {step} apart, for {len(widths)} blocks"
            raise SettingsError("each block halves bands and windows, of which one must remain", got=got, where="model")
        self.spectrogram = Spectrogram(rate, window=size, hop=step, bands=bands)
        self.norm = nn.BatchNorm2d(1)
        blocks, width = list[nn.Module](), 1
        for wide in widths:
            convolution = nn.Conv2d(width, wide, 3, padding=1, bias=False)
            blocks += [convolution, nn.BatchNorm2d(wide), nn.ReLU(), nn.MaxPool2d(2)]
            width = wide
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * width, classes)

    def forward(self, clips: Tensor) -> Tensor:
        """From clips `(n, samples)` to logits `(n, classes)`."""
        features = self.blocks(self.norm(self.spectrogram(clips)[:, None]))
        summary = torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3))], dim=1)
        logits: Tensor = self.head(self.dropout(summary))
        return logits
