"""A policy of stable-baselines3 and its environment, given to `glassbench.audit`."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, NoReturn

import gymnasium
import numpy as np
import torch
from torch import nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.task import Predictions, Task
from glassbench.errors import DataError, RunError, said
from glassbench.stats.settings_types import Count, Share
from glassbench_plugins.rl.dataset import check_reported, schema_of
from glassbench_plugins.rl.episodes import Environment
from glassbench_plugins.rl.given_memory import Memory, Remembering, has_memory, remembering
from glassbench_plugins.rl.given_network import GivenNetwork
from glassbench_plugins.rl.given_observations import as_arrays, as_read, check_observations
from glassbench_plugins.rl.judging import GivenPolicy
from glassbench_plugins.rl.layout import Layout, flat, layout_of
from glassbench_plugins.rl.registered import make

_MEMORIES = ("lstm_actor", "lstm_critic", "lstm_hidden_state_shape")
"""What networks have that keep a state between steps."""

_NEEDED = ("predict", "observation_space", "action_space", "policy")


class PolicyOfElsewhere:
    """A policy that was learnt elsewhere, and the episodes it is judged by.

    Args:
        policy: The policy.
        data: The episodes.
        facts: What stands in the experiment for episodes, model and task.
        network: The policy as a network.
        layout: What goes in and out of the environment.
        memory: What it keeps between steps, or None.
    """

    unasked: str | None = None
    held_out: bool | None = True  # it is judged by episodes that were not there when it learnt

    def __init__(
        self,
        policy: Any,
        data: Data,
        facts: Mapping[str, Mapping[str, Any]],
        network: GivenNetwork,
        layout: Layout,
        memory: Memory | None,
    ) -> None:
        self.data, self.facts = data, facts
        self._policy, self._network, self._layout, self._memory = policy, network, layout, memory
        self._training = network.policy.training
        self._state = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    @property
    def split(self) -> Split | None:
        """None: which states are visited is known when the episodes have been played."""
        return None

    def model(self) -> nn.Module:
        """Return the policy as a network in evaluation mode, with the weights it was given with."""
        self._network.load_state_dict(self._state)
        return self._network.eval()

    def predictions(self, task: Task) -> Predictions:
        """Play the episodes with what the policy itself decides, without chance."""
        assert isinstance(task, GivenPolicy)
        return task.played(self.model(), self.data.test, self._act)

    def check_width(self, task: Task) -> None:
        """Take any task: the policy's spaces were held against the environment's."""

    def give_back(self) -> None:
        """Put the policy back into the mode it came in."""
        self._network.train(self._training)

    def _act(self, observations: np.ndarray) -> np.ndarray:
        """From observations `(n, ...)` to choices `(n,)`, or numbers from -1 to 1 `(n, dimensions)`."""
        try:
            taken = self._taken(torch.as_tensor(observations))
        except Exception as error:  # a policy is code of others; whatever it raises is said in one line
            raise DataError("the policy cannot read what the environment shows", got=said(error)) from error
        layout = self._layout
        if not layout.continuous:
            return np.asarray(taken).reshape(len(observations)) - layout.first
        # In double precision, so that the way back gives the very action.
        scaled: np.ndarray = (np.asarray(taken, dtype=np.float64) - layout.centre) / layout.half
        return scaled

    def _taken(self, rows: torch.Tensor) -> Any:
        """Return what the policy itself does, in its own terms."""
        if self._memory is None:
            return self._policy.predict(as_arrays(as_read(self._policy.observation_space, rows)), deterministic=True)[0]
        seen, state, _ = self._memory.parted(rows)
        kept = tuple(part.numpy() for part in state)
        return self._policy.predict(as_arrays(seen), state=kept, episode_start=np.zeros(len(rows)), deterministic=True)[0]


def given_policy(
    policy: Any,
    env: Any,
    seed: int,
    sensitive: tuple[str, ...],
    *,
    episodes: Count = 100,
    max_episode_steps: Count | None = None,
    discount: Share = 0.99,
) -> PolicyOfElsewhere:
    """Wrap a policy and its environment for a run.

    Args:
        policy: A model of stable-baselines3 (`PPO.load(...)`): PPO, A2C, DQN, SAC, TD3 or DDPG; or
            sb3-contrib's RecurrentPPO, whose memory counts as one input beside the observation.
        env: The environment: a registered id, a Gymnasium environment, or a function without arguments that makes one.
        seed: Seed of the episodes.
        sensitive: Entries of `info` to audit by.
        episodes: Episodes the policy is judged by.
        max_episode_steps: Steps after which an episode is cut off; by default the environment's own limit.
        discount: Weight of the next step's return (gamma).

    Raises:
        DataError: It is no policy of this kind, no environment, or the spaces of the two differ.
    """
    _check_policy(policy)
    make_one, many = _maker(env, max_episode_steps)
    probe = make_one()
    _check_spaces(policy, probe)
    seen = flat(probe)
    layout, memory, given = layout_of(seen), None, make_one
    if has_memory(policy.policy):
        memory = _memory_of(policy, layout)
        layout, given = remembering(layout, memory), _remembers(make_one, memory)
    name = seen.unwrapped.spec.id if seen.unwrapped.spec is not None else type(seen.unwrapped).__name__
    check_reported(_begun(seen, name)[1], sensitive, name)
    judged = Environment(
        id=name,
        settings={},
        max_episode_steps=max_episode_steps,
        contexts={},
        reported=sensitive,
        purpose="test",
        seed=seed,
        episodes=episodes,
        lanes=1,
        vectorization="lanes",
        scale_rewards=False,
        layout=layout,
        given=given,
        beside_each_other=25 if many else 1,
    )
    network = GivenNetwork(policy.policy, layout, policy.observation_space, memory)
    data = Data(
        schema=schema_of(layout, (), sensitive, normalize=False),
        train=Split(inputs=(), rows=np.arange(0)),
        test=judged,
        split=f"learnt elsewhere, judged on {episodes} episodes that were played for this audit",
        notes=("The policy decides without chance (deterministic=True); policy and environment are external and not stored.",),
        source=f"the Gymnasium environment {name}, given from Python",
    )
    facts: dict[str, dict[str, Any]] = {
        "rows": {"id": name, "episodes": episodes, "max_episode_steps": max_episode_steps, "sensitive": list(sensitive)},
        "model": {"kind": f"{type(policy).__name__} of {type(policy).__module__.split('.')[0]}"},
        "task": {"use": "given-policy", "says": network.says, "discount": discount},
    }
    return PolicyOfElsewhere(policy, data, facts, network, layout, memory)


def _memory_of(policy: Any, layout: Layout) -> Memory:
    """Return what a recurrent policy keeps between steps.

    Raises:
        DataError: It sees pictures.
    """
    if layout.pixels:
        got = f"{type(policy).__name__} of observations of the shape {layout.shape}"
        raise DataError("a policy with a memory is audited where it sees numbers, not pictures", where="env", got=got)
    return Memory(policy.policy, policy.observation_space, int(np.prod(layout.shape)))


def _remembers(make_one: Callable[[], gymnasium.Env], memory: Memory) -> Callable[[], gymnasium.Env]:
    return lambda: Remembering(flat(make_one()), memory)


def given_environment(
    seed: int, *, id: str = "", episodes: Count = 100, max_episode_steps: Count | None = None, sensitive: tuple[str, ...] = ()
) -> NoReturn:
    """Refuse: an environment given from Python is not stored.

    Args:
        seed: Unused.
        id: What it was.
        episodes: Episodes the policy was judged by.
        max_episode_steps: Steps after which an episode was cut off.
        sensitive: Entries of `info` it was audited by.

    Raises:
        RunError: Always.
    """
    fix = "call glassbench.audit(policy, env=...) again; reports, figures and predictions of this run can be read as they are"
    raise RunError("the environment is external and is not stored", fix=fix)


def _check_policy(policy: Any) -> None:
    known = "a trained model of stable-baselines3, such as PPO.load('cartpole.zip')"
    if isinstance(policy, type):
        fix = f"give what was trained: {policy.__name__}.load('file.zip'), or the object that learnt"
        raise DataError("a class is no policy", got=policy.__name__, available=[known], fix=fix)
    missing = [name for name in _NEEDED if not hasattr(policy, name)]
    if missing or not isinstance(policy.policy, nn.Module):
        got = f"{type(policy).__name__}, without {', '.join(missing)}" if missing else type(policy).__name__
        raise DataError("with env a policy is audited, and this is none", got=got, available=[known])
    if not has_memory(policy.policy) and any(getattr(policy.policy, name, None) is not None for name in _MEMORIES):
        raise DataError(
            "a policy with a memory of this kind cannot be audited: it decides by what it saw before, not by what it sees alone",
            got=f"{type(policy).__name__}, whose network {type(policy.policy).__name__} keeps a state between steps",
            available=[known, "RecurrentPPO of sb3-contrib"],
            fix="learn without a memory, from observations that hold the last steps (gymnasium.wrappers.FrameStackObservation)",
        )


def _maker(env: Any, limit: int | None) -> tuple[Callable[[], gymnasium.Env], bool]:
    """Return what gives the environment, and whether it gives a new one each time.

    Raises:
        DataError: It is none.
    """
    if isinstance(env, str):
        return (lambda: make(env, {}, max_episode_steps=limit)), True
    if isinstance(env, gymnasium.Env):
        given = env if limit is None else gymnasium.wrappers.TimeLimit(env, limit)
        return (lambda: given), False
    if callable(env) and isinstance(made := _called(env), gymnasium.Env):
        made.close()
        return (lambda: env() if limit is None else gymnasium.wrappers.TimeLimit(env(), limit)), True
    fix = "give what the vector environment is made of: env=lambda: gymnasium.make('CartPole-v1')"
    available = ["a registered id", "a gymnasium.Env", "a function that makes one"]
    vector = hasattr(env, "num_envs")
    problem = "a policy is judged in single environments" if vector else "env is no environment"
    raise DataError(problem, got=type(env).__name__, available=available, where="env", fix=fix if vector else None)


def _called(env: Callable[[], Any]) -> Any:
    try:
        return env()
    except Exception as error:  # an environment is code of others; whatever it raises is said in one line
        raise DataError("the environment cannot be made", where="env", got=said(error)) from error


def _check_spaces(policy: Any, env: gymnasium.Env) -> None:
    for name in ("observation_space", "action_space"):
        learnt, found = getattr(policy, name), getattr(env, name, None)
        if found is None:
            problem = f"the environment does not say its {name.replace('_', ' ')}"
            raise DataError(problem, where="env", got=type(env.unwrapped).__name__)
        if not _alike(learnt, found):
            problem = f"the policy was learnt with another {name.replace('_', ' ')} than the environment has"
            raise DataError(
                problem, where="env", got=f"{found}", available=[f"{learnt}"], fix="give the environment it learnt in"
            )
    check_observations(policy.observation_space)
    if "action_masks" in signature(policy.predict).parameters and env.has_wrapper_attr("action_masks"):
        raise DataError(
            "a policy whose choices the environment masks is not audited: what it may not do would be played",
            where="env",
            got=f"{type(policy).__name__} and an environment with action_masks",
            fix="learn without masks, or give an environment without action_masks, in which every choice is allowed",
        )


def _alike(learnt: Any, found: Any) -> bool:
    """Whether two spaces are equal, or one holds the other's pictures with colours first."""
    if learnt == found:
        return True
    boxes = isinstance(learnt, gymnasium.spaces.Box) and isinstance(found, gymnasium.spaces.Box)
    if not boxes or learnt.dtype != found.dtype:
        return False
    turned = (found.shape[2], *found.shape[:2]) if len(found.shape) == 3 else found.shape
    return bool(learnt.shape == turned != found.shape)


def _begun(environment: gymnasium.Env, name: str) -> tuple[Any, dict[str, Any]]:
    try:
        with torch.random.fork_rng(devices=[]):
            found: tuple[Any, dict[str, Any]] = environment.reset(seed=0)
    except Exception as error:  # an environment is code of others; whatever it raises is said in one line
        raise DataError("the environment raised when an episode began", where=name, got=said(error)) from error
    return found
