"""What people call the observations and actions of Gymnasium's own environments, from their documentation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import gymnasium

Failure = Literal["terminated", "truncated"]


@dataclass(frozen=True, kw_only=True)
class Names:
    """An environment in a person's words.

    Args:
        observations: Name and unit of each entry of the observation.
        actions: Name of each action, or of each dimension of a continuous one.
        failure: Which end of an episode is a failure; None where neither is.
        positive: The action that rates about people speak of.
        truth: The entry of `info` that says which action is right for the observation it comes with.
        gain: The entry of `info` after a step that says what it brought apart from penalties among its rewards.
        outcome: The entry of `info` that says how the group of the observation it comes with fares.
        shortest: The entry of `info` that says how many steps the shortest way to the end of the episode takes.
        contents: What each entry of an observation can hold, where entries are choices.
        grid: Rows and columns of squares whose contents the entries of the observation are, row by row.
    """

    observations: tuple[tuple[str, str | None], ...] = ()
    actions: tuple[str, ...] = ()
    failure: Failure | None = None
    positive: str | None = None
    truth: str | None = None
    outcome: str | None = None
    gain: str | None = None
    shortest: str | None = None
    contents: tuple[str, ...] = ()
    grid: tuple[int, int] | None = None


_CART_POLE = Names(
    observations=(
        ("cart position", "m"),
        ("cart velocity", "m/s"),
        ("pole angle", "rad"),
        ("pole angular velocity", "rad/s"),
    ),
    actions=("push left", "push right"),
    failure="terminated",
)
_MOUNTAIN = (("position", None), ("velocity", None))
_GRID = ("left", "down", "right", "up")

KNOWN: Mapping[str, Names] = {
    "CartPole": _CART_POLE,
    "Acrobot": Names(
        observations=(
            ("cosine of first angle", None),
            ("sine of first angle", None),
            ("cosine of second angle", None),
            ("sine of second angle", None),
            ("first angular velocity", "rad/s"),
            ("second angular velocity", "rad/s"),
        ),
        actions=("torque -1", "no torque", "torque +1"),
        failure="truncated",
    ),
    "Pendulum": Names(
        observations=(("cosine of angle", None), ("sine of angle", None), ("angular velocity", "rad/s")), actions=("torque",)
    ),
    "MountainCar": Names(observations=_MOUNTAIN, actions=("push left", "no push", "push right"), failure="truncated"),
    "MountainCarContinuous": Names(observations=_MOUNTAIN, actions=("force",), failure="truncated"),
    "LunarLander": Names(
        observations=(
            ("horizontal position", None),
            ("height", None),
            ("horizontal velocity", None),
            ("vertical velocity", None),
            ("angle", "rad"),
            ("angular velocity", None),
            ("left leg on the ground", None),
            ("right leg on the ground", None),
        ),
        actions=("no engine", "left engine", "main engine", "right engine"),
    ),
    "FrozenLake": Names(actions=_GRID),
    "CliffWalking": Names(actions=("up", "right", "down", "left")),
    "Taxi": Names(actions=("south", "north", "east", "west", "pick up", "drop off")),
    "Blackjack": Names(actions=("stick", "hit")),
}


def names_of(environment: gymnasium.Env) -> Names:
    """Return an environment's words: those it brings in `metadata["names"]` (fields of `Names`), those known here, or none.

    A game of Atari names the moves of its controller itself.
    """
    own: Any = environment.unwrapped.metadata.get("names")
    if own is not None:
        return Names(**own)
    moves: Any = getattr(environment.unwrapped, "get_action_meanings", None)
    if moves is not None:
        return Names(actions=tuple(_spaced(move) for move in moves()))
    spec = environment.unwrapped.spec
    return KNOWN.get(spec.name, Names()) if spec is not None else Names()


def _spaced(move: str) -> str:
    """Return a move of Atari's controller in words.

    Example:
        >>> _spaced("UPRIGHTFIRE"), _spaced("NOOP")
        ('up right fire', 'no move')
    """
    parts = (("NOOP", " no move"), ("UP", " up"), ("DOWN", " down"), ("LEFT", " left"), ("RIGHT", " right"), ("FIRE", " fire"))
    for part, word in parts:
        move = move.replace(part, word)
    return move.strip()
