"""What policies of games tell of positions: the gap between the best and the worst move that was looked at."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from glassbench_plugins.games import searching
from glassbench_plugins.games.searching import searched, unsearched


def test_moves_never_looked_at_do_not_count_in_the_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three moves: all worth more than 0 and one not looked at; all less than 0 and one not looked at; one alone."""
    worth = np.array([[0.9, 0.5, 0.0], [0.0, -0.7, -0.2], [0.3, 0.0, 0.0]])
    visits = np.array([[5, 3, 0], [0, 2, 6], [8, 0, 0]])
    found = SimpleNamespace(worth=worth, visits=visits, best=np.array([0, 2, 0]), value=np.array([0.8, -0.3, 0.3]))
    monkeypatch.setattr(searching, "judged_by", lambda game, model: None)
    game: Any = None
    model: Any = None
    search: Any = lambda game, positions, judge: found  # noqa: E731
    best, told = searched(game, model, search)(None)
    assert best.tolist() == [0, 2, 0]
    assert told[:, 0].tolist() == [0.8, -0.3, 0.3]
    assert told[:, 1] == pytest.approx([0.4, 0.5, 0.0])


def test_without_a_search_the_gap_is_one_of_chances(monkeypatch: pytest.MonkeyPatch) -> None:
    chances = np.array([[0.7, 0.3, 0.0], [0.2, 0.3, 0.5]])
    monkeypatch.setattr(searching, "judged_by", lambda game, model: lambda positions: (chances, np.array([0.1, -0.4])))
    game: Any = None
    model: Any = None
    best, told = unsearched(game, model)(None)
    assert best.tolist() == [0, 2]
    assert told == pytest.approx(np.array([[0.1, 0.7], [-0.4, 0.3]]))
