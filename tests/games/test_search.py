"""Tree search: what it finds with a network that knows nothing, and that it looks at what it says."""

import numpy as np
import pytest

from glassbench_plugins.games.line_game import CONNECT_FOUR, TIC_TAC_TOE
from glassbench_plugins.games.minimax import worth
from glassbench_plugins.games.search import Search


def knows_nothing(game):
    def judge(positions):
        allowed = game.legal(positions).astype(np.float32)
        return allowed / allowed.sum(axis=1, keepdims=True), np.zeros(len(positions), dtype=np.float32)

    return judge


def somewhere(game, moves: int, count: int, seed: int):
    random, found = np.random.default_rng(seed), game.start(count)
    for _ in range(moves):
        draws = np.where(game.legal(found), random.random((len(found), len(game.actions))), -1)
        found = game.play(found, draws.argmax(axis=1))
        found = found[~game.outcome(found).over]
    return found


def test_a_long_search_finds_the_moves_of_full_minimax():
    found = somewhere(TIC_TAC_TOE, 3, 30, 1)
    values = worth(TIC_TAC_TOE, found, 9)
    best = Search(simulations=800)(TIC_TAC_TOE, found, knows_nothing(TIC_TAC_TOE)).best
    kept = values[np.arange(len(found)), best] == values.max(axis=1)
    assert kept.mean() > 0.95


@pytest.mark.parametrize("game", [TIC_TAC_TOE, CONNECT_FOUR], ids=lambda game: game.id)
def test_visits_add_up_to_simulations_and_only_moves_allowed_are_looked_at(game):
    found = somewhere(game, 4, 20, 2)
    result = Search(simulations=60, noise=0.3)(game, found, knows_nothing(game), np.random.default_rng(1))
    assert (result.visits.sum(axis=1) == 60).all()
    assert (result.visits[~game.legal(found)] == 0).all()
    assert (np.abs(result.value) <= 1).all()


def test_each_game_is_searched_as_if_it_were_alone():
    found = somewhere(CONNECT_FOUR, 10, 12, 3)
    together = Search(simulations=50)(CONNECT_FOUR, found, knows_nothing(CONNECT_FOUR))
    for i in range(len(found)):
        alone = Search(simulations=50)(CONNECT_FOUR, found[i : i + 1], knows_nothing(CONNECT_FOUR))
        assert np.array_equal(alone.visits[0], together.visits[i])
        assert np.allclose(alone.worth[0], together.worth[i])


def test_noise_at_the_root_is_drawn_among_moves_allowed_and_follows_its_generator():
    found = somewhere(CONNECT_FOUR, 6, 4, 5)
    one, two, other = (
        Search(simulations=30, noise=0.5)(CONNECT_FOUR, found, knows_nothing(CONNECT_FOUR), np.random.default_rng(seed)).visits
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
