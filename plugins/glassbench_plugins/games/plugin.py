"""The games plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec, TaskSpec

_HERE = "glassbench_plugins.games"


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield games."""
    yield DatasetSpec(
        name="game",
        summary="A two-player game: tic-tac-toe, connect-four, or a board game of PettingZoo by its name",
        target=f"{_HERE}.dataset:game",
    )


@hookimpl
def glassbench_tasks() -> Iterable[TaskSpec]:
    """Yield the way to learn a game."""
    yield TaskSpec(
        name="self-play",
        summary="Learn a game by self-play with tree search guided by the network (AlphaZero)",
        target=f"{_HERE}.self_play:SelfPlay",
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield networks for boards."""
    yield ModelSpec(
        name="board-network",
        summary="Convolutions over a board: which move, and who will win",
        target=f"{_HERE}.board_network:BoardNetwork",
        tasks=("self-play",),
    )
