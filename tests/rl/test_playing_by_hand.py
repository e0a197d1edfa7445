"""What is played and told of it by hand: how episodes end, which action counts, what is paid, when weights are kept."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from glassbench.contracts.task import Optimization
from glassbench_plugins.rl.acting import greedy
from glassbench_plugins.rl.actor_critic import ActorCritic
from glassbench_plugins.rl.bodies import body_names
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.dqn import DQN, DQNLearner
from glassbench_plugins.rl.evaluation import Episode, play, steps_frame
from glassbench_plugins.rl.given_network import _action_and_worth
from glassbench_plugins.rl.given_observations import as_read
from glassbench_plugins.rl.maze import Maze
from glassbench_plugins.rl.names import KNOWN
from glassbench_plugins.rl.normalized import Normalized
from glassbench_plugins.rl.playing import clip
from glassbench_plugins.rl.policy import _candidates, _discounted
from glassbench_plugins.rl.ppo import PPO
from glassbench_plugins.rl.q_network import QNetwork
from glassbench_plugins.rl.random_play import at_random
from glassbench_plugins.rl.replay import Drawn
from glassbench_plugins.rl.reward_penalty import RewardPenalty
from glassbench_plugins.rl.soft_actor_critic import SoftActorCritic
from glassbench_plugins.rl.told import values_output
from glassbench_plugins.rl.vector_env import VectorEnv


def learner_of(**settings) -> DQNLearner:
    data, task = environment(1, id="CartPole-v1", lanes=2, scale_rewards=True), DQN(**settings)
    task.check(data.schema)
    return task.learner(QNetwork(data.schema, hidden=(8,)), data, Optimization(batch_size=8, seed=1))


def test_an_episode_that_is_cut_off_has_not_failed_by_falling():
    source = environment(1, id="CartPole-v1", max_episode_steps=5, evaluation_episodes=3).test
    episodes = play(source, lambda seen: (seen[:, 2] > 0).astype(int))
    assert [len(episode.rewards) for episode in episodes] == [5, 5, 5]
    assert set(steps_frame(source, episodes)["failed"]) == {0.0}
    late = environment(1, id="MountainCar-v0", max_episode_steps=4, evaluation_episodes=2).test
    assert set(steps_frame(late, play(late, lambda seen: np.ones(len(seen), dtype=int)))["failed"]) == {1.0}


def test_the_end_that_is_a_failure_is_that_of_a_fall_or_of_a_goal_not_reached():
    late = ("Acrobot", "MountainCar", "MountainCarContinuous")
    assert {name: words.failure for name, words in KNOWN.items() if words.failure is not None} == {
        "CartPole": "terminated",
        **dict.fromkeys(late, "truncated"),
    }


def episode_of(infos: list[dict[str, Any]], number: int = 0) -> Episode:
    n = len(infos)
    made = Episode(number=number, seed=number, context={}, actions=[0] * n, rewards=[1.0] * n, infos=infos, gains=[0.0] * n)
    made.observations = [np.zeros(4, dtype=np.float32)] * n
    return made


def test_a_group_came_as_far_as_from_its_first_step_of_an_episode_to_its_last():
    source = environment(2, id="glassbench/Lending-v0", sensitive=("group",)).test
    fares = [("A", 600.0), ("B", 500.0), ("A", 550.0), ("B", 540.0), ("A", 610.0), ("B", 490.0)]
    infos = [{"group": group, "group_mean_score": score, "repays": 1} for group, score in fares]
    frame = steps_frame(source, [episode_of(infos), episode_of(infos[2:4], number=1)])
    assert frame["outcome"].tolist() == [10.0, -10.0] * 3 + [0.0, 0.0]
    assert frame["fares"].tolist() == [score for _, score in [*fares, *fares[2:4]]]


def test_the_shortest_path_of_an_episode_is_that_from_where_it_began():
    source = environment(1, id="glassbench/Maze-v0").test
    frame = steps_frame(source, [episode_of([{"shortest": k} for k in (5, 4, 3)]), episode_of([{"shortest": 2}], number=1)])
    assert frame["shortest"].tolist() == [5, 5, 5, 2]


def test_an_agent_begins_at_least_two_steps_from_its_goal():
    maze = Maze(size=3, walls=0.5)
    begun = [maze.reset(seed=seed)[1]["shortest"] for seed in range(60)]
    assert min(begun) == 2
    assert max(begun) > 3


def test_actions_are_translated_within_their_range_and_from_their_first_number():
    pendulum = environment(1, id="Pendulum-v1").test.layout
    assert pendulum.translated(np.array([3.0])).tolist() == [2.0]
    assert pendulum.translated_all(np.array([[0.5], [-9.0], [1.0]])).tolist() == [[1.0], [-2.0], [2.0]]
    cart = replace(environment(1, id="CartPole-v1").test.layout, first=3)
    assert cart.translated(1) == 4
    assert cart.translated_all(np.array([0, 1])).tolist() == [3, 4]
    source = environment(2, id="glassbench/Lending-v0", sensitive=("group",)).train
    shifted = replace(source, layout=replace(source.layout, first=5))
    penalty = RewardPenalty()._penalty(shifted)
    assert (penalty.favourable, penalty.right) == (6, 1)


class Fixed(nn.Module):
    """Answers its observations doubled, with another number behind them."""

    def __init__(self) -> None:
        super().__init__()
        self.never = nn.Parameter(torch.zeros(1))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.cat([2 * rows, rows[:, :1]], dim=1)


def test_the_preferred_numbers_of_an_action_lie_within_their_range():
    schema = environment(1, id="Pendulum-v1", normalize_observations=False).schema
    act = greedy(Normalized(Fixed(), schema, paid=1), 1, continuous=True)
    assert act(np.array([[0.25, 0, 0], [3.0, 0, 0], [-0.75, 0, 0]])).tolist() == [[0.5], [1.0], [-1.0]]
    choose = greedy(Normalized(Fixed(), schema, paid=1), 3, continuous=False)
    assert choose(np.array([[0.25, 0, 0], [0.0, 0.1, 0.3]])).tolist() == [0, 2]


def test_expected_returns_are_in_the_environments_rewards_and_preferences_as_they_are():
    model = Normalized(Fixed(), environment(1, id="Pendulum-v1", normalize_observations=False).schema, paid=1)
    model.reward_scale.fill_(4.0)
    assert model(torch.tensor([[1.0, 2.0, 3.0]])).tolist() == [[2.0, 4.0, 6.0, 4.0]]


def test_of_several_dimensions_the_candidate_is_the_one_furthest_from_its_middle():
    actions = np.array([[-0.9, 0.5], [0.2, 0.3], [0.1, -0.8], [0.7, 0.7]])
    assert _candidates(actions, continuous=True).tolist() == [0, 3, 2, 1]
    assert _candidates(np.array([2, 0]), continuous=False).tolist() == [2, 0]


def test_a_return_goes_on_with_the_last_states_value_only_where_an_episode_was_cut_off():
    over, cut = (episode_of([{}, {}], number) for number in range(2))
    over.last, over.terminated, cut.last = np.full(4, 7.0), True, np.full(4, 3.0)
    found = _discounted(nn.Identity(), [over, cut], lambda output: SimpleNamespace(value=output[:, 0]), 0.5)
    assert found.tolist() == [1.5, 1.0, 1 + 0.5 * 2.5, 1 + 0.5 * 3]


def test_random_choices_are_all_drawn_alike():
    drawn = at_random(environment(1, id="Acrobot-v1").test)(np.zeros((3000, 6)))
    assert np.bincount(drawn) == pytest.approx([1000] * 3, abs=120)


def test_lanes_begin_in_contexts_of_their_own_and_take_turns():
    data = environment(1, id="CartPole-v1", lanes=3, contexts={"gravity": [5.0, 9.8], "length": [0.5, 1.0]})
    lanes = VectorEnv(data.train).lanes
    assert [lane.context for lane in lanes] == [data.train.context(k) for k in range(3)]
    assert [lane.environment.unwrapped.gravity for lane in lanes] == [5.0, 5.0, 9.8]
    lanes[0].begin(3)
    assert lanes[0].context == {"gravity": 9.8, "length": 1.0}
    lanes[2].begin(3)
    assert lanes[2].context == {"gravity": 5.0, "length": 1.0}


def test_the_advantage_of_a_choice_is_over_the_mean_and_a_state_is_worth_its_best():
    assert values_output(torch.tensor([[1.0, 5.0, 3.0], [-2.0, -4.0, 0.0]])).tolist() == [[-2, 2, 0, 5], [0, -2, 2, 0]]


def test_a_state_is_worth_what_the_more_doubtful_critic_expects():
    torch.manual_seed(0)
    network = SoftActorCritic(environment(1, id="Pendulum-v1").schema, hidden=(8,))
    rows = torch.randn(40, 3)
    action = network.mean(network.body(rows)).tanh()
    both = network.critics(rows, action)
    assert (both[0] < both[1]).any()
    assert (both[0] > both[1]).any()
    torch.testing.assert_close(network(rows)[:, -1], torch.minimum(both[0], both[1]))


def test_a_given_actors_worth_is_the_least_of_its_critics_or_the_mean_of_its_quantiles():
    seen = torch.tensor([[1.0], [2.0]])

    def critics(rows: torch.Tensor, action: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return rows + action, torch.tensor([[9.0], [-9.0]])

    policy = SimpleNamespace(actor=lambda rows: 0.5 * rows, critic=critics)
    assert _action_and_worth(None, policy, seen).tolist() == [[0.5, 1.5], [1.0, -9.0]]  # type: ignore[arg-type]
    quantiles = SimpleNamespace(actor=policy.actor, critic=lambda rows, _: torch.arange(12.0).reshape(2, 2, 3))
    assert _action_and_worth(None, quantiles, seen).tolist() == [[0.5, 2.5], [1.0, 8.5]]  # type: ignore[arg-type]


def test_choices_that_a_policy_reads_begin_at_their_first_number():
    rows = torch.eye(3)
    assert as_read(spaces.Discrete(3, start=5), rows).tolist() == [5, 6, 7]
    both = spaces.Dict({"a": spaces.Discrete(2, start=-1), "b": spaces.Box(-1, 1, (1,))})
    read = as_read(both, torch.tensor([[0.0, 1.0, 0.25]]))
    assert {name: part.tolist() for name, part in read.items()} == {"a": [0], "b": [[0.25]]}
    several = spaces.MultiDiscrete([2, 3])
    assert as_read(several, torch.tensor([[1.0, 0, 0, 0, 1]])).tolist() == [[0, 2]]


def test_joints_are_named_by_what_they_can_do():
    joints = [("root", 0), ("hip", 1), ("rail", 2), ("knee", 3)]
    model = SimpleNamespace(
        njnt=4,
        nu=2,
        jnt_type=[kind for _, kind in joints],
        joint=lambda i: SimpleNamespace(name=joints[i][0]),
        actuator_trnid=[[2, 0], [3, 0]],
    )
    body = SimpleNamespace(model=model, observation_structure={"skipped_qpos": 2, "qpos": 11, "qvel": 11, "cfrc": 2}, spec=None)
    names = body_names(SimpleNamespace(unwrapped=body))  # type: ignore[arg-type]
    assert names is not None
    assert [name for name, _ in names.observations] == [
        "z of root",
        *(f"orientation {part} of root" for part in "wxyz"),
        *(f"orientation {part} of hip" for part in "wxyz"),
        "position of rail",
        "angle of knee",
        *(f"velocity {axis} of root" for axis in "xyz"),
        *(f"angular velocity {axis} of root" for axis in "xyz"),
        *(f"angular velocity {axis} of hip" for axis in "xyz"),
        "velocity of rail",
        "angular velocity of knee",
        "cfrc 0",
        "cfrc 1",
    ]
    assert names.actions == ("force at rail", "torque at knee")
    assert names.failure is None


@torch.no_grad()
def test_the_second_network_moves_a_share_of_the_way_to_the_first():
    learner = learner_of(target_share=0.25)
    before = [p.clone() for p in learner.target[0].parameters()]
    for parameter in learner.learnt[0].parameters():
        parameter.add_(1.0)
    learner.following()()
    for old, parameter in zip(before, learner.target[0].parameters(), strict=True):
        torch.testing.assert_close(parameter, old + 0.25)


@torch.no_grad()
def test_rewards_are_learnt_on_their_scale():
    learner, random = learner_of(), np.random.default_rng(0)
    seen, reached = random.normal(size=(2, 6, 4)).astype(np.float32)
    gained, over = random.normal(size=6).astype(np.float32), np.zeros(6, dtype=np.float32)
    steps = Drawn(seen, random.integers(2, size=6), 10 * gained, reached, over)
    plain = learner.loss(steps._replace(gained=gained))[0]
    learner.scale.count, learner.scale.squares = 4.0, 400.0
    assert learner.scale.value == 10
    torch.testing.assert_close(learner.loss(steps)[0], plain)


@pytest.mark.parametrize(("warm_up", "rounds"), [(0, 10), (128, 8), (10_000, 1)])
def test_a_schedule_runs_over_the_updates_behind_the_warm_up(warm_up, rounds):
    learner = learner_of(steps=640, rollout=32, updates=7, warm_up=warm_up)
    assert learner.optimization.total_steps == rounds * 7


def test_of_equally_good_weights_the_latest_are_kept_and_training_ends_at_the_return_asked_for(monkeypatch):
    learner, returns = learner_of(steps=6400, stop_at=20.0), iter([10.0, 12.0, 12.0, 11.0, 20.0])
    trainer = SimpleNamespace(current_epoch=0, should_stop=False)
    logged: dict[str, float] = {}
    monkeypatch.setattr(learner, "_trainer", trainer)
    monkeypatch.setattr(learner, "log", lambda name, value: logged.update({name: value}))
    monkeypatch.setattr(learner, "judge", lambda: next(returns))
    monkeypatch.setattr(learner, "drain", lambda: [(float(trainer.current_epoch), 2)] * 40)
    first, kept, ended, means = next(learner.model.parameters()), [], [], []
    for epoch in range(5):
        trainer.current_epoch = epoch
        with torch.no_grad():
            first.fill_(float(epoch))
        learner.on_train_epoch_end()
        kept.append(
            float(next(iter(learner._best[name] for name, p in learner.model.named_parameters() if p is first)).flatten()[0])
        )
        ended.append(trainer.should_stop)
        means.append(logged["train_return"])
    assert kept == [0, 1, 2, 2, 4]
    assert ended == [False] * 4 + [True]
    assert "reached 20" in str(learner.ended)
    assert means == pytest.approx([0, 0.5, (20 * 0 + 40 + 80) / 100, (20 * 1 + 80 + 120) / 100, (20 * 2 + 120 + 160) / 100])


def test_observations_are_measured_of_steps_that_were_taken():
    torch.manual_seed(0)
    data, task = environment(1, id="CartPole-v1", lanes=2, vectorization="vector"), PPO(rollout=128)
    task.check(data.schema)
    learner = task.learner(ActorCritic(data.schema, hidden=(8,)), data, Optimization(seed=1))
    rollout = learner.roll()
    assert learner.model.count == len(rollout.seen) < 256
    torch.testing.assert_close(learner.model.mean, rollout.seen.double().mean(dim=0), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("limit", "factor"), [(5.0, 1.0), (50.0, 1.0), (2.5, 0.5)])
def test_a_gradient_within_its_limit_stays_as_it_is(limit, factor):
    parameters = [nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))]
    parameters[0].grad, parameters[1].grad = torch.tensor([3.0]), torch.tensor([-4.0])
    clip(parameters, limit)
    assert [p.grad.item() for p in parameters[:2]] == pytest.approx([3 * factor, -4 * factor], rel=1e-5)
