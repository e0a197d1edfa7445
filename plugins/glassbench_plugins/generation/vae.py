"""A variational autoencoder under a class."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.schema import Schema
from glassbench.stats.settings_types import Count, NonNegativeNumber
from glassbench_plugins.generation.conditional import limits, picture_size
from glassbench_plugins.representation.autoencoder import dense


class ConditionalVae(nn.Module):
    """Restores pictures from a code and their class (Kingma and Welling 2014; Sohn, Lee and Yan 2015).

    Codes follow a normal distribution, so that a random code and a class give a picture: the mean that is restored, without
    noise of its pixels.

    Args:
        schema: Tells the size of the pictures and the classes.
        code: Entries of the code.
        hidden: Widths of the encoder's layers; the decoder has them in reverse.
        beta: Weight of the codes' distance from a standard normal distribution (Higgins et al. 2017).
    """

    def __init__(
        self, schema: Schema, *, code: Count = 16, hidden: tuple[Count, ...] = (256, 128), beta: NonNegativeNumber = 1.0
    ) -> None:
        super().__init__()
        self.size = picture_size(schema, "conditional-vae")
        self.code, self.beta = code, beta
        told = self.size.classes
        self.encoder = dense((self.size.pixels + told, *hidden, 2 * code))
        self.decoder = dense((code + told, *hidden[::-1], self.size.pixels))
        self.spread = nn.Parameter(torch.zeros(()))

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """Entries of the code."""
        return (self.code,)

    def forward(self, pictures: Tensor) -> Tensor:
        """From pictures `(n, C, H, W)` to the bound on their log-density under each class at the mean code `(n, classes)`."""
        n = len(pictures)
        each = [
            self._bound(pictures, torch.full((n,), number, device=pictures.device), draw=False)
            for number in range(self.size.classes)
        ]
        return torch.stack(each, dim=1)

    def objective(self, pictures: Tensor, classes: Tensor) -> Tensor:
        """Return minus the bound of each picture, the code drawn while training, in nats per pixel `(n,)`."""
        return -self._bound(pictures, classes, draw=self.training, beta=self.beta) / self.size.pixels

    def sample(self, classes: Tensor, noise: Tensor) -> Tensor:
        """From wanted classes, long `(n,)`, and codes `(n, code)` to pictures `(n, C, H, W)`."""
        black, white = limits(self.size).to(noise)
        return torch.clamp(self._decoded(noise, classes).reshape(-1, *self.size.shape), black, white)

    def _decoded(self, codes: Tensor, classes: Tensor) -> Tensor:
        restored: Tensor = self.decoder(torch.cat([codes, self._told(classes, codes)], dim=1))
        return restored

    def _told(self, classes: Tensor, like: Tensor) -> Tensor:
        return functional.one_hot(classes, self.size.classes).to(like.dtype)

    def _bound(self, pictures: Tensor, classes: Tensor, *, draw: bool, beta: float = 1.0) -> Tensor:
        rows = pictures.flatten(1)
        mean, log_variance = self.encoder(torch.cat([rows, self._told(classes, rows)], dim=1)).chunk(2, dim=1)
        log_variance = log_variance.clamp(-10, 10)
        code = mean + (0.5 * log_variance).exp() * torch.randn_like(mean) if draw else mean
        spread = self.spread.clamp(-5, 5)
        off = (self._decoded(code, classes) - rows).square().sum(dim=1) * (-2 * spread).exp()
        restored = 0.5 * off + self.size.pixels * (spread + 0.5 * math.log(2 * math.pi))
        bound: Tensor = -restored - beta * 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)
        return bound
