"""The vision transformer."""

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.vision.augmentation import Augment, Augmentation
from glassbench_plugins.vision.sizes import image_size, patch_side
from glassbench_plugins.vision.transfer import Transferable

_PATCHES = 7
"""Patches a side where nothing else is asked for; more take longer to attend to."""


class SelfAttention(nn.Module):
    """Attention of each token to all, by several heads; `weights` gives it as a module of its own, so that it can be read.

    Args:
        width: Numbers per token.
        heads: Heads, each of `width / heads` numbers.
        dropout: Share of the result set to 0 while training.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.weights = nn.Softmax(dim=-1)
        self.mixed = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """From tokens `(n, t, width)` to tokens of the same shape."""
        n, t, width = tokens.shape
        split = self.queries_keys_values(tokens).view(n, t, 3, self.heads, width // self.heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        attention = self.weights(queries @ keys.transpose(-2, -1) * (width // self.heads) ** -0.5)
        joined = (attention @ values).transpose(1, 2).reshape(n, t, width)
        result: Tensor = self.dropout(self.mixed(joined))
        return result


class TransformerBlock(nn.Module):
    """Attention, then a small network for each token; both are added to what came in, which is normalised first.

    Args:
        width: Numbers per token.
        heads: Heads of attention.
        dropout: Share of each result set to 0 while training.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads, dropout)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(dropout))

    def forward(self, tokens: Tensor) -> Tensor:
        """From tokens `(n, t, width)` to tokens of the same shape."""
        tokens = tokens + self.attention(self.attention_norm(tokens))
        result: Tensor = tokens + self.mlp(self.mlp_norm(tokens))
        return result


class VisionTransformer(Transferable):
    """Cuts the image into patches, which exchange what they hold by attention; a class token collects what is decided on.

    Dosovitskiy et al. (2021), "An Image is Worth 16x16 Words", in small, with learnt positions.

    Args:
        schema: Tells the sizes.
        patch: Side of a patch in pixels, of which whole ones must fill the image; None takes the one that comes nearest to 7
            patches a side.
        width: Numbers per token.
        depth: Blocks.
        heads: Heads of attention in each block; they share the width.
        dropout: Share of each result set to 0 while training.
        augment: What is done to images while training: `none`, `shift` by up to an eighth of the side, `shift-and-flip`.
        weights: Where all weights but the head's come from: the folder of an earlier run, or a `.safetensors` file; None starts
            from chance.
        freeze: Whether the head alone learns (a probe), all before it staying as it came.
    """

    last_convolution = None
    """No convolution looks at the whole image: Grad-CAM has nothing to stand on."""

    def __init__(
        self,
        schema: Schema,
        *,
        patch: Count | None = None,
        width: Count = 64,
        depth: Count = 4,
        heads: Count = 4,
        dropout: ShareBelowOne = 0.1,
        augment: Augment = "none",
        weights: str | None = None,
        freeze: bool = False,
    ) -> None:
        super().__init__()
        channels, high, wide, classes = image_size(schema, "vit")
        side = patch_side(high, wide, patch, aside=_PATCHES)
        if heads < 1 or width < 1 or width % heads or depth < 1:
            raise SettingsError("the heads share the width evenly", got=f"width {width}, heads {heads}", where="model.heads")
        self.patch_grid = (high // side, wide // side)
        self.augmentation = Augmentation(augment, high, wide)
        self.patches = nn.Conv2d(channels, width, side, side)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        tokens = self.patch_grid[0] * self.patch_grid[1] + 1
        self.positions = nn.Parameter(torch.empty(1, tokens, width))
        nn.init.normal_(self.positions)  # as large as what patches hold: where they lie is then seen from the first step on
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.Sequential(*(TransformerBlock(width, heads, dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)
        self.start_from(weights, freeze=freeze)

    @property
    def attention_layers(self) -> tuple[str, ...]:
        """Names of the modules that give each block's attention `(n, heads, t, t)`, first block first; the class token
        comes before the patches, which follow row by row as `patch_grid` says."""
        return tuple(f"blocks.{block}.attention.weights" for block in range(len(self.blocks)))

    def forward(self, images: Tensor) -> Tensor:
        """From images `(n, C, H, W)` to logits `(n, classes)`."""
        logits: Tensor = self.head(self.summary(images))
        return logits

    def summary(self, images: Tensor) -> Tensor:
        """From images `(n, C, H, W)` to what is decided on, the class token of the last block `(n, width)`."""
        patches = self.patches(self.augmentation(images)).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(patches.shape[0], -1, -1), patches], dim=1)
        tokens = self.blocks(self.dropout(tokens + self.positions))
        summary: Tensor = self.norm(tokens[:, 0])
        return summary
