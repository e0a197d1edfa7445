"""The clustered rows: who is in which cluster, and what each row is in a person's words."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from glassbench.contracts.schema import Feature
from glassbench.contracts.subject import Subject

NOISE = "noise"
"""The decision of rows that belong to no cluster."""


@dataclass(frozen=True, eq=False)
class Members:
    """Held-out rows by cluster.

    Args:
        subject: The clustering.
    """

    subject: Subject

    @cached_property
    def decided(self) -> np.ndarray:
        """The decision of each row, text `(n,)`."""
        return self.subject.predictions.frame["y_pred"].astype(str).to_numpy()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Clusters that held-out rows are in, in the model's order, without noise."""
        present = set(self.decided)
        scored = [str(name) for name in self.subject.predictions.scores.columns]
        ordered = [name for name in scored if name in present] or sorted(present)
        return tuple(name for name in ordered if name != NOISE)

    @cached_property
    def codes(self) -> np.ndarray:
        """Position of each row's cluster in `names` `(n,)`, -1 for noise."""
        return np.asarray(pd.Index(self.names).get_indexer(pd.Index(self.decided)))

    @cached_property
    def sizes(self) -> np.ndarray:
        """Rows of each cluster `(clusters,)`."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.names))

    @cached_property
    def inputs(self) -> np.ndarray | None:
        """The rows as the model saw them, float64 `(n, d)`, or None where they are not known or no numbers."""
        source = self.subject.predictions.source
        if source is None:
            return None
        first = source.batch(slice(None)).inputs[0]
        return first.flatten(1).double().numpy() if first.is_floating_point() else None

    @cached_property
    def features(self) -> tuple[tuple[Feature, pd.Series], ...]:
        """Each input with its values: in its own unit where the raw rows are known, else as the model saw it."""
        source = self.subject.predictions.source
        raw = None if source is None else source.raw
        found = []
        for feature in self.subject.schema.features:
            if raw is not None and feature.name in raw.columns:
                found.append((feature, raw[feature.name].reset_index(drop=True)))
            elif self.inputs is not None and len(self.subject.schema.shape) == 1 and not feature.categorical and feature.columns:
                found.append((feature, pd.Series(self.inputs[:, feature.columns[0]])))
        return tuple(found)

    @property
    def unit(self) -> str:
        """What one row is, in the singular."""
        return self.subject.schema.unit
