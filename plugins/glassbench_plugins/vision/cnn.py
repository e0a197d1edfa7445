"""Blocks of convolution and pooling."""

from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench_plugins.vision.augmentation import Augment, Augmentation
from glassbench_plugins.vision.sizes import image_size
from glassbench_plugins.vision.transfer import Transferable


class Cnn(Transferable):
    """Convolutions of 3 x 3, each block halving the image, then the mean over what is left of it and one linear layer.

    The layout of VGG (Simonyan and Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition"), made
    small, with batch normalisation (Ioffe and Szegedy 2015) and the global mean of Lin, Chen and Yan (2014).

    Args:
        schema: Tells the sizes.
        widths: Channels of each block.
        convolutions: Convolutions in each block.
        dropout: Share of the summary set to 0 while training.
        augment: What is done to images while training: `none`, `shift` by up to an eighth of the side, `shift-and-flip`.
        weights: Where all weights but the head's come from: the folder of an earlier run, or a `.safetensors` file; None starts
            from chance.
        freeze: Whether the head alone learns (a probe), all before it staying as it came.
    """

    last_convolution = "features"
    """The layer of Grad-CAM: the last convolution, after its normalisation and activation."""

    def __init__(
        self,
        schema: Schema,
        *,
        widths: tuple[Count, ...] = (32, 64, 128),
        convolutions: Count = 1,
        dropout: ShareBelowOne = 0.2,
        augment: Augment = "none",
        weights: str | None = None,
        freeze: bool = False,
    ) -> None:
        super().__init__()
        channels, height, width, classes = image_size(schema, "cnn")
        if not widths or convolutions < 1 or min(height, width) < 2 ** (len(widths) - 1):
            got = f"{height} x {width} pixels, {len(widths)} blocks of {convolutions}"
            raise SettingsError("each block but the last halves the image, of which a pixel must remain", got=got, where="model")
        self.augmentation = Augmentation(augment, height, width)
        layers: list[nn.Module] = []
        for place, wide in enumerate(widths):
            for _ in range(convolutions):
                layers += [nn.Conv2d(channels, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU()]
                channels = wide
            if place < len(widths) - 1:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(channels, classes)
        self.start_from(weights, freeze=freeze)

    def forward(self, images: Tensor) -> Tensor:
        """From images `(n, C, H, W)` to logits `(n, classes)`."""
        logits: Tensor = self.head(self.dropout(self.summary(images)))
        return logits

    def summary(self, images: Tensor) -> Tensor:
        """From images `(n, C, H, W)` to what is decided on, the mean over what is left of them `(n, channels)`."""
        summary: Tensor = self.pool(self.features(self.augmentation(images))).flatten(1)
        return summary
