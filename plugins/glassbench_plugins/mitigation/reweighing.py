"""Weights of training rows that make group and class independent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.utils.validation import has_fit_parameter
from torch import nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.mitigation import Mitigation
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Task
from glassbench.errors import DataError
from glassbench_plugins.mitigation.groups import Groups, chosen_features


@dataclass(frozen=True, kw_only=True)
class Reweighing(Mitigation):
    """Weighs each training row by how often its group and class would meet if they were independent.

    The weight of group g and class y is P(g) P(y) / P(g, y), with shares of the training rows; where rows have survey weights,
    with shares of those, which the result multiplies. Source: Kamiran and Calders (2012), Data preprocessing techniques for
    classification without discrimination.

    Args:
        features: Sensitive features whose combinations are the groups; None for all.
    """

    features: tuple[str, ...] | None = None

    def check(self, data: Data, task: Task, model: Any) -> None:
        """Refuse an estimator that takes no weights, and rows that cannot be weighed."""
        chosen_features(self.features, data.schema, "reweighing")
        if not isinstance(model, nn.Module) and not has_fit_parameter(model, "sample_weight"):
            raise DataError(
                "the mitigation 'reweighing' needs a model that takes weights of rows",
                got=f"{type(model).__name__}, whose fit takes no sample_weight",
                available=["resampling", "a network", "an estimator with sample_weight"],
                fix="use the mitigation 'resampling', which needs no weights",
            )

    def training_rows(self, train: Split, schema: Schema, seed: int) -> Split:
        """Return the rows with weights."""
        groups, codes = coded(train, chosen_features(self.features, schema, "reweighing"))
        held = np.ones(len(train)) if train.weights is None else train.weights.astype(np.float64)
        table = expected_over_observed(codes, _classes(train), len(groups.names), len(schema.target.classes), held)
        return replace(train, weights=held * table[codes, _classes(train)])

    def account(self, data: Data, facts: Mapping[str, Any]) -> str:
        """Say which weights which groups got."""
        train = data.train
        assert isinstance(train, Split)
        assert train.weights is not None
        groups, codes = coded(train, chosen_features(self.features, data.schema, "reweighing"))
        names = data.schema.target.classes
        shown = []
        for g, y in sorted(set(zip(codes.tolist(), _classes(train).tolist(), strict=True))):
            member = (codes == g) & (_classes(train) == y)
            shown.append((float(np.mean(train.weights[member])), f"{groups.words(g)}, {names[y]}", int(member.sum())))
        shown.sort()
        low, high = shown[0], shown[-1]
        return (
            f"Each of {len(train):,} training rows was weighed by group ({', '.join(groups.features)}) and class "
            f"({data.schema.target.name}), so that both are independent: from {low[0]:.2f} ({low[1]}; {low[2]:,} rows) to "
            f"{high[0]:.2f} ({high[1]}; {high[2]:,} rows). Validation and test rows keep their weights."
        )


def expected_over_observed(codes: np.ndarray, classes: np.ndarray, groups: int, targets: int, held: np.ndarray) -> np.ndarray:
    """Return P(g) P(y) / P(g, y) for each group and class `(groups, targets)`, 0 where they never meet.

    Args:
        codes: Group of each row `(n,)`.
        classes: Class of each row `(n,)`.
        groups, targets: How many there are.
        held: Weight of each row `(n,)`.
    """
    joint = np.zeros((groups, targets))
    np.add.at(joint, (codes, classes), held)
    joint /= held.sum()
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    return np.asarray(np.divide(independent, joint, out=np.zeros_like(joint), where=joint > 0))


def coded(train: Split, features: tuple[str, ...]) -> tuple[Groups, np.ndarray]:
    """Return the groups of training rows, and the group of each."""
    assert train.groups is not None
    groups = Groups.of(train.groups, features)
    return groups, groups.codes(train.groups)


def _classes(train: Split) -> np.ndarray:
    assert train.target is not None
    return train.target.numpy().astype(np.int64)
