"""Soft actor-critic, term by term, and whole: what it learns, and what its explanations rest on."""

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import distributions, nn

from glassbench import GlassbenchError, run
from glassbench.contracts.task import Optimization
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.replay import Drawn
from glassbench_plugins.rl.sac import SAC, SACLearner
from glassbench_plugins.rl.soft_actor_critic import SoftActorCritic


def learner_of(**settings) -> SACLearner:
    torch.manual_seed(0)
    data, task = environment(1, id="Pendulum-v1", lanes=2), SAC(**settings)
    task.check(data.schema)
    model = SoftActorCritic(data.schema, hidden=(8, 8))
    with torch.no_grad():
        for head in (model.mean, model.log_deviation):
            head.weight.mul_(50)  # a policy that has preferences
    return task.learner(model, data, Optimization(learning_rate=1e-3, batch_size=16, seed=1))


def some_steps(rows: int = 16) -> Drawn:
    random = np.random.default_rng(3)
    seen, reached = random.normal(size=(2, rows, 3)).astype(np.float32)
    actions = random.uniform(-1, 1, (rows, 1)).astype(np.float32)
    gained, weight = random.normal(size=rows).astype(np.float32), np.where(random.random(rows) < 0.2, 0, 0.9).astype(np.float32)
    return Drawn(seen, actions, gained, reached, weight)


def test_an_action_has_the_density_of_a_squashed_normal():
    network = learner_of().model.network
    rows, noise = torch.randn(2, 50, 3)[0], torch.randn(50, 1)
    action, density = network.drawn(rows, noise)
    seen = network.body(rows)
    normal = distributions.Normal(network.mean(seen), network.log_deviation(seen).exp())
    squashed = distributions.TransformedDistribution(normal, [distributions.transforms.TanhTransform(cache_size=1)])
    free = normal.loc + normal.scale * noise
    assert torch.allclose(action, free.tanh(), atol=1e-6)
    assert torch.allclose(density, squashed.log_prob(squashed.transforms[0](free)).sum(dim=1), atol=1e-4)


def test_twin_critics_are_two_stacks_of_layers_with_weights_of_their_own():
    critics = learner_of().model.network.critics
    seen, actions = torch.randn(7, 3), torch.rand(7, 1)
    both = critics(seen, actions)
    for number in range(2):
        rows = torch.cat([seen, actions], dim=1)
        for layer in critics.layers:
            rows = rows.relu() if isinstance(layer, nn.ReLU) else rows @ layer.weight[number] + layer.bias[number]
        assert torch.allclose(both[number], rows[:, 0], atol=1e-6)
    assert not torch.allclose(both[0], both[1])


def test_the_loss_is_that_of_critics_policy_and_temperature_each_with_its_own_gradient():
    learner, steps = learner_of(entropy_per_dimension=-0.5), some_steps()
    network, target = learner.model.network, learner.target[0]
    with torch.no_grad():
        network.log_temperature.fill_(-0.7)
        for parameter in target.parameters():
            parameter.add_(0.1)
    learner.random = np.random.default_rng(8)
    loss, _ = learner.loss(steps)
    loss.backward()
    found = {name: parameter.grad.clone() for name, parameter in network.named_parameters()}
    network.zero_grad()
    noise = torch.as_tensor(np.random.default_rng(8).standard_normal((32, 1), dtype=np.float32))
    seen, actions, gained, reached, weight = (torch.as_tensor(part) for part in steps)
    temperature = torch.tensor(-0.7).exp()
    following, density = network.drawn(reached, noise[16:])
    wanted = (gained + weight * (target(reached, following).min(dim=0).values - temperature * density)).detach()
    critic = sum(0.5 * nn.functional.mse_loss(one, wanted) for one in network.critics(seen, actions))
    drawn, density = network.drawn(seen, noise[:16])
    policy = (temperature * density - network.critics(seen, drawn).min(dim=0).values).mean()
    alone = {"critics": critic, "policy": policy, "log_temperature": network.log_temperature * (0.5 - density.mean().detach())}
    for name, parameter in network.named_parameters():
        part = name if name in alone else "critics" if name.startswith("critics") else "policy"
        expected = torch.autograd.grad(alone[part], parameter, retain_graph=True)[0]
        assert torch.allclose(found[name], expected, atol=1e-5), name
    assert loss.item() == pytest.approx(sum(part.item() for part in alone.values()), rel=1e-4)


def test_what_is_told_of_an_action_and_what_is_explained():
    learner = learner_of()
    task, rows = learner.task, torch.randn(5, 3)
    output = learner.model.network(rows)
    action, mean, value = output.T
    assert torch.allclose(action, mean.tanh())
    assert torch.equal(task.attribution_output(output), torch.stack([-mean, mean, value], dim=1))
    assert torch.equal(task._told(output).preferences, torch.stack([-action, action], dim=1))
    assert task.further_attribution_outputs == {"the value of the state": 2}


def test_choices_and_other_data_are_refused_with_what_fits():
    with pytest.raises(GlassbenchError, match="'ppo' or 'dqn'"):
        SAC().check(environment(1, id="CartPole-v1").schema)
    with pytest.raises(GlassbenchError, match="continuous actions"):
        SoftActorCritic(environment(1, id="CartPole-v1").schema)


class Follow(gymnasium.Env):
    """The action should be what the first number says; the second says nothing."""

    metadata = {  # noqa: RUF012  # Gymnasium reads it so
        "render_modes": [],
        "names": {"observations": (("wanted", None), ("noise", None)), "actions": ("hand",)},
    }
    observation_space = spaces.Box(-1.0, 1.0, (2,), dtype=np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), dtype=np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self._seen(), {}

    def step(self, action):
        reward = -abs(float(action[0]) - float(self.seen[0]))
        return self._seen(), reward, False, False, {}

    def _seen(self):
        self.seen = self.np_random.uniform(-1, 1, 2).astype(np.float32)
        return self.seen


@pytest.fixture
def follow():
    gymnasium.register(id="test/Follow-v0", entry_point=Follow, max_episode_steps=20)
    yield
    del gymnasium.registry["test/Follow-v0"]


def following(tmp_path, seed: int, **task: object):
    experiment = {
        "name": "follow",
        "dataset": {
            "use": "environment",
            "id": "test/Follow-v0",
            "lanes": 4,
            "evaluation_episodes": 10,
            "validation_episodes": 2,
        },
        "task": {"use": "sac", "steps": 1000, "warm_up": 100, "discount": 0.5, **task},
        "model": {"use": "soft-actor-critic", "hidden": [16, 16]},
        "trainer": {"use": "lightning", "threads": 1, "batch_size": 64, "learning_rate": 1.0e-2},
        "audits": {"performance": {}, "explain": {"rows": 40, "cases": 1, "steps": 8}},
        "gates": [],
        "seed": seed,
    }
    return run(experiment, runs=tmp_path)


def order_of(done) -> list[str]:
    explained = next(audit for audit in done.audits if audit.audit == "explain")
    return [str(row[0]) for row in explained.tables[0].rows]


def test_what_an_action_rests_on_comes_first_and_noise_last(tmp_path, follow):
    done = following(tmp_path, 1)
    assert [a.error for a in done.audits] == [None, None]
    assert next(m.value for m in done.measures if m.name == "performance.return") > -5  # at random about -13
    assert order_of(done)[0] == "wanted"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_what_an_action_rests_on_is_found_with_every_seed(tmp_path, follow, seed):
    assert order_of(following(tmp_path, seed))[0] == "wanted"
