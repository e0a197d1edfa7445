"""From a network to moves: its preferences alone, or as the guide of a search."""

from typing import Any

import numpy as np
import torch
from torch import nn

from glassbench_plugins.games.game import Game
from glassbench_plugins.games.matches import Policy
from glassbench_plugins.games.search import Judge, Search


def searched(game: Game, model: nn.Module, search: Search) -> Policy:
    """Return the policy that plays the move a search looked at most, and tells what the position is worth and the gap between the
    best and the worst move."""
    judge = judged_by(game, model)

    def decide(positions: Any) -> tuple[np.ndarray, np.ndarray]:
        found = search(game, positions, judge)
        looked = found.visits > 0
        low = np.where(looked, found.worth, np.inf).min(axis=1)
        return found.best, np.stack([found.value, np.where(looked, found.worth, -np.inf).max(axis=1) - low], axis=1)

    return decide


def unsearched(game: Game, model: nn.Module) -> Policy:
    """Return the policy that plays the network's preferred move, and tells the gap between the chances of moves instead."""
    judge = judged_by(game, model)

    def decide(positions: Any) -> tuple[np.ndarray, np.ndarray]:
        chances, value = judge(positions)
        return chances.argmax(axis=1), np.stack([value, chances.max(axis=1) - chances.min(axis=1)], axis=1)

    return decide


def judged_by(game: Game, model: nn.Module) -> Judge:
    """Return what a network says of positions: the chances of the moves allowed, and what the position is worth."""
    device = next(model.parameters()).device

    def judge(positions: Any) -> tuple[np.ndarray, np.ndarray]:
        with torch.inference_mode():
            output = model(torch.as_tensor(game.seen(positions), device=device)).cpu().numpy()
        wanted = np.where(game.legal(positions), output[:, :-1], -np.inf)
        chances = np.exp(wanted - wanted.max(axis=1, keepdims=True))
        # A move allowed stays one that the search can try, however little the network thinks of it.
        chances = np.where(np.isfinite(wanted), np.maximum(chances / chances.sum(axis=1, keepdims=True), 1e-6), 0)
        return chances.astype(np.float32), output[:, -1]

    return judge
