"""The task of judging a policy that was learnt elsewhere."""

from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytorch_lightning as pl
from torch import Tensor, nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.actions import Actions
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task
from glassbench.errors import FitError, GlassbenchError
from glassbench.stats.settings_types import Share
from glassbench_plugins.rl.acting import preferred
from glassbench_plugins.rl.evaluation import Act
from glassbench_plugins.rl.given_network import Says
from glassbench_plugins.rl.layers import observed
from glassbench_plugins.rl.policy import checked, decided
from glassbench_plugins.rl.returns import episode_metrics
from glassbench_plugins.rl.told import (
    Told,
    numbers_output,
    odds_output,
    told_by_numbers,
    told_by_odds,
    told_by_values,
    values_output,
)

_NAMED = {
    "odds": "the log-odds of the action taken against all others",
    "values": "the advantage of the action taken over the mean of all actions",
    "numbers": "the action taken, in its own direction",
}


@dataclass(kw_only=True)
class GivenPolicy(Task):
    """Judges a policy given to `glassbench.audit(policy, env=...)` by episodes that are played with it.

    Args:
        says: What the policy's outputs are: logits of choices, values of choices, or means of the dimensions of an action.
        discount: Weight of the next step's return, for what the value function is compared with (gamma).
    """

    says: Says = "odds"
    discount: Share = 0.99
    kind = Actions()
    _schema: Schema | None = field(default=None, init=False, repr=False)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The mean return per episode first."""
        return episode_metrics(entropy=self.says == "odds")

    def check(self, schema: Schema) -> None:
        """Keep the schema.

        Raises:
            DataError: It is no environment's.
        """
        self._schema = checked(schema, continuous=True)
        self.attribution_output_name = _NAMED[self.says]

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Refuse: the policy was learnt elsewhere.

        Raises:
            FitError: Always.
        """
        return self._unlearnt()

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Play the episodes with the actions that the network prefers."""
        return self.played(model, source, None)

    def played(self, model: nn.Module, source: Any, act: Act | None) -> Predictions:
        """Play the episodes with what decides, and say of each step what the network does; one row per step."""
        return decided(model, source, self._told, self.discount, act)

    def predict_rows(self, model: nn.Module, source: Split) -> Predictions | None:
        """Return the action preferred in each state; None of continuous actions, which are neither kept nor changed."""
        if observed(self._known).continuous:
            return None
        return preferred(model, source, lambda output: self._told(output).preferences, self._known.target.classes)

    def attribution_output(self, output: Any) -> Tensor:
        """From outputs `(n, k + 1)`, or action values `(n, k)`, to the preference for each candidate action, and last the
        value."""
        assert isinstance(output, Tensor)
        if self.says == "values":
            return values_output(output)
        return odds_output(output) if self.says == "odds" else numbers_output(output)

    @property
    def further_attribution_outputs(self) -> dict[str, int]:
        """What else an explanation can explain, and at which output."""
        return {"the value of the state": len(self._known.target.classes)}

    def _told(self, output: Tensor) -> Told:
        if self.says == "odds":
            return told_by_odds(output, self._known.target.classes)
        return told_by_values(output) if self.says == "values" else told_by_numbers(output)

    def _unlearnt(self) -> NoReturn:
        raise FitError("this task judges a policy that was learnt elsewhere", fix="choose a task that learns: 'ppo' or 'dqn'")

    @property
    def _known(self) -> Schema:
        if self._schema is None:
            raise GlassbenchError("the task has not seen a schema yet", fix="call check(schema) first")
        return self._schema
