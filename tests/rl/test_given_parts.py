"""Policies of stable-baselines3 that see several parts or choices, and those of sb3-contrib that remember."""

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from seeded import Seeded

import glassbench
from glassbench.errors import DataError
from glassbench.runs.artifacts import read_predictions
from glassbench_plugins.rl.given_memory import Memory, Remembering
from glassbench_plugins.rl.given_network import GivenNetwork
from glassbench_plugins.rl.given_observations import as_read
from glassbench_plugins.rl.layout import flat, layout_of

sb3 = pytest.importorskip("stable_baselines3")
from stable_baselines3.common.evaluation import evaluate_policy  # noqa: E402
from stable_baselines3.common.monitor import Monitor  # noqa: E402

FAST = {"performance": {"replicates": 50}}
EXPLAIN = {"explain": {"rows": 12, "steps": 8, "replicates": 20}, "robustness": {"rows": 24}}


class Parts(gymnasium.Env):
    """Pays for the side that the sign, the colour and the first place together point to."""

    observation_space = spaces.Dict(
        {
            "place": spaces.Box(-1, 1, (2,)),
            "colour": spaces.Discrete(3),
            "flags": spaces.MultiBinary(2),
            "doors": spaces.MultiDiscrete([2, 3]),
            "sign": spaces.Box(-1, 1, (1,)),
        }
    )
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = 12
        return self._see(), {"colour": str(self.seen["colour"])}

    def step(self, action):
        right = self.seen["sign"][0] + (self.seen["colour"] - 1) + self.seen["place"][0] > 0
        self.left -= 1
        return self._see(), float(action == right), self.left == 0, False, {"colour": str(self.seen["colour"])}

    def _see(self):
        chance = self.np_random
        self.seen = {
            "place": chance.uniform(-1, 1, 2).astype(np.float32),
            "colour": np.int64(chance.integers(3)),
            "flags": chance.integers(0, 2, 2).astype(np.int8),
            "doors": np.array([chance.integers(2), chance.integers(3)]),
            "sign": chance.uniform(-1, 1, 1).astype(np.float32),
        }
        return self.seen


class Numbers(gymnasium.ObservationWrapper):
    """The same without choices."""

    def __init__(self):
        super().__init__(Parts())
        kept = ("place", "sign")
        self.observation_space = spaces.Dict({name: Parts.observation_space[name] for name in kept})

    def observation(self, seen):
        return {name: seen[name] for name in self.observation_space}


def lake():
    return gymnasium.make("FrozenLake-v1", is_slippery=True, max_episode_steps=30)


def stacked():
    env = gymnasium.make("CartPole-v1", max_episode_steps=40)
    return gymnasium.wrappers.FrameStackObservation(env, 3)


def reach():
    class Reach(gymnasium.Env):
        """Moves a point to a goal, as goal-based environments do."""

        observation_space = spaces.Dict({name: spaces.Box(-5, 5, (2,)) for name in ("observation", "desired_goal")})
        action_space = spaces.Box(-1, 1, (2,))

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.at, self.goal = np.zeros(2, np.float32), self.np_random.uniform(-1, 1, 2).astype(np.float32)
            self.left = 10
            return {"observation": self.at, "desired_goal": self.goal}, {}

        def step(self, action):
            self.at = (self.at + 0.2 * action).astype(np.float32)
            self.left -= 1
            seen = {"observation": self.at, "desired_goal": self.goal}
            return seen, -float(np.linalg.norm(self.at - self.goal)), self.left == 0, False, {}

    return Reach()


def learnt(kind, net, make, steps=256, **settings):
    torch.manual_seed(1)
    return kind(net, make(), seed=1, device="cpu", **settings).learn(steps)


POLICIES = {
    "parts": (lambda: learnt(sb3.PPO, "MultiInputPolicy", Parts, n_steps=64), Parts),
    "parts by values": (lambda: learnt(sb3.DQN, "MultiInputPolicy", Parts, learning_starts=32), Parts),
    "numbers in parts": (lambda: learnt(sb3.A2C, "MultiInputPolicy", Numbers), Numbers),
    "a goal": (lambda: learnt(sb3.SAC, "MultiInputPolicy", reach, learning_starts=50, steps=120), reach),
    "choices": (lambda: learnt(sb3.PPO, "MlpPolicy", lake, n_steps=64), lake),
    "a stack": (lambda: learnt(sb3.PPO, "MlpPolicy", stacked, n_steps=64), stacked),
}


def own_returns(policy, make, frame):
    """Return the returns of the library's own evaluation from the same seeds."""
    seeds = frame.groupby("episode")["seed"].first()
    env = Monitor(Seeded(make(), seeds))
    return evaluate_policy(policy, env, n_eval_episodes=len(seeds), deterministic=True, return_episode_rewards=True)[0]


def unfinished(run):
    """Return the audits that failed or do not apply; changed rows say nothing of actions that are numbers."""
    return {audit.audit for audit in run.audits if audit.error or audit.not_applicable}


@pytest.mark.parametrize("name", POLICIES)
def test_returns_are_those_of_its_own_evaluation(name, tmp_path):
    policy, make = POLICIES[name][0](), POLICIES[name][1]
    done = glassbench.audit(policy, env=make, playing={"episodes": 5}, audits=FAST | EXPLAIN, runs=tmp_path, seed=3)
    assert unfinished(done) == ({"robustness"} if name == "a goal" else set())
    frame = read_predictions(done.folder)
    ours = frame.groupby("episode")["reward"].sum().to_numpy()
    np.testing.assert_allclose(ours, own_returns(policy, make, frame), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", POLICIES)
def test_the_network_decides_as_the_policy_does(name):
    policy, make = POLICIES[name][0](), POLICIES[name][1]
    env = flat(make())
    network = GivenNetwork(policy.policy, layout_of(env), policy.observation_space).eval()
    rows = torch.as_tensor(np.stack([env.reset(seed=seed)[0] for seed in range(20)]), dtype=torch.float32)
    own = [make().reset(seed=seed)[0] for seed in range(20)]
    taken = [policy.predict(seen, deterministic=True)[0] for seen in own]
    with torch.no_grad():
        said = network(rows)
    if network.says == "numbers":
        np.testing.assert_allclose(said[:, :-1], np.stack(taken), rtol=0, atol=1e-6)
    else:
        choices = said if network.says == "values" else said[:, :-1]
        assert choices.argmax(dim=1).tolist() == [int(one) for one in taken]


def test_each_part_is_named_and_those_that_decide_are_found(tmp_path):
    policy = learnt(sb3.PPO, "MultiInputPolicy", Parts, steps=6000, n_steps=256, learning_rate=0.003)
    audits = FAST | {"explain": {"rows": 64, "replicates": 20}}
    done = glassbench.audit(policy, env=Parts, playing={"episodes": 10}, sensitive="colour", audits=audits, runs=tmp_path)
    table = next(t for t in done.audits[1].tables if any(str(row[0]) == "sign" for row in t.rows))
    names = [str(row[0]) for row in table.rows]
    assert set(names) == {"place 0", "place 1", "colour", "flags 0", "flags 1", "doors 0", "doors 1", "sign"}
    assert set(names[:3]) == {"sign", "place 0", "colour"}
    assert next(m.value for m in done.measures if m.name == "performance.return") > 9


def test_rows_are_read_back_as_gymnasium_flattened_them():
    space = Parts.observation_space
    space.seed(4)
    seen = [space.sample() for _ in range(30)]
    rows = torch.as_tensor(np.stack([spaces.flatten(space, one) for one in seen]), dtype=torch.float32)
    read = as_read(space, rows)
    for name in space:
        expected = np.stack([np.asarray(one[name]) for one in seen])
        np.testing.assert_array_equal(read[name].numpy(), expected.astype(read[name].numpy().dtype))


def test_a_picture_among_parts_and_texts_are_refused(tmp_path):
    class Seen(Parts):
        observation_space = spaces.Dict({"eye": spaces.Box(0, 255, (36, 36, 3), np.uint8), "sign": spaces.Box(-1, 1, (1,))})

        def _see(self):
            self.seen = {"sign": np.zeros(1, np.float32), "colour": 0, "place": np.zeros(2)}
            return {"eye": np.zeros((36, 36, 3), np.uint8), "sign": self.seen["sign"]}

    policy = sb3.PPO("MultiInputPolicy", Seen(), n_steps=16, batch_size=16, device="cpu")
    policy.observation_space = Seen.observation_space
    with pytest.raises(DataError, match="a picture among several parts") as caught:
        glassbench.audit(policy, env=Seen, runs=tmp_path / "runs")
    assert len(str(caught.value).splitlines()) <= 8
    other = POLICIES["choices"][0]()
    with pytest.raises(DataError, match="another observation space"):
        glassbench.audit(other, env=Parts, runs=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


class Recall(gymnasium.Env):
    """Shows a sign once and pays for acting by it three steps later."""

    observation_space = spaces.Box(-1, 1, (2,))
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.sign, self.at = int(self.np_random.integers(2)), 0
        return np.array([2 * self.sign - 1, 0], np.float32), {}

    def step(self, action):
        self.at += 1
        over = self.at == 3
        return np.array([0, self.at / 3], np.float32), float(over and action == self.sign), over, False, {}


class Steer(Recall):
    """The same with an action that is a number."""

    action_space = spaces.Box(-1, 1, (1,))

    def step(self, action):
        seen, reward, over, cut, info = super().step(int(action[0] > 0))
        return seen, reward - 0.01 * float(abs(action[0])), over, cut, info


@pytest.mark.parametrize("make", [Recall, Steer])
@pytest.mark.parametrize("critic", [{}, {"enable_critic_lstm": False}, {"enable_critic_lstm": False, "shared_lstm": True}])
def test_a_recurrent_policy_remembers_as_it_does_itself(make, critic, tmp_path):
    contrib = pytest.importorskip("sb3_contrib")
    settings = {"n_steps": 64, "policy_kwargs": {"lstm_hidden_size": 8, "n_lstm_layers": 2, **critic}}
    policy = learnt(contrib.RecurrentPPO, "MlpLstmPolicy", make, **settings)
    before = {name: tensor.clone() for name, tensor in policy.policy.state_dict().items()}
    done = glassbench.audit(policy, env=make, playing={"episodes": 6}, audits=FAST | EXPLAIN, runs=tmp_path, seed=3)
    assert unfinished(done) == ({"robustness"} if make is Steer else set())
    assert all(torch.equal(tensor, before[name]) for name, tensor in policy.policy.state_dict().items())
    frame = read_predictions(done.folder)
    ours = frame.groupby("episode")["reward"].sum().to_numpy()
    np.testing.assert_allclose(ours, own_returns(policy, make, frame), rtol=0, atol=1e-5)
    values = own_values(policy, make, frame)
    np.testing.assert_allclose(frame["value"], values, rtol=0, atol=1e-5)


def own_values(policy, make, frame):
    """Return what the policy itself holds each state for, its states carried along by its own forward."""
    from sb3_contrib.common.recurrent.type_aliases import RNNStates

    found, shape = [], policy.policy.lstm_hidden_state_shape
    policy.policy.set_training_mode(False)
    for _, rows in frame.groupby("episode"):
        env = make()
        seen, _ = env.reset(seed=int(rows["seed"].iloc[0]))
        empty = (torch.zeros(shape), torch.zeros(shape))
        states = RNNStates(empty, empty)
        for _ in range(len(rows)):
            with torch.no_grad():
                given = torch.as_tensor(seen)[None]
                action, value, _, states = policy.policy(given, states, torch.zeros(1), deterministic=True)
            found.append(value.item())
            taken = action[0].numpy()
            taken = np.clip(taken, -1, 1) if isinstance(env.action_space, spaces.Box) else int(taken)
            seen, *_ = env.step(taken)
    return found


def test_what_a_recurrent_policy_saw_before_is_found_in_its_memory(tmp_path):
    contrib = pytest.importorskip("sb3_contrib")
    settings = {"n_steps": 128, "learning_rate": 0.003, "policy_kwargs": {"lstm_hidden_size": 16}}
    policy = learnt(contrib.RecurrentPPO, "MlpLstmPolicy", Recall, steps=4000, **settings)
    memory = Memory(policy.policy, policy.observation_space, 2)
    env = Remembering(Recall(), memory)
    rows = []
    for seed in range(12):
        row, _ = env.reset(seed=seed)
        for _ in range(2):
            row, *_ = env.step(0)
        rows.append((row, env.unwrapped.sign))
    network = GivenNetwork(policy.policy, layout_of(Recall()), policy.observation_space, memory).eval()
    seen = torch.as_tensor(np.stack([row for row, _ in rows]))
    assert len(np.unique(seen[:, :2].numpy(), axis=0)) == 1
    with torch.no_grad():
        decided = network(seen)[:, :2].argmax(dim=1).tolist()
    assert decided == [sign for _, sign in rows]
    audits = FAST | {"explain": {"rows": 30, "replicates": 20}}
    done = glassbench.audit(policy, env=Recall, playing={"episodes": 30}, audits=audits, runs=tmp_path)
    assert next(m.value for m in done.measures if m.name == "performance.return") == 1.0
    assert "memory" in {str(row[0]) for table in done.audits[1].tables for row in table.rows}


@pytest.mark.parametrize(("name", "id"), [("TQC", "Pendulum-v1"), ("QRDQN", "CartPole-v1")])
def test_policies_of_quantiles_decide_as_they_do_themselves(name, id, tmp_path):
    contrib = pytest.importorskip("sb3_contrib")
    torch.manual_seed(1)

    def make():
        return gymnasium.make(id, max_episode_steps=25)

    policy = getattr(contrib, name)("MlpPolicy", make(), seed=1, device="cpu", policy_kwargs={"net_arch": [16]})
    audits = FAST | {"explain": {"rows": 12, "steps": 8, "replicates": 20}}
    done = glassbench.audit(policy, env=make, playing={"episodes": 4}, audits=audits, runs=tmp_path, seed=3)
    assert unfinished(done) == set()
    frame = read_predictions(done.folder)
    ours = frame.groupby("episode")["reward"].sum().to_numpy()
    np.testing.assert_allclose(ours, own_returns(policy, make, frame), rtol=0, atol=1e-4)


def test_masked_choices_and_environments_without_spaces_are_refused(tmp_path):
    contrib = pytest.importorskip("sb3_contrib")

    class Masked(gymnasium.Wrapper):
        def action_masks(self):
            return np.array([True, False])

    def masked():
        return Masked(gymnasium.make("CartPole-v1"))

    policy = contrib.MaskablePPO("MlpPolicy", masked(), n_steps=16, batch_size=16, device="cpu")
    with pytest.raises(DataError, match="whose choices the environment masks") as caught:
        glassbench.audit(policy, env=masked, runs=tmp_path / "runs")
    assert len(str(caught.value).splitlines()) <= 8
    with pytest.raises(DataError, match="does not say its observation space"):
        glassbench.audit(policy, env=gymnasium.Env, runs=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
    done = glassbench.audit(policy, env="CartPole-v1", playing={"episodes": 2}, audits=FAST, runs=tmp_path / "runs")
    assert done.measures
