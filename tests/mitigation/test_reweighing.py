"""Weights against a table made by hand, and a fit against scikit-learn's own with these weights."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from glassbench.contracts.data import Split
from glassbench.errors import DataError
from glassbench.testing import toy_data
from glassbench_plugins.mitigation.reweighing import Reweighing


def rows(groups: list[str], classes: list[int], weights: np.ndarray | None = None) -> Split:
    frame = pd.DataFrame({"side": groups})
    n = len(groups)
    return Split(inputs=(torch.zeros(n, 1),), rows=np.arange(n), target=torch.tensor(classes), groups=frame, weights=weights)


def test_weights_are_those_of_the_table_by_hand() -> None:
    # 10 rows: left 6 (4 no, 2 yes), right 4 (1 no, 3 yes); P(left) P(no) / P(left, no) = .6 x .5 / .4
    train = rows(["left"] * 6 + ["right"] * 4, [0, 0, 0, 0, 1, 1, 0, 1, 1, 1])
    weights = Reweighing().training_rows(train, toy_data().schema, 0).weights
    assert weights == pytest.approx([0.75] * 4 + [1.5] * 2 + [2.0] + [2 / 3] * 3)


def test_weighted_classes_are_independent_of_crossed_groups(table: pd.DataFrame) -> None:
    """AIF360's `Reweighing` promises this: the weighted rate of the favourable class is the same in each group."""
    train = replace(
        rows(["-"] * len(table), (table["approved"] == "yes").astype(int).tolist(), np.linspace(0.5, 2, len(table))),
        groups=table[["sex", "region"]],
    )
    schema = replace(toy_data().schema, sensitive=("sex", "region"))
    found = Reweighing().training_rows(train, schema, 0)
    frame = table.assign(w=found.weights, yes=found.weights * (table["approved"] == "yes"))
    rates = frame.groupby(["sex", "region"])[["w", "yes"]].sum()
    survey = np.average(table["approved"] == "yes", weights=np.linspace(0.5, 2, len(table)))
    assert (rates["yes"] / rates["w"]).to_numpy() == pytest.approx([survey] * 4)
    own = pd.Series(np.linspace(0.5, 2, len(table))).groupby([table["sex"], table["region"]]).sum()
    assert rates["w"].to_numpy() == pytest.approx(own.to_numpy())


def test_a_model_without_weights_is_refused() -> None:
    from sklearn.neighbors import KNeighborsClassifier

    with pytest.raises(DataError, match="takes weights of rows"):
        Reweighing().check(toy_data(), None, KNeighborsClassifier())  # type: ignore[arg-type]
    Reweighing().check(toy_data(), None, LogisticRegression())  # type: ignore[arg-type]
