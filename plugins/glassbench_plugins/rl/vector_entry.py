"""The vector environments that some environments bring themselves."""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv

from glassbench.errors import DataError, SettingsError
from glassbench_plugins.rl.layout import Layout
from glassbench_plugins.rl.registered import ATARI, guarded, known

_AS_SINGLE = {"reward_clipping": False, "use_fire_reset": False}
"""Settings of Atari's vector environment under which it pays and begins as the single one does."""

_FRAMES, _SKIPPED = "max_num_frames_per_episode", 4
"""What cuts off an episode of Atari's, in frames, of which an action is taken on every fourth."""

_LANES = "set dataset.vectorization to lanes"


def make_vector(
    name: str, lanes: int, settings: Mapping[str, Any], layout: Layout, *, max_episode_steps: int | None = None
) -> VectorEnv:
    """Return the vector environment that a registered environment brings.

    Args:
        name: The id.
        lanes: Environments played beside each other.
        settings: Keyword arguments of the vector environment.
        layout: What goes in and out of the single environment, by which a policy is judged.
        max_episode_steps: Steps after which an episode is cut off; None keeps the registered limit.

    Raises:
        DataError: It cannot be made, shows or takes something else than the single one, or begins episodes in a way not known.
        SettingsError: The environment brings none, or it does not take a setting.
    """
    known(name)
    if gymnasium.spec(name).vector_entry_point is None:
        raise _none(name)
    game = name.startswith(ATARI)
    given = dict(_AS_SINGLE if game else {}) | dict(settings)
    if max_episode_steps is not None:
        given |= {_FRAMES: max_episode_steps * _SKIPPED} if game else {"max_episode_steps": max_episode_steps}
    with guarded(name, given, vector=True):
        vector = gymnasium.make_vec(name, lanes, vectorization_mode="vector_entry_point", **given)
    _check(vector, layout, name)
    return vector


def _check(vector: VectorEnv, layout: Layout, name: str) -> None:
    seen, taken = vector.single_observation_space, vector.single_action_space
    if not isinstance(seen, spaces.Box) or tuple(seen.shape) != layout.shape or not _takes_alike(taken, layout):
        raise DataError(
            f"the vector environment of '{name}' does not show or take what the single one does",
            where="dataset.vectorization",
            got=f"{seen}, {taken}",
            fix=_LANES,
        )
    mode = vector.metadata.get("autoreset_mode")
    if mode != AutoresetMode.NEXT_STEP:
        raise DataError(
            f"the vector environment of '{name}' begins the next episode in another way than in the step after an end",
            where="dataset.vectorization",
            got=str(mode),
            available=[str(AutoresetMode.NEXT_STEP)],
            fix=_LANES,
        )


def _takes_alike(taken: spaces.Space[Any], layout: Layout) -> bool:
    if isinstance(taken, spaces.Discrete):
        return not layout.continuous and (int(taken.n), int(taken.start)) == (layout.width, layout.first)
    if not isinstance(taken, spaces.Box) or not layout.continuous or taken.shape != (layout.width,):
        return False
    low, high = layout.centre - layout.half, layout.centre + layout.half
    return bool(np.allclose(taken.low, low) and np.allclose(taken.high, high))


def _none(name: str) -> SettingsError:
    having = [one for one, spec in gymnasium.registry.items() if spec.vector_entry_point is not None]
    having.sort(key=lambda one: ("/" in one, one))
    return SettingsError(
        f"the environment '{name}' brings no vector environment",
        where="dataset.vectorization",
        got="vector",
        available=["lanes"],
        fix=f"{_LANES}; environments that bring one: {', '.join(having[:8])}{', ...' if len(having) > 8 else ''}",
    )
