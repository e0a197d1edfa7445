"""A mitigation for policies: a gap between groups costs reward."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from glassbench.contracts.data import Data, Episodes
from glassbench.contracts.mitigation import Mitigation
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Task
from glassbench.errors import DataError, SettingsError, suggest
from glassbench.stats.settings_types import Name, PositiveNumber
from glassbench_plugins.rl.episodes import Environment
from glassbench_plugins.rl.penalized import Penalty

Constraint = Literal["demographic_parity", "true_positive_rate_parity"]
_RATES: Mapping[Constraint, str] = {"demographic_parity": "selection rates", "true_positive_rate_parity": "true positive rates"}


@dataclass(frozen=True, kw_only=True)
class RewardPenalty(Mitigation):
    """Takes from each reward what the gap between groups costs, so that a policy learns to keep it small.

    In each episode of training a group's rate begins at 1/2 and moves by (a - rate) / memory whenever the group is decided on;
    a is 1 where the action was the favourable one. The reward becomes r - strength x (largest rate - smallest rate), over the
    groups that came. Validation episodes pay so too, so that the weights that are kept are chosen by it; the episodes that a
    policy is judged by pay what the environment pays. This is the penalty of `glassbench/Lending-v0`, for any environment that
    reports groups.

    Args:
        features: Entries of `info` under `dataset.sensitive` that name the groups; None for all. Of several the widest gap
            counts.
        constraint: Which rates are made alike: how often the favourable action is taken, or how often where it is right.
        strength: Reward that a gap of 1 costs at each step.
        memory: Observations of a group over which its rate is remembered.
        favourable: The action that is good for whom an observation is about; None takes the one that the environment names.
    """

    features: tuple[str, ...] | None = None
    constraint: Constraint = "demographic_parity"
    strength: PositiveNumber = 2.0
    memory: Annotated[float, Field(ge=1)] = 20.0
    favourable: Name | None = None

    def check(self, data: Data, task: Task, model: Any) -> None:
        """Refuse environments without groups in `info`, without a favourable action, or that are played as vectors."""
        train = data.train
        if not isinstance(train, Environment):
            fix = "use the data set 'environment', or another mitigation"
            raise DataError("a penalty on rewards needs an environment", got=type(train).__name__, fix=fix)
        if train.vectorization == "vector":
            fix = "set dataset.vectorization to lanes"
            raise DataError("a penalty on rewards needs lanes that are environments of their own", got="vector", fix=fix)
        self._penalty(train)

    def training_episodes(self, episodes: Episodes, schema: Schema) -> Episodes:
        """Return the environment with the penalty."""
        assert isinstance(episodes, Environment)
        return replace(episodes, penalty=self._penalty(episodes))

    def account(self, data: Data, facts: Mapping[str, Any]) -> str:
        """Say what a gap cost."""
        assert isinstance(data.train, Environment)
        penalty = self._penalty(data.train)
        action = data.train.layout.actions[penalty.right]
        return (
            f"While learning, a gap of 1 between the {_RATES[self.constraint]} by {', '.join(penalty.features)} cost "
            f"{self.strength:g} of reward at each step (action '{action}', remembered over {self.memory:g} decisions). "
            "Training and validation returns are after this cost; the returns that the policy is judged by are not."
        )

    def _penalty(self, source: Environment) -> Penalty:
        """Return what a gap costs in an environment.

        Raises:
            DataError: It reports no groups, or does not say which action is right or favourable.
            SettingsError: A feature or an action is none of its own.
        """
        layout, where_right = source.layout, self.constraint == "true_positive_rate_parity"
        place = self._favourable(source)
        if where_right and layout.names.truth is None:
            fix = "set constraint to demographic_parity"
            raise DataError(f"'{source.id}' does not say which action is right", got=self.constraint, fix=fix)
        return Penalty(
            strength=self.strength,
            features=self._reported(source),
            favourable=int(layout.translated(place)),
            memory=self.memory,
            truth=layout.names.truth if where_right else None,
            right=place,
        )

    def _reported(self, source: Environment) -> tuple[str, ...]:
        if not source.reported:
            got = f"groups of whole episodes: {', '.join(source.contexts)}" if source.contexts else "no groups"
            fix = "name entries of info under dataset.sensitive"
            raise DataError("a penalty on rewards needs groups that change within an episode", got=got, fix=fix)
        strange = [name for name in self.features or () if name not in source.reported]
        if strange or self.features == ():
            raise SettingsError(
                "'reward-penalty' names a feature that info does not report" if strange else "'reward-penalty' names no feature",
                where="mitigations",
                got=strange[0] if strange else "features: []",
                available=source.reported,
                fix=suggest(strange[0], source.reported) if strange else None,
            )
        return self.features or source.reported

    def _favourable(self, source: Environment) -> int:
        """Return the place of the favourable action."""
        layout, named = source.layout, self.favourable or source.layout.names.positive
        if layout.continuous:
            raise DataError("a penalty on rewards needs actions that are choices", got="continuous actions")
        if named is None:
            fix = "name it under mitigations: {use: reward-penalty, favourable: ...}"
            raise DataError(f"'{source.id}' does not say which action is favourable", available=layout.actions, fix=fix)
        if named not in layout.actions:
            near = suggest(named, layout.actions)
            raise SettingsError("there is no such action", where="mitigations", got=named, available=layout.actions, fix=near)
        return layout.actions.index(named)
