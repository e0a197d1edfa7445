"""Shapley values of sets, draws and trees small enough to work out by hand."""

from collections.abc import Callable
from itertools import combinations, permutations
from math import comb
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from formula_models import Formula, Raw, request
from sklearn.ensemble import GradientBoostingClassifier, RandomForestRegressor
from torch import Tensor, nn

from glassbench.contracts.estimator import EstimatorModule
from glassbench.contracts.exporting import Tree, TreeSum
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.predictions.values import Values
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench_audits.attribution.coalitions import drawn
from glassbench_audits.attribution.explained import Explained, Rows, Unexplainable
from glassbench_audits.attribution.method import Request
from glassbench_audits.attribution.methods import feature_permutation, seeded
from glassbench_audits.attribution.shapley import exact_shapley, kernel_shap
from glassbench_audits.attribution.tree_shap import additive_trees, leaves_of, tree_shap

KERNEL = {units: sum(1 / (k * (units - k)) for k in range(1, units)) for units in range(2, 12)}


def mass(units: int, size: int) -> float:
    """Return the share of the kernel on the sets of a size."""
    return 1 / (size * (units - size)) / KERNEL[units]


@pytest.mark.parametrize(
    ("units", "samples", "whole"),
    [(6, 22, 0), (6, 24, 1), (6, 54, 1), (6, 56, 2), (6, 60, 2), (6, 62, 3), (5, 400, 2), (9, 42, 0), (9, 44, 1), (10, 1, 0)],
)
def test_coalitions_are_whole_sizes_from_the_outside_and_draws_of_the_rest(units: int, samples: int, whole: int) -> None:
    """A size is enumerated where its share of what is left pays for it; what is left is drawn by the kernel.

    Of six units, the sizes 1 and 5 hold .5255 of the kernel, 2 and 4 .3285: six pairs are paid for from 12 on, 21 from 28 on.
    """
    found = drawn(units, samples, np.random.default_rng(1))
    half = len(found.known) // 2
    sizes = found.known[:half].sum(axis=1)
    enumerated = [set(np.flatnonzero(row)) for row in found.known[:half]][: sum(pairs(units, k) for k in range(1, whole + 1))]
    assert sizes[: len(enumerated)].tolist() == [k for k in range(1, whole + 1) for _ in range(pairs(units, k))]
    for size in range(1, whole + 1):
        expected = [set(one) for one in combinations(range(units), size)][: pairs(units, size)]
        assert [one for one in enumerated if len(one) == size] == expected
    each = [mass(units, int(size)) / comb(units, int(size)) for size in sizes[: len(enumerated)]]
    assert found.weights[: len(enumerated)] == pytest.approx(each)
    left = half - len(enumerated)
    assert left == (0 if whole == units // 2 else max(samples // 2, 1) - len(enumerated))
    covered = sum(mass(units, size) * (1 if 2 * size == units else 2) for size in range(1, whole + 1))
    assert found.weights[len(enumerated) : half] == pytest.approx(np.full(left, (1 - covered) / 2 / max(left, 1)))
    assert set(sizes[len(enumerated) :]) <= set(range(whole + 1, units // 2 + 1))


def pairs(units: int, size: int) -> int:
    """Return how many pairs of a set of a size and its complement there are."""
    return comb(units, size) // (2 if 2 * size == units else 1)


def test_sizes_are_drawn_in_proportion_to_the_kernel() -> None:
    """Of eight units and ten thousand draws' budget short of one size: sizes 2 to 4, each in its share."""
    counts, members, units = np.zeros(5), np.zeros(8), 8
    for seed in range(400):
        known = drawn(units, 10, np.random.default_rng(seed)).known[:5]
        counts += np.bincount(known.sum(axis=1), minlength=5)[:5]
        members += known.sum(axis=0)
    share = np.array([0.0, *(mass(units, size) * (1 if size == 4 else 2) for size in (1, 2, 3, 4))])
    assert counts / counts.sum() == pytest.approx(share / share.sum(), abs=0.04)  # 2,000 draws: standard error .011 at most
    assert members / members.sum() == pytest.approx(np.full(8, 1 / 8), abs=0.02)


PRODUCT = Formula(lambda x: x[:, 0] * x[:, 1] + 2 * x[:, 2] * x[:, 1] * x[:, 0])


def by_orders(model: nn.Module, row: Tensor, baseline: Tensor, mask: list[int]) -> np.ndarray:
    """Return the mean of what each unit adds over all orders."""
    units = max(mask) + 1
    values, orders = np.zeros(units), list(permutations(range(units)))
    for order in orders:
        known = torch.zeros(len(mask), dtype=torch.bool)
        for unit in order:
            after = known | (torch.tensor(mask) == unit)
            ends = (model(torch.where(one, row, baseline)[None]).item() for one in (after, known))
            values[unit] += next(ends) - next(ends)
            known = after
    return values / len(orders)


@pytest.mark.parametrize("method", [exact_shapley, kernel_shap])
@pytest.mark.parametrize("pass_rows", [1, 5, 4096])
def test_shapley_values_of_a_product_are_means_over_orders(
    method: Callable[[Request], Tensor], pass_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Explained, "pass_rows", pass_rows)
    inputs = torch.tensor([[1.0, 2.0, -1.0, 3.0], [0.5, -1.0, 2.0, 0.0]])
    baselines = torch.tensor([[0.0, 1.0, 0.5, 1.0], [1.0, 0.0, -1.0, 2.0]])
    mask = [0, 1, 2, 0]
    found = method(request(PRODUCT, Rows(inputs=inputs), baselines, mask))
    expected = [by_orders(PRODUCT, row, base, mask) for row, base in zip(inputs, baselines, strict=True)]
    assert found.dtype == torch.float64
    assert found.numpy() == pytest.approx(np.array(expected)[:, mask], abs=1e-5)


def test_drawn_coalitions_follow_the_global_generator() -> None:
    inputs = torch.randn(2, 9, generator=torch.Generator().manual_seed(0))
    made = request(Formula(lambda x: x.prod(dim=1) + x[:, 0]), Rows(inputs=inputs), torch.ones(1, 9), list(range(9)), samples=20)
    with seeded(3):
        once = kernel_shap(made)
    with seeded(3):
        assert torch.equal(kernel_shap(made), once)
    with seeded(4):
        assert not torch.equal(kernel_shap(made), once)


def test_shuffles_are_among_the_rows_and_averaged() -> None:
    """Of x + y with x of 1, 3 and 8: the five orders that change something put 4.6, 4.2 and 3.2 in their places on average."""
    rows = Rows(inputs=torch.tensor([[1.0, 0.0], [3.0, 0.0], [8.0, 0.0]]))
    with seeded(0):
        found = feature_permutation(request(Formula(lambda x: x.sum(dim=1)), rows, torch.zeros(1, 2), [0, 1], samples=200))
    assert found[:, 1].tolist() == [0, 0, 0]
    assert found[:, 0].tolist() == pytest.approx([-3.6, -1.2, 4.8], abs=0.7)  # standard error .2


def tree(feature: list[int], threshold: list[float], left: list[int], right: list[int], value: list[float]) -> Tree:
    """A tree whose nodes without a left one are leaves (-1)."""
    leaf = np.array([side < 0 for side in left])
    arrays = {"feature": np.array(feature), "left": np.array(left), "right": np.array(right), "leaf": leaf}
    return Tree(threshold=np.array(threshold), value=np.array(value)[:, None], **arrays)


STUMP = tree([0, 0, 0], [1.5, 0, 0], [1, -1, -1], [2, -1, -1], [0.0, 10.0, 30.0])
DEEP = tree(
    [1, 0, 0, 2, 0, 0, 0],
    [0.5, 2.0, 0, 1.0, 0, 0, 0],
    [1, 3, -1, 5, -1, -1, -1],
    [2, 4, -1, 6, -1, -1, -1],
    [0, 0, 7.0, 0, -2.0, 5.0, 1.0],
)
"""x1 above .5: 7; else x0 above 2: -2; else x2 at most 1: 5, above: 1."""


def sums(rows: np.ndarray, trees: TreeSum) -> np.ndarray:
    """Return the sum of the two trees above by plain conditions."""
    stump = np.where(rows[:, 0] <= 1.5, 10.0, 30.0)
    deep = np.where(rows[:, 1] > 0.5, 7.0, np.where(rows[:, 0] > 2, -2.0, np.where(rows[:, 2] <= 1, 5.0, 1.0)))
    return (trees.start[0] + stump + deep) / trees.divide


def tree_request(trees: TreeSum, inputs: Tensor, baselines: Tensor, mask: list[int], target: Tensor | None = None) -> Request:
    explained = SimpleNamespace(trees=trees)
    rows = Rows(inputs=inputs, target_index=target)
    return Request(explained=explained, rows=rows, baselines=baselines, mask=torch.tensor(mask), steps=1, samples=1)


@pytest.mark.parametrize("divide", [1.0, 2.0])
@pytest.mark.parametrize("mask", [[0, 1, 2], [0, 1, 0], [1, 0, 0]])
def test_shapley_values_of_two_trees_are_means_over_orders(divide: float, mask: list[int]) -> None:
    trees = TreeSum(trees=(STUMP, DEEP), outputs=((0,), (0,)), start=(3.0,), divide=divide)
    chance = np.random.default_rng(0)
    grid = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 2.5])
    inputs, baselines = (torch.as_tensor(chance.choice(grid, (40, 3))) for _ in range(2))
    model = Formula(lambda x: torch.as_tensor(sums(x.numpy(), trees)))
    found = tree_shap(tree_request(trees, inputs, baselines, mask))
    expected = [by_orders(model, row, base, mask) for row, base in zip(inputs, baselines, strict=True)]
    assert found.numpy() == pytest.approx(np.array(expected)[:, mask], abs=1e-9)
    assert leaves_of(trees) == 2 + 4


def test_trees_that_ask_weighted_inputs_credit_the_unit_they_ask() -> None:
    """The stump asks half of the second input, the third column of what trees ask belongs to nobody."""
    asked = np.array([[0.0, 2.0, 0.0], [0.5, 0.0, 0.0]])
    trees = TreeSum(trees=(STUMP,), outputs=((0,),), start=(0.0,), asked=asked)
    inputs, baselines = torch.tensor([[9.0, 4.0]]), torch.tensor([[9.0, 2.0]])
    assert tree_shap(tree_request(trees, inputs, baselines, [0, 1])).tolist() == [[0, 20]]
    mixed = TreeSum(trees=(STUMP,), outputs=((0,),), start=(0.0,), asked=np.array([[1.0], [1.0]]))
    with pytest.raises(Unexplainable, match="two features at once"):
        tree_shap(tree_request(mixed, inputs, baselines, [0, 1]))
    assert tree_shap(tree_request(mixed, inputs, baselines, [0, 0])).tolist() == [[0, 0]]


@pytest.mark.parametrize(("link", "signs"), [("identity", [1, 1]), ("logistic", [-1, 1]), ("log_odds", [-1, 1])])
@pytest.mark.parametrize("width", [1, 2])
def test_the_first_of_two_classes_is_explained_by_the_negative(link: str, signs: list[int], width: int) -> None:
    trees = TreeSum(trees=(STUMP,), outputs=((0,),), start=(0.0,), link=link)
    target = torch.tensor([[0], [1]]) if width == 1 else torch.tensor([[1, 0], [0, 1]])
    inputs, baselines = torch.full((2, 1), 2.0), torch.zeros(2, 1)
    assert tree_shap(tree_request(trees, inputs, baselines, [0], target))[:, 0].tolist() == [20 * sign for sign in signs]
    flat = target[:, -1]
    assert tree_shap(tree_request(trees, inputs, baselines, [0], flat))[:, 0].tolist() == [20 * sign for sign in signs]
    assert tree_shap(tree_request(trees, inputs, baselines, [0]))[:, 0].tolist() == [20, 20]


def table(width: int, kind: str = "value") -> Schema:
    target = Target(name="y", kind=kind, classes=("a", "b") if kind == "class" else ())
    return Schema(
        modality="table", shape=(width,), target=target, features=tuple(Feature(name=f"x{i}", columns=(i,)) for i in range(width))
    )


def test_trees_are_read_where_their_sum_is_what_is_explained() -> None:
    chance = np.random.default_rng(2)
    X = chance.normal(size=(80, 2)).astype(np.float32)
    inputs = torch.as_tensor(X[:10])
    forest = EstimatorModule(RandomForestRegressor(n_estimators=3, max_depth=3, random_state=0).fit(X, X[:, 0]))
    explained = Explained(forest, Raw(Values()))
    found = additive_trees(explained, table(2), Rows(inputs=inputs))
    assert len(found.trees) == 3
    assert additive_trees(explained, table(2), Rows(inputs=inputs, others=(inputs,))) is None
    assert additive_trees(explained, table(2), Rows(inputs=inputs[:, None])) is None
    explained.floor = 0.1
    assert additive_trees(explained, table(2), Rows(inputs=inputs)) is None
    doubled = Explained(forest, SimpleNamespace(kind=Values(), attribution_output=lambda output: 2 * output))
    assert additive_trees(doubled, table(2), Rows(inputs=inputs)) is None
    assert additive_trees(Explained(nn.Linear(2, 1), Raw(Values())), table(2), Rows(inputs=inputs)) is None
    boosted = EstimatorModule(GradientBoostingClassifier(n_estimators=3, random_state=0).fit(X, X[:, 0] > 0))
    rows = Rows(inputs=inputs, target_index=torch.arange(10) % 2)
    assert additive_trees(Explained(boosted, Raw(Classes())), table(2, "class"), rows).link in ("logistic", "log_odds")
