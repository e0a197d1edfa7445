"""The states a policy visited, as something to compare a state with: their mean, and near ones where it acted otherwise."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glassbench.contracts.subject import Subject

_STATISTIC_ROWS, _STATISTIC_NUMBERS = 20_000, 30_000_000
"""States that a mean is of, and numbers that these may hold together."""

_OTHER_EPISODES, _OTHER_PICTURES = 3, 1
"""Contrasts from other episodes beside that from a step's own; fewer of pictures, which are dear."""


def is_policy(subject: Subject) -> bool:
    """Return whether decisions are actions, one per state visited."""
    known = subject.predictions.source is not None and subject.predictions.target_index is not None
    return known and subject.episode_output is not None


def mean_visited(subject: Subject) -> Tensor:
    """Return the mean of the states a policy visited `(1, ...)`."""
    assert subject.predictions.source is not None
    wide = int(np.prod([size or 1 for size in subject.schema.shape]))
    most = min(_STATISTIC_ROWS, max(1, _STATISTIC_NUMBERS // wide))
    positions = torch.as_tensor(subject.sample(most, "explain.baseline"))
    return subject.predictions.source.batch(positions).inputs[0].mean(dim=0, keepdim=True, dtype=torch.float64)


def acted_otherwise(subject: Subject, positions: np.ndarray) -> Tensor:
    """Return, for each step `(k,)`, states in which the policy acted otherwise, `(k, c, ...)`; attributions average over them.

    A contrast of this kind answers what people ask, why this and not the other (Lipton 1990; Miller 2019): what sets the two
    states apart is what the decision hangs on. The first is the nearest in time of the same episode, which leaves out what
    merely drifts. It cannot tell what stays the same throughout an episode, so the others are of other episodes, drawn at
    random: of each the nearest in what moves between a state and its own contrast (of pictures, the nearest in time). Where an
    episode knows one action only, other episodes take its place; where all of them do, the mean of all states visited.
    """
    assert subject.predictions.source is not None
    assert subject.predictions.target_index is not None
    actions = subject.predictions.target_index.reshape(len(subject.predictions.frame), -1).numpy()
    episodes = subject.predictions.frame["episode"].to_numpy()
    own = nearest_other(episodes, actions)
    pictures = len(subject.schema.shape) > 1
    measure = None if pictures else _Measured.of(subject, own)
    found = np.full((len(positions), 1 + (_OTHER_PICTURES if pictures else _OTHER_EPISODES)), -1)
    found[:, 0] = own[positions]
    generator = subject.generator("explain.contrast")
    found[:, 1:] = _of_others(episodes, actions, positions, measure, generator.random((len(own), found.shape[1] - 1))[positions])
    fallback = found.max(axis=1, keepdims=True)
    found = np.where(found >= 0, found, fallback)
    states = subject.predictions.source.batch(torch.as_tensor(np.maximum(found, 0).ravel())).inputs[0].clone()
    if (found < 0).any():
        states[torch.as_tensor((found < 0).ravel())] = mean_visited(subject).to(states.dtype)
    return states.reshape(*found.shape, *states.shape[1:])


@dataclass(frozen=True, eq=False)
class _Measured:
    """The states visited, each entry in units of how far it moves between a state and the nearest with another action.

    What moves little between them, as a drifting position, must be nearly equal; what does not move at all, as whatever is the
    same throughout an episode, is free.

    Args:
        states: `(n, d)`.
    """

    states: np.ndarray

    @classmethod
    def of(cls, subject: Subject, own: np.ndarray) -> "_Measured":
        """Measure the states of a subject whose steps have the contrasts `own` `(n,)`, -1 for none."""
        assert subject.predictions.source is not None
        states = subject.predictions.source.batch(torch.arange(len(own))).inputs[0].double().flatten(1).numpy()
        moved = np.abs(states - states[np.maximum(own, 0)])[own >= 0]
        scale = moved.mean(axis=0) if len(moved) else states.std(axis=0)
        return cls(np.divide(states, scale, out=np.zeros_like(states), where=scale > 0))


def _of_others(
    episodes: np.ndarray, actions: np.ndarray, positions: np.ndarray, measured: _Measured | None, draws: np.ndarray
) -> np.ndarray:
    """Return for each step `(k,)` a step of other episodes with another action, `(k, c)`; -1 where there is none.

    Args:
        episodes: Which episode each step is of `(n,)`.
        actions: What was done `(n, a)`.
        positions: The steps `(k,)`.
        measured: The states, or None to look for the nearest in time.
        draws: Numbers in [0, 1) that choose the other episodes `(k, c)`.
    """
    names, codes = np.unique(episodes, return_inverse=True)
    members = [np.flatnonzero(codes == code) for code in range(len(names))]
    kinds = np.unique(actions, axis=0, return_inverse=True)[1].reshape(-1)
    varied = [np.unique(kinds[steps]) for steps in members]
    found = np.full(draws.shape, -1)
    for row, (position, chances) in enumerate(zip(positions, draws, strict=True)):
        action, mine = kinds[position], codes[position]
        able = [code for code in range(len(names)) if code != mine and (len(varied[code]) > 1 or varied[code][0] != action)]
        for place in range(len(chances) if able else 0):
            steps = members[able[int(chances[place] * len(able))]]
            steps = steps[kinds[steps] != action]
            if measured is None:
                far = np.abs((steps - members[codes[steps[0]]][0]) - (position - members[mine][0])).astype(float)
            else:
                far = np.abs(measured.states[steps] - measured.states[position]).sum(axis=1)
            found[row, place] = steps[far.argmin()]
    return found


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
