"""A policy played: each step's decision, value and preferences are those of the network at its state, and nothing is drawn."""

import numpy as np
import pytest
import torch

from glassbench.contracts.task import Optimization
from glassbench_plugins.rl.actor_critic import ActorCritic
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.ppo import PPO


def played(environment_id: str):
    torch.manual_seed(0)
    data, task = environment(1, id=environment_id, lanes=2, max_episode_steps=30, evaluation_episodes=3), PPO(discount=0.9)
    task.check(data.schema)
    learner = task.learner(ActorCritic(data.schema, hidden=(8,), deviation=0.7), data, Optimization(seed=1))
    model = learner.model.eval()
    return task, model, task.predict(model, data.test)


@torch.no_grad()
def test_a_policy_of_choices_takes_the_action_it_prefers_and_tells_its_value():
    task, model, found = played("CartPole-v1")
    frame, output = found.frame, model(*found.source.inputs)
    classes = np.array(task._known.target.classes)
    assert frame["y_pred"].tolist() == classes[output[:, :-1].argmax(dim=1).numpy()].tolist()
    assert frame["value"].to_numpy() == pytest.approx(output[:, -1].numpy(), abs=1e-5)
    assert frame["episode"].nunique() == 3
    wanted = output[:, :-1]
    assert frame["spread"].to_numpy() == pytest.approx((wanted.max(dim=1).values - wanted.min(dim=1).values).numpy(), abs=1e-5)
    rows = task.predict_rows(model, found.source)
    assert rows.frame["y_pred"].tolist() == frame["y_pred"].tolist()
    assert task.attribution_output_name == "the log-odds of the action taken against all others"


@torch.no_grad()
def test_a_policy_of_numbers_takes_its_mean_and_keeps_no_rows():
    task, model, found = played("Pendulum-v1")
    frame, output = found.frame, model(*found.source.inputs)
    assert frame["value"].to_numpy() == pytest.approx(output[:, -1].numpy(), abs=1e-4)
    assert np.sign(frame["action.0"]).to_numpy() == pytest.approx(np.sign(output[:, 0].numpy()))
    assert task.predict_rows(model, found.source) is None
    assert task.attribution_output_name == "the action taken, in its own direction"


@torch.no_grad()
def test_discounted_returns_are_those_of_the_rewards_by_a_loop():
    found = played("CartPole-v1")[2]
    for _, episode in found.frame.groupby("episode"):
        rewards, told = episode["reward"].to_numpy(), episode["discounted"].to_numpy()
        later = [told[t] - rewards[t] for t in range(len(told))]
        assert later[:-1] == pytest.approx([0.9 * told[t + 1] for t in range(len(told) - 1)], abs=1e-4)
