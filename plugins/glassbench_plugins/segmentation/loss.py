"""What a network of masks descends: cross-entropy and Dice."""

import torch
from torch import Tensor
from torch.nn import functional

from glassbench.contracts.predictions.run_lengths import UNKNOWN

_SMOOTH = 1.0


def mask_losses(logits: Tensor, truth: Tensor, dice_weight: float) -> Tensor:
    """Return the loss of each picture `(n,)`: mean cross-entropy of its known pixels, and 1 minus the soft Dice coefficient.

    The soft Dice coefficient is that of Milletari, Navab and Ahmadi (2016), "V-Net", the mean over the classes, with 1 added
    above and below so that a class that is nowhere counts as found.

    Args:
        logits: `(n, classes, H, W)`.
        truth: Class numbers `(n, H, W)`, -1 where a pixel is not known.
        dice_weight: What the Dice part counts, between 0 and 1; cross-entropy counts the rest.
    """
    truth = truth.long()
    known = truth != UNKNOWN
    pixels = known.sum(dim=(1, 2)).clamp(min=1)
    each = functional.cross_entropy(logits, truth, ignore_index=UNKNOWN, reduction="none")
    entropy = each.sum(dim=(1, 2)) / pixels
    if dice_weight == 0:
        return entropy
    chances = torch.softmax(logits, dim=1) * known[:, None]
    there = functional.one_hot(truth.clamp(min=0), logits.shape[1]).movedim(-1, 1) * known[:, None]
    shared, both = (chances * there).sum(dim=(2, 3)), (chances + there).sum(dim=(2, 3))
    dice = ((2 * shared + _SMOOTH) / (both + _SMOOTH)).mean(dim=1)
    return (1 - dice_weight) * entropy + dice_weight * (1 - dice)
