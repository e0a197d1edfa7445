"""Self-play: what is learnt from a game, how it is taken up again, and what a run says of a policy."""

import numpy as np
import pytest
import torch

from glassbench import GlassbenchError, run
from glassbench.contracts.task import Optimization
from glassbench_plugins.games.board_network import BoardNetwork
from glassbench_plugins.games.dataset import game
from glassbench_plugins.games.lanes import Lanes
from glassbench_plugins.games.line_game import CONNECT_FOUR, TIC_TAC_TOE
from glassbench_plugins.games.matches import SIDES, play
from glassbench_plugins.games.moves import moves_frame
from glassbench_plugins.games.positions import Positions
from glassbench_plugins.games.self_play import SelfPlay
from glassbench_plugins.rl.dataset import environment


def learner_of(**settings):
    torch.manual_seed(0)
    data, task = game(1, id="tic-tac-toe", lanes=6), SelfPlay(simulations=8, judged_simulations=8, **settings)
    task.check(data.schema)
    network = BoardNetwork(data.schema, channels=4, layers=2, hidden=8)
    return task.learner(network, data, Optimization(learning_rate=1e-3, batch_size=16, seed=1))


def test_a_finished_game_tells_each_position_how_it_ended_for_the_player_to_move():
    lanes, moves = Lanes(TIC_TAC_TOE, 1), ["a3", "a2", "b3", "b2", "c3"]  # the first player's top row
    done = []
    for number, move in enumerate(moves):
        action = TIC_TAC_TOE.actions.index(move)
        done += lanes.move(np.array([action]), np.eye(9)[[action]], np.array([number / 10]))
    ((seen, share, worth, result),) = done
    assert result.tolist() == [1, -1, 1, -1, 1]
    assert share.argmax(axis=1).tolist() == [TIC_TAC_TOE.actions.index(move) for move in moves]
    assert worth.tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert seen[2].reshape(9, 3).argmax(axis=1).tolist() == [1, 0, 0, 2, 0, 0, 0, 0, 0]
    assert lanes.drain() == [(1.0, 5)]
    assert lanes.moved.tolist() == [0]


def test_positions_are_drawn_in_symmetries_of_the_board():
    positions, random = Positions(CONNECT_FOUR, 10), np.random.default_rng(1)
    start = CONNECT_FOUR.play(CONNECT_FOUR.start(1), np.array([1]))
    positions.add(CONNECT_FOUR.seen(start).astype(np.uint8), np.eye(7, dtype=np.float32)[[1]], np.array([0.5], dtype=np.float32))
    seen, share, value = positions.draw(50, random)
    stone = seen.reshape(50, 6, 7, 3)[:, 5, :, 2].argmax(axis=1)
    assert set(stone) == {1, 5}
    assert (share.argmax(axis=1) == stone).all()
    assert (value == 0.5).all()


def test_the_oldest_positions_make_room():
    positions = Positions(TIC_TAC_TOE, 4)
    for number in range(3):
        seen = TIC_TAC_TOE.seen(TIC_TAC_TOE.start(2)).astype(np.uint8)
        positions.add(seen, np.zeros((2, 9), dtype=np.float32), np.full(2, number, dtype=np.float32))
    assert sorted(positions.value) == [1, 1, 2, 2]
    again = Positions(TIC_TAC_TOE, 4)
    again.load_state_dict(positions.state_dict())
    drawn = [one.draw(9, np.random.default_rng(3)) for one in (positions, again)]
    assert all(np.array_equal(a, b) for a, b in zip(*drawn, strict=True))


def test_games_are_taken_up_where_they_were():
    first, second = learner_of(), learner_of()
    first.random = np.random.default_rng(1)
    first.roll()
    second.lanes.load_state_dict(first.lanes.state_dict())
    assert np.array_equal(first.lanes.positions, second.lanes.positions)
    for learner in (first, second):
        learner.random = np.random.default_rng(2)
        learner.roll()
    assert np.array_equal(first.lanes.positions, second.lanes.positions)


def first_free(positions):
    return TIC_TAC_TOE.legal(positions).argmax(axis=1), np.zeros((len(positions), 2))


def test_matches_are_the_same_each_time_and_tell_who_won():
    source = game(3, id="tic-tac-toe", evaluation_games=24, opponents=("random", "optimal")).test
    once, again = (play(TIC_TAC_TOE, source.matches(), first_free) for _ in range(2))
    assert [(m.actions, m.result) for m in once] == [(m.actions, m.result) for m in again]
    assert {(m.opponent, m.first) for m in once} == {(o, f) for o in ("random", "optimal") for f in (True, False)}
    assert max(m.result for m in once if m.opponent == "optimal") <= 0  # nobody beats full minimax
    frame = moves_frame(TIC_TAC_TOE, once)
    ended = frame.groupby("episode")["reward"].sum()
    assert ended.tolist() == [m.result for m in once]
    assert set(frame["group.side"]) == set(SIDES)
    lost = frame[(frame["group.opponent"] == "optimal") & (frame["failed"] == 1)]
    assert (lost.groupby("episode")["optimal"].min() == 0).all()  # who loses to perfect play has made a mistake


def test_a_match_is_drawn_from_its_predictions():
    source = game(3, id="tic-tac-toe", evaluation_games=4).test
    matches = play(TIC_TAC_TOE, source.matches(), first_free)
    frame = moves_frame(TIC_TAC_TOE, matches)
    for match in matches:
        frames = source.render(frame[frame["episode"] == match.number].reset_index(drop=True), 8)
        assert len(frames) == len(match.actions)
        assert frames[0].shape == (61, 61, 3)


def test_other_data_are_refused_with_what_fits():
    with pytest.raises(GlassbenchError, match="data set 'game'"):
        SelfPlay().check(environment(1, id="CartPole-v1").schema)
    with pytest.raises(GlassbenchError, match="data set 'game'"):
        BoardNetwork(environment(1, id="CartPole-v1").schema)


def tiny(**dataset):
    return {
        "name": "tiny-game",
        "dataset": {"use": "game", "id": "tic-tac-toe", "lanes": 8, "evaluation_games": 12, "validation_games": 4, **dataset},
        "task": {"use": "self-play", "steps": 256, "rollout": 4, "updates": 2, "simulations": 8, "judged_simulations": 16},
        "model": {"use": "board-network", "channels": 4, "layers": 2, "hidden": 8},
        "trainer": {"use": "lightning", "threads": 1, "batch_size": 32},
        "audits": {"performance": {}, "learning": {}, "fairness": {}, "explain": {"rows": 8, "cases": 1, "steps": 4}},
        "gates": [],
        "seed": 1,
    }


def test_a_game_goes_through_all_phases(tmp_path):
    done = run(tiny(opponents=["random", "optimal"]), runs=tmp_path)
    assert [a.error for a in done.audits] == [None] * len(done.audits)
    found = {m.name: m.value for m in done.measures if m.group is None}
    ends = [found[f"performance.{name}"] for name in ("win_rate", "draw_rate", "failure_rate")]
    assert sum(ends) == pytest.approx(1)
    assert 0 < found["performance.optimal_move_rate"] <= 1
    performance, fairness = (next(a for a in done.audits if a.audit == name) for name in ("performance", "fairness"))
    assert len(performance.pictures) == 2
    by_opponent = next(table for table in performance.tables if table.title == "Results by opponent")
    assert [row[0] for row in by_opponent.rows] == ["optimal", "random"]
    told = dict(zip(by_opponent.columns, by_opponent.rows[0], strict=True))
    assert told["win_rate"] + told["draw_rate"] + told["failure_rate"] == pytest.approx(1)
    assert told["return"] == pytest.approx(told["win_rate"] - told["failure_rate"])
    assert "unequal by the task itself" in fairness.not_applicable
    assert not fairness.findings
    assert not fairness.measures
    assert fairness.not_applicable in (done.folder / "report.html").read_text()


@pytest.mark.slow
def test_a_game_of_pettingzoo_goes_the_same_way(tmp_path):
    pytest.importorskip("pettingzoo")
    pytest.importorskip("pygame")
    experiment = tiny(id="pettingzoo/classic/connect_four-v3")
    done = run(experiment | {"task": experiment["task"] | {"steps": 64}}, runs=tmp_path)
    assert [a.error for a in done.audits] == [None] * len(done.audits)
