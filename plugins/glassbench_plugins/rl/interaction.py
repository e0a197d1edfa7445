"""What every learner in an environment shares: lanes, the episodes it is judged by, and where it was."""

from typing import Any

from torch import nn

from glassbench.contracts.data import Data
from glassbench.contracts.task import Optimization
from glassbench.errors import DataError
from glassbench_plugins.rl.acting import greedy
from glassbench_plugins.rl.episodes import Environment
from glassbench_plugins.rl.evaluation import mean_return, play
from glassbench_plugins.rl.native_vector_env import lanes_of
from glassbench_plugins.rl.normalized import Normalized
from glassbench_plugins.rl.playing import Course, PlayingLearner


class Interaction(PlayingLearner):
    """Plays the episodes of an environment, in lanes beside each other; a leaf class says how it learns from them.

    Args:
        model: The policy, as its task adapted it.
        data: Episodes to learn from, and to choose the weights by.
        optimization: How to descend.
        course: How long.
    """

    def __init__(self, model: nn.Module, data: Data, optimization: Optimization, course: Course) -> None:
        super().__init__(model, optimization, course)
        assert isinstance(model, Normalized)
        self.source = environment_of(data)
        self.judges = data.validation if isinstance(data.validation, Environment) else None
        self.lanes = lanes_of(self.source)

    def drain(self) -> list[tuple[float, int]]:
        """Return the return and length of every episode finished since the last call."""
        return self.lanes.drain()

    def judge(self) -> float | None:
        """Return the mean return of the preferred actions over the validation episodes, or None where there are none."""
        if self.judges is None:
            return None
        layout = self.source.layout
        return mean_return(play(self.judges, greedy(self.model, layout.width, continuous=layout.continuous)))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add where every lane is."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["lanes"] = self.lanes.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up what `on_save_checkpoint` added."""
        super().on_load_checkpoint(checkpoint)
        self.lanes.load_state_dict(checkpoint["lanes"])


def environment_of(data: Data) -> Environment:
    """Return the episodes to learn from.

    Raises:
        DataError: The data set brings rows.
    """
    if isinstance(data.train, Environment):
        return data.train
    raise DataError(
        "learning by interaction needs an environment", got=type(data.train).__name__, fix="use the data set 'environment'"
    )
