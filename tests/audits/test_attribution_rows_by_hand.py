"""Which number of a model is explained for each row, and what a policy's states are compared with, by loops and by hand."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.tree import DecisionTreeRegressor
from torch import nn

from glassbench.contracts.estimator import EstimatorModule
from glassbench_audits.attribution.explained import Explained, Picked, Rows, Unexplainable, entries, rows_of
from glassbench_audits.attribution.visited import acted_otherwise, is_policy, mean_visited, nearest_other


def task(softmax: bool = False) -> SimpleNamespace:
    """A task that explains the model's output as it is."""
    return SimpleNamespace(kind=SimpleNamespace(softmax=softmax), attribution_output=lambda output: output)


def linear(*rows: list[float]) -> nn.Linear:
    """A linear layer of these weights, one row per output, and no bias."""
    layer = nn.Linear(len(rows[0]), len(rows), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(rows))
    return layer


def test_rows_are_taken_with_all_that_belongs_to_them() -> None:
    contrast = torch.arange(12.0).reshape(4, 3, 1)
    rows = Rows(
        inputs=torch.arange(4.0)[:, None], others=(torch.arange(4) * 10,), target_index=torch.arange(4), contrast=contrast
    )
    some = rows.take(torch.tensor([3, 1]))
    assert (len(rows), len(some)) == (4, 2)
    assert some.inputs[:, 0].tolist() == [3, 1]
    assert [other.tolist() for other in some.others] == [[30, 10]]
    assert some.target_index.tolist() == [3, 1]
    assert some.contrast[..., 0].tolist() == [[9, 10, 11], [3, 4, 5]]
    bare = Rows(inputs=torch.zeros(3, 1)).take(slice(0, 2))
    assert (len(bare), bare.others, bare.target_index, bare.contrast) == (2, (), None, None)


def test_rows_keep_everything_else_at_other_inputs() -> None:
    rows = Rows(
        inputs=torch.zeros(2, 1), others=(torch.ones(2),), target_index=torch.tensor([0, 1]), contrast=torch.ones(2, 1, 1)
    )
    moved = rows.at(torch.full((2, 1), 5.0))
    assert moved.inputs.tolist() == [[5], [5]]
    assert (moved.others, moved.target_index, moved.contrast) == (rows.others, rows.target_index, rows.contrast)


def test_each_contrast_takes_its_turn() -> None:
    rows = Rows(inputs=torch.zeros(2, 1), contrast=torch.tensor([[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]]))
    assert [one.contrast.tolist() for one in rows.contrasted()] == [[[[k]], [[k + 3]]] for k in (1, 2, 3)]
    bare = Rows(inputs=torch.zeros(2, 1))
    assert list(bare.contrasted()) == [bare]


@pytest.mark.parametrize(
    ("n", "size", "parts"), [(5, 2, [(0, 2), (2, 4), (4, 5)]), (4, 2, [(0, 2), (2, 4)]), (0, 3, []), (2, 9, [(0, 2)])]
)
def test_chunks_cover_the_rows_once(n: int, size: int, parts: list[tuple[int, int]]) -> None:
    assert [(one.start, one.stop) for one in Rows(inputs=torch.zeros(n, 1)).chunks(size)] == parts


def test_a_network_is_copied_and_an_estimator_is_not() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)).train()
    explained = Explained(network, task())
    assert explained.model is not network
    assert torch.equal(explained.model[0].weight, network[0].weight)
    assert not explained.model[1].training
    assert network[1].training
    assert (explained.floor, explained.trees, explained.softmax) == (None, None, False)
    estimator = EstimatorModule(DecisionTreeRegressor().fit([[0.0], [1.0]], [0.0, 1.0]))
    assert Explained(estimator, task(softmax=True)).model is estimator
    assert Explained(estimator, task(softmax=True)).softmax


def test_probabilities_below_the_floor_count_as_the_floor() -> None:
    explained = Explained(linear([0.0], [math.log(9.0)]), task(softmax=True))
    rows = Rows(inputs=torch.tensor([[1.0], [0.0]]), target_index=torch.tensor([1, 0]))
    assert explained(rows.inputs).tolist() == [[0, pytest.approx(math.log(9))], [0, 0]]
    explained.floor = 0.2
    assert explained(rows.inputs).exp().flatten().tolist() == pytest.approx([0.2, 0.9, 0.5, 0.5])
    assert explained.number(rows).tolist() == pytest.approx([math.log(9 / 2), 0.0], abs=1e-6)


def scores() -> torch.Tensor:
    """Three rows, two places, four classes."""
    return torch.as_tensor(np.random.default_rng(4).normal(size=(3, 2, 4)))


def odds(output: torch.Tensor, *index: int) -> float:
    """Return the log-odds of an entry among those of its last axis."""
    chance = output[index[:-1]].softmax(dim=-1)[index[-1]].item()
    return math.log(chance / (1 - chance))


CHOICES = [[[0, 3], [1, 1]], [[1, 0], [-1, -1]], [[1, 2], [1, 3]]]


def test_what_is_explained_of_a_choice_is_its_log_odds_and_of_several_their_sum() -> None:
    output, explained = scores(), Explained(nn.Identity(), task(softmax=True))
    last = output[:, 1]
    assert explained.picked(last, torch.tensor([2, 0, 3])).tolist() == pytest.approx(
        [odds(last, 0, 2), odds(last, 1, 0), odds(last, 2, 3)]
    )
    assert explained.picked(output, torch.tensor(CHOICES)[:, 0]).tolist() == pytest.approx(
        [odds(output, row, *CHOICES[row][0]) for row in range(3)]
    )
    expected = [sum(odds(output, row, *one) for one in CHOICES[row] if one[0] >= 0) for row in range(3)]
    assert explained.picked(output, torch.tensor(CHOICES)).tolist() == pytest.approx(expected)


def test_what_is_explained_of_a_number_is_the_number_and_of_several_their_sum() -> None:
    output, explained = scores(), Explained(nn.Identity(), task())
    assert explained.picked(output[:, 0, 0], None).tolist() == output[:, 0, 0].tolist()
    assert explained.picked(output[:, 0], torch.tensor([1, 3, 0])).tolist() == [output[0, 0, 1], output[1, 0, 3], output[2, 0, 0]]
    expected = [sum(float(output[(row, *one)]) for one in CHOICES[row] if one[0] >= 0) for row in range(3)]
    assert explained.picked(output, torch.tensor(CHOICES)).tolist() == pytest.approx(expected)


def test_entries_are_those_a_loop_finds() -> None:
    output = torch.arange(24).reshape(2, 3, 4)
    assert entries(output, torch.tensor([[2], [0]])).tolist() == [output[0, 2].tolist(), output[1, 0].tolist()]
    several = torch.tensor([[[2, 1], [0, 0]], [[1, 3], [2, 2]]])
    assert entries(output, several).tolist() == [[9, 0], [12 + 7, 12 + 10]]


def test_captum_is_given_a_module_that_takes_the_choice_last() -> None:
    explained = Explained(linear([1.0, 0.0], [0.0, 3.0]), task())
    assert Picked(explained)(torch.tensor([[2.0, 5.0], [2.0, 5.0]]), torch.tensor([0, 1])).tolist() == [2, 15]


class Layered(nn.Module):
    """Ten times the doubled first input, plus the second: the doubling is attributed to."""

    attribution_layer = "twice"

    def __init__(self) -> None:
        super().__init__()
        self.twice = linear([2.0])

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return 10 * self.twice(first)[:, 0] + second


@pytest.mark.parametrize("size", [1, 2, 4096])
def test_a_layer_can_be_made_to_give_what_it_gives_for_other_rows(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(Explained, "pass_rows", size)
    explained = Explained(Layered(), task())
    rows = Rows(inputs=torch.tensor([[1.0], [2.0], [3.0]]), others=(torch.tensor([0.1, 0.2, 0.3]),))
    other = torch.tensor([[5.0], [6.0], [7.0]])
    assert explained.outputs(rows).tolist() == pytest.approx([20.1, 40.2, 60.3])
    assert explained.layer_outputs(rows)[:, 0].tolist() == [2, 4, 6]
    assert explained.outputs_with_layer(rows, other).tolist() == pytest.approx([50.1, 60.2, 70.3])
    assert explained.outputs_with_layer_of(rows, other).tolist() == pytest.approx([100.1, 120.2, 140.3])
    assert explained.outputs(rows).tolist() == pytest.approx([20.1, 40.2, 60.3])  # no hook is left behind
    assert explained.outputs(rows.take(slice(0, 0))).shape == (0,)


def test_only_whole_numbers_are_embedded_and_only_by_a_layer() -> None:
    tokens, numbers = torch.zeros(1, 2, dtype=torch.int64), torch.zeros(1, 2)
    assert Explained(linear([1.0]), task()).layer is None
    layered = Explained(Layered(), task())
    assert layered.layer is layered.model.twice
    assert (layered.embeds(tokens), layered.embeds(numbers)) == (True, False)
    assert not Explained(linear([1.0]), task()).embeds(tokens)


HEAVY = [
    nn.Conv1d(1, 1, 1),
    nn.Conv2d(1, 1, 1),
    nn.Conv3d(1, 1, 1),
    nn.MultiheadAttention(1, 1),
    nn.GRU(1, 1),
    nn.Embedding(1, 1),
]


@pytest.mark.parametrize("layer", HEAVY, ids=lambda layer: type(layer).__name__)
def test_large_activations_make_passes_smaller(layer: nn.Module) -> None:
    heavy, light = Explained(nn.Sequential(nn.Linear(1, 1), layer), task()), Explained(nn.Sequential(nn.Linear(1, 1)), task())
    assert (heavy.pass_rows, light.pass_rows) == (256, 4096)
    assert (heavy.affords("light", "heavy", "dear"), light.affords("light", "heavy", "dear")) == ("heavy", "light")


@pytest.mark.parametrize(("passes", "afforded"), [(1, "light"), (7, "light"), (8, "dear"), (9, "dear")])
def test_many_passes_for_one_output_are_dear(passes: int, afforded: str) -> None:
    model = nn.Linear(1, 1)
    model.passes_per_row = passes
    assert Explained(model, task()).affords("light", "heavy", "dear") == afforded


def subject(output: torch.Tensor, target_index: torch.Tensor | None = None, **more: object) -> SimpleNamespace:
    """A subject whose first input is its output, and its second the number of the row."""
    source = SimpleNamespace(batch=lambda index: SimpleNamespace(inputs=(output[index], index * 1.0)))
    predictions = SimpleNamespace(source=source, target_index=target_index, frame=pd.DataFrame(index=range(len(output))))
    known = {"episode_output": None, "attribution_output": lambda first, second: first}
    return SimpleNamespace(predictions=predictions, **{**known, **more})


def test_rows_are_those_the_predictions_were_made_on_with_their_choices() -> None:
    output = torch.arange(12.0).reshape(4, 3)
    rows = rows_of(subject(output, torch.tensor([0, 1, 2, 0], dtype=torch.int32)), np.array([2, 0]))
    assert (rows.inputs.tolist(), rows.others[0].tolist()) == ([[6, 7, 8], [0, 1, 2]], [2, 0])
    assert (rows.target_index.tolist(), rows.target_index.dtype, rows.contrast) == ([2, 0], torch.int64, None)


def test_one_number_per_row_needs_no_choice_and_the_only_one_is_taken() -> None:
    assert rows_of(subject(torch.zeros(3), torch.tensor([0, 0, 0])), [0, 1]).target_index is None
    assert rows_of(subject(torch.zeros(3, 1)), [0, 1, 2]).target_index.tolist() == [[0], [0], [0]]
    assert rows_of(subject(torch.zeros(3, 1, 1)), [0]).target_index.tolist() == [[0, 0]]
    with pytest.raises(Unexplainable, match="which of the model's outputs"):
        rows_of(subject(torch.zeros(3, 1, 2)), [0])


def test_a_policy_has_a_source_actions_and_episodes() -> None:
    whole = subject(torch.zeros(2), torch.zeros(2), episode_output=object())
    assert is_policy(whole)
    assert not is_policy(subject(torch.zeros(2), torch.zeros(2)))
    assert not is_policy(subject(torch.zeros(2), None, episode_output=object()))
    whole.predictions.source = None
    assert not is_policy(whole)


@pytest.mark.parametrize(("shape", "most"), [((4,), 20_000), ((None, 3000), 10_000), ((1500, 1), 20_000), ((40_000_000,), 1)])
def test_the_mean_state_is_of_as_many_as_memory_holds(shape: tuple[int | None, ...], most: int) -> None:
    asked = {}
    states = subject(torch.tensor([[1.0, 5.0], [2.0, 7.0]]), schema=SimpleNamespace(shape=shape))
    states.sample = lambda size, name: asked.setdefault(name, size) and np.array([0, 1])
    assert mean_visited(states).tolist() == [[1.5, 6.0]]
    assert mean_visited(states).dtype == torch.float64
    assert asked == {"explain.baseline": most}


EPISODES = np.array(["x"] * 4 + ["y"] * 3 + ["z"] * 3)
ACTIONS = np.array([0, 0, 1, 0, 1, 1, 0, 0, 0, 0])
OWN = [2, 2, 1, 2, 6, 6, 5, -1, -1, -1]


def policy(states: np.ndarray, draws: np.ndarray, actions: np.ndarray = ACTIONS) -> SimpleNamespace:
    """A policy's steps, whose other episodes are chosen by these draws."""
    made = subject(torch.as_tensor(states), torch.as_tensor(actions), schema=SimpleNamespace(shape=states.shape[1:]))
    made.predictions.frame = pd.DataFrame({"episode": EPISODES})
    made.generator = {"explain.contrast": SimpleNamespace(random=lambda shape: draws.reshape(shape))}.__getitem__
    made.sample = lambda most, name: np.arange(len(states))
    return made


def searched(position: int, chance: float, distance) -> int:
    """Return the nearest step with another action, of one of the other episodes that have one."""
    able = [e for e in "xyz" if e != EPISODES[position] and any(ACTIONS[e == EPISODES] != ACTIONS[position])]
    if not able:
        return -1
    chosen = able[int(chance * len(able))]
    steps = [i for i in range(10) if EPISODES[i] == chosen and ACTIONS[i] != ACTIONS[position]]
    return min(steps, key=lambda i: (distance(position, i), i))


def test_contrasts_of_a_table_are_near_in_units_of_what_moves() -> None:
    chance = np.random.default_rng(5)
    states, draws = chance.normal(size=(10, 3)), chance.random((10, 3))
    states[:, 1] *= 40
    states[:, 2] = np.arange(10) >= 4  # the same throughout an episode: it does not count
    moved = np.mean([abs(states[i] - states[j]) for i, j in enumerate(OWN) if j >= 0], axis=0)
    assert nearest_other(EPISODES, ACTIONS[:, None]).tolist() == OWN

    def distance(i: int, j: int) -> float:
        return sum(abs(states[i, k] - states[j, k]) / moved[k] for k in (0, 1))

    expected = [[OWN[i], *(searched(i, draw, distance) for draw in draws[i])] for i in range(10)]
    expected = [[max(row) if place < 0 else place for place in row] for row in expected]
    positions = np.array([9, 0, 2, 5, 6, 7])
    found = acted_otherwise(policy(states, draws), positions)
    assert found.tolist() == [[states[place].tolist() for place in expected[i]] for i in positions]


def test_contrasts_of_pictures_are_near_in_time_since_their_episode_began() -> None:
    draws = np.array([0.0, 0.9, 0.2, 0.7, 0.4, 0.9, 0.1, 0.0, 0.9, 0.5])
    states = np.arange(10.0)[:, None, None] * np.ones((10, 2, 2))
    start = {"x": 0, "y": 4, "z": 7}

    def distance(i: int, j: int) -> float:
        return abs((i - start[EPISODES[i]]) - (j - start[EPISODES[j]]))

    found = acted_otherwise(policy(states, draws), np.arange(10))
    assert found.shape == (10, 2, 2, 2)
    others = [searched(i, draws[i], distance) for i in range(10)]
    assert found[:, 1, 0, 0].tolist() == others
    assert found[:, 0, 1, 1].tolist() == [own if own >= 0 else other for own, other in zip(OWN, others, strict=True)]


def test_a_policy_that_only_ever_does_one_thing_is_compared_with_its_mean_state() -> None:
    states = np.random.default_rng(6).normal(size=(10, 2)).astype(np.float32)
    found = acted_otherwise(policy(states, np.zeros((10, 3)), np.zeros(10, dtype=int)), np.array([1, 4]))
    assert found.shape == (2, 4, 2)
    assert found.numpy() == pytest.approx(np.broadcast_to(states.mean(axis=0), (2, 4, 2)), abs=1e-6)
