"""Whether training texts are told from held-out ones by what the model makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glassbench.contracts.text_likelihood import TextLikelihood
from glassbench.stats.estimate import Estimate, too_few
from glassbench.stats.inference import from_influence
from glassbench.stats.intervals import mover_difference, rate_interval
from glassbench.stats.ranking import mean_area
from glassbench.stats.sampling import Sampling

FEWEST = 20
"""Texts of either side below which nothing is said of them."""


@dataclass(frozen=True, kw_only=True)
class Membership:
    """Training texts against held-out ones.

    Args:
        gap: Mean loss of held-out texts less that of training texts, in nats per token.
        area: Area under the ROC curve of telling training texts by their lower loss (Yeom et al. 2018).
        training, held_out: Shares of texts whose second half is the model's first guess after their first half, token for token.
        difference: The first share less the second one.
    """

    gap: Estimate
    area: Estimate
    training: Estimate
    held_out: Estimate
    difference: Estimate


def membership(training: Sequence[TextLikelihood], held_out: Sequence[TextLikelihood], level: float) -> Membership:
    """Compare what a model makes of training texts and of held-out ones, each of one token at least."""
    losses = [np.array([-one.each.mean() for one in side]) for side in (training, held_out)]
    loss, member = np.concatenate(losses), np.repeat([True, False], [len(side) for side in losses])
    sampling = Sampling(weight=np.ones(len(loss)))
    few = too_few(min(map(len, losses)), "texts on either side", FEWEST)
    gap = float(losses[1].mean() - losses[0].mean())
    centred = np.where(member, losses[0].mean() - loss, loss - losses[1].mean())
    share = np.where(member, member.mean(), 1 - member.mean())
    shares = [_continued(side, level) for side in (training, held_out)]
    return Membership(
        gap=from_influence(gap, centred / share, sampling, unsupported=few).estimate(level),
        area=mean_area([(-loss, member)], sampling, few).estimate(level),
        training=shares[0],
        held_out=shares[1],
        difference=_difference(shares[0], shares[1], level, few),
    )


def is_continued(one: TextLikelihood) -> bool:
    """Return whether a model that always takes the likeliest token writes the second half of a text after its first half.

    Each token of the second half is then the first guess after all true tokens before it: up to the first wrong one, the model
    has written the true ones itself.
    """
    return bool(one.guessed[len(one.guessed) // 2 :].all())


def _continued(side: Sequence[TextLikelihood], level: float) -> Estimate:
    hits, n = sum(map(is_continued, side)), len(side)
    low, high = rate_interval(np.array(float(hits)), np.array(float(n)), level)
    return Estimate.of(hits / n, float(low), float(high), level=level, n=n)


def _difference(training: Estimate, held_out: Estimate, level: float, few: str | None) -> Estimate:
    a, b = (tuple(np.array(end) for end in (one.value, one.low, one.high)) for one in (training, held_out))
    low, high = mover_difference((a[0], a[1], a[2]), (b[0], b[1], b[2]))
    return Estimate.of(float(a[0] - b[0]), float(low), float(high), level=level, n=training.n, unsupported=few)
