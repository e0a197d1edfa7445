"""The arithmetic of learning by interaction, against sums done by hand and plain loops."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from glassbench.contracts.task import Optimization
from glassbench_plugins.rl.actor_critic import ActorCritic
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.dqn import DQN, DQNLearner
from glassbench_plugins.rl.normalized import Normalized
from glassbench_plugins.rl.playing import Course, clip
from glassbench_plugins.rl.ppo import PPO, PPOLearner, advantage
from glassbench_plugins.rl.q_network import QNetwork
from glassbench_plugins.rl.replay import Replay, Steps
from glassbench_plugins.rl.reward_scale import RewardScale

OPTIMIZATION = Optimization(learning_rate=1e-3, batch_size=32, seed=1)


def cartpole(**settings):
    return environment(1, id="CartPole-v1", lanes=2, **settings)


def dqn_learner(**settings) -> DQNLearner:
    data, task = cartpole(), DQN(**settings)
    task.check(data.schema)
    return task.learner(QNetwork(data.schema, hidden=(8,)), data, OPTIMIZATION)


def some_steps(n: int, random: np.random.Generator) -> Steps:
    seen, reached = (random.normal(size=(n, 4)).astype(np.float32) for _ in range(2))
    actions, rewards = random.integers(2, size=n), random.normal(size=n).astype(np.float32)
    over, cut = random.random((2, n)) < 0.1
    return Steps(seen, actions, rewards, reached, over, over | cut, np.ones(n, dtype=bool))


@pytest.mark.parametrize("capacity", [40, 24])
def test_steps_that_began_an_episode_are_never_drawn_and_those_taken_all_are(capacity):
    """Every third step was spent on a beginning; of a full buffer the oldest have made room."""
    steps = some_steps(40, np.random.default_rng(0))._replace(
        rewards=np.arange(40, dtype=np.float32), taken=np.arange(40) % 3 > 0
    )
    replay = Replay(cartpole().train.layout, 2, capacity)
    replay.add(steps)
    held = [k for k in range(40 - capacity, 40) if k % 3 > 0]
    drawn = replay.draw(2000, np.random.default_rng(1), ahead=1, discount=0.9)
    assert sorted(set(drawn.gained.tolist())) == held
    counts = np.unique(drawn.gained, return_counts=True)[1]
    assert counts.min() > 0.4 * 2000 / len(held)
    assert replay.last(3).rewards.tolist() == [39.0, 38.0, 37.0]
    again = Replay(cartpole().train.layout, 2, capacity)
    again.load_state_dict(replay.state_dict())
    same = again.draw(50, np.random.default_rng(2), ahead=3, discount=0.9)
    assert same.gained.tolist() == replay.draw(50, np.random.default_rng(2), ahead=3, discount=0.9).gained.tolist()


def test_advantages_add_discounted_surprises_up_to_the_end_of_an_episode():
    rewards, values, following = (np.array([[a], [b], [c]], dtype=float) for a, b, c in ((1, 2, 3), (4, 5, 6), (5, 0, 7)))
    ended = np.array([[False], [True], [False]])
    d0, d1, d2 = 1 + 0.5 * 5 - 4, 2 + 0 - 5, 3 + 0.5 * 7 - 6
    expected = [d0 + 0.5 * 0.8 * d1, d1, d2]
    assert advantage(rewards, values, following, ended, 0.5, 0.8)[:, 0] == pytest.approx(expected)


def test_with_a_trace_of_one_an_advantage_is_the_discounted_return_minus_the_value():
    random = np.random.default_rng(1)
    rewards, values = random.normal(size=(2, 6, 3))
    following = np.concatenate([values[1:], random.normal(size=(1, 3))])
    gained = advantage(rewards, values, following, np.zeros((6, 3), dtype=bool), 0.9, 1.0)
    total = following[-1]
    for t in range(5, -1, -1):
        total = rewards[t] + 0.9 * total
        assert gained[t] == pytest.approx(total - values[t])


def test_the_gradient_is_clipped_as_pytorch_clips_it():
    ours, theirs = (nn.ParameterList([nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(2, 2))]) for _ in range(2))
    for both in zip(ours, theirs, strict=True):
        for parameter in both:
            parameter.grad = torch.arange(parameter.numel(), dtype=torch.float32).reshape(parameter.shape)
    clip(list(ours), 0.5)
    nn.utils.clip_grad_norm_(theirs, 0.5)
    assert all(torch.allclose(a.grad, b.grad, atol=1e-7) for a, b in zip(ours, theirs, strict=True))


def test_a_rollout_says_what_the_policy_thought_when_it_acted():
    data, task = cartpole(), PPO(rollout=20)
    task.check(data.schema)
    learner = task.learner(ActorCritic(data.schema, hidden=(8,)), data, OPTIMIZATION)
    assert isinstance(learner, PPOLearner)
    rollout = learner.roll()
    output = learner.model.network(rollout.seen)
    expected = torch.distributions.Categorical(logits=output[:, :-1]).log_prob(rollout.actions)
    assert torch.allclose(rollout.odds, expected, atol=1e-6)
    assert len(rollout.seen) == 40


def test_a_continuous_action_has_the_density_of_a_normal():
    data, task = environment(1, id="Pendulum-v1", lanes=2), PPO(rollout=20)
    task.check(data.schema)
    learner = task.learner(ActorCritic(data.schema, hidden=(8,), deviation=0.7), data, OPTIMIZATION)
    rollout = learner.roll()
    normal = torch.distributions.Normal(learner.model.network(rollout.seen)[:, :-1], 0.7)
    odds, entropy = learner._odds(normal.loc, rollout.actions)
    assert torch.allclose(rollout.odds, normal.log_prob(rollout.actions).sum(dim=1), atol=1e-5)
    assert torch.allclose(odds, rollout.odds, atol=1e-5)
    assert torch.allclose(entropy(), normal.entropy().sum(dim=1), atol=1e-5)


def filled(added: int = 13) -> tuple[Replay, list[Steps]]:
    """A buffer of 8 rounds in 3 lanes, and every round ever added."""
    random, replay = np.random.default_rng(0), Replay(cartpole().train.layout, 3, 25)
    rounds = [some_steps(3, random) for _ in range(added)]
    for one in rounds:
        replay.add(one)
    return replay, rounds


def test_the_replay_buffer_keeps_the_last_steps():
    replay, rounds = filled()
    kept = np.concatenate([one.rewards for one in rounds[-8:]])
    assert sorted(replay.kept.rewards) == sorted(kept)
    assert replay.last(4).rewards.tolist() == kept[::-1][:4].tolist()
    again = Replay(cartpole().train.layout, 3, 25)
    again.load_state_dict(replay.state_dict())
    drawn = [buffer.draw(20, np.random.default_rng(3), ahead=2, discount=0.9) for buffer in (replay, again)]
    assert all(np.array_equal(a, b) for a, b in zip(*drawn, strict=True))


@pytest.mark.parametrize("added", [5, 13])
def test_a_step_is_drawn_with_what_followed_it_in_its_lane(added):
    replay, rounds = filled(added)
    rounds = rounds[-8:]
    drawn = replay.draw(200, np.random.default_rng(1), ahead=3, discount=0.9)
    for i in range(200):
        t, lane = next((t, k) for t, one in enumerate(rounds) for k in range(3) if np.array_equal(one.seen[k], drawn.seen[i]))
        gained, weight, last = 0.0, 1.0, t
        for step in range(t, min(t + 3, len(rounds))):
            gained, weight, last = gained + weight * rounds[step].rewards[lane], weight * 0.9, step
            if rounds[step].ended[lane]:
                break
        assert drawn.gained[i] == pytest.approx(gained, abs=1e-6)
        assert drawn.weight[i] == pytest.approx(0 if rounds[last].over[lane] else weight)
        assert np.array_equal(drawn.reached[i], rounds[last].reached[lane])


@torch.no_grad()
@pytest.mark.parametrize("double", [True, False])
def test_what_an_action_should_be_worth(double):
    learner = dqn_learner(double=double)
    for parameter in learner.target[0].parameters():
        parameter.add_(torch.randn_like(parameter))
    steps = filled()[0].draw(16, np.random.default_rng(2), ahead=2, discount=0.9)
    now, later = learner.model.network, learner.target[0]
    seen, reached = torch.as_tensor(steps.seen), torch.as_tensor(steps.reached)
    wanted, had = [], []
    for i in range(16):
        values = later(reached[i : i + 1])[0]
        chooser = now(reached[i : i + 1])[0] if double else values
        wanted.append(float(steps.gained[i]) + float(steps.weight[i]) * float(values[int(chooser.argmax())]))
        had.append(float(now(seen[i : i + 1])[0, int(steps.actions[i])]))
    loss, mean = learner.loss(steps)
    expected = nn.functional.smooth_l1_loss(torch.tensor(had), torch.tensor(wanted))
    assert float(loss) == pytest.approx(float(expected), rel=1e-4)
    assert float(mean) == pytest.approx(np.mean(had), rel=1e-4)


def test_a_duelling_network_adds_a_value_to_advantages_of_mean_zero():
    network = QNetwork(cartpole().schema, hidden=(8,))
    rows = torch.randn(5, 4)
    seen = network.body(rows)
    assert torch.allclose(network(rows).mean(dim=1, keepdim=True), network.value(seen), atol=1e-6)
    assert torch.equal(network(rows).argmax(dim=1), network.preferring(rows).argmax(dim=1))


def test_random_actions_grow_rare():
    learner = dqn_learner(steps=10_000, warm_up=100, explores=0.5, explores_last=0.1)
    found = {}
    for played in (0, 99, 2500, 5000, 9999):
        learner.played = played
        found[played] = learner.exploration
    assert found == pytest.approx({0: 1.0, 99: 1.0, 2500: 0.55, 5000: 0.1, 9999: 0.1})


def test_observations_are_standardised_by_all_that_was_seen():
    schema = cartpole().schema
    model = Normalized(nn.Identity(), schema, paid=0)
    rows = np.random.default_rng(0).normal(3, 5, (60, 4))
    for part in np.array_split(rows, 7):
        model.observe(part)
    expected = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    assert model.standardized(rows) == pytest.approx(expected, abs=1e-5)
    assert model(torch.as_tensor(rows, dtype=torch.float32)).numpy() == pytest.approx(expected, abs=1e-4)


def test_observations_stay_as_they_are_where_that_is_asked_for():
    model = Normalized(nn.Identity(), cartpole(normalize_observations=False).schema, paid=0)
    rows = np.random.default_rng(0).normal(3, 1, (60, 4))
    model.observe(rows)
    assert model.standardized(rows) == pytest.approx(rows, abs=1e-5)


@pytest.mark.parametrize("waits", [False, True])
def test_rewards_are_scaled_by_the_deviation_of_the_discounted_return(waits):
    random = np.random.default_rng(0)
    scale, running, seen, ended = RewardScale(2, 0.9), np.zeros(2), [], np.zeros(2, dtype=bool)
    for t in range(50):
        taken = ~ended if waits else np.ones(2, dtype=bool)
        rewards, ended = taken * random.normal(size=2), taken & [t % 7 == 6, t % 5 == 4]
        running = 0.9 * running + rewards
        seen += running[taken].tolist()
        running[ended] = 0
        scale.observe(rewards, ended, taken)
    assert scale.value == pytest.approx(np.std(seen))


@pytest.mark.parametrize(("steps", "each"), [(2400, 80), (100, 1000), (64_000, 1024), (2000, 100)])
def test_epochs_share_all_rounds(steps, each):
    course = Course(steps=steps, each=each, updates=1, stop_at=None, keep="best")
    shares = [course.rounds_of(epoch) for epoch in range(25)]
    assert sum(shares) == course.rounds
    assert sum(share > 0 for share in shares) == min(20, course.rounds)
    assert course.done(24) == course.rounds * each


@pytest.mark.parametrize(("over", "cut"), [(True, False), (False, True), (False, False)])
def test_the_running_return_starts_again_where_an_episode_ended_or_was_cut_off(over, cut, monkeypatch):
    data, task = cartpole(), PPO(rollout=3)
    task.check(data.schema)
    learner = task.learner(ActorCritic(data.schema, hidden=(8,)), data, OPTIMIZATION)
    learner.source = replace(learner.source, scale_rewards=True)
    step, seen = learner.lanes.step, []
    ends = {"terminated": np.full(2, over), "truncated": np.full(2, cut)}
    monkeypatch.setattr(learner.lanes, "step", lambda actions: replace(step(actions), **ends))
    monkeypatch.setattr(learner.scale, "observe", lambda rewards, ended, taken: seen.append(ended.tolist()))
    learner.roll()
    assert seen == [[over or cut] * 2] * 3


def test_a_learner_that_remembers_measures_what_all_lanes_saw_lately() -> None:
    learner, seen = dqn_learner(steps=1000, warm_up=10, rollout=5), []
    assert len(learner.lanes) == 2

    def choose(observations: np.ndarray) -> np.ndarray:
        seen.append(observations.copy())
        return np.zeros(2, dtype=np.int64)

    learner.play(choose)
    rows = np.concatenate(seen)
    assert float(learner.model.count) == len(rows) == 10
    assert learner.model.mean.numpy() == pytest.approx(rows.mean(axis=0), abs=1e-6)
