"""One update of PPO, term by term: advantages, the clipped gain, what is noted, what is drawn and what is told."""

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import entropy as entropy_of
from torch import nn

from glassbench.contracts.task import Optimization
from glassbench.errors import GlassbenchError
from glassbench_plugins.rl.actor_critic import ActorCritic
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.ppo import PPO, PPOLearner, Rollout


def learner_of(environment_id: str = "CartPole-v1", batch: int = 64, scaled: bool = True, **settings) -> PPOLearner:
    torch.manual_seed(0)
    data, task = environment(1, id=environment_id, lanes=2, scale_rewards=scaled), PPO(rollout=10, **settings)
    task.check(data.schema)
    policy = ActorCritic(data.schema, hidden=(8,), deviation=0.7)
    with torch.no_grad():
        policy.policy[-1].weight.mul_(100)  # a policy that has preferences
    return task.learner(policy, data, Optimization(learning_rate=1e-3, batch_size=batch, seed=1))


def some_rollout(learner: PPOLearner, rows: int = 20) -> Rollout:
    """Actions drawn by another policy than the learner's, so that odds moved by more than the clip allows."""
    generator = torch.Generator().manual_seed(5)
    seen = torch.randn(rows, 4, generator=generator)
    actions = torch.randint(2, (rows,), generator=generator)
    odds, advantages, returns = torch.randn(3, rows, generator=generator)
    return Rollout(seen=seen, actions=actions, odds=odds - 1, advantages=advantages, returns=returns)


def updated(learner: PPOLearner, rollout: Rollout, monkeypatch) -> tuple[list[float], list[dict[str, float]]]:
    """The losses that the update would have descended, and what it noted; no weight moves."""
    losses, notes = [], []
    monkeypatch.setattr(learner, "descent", lambda: lambda loss: losses.append(loss.item()))
    monkeypatch.setattr(learner, "note", lambda **values: notes.append(values))
    learner.update(rollout)
    return losses, notes


def parts_of(learner: PPOLearner, rollout: Rollout, clip: float) -> dict[str, float]:
    """The terms of the loss over a whole rollout, in plain NumPy."""
    with torch.no_grad():
        output = learner.model.network(rollout.seen).double().numpy()
    wanted, value = output[:, :-1], output[:, -1]
    p = np.exp(wanted) / np.exp(wanted).sum(axis=1, keepdims=True)
    now = np.log(p[np.arange(len(p)), rollout.actions.numpy()])
    ratio = np.exp(now - rollout.odds.numpy())
    advantages = rollout.advantages.numpy()
    better = (advantages - advantages.mean()) / advantages.std()
    gains = [min(r * a, min(max(r, 1 - clip), 1 + clip) * a) for r, a in zip(ratio, better, strict=True)]
    error = float(((value - rollout.returns.numpy()) ** 2).mean())
    moved = float((rollout.odds.numpy() - now).mean())
    return {"gain": float(np.mean(gains)), "error": error, "entropy": float(entropy_of(p, axis=1).mean()), "moved": moved}


@pytest.mark.parametrize("entropy", [0.0, 0.3])
def test_the_loss_is_the_clipped_gain_the_error_of_the_value_and_the_entropy(entropy, monkeypatch):
    learner = learner_of(passes=1, entropy=entropy, value=0.25, clip=0.1)
    rollout = some_rollout(learner)
    (loss,), (noted,) = updated(learner, rollout, monkeypatch)
    parts = parts_of(learner, rollout, clip=0.1)
    assert loss == pytest.approx(0.25 * parts["error"] - parts["gain"] - entropy * parts["entropy"], rel=1e-4)
    spread = float(np.var(rollout.returns.numpy()))
    expected = {"train_loss": loss, "odds_moved": parts["moved"], "entropy": parts["entropy"]}
    assert noted == pytest.approx(expected | {"explained_variance": 1 - parts["error"] / spread}, rel=1e-4)


def test_returns_that_hardly_differ_are_explained_by_their_own_spread(monkeypatch):
    learner = learner_of(passes=1)
    rollout = some_rollout(learner)
    rollout = dataclasses.replace(rollout, returns=0.1 * rollout.returns)
    _, (noted,) = updated(learner, rollout, monkeypatch)
    spread = float(np.var(rollout.returns.numpy()))
    assert spread < 1
    assert noted["explained_variance"] == pytest.approx(1 - parts_of(learner, rollout, clip=0.2)["error"] / spread, rel=1e-4)


def test_the_clip_falls_by_a_line_where_it_anneals(monkeypatch):
    learner = learner_of(passes=1, clip=0.4, clip_anneals=True, value=0.0, steps=20)
    learner.optimization = dataclasses.replace(learner.optimization, total_steps=8)
    learner.trainer = SimpleNamespace(global_step=6)
    monkeypatch.setattr(PPOLearner, "global_step", 6)
    rollout = some_rollout(learner)
    (loss,), _ = updated(learner, rollout, monkeypatch)
    assert loss == pytest.approx(-parts_of(learner, rollout, clip=0.1)["gain"], rel=1e-4)
    assert parts_of(learner, rollout, clip=0.1)["gain"] != pytest.approx(parts_of(learner, rollout, clip=0.4)["gain"], rel=1e-3)


def test_every_pass_sees_every_row_once_and_the_last_is_noted(monkeypatch):
    learner, seen = learner_of(batch=8, passes=3), []
    rollout, judge = some_rollout(learner), learner._judge_states
    monkeypatch.setattr(learner, "_judge_states", lambda part: seen.append(part) or judge(part))
    losses, (noted,) = updated(learner, rollout, monkeypatch)
    assert [len(part) for part in seen] == [8, 8, 4] * 3
    orders = [torch.cat(seen[i : i + 3]) for i in (0, 3, 6)]
    assert all(sorted(order[:, 0].tolist()) == sorted(rollout.seen[:, 0].tolist()) for order in orders)
    assert not torch.equal(orders[0], orders[1])
    assert noted["train_loss"] == pytest.approx(np.mean(losses[6:]), rel=1e-5)


def test_values_that_explain_nothing_to_be_explained():
    learner = learner_of()
    learner._note([1.0, 0.1, 0.2, 0.3], 0.0)
    assert learner._noted["explained_variance"] == [0.0]


def test_an_advantage_stops_at_the_end_of_an_episode_and_a_cut_one_goes_on_with_its_own_value():
    learner, random = learner_of(discount=0.5, trace=0.8), np.random.default_rng(0)
    raw, reached = (random.normal(size=(5, 2, 4)).astype(np.float32) for _ in range(2))
    actions, rewards = random.integers(2, size=(5, 2)).astype(np.float32), random.normal(size=(5, 2))
    over, cut = np.zeros((2, 5, 2))
    over[1, 0] = cut[2, 1] = cut[4, 0] = 1
    rollout = learner._judged(raw, reached, actions, rewards, over, cut)
    with torch.no_grad():
        value, following = (
            learner.model.network(torch.as_tensor(x).flatten(0, 1))[:, -1].double().numpy().reshape(5, 2) for x in (raw, reached)
        )
    expected = np.zeros((5, 2))
    for lane in range(2):
        carried = 0.0
        for t in (4, 3, 2, 1, 0):
            carried = 0.0 if over[t, lane] or cut[t, lane] else carried
            after = 0.0 if over[t, lane] else following[t, lane]
            carried = rewards[t, lane] + 0.5 * after - value[t, lane] + 0.5 * 0.8 * carried
            expected[t, lane] = carried
    assert rollout.advantages.numpy() == pytest.approx(expected.ravel(), abs=1e-5)
    assert rollout.returns.numpy() == pytest.approx((expected + value).ravel(), abs=1e-5)
    assert rollout.seen.numpy() == pytest.approx(raw.reshape(10, 4), abs=1e-5)
    assert rollout.actions.tolist() == actions.ravel().tolist()


def test_rows_are_kept_where_an_action_was_taken():
    rollout = some_rollout(learner_of(), rows=4)
    taken = rollout.where(np.array([True, False, False, True]))
    for part in dataclasses.fields(Rollout):
        assert torch.equal(getattr(taken, part.name), getattr(rollout, part.name)[[0, 3]])
    assert rollout.where(np.ones(4, dtype=bool)) is rollout


@pytest.mark.parametrize("scaled", [True, False])
def test_a_rollout_scales_rewards_and_measures_observations_once(scaled):
    learner = learner_of(scaled=scaled)
    assert len(learner.roll().seen) == 20
    assert float(learner.model.reward_scale) == pytest.approx(learner.scale.value)
    assert (learner.scale.value != 1) == scaled
    assert int(learner.model.count) == 20
    assert learner.scale.count == 20 * scaled


def test_a_course_counts_the_minibatches_of_all_passes():
    learner = learner_of(batch=8, passes=4, steps=100)
    assert (learner.course.each, learner.course.updates, learner.course.rounds) == (20, 4 * 3, 5)
    assert learner.optimization.total_steps == 60


def test_choices_are_drawn_by_their_probabilities():
    learner = learner_of()
    wanted = np.log(np.array([[0.2, 0.3, 0.5]])).repeat(6000, axis=0)
    shares = np.bincount(learner._drawn(wanted), minlength=3) / 6000
    assert shares == pytest.approx([0.2, 0.3, 0.5], abs=0.02)


def test_continuous_actions_are_drawn_around_their_mean():
    drawn = learner_of("Pendulum-v1")._drawn(np.full((6000, 1), 2.0))
    assert drawn.shape == (6000, 1)
    assert (drawn.mean(), drawn.std()) == pytest.approx((2.0, 0.7), abs=0.03)


def test_a_network_in_one_piece_is_judged_like_one_in_two():
    learner = learner_of()
    seen = torch.randn(3, 4)
    apart = learner._judge_states(seen)
    learner.model.network = nn.Sequential(learner.model.network)
    assert all(torch.allclose(a, b) for a, b in zip(apart, learner._judge_states(seen), strict=True))


def test_what_a_policy_of_choices_tells():
    learner, output = learner_of(), torch.tensor([[1.0, 3.0, 0.5], [0.0, 0.0, -2.0]])
    told = learner.task._told(learner.model, output)
    p = np.array([[1 / (1 + math.e**2), 1 / (1 + math.e**-2)], [0.5, 0.5]])
    assert told.value.tolist() == [0.5, -2.0]
    assert told.preferences.tolist() == [[1, 3], [0, 0]]
    assert told.more["entropy"] == pytest.approx(entropy_of(p, axis=1))
    scores = [told.more[f"score.{name}"] for name in learner.task._known.target.classes]
    assert np.transpose(scores) == pytest.approx(p)
    assert learner.task.attribution_output(output).tolist() == [[-2, 2, 0.5], [0, 0, -2]]
    assert learner.task.further_attribution_outputs == {"the value of the state": 2}


def test_what_a_continuous_policy_tells():
    learner, output = learner_of("Pendulum-v1"), torch.tensor([[1.5, 0.25], [-1.0, 4.0]])
    told = learner.task._told(learner.model, output)
    assert told.more["entropy"] == pytest.approx(np.full(2, 0.5 * math.log(2 * math.pi * math.e * 0.7**2)))
    assert learner.task.attribution_output(output).tolist() == [[-1.5, 1.5, 0.25], [1, -1, 4]]
    assert (told.preferences.tolist(), told.value.tolist()) == ([[-1.5, 1.5], [1, -1]], [0.25, 4])


def test_a_task_that_has_seen_no_schema_says_so():
    with pytest.raises(GlassbenchError, match="check"):
        PPO().attribution_output(torch.zeros(1, 3))


def test_a_checkpoint_holds_the_scale_of_the_rewards():
    learner, again = learner_of(), learner_of()
    learner.roll()
    assert learner.scale.running.any()
    checkpoint: dict = {}
    learner.on_save_checkpoint(checkpoint)
    again.on_load_checkpoint(checkpoint)
    assert again.scale.value == learner.scale.value
    assert again.scale.running.tolist() == learner.scale.running.tolist()
