"""Lanes in the vector environment that an environment brings: what is learnt from, what is not, and how they are taken up."""

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv

from glassbench import GlassbenchError, run
from glassbench.contracts.task import Optimization
from glassbench_plugins.rl import native_vector_env
from glassbench_plugins.rl.actor_critic import ActorCritic
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.dqn import DQN
from glassbench_plugins.rl.native_vector_env import NativeVectorEnv
from glassbench_plugins.rl.ppo import PPO
from glassbench_plugins.rl.q_network import QNetwork

OPTIMIZATION = Optimization(learning_rate=1e-3, batch_size=32, seed=1)


def cartpole(**settings):
    return environment(1, id="CartPole-v1", vectorization="vector", **{"lanes": 4, **settings})


def played(lanes: NativeVectorEnv, actions: np.ndarray) -> list[native_vector_env.Step]:
    return [lanes.step(each) for each in actions]


def drawn(steps: int, lanes: int = 4) -> np.ndarray:
    return np.random.default_rng(5).integers(2, size=(steps, lanes))


def test_lanes_go_where_gymnasium_takes_them():
    source = cartpole().train
    lanes, theirs = NativeVectorEnv(source), gymnasium.make_vec("CartPole-v1", 4, vectorization_mode="vector_entry_point")
    seen, _ = theirs.reset(seed=source.seed_of(0, 0))
    waiting = np.zeros(4, dtype=bool)
    for actions in drawn(300):
        assert np.array_equal(lanes.observations, seen)
        step = lanes.step(actions)
        seen, rewards, over, cut, _ = theirs.step(actions)
        assert np.array_equal(step.rewards, rewards)
        assert np.array_equal(step.taken, ~waiting)
        waiting = over | cut
        assert np.array_equal(step.terminated | step.truncated, waiting)


def test_episodes_finished_are_as_long_as_what_they_brought():
    lanes = NativeVectorEnv(cartpole().train)
    steps = played(lanes, drawn(300))
    finished = lanes.drain()
    assert finished
    assert all(total == length for total, length in finished)
    running = sum(int(length) for length in lanes._lengths * ~lanes._waiting)
    assert sum(length for _, length in finished) + running == sum(int(step.taken.sum()) for step in steps)


def test_lanes_are_taken_up_where_they_were(monkeypatch):
    monkeypatch.setattr(native_vector_env, "TOGETHER", 70)
    actions, lanes, again = drawn(300), NativeVectorEnv(cartpole().train), NativeVectorEnv(cartpole().train)
    played(lanes, actions[:200])
    assert lanes.began == 2
    again.load_state_dict(lanes.state_dict())
    for ours, theirs in zip(played(lanes, actions[200:]), played(again, actions[200:]), strict=True):
        assert all(np.array_equal(getattr(ours, part), getattr(theirs, part)) for part in ("reached", "rewards", "taken"))
    assert lanes.drain() == again.drain()


def test_lanes_begin_anew_together_and_say_that_episodes_were_cut_off(monkeypatch):
    monkeypatch.setattr(native_vector_env, "TOGETHER", 5)
    source = cartpole().train
    lanes = NativeVectorEnv(source)
    steps = played(lanes, drawn(5))
    assert not any(step.truncated.any() for step in steps[:-1])
    assert steps[-1].truncated.all()
    fresh, _ = source.beside().reset(seed=source.seed_of(0, 1))
    assert np.array_equal(lanes.observations, fresh)
    assert lanes.drain() == []


def test_what_a_lane_did_while_it_waited_is_not_learnt_from():
    data, task = cartpole(), PPO(rollout=100)
    task.check(data.schema)
    learner = task.learner(ActorCritic(data.schema, hidden=(8,)), data, OPTIMIZATION)
    taken, step = [], learner.lanes.step
    learner.lanes.step = lambda actions: taken.append(step(actions)) or taken[-1]
    rollout = learner.roll()
    kept = np.concatenate([each.taken for each in taken])
    assert not kept.all()
    assert len(rollout.seen) == kept.sum()
    output = learner.model.network(rollout.seen)
    expected = torch.distributions.Categorical(logits=output[:, :-1]).log_prob(rollout.actions)
    assert torch.allclose(rollout.odds, expected, atol=1e-6)


def test_advantages_are_those_of_the_episodes_alone():
    data, task = cartpole(lanes=1, scale_rewards=False, normalize_observations=False), PPO(rollout=60)
    task.check(data.schema)
    learner = task.learner(ActorCritic(data.schema, hidden=(8,)), data, OPTIMIZATION)
    rollout = learner.roll()
    lengths = [length for _, length in learner.lanes.drain()]
    first = slice(0, lengths[0])
    with torch.no_grad():
        values = learner.model.network(rollout.seen[first])[:, -1].double().numpy()
    gained, expected = 0.0, []
    for t in range(lengths[0] - 1, -1, -1):
        following = values[t + 1] if t + 1 < lengths[0] else 0.0
        gained = 1 + 0.99 * following - values[t] + 0.99 * 0.95 * gained
        expected.insert(0, gained)
    assert rollout.advantages[first].tolist() == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_the_replay_buffer_draws_only_steps_that_were_taken():
    data, task = cartpole(lanes=2), DQN(rollout=60, warm_up=1000)
    task.check(data.schema)
    learner = task.learner(QNetwork(data.schema, hidden=(8,)), data, OPTIMIZATION)
    for _ in range(4):
        learner.roll()
    replay = learner.replay
    assert not replay.kept.taken[: len(replay)].all()
    places = (replay.added - 1 - replay._ages(5000, np.random.default_rng(1))) % replay.capacity
    assert replay.kept.taken[places].all()
    assert len(np.unique(places)) == replay.kept.taken.sum()


class Frail(VectorEnv):
    """Two lanes that go wrong in the way and the step of our choice."""

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012  # Gymnasium reads it so
    broken = "raises"

    def __init__(self, num_envs, **settings):
        self.num_envs, self.time = num_envs, 0
        self.single_observation_space = spaces.Box(-np.inf, np.inf, (4,), dtype=np.float32)
        self.single_action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return np.zeros((self.num_envs, 4)), {}

    def step(self, actions):
        self.time += 1
        wrong = self.broken if self.time == 3 else None
        if wrong == "raises":
            raise ZeroDivisionError("the floor gave way")
        seen, rewards, none = np.zeros((2, 4)), np.ones(2), np.zeros(2, dtype=bool)
        seen[1, 2] = np.inf if wrong == "infinite observation" else 0
        rewards[1] = np.nan if wrong == "nan reward" else 1
        return seen, rewards, none, none, {}


@pytest.fixture
def frail():
    gymnasium.register(id="test/FrailVector-v0", entry_point=gymnasium.spec("CartPole-v1").entry_point, vector_entry_point=Frail)
    yield Frail
    Frail.metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}
    del gymnasium.registry["test/FrailVector-v0"]


@pytest.mark.parametrize("broken", ["raises", "nan reward", "infinite observation"])
def test_what_went_wrong_is_said_with_where(frail, broken):
    frail.broken = broken
    source = environment(1, id="test/FrailVector-v0", vectorization="vector", lanes=2).train
    lanes = NativeVectorEnv(source)
    played(lanes, drawn(2, 2))
    with pytest.raises(GlassbenchError) as caught:
        lanes.step(np.zeros(2))
    said = {"raises": "ZeroDivisionError: the floor gave way", "nan reward": "a reward", "infinite observation": "an observation"}
    assert said[broken] in str(caught.value)
    assert f"seed {source.seed_of(0, 0)}, step 3" in str(caught.value)
    assert ("lane 1" in str(caught.value)) == (broken != "raises")


def test_a_vector_environment_that_begins_episodes_otherwise_is_refused(frail):
    frail.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}
    with pytest.raises(GlassbenchError, match="in another way"):
        environment(1, id="test/FrailVector-v0", vectorization="vector")


def test_an_environment_that_does_not_do_the_same_again_is_found_out():
    lanes, again = NativeVectorEnv(cartpole().train), NativeVectorEnv(cartpole().train)
    played(lanes, drawn(10))
    again.environment.unwrapped.force_mag = 3.0
    with pytest.raises(GlassbenchError, match="does not do the same again"):
        again.load_state_dict(lanes.state_dict())


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        ({"id": "Acrobot-v1"}, r"brings no vector environment(.|\n)*CartPole-v1"),
        ({"contexts": {"force_mag": [5.0, 9.0]}}, "in one context"),
        ({"settings": {"sutton_barto_reward": True, "gravity": 1}}, "takes no 'gravity'"),
    ],
)
def test_what_no_vector_environment_can_do_is_said_before_anything_is_learnt(tmp_path, dataset, said):
    experiment = {
        "name": "vector",
        "dataset": {"use": "environment", "id": "CartPole-v1", "vectorization": "vector", **dataset},
        "task": {"use": "ppo"},
        "model": {"use": "actor-critic"},
    }
    with pytest.raises(GlassbenchError, match=said):
        run(experiment, runs=tmp_path)
