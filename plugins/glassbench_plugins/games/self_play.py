"""Learning a game by playing against oneself with tree search (AlphaZero; Silver et al. 2018)."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.actions import Actions
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task
from glassbench.errors import DataError
from glassbench.rows.log_odds import log_odds
from glassbench.stats.settings_types import Count, CountOrZero, NonNegativeNumber, PositiveNumber, Share
from glassbench_plugins.games.game import Game
from glassbench_plugins.games.matches import SIDES, Match, Matches, Policy, play
from glassbench_plugins.games.metrics import game_metrics
from glassbench_plugins.games.minimax import worth
from glassbench_plugins.games.search import Judge, Search
from glassbench_plugins.rl.acting import preferred
from glassbench_plugins.rl.layers import observed


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
        from glassbench_plugins.games.self_play_learner import SelfPlayLearner

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
        return torch.cat([log_odds(output[:, :-1]), output[:, -1:]], dim=1)

    @property
    def further_attribution_outputs(self) -> dict[str, int]:
        """What else an explanation can explain, and at which output."""
        assert self._schema is not None
        return {"the value of the position": len(self._schema.target.classes)}

    def policy(self, game: Game, model: nn.Module) -> Policy:
        """Return the function from positions to the moves that are played when the policy is judged, with what is told of them:
        the value, and the gap between the best and the worst move."""
        judge = judged_by(game, model)
        if not self.judged_simulations:
            return lambda positions: _without_search(*judge(positions))
        search = Search(simulations=self.judged_simulations, exploration=self.exploration)

        def decide(positions: Any) -> tuple[np.ndarray, np.ndarray]:
            found = search(game, positions, judge)
            looked = found.visits > 0
            low = np.where(looked, found.worth, np.inf).min(axis=1)
            return found.best, np.stack([found.value, np.where(looked, found.worth, -np.inf).max(axis=1) - low], axis=1)

        return decide


def _without_search(chances: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return chances.argmax(axis=1), np.stack([value, chances.max(axis=1) - chances.min(axis=1)], axis=1)


def judged_by(game: Game, model: nn.Module) -> Judge:
    """Return what a network says of positions: the chances of the moves allowed, and what the position is worth."""
    device = next(model.parameters()).device

    def judge(positions: Any) -> tuple[np.ndarray, np.ndarray]:
        with torch.inference_mode():
            output = model(torch.as_tensor(game.seen(positions), device=device)).cpu().numpy()
        wanted = np.where(game.legal(positions), output[:, :-1], -np.inf)
        chances = np.exp(wanted - wanted.max(axis=1, keepdims=True))
        # A move allowed stays one that the search can try, however little the network thinks of it.
        chances = np.where(np.isfinite(wanted), np.maximum(chances / chances.sum(axis=1, keepdims=True), 1e-6), 0)
        return chances.astype(np.float32), output[:, -1]

    return judge


def moves_frame(game: Game, matches: "list[Match] | Any") -> pd.DataFrame:
    """Return one row per move of the policy: which match it is of, how that ended, and its groups."""
    lengths = [len(match.actions) for match in matches]
    number = np.repeat([match.number for match in matches], lengths)
    step = np.concatenate([np.arange(length) for length in lengths])
    result = np.repeat([match.result for match in matches], lengths)
    last = step == np.repeat(lengths, lengths) - 1
    told = np.stack([one for match in matches for one in match.told])
    actions = np.concatenate([match.actions for match in matches])
    frame = pd.DataFrame(
        {
            "row": [f"{n}:{s}" for n, s in zip(number, step, strict=True)],
            "cluster": [f"game {n}" for n in number],
            "episode": number,
            "step": step,
            "seed": np.repeat([match.seed for match in matches], lengths),
            "reward": np.where(last, result, 0.0),
            "won": (result > 0).astype(float),
            "drawn": (result == 0).astype(float),
            "failed": (result < 0).astype(float),
            "group.opponent": np.repeat([match.opponent for match in matches], lengths),
            "group.side": np.repeat([SIDES[0] if match.first else SIDES[1] for match in matches], lengths),
            "y_pred": np.array(game.actions)[actions],
            "value": told[:, 0].astype(float),
            "discounted": result,
            "spread": told[:, 1].astype(float),
        }
    )
    if game.small:
        positions = np.concatenate([position for match in matches for position in match.positions])
        values = worth(game, positions, game.longest)
        frame["optimal"] = (values[np.arange(len(actions)), actions] == values.max(axis=1)).astype(float)
    return frame
