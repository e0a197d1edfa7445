"""An adversary beside the network: it learns as PyTorch's own Adam would, and the gap that it sees is unlearnt."""

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


def test_a_gap_is_narrowed_in_a_run(table, experiment, tmp_path):
    """An input gives the sex away, as nothing in the shared table does as surely."""
    table = table.assign(proxy=(table["sex"] == "m") * 2.0)
    asked = {
        **experiment,
        "model": {"use": "mlp", "hidden": [16]},
        "trainer": {"use": "lightning", "max_epochs": 15, "learning_rate": 0.01, "batch_size": 256, "keep": "last"},
        "audits": {"performance": {}, "fairness": {"replicates": 50}},
    }
    plain = glassbench.run(asked, data=table, runs=tmp_path)
    against = {"use": "adversarial", "features": ["sex"], "constraint": "demographic_parity"}
    run = glassbench.run({**asked, "mitigations": [against]}, data=table, runs=tmp_path)
    assert gap(run) < gap(plain) / 2
    accuracy = [next(m.value for m in each.measures if m.name == "performance.accuracy") for each in (plain, run)]
    assert accuracy[1] > np.max([0.6, accuracy[0] - 0.1])
    assert "An adversary guessed the group of sex" in run.report.read_text()
