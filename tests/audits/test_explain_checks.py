"""The self-tests of explanations: each must fail where it should."""

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from captum import metrics
from captum.attr import IntegratedGradients, LayerIntegratedGradients
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from torch import nn

from glassbench.contracts.estimator import EstimatorModule
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.predictions.clusters import Clusters
from glassbench.contracts.predictions.values import Values
from glassbench.contracts.readable import plain_number
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench_audits.attribution.agreement import by_other_methods, first_shared, order_agreement, overlap, settled
from glassbench_audits.attribution.baseline import Baseline
from glassbench_audits.attribution.directions import rank_correlation
from glassbench_audits.attribution.explained import Explained, Rows
from glassbench_audits.attribution.explainer import Explainer, completeness_error
from glassbench_audits.attribution.feature_groups import feature_groups_of
from glassbench_audits.attribution.methods import METHODS, Method
from glassbench_audits.explain.checks.consistency import methods_check, seeds_check
from glassbench_audits.explain.checks.deletion import curves
from glassbench_audits.explain.checks.examined import Examined
from glassbench_audits.explain.checks.faithfulness import removal_checks
from glassbench_audits.explain.checks.infidelity import infidelity, left_over
from glassbench_audits.explain.checks.permutation_test import permutation_p_value
from glassbench_audits.explain.checks.randomization import cascade
from glassbench_audits.explain.checks.reinitialisation import learnt_layers, reinitialise
from glassbench_audits.explain.checks.reliability import graded, reliability
from glassbench_audits.explain.checks.removal import removal_of
from glassbench_audits.explain.checks.stability import cosines, largest_moves, noisy, perturbed, stability


class Raw:
    """A task that explains the output as it is."""

    kind = Values()

    def attribution_output(self, output):
        return output


def edges(request) -> torch.Tensor:
    """An explanation that never looks at the model: the input itself."""
    return request.rows.inputs


FAKE = Method(name="input-x-gradient", call=edges, gradients=True, sums=True, reference="", sentence="")


def explainer_of(model, method=METHODS["integrated-gradients"], shape=(6,), baseline=None) -> Explainer:
    schema = Schema(modality="table", shape=shape, target=Target(name="y", kind="value"))
    values = torch.zeros(1, *shape) if baseline is None else baseline
    return Explainer(
        explained=Explained(model, Raw()),
        method=method,
        baseline=Baseline(name="zero", values=values),
        feature_groups=feature_groups_of(schema, shape),
        steps=50,
        samples=method.samples,
        seed=0,
    )


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1), nn.Flatten(0))


ROWS = Rows(inputs=torch.randn(40, 6, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize(
    ("outcomes", "word"),
    [
        ([], "use with care"),
        (["passed"], "use with care"),
        (["passed", "not applicable"], "use with care"),
        (["passed", "passed"], "reliable"),
        (["passed", "passed", "not applicable"], "reliable"),
        (["passed", "weak", "passed"], "use with care"),
        (["passed", "failed"], "do not rely"),
        (["weak", "failed", "passed"], "do not rely"),
        (["failed", "not applicable"], "do not rely"),
    ],
)
def test_the_grade_is_a_function_of_the_outcomes(outcomes, word):
    assert all(reliability(order, 64) == word for order in itertools.permutations(outcomes))


def test_grades_have_a_side_and_no_number_fails():
    assert [graded(v, passes=0.05, fails=0.2) for v in (0.05, 0.1, 0.2)] == ["passed", "weak", "failed"]
    assert [graded(v, passes=0.9, fails=0.7) for v in (0.9, 0.8, 0.7)] == ["passed", "weak", "failed"]
    assert graded(float("nan"), passes=0.9, fails=0.7) == "failed"


def test_deletion_tells_a_right_ranking_from_a_reversed_one():
    explainer = explainer_of(network())
    attributions = explainer.per_feature_group(ROWS)
    noise = np.random.default_rng(1).random((40, 6))
    found = [curves(explainer, ROWS, scores, np.random.default_rng(0)) for scores in (attributions, -attributions, noise)]
    for advantage in ("deletion_advantage", "insertion_advantage"):
        right, wrong, chance = (getattr(one, advantage).mean() for one in found)
        assert right > 0.2
        assert wrong < -0.2
        assert abs(chance) < 0.15


def test_curves_of_a_linear_model_are_those_computed_by_hand():
    model = nn.Sequential(nn.Linear(3, 1, bias=False), nn.Flatten(0))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[3.0, 2.0, 1.0]]))
    explainer, rows = explainer_of(model, shape=(3,)), Rows(inputs=torch.ones(1, 3))
    got = curves(explainer, rows, np.array([[3.0, 2.0, 1.0]]), np.random.default_rng(0), rankings=2000)
    # the best order leaves 3 then 1, or gives 3 then 5; at random any unit is as likely as another: 4 then 2, or 2 then 4
    np.testing.assert_allclose(got.deletion, [[3 / 6, 1 / 6]], atol=1e-6)
    np.testing.assert_allclose(got.insertion, [[3 / 6, 5 / 6]], atol=1e-6)
    np.testing.assert_allclose(got.random, [[4 / 6, 2 / 6]], atol=0.01)
    np.testing.assert_allclose(got.random_insertion, [[2 / 6, 4 / 6]], atol=0.01)
    np.testing.assert_allclose(got.whole, [1], atol=1e-6)
    assert got.deletion_advantage[0] == pytest.approx((3 - 2) / 6, abs=0.01)
    assert got.insertion_advantage[0] == pytest.approx((4 - 3) / 6, abs=0.01)


def examined_of(explainer, attributions) -> Examined:
    schema = Schema(modality="table", shape=(6,), target=Target(name="y", kind="value"))
    subject = SimpleNamespace(generator=lambda purpose: np.random.default_rng(0), schema=schema)
    return Examined(subject=subject, explainer=explainer, rows=ROWS, attributions=attributions, replicates=50, level=0.95)


def test_an_order_that_is_merely_better_than_chance_is_not_enough():
    model = nn.Sequential(nn.Linear(6, 1, bias=False), nn.Flatten(0))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[4.0, 3.0, 2.0, 1.0, 0.5, 0.25]]))
    explainer = explainer_of(model)
    right = explainer.per_feature_group(ROWS)
    partly = right + 6 * np.random.default_rng(1).standard_normal(right.shape)
    others = by_other_methods(explainer, ROWS)
    for attributions, outcome in ((right, "passed"), (partly, "failed")):
        for check in removal_checks(examined_of(explainer, attributions), others):
            assert check.measure.low > 0
            assert check.outcome == outcome
            share = next(m.value for m in check.measures if m.name.endswith("_share"))
            assert (share > 0.99) is (outcome == "passed")


def test_inputs_that_count_alike_have_no_order_to_be_judged_by():
    class Even(nn.Module):
        def forward(self, inputs):
            return inputs.abs().clamp(1, 1).sum(dim=1) * (inputs != 0).double().mean(dim=1)

    explainer = explainer_of(Even())
    attributions = 1 + 0.01 * np.random.default_rng(0).standard_normal((40, 6))
    assert [check.outcome for check in removal_checks(examined_of(explainer, attributions), {})] == ["not applicable"] * 2


def test_an_additive_model_leaves_nothing_untold_and_shuffled_contributions_do():
    model = nn.Sequential(nn.Linear(6, 1), nn.Flatten(0))
    explainer = explainer_of(model)
    found = infidelity(explainer, ROWS, explainer.per_feature_group(ROWS), np.random.default_rng(0))
    assert (found.left < 1e-6 * found.total).all()
    assert found.chance.sum() > 0.1 * found.total.sum()


def test_infidelity_equals_captums_with_the_same_sets():
    explainer = explainer_of(network())
    attributions, gone = explainer.per_feature_group(ROWS), np.random.default_rng(0).random((30, 40, 6)) < 0.5
    removal = removal_of(explainer, ROWS)
    ours = left_over(gone, attributions, removal.ends()[0] - removal.outputs(gone))

    def perturb(inputs):
        out = torch.as_tensor(gone).transpose(0, 1).reshape(-1, 6)  # captum repeats each row, draw after draw
        return out.float(), torch.where(out, 0, inputs)

    values = torch.as_tensor(attributions, dtype=torch.float32)
    captum = metrics.infidelity(explainer.explained, perturb, ROWS.inputs, values, n_perturb_samples=30, normalize=True)
    np.testing.assert_allclose(ours, captum.detach(), rtol=1e-3, atol=1e-6)


def test_the_largest_move_equals_captums_max_sensitivity():
    explainer = explainer_of(network())
    attributions = explainer.per_feature_group(ROWS)
    noise = torch.empty(40, 8, 6).uniform_(-0.02, 0.02, generator=torch.Generator().manual_seed(0))
    after = np.stack([explainer.per_feature_group(ROWS.at(ROWS.inputs + noise[:, i])) for i in range(8)])

    def perturb(inputs):
        return inputs + noise.reshape(-1, 6)

    attribute = IntegratedGradients(explainer.explained).attribute
    captum = metrics.sensitivity_max(attribute, ROWS.inputs, perturb_func=perturb, n_perturb_samples=8)
    ours = largest_moves(attributions, after) / np.linalg.norm(attributions, axis=1)
    np.testing.assert_allclose(ours, captum, rtol=1e-3, atol=1e-5)


def test_all_draws_in_one_call_are_what_they_are_one_by_one():
    explainer = explainer_of(network())
    after = perturbed(explainer, ROWS, np.random.default_rng(0))
    generator = np.random.default_rng(0)
    each = [explainer.per_feature_group(noisy(explainer, ROWS, generator)) for _ in range(len(after))]
    np.testing.assert_allclose(after, each, atol=1e-6)


def upwards(request) -> torch.Tensor:
    """An explanation that knows the first layer only."""
    return request.rows.inputs * request.explained.model[0].weight.sum(dim=0).detach()


UPWARDS = Method(name="input-x-gradient", call=upwards, gradients=True, sums=True, reference="", sentence="")


@pytest.mark.parametrize(
    ("method", "alike"), [(METHODS["integrated-gradients"], (0, 0, 0)), (FAKE, (1, 1, 1)), (UPWARDS, (1, 1, 0))]
)
def test_layers_initialised_anew_change_an_explanation_of_the_model_but_not_a_fake_one(method, alike):
    explainer = explainer_of(network(), method)
    stages = cascade(explainer, ROWS, explainer.per_feature_group(ROWS), np.random.default_rng(0))
    assert [stage.depth for stage in stages] == [1, 2, 3]
    np.testing.assert_allclose([stage.mean for stage in stages], alike, atol=0.35)


class Parallel(nn.Module):
    """A branch that decides, beside one that adds little."""

    def __init__(self, width):
        super().__init__()
        torch.manual_seed(0)
        self.decides, self.adds = nn.Linear(width, 1), nn.Linear(width, 1)
        with torch.no_grad():
            self.decides.weight.mul_(30)

    def forward(self, inputs):
        return (self.decides(inputs) + self.adds(inputs)).flatten()


@pytest.mark.parametrize(("method", "lost"), [(METHODS["integrated-gradients"], True), (FAKE, False)])
def test_a_branch_that_adds_little_may_be_drawn_anew_and_change_nothing(method, lost):
    rows = Rows(inputs=torch.randn(60, 8, generator=torch.Generator().manual_seed(0)))
    explainer = explainer_of(Parallel(8), method, shape=(8,))
    first, last = cascade(explainer, rows, explainer.per_feature_group(rows), np.random.default_rng(0))
    assert first.mean > 0.9
    assert (first.forgotten, last.forgotten) == (False, True)
    assert (last.mean < 0.4) is lost


@pytest.mark.parametrize("width", [3, 6, 20])
def test_nothing_is_left_of_a_linear_model_whose_weights_are_all_positive(width):
    """Shuffled weights kept their signs, and a third of the explanation with them."""
    model = nn.Sequential(nn.Linear(width, 1), nn.Flatten(0))
    with torch.no_grad():
        model[0].weight.copy_(torch.linspace(1, 3, width))
    rows = Rows(inputs=torch.randn(40, width, generator=torch.Generator().manual_seed(0)) + 1)
    explainer = explainer_of(model, shape=(width,))
    (stage,) = cascade(explainer, rows, explainer.per_feature_group(rows), np.random.default_rng(0))
    assert abs(stage.mean) < 0.4
    low, high = stage.interval(0.95)
    assert low < 0 < high


class Beside(nn.Module):
    """A policy with a value head beside it, and layers whose initialisation is not random."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body, self.norm, self.policy, self.critic = nn.Linear(6, 16), nn.LayerNorm(16), nn.Linear(16, 1), nn.Linear(16, 1)
        self.scale = nn.Parameter(torch.ones(6))

    def forward(self, inputs):
        hidden = self.norm(torch.tanh(self.body(inputs * self.scale)))
        return self.policy(hidden).flatten() + 0 * self.critic(hidden).flatten()


def test_layers_that_the_output_does_not_depend_on_are_not_counted():
    names = learnt_layers(explainer_of(Beside().eval()).explained, ROWS, np.random.default_rng(0))
    assert names == ["policy", "body", ""]


def test_a_layer_that_starts_at_zero_is_drawn_at_the_size_it_has():
    class Zero(nn.Linear):
        def reset_parameters(self):
            nn.init.zeros_(self.weight)
            nn.init.zeros_(self.bias)

    layer = Zero(400, 10)
    with torch.no_grad():
        layer.weight.fill_(3.0)
    reinitialise(layer, np.random.default_rng(0))
    drawn = layer.weight.detach().numpy()
    assert drawn.std() == pytest.approx(3, rel=0.1)
    assert abs(drawn.mean()) < 0.3


def test_shuffling_leaves_the_explained_model_alone():
    explainer = explainer_of(network())
    before = explainer.explained.outputs(ROWS)
    cascade(explainer, ROWS, explainer.per_feature_group(ROWS), np.random.default_rng(0))
    assert torch.equal(before, explainer.explained.outputs(ROWS))


class Jagged(nn.Module):
    """Changes its slope faster than any noise."""

    def forward(self, inputs):
        return torch.sin(400 * inputs).sum(dim=1)


def test_stability_tells_a_smooth_model_from_a_jagged_one():
    for model, holds in ((network(), True), (Jagged(), False)):
        explainer = explainer_of(model)
        attributions, after = explainer.per_feature_group(ROWS), perturbed(explainer, ROWS, np.random.default_rng(0))
        alike = stability(attributions, after).mean()
        moves = largest_moves(attributions, after).mean() / np.linalg.norm(attributions, axis=1).mean()
        assert bool(alike > 0.95) is holds
        assert bool(alike < 0.7) is not holds
        assert bool(moves < 0.2) is holds
        assert bool(moves > 1) is not holds


def test_cosines_know_nothing_beside_something():
    a, b = np.array([[0.0, 0], [1, 0], [1, 1]]), np.array([[0.0, 0], [0, 0], [2, 2]])
    np.testing.assert_allclose(cosines(a, b), [1, 0, 1])


SCHEMA = Schema(modality="table", shape=(1,), target=Target(name="y", kind="class", classes=("a", "b")))


def predictions_of(truth, scores) -> Predictions:
    names = np.array(["a", "b"])
    frame = pd.DataFrame({"row": range(len(truth)), "y_true": names[truth], "y_pred": names[scores.argmax(axis=1)]})
    frame[["score.a", "score.b"]] = scores
    return Predictions(frame=frame)


def test_what_was_learnt_is_told_from_chance_even_when_one_class_is_always_decided():
    generator = np.random.default_rng(0)
    truth = (generator.random(400) < 0.1).astype(int)
    likely = np.clip(0.1 + 0.1 * truth + 0.05 * generator.standard_normal(400), 0, 0.4)
    learnt = predictions_of(truth, np.stack([1 - likely, likely], axis=1))
    assert learnt.frame["y_pred"].unique().tolist() == ["a"]
    assert permutation_p_value(learnt, Classes(), SCHEMA, np.random.default_rng(1)) == pytest.approx(0.001)


def test_what_was_not_learnt_passes_for_it_no_more_often_than_chance():
    generator, small = np.random.default_rng(2), 0
    for _ in range(60):
        scores = generator.random((50, 2))
        p = permutation_p_value(predictions_of(generator.integers(0, 2, 50), scores), Classes(), SCHEMA, generator)
        small += p <= 0.05
    assert small <= 8  # 3 expected; more than 8 of 60 happens once in 200


def test_one_class_or_no_truth_cannot_be_tested():
    scores = np.random.default_rng(0).random((10, 2))
    assert (
        permutation_p_value(predictions_of(np.zeros(10, dtype=int), scores), Classes(), SCHEMA, np.random.default_rng(0)) is None
    )
    frame = pd.DataFrame({"row": [0, 1], "y_pred": ["a", "b"]})
    assert permutation_p_value(Predictions(frame=frame), Clusters(), SCHEMA, np.random.default_rng(0)) is None


def test_the_overlap_of_two_orders_is_counted_by_size():
    a = np.array([[5.0, -4, 3, 2, 1], [1, 2, 3, 4, 5]])
    b = np.array([[-5.0, 1, 4, 2, 3], [5, 4, 3, 2, 1]])
    np.testing.assert_allclose(overlap(a, b, 2), [0.5, 0])
    np.testing.assert_allclose(overlap(a, a, 3), 1)


def test_other_methods_agree_on_a_linear_model_and_not_with_noise():
    explainer = explainer_of(nn.Sequential(nn.Linear(6, 1), nn.Flatten(0)))
    attributions, others = explainer.per_feature_group(ROWS), by_other_methods(explainer, ROWS)
    assert set(others) == {"deep-lift", "gradient-shap", "input-x-gradient", "feature-ablation", "kernel-shap"}
    assert all(order_agreement(attributions, values).min() > 0.99 for values in others.values())
    noise = np.random.default_rng(0).random(attributions.shape)
    assert all(abs(order_agreement(noise, values).mean()) < 0.2 for values in others.values())


def test_orders_agree_by_how_far_apart_inputs_are():
    chance = np.random.default_rng(0)
    held = np.tile([4.0, 2.0, -1.0, *[0.0] * 20], (50, 1))
    rounded = [held + 1e-14 * chance.standard_normal(held.shape) for _ in range(2)]
    np.testing.assert_allclose(order_agreement(*rounded), 1)
    assert order_agreement(held, -held).max() == -1
    pure = [chance.standard_normal(held.shape) for _ in range(2)]
    assert abs(order_agreement(*pure).mean()) < 0.1
    got = order_agreement(np.array([[3.0, 1, -2]]), np.array([[3.0, -1, 2]]))  # pairs 2, 5, 3 and 4, 1, -3 of 6 each
    assert got[0] == pytest.approx((2 + 4 + 5 + 1 - 3 - 3) / (2 + 4 + 5 + 1 + 3 + 3))


def test_a_first_input_is_shared_unless_one_of_them_stands_clearly_before_it():
    a, b = np.array([[5.0, 4, 1], [5, 1, 1], [5, 1, 0]]), np.array([[4.0, -4.1, 1], [2, 6, 1], [0, 0, 0]])
    assert first_shared(a, b).tolist() == [1, 0, 0]


@pytest.mark.parametrize("kind", ["additive", "tree", "boosting"])
def test_other_seeds_say_the_same_of_sound_models_with_inputs_that_do_nothing(kind):
    data = load_breast_cancer()
    inputs = StandardScaler().fit_transform(data.data).astype(np.float32)
    models = {
        "additive": make_pipeline(SplineTransformer(4), LogisticRegression(max_iter=2000)),
        "tree": DecisionTreeClassifier(max_depth=4, random_state=0),
        "boosting": HistGradientBoostingClassifier(max_iter=40, random_state=0),
    }
    model = EstimatorModule(models[kind].fit(inputs, data.target))
    rows = Rows(inputs=torch.as_tensor(inputs[::20]), target_index=torch.as_tensor(data.target[::20]))
    drawn = explainer_of(model, METHODS["kernel-shap"], shape=(30,))
    drawn.explained.softmax = True
    explainer = settled(drawn, rows)
    few = Examined(
        subject=SimpleNamespace(generator=lambda purpose: np.random.default_rng(0)),
        explainer=explainer,
        rows=rows,
        attributions=explainer.per_feature_group(rows),
        replicates=50,
        level=0.95,
    )
    assert seeds_check(few).outcome == "passed"


class Either(nn.Module):
    """Two inputs that stand in for each other in one direction: taking one away alone changes nothing."""

    def forward(self, rows):
        return torch.maximum(rows[:, 0], rows[:, 1]) * 3 + 0.2 * rows[:, 2]


def test_methods_that_name_other_inputs_first_do_not_agree():
    rows = Rows(inputs=torch.tensor([[2.0, 2.0, 1.0]]) + 0.01 * torch.randn(20, 3))
    explainer = explainer_of(Either(), METHODS["exact-shapley"], shape=(3,))
    schema = Schema(modality="table", shape=(3,), target=Target(name="y", kind="value"))
    subject = SimpleNamespace(generator=lambda purpose: np.random.default_rng(0), schema=schema)
    given = {"subject": subject, "explainer": explainer, "rows": rows, "replicates": 50, "level": 0.95}
    check = methods_check(Examined(attributions=explainer.per_feature_group(rows), **given), by_other_methods(explainer, rows))
    assert check.outcome == "failed"
    assert "feature-ablation, the least alike" in check.result


def test_an_unsound_deep_lift_is_no_witness():
    class Functional(nn.Module):
        def forward(self, inputs):
            return torch.relu(inputs).sum(dim=1)

    assert "deep-lift" not in by_other_methods(explainer_of(Functional()), ROWS)


def test_rank_correlation_is_spearmans():
    a, b = np.random.default_rng(0).random((2, 30, 3))
    expected = [pd.Series(a[:, j]).corr(pd.Series(b[:, j]), method="spearman") for j in range(3)]
    np.testing.assert_allclose(rank_correlation(a, b), expected)


class Masked(nn.Module):
    """Averages the tokens that are no padding, as pooling models do."""

    attribution_layer = "embedding"

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.embedding, self.head = nn.Embedding(9, 4, padding_idx=0), nn.Linear(4, 2)

    def forward(self, tokens):
        kept = (tokens > 0).unsqueeze(-1)
        pooled = (self.embedding(tokens) * kept).sum(dim=1) / kept.sum(dim=1).clamp(min=1)
        return self.head(torch.tanh(pooled))


def test_attributions_at_a_layer_equal_captums_and_are_complete_despite_masks():
    tokens = torch.randint(1, 9, (6, 5), generator=torch.Generator().manual_seed(0))
    rows = Rows(inputs=tokens, target_index=torch.tensor([0, 1, 0, 1, 0, 1]))
    model = Masked().eval()
    explainer = explainer_of(model, shape=(5,), baseline=torch.zeros(1, 5, dtype=torch.int64))
    direct = LayerIntegratedGradients(model, model.embedding).attribute(
        tokens, torch.zeros_like(tokens), target=rows.target_index
    )
    torch.testing.assert_close(explainer.raw(rows), direct.sum(dim=-1).float(), atol=1e-6, rtol=1e-6)
    assert completeness_error(explainer, rows, explainer.per_feature_group(rows)) < 1e-3


def test_numbers_read_as_a_person_writes_them():
    assert [plain_number(v) for v in (0.0, 1e6, -2.5, 0.00012346, 123456.7)] == ["0", "1000000", "-2.5", "0.0001235", "123500"]


def test_rows_that_hang_together_are_resampled_together():
    explainer = explainer_of(network())
    frame = pd.DataFrame({"row": range(40), "y_pred": np.zeros(40)})
    subject = Subject(schema=None, predictions=Predictions(frame=frame), task=Raw())
    values, pairs = np.repeat(np.random.default_rng(0).standard_normal(20), 2), np.repeat(np.arange(20), 2)
    widths = []
    for clusters in (None, pairs):
        one = Examined(
            subject=subject,
            explainer=explainer,
            rows=ROWS,
            attributions=np.zeros((40, 6)),
            replicates=2000,
            level=0.95,
            clusters=clusters,
        )
        measure = one.mean("explain.stability", values)
        widths.append(measure.high - measure.low)
    assert widths[1] == pytest.approx(np.sqrt(2) * widths[0], rel=0.1)  # 20 independent values, not 40


def test_means_are_over_the_rows_where_a_value_is_defined():
    subject = Subject(schema=None, predictions=Predictions(frame=pd.DataFrame({"row": range(3)})), task=Raw())
    examined = Examined(
        subject=subject, explainer=explainer_of(network()), rows=ROWS, attributions=np.zeros((3, 6)), replicates=50, level=0.95
    )
    measure = examined.defined("explain.x", np.array([1.0, np.nan, 2.0]), higher_is_better=True)
    assert (measure.value, measure.n) == (1.5, 2)


def test_categories_stay_as_they_are_where_numbers_are_shaken() -> None:
    rows = Rows(inputs=torch.rand(50, 3) * torch.tensor([1.0, 1.0, 10.0]), target_index=None)
    numeric = torch.tensor([True, False, True])
    units = SimpleNamespace(mask=torch.arange(3), numeric=lambda: numeric)
    moved = noisy(SimpleNamespace(feature_groups=units), rows, np.random.default_rng(0)).inputs - rows.inputs
    assert (moved[:, 1] == 0).all()
    spread = rows.inputs.std(dim=0, correction=0)
    assert ((moved.abs().max(dim=0).values / spread)[numeric] <= 0.02 + 1e-5).all()
    assert ((moved.abs().max(dim=0).values / spread)[numeric] > 0.015).all()
