"""Which way a number or a category pushes, from rows few enough to follow by hand."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor

from glassbench.contracts.schema import Feature
from glassbench_audits.attribution import directions
from glassbench_audits.attribution.directions import NOWHERE, Direction, direction_of, directions_of, rank_correlation
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.response import Response, answers, one_sided


def asked(formula: Callable[[Tensor], Tensor], inputs: Tensor, *features: Feature) -> Response:
    """Rows whose explained number is a formula of their inputs."""
    groups = SimpleNamespace(mask=torch.full((inputs.shape[1],), -1), features=features)
    for unit, feature in enumerate(features):
        groups.mask[list(feature.columns)] = unit
    explained = SimpleNamespace(outputs=lambda rows: formula(rows.inputs))
    return Response(explainer=SimpleNamespace(explained=explained, feature_groups=groups), rows=Rows(inputs=inputs))


NUMBER = Feature(name="a", columns=(0,))


def column(values: object) -> Tensor:
    return torch.as_tensor(np.asarray(values, dtype=np.float32))[:, None]


def test_a_direction_knows_what_holds_and_what_goes_against() -> None:
    up, down, even = (Direction(raising=share, rows=8, steps=(5, 3)) for share in (0.75, 0.25, 0.5))
    assert [(one.up, one.holding, one.against) for one in (up, down, even)] == [(True, 6, 3), (False, 6, 5), (True, 4, 3)]
    assert (NOWHERE.holding, NOWHERE.rows, NOWHERE.steps, NOWHERE.category) == (0, 0, (0, 0), None)
    assert np.isnan([NOWHERE.monotone, NOWHERE.raising]).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_rank_correlation_is_scipys_with_ties_and_unknown_of_what_does_not_vary(axis: int) -> None:
    a, b = np.random.default_rng(0).integers(0, 5, (2, 12, 12)).astype(float)
    expected = [spearmanr(a.take(k, 1 - axis), b.take(k, 1 - axis)).statistic for k in range(12)]
    assert rank_correlation(a, b, axis) == pytest.approx(np.array(expected))
    assert rank_correlation(a, b) == pytest.approx(rank_correlation(a, b, 0))
    assert np.isnan(rank_correlation(np.ones(4), np.arange(4.0)))


def test_curves_are_asked_at_nine_values_from_the_5_to_the_95_percent_quantile() -> None:
    seen: list[list[float]] = []

    def formula(rows: Tensor) -> Tensor:
        seen.append(rows[:, 0].tolist())
        return rows[:, 0]

    direction_of(asked(formula, column(np.random.default_rng(1).permutation(81)), NUMBER), 0, 1.0)
    assert seen[0][:9] == [4, 13, 22, 31, 40, 49, 58, 67, 76]
    assert seen[0] == seen[0][:9] * 81


def test_a_step_goes_to_the_value_one_percent_of_the_rows_further_on() -> None:
    seen: list[list[float]] = []

    def formula(rows: Tensor) -> Tensor:
        seen.append(rows[:, 0].tolist())
        return rows[:, 0]

    found = direction_of(asked(formula, column(np.arange(200)), NUMBER), 0, 1.0)
    assert seen[1] == [min(k + 2, 199.0) for k in range(199)]
    assert seen[2] == list(range(199))
    assert found.steps == (199, 0)
    few = asked(formula, column([3, 1, 1, 7]), NUMBER)
    seen.clear()
    assert direction_of(few, 0, 1.0).steps == (3, 0)
    assert (seen[1], seen[2]) == ([7, 3, 3], [3, 1, 1])


def test_steps_count_rises_and_falls_above_rounding() -> None:
    """Rises from 0 to 2 and from 4 on, falls between 2 and 4."""

    def kinked(rows: Tensor) -> Tensor:
        x = rows[:, 0]
        return torch.where(x < 2, x, torch.where(x < 4, 4 - x, x - 4))

    found = direction_of(asked(kinked, column(np.arange(7)), NUMBER), 0, 1.0)
    assert found.steps == (4, 2)
    assert (found.rows, found.raising) == (7, 1.0)
    assert found.monotone == pytest.approx(2 / 6)
    assert direction_of(asked(kinked, column(np.arange(7)), NUMBER), 0, 0.9e5).steps == (4, 2)
    assert direction_of(asked(kinked, column(np.arange(7)), NUMBER), 0, 1.1e5) == NOWHERE


@pytest.mark.parametrize("values", [[2.0, 2.0, 2.0], [5.0]])
def test_a_number_of_one_value_goes_nowhere(values: list[float]) -> None:
    assert direction_of(asked(lambda rows: rows[:, 0], column(values), NUMBER), 0, 1.0) is NOWHERE


def test_rows_that_lack_a_number_lend_no_values() -> None:
    """The second column says that the number is missing; the filled-in 50 is then no value of anybody's."""
    inputs = torch.tensor([[1.0, 0.0], [2.0, 0.0], [50.0, 1.0], [3.0, 0.0], [50.0, 1.0]])
    seen: list[Tensor] = []

    def formula(rows: Tensor) -> Tensor:
        seen.append(rows.clone())
        return rows[:, 0]

    found = direction_of(asked(formula, inputs, Feature(name="a", columns=(0, 1))), 0, 1.0)
    assert (found.rows, found.raising, found.steps) == (5, 1.0, (2, 0))
    assert [set(map(tuple, one.tolist())) for one in seen] == [
        {(1, 0), (2, 0), (3, 0)},
        {(2, 0), (3, 0)},
        {(1, 0), (2, 0)},
    ]


def test_many_rows_are_asked_evenly() -> None:
    n = 1000
    inputs = torch.stack([torch.arange(n, dtype=torch.float32), torch.arange(n, dtype=torch.float32)], dim=1)
    seen: list[list[float]] = []

    def formula(rows: Tensor) -> Tensor:
        seen.append(rows[:, 1].tolist())
        return rows[:, 0]

    found = direction_of(asked(formula, inputs, NUMBER), 0, 1.0)
    assert seen[0][::9] == torch.linspace(0, 999, 256).long().tolist()
    assert seen[1] == torch.linspace(0, 998, 256).long().tolist()
    assert (found.rows, found.steps) == (256, (256, 0))


COLOUR = Feature(name="colour", kind="category", columns=(1, 3, 2), categories=("red", "green", "blue"))


def coloured(counts: tuple[int, int, int]) -> Tensor:
    """Rows of so many reds, greens and blues, in the columns 1, 3 and 2; column 0 is the place of the row."""
    marks = torch.zeros(sum(counts), 4)
    marks[torch.arange(sum(counts)), torch.tensor([1, 3, 2]).repeat_interleave(torch.tensor(counts))] = 1
    marks[:, 0] = torch.arange(sum(counts))
    return marks


def test_a_category_is_asked_for_in_its_own_column() -> None:
    def formula(rows: Tensor) -> Tensor:
        assert (rows[:, 1:].sum(dim=1) == 1).all()
        return 3 * rows[:, 3] + rows[:, 2] * (rows[:, 0] < 4)

    found = direction_of(asked(formula, coloured((6, 5, 5)), NUMBER, COLOUR), 1, 1.0)
    assert (found.category, found.raising, found.rows) == ("green", 1.0, 16)
    assert np.isnan(found.monotone)
    lowering = direction_of(asked(lambda rows: -formula(rows), coloured((6, 5, 5)), NUMBER, COLOUR), 1, 1.0)
    assert (lowering.category, lowering.raising) == ("green", 0.0)


def test_rare_categories_are_not_asked_for() -> None:
    formula = lambda rows: 9 * rows[:, 3] + rows[:, 2]  # noqa: E731
    assert direction_of(asked(formula, coloured((6, 4, 5)), NUMBER, COLOUR), 1, 1.0).category in ("red", "blue")
    assert direction_of(asked(formula, coloured((6, 4, 4)), NUMBER, COLOUR), 1, 1.0) is NOWHERE
    assert direction_of(asked(lambda rows: rows[:, 0], coloured((6, 6, 6)), NUMBER, COLOUR), 1, 1.0) is NOWHERE


def test_the_category_named_is_the_one_asked_for_where_an_earlier_one_is_rare() -> None:
    """Of two categories each pushes as far as the other, the first of them is named; red has too few rows to be asked for."""
    found = direction_of(asked(lambda rows: 3 * rows[:, 3], coloured((2, 6, 6)), NUMBER, COLOUR), 1, 1.0)
    assert (found.category, found.raising, found.rows) == ("green", 1.0, 14)


@pytest.mark.parametrize(
    "feature",
    [
        Feature(name="c", kind="category", columns=(1, 2, 3), categories=("x", "y")),
        Feature(name="c", kind="category", columns=(1,), categories=("x",)),
    ],
)
def test_categories_without_a_column_each_go_nowhere(feature: Feature) -> None:
    assert direction_of(asked(lambda rows: rows[:, 1], coloured((6, 6, 6)), NUMBER, feature), 1, 1.0) is NOWHERE


def test_the_most_important_units_that_do_anything_get_a_direction() -> None:
    inputs = torch.tensor([[1.0, 2.0, 3.0], [2.0, 5.0, 4.0], [3.0, 1.0, 9.0], [4.0, 4.0, 1.0]])
    features = tuple(Feature(name=name, columns=(i,)) for i, name in enumerate("abc"))
    made = asked(lambda rows: 2 * rows[:, 0] - rows[:, 1] + rows[:, 2], inputs, *features)
    attributions = np.array([[1.0, -5.0, 0.0], [-1.0, 5.0, 0.0]])

    def told(most: int, sided: Rows | None = made.rows) -> list[float]:
        return [one.raising for one in directions_of(made.explainer, sided, attributions, most)]

    assert told(9) == pytest.approx([1.0, 0.0, np.nan], nan_ok=True)
    assert told(1) == pytest.approx([np.nan, 0.0, np.nan], nan_ok=True)
    assert directions_of(made.explainer, None, attributions, 9) == (NOWHERE,) * 3


def test_changes_count_against_the_spread_of_the_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    spreads: list[float] = []
    monkeypatch.setattr(directions, "direction_of", lambda response, unit, spread: spreads.append(spread) or NOWHERE)
    made = asked(lambda rows: rows[:, 0], column([1, 2, 3, 6]), NUMBER)
    directions_of(made.explainer, made.rows, np.ones((4, 1)), 1)
    assert spreads == pytest.approx([np.std([1, 2, 3, 6])])


def test_only_rows_of_numbers_in_columns_can_be_given_other_values() -> None:
    def possible(inputs: Tensor, features: tuple[Feature, ...] = (NUMBER,), mask: Tensor | None = None) -> bool:
        groups = SimpleNamespace(features=features, mask=torch.zeros(3, dtype=torch.int64) if mask is None else mask)
        return answers(SimpleNamespace(feature_groups=groups), Rows(inputs=inputs))

    assert possible(torch.zeros(2, 3))
    assert not possible(torch.zeros(2, 3, dtype=torch.int64))
    assert not possible(torch.zeros(2, 1, 3))
    assert not possible(torch.zeros(2, 3), features=())
    assert not possible(torch.zeros(2, 3), mask=torch.zeros(2, dtype=torch.int64))


def test_directions_are_said_of_one_output_for_every_row() -> None:
    rows = Rows(inputs=torch.zeros(2, 1), target_index=torch.tensor([0, 1]), contrast=torch.zeros(2, 1, 1))

    def told(turned: Callable[[Tensor], Tensor]) -> Rows | None:
        return one_sided(SimpleNamespace(kind=SimpleNamespace(one_sided=lambda index, schema: turned(index)), schema=None), rows)

    assert told(lambda index: index) is rows
    found = told(torch.ones_like)
    assert (found.target_index.tolist(), found.contrast, found.inputs) == ([1, 1], None, rows.inputs)

    def unknown(index: Tensor) -> Tensor:
        raise LookupError

    assert told(unknown) is None
