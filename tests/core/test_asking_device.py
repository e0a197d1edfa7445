"""A network that computes on a device is asked from the CPU."""

import pytest
import torch
from torch import nn

from glassbench.pipeline.asking_device import answer_from, asked_on


class Noting(nn.Module):
    """Notes on which device it is asked, and answers on the CPU."""

    def forward(self, rows, *, mask):
        self.seen = [rows.device.type, mask[0].device.type]
        return {"scores": torch.ones(2), "shape": tuple(rows.shape)}


def test_all_that_it_is_called_with_is_brought_to_the_device():
    network = Noting()
    answer_from(network, torch.device("meta"))
    answered = network(torch.zeros(2, 3), mask=[torch.ones(1)])
    assert network.seen == ["meta", "meta"]
    assert answered["scores"].tolist() == [1.0, 1.0]
    assert answered["shape"] == (2, 3)


def test_an_answer_is_brought_back_and_not_left_on_the_device():
    network = nn.Linear(3, 2, device="meta")
    answer_from(network, torch.device("meta"))
    with pytest.raises(NotImplementedError, match="meta"):  # there is nothing to bring back from there
        network(torch.zeros(1, 3))


def test_on_the_cpu_it_is_the_network_itself():
    network = nn.Linear(3, 2)
    assert asked_on(network, "cpu") is network


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_gradients_come_back_from_a_gpu():
    network = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2))
    rows = torch.randn(4, 5, requires_grad=True)
    here = torch.autograd.grad(network(rows)[:, 0].sum(), rows)[0]
    answers = asked_on(network, "cuda")(rows)
    assert answers.device.type == "cpu"
    torch.testing.assert_close(torch.autograd.grad(answers[:, 0].sum(), rows)[0], here, rtol=1e-4, atol=1e-5)
    assert next(network.parameters()).device.type == "cpu"
