"""The handwritten digits that come with scikit-learn."""

import numpy as np
import pandas as pd
import torch
from sklearn import datasets as sklearn_datasets

from glassbench.contracts.data import Data
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench.toolkit.splits.folds import Fold
from glassbench.toolkit.splits.splits import Division
from glassbench_plugins.vision.assembly import Collection, divided, one_class
from glassbench_plugins.vision.pictures import InMemory
from glassbench_plugins.vision.properties import PropertyName


def digits(
    seed: int,
    *,
    normal: Count | None = None,
    sensitive: tuple[PropertyName, ...] = ("brightness", "sharpness"),
    validation_share: ShareBelowOne = 0.15,
    test_share: ShareBelowOne = 0.2,
    fold: Fold | None = None,
    train_rows: Count | None = None,
) -> Data:
    """1797 handwritten digits of 8 x 8 pixels.

    Each pixel counts how many of 4 x 4 points of a scanned digit are ink, 0 to 16. Nothing is known of the writers, so audits
    look at what can be measured of the images. Source: Alpaydin and Kaynak (1998), "Optical Recognition of Handwritten
    Digits", the test part, as scikit-learn carries it.

    Args:
        seed: Seed of the split.
        normal: A digit, 0 to 9, to learn alone, so that all others are told apart from it as "unusual"; None for all ten.
        sensitive: Measured properties to audit by: below, between and above the terciles of the training images.
        validation_share: Share of the images for validation.
        test_share: Share of the images for testing.
        train_rows: Learn from so many of the training images, of each class about as many; None learns from all.
        fold: The fold of cross-validation that is for testing, in place of the test share; a study sets it.
    """
    bunch = sklearn_datasets.load_digits()
    pixels = torch.from_numpy(np.rint(bunch.images * (255 / 16)).astype(np.uint8))[:, None]
    images = Collection(
        pictures=InMemory(pixels),
        labels=pd.Series(bunch.target).astype(str),
        rows=np.arange(len(pixels)),
        sensitive=tuple(sensitive),
        train_rows=train_rows,
        source="scikit-learn load_digits; Alpaydin and Kaynak (1998)",
    )
    images = one_class(images, None if normal is None else str(normal))
    return divided(images, Division(seed=seed, validation=validation_share, test=test_share, fold=fold)).data()
