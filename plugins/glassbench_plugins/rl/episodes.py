"""An environment as a data set: episodes, each with a seed and a context of its own."""

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from itertools import product
from typing import Any, Literal

import gymnasium
import numpy as np
import pandas as pd

from glassbench.errors import DataError, SettingsError
from glassbench.system.library_environment import library_environment
from glassbench_plugins.rl.layout import Layout, flat
from glassbench_plugins.rl.penalized import Penalized, Penalty
from glassbench_plugins.rl.registered import drawing_without_screen, make, parameters
from glassbench_plugins.rl.vector_entry import make_vector

Purpose = Literal["train", "validation", "test"]
Vectorization = Literal["lanes", "vector"]
_DRAWING = "pip install 'glassbench[render]'; for MuJoCo without a screen, set MUJOCO_GL to egl or osmesa"
_STREAMS: Mapping[Purpose, int] = {"train": 1, "validation": 2, "test": 3}


_UNSAID = ("layout", "given", "penalty", "beside_each_other")
"""What episodes are not made from, what nobody can write down, and what a mitigation adds."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Environment:
    """Episodes of one registered environment for one purpose; no two purposes share a seed.

    Args:
        id: The registered id.
        settings: Keyword arguments of the environment.
        max_episode_steps: Steps after which an episode is cut off; None keeps the registered limit.
        contexts: Settings or attributes of the environment that vary from episode to episode, and their values.
        reported: Entries of `info` that are sensitive features of the observation they come with.
        purpose: What the episodes are for.
        seed: Seed of the data set.
        episodes: How many episodes are played to judge a policy.
        lanes: How many environments are played beside each other.
        vectorization: Whether these are environments of their own, or one vector environment.
        scale_rewards: Whether learning sees rewards in standard deviations of the discounted return.
        layout: What goes in and out.
        given: What gives the environment, where it came from Python; None makes it by its id.
        penalty: What a gap between groups costs while learning; None pays what the environment pays.
        beside_each_other: Episodes played beside each other to judge a policy, so that it decides for all of them at once.
    """

    id: str
    settings: Mapping[str, Any]
    max_episode_steps: int | None
    contexts: Mapping[str, tuple[Any, ...]]
    reported: tuple[str, ...]
    purpose: Purpose
    seed: int
    episodes: int
    lanes: int
    vectorization: Vectorization
    scale_rewards: bool
    layout: Layout
    given: Callable[[], gymnasium.Env] | None = None
    penalty: Penalty | None = None
    beside_each_other: int = 25

    def fingerprint(self) -> str:
        """Return what the episodes are made from; the registered id carries the version of the environment's rules."""
        made = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in _UNSAID}
        return json.dumps({**made, "shape": self.layout.shape, "actions": self.layout.actions}, sort_keys=True, default=str)

    def make(self, seed: int) -> gymnasium.Env:
        """Return a fresh environment, seeded, in its first context."""
        environment = self.opened(self.context(0))
        environment.reset(seed=seed)
        return environment

    def seed_of(self, lane: int, episode: int) -> int:
        """Return the seed of an episode; it depends on the data set's seed, the purpose and the numbers alone."""
        sequence = np.random.SeedSequence([self.seed, _STREAMS[self.purpose], lane, episode])
        return int(sequence.generate_state(1)[0] >> 1)

    def context(self, number: int) -> dict[str, Any]:
        """Return the context of an episode: all combinations take turns."""
        combinations = list(product(*self.contexts.values()))
        return dict(zip(self.contexts, combinations[number % len(combinations)], strict=True))

    def opened(self, context: Mapping[str, Any], *, render: bool = False) -> gymnasium.Env:
        """Return an environment in a context.

        Raises:
            SettingsError: The environment knows no such setting or attribute.
        """
        if self.given is not None:
            return flat(self.given())
        environment = opened(self.id, self.settings, context, max_episode_steps=self.max_episode_steps, render=render)
        return environment if self.penalty is None else Penalized(environment, self.penalty)

    def beside(self) -> gymnasium.vector.VectorEnv:
        """Return the vector environment that plays all lanes.

        Raises:
            DataError: The environment brings one that shows or takes something else.
            SettingsError: It brings none.
        """
        return make_vector(self.id, self.lanes, self.settings, self.layout, max_episode_steps=self.max_episode_steps)

    def render(self, rows: pd.DataFrame, frames: int) -> list[np.ndarray]:
        """Play an episode again and return some of its frames, evenly spread, each `(height, width, 3)` bytes.

        Args:
            rows: The episode's predictions, in order.
            frames: How many.

        Raises:
            DataError: The environment draws no pictures, or lacks a package to draw them with.
        """
        if not self._draws():
            raise DataError(f"the environment '{self.id}' draws no pictures")
        with library_environment(drawing_without_screen(self.id)):
            return self._drawn(rows, set(np.linspace(0, len(rows) - 1, min(frames, len(rows))).round().astype(int).tolist()))

    def _drawn(self, rows: pd.DataFrame, wanted: set[int]) -> list[np.ndarray]:
        environment = self.opened(self._context_of(rows), render=True)
        try:
            with warnings.catch_warnings(action="ignore"):  # a machine without a screen is told of once, by the error below
                environment.reset(seed=int(rows["seed"].iloc[0]))
                return self._filmed(environment, self.actions(rows), wanted)
        except Exception as error:  # drawing is code of others, down to the driver of a screen that may not be there
            what = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            raise DataError(f"'{self.id}' cannot be drawn", got=what, fix=_DRAWING) from error
        finally:
            if self.given is None:
                environment.close()

    def _draws(self) -> bool:
        environment = self.opened(self.context(0))
        if self.given is not None:  # it draws as whoever made it asked for
            return environment.render_mode == "rgb_array"
        return "rgb_array" in (environment.unwrapped.metadata.get("render_modes") or ())

    def actions(self, rows: pd.DataFrame) -> list[Any]:
        """Return the policy's actions of an episode from its predictions, in order."""
        if not self.layout.continuous:
            places = {name: i for i, name in enumerate(self.layout.actions)}
            return [places[str(name)] for name in rows["y_pred"]]
        return list(rows[[f"action.{i}" for i in range(self.layout.width)]].to_numpy(dtype=np.float64))

    def _filmed(self, environment: gymnasium.Env, actions: list[Any], wanted: set[int]) -> list[np.ndarray]:
        taken = []
        for step, action in enumerate(actions):
            if step in wanted:
                taken.append(np.asarray(environment.render(), dtype=np.uint8))
            environment.step(self.layout.translated(action))
        return taken

    def _context_of(self, rows: pd.DataFrame) -> dict[str, Any]:
        said = {name: str(rows[f"group.{name}"].iloc[0]) for name in self.contexts}
        return {name: next(v for v in values if str(v) == said[name]) for name, values in self.contexts.items()}


def opened(
    name: str,
    settings: Mapping[str, Any],
    context: Mapping[str, Any],
    *,
    max_episode_steps: int | None = None,
    render: bool = False,
) -> gymnasium.Env:
    """Return an environment in a context, its observations flat.

    Raises:
        SettingsError: The environment knows no setting or attribute that the context names.
    """
    taken = {key for key in context if key in parameters(name)} if context else set()
    given = dict(settings) | {key: context[key] for key in taken}
    environment = make(name, given, max_episode_steps=max_episode_steps, render=render)
    for key in set(context) - taken:
        if not hasattr(environment.unwrapped, key):
            known = [*parameters(name), *sorted(k for k in vars(environment.unwrapped) if not k.startswith("_"))]
            raise SettingsError(
                f"'{name}' has no setting and no attribute '{key}'", where=f"dataset.contexts.{key}", got=key, available=known
            )
        setattr(environment.unwrapped, key, context[key])
    return flat(environment)
