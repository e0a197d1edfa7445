"""Mazes: shortest paths against SciPy's, the rules, what spreads through the path network, and what a run says."""

from pathlib import Path

import gymnasium
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from glassbench import GlassbenchError, run
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.maze import AGENT, CONTENTS, GOAL, WALL, distances
from glassbench_plugins.rl.path_network import PathNetwork
from glassbench_plugins.rl.returns import path_length_ratio

MAZE = "glassbench/Maze-v0"
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "maze.yaml"


def reference(walls: np.ndarray, goal: tuple[int, int]) -> np.ndarray:
    """Steps to the goal by Dijkstra's method in SciPy; -1 where there is no way."""
    rows, columns = walls.shape
    number = np.arange(walls.size, dtype=np.int32).reshape(walls.shape)
    pairs = [(number[:, :-1], number[:, 1:]), (number[:-1], number[1:])]
    first, second = (np.concatenate([pair[i].ravel() for pair in pairs]) for i in (0, 1))
    open_both = ~walls.ravel()[first] & ~walls.ravel()[second]
    first, second = first[open_both], second[open_both]
    graph = coo_array((np.ones(len(first)), (first, second)), shape=(walls.size, walls.size))
    found = shortest_path(graph, directed=False, indices=number[goal], unweighted=True).reshape(rows, columns)
    return np.where(np.isfinite(found), found, -1).astype(int)


@pytest.mark.parametrize("seed", range(20))
def test_distances_are_those_of_scipy(seed):
    random = np.random.default_rng(seed)
    walls = random.random((6, 9)) < 0.35
    goal = tuple(int(i) for i in np.argwhere(~walls)[random.integers((~walls).sum())])
    assert distances(walls, goal).tolist() == reference(walls, goal).tolist()


def made(**settings):
    return gymnasium.make(MAZE, **settings).unwrapped


def test_a_walk_along_shorter_distances_takes_as_many_steps_as_were_promised():
    maze = made(size=7, walls=0.35)
    for seed in range(10):
        _, info = maze.reset(seed=seed)
        promised, taken, paid, over = info["shortest"], 0, 0.0, False
        assert promised >= 2
        while not over:
            left = [distances_after(maze, move) for move in range(4)]
            _, reward, over, cut, _ = maze.step(int(np.argmin(left)))
            taken, paid = taken + 1, paid + reward
            assert not cut
        assert taken == promised
        assert paid == pytest.approx(1 - 0.01 * promised)


def distances_after(maze, move: int) -> int:
    row, column = np.add(maze.place, ((-1, 0), (0, 1), (1, 0), (0, -1))[move])
    inside = 0 <= row < maze.board and 0 <= column < maze.board
    return int(maze.steps[row, column]) if inside and not maze.blocked[row, column] else 10**6


def test_walls_and_the_edge_of_the_board_stop_a_move():
    maze = made(size=3, walls=0.0)
    maze.reset(seed=1)
    maze.place = (0, 0)
    maze.goal = (2, 2)
    maze.blocked[0, 1] = True
    for move in (0, 1, 3):
        seen, reward, over, _, _ = maze.step(move)
        assert (maze.place, reward, over) == ((0, 0), -0.01, False)
    assert seen.reshape(3, 3).tolist() == [[AGENT, WALL, 0], [0, 0, 0], [0, 0, GOAL]]


def test_a_maze_smaller_than_its_board_is_surrounded_by_walls():
    maze = made(size=4, board=6, walls=0.2)
    seen, _ = maze.reset(seed=3)
    assert (seen.reshape(6, 6)[4:] == WALL).all()
    assert (seen.reshape(6, 6)[:, 4:] == WALL).all()


@pytest.mark.parametrize("settings", [{"size": 2}, {"size": 9, "board": 8}, {"walls": 0.9}])
def test_sizes_and_walls_out_of_range_are_refused(settings):
    with pytest.raises(GlassbenchError, match="lies between"):
        environment(1, id=MAZE, settings=settings)


def test_cells_are_categories_and_the_grid_is_known():
    schema = environment(1, id=MAZE, settings={"size": 4}).schema
    assert schema.shape == (64,)
    assert [feature.name for feature in schema.features][5] == "row 2 column 2"
    assert schema.features[5].columns == (20, 21, 22, 23)
    assert schema.features[5].categories == CONTENTS
    assert schema.facts.grid == (4, 4)
    assert not schema.facts.normalize


def test_a_path_network_that_knows_what_walls_and_goals_are_walks_shortest_paths():
    data = environment(1, id=MAZE, settings={"size": 6, "walls": 0.3})
    network = PathNetwork(data.schema)
    with torch.no_grad():
        network.cell.weight.zero_()
        network.cell.bias.copy_(torch.tensor([0.0, 3.0]))
        network.cell.weight[0, GOAL], network.cell.weight[1, WALL] = 1.0, -30.0
    maze = made(size=6, walls=0.3)
    for seed in range(15):
        seen, info = maze.reset(seed=seed)
        for _ in range(info["shortest"]):
            board = torch.eye(4)[torch.as_tensor(seen)].reshape(1, -1)
            seen, _, over, _, _ = maze.step(int(network(board).argmax()))
        assert over


def test_other_observations_and_actions_are_refused_with_what_fits():
    with pytest.raises(GlassbenchError, match="q-network"):
        PathNetwork(environment(1, id="CartPole-v1").schema)


def test_the_ratio_is_over_episodes_that_reached_their_goal():
    frame = pd.DataFrame({"episode": [0, 0, 0, 1, 1, 2], "failed": [0, 0, 0, 0, 0, 1], "shortest": [2, 2, 2, 2, 2, 1]})
    assert path_length_ratio(frame, np.ones((1, 6)))[0] == pytest.approx((3 / 2 + 2 / 2) / 2)
    assert np.isnan(path_length_ratio(frame.drop(columns="shortest"), np.ones((1, 6)))[0])


def reached(done) -> tuple[float, float]:
    found = {m.name: m.value for m in done.measures if m.group is None}
    return 1 - found["performance.failure_rate"], found["performance.path_length_ratio"]


@pytest.mark.slow
def test_mazes_go_through_all_phases_by_wall_density(tmp_path):
    tiny = ["task.steps=600", "task.warm_up=200", "gates=[]", "dataset.evaluation_episodes=12", "dataset.validation_episodes=2"]
    done = run(
        EXAMPLE, runs=tmp_path, overrides=[*tiny, "dataset.settings={size: 4}", "audits.explain={rows: 4, cases: 1, steps: 4}"]
    )
    assert [a.error for a in done.audits] == [None] * len(done.audits)
    assert {m.group["walls"] for m in done.measures if m.name == "fairness.return" and m.group} == {"0.1", "0.2", "0.35"}
    assert reached(done)[1] >= 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_mazes_never_seen_are_walked_on_shortest_paths(tmp_path, seed):
    done = run(EXAMPLE, runs=tmp_path, overrides=[f"seed={seed}", "audits=[performance]", "gates=[]"])
    share, ratio = reached(done)
    assert share >= 0.95
    assert ratio <= 1.1
