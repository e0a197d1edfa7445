"""The reinforcement learning plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, MitigationSpec, ModelSpec, TaskSpec

_HERE = "glassbench_plugins.rl"


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield environments."""
    yield DatasetSpec(
        name="environment",
        summary="Episodes of any registered Gymnasium environment, glassbench/Lending-v0 and glassbench/Maze-v0 among them",
        target=f"{_HERE}.dataset:environment",
    )
    yield DatasetSpec(
        name="given-environment",
        summary="An environment given to glassbench.audit with its policy; a run stores what was decided, and neither of them",
        target=f"{_HERE}.given_policy:given_environment",
        external=True,
        wraps=f"{_HERE}.given_policy:given_policy",
    )


@hookimpl
def glassbench_tasks() -> Iterable[TaskSpec]:
    """Yield the ways to learn a policy."""
    yield TaskSpec(
        name="ppo",
        summary="Learn a policy by proximal policy optimisation; choices or continuous actions",
        target=f"{_HERE}.ppo:PPO",
    )
    yield TaskSpec(
        name="dqn",
        summary="Learn what each action is worth by double deep Q-learning from a replay buffer; choices",
        target=f"{_HERE}.dqn:DQN",
    )
    yield TaskSpec(
        name="sac",
        summary="Learn a policy by soft actor-critic from a replay buffer; continuous actions",
        target=f"{_HERE}.sac:SAC",
    )
    yield TaskSpec(
        name="given-policy",
        summary="Judge a policy that was learnt elsewhere and given to glassbench.audit with its environment",
        target=f"{_HERE}.judging:GivenPolicy",
        usual=False,
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield networks for policies."""
    yield ModelSpec(
        name="actor-critic",
        summary="What to do and how good it is to be here, two networks side by side",
        target=f"{_HERE}.actor_critic:ActorCritic",
        tasks=("ppo",),
    )
    yield ModelSpec(
        name="q-network",
        summary="What each action is worth, duelling: the state's value and each action's advantage",
        target=f"{_HERE}.q_network:QNetwork",
        tasks=("dqn",),
    )
    yield ModelSpec(
        name="soft-actor-critic",
        summary="A policy of continuous actions and two critics of what they are worth",
        target=f"{_HERE}.soft_actor_critic:SoftActorCritic",
        tasks=("sac",),
    )
    yield ModelSpec(
        name="path-network",
        summary="What each step on a grid is worth, from values that spread from cell to cell (value propagation)",
        target=f"{_HERE}.path_network:PathNetwork",
        tasks=("dqn",),
    )


@hookimpl
def glassbench_mitigations() -> Iterable[MitigationSpec]:
    """Yield what makes policies treat groups alike."""
    yield MitigationSpec(
        name="reward-penalty",
        summary="Takes from a policy's rewards what the gap between groups costs, in any environment that reports groups",
        target=f"{_HERE}.reward_penalty:RewardPenalty",
        when="while",
        kinds=("actions",),
        forms=("module",),
        assumes="A group's rate can be moved within an episode, and what the policy observes lets it tell the groups apart.",
        caution="A policy that must know the group to keep rates alike treats people of different groups differently on purpose.",
    )
