"""Generated series whose class is the shape of a hump."""

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Data, Split
from glassbench.contracts.facts import SeriesFacts
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, NonNegativeNumber, ShareBelowOne

CLASSES = ("cylinder", "bell", "funnel")


def series_classes(
    seed: int,
    *,
    rows: Count = 900,
    length: Count = 128,
    noise: NonNegativeNumber = 1.0,
    faint_share: ShareBelowOne = 0.2,
    validation_share: ShareBelowOne = 0.2,
    test_share: ShareBelowOne = 0.3,
) -> Data:
    """Series that are told apart by the shape of a hump somewhere in them.

    A plateau (cylinder), a slow rise with a sudden end (bell), or a sudden rise with a slow end (funnel), at a random place
    and of a random length, in noise: the set of Saito (1994), "Local feature extraction and its application using a library
    of bases". One sensor in five has half the signal, so that its series are in fact harder: an audit should find it.

    Args:
        seed: Seed of the series.
        rows: How many series.
        length: Steps of each.
        noise: Standard deviation of the noise; humps are about 6 high.
        faint_share: Share of the series from the faint sensor.
        validation_share: Share of the series for validation.
        test_share: Share of the series for testing.
    """
    train_share = 1 - validation_share - test_share
    if rows < 20 or length < 16 or noise < 0 or min(train_share, test_share) <= 0 or validation_share < 0:
        got = f"rows {rows}, length {length}, noise {noise:g}, shares {train_share:g}, {validation_share:g}, {test_share:g}"
        raise SettingsError(
            "at least 20 series of 16 steps are needed, and shares leave rows to each part", got=got, where="dataset"
        )
    generator = np.random.default_rng([seed, 0xCBF])
    kinds = generator.permutation(np.arange(rows) % len(CLASSES))
    faint = generator.random(rows) < faint_share
    size = np.where(faint, 0.5, 1.0) * (6 + generator.normal(size=rows))
    values = _humps(kinds, length, generator) * size[:, None] + noise * generator.normal(size=(rows, length))
    ends = np.round(np.cumsum([train_share, validation_share, test_share]) * rows).astype(int)
    mean, std = values[: ends[0]].mean(), values[: ends[0]].std()
    whole = Split(
        inputs=(torch.as_tensor((values - mean) / std, dtype=torch.float32)[..., None],),
        rows=np.arange(rows),
        target=torch.as_tensor(kinds),
        groups=pd.DataFrame({"sensor": np.where(faint, "faint", "clear")}, dtype=object),
    )
    parts = [whole.take(np.arange(start, end)) for start, end in zip((0, *ends[:2]), ends, strict=True)]
    schema = Schema(
        modality="series",
        shape=(length, 1),
        target=Target(name="shape", kind="class", classes=CLASSES),
        features=(Feature(name="signal", columns=(0,)),),
        sensitive=("sensor",),
        conditions=("sensor",),
        unit="series",
        facts=SeriesFacts(mean=(float(mean),), std=(float(std),)),
    )
    validation = parts[1] if len(parts[1]) else None
    return Data(
        schema=schema,
        train=parts[0],
        validation=validation,
        test=parts[2],
        source="generated; Saito (1994)",
        split="at random, as they were generated",
    )


def _humps(kinds: np.ndarray, length: int, generator: np.random.Generator) -> np.ndarray:
    """Return humps of height 1 `(rows, length)`."""
    start = generator.integers(length // 8, length // 4 + 1, len(kinds))
    span = generator.integers(length // 4, 3 * length // 4, len(kinds))
    along = (np.arange(length) - start[:, None]) / span[:, None]
    inside = (along >= 0) & (along <= 1)
    forms = np.stack([np.ones_like(along), along, 1 - along])
    return np.where(inside, forms[kinds, np.arange(len(kinds))], 0.0)
