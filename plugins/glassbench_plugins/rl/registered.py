"""Registered environments: found by id, made with their settings, and what is wrong said in words."""

import importlib
import inspect
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import gymnasium
from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation

from glassbench.errors import DataError, GlassbenchError, SettingsError

_ATARI = "ALE/"
_STACKED = 4
"""Frames of an Atari game seen at once, so that motion shows (Mnih et al. 2015)."""

_EXTRAS = {"mujoco": "pip install 'glassbench[mujoco]'", "box2d": "pip install 'gymnasium[box2d]'"}


def make(name: str, settings: Mapping[str, Any], *, max_episode_steps: int | None = None, render: bool = False) -> gymnasium.Env:
    """Return a registered environment.

    Args:
        name: Its id (`CartPole-v1`).
        settings: Keyword arguments of the environment.
        max_episode_steps: Steps after which an episode is cut off; None keeps the registered limit.
        render: Whether to draw frames.

    Raises:
        DataError: There is no such environment (the error lists near ids), or a package it needs is missing.
        SettingsError: It does not take a setting.
    """
    if ":" in name:
        raise DataError(
            "an environment is named by its registered id; an experiment cannot import a module",
            got=name,
            fix="register it in a plugin that offers a data set of its own",
        )
    _bring(name)
    if name not in gymnasium.registry:
        raise unknown(name)
    given: dict[str, Any] = dict(settings) | ({"render_mode": "rgb_array"} if render else {})
    if max_episode_steps is not None:
        given["max_episode_steps"] = max_episode_steps
    if name.startswith(_ATARI):
        return FrameStackObservation(AtariPreprocessing(_made(name, given | {"frameskip": 1})), _STACKED)
    return _made(name, given)


def unknown(name: str) -> DataError:
    """Return the error for an id that nobody registered, with the nearest that somebody did."""
    ids = sorted(gymnasium.registry)
    stems = {known.lower(): known for known in ids}
    near = [stems[stem] for stem in get_close_matches(name.lower(), list(stems), n=8, cutoff=0.5)]
    return DataError(
        "no environment of this id is registered",
        where="dataset.id",
        got=name,
        available=near or [known for known in ids if "/" not in known],
        fix=f"did you mean '{near[0]}'?" if near else "choose one of those available",
    )


def parameters(name: str) -> tuple[str, ...]:
    """Return the keyword arguments that an environment takes."""
    entry = gymnasium.spec(name).entry_point
    creator = gymnasium.envs.registration.load_env_creator(entry) if isinstance(entry, str) else entry
    known = inspect.signature(creator).parameters.values() if callable(creator) else ()
    return tuple(p.name for p in known if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name != "render_mode")


def _bring(name: str) -> None:
    """Register the games of Atari, which their package does when it is imported."""
    if not name.startswith(_ATARI):
        return
    try:
        gymnasium.register_envs(importlib.import_module("ale_py"))
    except ImportError as error:
        raise _needs(name, "ale-py", "pip install 'glassbench[atari]'") from error


def _made(name: str, given: Mapping[str, Any]) -> gymnasium.Env:
    try:
        return gymnasium.make(name, disable_env_checker=True, **given)
    except (gymnasium.error.DependencyNotInstalled, ImportError) as error:
        entry = str(gymnasium.spec(name).entry_point)
        remedy = next((pip for part, pip in _EXTRAS.items() if part in entry), None)
        raise _needs(name, str(error).splitlines()[0], remedy) from error
    except TypeError as error:
        strange = sorted(set(given) - set(parameters(name)) - {"render_mode", "max_episode_steps"})
        if not strange:
            raise _failed(name, error) from error
        raise SettingsError(
            f"the environment '{name}' takes no '{strange[0]}'",
            where=f"dataset.settings.{strange[0]}",
            got=strange[0],
            available=parameters(name),
        ) from error
    except GlassbenchError:
        raise
    except Exception as error:  # an environment is code of others; whatever it raises is said in one line
        raise _failed(name, error) from error


def _needs(name: str, what: str, remedy: str | None) -> DataError:
    return DataError(f"the environment '{name}' needs a package that is not installed", where="dataset.id", got=what, fix=remedy)


def _failed(name: str, error: Exception) -> DataError:
    return DataError(f"the environment '{name}' cannot be made", where="dataset.settings", got=f"{type(error).__name__}: {error}")
