"""What generators share that ask a U-Net about noisy pictures of a class."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench_plugins.generation.class_scores import FixedDraws
from glassbench_plugins.generation.conditional import PictureSize, picture_size
from glassbench_plugins.generation.denoiser import Denoiser


class UNetGenerator(nn.Module, ABC):
    """A generator whose U-Net is told a picture with noise, a time and a class; how wrong it is says how well the class fits.

    Args:
        schema: Tells the size of the pictures and the classes.
        name: The generator's name, for messages.
        widths: Channels of the U-Net at full size and after each halving.
        dropout: Share of the numbers in a block set to 0 while training.
        steps: Steps of sampling.
    """

    last_convolution = None  # it is asked many times for each picture, so no single map of it exists

    def __init__(self, schema: Schema, name: str, *, widths: tuple[int, ...], dropout: float, steps: int) -> None:
        super().__init__()
        self.size = picture_size(schema, name)
        _check(widths, self.size)
        self.denoiser = Denoiser(channels=self.size.channels, classes=self.size.classes, widths=widths, dropout=dropout)
        self.steps = steps
        self.draws = FixedDraws(self.size.shape, (0.2, 0.8))

    @property
    def passes_per_row(self) -> int:
        """How often the U-Net is asked for the scores of one picture."""
        return self.draws.count * self.size.classes

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """Shape of one picture."""
        return self.size.shape

    def forward(self, pictures: Tensor) -> Tensor:
        """From pictures `(n, C, H, W)` to how well each fits each class `(n, classes)`: minus the squared error under it."""
        return self.draws.scores(self.wrong, pictures, self.size.classes, tuple(self.denoiser.parameters()))

    @abstractmethod
    def wrong(self, pictures: Tensor, classes: Tensor, times: Tensor, noise: Tensor) -> Tensor:
        """Return the summed squared error of what the U-Net tells of each picture `(n,)`.

        Args:
            pictures: `(n, C, H, W)`.
            classes: The class that is told, long `(n,)`.
            times: Times from 0 to 1 `(n,)`.
            noise: What pictures are mixed with at these times `(n, C, H, W)`.
        """


def _check(widths: tuple[int, ...], size: PictureSize) -> None:
    """Refuse a U-Net that halves pictures until nothing is left."""
    if not widths or min(size.height, size.width) < 2 ** (len(widths) - 1):
        got = f"{len(widths)} widths for {size.height} x {size.width} pixels"
        raise SettingsError(
            "each width but the first halves the image, of which a pixel must remain", got=got, where="model.widths"
        )
