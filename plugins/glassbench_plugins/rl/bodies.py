"""The words of MuJoCo's bodies, read from the model that is simulated: its joints and what drives them."""

from collections.abc import Iterator
from typing import Any

import gymnasium

from glassbench_plugins.rl.names import Names

_FREE, _BALL, _SLIDE = 0, 1, 2
"""Kinds of joints, as `mujoco.mjtJoint` numbers them; all others turn about an axis."""

_AXES, _TURN = ("x", "y", "z"), ("w", "x", "y", "z")
_FALLS = frozenset({"Ant", "Hopper", "Humanoid", "InvertedPendulum", "Walker2d"})
"""Bodies whose episodes are over when they fall."""

Named = tuple[str, str | None]


def body_names(environment: gymnasium.Env) -> Names | None:
    """Return a body's words, or None where the environment does not say which parts its observation is made of.

    Gymnasium's bodies say it in `observation_structure` from version 5 on: positions of the joints, of which some are left out,
    then velocities, then forces.
    """
    body: Any = environment.unwrapped
    parts = getattr(body, "observation_structure", None)
    if parts is None or not hasattr(body, "model"):
        return None
    skipped = int(parts.get("skipped_qpos", 0))
    observations = [*list(_positions(body.model))[skipped:], *_velocities(body.model)]
    for part, size in parts.items():
        if part not in ("skipped_qpos", "qpos", "qvel"):
            observations += [(f"{part} {i}", None) for i in range(int(size))]
    falls = body.spec is not None and body.spec.name in _FALLS
    return Names(
        observations=tuple(observations),
        actions=tuple(_drive(body.model, i) for i in range(int(body.model.nu))),
        failure="terminated" if falls else None,
    )


def _positions(model: Any) -> Iterator[Named]:
    for name, kind in _joints(model):
        if kind == _FREE:
            yield from ((f"{axis} of {name}", "m") for axis in _AXES)
        if kind in (_FREE, _BALL):
            yield from ((f"orientation {part} of {name}", None) for part in _TURN)
        else:
            yield (f"position of {name}", "m") if kind == _SLIDE else (f"angle of {name}", "rad")


def _velocities(model: Any) -> Iterator[Named]:
    for name, kind in _joints(model):
        if kind == _FREE:
            yield from ((f"velocity {axis} of {name}", "m/s") for axis in _AXES)
        if kind in (_FREE, _BALL):
            yield from ((f"angular velocity {axis} of {name}", "rad/s") for axis in _AXES)
        else:
            yield (f"velocity of {name}", "m/s") if kind == _SLIDE else (f"angular velocity of {name}", "rad/s")


def _joints(model: Any) -> Iterator[tuple[str, int]]:
    for i in range(int(model.njnt)):
        yield str(model.joint(i).name) or f"joint {i}", int(model.jnt_type[i])


def _drive(model: Any, number: int) -> str:
    """Return what an action moves: the joint that the actuator drives."""
    joint = int(model.actuator_trnid[number][0])
    name, kind = list(_joints(model))[joint]
    return f"{'force' if kind == _SLIDE else 'torque'} at {name}"
