"""Residual networks."""

from typing import Literal

from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.stats.settings_types import ShareBelowOne
from glassbench_plugins.vision.augmentation import Augment, Augmentation
from glassbench_plugins.vision.sizes import image_size

_LARGE = 96
"""Sides from which the first layers quarter the image, as ResNet does for photographs of 224 pixels."""

_STAGES: dict[str, tuple[tuple[int, ...], int]] = {"small": ((16, 32, 64), 2), "18": ((64, 128, 256, 512), 2)}
"""Widths of the stages and blocks in each."""


class ResidualBlock(nn.Module):
    """Two convolutions of 3 x 3 whose result is added to what came in.

    Args:
        channels: Channels that come in.
        wide: Channels that go out.
        stride: 2 halves the image.
    """

    def __init__(self, channels: int, wide: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, wide, 3, stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(wide)
        self.first_relu = nn.ReLU()
        self.second = nn.Conv2d(wide, wide, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(wide)
        same = stride == 1 and channels == wide
        self.shortcut: nn.Module = nn.Identity()
        if not same:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, wide, 1, stride, bias=False), nn.BatchNorm2d(wide))
        self.relu = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """From features `(n, channels, h, w)` to features `(n, wide, h / stride, w / stride)`."""
        changed = self.first_relu(self.first_norm(self.first(features)))
        changed = self.second_norm(self.second(changed))
        result: Tensor = self.relu(changed + self.shortcut(features))
        return result


class ResNet(nn.Module):
    """Stages of residual blocks, each but the first halving the image, then the mean over what is left of it.

    He, Zhang, Ren and Sun (2016), "Deep Residual Learning for Image Recognition". Images under 96 pixels keep their size in the
    first layer, as in that paper's networks for small images; larger ones are quartered there.

    Args:
        schema: Tells the sizes.
        depth: `18` is the paper's ResNet-18; `small` its network for small images with two blocks of 16, 32 and 64 channels
            each.
        dropout: Share of the summary set to 0 while training.
        augment: What is done to images while training: `none`, `shift` by up to an eighth of the side, `shift-and-flip`.
    """

    last_convolution = "stages"
    """The layer of Grad-CAM: the last convolution, after its addition and activation."""

    def __init__(
        self,
        schema: Schema,
        *,
        depth: Literal["small", 18] = "small",
        dropout: ShareBelowOne = 0.0,
        augment: Augment = "none",
    ) -> None:
        super().__init__()
        channels, height, width, classes = image_size(schema, "resnet")
        widths, blocks = _STAGES[str(depth)]
        self.augmentation = Augmentation(augment, height, width)
        self.stem = _stem(channels, widths[0], large=min(height, width) >= _LARGE)
        stages: list[nn.Module] = []
        came = widths[0]
        for stage, wide in enumerate(widths):
            for block in range(blocks):
                stages.append(ResidualBlock(came, wide, stride=2 if stage and not block else 1))
                came = wide
        self.stages = nn.Sequential(*stages)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(came, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """From images `(n, C, H, W)` to logits `(n, classes)`."""
        features = self.stages(self.stem(self.augmentation(images)))
        logits: Tensor = self.head(self.dropout(self.pool(features).flatten(1)))
        return logits


def _stem(channels: int, wide: int, *, large: bool) -> nn.Sequential:
    kernel, stride = (7, 2) if large else (3, 1)
    layers: list[nn.Module] = [nn.Conv2d(channels, wide, kernel, stride, padding=kernel // 2, bias=False)]
    layers += [nn.BatchNorm2d(wide), nn.ReLU()]
    return nn.Sequential(*layers, *([nn.MaxPool2d(3, 2, padding=1)] if large else []))
