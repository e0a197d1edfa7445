"""The observations and actions of an environment as arrays, and in a person's words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from glassbench.contracts.schema import Feature
from glassbench.errors import DataError
from glassbench_plugins.rl.bodies import body_names
from glassbench_plugins.rl.names import Failure, Names, names_of

_PIXELS = 3
"""Axes of an observation that is a picture, or a stack of them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Layout:
    """What goes in and out of an environment.

    Args:
        shape: Shape of one observation.
        pixels: Whether observations are pictures of bytes.
        features: Entries of a flat observation.
        actions: Name of each action; of a continuous action, two per dimension: down and up.
        continuous: Whether actions are numbers instead of choices.
        centre, half: Middle and half width of a continuous action's range, `(dimensions,)`.
        first: The number of the first choice.
        names: The environment's own words.
    """

    shape: tuple[int, ...]
    pixels: bool
    features: tuple[Feature, ...]
    actions: tuple[str, ...]
    continuous: bool
    centre: np.ndarray
    half: np.ndarray
    first: int
    names: Names

    @property
    def failure(self) -> Failure | None:
        """Which end of an episode is a failure."""
        return self.names.failure

    @property
    def width(self) -> int:
        """Choices, or dimensions of a continuous action: what a policy's output has one number for."""
        return len(self.centre) if self.continuous else len(self.actions)

    @property
    def dtype(self) -> type[np.generic]:
        """The type observations are kept in."""
        return np.uint8 if self.pixels else np.float32

    def translated(self, action: Any) -> Any:
        """From a policy's action (a choice, or numbers from -1 to 1 `(dimensions,)`) to the environment's own."""
        if not self.continuous:
            return int(action) + self.first
        return (self.centre + self.half * np.clip(action, -1.0, 1.0)).astype(np.float32)

    def translated_all(self, actions: np.ndarray) -> np.ndarray:
        """From a policy's actions (choices `(n,)`, or numbers from -1 to 1 `(n, dimensions)`) to the environment's own."""
        if not self.continuous:
            choices: np.ndarray = actions.astype(np.int64) + self.first
            return choices
        numbers: np.ndarray = (self.centre + self.half * np.clip(actions, -1.0, 1.0)).astype(np.float32)
        return numbers


def layout_of(environment: gymnasium.Env) -> Layout:
    """Read the layout of an environment whose observations `flat` has made arrays.

    Raises:
        DataError: Its actions are neither choices nor bounded numbers.
    """
    observations, actions = environment.observation_space, environment.action_space
    names = body_names(environment) or names_of(environment)
    assert isinstance(observations, spaces.Box)
    pixels = len(observations.shape) == _PIXELS
    centre, half = _range(actions)
    return Layout(
        shape=tuple(observations.shape),
        pixels=pixels,
        features=() if pixels else _features(environment, names),
        actions=_actions(actions, names),
        continuous=isinstance(actions, spaces.Box),
        centre=centre,
        half=half,
        first=int(actions.start) if isinstance(actions, spaces.Discrete) else 0,
        names=names,
    )


def flat(environment: gymnasium.Env) -> gymnasium.Env:
    """Return the environment with observations as one row of numbers; pictures of bytes stay pictures, colours first.

    Choices among observations become one number each that is 0 or 1 (`gymnasium.spaces.flatten`).
    """
    space = environment.observation_space
    if isinstance(space, spaces.Box) and _colours_last(space):
        turned = spaces.Box(space.low.transpose(2, 0, 1), space.high.transpose(2, 0, 1), dtype=np.uint8)
        return gymnasium.wrappers.TransformObservation(environment, lambda seen: seen.transpose(2, 0, 1), turned)
    if isinstance(space, spaces.Box) and (len(space.shape) == 1 or (len(space.shape) == _PIXELS and space.dtype == np.uint8)):
        return environment
    if isinstance(space, spaces.Graph | spaces.Sequence | spaces.Text):
        raise DataError("observations of this kind have no fixed length", got=str(space), available=["Box", "Discrete", "Dict"])
    return gymnasium.wrappers.FlattenObservation(environment)


def _colours_last(space: spaces.Box) -> bool:
    return space.dtype == np.uint8 and len(space.shape) == _PIXELS and space.shape[-1] in (1, 3)


def _features(environment: gymnasium.Env, names: Names) -> tuple[Feature, ...]:
    original = environment.env.observation_space if isinstance(environment, gymnasium.wrappers.FlattenObservation) else None
    if isinstance(original, spaces.Discrete):
        states = tuple(f"state {i}" for i in range(int(original.n)))
        return (Feature(name="state", kind="category", columns=tuple(range(int(original.n))), categories=states),)
    if isinstance(original, spaces.MultiDiscrete) and len(names.observations) == original.nvec.size:
        return tuple(_choices(original.nvec.ravel(), names))
    width = int(np.prod(environment.observation_space.shape or (1,)))
    if isinstance(original, spaces.Dict) and len(names.observations) != width:
        return tuple(_parts(original, "", 0))
    if len(names.observations) == width:
        return tuple(Feature(name=name, columns=(i,), unit=unit) for i, (name, unit) in enumerate(names.observations))
    return tuple(Feature(name=f"observation {i}", columns=(i,)) for i in range(width))


def _parts(space: spaces.Space[Any], name: str, start: int) -> Iterator[Feature]:
    """Yield the features of a part of an observation by its name, and of parts of parts, as they are laid side by side."""
    if isinstance(space, spaces.Dict):
        for key, part in space.spaces.items():
            yield from _parts(part, f"{name}.{key}" if name else str(key), start)
            start += spaces.flatdim(part)
    elif isinstance(space, spaces.Discrete):
        possible = tuple(str(int(space.start) + i) for i in range(int(space.n)))
        yield Feature(name=name, kind="category", columns=tuple(range(start, start + int(space.n))), categories=possible)
    elif isinstance(space, spaces.MultiDiscrete):
        for place, size in enumerate(space.nvec.ravel().tolist()):
            possible = tuple(map(str, range(size)))
            columns = tuple(range(start, start + size))
            yield Feature(name=f"{name} {place}", kind="category", columns=columns, categories=possible)
            start += size
    else:
        width = spaces.flatdim(space)
        for place in range(width):
            yield Feature(name=name if width == 1 else f"{name} {place}", columns=(start + place,))


def _choices(sizes: np.ndarray, names: Names) -> Iterator[Feature]:
    """Yield a feature for each of several choices, of which each became as many numbers as it has possibilities."""
    ends = np.cumsum(sizes)
    for (name, _), size, end in zip(names.observations, sizes, ends, strict=True):
        known = names.contents if len(names.contents) == size else tuple(str(i) for i in range(size))
        yield Feature(name=name, kind="category", columns=tuple(range(int(end - size), int(end))), categories=known)


def _actions(space: spaces.Space[Any], names: Names) -> tuple[str, ...]:
    if isinstance(space, spaces.Discrete):
        count = int(space.n)
        return names.actions if len(names.actions) == count else tuple(f"action {i}" for i in range(count))
    width = int(np.prod(space.shape or (1,)))
    dimensions = names.actions if len(names.actions) == width else tuple(f"action {i}" for i in range(width))
    return tuple(f"{name} {way}" for name in dimensions for way in ("down", "up"))


def _range(space: spaces.Space[Any]) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(space, spaces.Discrete):
        return np.zeros(0), np.zeros(0)
    if isinstance(space, spaces.Box) and len(space.shape) == 1 and np.issubdtype(space.dtype, np.floating):
        if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
            raise DataError("continuous actions must be bounded", got=str(space))
        low, high = space.low.astype(np.float64), space.high.astype(np.float64)
        return (low + high) / 2, (high - low) / 2
    raise DataError(
        "actions of this kind cannot be learnt",
        got=str(space),
        available=["Discrete: one of several choices", "Box: bounded numbers in one row"],
        fix="wrap the environment so that its actions are of such a kind",
    )
