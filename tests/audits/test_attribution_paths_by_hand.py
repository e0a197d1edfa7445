"""Paths, propagated differences, windows and attention, on networks small enough to work out by hand."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, LayerIntegratedGradients, Occlusion
from formula_models import Formula, Raw, request
from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.estimator import EstimatorModule
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.predictions.values import Values
from glassbench_audits.attribution.activations import hidden_activations
from glassbench_audits.attribution.certainty import certainty_floor
from glassbench_audits.attribution.deep_lift import deep_lift
from glassbench_audits.attribution.explained import Explained, Rows
from glassbench_audits.attribution.grad_cam import grad_cam, last_convolution
from glassbench_audits.attribution.gradients import gauss_legendre, layer_path_integral, path_integral
from glassbench_audits.attribution.occlusion import occlusion
from glassbench_audits.attribution.rollout import attention_of, attention_rollout

POINTS = torch.tensor([[1.0, 2.0], [0.5, -1.0], [3.0, 1.0]])
STARTS = torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])


def test_the_path_of_a_product_is_shared_by_the_mean_of_the_other_factor() -> None:
    """Of x y, the integral along the line gives each factor its change times the mean of the other's ends."""
    explained = Explained(Formula(lambda x, gate: x[:, 0] * x[:, 1] * gate), Raw(Values()))
    rows = Rows(inputs=POINTS, others=(torch.tensor([1.0, 2.0, 3.0]),))
    found = path_integral(explained, rows, STARTS, 3)
    change, middle = POINTS - STARTS, (POINTS + STARTS) / 2
    expected = change * middle.flip(1) * rows.others[0][:, None]
    torch.testing.assert_close(found, expected)
    assert not found.requires_grad


class Layered(nn.Module):
    """The product of two doubled inputs: the doubling is attributed to."""

    attribution_layer = "twice"

    def __init__(self) -> None:
        super().__init__()
        self.twice = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.twice.weight.copy_(2 * torch.eye(2))

    def forward(self, x: Tensor) -> Tensor:
        return self.twice(x).tanh().prod(dim=1)


def test_the_path_of_a_layer_is_captums() -> None:
    model = Layered()
    explained = Explained(model, Raw(Values()))
    found = layer_path_integral(explained, Rows(inputs=POINTS), STARTS, 30)
    expected = LayerIntegratedGradients(model, model.twice).attribute(POINTS, STARTS, n_steps=30)
    torch.testing.assert_close(found, expected.detach().to(found), atol=1e-5, rtol=1e-4)
    points, weights = gauss_legendre(30)
    assert (len(points), weights.sum()) == (30, pytest.approx(1.0))


def test_deep_lift_of_a_choice_among_three_follows_the_line_between_scores() -> None:
    """Of straight scores, each input counts with the slope of the log-odds, averaged along the way: integrated gradients."""
    torch.manual_seed(0)
    model = nn.Linear(2, 3)
    rows = Rows(inputs=POINTS, target_index=torch.tensor([0, 2, 1]))
    made = request(model, rows, STARTS, [0, 1], Classes())
    odds = lambda x: x.log_softmax(dim=1).exp().logit()  # noqa: E731
    expected = IntegratedGradients(lambda x: odds(model(x))).attribute(POINTS, STARTS, target=rows.target_index, n_steps=50)
    torch.testing.assert_close(deep_lift(made), expected.detach().float(), atol=1e-5, rtol=1e-4)
    one = request(model, rows, STARTS[:1], [0, 1], Classes())
    expected = IntegratedGradients(lambda x: odds(model(x))).attribute(POINTS, STARTS[:1], target=rows.target_index, n_steps=50)
    torch.testing.assert_close(deep_lift(one), expected.detach().float(), atol=1e-5, rtol=1e-4)


def test_deep_lift_of_values_shares_a_bend_by_its_slope() -> None:
    """relu(x + y - 2) from (0, 1) to (1, 2) rises by one; each input moved by one."""
    model = nn.Sequential(nn.Linear(2, 1), nn.ReLU(), nn.Flatten(0))
    with torch.no_grad():
        model[0].weight.fill_(1.0)
        model[0].bias.fill_(-2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Captum's warning about its hooks is kept from the reader
        found = deep_lift(request(model, Rows(inputs=POINTS[:1]), STARTS[:1], [0, 1]))
    assert found.tolist() == [[0.5, 0.5]]


class Twice(nn.Module):
    """One activation, used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.bend = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.bend(self.bend(x) - 1)


SEEN = [nn.Linear(2, 2), nn.ReLU(), nn.Sequential(nn.Tanh(), nn.ReLU()), nn.Softmax(dim=1), nn.MaxPool1d(1)]
FUNCTIONS = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": lambda x: x.sigmoid(),
    "softmax": lambda x: x.softmax(dim=1),
    "gelu": functional.gelu,
    "clamp": lambda x: x.clamp(min=0),
    "exp": torch.exp,
    "max_pool1d": lambda x: functional.max_pool1d(x[None], 1)[0],
}


@pytest.mark.parametrize("model", SEEN, ids=lambda model: type(model).__name__)
def test_activations_that_are_modules_are_seen(model: nn.Module) -> None:
    assert hidden_activations(Explained(model, Raw(Values())), Rows(inputs=torch.ones(3, 2))) is None


@pytest.mark.parametrize("name", FUNCTIONS)
def test_activations_called_as_functions_are_named(name: str) -> None:
    model = Formula(lambda x: FUNCTIONS[name](x).sum(dim=1))
    told = hidden_activations(Explained(model, Raw(Values())), Rows(inputs=torch.ones(3, 2)))
    assert name in told or "boolean_dispatch" in told


def test_activations_are_told_in_order_and_used_twice_apart() -> None:
    both = Formula(lambda x, y: torch.tanh(torch.relu(x) + y))
    told = hidden_activations(Explained(both, Raw(Values())), Rows(inputs=torch.ones(3, 2), others=(torch.ones(3, 2),)))
    assert "(relu, tanh)" in told
    explained = Explained(nn.Sequential(nn.Linear(2, 2), Twice()), Raw(Values()))
    assert "more than once" in hidden_activations(explained, Rows(inputs=torch.ones(3, 2)))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in explained.model.modules())


IMAGES = torch.randn(3, 2, 8, 4, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("size", [1, 4096])
def test_occlusion_slides_a_quarter_of_each_side_by_half_of_it(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Explained, "pass_rows", size)
    model = Formula(lambda x: (x * x.roll(1, 2)).sum(dim=(1, 2, 3)))
    made = request(model, Rows(inputs=IMAGES), torch.full((1, 2, 8, 4), 0.5), [0])
    expected = Occlusion(model).attribute(IMAGES, sliding_window_shapes=(2, 2, 1), strides=(2, 1, 1), baselines=0.5)
    torch.testing.assert_close(occlusion(made), expected.detach(), atol=1e-5, rtol=1e-4)


def test_occlusion_of_a_sum_is_the_mean_of_what_windows_hide() -> None:
    """Windows are four by four of sixteen, and slide by two: each even corner from 0 to 12."""
    image = torch.arange(256.0).reshape(1, 1, 16, 16)
    found = occlusion(request(Formula(lambda x: x.sum(dim=(1, 2, 3))), Rows(inputs=image), torch.zeros_like(image), [0]))
    hidden = {(r, c): image[0, 0, r : r + 4, c : c + 4].sum().item() for r in range(0, 13, 2) for c in range(0, 13, 2)}
    for row, column in ((0, 0), (5, 2), (8, 8), (15, 9)):
        over = [worth for (r, c), worth in hidden.items() if r <= row < r + 4 and c <= column < c + 4]
        assert found[0, 0, row, column].item() == pytest.approx(np.mean(over), rel=1e-4)


class Pooled(nn.Module):
    """The weighted means of two channels of a convolution."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.first, self.second = nn.Conv2d(2, 3, 3), nn.Conv2d(3, 2, 3, padding=1)
        self.weights = torch.tensor([2.0, -1.0])

    def forward(self, images: Tensor) -> Tensor:
        return self.second(self.first(images)).mean(dim=(2, 3)) @ self.weights


def test_grad_cam_weighs_channels_by_their_mean_gradient() -> None:
    """Of a weighted mean, the gradient of a channel is its weight over the number of places."""
    images, model = torch.randn(2, 2, 8, 8, generator=torch.Generator().manual_seed(1)), Pooled()
    found = grad_cam(request(model, Rows(inputs=images), torch.zeros_like(images), [0]))
    maps = model.second(model.first(images)).detach()
    weighted = (maps * model.weights[:, None, None] / 36).sum(dim=1, keepdim=True).clamp(min=0)
    enlarged = functional.interpolate(weighted, size=(8, 8), mode="bilinear", align_corners=False)
    torch.testing.assert_close(found, enlarged.expand(2, 2, 8, 8) / 2)


def test_grad_cam_stands_on_the_last_convolution_or_the_one_named() -> None:
    model = Pooled()
    assert last_convolution(model) is model.second
    model.last_convolution = "first"
    assert last_convolution(model) is model.first
    model.last_convolution = None
    assert last_convolution(model) is None
    assert last_convolution(nn.Sequential(nn.Linear(1, 1), nn.Conv1d(1, 1, 1))) is None


class Attending(nn.Module):
    """Two blocks of attention over a class token and two patches, the same for each row but scaled by it."""

    attention_layers, patch_grid = ("first", "second"), (1, 2)

    def __init__(self, blocks: Tensor) -> None:
        super().__init__()
        self.first, self.second = (Formula(lambda x, block=block: block.expand(len(x), *block.shape)) for block in blocks)

    def forward(self, x: Tensor, offset: Tensor) -> Tensor:
        return self.first(x).sum(dim=(1, 2, 3)) + self.second(x).sum(dim=(1, 2, 3)) + offset


@pytest.mark.parametrize("size", [1, 4096])
def test_attention_is_rolled_out_through_the_blocks(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Explained, "pass_rows", size)
    blocks = torch.rand(2, 2, 3, 3, generator=torch.Generator().manual_seed(4))
    explained, rows = Explained(Attending(blocks), Raw(Values())), Rows(inputs=torch.zeros(2, 1), others=(torch.zeros(2),))
    assert [one.shape for one in attention_of(explained, rows, ("second", "first"))] == [(2, 2, 3, 3)] * 2
    first, second = ((block.mean(dim=0) + torch.eye(3)) / 2 for block in blocks)
    found = attention_rollout(explained, rows)
    torch.testing.assert_close(found, (second @ first)[0, 1:].reshape(1, 1, 2).expand(2, 1, 2))
    assert not any(module._forward_hooks for module in explained.model.modules())
    for name in ("attention_layers", "patch_grid"):
        lacking = Attending(blocks)
        setattr(lacking, name, None)
        assert attention_rollout(Explained(lacking, Raw(Values())), rows) is None


class Stated(EstimatorModule):
    """An estimator that states the probabilities it is given as rows."""

    def __init__(self) -> None:
        nn.Module.__init__(self)

    def forward(self, rows: Tensor) -> Tensor:
        return rows.clamp(min=1e-6).log()


def floor_of(chances: list[list[float]], model: nn.Module | None = None, softmax: bool = True) -> float | None:
    inputs = torch.tensor(chances, dtype=torch.float64)
    source = SimpleNamespace(batch=lambda index: SimpleNamespace(inputs=(inputs[index],)))
    subject = SimpleNamespace(
        predictions=SimpleNamespace(source=source, target_index=torch.zeros(len(inputs), dtype=torch.int64)),
        sample=lambda most, name: np.arange(len(inputs)) if (most, name) == (2000, "explain.floor") else None,
        generator={"explain.floor.shuffled": np.random.default_rng(0)}.__getitem__,
        episode_output=None,
        attribution_output=lambda rows: rows,
    )
    return certainty_floor(subject, Explained(model or Stated(), Raw(SimpleNamespace(softmax=softmax))))


@pytest.mark.parametrize(
    ("chances", "floor"),
    [
        ([[0.0, 1.0], [0.02, 0.98]], 0.01),
        ([[0.0, 1.0], [1.0, 0.0]], 0.05),
        ([[0.0, 0.0, 1.0], [0.5, 0.5, 0.0]], 0.1 / 3),
        ([[0.0, 1.0], [1.5e-6, 1 - 1.5e-6]], 1e-6),
        ([[0.3, 0.7], [0.02, 0.98]], None),
        ([[1.0], [1.0]], None),
    ],
)
def test_half_the_least_probability_stands_for_none(chances: list[list[float]], floor: float | None) -> None:
    assert floor_of(chances) == (None if floor is None else pytest.approx(floor, rel=1e-3))


def test_only_log_odds_of_models_without_gradients_have_a_floor() -> None:
    assert floor_of([[0.0, 1.0], [0.02, 0.98]], softmax=False) is None
    assert floor_of([[0.0, 1.0], [0.02, 0.98]], Formula(lambda x: x.clamp(min=1e-6).log())) is None


def test_a_certainty_that_only_rows_put_together_reach_counts() -> None:
    """Each row states .5 and .5; the product of what is shuffled is 0 where a 0 meets anything."""

    class Apart(Stated):
        def forward(self, rows: Tensor) -> Tensor:
            chance = ((rows[:, 0] - rows[:, 1]).abs() < 0.5).double() / 2
            return torch.stack([chance, 1 - chance], dim=1).clamp(min=1e-6).log()

    assert floor_of([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]], Apart()) == pytest.approx(0.05)
