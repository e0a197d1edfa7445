"""From what lanes see to what the policy would do: through NumPy where the network allows."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Split
from glassbench.contracts.task import Predictions, forward_all
from glassbench_plugins.rl.layers import in_numpy
from glassbench_plugins.rl.normalized import Normalized

Preferences = Callable[[np.ndarray], np.ndarray]


def preferences(model: nn.Module, width: int) -> Preferences:
    """Return the function from observations `(n, ...)`, standardised already, to the network's first `width` outputs.

    Args:
        model: A policy as its task adapted it.
        width: Preferences, or dimensions of a continuous action.
    """
    assert isinstance(model, Normalized)
    part = getattr(model.network, "preferring", None)
    if part is not None:
        return computed(part)
    whole = computed(model.network)
    return lambda rows: whole(rows)[:, :width]


def computed(part: nn.Module) -> Preferences:
    """Return what a part of a network computes as a function of arrays `(n, ...)` that follows every step of an optimizer."""
    fast = in_numpy(part)
    if fast is not None:
        return fast
    device = next(part.parameters()).device

    def compute(rows: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            output: np.ndarray = part(torch.as_tensor(rows, device=device)).cpu().numpy()
        return output

    return compute


def preferred(model: nn.Module, source: Split, told: Callable[[Tensor], Tensor], actions: Sequence[str]) -> Predictions:
    """Return the action a policy prefers in each state of a split, whatever episodes they are of.

    Args:
        model: A policy as its task adapted it.
        source: States in their own units.
        told: From the network's outputs to the preferences `(n, actions)`.
        actions: Names of the actions.
    """
    taken = told(forward_all(model, source)).argmax(dim=1)
    frame = pd.DataFrame({"row": source.rows, "y_pred": np.array(actions, dtype=object)[taken.numpy()]})
    return Predictions(frame=frame, source=source, target_index=taken)


def greedy(model: nn.Module, width: int, *, continuous: bool) -> Preferences:
    """Return the function from observations `(n, ...)` in their own units to the action the policy prefers.

    Choices come as integers `(n,)`, continuous actions as numbers from -1 to 1 `(n, width)`.
    """
    assert isinstance(model, Normalized)
    prefer, policy = preferences(model, width), model

    def act(observations: np.ndarray) -> np.ndarray:
        wanted = prefer(policy.standardized(observations))
        return np.clip(wanted, -1.0, 1.0) if continuous else wanted.argmax(axis=1)

    return act
