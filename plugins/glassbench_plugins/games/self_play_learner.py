"""Plays games against itself, and learns from those that are over."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Data
from glassbench.contracts.task import Optimization
from glassbench.errors import DataError
from glassbench_plugins.games.lanes import Lanes
from glassbench_plugins.games.matches import Matches, play
from glassbench_plugins.games.positions import Positions
from glassbench_plugins.games.search import Search
from glassbench_plugins.games.self_play import SelfPlay, judged_by
from glassbench_plugins.rl.playing import Course, PlayingLearner


class SelfPlayLearner(PlayingLearner):
    """Plays `rollout` moves in every lane, then learns from positions of finished games.

    Args:
        model: The network.
        data: The game, and the matches to choose the weights by.
        optimization: How to descend.
        task: The settings.
    """

    def __init__(self, model: nn.Module, data: Data, optimization: Optimization, task: SelfPlay) -> None:
        self.source = matches_of(data)
        each = task.rollout * self.source.lanes
        course = Course(steps=task.steps, each=each, updates=task.updates, stop_at=task.stop_at, keep=task.keep)
        super().__init__(model, optimization, course)
        self.judges = data.validation if isinstance(data.validation, Matches) else None
        self.task = task
        self.lanes = Lanes(self.source.game, self.source.lanes)
        self.positions = Positions(self.source.game, task.memory)
        self.search = Search(simulations=task.simulations, exploration=task.exploration, noise=task.noise)

    def training_step(self, batch: Tensor, index: int) -> None:
        """Play a round and learn from what is remembered."""
        self.roll()
        if len(self.positions) >= self.optimization.batch_size:
            self.update()

    def roll(self) -> None:
        """Play `rollout` moves in every lane and remember the games that are over."""
        self.model.eval()
        game, judge = self.source.game, judged_by(self.source.game, self.model)
        for _ in range(self.task.rollout):
            found = self.search(game, self.lanes.positions, judge, self.random)
            share = found.visits / found.visits.sum(axis=1, keepdims=True)
            drawn = (share.cumsum(axis=1) < self.random.random((len(share), 1))).sum(axis=1).clip(max=share.shape[1] - 1)
            drawn = np.where(np.take_along_axis(share, drawn[:, None], axis=1)[:, 0] > 0, drawn, found.best)
            actions = np.where(self.lanes.moved < self.task.opening, drawn, found.best)
            for seen, shares, worth, result in self.lanes.move(actions, share, found.value):
                value = self.task.search_value * worth + (1 - self.task.search_value) * result
                self.positions.add(seen, shares, value.astype(np.float32))
        self.model.train()

    def update(self) -> None:
        """Take `updates` optimizer steps, each on positions drawn at random, in a random symmetry of the board."""
        descend, notes = self.descent(1.0), []
        for _ in range(self.task.updates):
            drawn = self.positions.draw(self.optimization.batch_size, self.random)
            seen, share, value = (self.tensor(part) for part in drawn)
            output = self.model(seen)
            moves = -(share * output[:, :-1].log_softmax(dim=1)).sum(dim=1).mean()
            error = (output[:, -1] - value).square().mean()
            descend(moves + self.task.value * error)
            notes.append(torch.stack([moves.detach(), error.detach()]))
        moves, error = torch.stack(notes).mean(dim=0).tolist()
        self.note(train_loss=moves + self.task.value * error, move_loss=moves, value_loss=error)

    def drain(self) -> list[tuple[float, int]]:
        """Return the result, for the player who moved first, and length of every game of self-play finished since."""
        return self.lanes.drain()

    def judge(self) -> float | None:
        """Return the mean result over the validation matches, or None where there are none."""
        if self.judges is None:
            return None
        self.model.eval()
        matches = play(self.source.game, self.judges.matches(), self.task.policy(self.source.game, self.model))
        self.model.train()
        return float(np.mean([match.result for match in matches]))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the games that are going on and what is remembered."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["lanes"], checkpoint["positions"] = self.lanes.state_dict(), self.positions.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up what `on_save_checkpoint` added."""
        super().on_load_checkpoint(checkpoint)
        self.lanes.load_state_dict(checkpoint["lanes"])
        self.positions.load_state_dict(checkpoint["positions"])


def matches_of(data: Data) -> Matches:
    """Return the game to learn.

    Raises:
        DataError: The data set brings no game.
    """
    if isinstance(data.train, Matches):
        return data.train
    raise DataError("self-play needs a game", got=type(data.train).__name__, fix="use the data set 'game'")
