"""What a policy decided on every step of its evaluation, whichever way it was learnt."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from glassbench.contracts.data import Split
from glassbench.contracts.facts import ObservationFacts
from glassbench.contracts.packed import Packed
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Predictions, forward_all
from glassbench.errors import DataError
from glassbench_plugins.rl.acting import greedy
from glassbench_plugins.rl.episodes import Environment
from glassbench_plugins.rl.evaluation import Act, Episode, play, steps_frame
from glassbench_plugins.rl.layout import Layout
from glassbench_plugins.rl.random_play import with_random_play
from glassbench_plugins.rl.returns import discounted_returns

_FORWARD = 256
"""Pictures that go through a network together."""


def checked(schema: Schema, *, continuous: bool, choices: bool = True) -> Schema:
    """Return the schema if a policy can be learnt from it.

    Args:
        schema: What the environment shows and takes.
        continuous: Whether the task learns continuous actions.
        choices: Whether it learns choices.

    Raises:
        DataError: It is no environment's, or its actions are of a kind that the task does not learn.
    """
    facts = schema.facts_of(ObservationFacts)
    if facts is None:
        raise DataError("a policy is learnt in an environment", got=schema.modality, fix="use the data set 'environment'")
    if facts.continuous and not continuous:
        raise DataError("this task learns choices, and the actions are continuous", got="Box", fix="use the task 'ppo' or 'sac'")
    if not facts.continuous and not choices:
        fix = "use the task 'ppo' or 'dqn'"
        raise DataError("this task learns continuous actions, and the actions are choices", got="Discrete", fix=fix)
    return schema


def visited(layout: Layout, episodes: Sequence[Episode], rows: np.ndarray) -> Split:
    """Return every state an action was taken in, in order, under the ids `rows` `(n,)`."""
    seen = [observation for episode in episodes for observation in episode.observations]
    if layout.pixels:
        return Split(inputs=Packed.of(seen, layout.shape), rows=rows)
    return Split(inputs=(torch.as_tensor(np.stack(seen), dtype=torch.float32),), rows=rows)


def decided(model: nn.Module, source: Environment, told: Any, discount: float, act: Act | None = None) -> Predictions:
    """Play the episodes a policy is judged by and say what it decided on every step.

    Args:
        model: The policy.
        source: The episodes.
        told: From the model's output `(n, k)` to `Told`.
        discount: Weight of the next step's return.
        act: What decides; None takes the action that the network prefers.
    """
    layout = source.layout
    episodes = play(source, act or greedy(model, layout.width, continuous=layout.continuous))
    frame = steps_frame(source, episodes)
    states = visited(layout, episodes, frame["row"].to_numpy())
    said = told(forward_all(model, states, _FORWARD if layout.pixels else 4096))
    actions = np.concatenate([np.stack(episode.actions) for episode in episodes])
    taken = _candidates(actions, continuous=layout.continuous)
    spread = said.preferences.max(dim=1).values - said.preferences.min(dim=1).values
    columns: dict[str, Any] = {
        "y_pred": np.array(layout.actions)[taken],
        "value": said.value.double().numpy(),
        "discounted": _discounted(model, episodes, told, discount),
        "spread": spread.double().numpy(),
        **said.more,
    }
    if layout.continuous:
        columns |= {f"action.{i}": actions[:, i].astype(np.float64) for i in range(layout.width)}
    whole = with_random_play(pd.concat([frame, pd.DataFrame(columns)], axis=1), source)
    return Predictions(frame=whole, source=states, target_index=torch.as_tensor(taken))


def _candidates(actions: np.ndarray, *, continuous: bool) -> np.ndarray:
    """Return which candidate each action is `(n,)`: of several dimensions, the one furthest from its middle, and which way."""
    if not continuous:
        return actions.astype(np.int64)
    dimension = np.abs(actions).argmax(axis=1)
    up = np.take_along_axis(actions, dimension[:, None], axis=1)[:, 0] > 0
    index: np.ndarray = 2 * dimension + up
    return index.astype(np.int64)


def _discounted(model: nn.Module, episodes: Sequence[Episode], told: Any, discount: float) -> np.ndarray:
    """Return the discounted return from every step on; what an episode that was cut off would still have gained, the value
    function says."""
    last = torch.as_tensor(np.stack([episode.last for episode in episodes if episode.last is not None]), dtype=torch.float32)
    values = told(forward_all(model, Split(inputs=(last,), rows=np.arange(len(last))))).value.double().numpy()
    parts = [
        discounted_returns(np.array(episode.rewards), discount, 0.0 if episode.terminated else float(value))
        for episode, value in zip(episodes, values, strict=True)
    ]
    return np.concatenate(parts)
