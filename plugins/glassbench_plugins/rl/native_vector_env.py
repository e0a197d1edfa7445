"""All lanes of a training in the vector environment that an environment brings itself."""

from typing import Any

import numpy as np
import torch

from glassbench.errors import RunError
from glassbench_plugins.rl.episodes import Environment
from glassbench_plugins.rl.vector_env import Step, VectorEnv, raised, unusable

TOGETHER = 10_000
"""Steps after which all lanes begin anew, so that no more than these have to be played again to take up a training."""


class NativeVectorEnv:
    """Lanes that one vector environment plays; it begins the next episode of a lane in the step after the last one's end.

    In that step the lane's action is not taken, which `Step.taken` says. Lanes share one generator, so an episode has no seed
    of its own. Where all of them are is the seed they last began with together and the actions since.

    Args:
        source: The episodes.
    """

    def __init__(self, source: Environment) -> None:
        self.source = source
        self.environment = source.beside()
        self.began = -1
        self.finished: list[tuple[float, int]] = []
        self._begin(0)

    def __len__(self) -> int:
        """How many there are."""
        return self.source.lanes

    def step(self, actions: np.ndarray) -> Step:
        """Take an action `(lanes, ...)` in every lane.

        Raises:
            DataError: The environment raised, or gave a number that is not finite.
        """
        taken = ~self._waiting
        self.actions.append(np.array(actions))
        try:
            seen, paid, over, cut, _ = self.environment.step(self.source.layout.translated_all(actions))
        except Exception as error:  # an environment is code of others; what it raises is said in words
            raise raised("in the middle of an episode", self._where, error) from error
        rewards, terminated, truncated = np.array(paid, dtype=np.float64), np.array(over, dtype=bool), np.array(cut, dtype=bool)
        self._refuse(rewards, "a reward")
        self.observations = reached = self._seen(seen)
        self._count(rewards, taken, terminated | truncated)
        if len(self.actions) == TOGETHER:
            truncated |= ~terminated
            self._begin(self.began + 1)
        return Step(rewards=rewards, terminated=terminated, truncated=truncated, reached=reached, taken=taken)

    def drain(self) -> list[tuple[float, int]]:
        """Return the return and length of every episode finished since the last call."""
        finished, self.finished = self.finished, []
        return finished

    def state_dict(self) -> dict[str, Any]:
        """Return where the lanes are: tensors and plain values."""
        return {
            "began": self.began,
            "actions": torch.as_tensor(np.array(self.actions)),
            "observations": torch.as_tensor(self.observations),
            "finished": [list(one) for one in self.finished],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Play the lanes to where they were.

        Raises:
            RunError: The environment went another way this time.
        """
        self._begin(state["began"])
        for actions in state["actions"].numpy():
            self.step(actions)
        self.finished = [(float(total), int(length)) for total, length in state["finished"]]
        if not np.array_equal(self.observations, state["observations"].numpy()):
            raise RunError(
                f"the vector environment of '{self.source.id}' does not do the same again under the same seed and actions",
                fix="start the run anew with dataset.vectorization set to lanes",
            )

    def _begin(self, number: int) -> None:
        """Let all lanes begin an episode, for the `number`-th time together."""
        self.began, self.seed, self.actions = number, self.source.seed_of(0, number), list[np.ndarray]()
        self._totals, self._lengths = np.zeros(len(self)), np.zeros(len(self), dtype=np.int64)
        self._waiting = np.zeros(len(self), dtype=bool)
        try:
            seen, _ = self.environment.reset(seed=self.seed)
        except Exception as error:  # an environment is code of others; what it raises is said in words
            raise raised("when episodes began", self._where, error) from error
        self.observations = self._seen(seen)

    def _count(self, rewards: np.ndarray, taken: np.ndarray, ended: np.ndarray) -> None:
        self._totals = np.where(taken, self._totals + rewards, 0.0)
        self._lengths = np.where(taken, self._lengths + 1, 0)
        self.finished += [(float(self._totals[lane]), int(self._lengths[lane])) for lane in np.flatnonzero(ended)]
        self._waiting = ended

    def _seen(self, observations: Any) -> np.ndarray:
        seen = np.array(observations, dtype=self.source.layout.dtype)  # a copy: an environment may use its own again
        if not self.source.layout.pixels:
            self._refuse(seen, "an observation")
        return seen

    def _refuse(self, values: np.ndarray, what: str) -> None:
        if np.isfinite(values).all():
            return
        wrong = int((~np.isfinite(values)).reshape(len(values), -1).any(axis=1).argmax())
        raise unusable(what, f"{self._where}, lane {wrong}", values[wrong].tolist())

    @property
    def _where(self) -> str:
        return f"{self.source.id}, {self.source.purpose} lanes begun together with seed {self.seed}, step {len(self.actions)}"


def lanes_of(source: Environment) -> VectorEnv | NativeVectorEnv:
    """Return the lanes of a training, played as the data set says."""
    return NativeVectorEnv(source) if source.vectorization == "vector" else VectorEnv(source)
