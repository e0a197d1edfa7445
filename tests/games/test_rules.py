"""Rules of games, against plain reference code and known counts; full minimax against published facts."""

import numpy as np
import pytest

from glassbench import GlassbenchError
from glassbench_plugins.games.dataset import game
from glassbench_plugins.games.line_game import BUILT_IN, CONNECT_FOUR, TIC_TAC_TOE
from glassbench_plugins.games.minimax import distinct, worth
from glassbench_plugins.games.named import named_game
from glassbench_plugins.games.opponents import opponent


def position(*moves: str, of=TIC_TAC_TOE):
    found = of.start(1)
    for move in moves:
        found = of.play(found, np.array([of.actions.index(move)]))
    return found


def has_line(board: np.ndarray, line: int) -> bool:
    """Whether a board of booleans holds a line, square by square."""
    rows, columns = board.shape
    for row in range(rows):
        for column in range(columns):
            for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
                cells = [(row + i * down, column + i * right) for i in range(line)]
                if all(0 <= r < rows and 0 <= c < columns and board[r, c] for r, c in cells):
                    return True
    return False


@pytest.mark.parametrize("game", BUILT_IN.values(), ids=BUILT_IN)
def test_random_games_go_as_on_a_plain_board(game):
    random = np.random.default_rng(1)
    for _ in range(40):
        board, found, mover = np.zeros(game.shape, dtype=int), game.start(1), 1
        while True:
            free = (board == 0).any(axis=0) if game.drops else (board == 0).ravel()
            assert game.legal(found)[0].tolist() == free.tolist()
            action = int(random.choice(np.flatnonzero(free)))
            place = (np.flatnonzero(board[:, action] == 0)[-1], action) if game.drops else np.unravel_index(action, game.shape)
            board[place] = mover
            found, stands = game.play(found, np.array([action])), None
            stands, won = game.outcome(found), has_line(board == mover, game.line)
            assert stands.over[0] == (won or (board != 0).all())
            assert stands.value[0] == (-1 if won else 0)
            mover = 3 - mover
            seen_by_mover = np.where(board == 0, 0, np.where(board == mover, 1, 2))
            assert game.holds(found).reshape(game.shape).tolist() == seen_by_mover.tolist()
            if stands.over[0]:
                break


def test_tic_tac_toe_has_5478_positions():
    level, count = TIC_TAC_TOE.start(1), 0
    while len(level):
        count += len(level)
        going = level[~TIC_TAC_TOE.outcome(level).over]
        if not len(going):
            break
        which, action = np.nonzero(TIC_TAC_TOE.legal(going))
        level = TIC_TAC_TOE.play(going[which], action)
        level = level[distinct(TIC_TAC_TOE, level)[0]]
    assert count == 5478  # known: all positions that can come up, the empty board among them


def test_perfect_tic_tac_toe_is_a_draw_and_an_edge_answer_to_a_corner_loses():
    assert (worth(TIC_TAC_TOE, TIC_TAC_TOE.start(1), 9) == 0).all()
    answers = worth(TIC_TAC_TOE, position("a1"), 9)[0]
    best = {TIC_TAC_TOE.actions[i] for i in np.flatnonzero(answers == 0)}
    assert best == {"b2"}  # known: only the centre holds a draw against a corner


def test_a_search_two_moves_deep_takes_a_win_and_stops_one():
    wins = position("column d", "column a", "column d", "column a", "column d", "column b", of=CONNECT_FOUR)
    draws = np.random.default_rng(1).random((1, 7))
    assert opponent("search-2", CONNECT_FOUR)(CONNECT_FOUR, wins, draws)[0] == 3
    stops = position("column d", "column a", "column d", "column a", "column d", of=CONNECT_FOUR)
    assert opponent("search-2", CONNECT_FOUR)(CONNECT_FOUR, stops, draws)[0] == 3


@pytest.mark.parametrize("game", BUILT_IN.values(), ids=BUILT_IN)
def test_images_of_a_board_have_images_of_its_moves(game):
    random, found = np.random.default_rng(2), game.start(1)
    for _ in range(4):
        found = game.play(found, random.choice(np.flatnonzero(game.legal(found)[0]), size=1))
    values, holds = worth(game, found, 3)[0], game.holds(found)[0]
    for places, actions in game.mirrored():
        image = np.stack(
            [np.bitwise_or.reduce(game.bits[holds[places] == side]) if (holds[places] == side).any() else 0 for side in (1, 2)]
        )[None].astype(np.int64)
        assert worth(game, image, 3)[0].tolist() == values[actions].tolist()


def test_games_and_opponents_that_there_are_not_are_refused_with_those_that_there_are():
    with pytest.raises(GlassbenchError, match="tic-tac-toe"):
        game(1, id="ludo")
    with pytest.raises(GlassbenchError, match="search-1 to search-9"):
        game(1, id="connect-four", opponents=("somebody",))
    with pytest.raises(GlassbenchError, match="too large for optimal play"):
        game(1, id="connect-four", opponents=("optimal",))


@pytest.mark.parametrize(("name", "own"), [("connect_four-v3", CONNECT_FOUR), ("tictactoe-v3", TIC_TAC_TOE)])
def test_a_game_of_pettingzoo_goes_as_the_one_built_in(name, own):
    pytest.importorskip("pettingzoo")
    pytest.importorskip("pygame")
    theirs, random = named_game(f"pettingzoo/classic/{name}"), np.random.default_rng(4)
    for _ in range(3):
        mine, others = own.start(1), theirs.start(1)
        while not own.outcome(mine).over[0]:
            action = random.choice(np.flatnonzero(theirs.legal(others)[0]), size=1)
            same = action if own.drops else 3 * (action % 3) + action // 3  # they count squares column by column
            mine, others = own.play(mine, same), theirs.play(others, action)
            assert own.outcome(mine).over[0] == theirs.outcome(others).over[0]
            assert own.outcome(mine).value[0] == theirs.outcome(others).value[0]
            if own.drops:
                assert own.holds(mine).tolist() == theirs.holds(others).tolist()


def test_games_of_pettingzoo_that_do_not_fit_are_refused():
    pytest.importorskip("pettingzoo")
    with pytest.raises(GlassbenchError, match="classic/connect_four-v3"):
        named_game("pettingzoo/classic/connect_for-v3")
