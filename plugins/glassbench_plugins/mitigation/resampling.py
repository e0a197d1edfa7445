"""Training rows drawn so that group and class are independent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassbench.contracts.data import Data, Split
from glassbench.contracts.mitigation import Mitigation
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Task
from glassbench_plugins.mitigation.groups import chosen_features
from glassbench_plugins.mitigation.reweighing import coded, expected_over_observed


@dataclass(frozen=True, kw_only=True)
class Resampling(Mitigation):
    """Draws as many training rows of each group and class as there would be if group and class were independent.

    Where a cell holds too many rows, some are left out; where it holds too few, all are taken and some of them twice or
    more. Source: Kamiran and Calders (2012), uniform sampling.

    Args:
        features: Sensitive features whose combinations are the groups; None for all.
    """

    features: tuple[str, ...] | None = None

    def check(self, data: Data, task: Task, model: Any) -> None:
        """Refuse features that the data do not have."""
        chosen_features(self.features, data.schema, "resampling")

    def training_rows(self, train: Split, schema: Schema, seed: int) -> Split:
        """Return the rows that were drawn, in the order of the originals."""
        groups, codes = coded(train, chosen_features(self.features, schema, "resampling"))
        assert train.target is not None
        classes, count = train.target.numpy().astype(np.int64), len(schema.target.classes)
        held = np.ones(len(train)) if train.weights is None else train.weights.astype(np.float64)
        wanted = expected_over_observed(codes, classes, len(groups.names), count, held)
        generator = np.random.default_rng([seed, 24])
        drawn = [
            _draw(np.flatnonzero((codes == g) & (classes == y)), float(wanted[g, y]), generator)
            for g in range(len(groups.names))
            for y in range(count)
        ]
        return train.take(np.sort(np.concatenate(drawn)))

    def account(self, data: Data, facts: Mapping[str, Any]) -> str:
        """Say how many rows of each cell the fit used."""
        train, names = data.train, data.schema.target.classes
        assert isinstance(train, Split)
        assert train.target is not None
        groups, codes = coded(train, chosen_features(self.features, data.schema, "resampling"))
        classes = train.target.numpy()
        cells = [(g, y) for g in range(len(groups.names)) for y in range(len(names))][:8]
        counts = "; ".join(f"{groups.words(g)}, {names[y]} {int(((codes == g) & (classes == y)).sum()):,}" for g, y in cells)
        return (
            f"{len(train):,} training rows ({len(np.unique(train.rows)):,} different ones) were drawn so that group "
            f"({', '.join(groups.features)}) and class are independent: {counts}. Validation and test rows are all there."
        )


def _draw(rows: np.ndarray, times: float, generator: np.random.Generator) -> np.ndarray:
    """Return `times` as many rows: whole copies of all, and the rest without repetition."""
    wanted = round(len(rows) * times)
    copies, rest = divmod(wanted, max(len(rows), 1))
    return np.concatenate([np.tile(rows, copies), generator.choice(rows, rest, replace=False)]).astype(np.int64)
