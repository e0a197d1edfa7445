"""How well pictures fit each class, by what a network of noisy pictures gets wrong under each."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Wrong = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""From pictures `(n, C, H, W)`, classes `(n,)`, times `(n,)` and noise `(n, C, H, W)` to squared errors `(n,)`."""

_DRAWS = 4
_SEED = 20
_AT_ONCE = 64
"""Pictures with a class that one pass holds, each with all draws."""
_NEGLIGIBLE = 1e-4
"""Share of the largest gradient of a row's scores below which a class is not asked on the way back."""


class FixedDraws:
    """The times and the noise by which every picture is scored: the same for all, so that scores can be compared.

    Args:
        shape: Channels, height and width.
        times: Between which times; the middle ones tell classes apart best.
    """

    def __init__(self, shape: tuple[int, int, int], times: tuple[float, float]) -> None:
        self.times = torch.linspace(*times, _DRAWS)
        self.noise = torch.randn((_DRAWS, *shape), generator=torch.Generator().manual_seed(_SEED))

    @property
    def count(self) -> int:
        """How many times there are."""
        return len(self.times)

    def scores(self, wrong: Wrong, pictures: Tensor, classes: int, weights: tuple[Tensor, ...] = ()) -> Tensor:
        """Return minus the mean squared error of each picture under each class, summed over pixels, `(n, classes)`.

        A diffusion classifier (Li et al. 2023, "Your Diffusion Model is Secretly a Zero-Shot Classifier"). On the way back a
        class is computed again, and only for the pictures whose output depends on its score by more than a ten-thousandth of
        the score it depends on most: of log-odds against all other classes, most classes have no part.

        Args:
            wrong: What the network gets wrong.
            pictures: Pictures.
            classes: How many classes there are.
            weights: Of the network, which get gradients too where they ask for them.
        """
        scores: Tensor = _Scores.apply(self, wrong, classes, pictures, *weights)  # type: ignore[no-untyped-call]
        return scores

    def of_pairs(self, wrong: Wrong, pictures: Tensor, numbers: Tensor) -> Tensor:
        """Return the score of each picture `(n, C, H, W)` under the class that stands beside it, long `(n,)`: `(n,)`."""
        draws, n = self.count, len(pictures)
        times, noise = (each.to(pictures).repeat_interleave(n, dim=0) for each in (self.times, self.noise))
        off = wrong(pictures.repeat(draws, 1, 1, 1), numbers.repeat(draws), times, noise)
        return -off.reshape(draws, n).mean(dim=0)


class _Scores(torch.autograd.Function):
    """The scores of all classes, of which gradients ask few again."""

    @staticmethod
    def forward(ctx: Any, draws: FixedDraws, wrong: Wrong, classes: int, pictures: Tensor, *weights: Tensor) -> Tensor:
        """From pictures to scores `(n, classes)`."""
        ctx.draws, ctx.wrong, ctx.weights = draws, wrong, weights
        ctx.save_for_backward(pictures)
        rows = torch.arange(len(pictures), device=pictures.device).repeat_interleave(classes)
        numbers = torch.arange(classes, device=pictures.device).repeat(len(pictures))
        parts = zip(torch.split(rows, _AT_ONCE), torch.split(numbers, _AT_ONCE), strict=True)
        each = [draws.of_pairs(wrong, pictures[some], wanted) for some, wanted in parts]
        return torch.cat(each).reshape(len(pictures), classes)

    @staticmethod
    def backward(ctx: Any, *outward: Tensor) -> tuple[Tensor | None, ...]:
        """From gradients of scores `(n, classes)` to those of pictures and weights."""
        (pictures,) = ctx.saved_tensors
        asked = [weight for weight, wanted in zip(ctx.weights, ctx.needs_input_grad[4:], strict=True) if wanted]
        inward, found = torch.zeros_like(pictures), [torch.zeros_like(weight) for weight in asked]
        for part in torch.split(_asked(outward[0]), _AT_ONCE):
            rows, numbers = part.unbind(1)
            with torch.enable_grad():
                some = pictures[rows].detach().requires_grad_()
                total = (ctx.draws.of_pairs(ctx.wrong, some, numbers) * outward[0][rows, numbers]).sum()
                first, *others = torch.autograd.grad(total, (some, *asked), allow_unused=True)
            inward.index_add_(0, rows, first)
            for kept, more in zip(found, others, strict=True):
                kept += 0 if more is None else more
        each = iter(found)
        return (None, None, None, inward, *(next(each) if wanted else None for wanted in ctx.needs_input_grad[4:]))


def _asked(outward: Tensor) -> Tensor:
    """Return the rows and classes, long `(k, 2)`, of the scores that the output depends on."""
    least = _NEGLIGIBLE * outward.abs().amax(dim=1, keepdim=True)
    return ((outward.abs() > least) & (outward != 0)).nonzero()
