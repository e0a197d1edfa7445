"""What the launchers plugin brings."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import LauncherSpec


@hookimpl
def glassbench_launchers() -> Iterable[LauncherSpec]:
    """Yield the built-in launchers."""
    yield LauncherSpec(
        name="local",
        summary="Does the runs of a study in processes of this machine",
        target="glassbench.studies.local_launcher:LocalLauncher",
    )
    yield LauncherSpec(
        name="submitit",
        summary="Submits the runs of a study to Slurm, or to jobs of this machine that behave alike",
        target="glassbench_plugins.launchers.submitit_launcher:SubmititLauncher",
        extra="submitit",
        requires=("submitit",),
    )
    yield LauncherSpec(
        name="ray",
        summary="Does the runs of a study as tasks of a Ray cluster, or of one that it starts on this machine",
        target="glassbench_plugins.launchers.ray_launcher:RayLauncher",
        extra="ray",
        requires=("ray",),
    )
