"""Games are learnt as promised, explanations find a planted threat, and a killed training ends as if it never was. Slow."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from lines_of_play import results

from glassbench import run
from glassbench_plugins.games.line_game import TIC_TAC_TOE
from glassbench_plugins.games.self_play import SelfPlay

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def learnt(tmp_path, name: str, *overrides: str):
    return run(EXAMPLES / f"{name}.yaml", runs=tmp_path, overrides=["audits=[performance]", "gates=[]", *overrides])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_tic_tac_toe_never_loses_against_all_lines_of_play(tmp_path, seed):
    model = learnt(tmp_path, "tic-tac-toe", f"seed={seed}").model
    policy = SelfPlay(judged_simulations=128).policy(TIC_TAC_TOE, model)
    for first in (True, False):
        found = results(TIC_TAC_TOE, policy, first=first)
        assert found[-1] == 0
        assert sum(found.values()) > 10


@pytest.mark.slow
def test_connect_four_beats_a_search_two_moves_deep_and_random_moves(tmp_path):
    done = learnt(tmp_path, "connect-four", "dataset.evaluation_games=400")
    games = pd.read_parquet(done.folder / "predictions.parquet").groupby("episode").first()
    won = games.groupby("group.opponent")["won"].mean()
    assert won["search-2"] >= 0.8
    assert won["random"] >= 0.99


def threatened() -> list[tuple[int, int, list[int], int, int]]:
    """Positions of tic-tac-toe in which the opponent wins at once unless the third square of a line is taken, with one own stone
    elsewhere, which threatens nothing: the opponent's stones, the own one, the two squares of the threat, the square to take,
    and the square of the own stone."""
    lines = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]
    found = []
    for line in lines:
        for free in line:
            threat = [square for square in line if square != free]
            for own in (s for s in range(9) if s not in line):
                found.append((sum(int(TIC_TAC_TOE.bits[s]) for s in threat), int(TIC_TAC_TOE.bits[own]), threat, free, own))
    return found


@pytest.mark.slow
def test_the_two_stones_of_a_threat_move_the_answer_to_it_more_than_the_stone_that_threatens_nothing(tmp_path):
    model, task = learnt(tmp_path, "tic-tac-toe").model, SelfPlay()
    empty = torch.as_tensor(TIC_TAC_TOE.seen(TIC_TAC_TOE.start(1)))
    threat_moves, own_moves = [], []
    for theirs, mine, threat, free, own in threatened():
        seen = torch.as_tensor(TIC_TAC_TOE.seen(np.array([[mine, theirs]])))
        path = (empty + torch.linspace(0.05, 0.95, 10)[:, None] * (seen - empty)).requires_grad_(True)
        task.attribution_output(model(path))[:, free].sum().backward()
        squares = (path.grad.mean(dim=0) * (seen - empty)[0]).reshape(9, 3).sum(dim=1)
        threat_moves.append(float(squares[threat].mean()))
        own_moves.append(float(squares[own]))
    assert np.mean(threat_moves) > 0
    assert np.mean(threat_moves) > np.mean(own_moves)
    assert np.mean(np.array(threat_moves) > np.array(own_moves)) > 0.7  # by chance in half of the 144 positions


@pytest.mark.slow
def test_sigkill_at_random_moments(tmp_path):
    script = Path(__file__).with_name("sigkill.py")
    shared = str(Path(__file__).parents[1] / "training")  # what kills is shared with other trainings
    paths = os.environ | {"PYTHONPATH": os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), shared])}
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=True, timeout=300, env=paths)
    outcome = json.loads(done.stdout.splitlines()[-1])
    assert outcome["kills"] >= 1
    assert outcome["same_weights"]
    assert outcome["same_facts"]
    assert outcome["same_history"]
