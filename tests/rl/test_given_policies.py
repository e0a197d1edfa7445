"""Policies of stable-baselines3: played and audited here, with the returns of its own evaluation."""

import copy

import gymnasium
import numpy as np
import pytest
import torch
from seeded import Seeded

import glassbench
from glassbench.errors import DataError, SettingsError
from glassbench.runs.artifacts import read_predictions
from glassbench_plugins.rl.given_network import GivenNetwork
from glassbench_plugins.rl.layout import flat, layout_of
from glassbench_plugins.rl.lending import ID as LENDING

sb3 = pytest.importorskip("stable_baselines3")
from stable_baselines3.common.evaluation import evaluate_policy  # noqa: E402
from stable_baselines3.common.monitor import Monitor  # noqa: E402

FAST = {"performance": {"replicates": 50}}


def cart_pole():
    return gymnasium.make("CartPole-v1", max_episode_steps=60)


def pendulum():
    return gymnasium.make("Pendulum-v1", max_episode_steps=30)


def learnt(kind, make, **settings):
    torch.manual_seed(1)
    model = kind("MlpPolicy", make(), seed=1, device="cpu", policy_kwargs={"net_arch": [16]}, **settings)
    return model.learn(128)


POLICIES = {
    "PPO": (lambda: learnt(sb3.PPO, cart_pole, n_steps=64), cart_pole),
    "DQN": (lambda: learnt(sb3.DQN, cart_pole, learning_starts=32), cart_pole),
    "PPO with numbers": (lambda: learnt(sb3.PPO, pendulum, n_steps=64), pendulum),
    "SAC": (lambda: learnt(sb3.SAC, pendulum, learning_starts=100), pendulum),
    "TD3": (lambda: learnt(sb3.TD3, pendulum, learning_starts=100), pendulum),
}


@pytest.mark.parametrize(
    ("name", "given"), [*((name, "a function") for name in POLICIES), ("PPO", "an environment"), ("TD3", "an environment")]
)
def test_returns_are_those_of_its_own_evaluation(name, given, tmp_path):
    policy, make = POLICIES[name][0](), POLICIES[name][1]
    env = make if given == "a function" else make()
    done = glassbench.audit(policy, env=env, playing={"episodes": 6}, audits=FAST, runs=tmp_path, seed=3)
    frame = read_predictions(done.folder)
    ours = frame.groupby("episode")["reward"].sum().to_numpy()
    seeds = frame.groupby("episode")["seed"].first()
    assert seeds.nunique() == 6
    theirs, _ = evaluate_policy(
        policy, Monitor(Seeded(make(), seeds)), n_eval_episodes=6, deterministic=True, return_episode_rewards=True
    )
    assert np.allclose(ours, theirs, rtol=0, atol=1e-5)
    value = next(m.value for m in done.measures if m.name == "performance.return")
    assert value == pytest.approx(np.mean(theirs), abs=1e-6)


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_that_was_just_differentiated_can_be_copied_and_still_acts(name):
    policy, make = POLICIES[name][0](), POLICIES[name][1]
    env = make()
    network = GivenNetwork(policy.policy, layout_of(flat(env)), policy.observation_space)
    seen = torch.as_tensor(env.reset(seed=1)[0])[None].repeat(3, 1).requires_grad_()
    network(seen)[:, 0].sum().backward()
    assert torch.isfinite(seen.grad).all()
    assert (seen.grad != 0).any()
    again = copy.deepcopy(network)
    assert torch.equal(again(seen), network(seen))
    assert policy.predict(seen.detach().numpy(), deterministic=True)[0].shape[0] == 3


def test_a_policy_is_audited_as_those_trained_here_are(tmp_path):
    gymnasium.make(LENDING)  # it is registered

    def lending():
        return gymnasium.make(LENDING, max_episode_steps=40)

    policy = learnt(sb3.PPO, lending, n_steps=64)
    before = {name: tensor.clone() for name, tensor in policy.policy.state_dict().items()}
    audits = {
        "performance": {"replicates": 50},
        "explain": {"rows": 32, "steps": 8, "replicates": 20},
        "fairness": {"replicates": 50},
        "robustness": {"rows": 32},
    }
    playing = {"episodes": 8}
    done = glassbench.audit(policy, env=lending, sensitive="group", playing=playing, audits=audits, runs=tmp_path)
    assert [(audit.audit, audit.error, audit.not_applicable) for audit in done.audits] == [(name, None, None) for name in audits]
    names = {m.name for m in done.measures if m.group == {"group": "B"} and m.value is not None}
    assert {"fairness.selection_rate", "fairness.true_positive_rate"} <= names
    case = next(audit for audit in done.audits if audit.audit == "explain").cases[0]
    assert case.charts
    assert "rate of A" in done.report.read_text()
    assert all(torch.equal(tensor, before[name]) for name, tensor in policy.policy.state_dict().items())
    again = glassbench.load_run(done.folder)
    assert [m.name for m in again.measures] == [m.name for m in done.measures]


@pytest.mark.parametrize(
    ("given", "env", "playing", "problem"),
    [
        (lambda: sb3.PPO, cart_pole, {}, "a class is no policy"),
        (lambda: print, cart_pole, {}, "this is none"),
        (POLICIES["PPO"][0], pendulum, {}, "another observation space"),
        (POLICIES["PPO"][0], "NoSuch-v1", {}, "no environment"),
        (POLICIES["PPO"][0], 5, {}, "env is no environment"),
        (POLICIES["PPO"][0], lambda: 1 / 0, {}, "cannot be made"),
        (POLICIES["PPO"][0], cart_pole, {"episode": 3}, "unknown setting"),
        (POLICIES["PPO"][0], cart_pole, {"episodes": 0}, "value it does not take"),
    ],
)
def test_what_does_not_fit_is_refused(given, env, playing, problem, tmp_path):
    with pytest.raises((DataError, SettingsError), match=problem) as caught:
        glassbench.audit(given(), env=env, playing=playing, runs=tmp_path / "runs")
    assert len(str(caught.value).splitlines()) <= 8
    assert not (tmp_path / "runs").exists()


def test_vector_environments_and_rows_are_refused(tmp_path):
    policy = POLICIES["PPO"][0]()
    with pytest.raises(DataError, match="single environments"):
        glassbench.audit(policy, env=policy.get_env(), runs=tmp_path)
    with pytest.raises(DataError, match="takes no X"):
        glassbench.audit(policy, [[1.0]], env=cart_pole, runs=tmp_path)
    with pytest.raises(DataError, match="audited on rows"):
        glassbench.audit(policy, runs=tmp_path)
    with pytest.raises(SettingsError, match="reports no"):
        glassbench.audit(policy, env=cart_pole, sensitive="sex", runs=tmp_path)


def test_a_policy_with_a_memory_of_an_unknown_kind_is_refused(tmp_path, monkeypatch):
    policy = POLICIES["PPO"][0]()
    monkeypatch.setattr(policy.policy, "lstm_actor", torch.nn.LSTM(4, 8), raising=False)
    with pytest.raises(DataError, match="a policy with a memory of this kind cannot be audited") as caught:
        glassbench.audit(policy, env=cart_pole, runs=tmp_path / "runs")
    assert "FrameStackObservation" in str(caught.value)
    assert not (tmp_path / "runs").exists()
