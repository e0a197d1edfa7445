"""The moves of a policy in the matches it is judged by, one row each."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from glassbench_plugins.games.game import Game
from glassbench_plugins.games.matches import SIDES, Match
from glassbench_plugins.games.minimax import worth


def moves_frame(game: Game, matches: Sequence[Match]) -> pd.DataFrame:
    """Return one row per move of the policy: which match it is of, how that ended, and its groups."""
    lengths = [len(match.actions) for match in matches]
    number = np.repeat([match.number for match in matches], lengths)
    step = np.concatenate([np.arange(length) for length in lengths])
    result = np.repeat([match.result for match in matches], lengths)
    last = step == np.repeat(lengths, lengths) - 1
    told = np.stack([one for match in matches for one in match.told])
    actions = np.concatenate([match.actions for match in matches])
    frame = pd.DataFrame(
        {
            "row": [f"{n}:{s}" for n, s in zip(number, step, strict=True)],
            "cluster": [f"game {n}" for n in number],
            "episode": number,
            "step": step,
            "seed": np.repeat([match.seed for match in matches], lengths),
            "reward": np.where(last, result, 0.0),
            "won": (result > 0).astype(float),
            "drawn": (result == 0).astype(float),
            "failed": (result < 0).astype(float),
            "group.opponent": np.repeat([match.opponent for match in matches], lengths),
            "group.side": np.repeat([SIDES[0] if match.first else SIDES[1] for match in matches], lengths),
            "y_pred": np.array(game.actions)[actions],
            "value": told[:, 0].astype(float),
            "discounted": result,
            "spread": told[:, 1].astype(float),
        }
    )
    if game.small:
        positions = np.concatenate([position for match in matches for position in match.positions])
        values = worth(game, positions, game.longest)
        frame["optimal"] = (values[np.arange(len(actions)), actions] == values.max(axis=1)).astype(float)
    return frame
