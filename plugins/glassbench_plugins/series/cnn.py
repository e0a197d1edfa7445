"""Convolutions over the steps of a series."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.series.sizes import shape_of


class SeriesCnn(nn.Module):
    """Blocks of convolution, normalisation and activation, then the mean and the maximum over the steps.

    The fully convolutional network of Wang, Yan and Oates (2017), "Time Series Classification from Scratch with Deep Neural
    Networks: A Strong Baseline", with the maximum beside its mean so that something short is not averaged away. For a
    forecast, the steps are kept in order instead.

    Args:
        schema: Tells the sizes.
        widths: Channels of each block.
        kernels: Steps that each block's convolution spans, odd; as many as blocks.
        dropout: Share of the summary set to 0 while training.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        widths: tuple[Count, ...] = (32, 64, 32),
        kernels: tuple[Count, ...] = (7, 5, 3),
        dropout: ShareBelowOne = 0.0,
    ) -> None:
        super().__init__()
        self.shape = shape_of(schema, "series-cnn")
        if len(widths) != len(kernels) or not widths or any(k % 2 == 0 for k in kernels):
            got = f"widths {list(widths)}, kernels {list(kernels)}"
            raise SettingsError("each block has a width and an odd kernel", got=got, where="model")
        blocks, width = list[nn.Module](), self.shape.channels
        for wide, kernel in zip(widths, kernels, strict=True):
            convolution = nn.Conv1d(width, wide, kernel, padding=kernel // 2, bias=False)
            blocks += [convolution, nn.BatchNorm1d(wide), nn.ReLU()]
            width = wide
        self.blocks = nn.Sequential(*blocks)
        self.forecasts = len(self.shape.output) == 2
        self.mean = nn.AdaptiveAvgPool1d(1)
        self.maximum = nn.AdaptiveMaxPool1d(1)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width * (self.shape.length if self.forecasts else 2), self.shape.outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """From series `(n, length, channels)` to logits `(n, classes)` or forecasts `(n, horizon, channels)`."""
        features = self.blocks(inputs.transpose(1, 2))
        if self.forecasts:
            return self.shape.answer(self.head(self.dropout(features.flatten(1))))
        summary = torch.cat([self.mean(features), self.maximum(features)], dim=1).flatten(1)
        return self.shape.answer(self.head(self.dropout(summary)))
