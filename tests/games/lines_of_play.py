"""Every line of play against a policy: whatever the other player does, who moves first included."""

import numpy as np

from glassbench_plugins.games.game import Game
from glassbench_plugins.games.matches import Policy
from glassbench_plugins.games.minimax import distinct


def results(game: Game, policy: Policy, *, first: bool) -> dict[int, int]:
    """Return how many distinct ends of the game come up, by their result for the policy (1, 0, -1), over all replies.

    Positions that come up more than once are followed once: a policy without chance does there what it did before.
    """
    positions, own, found = game.start(1), first, {1: 0, 0: 0, -1: 0}
    while len(positions):
        if own:
            positions = game.play(positions, policy(positions)[0])
        else:
            which, action = np.nonzero(game.legal(positions))
            positions = game.play(positions[which], action)
        positions = positions[distinct(game, positions)[0]]
        stands = game.outcome(positions)
        for value in stands.value[stands.over]:
            found[int(-value if own else value)] += 1
        positions, own = positions[~stands.over], not own
    return found
