"""Autoencoders: a network that says rows in fewer numbers, and one that restores them."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError
from glassbench.stats.settings_types import Count, NonNegativeNumber


class Autoencoder(nn.Module):
    """Restores rows from a short code.

    Args:
        width: Slots of a row.
        code: Entries of the code.
        hidden: Widths of the encoder's layers; the decoder has them in reverse.
        noise: Standard deviation of what is added to inputs while learning.
    """

    def __init__(self, *, width: int, code: int, hidden: tuple[int, ...], noise: float) -> None:
        super().__init__()
        self.noise = noise
        self.encoder = dense((width, *hidden, code))
        self.decoder = dense((code, *hidden[::-1], width))

    def forward(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to codes `(n, m)`."""
        codes: Tensor = self.encoder(inputs.flatten(1))
        return codes

    def decode(self, codes: Tensor) -> Tensor:
        """From codes `(n, m)` to rows `(n, d)`."""
        rows: Tensor = self.decoder(codes)
        return rows

    def score(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to their mean squared reconstruction error `(n,)`."""
        return ((self.decode(self(inputs)) - inputs.flatten(1)) ** 2).mean(dim=1)

    def objective(self, inputs: Tensor) -> Tensor:
        """Return the error of each row restored from a noisy copy, `(n,)`."""
        rows = inputs.flatten(1)
        noisy = rows + self.noise * torch.randn_like(rows) if self.training and self.noise else rows
        return ((self.decode(self(noisy)) - rows) ** 2).mean(dim=1)


class VariationalAutoencoder(nn.Module):
    """Restores rows from a code that is drawn from a normal distribution around what the encoder says.

    Args:
        width: Slots of a row.
        code: Entries of the code.
        hidden: Widths of the encoder's layers; the decoder has them in reverse.
        beta: Weight of the codes' distance from a standard normal distribution.
    """

    def __init__(self, *, width: int, code: int, hidden: tuple[int, ...], beta: float) -> None:
        super().__init__()
        self.beta = beta
        self.encoder = dense((width, *hidden, 2 * code))
        self.decoder = dense((code, *hidden[::-1], width))
        self.spread = nn.Parameter(torch.zeros(()))

    def forward(self, inputs: Tensor) -> Tensor:
        """From rows `(n, ...)` to the means of their codes `(n, m)`."""
        return self._code(inputs)[0]

    def decode(self, codes: Tensor) -> Tensor:
        """From codes `(n, m)` to rows `(n, d)`."""
        rows: Tensor = self.decoder(codes)
        return rows

    def score(self, inputs: Tensor) -> Tensor:
        """Return minus the bound on the log-density of rows `(n, ...)`, at the mean code, `(n,)`, in nats."""
        return self._bound(inputs, sample=False, beta=1.0)

    def objective(self, inputs: Tensor) -> Tensor:
        """Return minus the bound, the code drawn while learning, `(n,)`."""
        return self._bound(inputs, sample=self.training, beta=self.beta)

    def _code(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.encoder(inputs.flatten(1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-10, 10)

    def _bound(self, inputs: Tensor, *, sample: bool, beta: float) -> Tensor:
        rows = inputs.flatten(1)
        mean, log_variance = self._code(inputs)
        code = mean + (0.5 * log_variance).exp() * torch.randn_like(mean) if sample else mean
        log_spread = self.spread.clamp(-5, 5)
        off = ((self.decode(code) - rows) ** 2).sum(dim=1) * (-2 * log_spread).exp()
        restored = 0.5 * off + rows.shape[1] * (log_spread + 0.5 * math.log(2 * math.pi))
        return restored + beta * 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)


def dense(widths: tuple[int, ...]) -> nn.Sequential:
    """Return fully connected layers of these widths with rectifiers between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths[:-1]):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))


def width_of(schema: Schema) -> int:
    """Return how many numbers a row holds.

    Raises:
        FitError: Rows differ in shape.
    """
    sizes = [size for size in schema.shape if size is not None]
    if len(sizes) < len(schema.shape):
        raise FitError("this model needs rows of a fixed shape", got=str(schema.shape), fix="choose a data set of fixed windows")
    return math.prod(sizes)


def autoencoder(
    schema: Schema, *, code: Count = 8, hidden: tuple[Count, ...] = (128,), noise: NonNegativeNumber = 0.0
) -> Autoencoder:
    """An autoencoder of fully connected layers (Hinton and Salakhutdinov 2006), denoising on request (Vincent et al. 2008).

    It serves representation, and anomalies by the reconstruction error.

    Args:
        schema: Tells how wide a row is.
        code: Entries of the code.
        hidden: Widths of the encoder's layers; the decoder has them in reverse.
        noise: Standard deviation of what is added to inputs while learning.
    """
    return Autoencoder(width=width_of(schema), code=code, hidden=hidden, noise=noise)


def variational_autoencoder(
    schema: Schema, *, code: Count = 8, hidden: tuple[Count, ...] = (128,), beta: NonNegativeNumber = 1.0
) -> VariationalAutoencoder:
    """A variational autoencoder with normal outputs of one learnt spread (Kingma and Welling 2014).

    It serves representation, and anomalies by the bound on the density.

    Args:
        schema: Tells how wide a row is.
        code: Entries of the code.
        hidden: Widths of the encoder's layers; the decoder has them in reverse.
        beta: Weight of the codes' distance from a standard normal distribution (Higgins et al. 2017).
    """
    return VariationalAutoencoder(width=width_of(schema), code=code, hidden=hidden, beta=beta)
