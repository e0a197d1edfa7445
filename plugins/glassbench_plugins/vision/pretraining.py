"""Networks of images that learn without labels: by telling views of an image from those of others, or by filling in patches."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.schema import Schema
from glassbench.stats.settings_types import Count, OpenShare, PositiveNumber, ShareBelowOne
from glassbench_plugins.vision.cnn import Cnn
from glassbench_plugins.vision.sizes import image_size, patch_side
from glassbench_plugins.vision.views import masked, views
from glassbench_plugins.vision.vit import VisionTransformer

_HIDDEN_ASIDE = 4


class Pretraining(nn.Module):
    """A `cnn` or `vit` without its head, whose summary of an image is its code, and what it needs to learn without labels.

    `contrastive` (Chen et al. 2020, SimCLR): of two random views of each image the codes shall be alike, and unlike those of the
    other images of the minibatch. `masked`: the hidden patches of an image are restored from its code (He et al. 2022, with one
    code for the whole image in place of one for each patch, so that convolutions can learn so too). Codes are restored by a
    decoder, which of contrastive codes learns beside them and does not change them.

    A run's weights are for `weights:` of the models `cnn` and `vit`. Labels are not looked at.

    Args:
        schema: Tells the sizes.
        network: `cnn` or `vit`.
        objective: `contrastive` or `masked`.
        widths: Channels of each block of a `cnn`.
        width, depth, heads: Numbers per token, blocks and heads of a `vit`.
        dropout: Of a `vit`.
        projection: Width in which codes of views are compared.
        temperature: How sharply they are told apart; lower is sharper.
        flips: Whether views may be mirrored, which digits and letters do not stand.
        hidden: Share of the patches that are hidden.
        patch: Side of a hidden patch in pixels, of which whole ones must fill the image; None takes the one that comes nearest to
            4 patches a side.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        network: Literal["cnn", "vit"] = "cnn",
        objective: Literal["contrastive", "masked"] = "contrastive",
        widths: tuple[Count, ...] = (32, 64, 128),
        width: Count = 64,
        depth: Count = 4,
        heads: Count = 4,
        dropout: ShareBelowOne = 0.0,
        projection: Count = 64,
        temperature: PositiveNumber = 0.2,
        flips: bool = False,
        hidden: OpenShare = 0.5,
        patch: Count | None = None,
    ) -> None:
        super().__init__()
        channels, height, wide, _ = image_size(schema, "pretraining")
        self.patch = patch_side(height, wide, patch, aside=_HIDDEN_ASIDE) if objective == "masked" else 1
        self.network: Cnn | VisionTransformer = (
            Cnn(schema, widths=widths)
            if network == "cnn"
            else VisionTransformer(schema, width=width, depth=depth, heads=heads, dropout=dropout)
        )
        code = widths[-1] if network == "cnn" else width
        self.network.head = nn.Identity()  # type: ignore[assignment]
        self.contrastive, self.temperature, self.flips, self.hidden = objective == "contrastive", temperature, flips, hidden
        self.decoder = _two_layers(code, 2 * code, channels * height * wide)
        self.projection = _two_layers(code, code, projection) if self.contrastive else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """From images `(n, C, H, W)` to their codes `(n, m)`."""
        return self.network.summary(images)

    def decode(self, codes: Tensor) -> Tensor:
        """From codes `(n, m)` to images as rows `(n, C H W)`."""
        rows: Tensor = self.decoder(codes)
        return rows

    def objective(self, images: Tensor) -> Tensor:
        """Return what is minimised of each image, `(n,)`."""
        if not self.contrastive:
            mask = masked(images, self.patch, self.hidden)
            off = (self.decode(self(images * (1 - mask))).view_as(images) - images) ** 2
            return (off * mask).flatten(1).sum(dim=1) / (mask.flatten(1).sum(dim=1) * images.shape[1])
        pair = torch.cat([views(images, flips=self.flips), views(images, flips=self.flips)])
        told = told_apart(self.projection(self(pair)), self.temperature)
        restored = ((self.decode(self(images).detach()) - images.flatten(1)) ** 2).mean(dim=1)
        return told + restored


def told_apart(projected: Tensor, temperature: float) -> Tensor:
    """Return the cross-entropy of finding each image's other view among all views, the mean of both directions `(n,)`.

    Args:
        projected: The first views of n images, then the second ones `(2 n, k)`.
        temperature: What similarities (cosines) are divided by.
    """
    many = len(projected) // 2
    directions = functional.normalize(projected, dim=1)
    alike = (directions @ directions.T / temperature).fill_diagonal_(-torch.inf)
    other = torch.arange(2 * many, device=projected.device).roll(many)
    each = functional.cross_entropy(alike, other, reduction="none")
    return (each[:many] + each[many:]) / 2


def _two_layers(before: int, between: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(before, between), nn.ReLU(), nn.Linear(between, after))
