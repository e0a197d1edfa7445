"""An adversary beside the network: it learns as PyTorch's own Adam would, and the gap that it sees is unlearnt."""

import copy
import types

import numpy as np
import pytest
import torch
from torch.nn import functional

import glassbench
from glassbench.contracts.data import Batch
from glassbench_plugins.mitigation.adversarial import Adversarial, AdversarialLoss, Adversary


def gap(run, feature="sex"):
    name = "fairness.demographic_parity_difference"
    return next(m.value for m in run.measures if m.name == name and m.by == (feature,) and m.group is None)


def batch_of(rows=200, seed=0):
    chance = torch.Generator().manual_seed(seed)
    codes = torch.randint(2, (rows,), generator=chance)
    logits = torch.randn(rows, 2, generator=chance)
    logits[:, 1] += 2.0 * codes
    return logits, Batch((logits,), torch.randint(2, (rows,), generator=chance), torch.arange(rows)), codes


def test_its_steps_are_those_of_adam():
    logits, batch, codes = batch_of()
    adversary = Adversary(2, 2, 8, knows_truth=True)
    plain = {name: torch.nn.Parameter(weight.clone()) for name, weight in adversary.weights().items()}
    optimizer = torch.optim.Adam(plain.values(), lr=0.01)
    for _ in range(20):
        adversary.learn(logits, batch.target, codes, torch.ones(200), 0.01)
        optimizer.zero_grad()
        functional.cross_entropy(adversary(logits, batch.target, plain), codes).backward()
        optimizer.step()
    for name, weight in adversary.weights().items():
        torch.testing.assert_close(weight, plain[name].detach(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("planted", [True, False])
def test_what_it_knows_is_added_and_nothing_where_it_knows_nothing(planted):
    logits, batch, codes = batch_of(2000)
    if not planted:
        codes = codes[torch.randperm(2000, generator=torch.Generator().manual_seed(4))]
    loss = AdversarialLoss(Adversary(2, 2, 8, knows_truth=False), codes.numpy(), codes.numpy(), Adversarial(strength=1.0))
    for _ in range(60):
        raised = loss.train()(torch.zeros(2000), logits, batch)
    # Groups whose means lie two standard deviations of a logit apart can be guessed: about 0.3 of 0.69 nats.
    assert (float(raised[0]) > 0.2) == planted
    assert planted or float(raised[0]) < 0.02
    assert float(raised.min()) >= 0


@pytest.mark.parametrize("knows_truth", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_projected_gradients_are_those_of_fairlearns_own_step(knows_truth):
    """Fairlearn's engine takes a step on the same network and adversary; here the loss alone is descended.

    Parameters are vectors: of matrices Fairlearn 0.15 adds up every entry of a matrix product, which is no inner product.
    """
    engine_of = pytest.importorskip("fairlearn.adversarial._pytorch_engine")
    engine_of.torch = torch
    inputs, batch, codes = batch_of()
    network = Vectors()
    adversary = Adversary(2, 2, 8, knows_truth=knows_truth)
    asked = Adversarial(strength=0.7, projection=True, constraint="equalized_odds" if knows_truth else "demographic_parity")
    loss = AdversarialLoss(copy.deepcopy(adversary), codes.numpy(), codes.numpy(), asked).train()
    loss.take_parameters(list(network.parameters()))
    output = network(inputs)
    loss(functional.cross_entropy(output, batch.target, reduction="none"), output, batch).mean().backward()
    own = [p.grad.clone() for p in network.parameters()]

    class Guess(torch.nn.Module):
        def forward(self, seen):
            return adversary(seen[:, :2], batch.target)

    engine = object.__new__(engine_of.PytorchEngine)
    engine.base = types.SimpleNamespace(pass_y_=knows_truth, alpha=0.7)
    engine.predictor_model, engine.adversary_model = network, Guess()
    engine.predictor_loss = engine.adversary_loss = functional.cross_entropy
    engine.predictor_loss = lambda said, truth: functional.cross_entropy(said, truth.argmax(dim=1))
    engine.predictor_optimizer, engine.adversary_optimizer = Still(network), Still(adversary)
    engine.train_step(inputs, functional.one_hot(batch.target, 2).float(), codes)
    for mine, parameter in zip(own, network.parameters(), strict=True):
        torch.testing.assert_close(mine, parameter.grad)
    assert not torch.allclose(own[0], torch.zeros_like(own[0]))


class Vectors(torch.nn.Module):
    """A network of two layers whose parameters are vectors."""

    def __init__(self):
        super().__init__()
        chance = torch.Generator().manual_seed(5)
        self.first, self.second = (torch.nn.Parameter(torch.randn(8, generator=chance)) for _ in range(2))
        self.bias = torch.nn.Parameter(torch.zeros(2))

    def forward(self, inputs):
        return torch.tanh(inputs @ self.first.reshape(2, 4)) @ self.second.reshape(4, 2) + self.bias


class Still:
    """An optimizer that forgets gradients and leaves weights where they are."""

    def __init__(self, module):
        self.module = module

    def zero_grad(self):
        self.module.zero_grad()

    def step(self):
        pass


def test_gradients_of_matrices_are_projected_as_one_vector():
    """What is left of the loss's gradient stands at a right angle to the adversary's."""
    inputs, batch, codes = batch_of()
    network = torch.nn.Linear(2, 2, bias=False)
    loss = AdversarialLoss(
        adversary := Adversary(2, 2, 8, knows_truth=True),
        codes.numpy(),
        codes.numpy(),
        Adversarial(projection=True, strength=1e-9),
    )
    against = functional.cross_entropy(adversary(output := network(inputs), batch.target), codes)
    (theirs,) = torch.autograd.grad(against, [network.weight], retain_graph=True)
    loss.train().take_parameters(list(network.parameters()))
    plain = functional.cross_entropy(output, batch.target, reduction="none")
    (unchanged,) = torch.autograd.grad(plain.mean(), [network.weight], retain_graph=True)
    loss(plain, output, batch).mean().backward()
    assert float((network.weight.grad * theirs).sum()) == pytest.approx(0, abs=1e-7)
    assert abs(float((unchanged * theirs).sum())) > 1e-4


def test_projected_losses_have_the_value_of_the_plain_ones():
    logits, batch, codes = batch_of()
    logits.requires_grad_()
    loss = AdversarialLoss(Adversary(2, 2, 8, knows_truth=True), codes.numpy(), codes.numpy(), Adversarial(projection=True))
    loss.take_parameters([logits])
    plain = functional.cross_entropy(logits, batch.target, reduction="none")
    torch.testing.assert_close(loss.train()(plain, logits, batch), plain)


@pytest.mark.parametrize("settings", [{}, {"projection": True, "strength": 1.0}], ids=["raised", "projected"])
def test_a_gap_is_narrowed_in_a_run(settings, table, experiment, tmp_path):
    """An input gives the sex away, as nothing in the shared table does as surely."""
    table = table.assign(proxy=(table["sex"] == "m") * 2.0)
    asked = {
        **experiment,
        "model": {"use": "mlp", "hidden": [16]},
        "trainer": {"use": "lightning", "max_epochs": 15, "learning_rate": 0.01, "batch_size": 256, "keep": "last"},
        "audits": {"performance": {}, "fairness": {"replicates": 50}},
    }
    plain = glassbench.run(asked, data=table, runs=tmp_path)
    against = {"use": "adversarial", "features": ["sex"], "constraint": "demographic_parity", **settings}
    run = glassbench.run({**asked, "mitigations": [against]}, data=table, runs=tmp_path)
    assert gap(run) < gap(plain) / 2
    accuracy = [next(m.value for m in each.measures if m.name == "performance.accuracy") for each in (plain, run)]
    assert accuracy[1] > np.max([0.6, accuracy[0] - 0.1])
    assert "An adversary guessed the group of sex" in run.report.read_text()
