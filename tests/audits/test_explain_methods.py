"""Every attribution against closed forms, published figures and direct Captum calls."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from captum import attr
from torch import nn

from glassbench.contracts.predictions.values import Values
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench_audits.attribution import explainer
from glassbench_audits.attribution.baseline import Baseline
from glassbench_audits.attribution.coalitions import drawn
from glassbench_audits.attribution.explained import Explained, Rows
from glassbench_audits.attribution.explainer import Explainer, completeness_error, completeness_errors, sound
from glassbench_audits.attribution.feature_groups import feature_groups_of
from glassbench_audits.attribution.methods import METHODS, choose_method, seeded, unavailable


class Raw:
    """A task that explains the output as it is."""

    kind = Values()

    def attribution_output(self, output):
        return output


def schema_of(width: int) -> Schema:
    features = tuple(Feature(name=f"x{i}", columns=(i,)) for i in range(width))
    return Schema(modality="table", shape=(width,), target=Target(name="y", kind="value"), features=features)


def explainer_of(model, method, baseline, *, feature_groups=None, **settings):
    explained = Explained(model, Raw())
    chosen = METHODS[method]
    values = {"steps": 50, "samples": chosen.samples, "seed": 11} | settings
    feature_groups = feature_groups or feature_groups_of(schema_of(baseline.shape[-1]), baseline.shape[1:])
    return Explainer(
        explained=explained,
        method=chosen,
        baseline=Baseline(name="zero", values=baseline),
        feature_groups=feature_groups,
        **values,
    )


def network(seed: int = 0, width: int = 5, classes: int = 3) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(width, 16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, classes)).eval()


def rows_for(width: int = 5, n: int = 7, classes: int = 3) -> Rows:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(n, width, generator=generator)
    return Rows(inputs=inputs, target_index=torch.arange(n) % classes)


EXACT_ON_LINEAR = (
    "integrated-gradients",
    "deep-lift",
    "shapley-value-sampling",
    "feature-ablation",
    "kernel-shap",
    "exact-shapley",
)
SHAPLEY = ("kernel-shap", "exact-shapley")
OF_TREES = ("tree-shap",)  # held against its definition in tests/boosting


@pytest.mark.parametrize("method", EXACT_ON_LINEAR)
def test_a_linear_model_has_weight_times_distance(method):
    model, rows, baseline = nn.Linear(5, 3), rows_for(), torch.full((1, 5), 0.3)
    expected = model.weight.detach()[rows.target_index] * (rows.inputs - baseline)
    got = explainer_of(model, method, baseline).per_feature_group(rows)
    np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.mark.parametrize("method", ["integrated-gradients", "deep-lift"])
def test_captums_readme_model_gives_the_published_figures(method):
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        model[0].weight.copy_(torch.arange(-4.0, 5.0).view(3, 3))
        model[0].bias.zero_()
        model[2].weight.copy_(torch.arange(-3.0, 3.0).view(2, 3))
        model[2].bias.fill_(1.0)
    torch.manual_seed(123)
    rows = Rows(inputs=torch.rand(2, 3), target_index=torch.zeros(2, dtype=torch.int64))
    got = explainer_of(model, method, torch.zeros(1, 3)).per_feature_group(rows)
    np.testing.assert_allclose(got, [[-0.5922, -1.5497, -1.0067], [0, -0.2219, -5.1991]], atol=1e-4)


def direct(method: str, model: nn.Module, rows: Rows, baseline: torch.Tensor) -> torch.Tensor:
    """What a person gets who calls Captum by hand on the saved model."""
    common = {"target": rows.target_index}
    inputs = rows.inputs.clone().requires_grad_()
    calls = {
        "integrated-gradients": lambda: attr.IntegratedGradients(model).attribute(inputs, baseline, n_steps=50, **common),
        "deep-lift": lambda: attr.DeepLift(model).attribute(inputs, baseline, **common),
        "gradient-shap": lambda: attr.GradientShap(model).attribute(inputs, baseline, n_samples=200, **common),
        "input-x-gradient": lambda: attr.InputXGradient(model).attribute(inputs, **common),
        "feature-ablation": lambda: attr.FeatureAblation(model).attribute(inputs, baseline, **common),
        "shapley-value-sampling": lambda: attr.ShapleyValueSampling(model).attribute(inputs, baseline, n_samples=25, **common),
        "feature-permutation": lambda: attr.FeaturePermutation(model).attribute(inputs, **common),
    }
    with warnings.catch_warnings(), seeded(11):
        warnings.simplefilter("ignore")
        return calls[method]().detach()


@pytest.mark.parametrize("method", [name for name, m in METHODS.items() if not m.images and name not in (*SHAPLEY, *OF_TREES)])
def test_every_method_equals_a_direct_captum_call(method):
    model, rows, baseline = network(), rows_for(), torch.full((1, 5), 0.2)
    samples = 1 if method == "feature-permutation" else METHODS[method].samples
    got = explainer_of(model, method, baseline, samples=samples).raw(rows)
    torch.testing.assert_close(got, direct(method, model, rows, baseline), atol=1e-6, rtol=1e-6)


def exact(model, rows, baseline):
    """Shapley values from all orders, by Captum."""
    return attr.ShapleyValues(model).attribute(rows.inputs, baseline, target=rows.target_index).detach()


@pytest.mark.parametrize("method", ["exact-shapley", "kernel-shap"])
def test_shapley_values_of_few_units_equal_captums_over_all_orders(method):
    model, rows, baseline = network(), rows_for(), torch.full((1, 5), 0.2)
    got = explainer_of(model, method, baseline).raw(rows)
    torch.testing.assert_close(got.float(), exact(model, rows, baseline), atol=1e-6, rtol=1e-5)


def test_kernel_shap_and_captums_have_the_same_limit():
    model, rows, baseline = network(), rows_for(n=1), torch.full((1, 5), 0.2)
    with seeded(11):
        limit = attr.KernelShap(model).attribute(rows.inputs, baseline, target=rows.target_index, n_samples=4000)
    got = explainer_of(model, "kernel-shap", baseline).raw(rows)
    torch.testing.assert_close(got.float(), limit, atol=0.02, rtol=0)


def test_kernel_shap_is_nearer_to_the_truth_than_captums_at_equal_samples():
    model, rows, baseline = network(width=12), rows_for(12, n=6), torch.zeros(1, 12)
    truth = explainer_of(model, "exact-shapley", baseline).per_feature_group(rows)
    got = explainer_of(model, "kernel-shap", baseline, samples=200).per_feature_group(rows)
    with seeded(11):
        each = [rows.take(slice(i, i + 1)) for i in range(6)]
        captums = [attr.KernelShap(model).attribute(r.inputs, baseline, target=r.target_index, n_samples=200) for r in each]
    assert np.abs(got - truth).mean() < np.abs(torch.cat(captums).numpy() - truth).mean() / 2


def test_every_other_seed_draws_other_coalitions():
    model, rows = network(width=12), rows_for(12)
    one, other, same = (explainer_of(model, "kernel-shap", torch.zeros(1, 12), samples=40, seed=s).raw(rows) for s in (1, 2, 1))
    assert torch.equal(one, same)
    assert not torch.allclose(one, other)


@pytest.mark.parametrize(("units", "samples"), [(2, 1), (3, 2), (6, 30), (7, 40), (11, 10), (16, 300), (64, 512)])
def test_coalitions_come_in_pairs_and_weigh_one_in_all(units, samples):
    chosen = drawn(units, samples, np.random.default_rng(0))
    half = len(chosen.known) // 2
    assert (chosen.known[:half] == ~chosen.known[half:]).all()
    assert chosen.weights.sum() == pytest.approx(1)
    assert len(chosen.known) <= max(samples, 2)
    assert 0 < chosen.known.sum(axis=1).min() <= chosen.known.sum(axis=1).max() < units


def test_exact_shapley_refuses_what_it_cannot_afford():
    explained = Explained(network(width=13), Raw())
    assert "kernel-shap draws" in unavailable(METHODS["exact-shapley"], explained, torch.zeros(2, 13), 13, differentiable=True)


def test_rows_in_chunks_give_what_they_give_together():
    model, rows = network(), rows_for(n=200)
    explainer = explainer_of(model, "integrated-gradients", torch.zeros(1, 5))
    together = attr.IntegratedGradients(model).attribute(rows.inputs, target=rows.target_index)
    torch.testing.assert_close(explainer.raw(rows), together.float(), atol=1e-6, rtol=1e-5)


def test_outputs_of_two_axes_take_a_pair_of_candidates():
    model = nn.Sequential(nn.Linear(4, 6), nn.Unflatten(1, (2, 3)))
    pairs = torch.tensor([[0, 1], [1, 2], [1, 0]])
    rows = Rows(inputs=torch.randn(3, 4), target_index=pairs)
    weight = model[0].weight.detach().view(2, 3, 4)[pairs[:, 0], pairs[:, 1]]
    for method in ("integrated-gradients", "feature-ablation"):
        got = explainer_of(model, method, torch.zeros(1, 4)).per_feature_group(rows)
        np.testing.assert_allclose(got, weight * rows.inputs, atol=1e-5)


class Gated(nn.Module):
    """Takes a second input that attributions do not speak of."""

    def forward(self, inputs, gate):
        return (inputs * gate).sum(dim=1)


@pytest.mark.parametrize("method", ["integrated-gradients", "deep-lift", "shapley-value-sampling"])
def test_further_inputs_are_passed_on(method):
    gate = torch.tensor([[1.0, 2.0], [3.0, 0.0], [0.5, 1.0]])
    rows = Rows(inputs=torch.ones(3, 2), others=(gate,))
    np.testing.assert_allclose(explainer_of(Gated(), method, torch.zeros(1, 2)).per_feature_group(rows), gate, atol=1e-6)


class Functional(nn.Module):
    """The same network with its activation as a module, or called as a function."""

    def __init__(self, functional: bool):
        super().__init__()
        torch.manual_seed(3)
        self.first, self.last, self.activation = nn.Linear(5, 32), nn.Linear(32, 2), nn.ReLU()
        self.functional = functional

    def forward(self, inputs):
        hidden = self.first(inputs)
        return self.last(torch.relu(hidden) if self.functional else self.activation(hidden))


def test_deep_lift_is_replaced_where_a_functional_relu_makes_it_wrong():
    rows = rows_for(n=20, classes=2)
    clean, reason = sound(explainer_of(Functional(False), "deep-lift", torch.zeros(1, 5)), rows)
    assert (clean.method.name, reason) == ("deep-lift", None)
    other, reason = sound(explainer_of(Functional(True), "deep-lift", torch.zeros(1, 5)), rows)
    assert other.method.name == "integrated-gradients"
    assert reason is not None
    assert "called as functions (relu)" in reason


class Reused(nn.Module):
    """One activation module used twice, which DeepLift refuses."""

    def __init__(self):
        super().__init__()
        self.layers, self.activation = nn.ModuleList([nn.Linear(5, 5), nn.Linear(5, 2)]), nn.ReLU()

    def forward(self, inputs):
        return self.activation(self.layers[1](self.activation(self.layers[0](inputs))))


def test_deep_lift_is_replaced_where_a_module_is_used_twice():
    other, reason = sound(explainer_of(Reused(), "deep-lift", torch.zeros(1, 5)), rows_for(n=20, classes=2))
    assert other.method.name == "integrated-gradients"
    assert reason is not None


def test_deep_lift_is_replaced_even_where_completeness_cannot_tell():
    model = Functional(True)
    with torch.no_grad():
        model.first.bias.fill_(100)  # every unit stays on the straight side of its bend, for these rows
    explainer = explainer_of(model, "deep-lift", torch.zeros(1, 5))
    rows = rows_for(n=20, classes=2)
    assert completeness_error(explainer, rows, explainer.per_feature_group(rows)) < 0.01
    assert sound(explainer, rows)[0].method.name == "integrated-gradients"


class Normed(nn.Module):
    """Misses by a product of two activations, which no hook can see."""

    def forward(self, inputs):
        return inputs * inputs[:, :1]


def test_deep_lift_is_replaced_where_its_sum_is_wrong():
    other, reason = sound(explainer_of(Normed(), "deep-lift", torch.zeros(1, 5)), rows_for(n=20))
    assert other.method.name == "integrated-gradients"
    assert "misses the change" in str(reason)


def test_completeness_is_relative_to_the_typical_change():
    attributions = np.array([[1.0, 1.0], [0.0, 3.0]])
    errors = completeness_errors(attributions, np.array([2.0, 2.0]), np.array([0.0, 0.0]))
    np.testing.assert_allclose(errors, [0, 0.5])
    assert completeness_errors(np.zeros((2, 2)), np.ones(2), np.ones(2)).max() == 0


def test_columns_of_a_category_are_one_group_for_every_method():
    features = (Feature(name="a", columns=(0,)), Feature(name="b", kind="category", columns=(1, 2, 3)))
    schema = replace(schema_of(4), features=features)
    units = feature_groups_of(schema, (4,))
    model, rows = nn.Linear(4, 3), rows_for(width=4)
    columns = model.weight.detach()[rows.target_index] * rows.inputs
    expected = torch.stack([columns[:, 0], columns[:, 1:].sum(dim=1)], dim=1)
    for method in EXACT_ON_LINEAR:
        got = explainer_of(model, method, torch.zeros(1, 4), feature_groups=units).per_feature_group(rows)
        np.testing.assert_allclose(got, expected, atol=2e-5)


def test_columns_that_no_feature_claims_form_a_group_of_their_own():
    units = feature_groups_of(replace(schema_of(4), features=(Feature(name="a", columns=(2,)),)), (4,))
    assert units.names == ("a", "other inputs")
    np.testing.assert_array_equal(units.summed(torch.tensor([[1.0, 2.0, 3.0, 4.0]])), [[3, 7]])


def test_channels_are_summed_over_time_and_nameless_pixels_stay_single():
    units = feature_groups_of(schema_of(2), (3, 2))
    np.testing.assert_array_equal(units.summed(torch.ones(1, 3, 2)), [[3, 3]])
    assert len(feature_groups_of(replace(schema_of(2), features=()), (3, 2))) == 6


def test_captums_draws_leave_the_global_generators_alone():
    explainer = explainer_of(network(), "gradient-shap", torch.zeros(4, 5))
    torch.manual_seed(5)
    np.random.seed(5)
    expected = torch.rand(1), np.random.rand()
    torch.manual_seed(5)
    np.random.seed(5)
    explainer.raw(rows_for())
    assert (torch.rand(1), np.random.rand()) == expected


def test_auto_looks_at_the_model_and_at_the_number_of_units():
    assert choose_method(nn.Linear(1, 1), True, True, 500) == "integrated-gradients"
    assert choose_method(nn.Linear(1, 1), False, True, 8) == "exact-shapley"
    assert choose_method(nn.Linear(1, 1), False, True, 12) == "kernel-shap"
    assert choose_method(nn.Linear(1, 1), False, True, 500) == "feature-ablation"
    assert choose_method(nn.Linear(1, 1), True, False, 12) == "kernel-shap"


@pytest.mark.parametrize("method", ["integrated-gradients", "feature-ablation", "exact-shapley", "input-x-gradient"])
def test_rows_are_explained_alike_however_they_are_cut_into_chunks(method, monkeypatch):
    """Rows take turns at a sample of three baselines, by their place among all."""
    torch.manual_seed(3)
    sample = torch.randn(3, 5)
    whole = explainer_of(network(), method, sample).per_feature_group(rows_for())
    monkeypatch.setattr(explainer, "chunk_rows", lambda *settings: 2)
    np.testing.assert_allclose(explainer_of(network(), method, sample).per_feature_group(rows_for()), whole, atol=1e-6)
