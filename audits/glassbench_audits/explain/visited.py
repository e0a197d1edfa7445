"""The states a policy visited, as something to compare a state with: their mean, and the nearest where it acted otherwise."""

import numpy as np
import torch
from torch import Tensor

from glassbench.subject import Subject

_STATISTIC_ROWS, _STATISTIC_NUMBERS = 20_000, 30_000_000
"""States that a mean is of, and numbers that these may hold together."""


def is_policy(subject: Subject) -> bool:
    """Return whether decisions are actions, one per state visited."""
    known = subject.predictions.source is not None and subject.predictions.candidates is not None
    return known and subject.task.decision == "action" and "episode" in subject.predictions.frame


def mean_visited(subject: Subject) -> Tensor:
    """Return the mean of the states a policy visited `(1, ...)`."""
    assert subject.predictions.source is not None
    wide = int(np.prod([size or 1 for size in subject.schema.shape]))
    most = min(_STATISTIC_ROWS, max(1, _STATISTIC_NUMBERS // wide))
    positions = torch.as_tensor(subject.sample(most, "explain.baseline"))
    return subject.predictions.source.batch(positions).inputs[0].mean(dim=0, keepdim=True, dtype=torch.float64)


def acted_otherwise(subject: Subject, positions: np.ndarray) -> Tensor:
    """Return, for each step `(k,)`, the nearest state of its episode in which the policy acted otherwise, `(k, ...)`.

    A contrast of this kind answers what people ask, why this and not the other (Lipton 1990; Miller 2019): what sets the two
    states apart is what the decision hangs on. Where an episode knows one action only, the mean of all states visited takes
    the place.
    """
    assert subject.predictions.source is not None
    assert subject.predictions.candidates is not None
    actions = subject.predictions.candidates.reshape(len(subject.predictions.frame), -1).numpy()
    others = nearest_other(subject.predictions.frame["episode"].to_numpy(), actions)[positions]
    found = others >= 0
    contrast = subject.predictions.source.batch(torch.as_tensor(np.where(found, others, 0))).inputs[0].clone()
    if not found.all():
        contrast[torch.as_tensor(~found)] = mean_visited(subject).to(contrast.dtype)
    return contrast


def nearest_other(episodes: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """Return for each step the position of the nearest of its episode with another action, the earlier of two; -1 for none.

    Args:
        episodes: Which episode each step is of `(n,)`; the steps of an episode stand together, in order.
        actions: What was done `(n, k)`.

    Example:
        >>> nearest_other(np.array([0, 0, 0, 0, 1]), np.array([[0], [0], [0], [1], [1]])).tolist()
        [3, 3, 3, 2, -1]
    """
    n = len(episodes)
    places = np.arange(n)
    fresh = np.concatenate([[True], episodes[1:] != episodes[:-1]])
    turns = fresh | np.concatenate([[True], (actions[1:] != actions[:-1]).any(axis=1)])
    begins = np.maximum.accumulate(np.where(turns, places, 0))
    before = np.where(fresh[begins], -1, begins - 1)
    starts = np.flatnonzero(turns)
    ends = np.append(starts, n)[np.searchsorted(starts, places, side="right")]
    after = np.where((ends < n) & ~np.append(fresh, True)[ends], ends, -1)
    far = n + 1
    back = np.where(before >= 0, places - before, far)
    ahead = np.where(after >= 0, after - places, far)
    return np.where(back <= ahead, before, after)
