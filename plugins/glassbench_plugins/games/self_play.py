"""Learning a game by playing against oneself with tree search (AlphaZero; Silver et al. 2018)."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.actions import Actions
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task
from glassbench.errors import DataError
from glassbench.stats.settings_types import Count, CountOrZero, NonNegativeNumber, PositiveNumber, Share
from glassbench_plugins.games.game import Game
from glassbench_plugins.games.lanes import Lanes
from glassbench_plugins.games.matches import Matches, Policy, play
from glassbench_plugins.games.metrics import game_metrics
from glassbench_plugins.games.moves import moves_frame
from glassbench_plugins.games.positions import Positions
from glassbench_plugins.games.search import Search
from glassbench_plugins.games.searching import judged_by, searched, unsearched
from glassbench_plugins.rl.acting import preferred
from glassbench_plugins.rl.layers import observed
from glassbench_plugins.rl.playing import Course, PlayingLearner
from glassbench_plugins.rl.told import odds_output


@dataclass(kw_only=True)
class SelfPlay(Task):
    """Learns which move and who wins, from games that a tree search guided by the network plays against itself.

    The trainer's `batch_size`, `learning_rate`, `schedule`, `optimizer`, `weight_decay` and `gradient_clip` hold for the update.
    `steps` says how long to learn; it is divided into at most 20 epochs.

    Args:
        steps: Moves over all lanes, at most.
        rollout: Moves in each lane between two rounds of updates.
        updates: Optimizer steps in a round, each on positions drawn from those remembered.
        memory: Positions remembered; the oldest make room.
        simulations: Positions that the search looks at for a move while learning.
        judged_simulations: The same when the policy is judged; 0 takes the network's preferred move without a search.
        exploration: Weight of the network's preferences against what the search found.
        noise: Share of the preferences at the root that is drawn at random while learning.
        opening: Moves of a game that are drawn in proportion to the search's visits while learning; all others are the best.
        search_value: How far the value to learn is what the search found rather than how the game ended.
        value: Weight of the value's squared error against the moves' cross-entropy.
        stop_at: Mean result over the validation games at which training ends early, 1 being all won.
        keep: Which weights to keep: those with the highest mean result over the validation games, or the last.
    """

    steps: Count = 100_000
    rollout: Count = 4
    updates: Count = 8
    memory: Count = 50_000
    simulations: Count = 48
    judged_simulations: CountOrZero = 100
    exploration: PositiveNumber = 1.5
    noise: Share = 0.25
    opening: CountOrZero = 12
    search_value: Share = 0.5
    value: NonNegativeNumber = 1.0
    stop_at: float | None = None
    keep: Literal["best", "last"] = "best"
    kind = Actions()
    attribution_output_name = "the log-odds that the network gives the move played against all others"
    _schema: Schema | None = field(default=None, init=False, repr=False)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The mean result of a game first."""
        return game_metrics()

    def check(self, schema: Schema) -> None:
        """Keep the schema.

        Raises:
            DataError: It is no game's.
        """
        if schema.modality != "observation" or observed(schema).grid is None:
            raise DataError("self-play needs a game", got=schema.modality, fix="use the data set 'game'")
        self._schema = schema

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Return the learner that plays and updates in turn."""
        return SelfPlayLearner(model, data, optimization, self)

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Play the matches the policy is judged by; one row per move of the policy."""
        assert isinstance(source, Matches)
        matches = play(source.game, source.matches(), self.policy(source.game, model))
        seen = source.game.seen(np.concatenate([position for match in matches for position in match.positions]))
        frame = moves_frame(source.game, matches)
        states = Split(inputs=(torch.as_tensor(seen),), rows=frame["row"].to_numpy())
        taken = [action for match in matches for action in match.actions]
        return Predictions(frame=frame, source=states, target_index=torch.tensor(taken))

    def predict_rows(self, model: nn.Module, source: Split) -> Predictions:
        """Return the move that the network prefers in each position, without a search."""
        assert self._schema is not None
        return preferred(model, source, lambda output: output[:, :-1], self._schema.target.classes)

    def attribution_output(self, output: Any) -> Tensor:
        """From outputs `(n, actions + 1)` to the log-odds of each move against all others, and last the value."""
        assert isinstance(output, Tensor)
        return odds_output(output)

    @property
    def further_attribution_outputs(self) -> dict[str, int]:
        """What else an explanation can explain, and at which output."""
        assert self._schema is not None
        return {"the value of the position": len(self._schema.target.classes)}

    def policy(self, game: Game, model: nn.Module) -> Policy:
        """Return what plays when the policy is judged."""
        if not self.judged_simulations:
            return unsearched(game, model)
        return searched(game, model, Search(simulations=self.judged_simulations, exploration=self.exploration))


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
