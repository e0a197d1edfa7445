"""What episodes bring when every action is drawn at random: what a policy's returns are held against."""

from typing import Any

import numpy as np
import pandas as pd

from glassbench.contracts.predictions.actions import AT_RANDOM
from glassbench_plugins.rl.episodes import Environment
from glassbench_plugins.rl.evaluation import Act, play, steps_frame

_STREAM = 17
"""Sets the draws apart from other randomness of the data set's seed."""


def at_random(source: Environment) -> Act:
    """Return what draws every action alike: choices `(n,)`, or numbers from -1 to 1 `(n, dimensions)`."""
    generator, layout = np.random.default_rng([source.seed, _STREAM]), source.layout

    def act(observations: np.ndarray) -> np.ndarray:
        n = len(observations)
        if layout.continuous:
            return generator.uniform(-1.0, 1.0, (n, layout.width))
        return generator.integers(layout.width, size=n)

    return act


def with_random_play(frame: pd.DataFrame, source: Environment) -> pd.DataFrame:
    """Add what the same episodes bring, and how they end, with every action drawn at random.

    Args:
        frame: One row per step of the episodes as the policy played them, in order.
        source: The episodes; each begins as it did for the policy.

    Returns:
        The frame with the columns `at_random.reward` (an episode's whole return stands at its first step, 0 at the others) and
        `at_random.failed`.
    """
    drawn = steps_frame(source, play(source, at_random(source)))
    found: Any = drawn.groupby("episode").agg(reward=("reward", "sum"), failed=("failed", "first"))
    first = ~frame["episode"].duplicated()
    reward = np.where(first, found["reward"].reindex(frame["episode"]).to_numpy(dtype=np.float64), 0.0)
    failed = found["failed"].reindex(frame["episode"]).to_numpy(dtype=np.float64)
    return frame.assign(**{f"{AT_RANDOM}reward": reward, f"{AT_RANDOM}failed": failed})
