"""A transformer over patches of each channel."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.series.revin import ReversibleNorm
from glassbench_plugins.series.sizes import forecast_of


class PatchTST(nn.Module):
    """Cuts each channel into overlapping patches and lets them attend to each other; channels share all weights.

    Nie, Nguyen, Sinthong and Kalagnanam (2023), "A Time Series is Worth 64 Words: Long-term Forecasting with
    Transformers". The defaults are the paper's for the small ETT sets.

    Args:
        schema: Tells the sizes.
        patch: Steps of a patch.
        patch_stride: Steps from one patch to the next.
        width: Width of a patch's representation.
        heads: Attention heads.
        layers: Encoder layers.
        feedforward: Width of the layer within each encoder layer.
        dropout: Share set to 0 while training.
        head_dropout: Share of the representations set to 0 before the forecast, while training.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        patch: Count = 16,
        patch_stride: Count = 8,
        width: Count = 16,
        heads: Count = 4,
        layers: Count = 3,
        feedforward: Count = 128,
        dropout: ShareBelowOne = 0.3,
        head_dropout: ShareBelowOne = 0.0,
    ) -> None:
        super().__init__()
        shape = forecast_of(schema, "patchtst")
        if not 1 <= patch <= shape.length or patch_stride < 1 or width % heads:
            got = f"patch {patch} of {shape.length} steps, stride {patch_stride}, width {width}, heads {heads}"
            raise SettingsError("patches fit into a window, and heads divide the width", got=got, where="model")
        self.patch, self.patch_stride = patch, patch_stride
        self.norm = ReversibleNorm(shape.channels)
        self.pad = nn.ReplicationPad1d((0, patch_stride))
        patches = (shape.length + patch_stride - patch) // patch_stride + 1
        self.embedding = nn.Linear(patch, width)
        self.position = nn.Parameter(torch.empty(patches, width).uniform_(-0.02, 0.02))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(PatchLayer(width, heads, feedforward, dropout) for _ in range(layers))
        self.head_dropout = nn.Dropout(head_dropout)
        self.head = nn.Linear(patches * width, shape.output[0])

    def forward(self, inputs: Tensor) -> Tensor:
        """From windows `(n, length, channels)` to forecasts `(n, horizon, channels)`."""
        windows, mean, spread = self.norm(inputs)
        patches = self.pad(windows.transpose(1, 2)).unfold(2, self.patch, self.patch_stride)
        hidden = self.dropout(self.embedding(patches) + self.position).flatten(0, 1)
        for layer in self.layers:
            hidden = layer(hidden)
        flat = hidden.unflatten(0, (inputs.shape[0], -1)).flatten(2)
        forecast = self.head(self.head_dropout(flat)).transpose(1, 2)
        return self.norm.reverse(forecast, mean, spread)


class PatchLayer(nn.Module):
    """Attention and a feed-forward layer, each added to its input and normalised over the batch, as the paper does.

    Args:
        width: Width of a representation.
        heads: Attention heads.
        feedforward: Width of the hidden layer.
        dropout: Share set to 0 while training.
    """

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.feedforward = nn.Sequential(
            nn.Linear(width, feedforward), nn.GELU(), nn.Dropout(dropout), nn.Linear(feedforward, width)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(2))
        self.dropouts = nn.ModuleList(nn.Dropout(dropout) for _ in range(2))

    def forward(self, hidden: Tensor) -> Tensor:
        """From and to `(n, patches, width)`."""
        attended, _ = self.attention(hidden, hidden, hidden, need_weights=False)
        hidden = self._normed(0, hidden + self.dropouts[0](attended))
        return self._normed(1, hidden + self.dropouts[1](self.feedforward(hidden)))

    def _normed(self, which: int, hidden: Tensor) -> Tensor:
        normed: Tensor = self.norms[which](hidden.transpose(1, 2))
        return normed.transpose(1, 2)
