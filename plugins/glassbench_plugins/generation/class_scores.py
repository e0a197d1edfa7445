"""How well pictures fit each class, by what a network of noisy pictures gets wrong under each."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

Wrong = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""From pictures `(n, C, H, W)`, classes `(n,)`, times `(n,)` and noise `(n, C, H, W)` to squared errors `(n,)`."""

_DRAWS = 4
_SEED = 20


class FixedDraws:
    """The times and the noise by which every picture is scored: the same for all, so that scores can be compared.

    Args:
        shape: Channels, height and width.
        times: Between which times; the middle ones tell classes apart best.
    """

    def __init__(self, shape: tuple[int, int, int], times: tuple[float, float]) -> None:
        self.times = torch.linspace(*times, _DRAWS)
        self.noise = torch.randn((_DRAWS, *shape), generator=torch.Generator().manual_seed(_SEED))

    def scores(self, wrong: Wrong, pictures: Tensor, classes: int) -> Tensor:
        """Return minus the mean squared error of each picture under each class, summed over pixels, `(n, classes)`.

        A diffusion classifier (Li et al. 2023, "Your Diffusion Model is Secretly a Zero-Shot Classifier"). What one class and
        draw need in memory is computed again on the way back, so that gradients of many pictures fit.
        """
        n = len(pictures)
        columns = []
        for number in range(classes):
            wanted = torch.full((n,), number, device=pictures.device)
            total = torch.zeros(n, device=pictures.device)
            for time, noise in zip(self.times.to(pictures.device), self.noise.to(pictures), strict=True):
                given = (pictures, wanted, time.expand(n), noise.expand(pictures.shape))
                again = torch.is_grad_enabled() and pictures.requires_grad
                total = total + (checkpoint(wrong, *given, use_reentrant=False) if again else wrong(*given))
            columns.append(-total / _DRAWS)
        return torch.stack(columns, dim=1)
