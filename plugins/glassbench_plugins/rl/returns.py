"""Weighted metrics of episodes; rows are steps, and the weights of an episode's steps are all alike."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from glassbench.contracts.metric import Metric

Summary = Callable[[pd.DataFrame, np.ndarray], np.ndarray]


def episode_metrics(*, entropy: bool) -> tuple[Metric, ...]:
    """Return the metrics of a policy, its mean return first.

    Args:
        entropy: Whether the policy draws its actions, so that how undecided it is has a meaning.
    """
    drawn = (Metric(name="entropy", compute=mean_of("entropy"), higher_is_better=False, unit="nats", compares=False),)
    return (
        Metric(name="return", compute=mean_return, unit="reward", compares=False, judged=True),
        Metric(name="gain", compute=mean_gain, compares=False),
        Metric(name="return_interquartile_mean", compute=interquartile_mean, unit="reward", compares=False),
        Metric(name="episode_length", compute=mean_length, unit="steps", compares=False, lowest=0.0),
        Metric(
            name="failure_rate",
            compute=mean_of("failed", once=True),
            higher_is_better=False,
            rate=True,
            compares=False,
            judged=True,
        ),
        Metric(name="explained_variance", compute=explained_variance, compares=False, highest=1.0),
        *(drawn if entropy else ()),
        Metric(name="path_length_ratio", compute=path_length_ratio, higher_is_better=False, compares=False, lowest=1.0),
        Metric(name="outcome", compute=mean_of("outcome"), compares=False),
    )


def mean_return(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean sum of rewards over episodes `(b,)`; of a group of steps, the sum of theirs."""
    first, totals = _episodes(frame, frame["reward"].to_numpy(dtype=np.float64))
    return _weighted(weights[:, first], totals)


def mean_gain(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean over episodes of what they brought apart from penalties `(b,)`; NaN where nothing tells it apart."""
    if "gain" not in frame:
        return np.full(len(weights), np.nan)
    first, totals = _episodes(frame, frame["gain"].to_numpy(dtype=np.float64))
    return _weighted(weights[:, first], totals)


def interquartile_mean(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean of the middle half of the episodes' returns `(b,)` (Agarwal et al. 2021).

    A quarter of the weight is cut off at either end; an episode that the cut goes through counts in part.
    """
    first, totals = _episodes(frame, frame["reward"].to_numpy(dtype=np.float64))
    order = np.argsort(totals, kind="stable")
    ranked = weights[:, first][:, order]
    whole = ranked.sum(axis=1, keepdims=True)
    ends = np.cumsum(ranked, axis=1)
    kept = np.clip(np.minimum(ends, 0.75 * whole) - np.maximum(ends - ranked, 0.25 * whole), 0, None)
    return _weighted(kept, totals[order])


def mean_length(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean number of steps of an episode `(b,)`."""
    first, lengths = _episodes(frame, np.ones(len(frame)))
    return _weighted(weights[:, first], lengths)


def path_length_ratio(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return the mean, over the episodes that reached their goal, of the steps taken over those of the shortest path `(b,)`;
    NaN where no shortest path is known."""
    if "shortest" not in frame:
        return np.full(len(weights), np.nan)
    first, lengths = _episodes(frame, np.ones(len(frame)))
    reached = frame["failed"].to_numpy(dtype=np.float64)[first] == 0
    ratio = lengths / frame["shortest"].to_numpy(dtype=np.float64)[first]
    return _weighted(weights[:, first] * reached, ratio)


def explained_variance(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Return how much of the variance of the discounted returns the value function foresaw, at most 1, `(b,)`."""
    gained = frame["discounted"].to_numpy(dtype=np.float64)
    missed = gained - frame["value"].to_numpy(dtype=np.float64)
    spread = _variance(weights, gained)
    varies = spread > 1e-12
    return np.where(varies, 1 - _variance(weights, missed) / np.where(varies, spread, 1), np.nan)


def discounted_returns(rewards: np.ndarray, discount: float, last: float) -> np.ndarray:
    """Return the discounted sum of rewards from each step of one episode on `(n,)`.

    Args:
        rewards: `(n,)`.
        discount: Weight of the next step's return.
        last: Value of the state reached; 0 where the episode was over.
    """
    gained = np.empty(len(rewards))
    for step in range(len(rewards) - 1, -1, -1):
        last = rewards[step] + discount * last
        gained[step] = last
    return gained


def mean_of(column: str, *, once: bool = False) -> Summary:
    """Return the weighted mean of a column, of its first row per episode where `once`; NaN where it is unknown."""

    def compute(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
        if column not in frame or frame[column].isna().all():
            return np.full(len(weights), np.nan)
        values = frame[column].to_numpy(dtype=np.float64)
        first, _ = _episodes(frame, values)
        return _weighted(weights[:, first], values[first]) if once else _weighted(weights, values)

    return compute


def _episodes(frame: pd.DataFrame, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the position of each episode's first row, and the sum of its values."""
    _, first, place = np.unique(frame["episode"].to_numpy(), return_index=True, return_inverse=True)
    return first, np.bincount(place, weights=values, minlength=len(first))


def _weighted(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    total = weights.sum(axis=1)
    mean: np.ndarray = np.where(total > 0, weights @ values / np.where(total > 0, total, 1), np.nan)
    return mean


def _variance(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    off = values - values.mean()
    spread: np.ndarray = _weighted(weights, off**2) - _weighted(weights, off) ** 2
    return spread
