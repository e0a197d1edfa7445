"""Registered environments: found by id, made with their settings, and what is wrong said in words."""

import importlib
import inspect
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

import gymnasium
from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation

from glassbench.errors import DataError, GlassbenchError, SettingsError, said

ATARI = "ALE/"
_STACKED = 4
"""Frames of an Atari game seen at once, so that motion shows (Mnih et al. 2015)."""

_EXTRAS = {
    "mujoco": "pip install 'glassbench[mujoco]'",
    "ale_py": "pip install 'glassbench[atari]'",
    "box2d": "pip install 'gymnasium[box2d]'",
    "phys2d": "pip install 'gymnasium[jax]'",
    "tabular": "pip install 'gymnasium[jax]'",
}
"""What brings the package that an environment needs, by a part of where its code is."""


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
    known(name)
    given: dict[str, Any] = dict(settings) | ({"render_mode": "rgb_array"} if render else {})
    if max_episode_steps is not None:
        given["max_episode_steps"] = max_episode_steps
    with guarded(name, given):
        if name.startswith(ATARI):
            game = gymnasium.make(name, disable_env_checker=True, **given | {"frameskip": 1})
            return FrameStackObservation(AtariPreprocessing(game), _STACKED)
        return gymnasium.make(name, disable_env_checker=True, **given)


def known(name: str) -> None:
    """Refuse an id that nobody registered.

    Raises:
        DataError: It names a module, or there is no such environment, or the package that registers it is missing.
    """
    if ":" in name:
        raise DataError(
            "an environment is named by its registered id; an experiment cannot import a module",
            where="dataset.id",
            got=name,
            fix="register it in a plugin that offers a data set of its own",
        )
    _bring(name)
    if name not in gymnasium.registry:
        raise unknown(name)


def drawing_without_screen(name: str) -> dict[str, str]:
    """Return the variables by which MuJoCo and pygame draw on a machine that has no screen; none where there is one."""
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return {}
    return {"SDL_VIDEODRIVER": "dummy", **({"MUJOCO_GL": "egl"} if "mujoco" in str(gymnasium.spec(name).entry_point) else {})}


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


def parameters(name: str, *, vector: bool = False) -> tuple[str, ...]:
    """Return the keyword arguments that an environment, or the vector environment it brings, takes.

    Raises:
        DataError: There is no such environment, or a package it needs is missing.
    """
    known(name)
    spec = gymnasium.spec(name)
    entry = spec.vector_entry_point if vector else spec.entry_point
    with guarded(name, {}, vector=vector):
        creator = gymnasium.envs.registration.load_env_creator(entry) if isinstance(entry, str) else entry
    taken = inspect.signature(creator).parameters.values() if callable(creator) else ()
    own = {"render_mode", "num_envs"}
    return tuple(p.name for p in taken if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name not in own)


@contextmanager
def guarded(name: str, given: Mapping[str, Any], *, vector: bool = False) -> Iterator[None]:
    """Say in words what goes wrong while an environment is made.

    Args:
        name: Its id.
        given: The keyword arguments it is given.
        vector: Whether it is the vector environment that it brings.

    Raises:
        DataError: A package is missing, or the environment raised.
        SettingsError: It does not take a setting.
    """
    try:
        yield
    except GlassbenchError:
        raise
    except (gymnasium.error.DependencyNotInstalled, ImportError) as error:
        raise _needs(name, str(error).splitlines()[0]) from error
    except TypeError as error:
        raise _untaken(name, given, error, vector=vector) from error
    except Exception as error:  # an environment is code of others; whatever it raises is said in one line
        raise _failed(name, error) from error


def _bring(name: str) -> None:
    """Register the games of Atari, which their package does when it is imported."""
    if not name.startswith(ATARI):
        return
    try:
        atari = importlib.import_module("ale_py")
        atari.ALEInterface.setLoggerMode(atari.LoggerMode.Error)  # it would greet on the terminal
        gymnasium.register_envs(atari)
    except ImportError as error:
        raise _missing(name, "ale-py", _EXTRAS["ale_py"]) from error


def _untaken(name: str, given: Mapping[str, Any], error: TypeError, *, vector: bool) -> GlassbenchError:
    takes = parameters(name, vector=vector)
    strange = sorted(set(given) - set(takes) - {"render_mode", "max_episode_steps"})
    if not strange:
        return _failed(name, error)
    return SettingsError(
        f"the {'vector environment of' if vector else 'environment'} '{name}' takes no '{strange[0]}'",
        where=f"dataset.settings.{strange[0]}",
        got=strange[0],
        available=takes,
    )


def _needs(name: str, what: str) -> DataError:
    spec = gymnasium.spec(name)
    entries = f"{spec.entry_point} {spec.vector_entry_point}"
    return _missing(name, what, next((pip for part, pip in _EXTRAS.items() if part in entries), None))


def _missing(name: str, what: str, remedy: str | None) -> DataError:
    return DataError(f"the environment '{name}' needs a package that is not installed", where="dataset.id", got=what, fix=remedy)


def _failed(name: str, error: Exception) -> DataError:
    return DataError(f"the environment '{name}' cannot be made", where="dataset.settings", got=said(error))
