"""How large what comes in is: the scale that learning sees rewards in."""

import math
from typing import Any

import numpy as np
import torch


class RewardScale:
    """The standard deviation of the discounted return, by which rewards are divided (Engstrom et al. 2020).

    Args:
        lanes: Environments played beside each other.
        discount: Weight of earlier rewards.
    """

    def __init__(self, lanes: int, discount: float) -> None:
        self.discount = discount
        self.running = np.zeros(lanes)
        self.count, self.mean, self.squares = 0.0, 0.0, 0.0

    @property
    def value(self) -> float:
        """The deviation, 1 until there is one."""
        return max(math.sqrt(self.squares / self.count), 1e-4) if self.squares > 0 else 1.0

    def observe(self, rewards: np.ndarray, ended: np.ndarray, taken: np.ndarray) -> None:
        """Take one step's rewards `(lanes,)` into account where it was taken, and start again where an episode ended."""
        if not taken.any():
            return
        self.running = self.discount * self.running + rewards
        counted = self.running[taken]
        mean, n = float(counted.mean()), len(counted)
        shift, total = mean - self.mean, self.count + n
        self.squares += float(((counted - mean) ** 2).sum()) + shift**2 * self.count * n / total
        self.mean += shift * n / total
        self.count = total
        self.running[ended] = 0.0

    def state_dict(self) -> dict[str, Any]:
        """Return everything it has seen."""
        return {"running": torch.as_tensor(self.running), "moments": [self.count, self.mean, self.squares]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` returned."""
        self.running = state["running"].numpy().copy()
        self.count, self.mean, self.squares = state["moments"]
