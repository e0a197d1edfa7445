"""Scores of classes by what a network gets wrong, and their gradients, against plain differentiation."""

import pytest
import torch

from glassbench_plugins.generation.class_scores import FixedDraws


@pytest.fixture
def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(9 + 5 + 1, 12), torch.nn.Tanh(), torch.nn.Linear(12, 9)).double()


def wrong_of(network):
    def wrong(pictures, classes, times, noise):
        told = torch.nn.functional.one_hot(classes, 5).double()
        mixed = (1 - times[:, None]) * pictures.flatten(1) + times[:, None] * noise.flatten(1)
        off = network(torch.cat([mixed, told, times[:, None]], dim=1)) - noise.flatten(1)
        return off.square().sum(dim=1)

    return wrong


def plain(draws, network, pictures):
    each = []
    for number in range(5):
        wanted, n = torch.full((len(pictures),), number), len(pictures)
        draws_of = zip(draws.times.double(), draws.noise.double(), strict=True)
        off = [wrong_of(network)(pictures, wanted, t.expand(n), noise.expand(pictures.shape)) for t, noise in draws_of]
        each.append(-sum(off) / len(off))
    return torch.stack(each, dim=1)


def log_odds(scores, chosen):
    others = scores.scatter(1, chosen[:, None], -torch.inf)
    return (scores.gather(1, chosen[:, None])[:, 0] - others.logsumexp(dim=1)).sum()


@pytest.mark.parametrize("output", [lambda scores, chosen: scores[:, 2].sum(), log_odds], ids=["score", "log-odds"])
def test_gradients_are_those_of_plain_differentiation(network, output):
    draws = FixedDraws((1, 3, 3), (0.2, 0.8))
    pictures = torch.randn(6, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    asked = (pictures, *network.parameters())
    chosen = torch.tensor([0, 1, 2, 3, 4, 0])
    ours = draws.scores(wrong_of(network), pictures, 5, tuple(network.parameters()))
    theirs = plain(draws, network, pictures)
    assert torch.allclose(ours, theirs, rtol=1e-10)
    pairs = zip(torch.autograd.grad(output(ours, chosen), asked), torch.autograd.grad(output(theirs, chosen), asked), strict=True)
    assert all(torch.allclose(a, b, rtol=1e-3, atol=1e-4 * float(b.abs().max())) for a, b in pairs)


def test_classes_that_have_no_part_are_not_asked_again(network):
    draws, asked = FixedDraws((1, 3, 3), (0.2, 0.8)), []

    def counted(pictures, classes, times, noise):
        asked.append(len(pictures))
        return wrong_of(network)(pictures, classes, times, noise)

    pictures = torch.randn(6, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    scores = draws.scores(counted, pictures, 5)
    assert sum(asked) == 5 * draws.count * 6
    asked.clear()
    scores[:2, 3].sum().backward()
    assert sum(asked) == draws.count * 2
    assert not pictures.grad[2:].any()
