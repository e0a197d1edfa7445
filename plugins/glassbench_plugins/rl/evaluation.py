"""Episodes played to judge a policy, and its decisions on every step of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from glassbench.contracts.packed import pack
from glassbench_plugins.rl.episodes import Environment
from glassbench_plugins.rl.vector_env import Lane

Act = Callable[[np.ndarray], np.ndarray]


@dataclass(eq=False, kw_only=True)
class Episode:
    """One episode, step by step.

    Args:
        number: Which one.
        seed: The seed it began with.
        context: Its context.
        observations: One per step; pictures are packed.
        actions, rewards: One entry per step.
        infos: What the environment reported along with each observation.
        gains: What each step brought apart from penalties, where the environment says so.
        last: The observation it ended with.
        terminated: Whether it was over, rather than cut off.
    """

    number: int
    seed: int
    context: Mapping[str, Any]
    observations: list[Any] = field(default_factory=list)
    actions: list[Any] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    infos: list[dict[str, Any]] = field(default_factory=list)
    gains: list[float] = field(default_factory=list)
    last: np.ndarray | None = None
    terminated: bool = False


def play(source: Environment, act: Act) -> list[Episode]:
    """Play the episodes a policy is judged by.

    Args:
        source: The episodes.
        act: From observations `(n, ...)` to actions `(n, ...)`.

    Raises:
        DataError: The environment raised, or gave numbers that are not finite.
    """
    done: list[Episode] = []
    waiting = iter(range(source.episodes))
    playing: list[tuple[Lane, Episode]] = []
    for _ in range(min(source.beside_each_other, source.episodes)):
        playing.append(_begun(Lane(source, 0), next(waiting)))
    while playing:
        actions = act(np.stack([lane.observation for lane, _ in playing]))
        still = []
        for (lane, episode), action in zip(playing, actions, strict=True):
            if not _stepped(lane, episode, action):
                still.append((lane, episode))
                continue
            done.append(episode)
            following = next(waiting, None)
            if following is not None:
                still.append(_begun(lane, following))
        playing = still
    return sorted(done, key=lambda episode: episode.number)


def mean_return(episodes: Sequence[Episode]) -> float:
    """Return the mean sum of rewards."""
    return float(np.mean([sum(episode.rewards) for episode in episodes]))


def steps_frame(source: Environment, episodes: Sequence[Episode]) -> pd.DataFrame:
    """Return one row per step: which episode it is of, what the environment paid and reported, and its groups.

    `unit` names the episode: steps of one episode are resampled together.
    """
    lengths = [len(episode.rewards) for episode in episodes]
    number = np.repeat([episode.number for episode in episodes], lengths)
    step = np.concatenate([np.arange(length) for length in lengths])
    failed = [_failed(source, episode) for episode in episodes]
    columns: dict[str, Any] = {
        "row": [f"{n}:{s}" for n, s in zip(number, step, strict=True)],
        "cluster": [f"episode {n}" for n in number],
        "episode": number,
        "step": step,
        "seed": np.repeat([episode.seed for episode in episodes], lengths),
        "reward": np.concatenate([episode.rewards for episode in episodes]),
        "failed": np.repeat(np.array(failed, dtype=float), lengths),
    }
    for name in source.contexts:
        columns[f"group.{name}"] = np.repeat([str(episode.context[name]) for episode in episodes], lengths)
    for name in source.reported:
        columns[f"group.{name}"] = [str(info.get(name, "missing")) for episode in episodes for info in episode.infos]
    frame = pd.DataFrame(columns)
    return _with_reported(frame, source, episodes)


def _with_reported(frame: pd.DataFrame, source: Environment, episodes: Sequence[Episode]) -> pd.DataFrame:
    """Add which action is right, and how far each row's group came in its episode, where the environment says so."""
    names = source.layout.names
    if names.truth is not None:
        actions = source.layout.actions
        frame["y_true"] = [actions[int(info[names.truth])] for episode in episodes for info in episode.infos]
    if names.gain is not None:
        frame["gain"] = np.concatenate([episode.gains for episode in episodes])
    if names.shortest is not None:
        first = [int(episode.infos[0][names.shortest]) for episode in episodes]
        frame["shortest"] = np.repeat(first, [len(episode.rewards) for episode in episodes])
    if names.outcome is not None:
        frame["fares"] = [float(info[names.outcome]) for episode in episodes for info in episode.infos]
        alike = frame.groupby(["episode", *(f"group.{name}" for name in source.reported)], sort=False)["fares"]
        frame["outcome"] = alike.transform("last") - alike.transform("first")
    return frame


def _begun(lane: Lane, number: int) -> tuple[Lane, Episode]:
    lane.begin(number)
    return lane, Episode(number=number, seed=lane.seed, context=lane.context)


def _stepped(lane: Lane, episode: Episode, action: Any) -> bool:
    episode.observations.append(pack(lane.observation) if lane.source.layout.pixels else lane.observation)
    episode.infos.append(lane.info)
    episode.actions.append(action)
    reward, terminated, truncated = lane.step(action)
    episode.rewards.append(reward)
    if lane.source.layout.names.gain is not None:
        episode.gains.append(float(lane.info[lane.source.layout.names.gain]))
    episode.last, episode.terminated = lane.observation, terminated
    return terminated or truncated


def _failed(source: Environment, episode: Episode) -> float:
    if source.layout.failure is None:
        return float("nan")
    return float(episode.terminated == (source.layout.failure == "terminated"))
