"""What a Gaussian mixture per class would have generated, as the independent classifier sees it: the baseline."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Split
from glassbench.contracts.schema import Schema
from glassbench_plugins.generation.judge import Judge, array_from_json, array_to_json
from glassbench_plugins.generation.mixture import ClassMixture

_ROWS, _EACH, _FEWEST, _SEED = 5000, 300, 10, 5


@dataclass(frozen=True, eq=False, kw_only=True)
class ReferenceMixture:
    """Pictures of a mixture per class, 300 of each.

    Args:
        features: As the classifier sees them, float32 `(classes, 300, d)`.
        seen: The class it sees in each, float32 `(classes, 300)`.
    """

    features: np.ndarray
    seen: np.ndarray

    @classmethod
    def of(cls, schema: Schema, train: Split, judge: Judge) -> Self | None:
        """Fit a mixture to training pictures (up to 5,000) and draw from it; None where a class has under ten."""
        chosen = torch.randperm(len(train), generator=torch.Generator().manual_seed(_SEED))[:_ROWS]
        batch, classes = train.batch(chosen), len(schema.target.classes)
        if torch.bincount(batch.target, minlength=classes).min() < _FEWEST:
            return None
        mixture = ClassMixture(schema).fit(batch.inputs[0].numpy(), batch.target.numpy())
        wanted = torch.arange(classes).repeat_interleave(_EACH)
        noise = torch.randn((len(wanted), *mixture.noise_shape), generator=torch.Generator().manual_seed(_SEED))
        features, seen = judge.judged(mixture.sample(wanted, noise))
        return cls(
            features=features.reshape(classes, _EACH, -1).numpy(), seen=seen.reshape(classes, _EACH).numpy().astype(np.float32)
        )

    def drawn(self, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return features `(n, d)` and classes seen `(n,)` of one picture for each wanted class `(n,)`, one after the other."""
        place = pd.Series(wanted).groupby(wanted).cumcount().to_numpy() % self.seen.shape[1]
        return self.features[wanted, place], self.seen[wanted, place].astype(np.int64)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"features": array_to_json(self.features), "seen": array_to_json(self.seen)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Rebuild it from `to_json`."""
        return cls(features=array_from_json(content["features"]), seen=array_from_json(content["seen"]))
