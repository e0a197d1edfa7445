"""What attributions are measured from, and when they are taken as they are, asked with more draws or replaced."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from formula_models import Formula, estimator, explainer_of
from torch import nn

from glassbench_audits.attribution import explainer as explainers
from glassbench_audits.attribution.agreement import by_other_methods, reseeded, settled
from glassbench_audits.attribution.baseline import Baseline
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.attribution.explainer import completeness_error, completeness_errors, sound
from glassbench_audits.attribution.feature_groups import FeatureGroups
from glassbench_audits.attribution.methods import METHODS


def test_rows_are_matched_with_their_contrast_where_they_are_compared_with_it() -> None:
    rows = Rows(inputs=torch.zeros(2, 1), contrast=torch.tensor([[[1.0], [2.0]], [[3.0], [4.0]]]))
    contrast, mean = (Baseline(name=name, values=torch.tensor([[9.0]])) for name in ("contrast", "mean"))
    assert [one.matched(rows)[:, 0].tolist() for one in (contrast, mean)] == [[1, 3], [9, 9]]
    assert contrast.matched(Rows(inputs=torch.zeros(2, 1)))[:, 0].tolist() == [9, 9]
    assert [len(list(one.apart(rows))) for one in (contrast, mean)] == [2, 1]


def test_attributions_and_references_are_means_over_contrasts() -> None:
    made = explainer_of(Formula(lambda x: x @ torch.tensor([1.0, 10.0])), name="contrast")
    inputs, contrast = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[[0.0, 1], [2, 0]], [[5, 5], [1, 0]]])
    rows = Rows(inputs=inputs, contrast=contrast)
    mean = contrast.mean(dim=1)
    assert made.per_feature_group(rows) == pytest.approx(((inputs - mean) * torch.tensor([1.0, 10.0])).numpy(), abs=1e-5)
    assert made.reference(rows).tolist() == pytest.approx((mean @ torch.tensor([1.0, 10.0])).tolist())
    assert made.baseline_of(rows).tolist() == mean.tolist()


def test_what_attributions_are_measured_from_depends_on_the_method() -> None:
    square = Formula(lambda x: (x**2).sum(dim=1))
    sample, rows = torch.tensor([[1.0, 0.0], [3.0, 0.0]]), Rows(inputs=torch.full((3, 2), 4.0))
    turns, mean, zero = (explainer_of(square, name, sample) for name in ("feature-ablation", "gradient-shap", "input-x-gradient"))
    assert turns.reference(rows).tolist() == [1, 9, 1]
    assert turns.baseline_of(rows).tolist() == [[1, 0], [3, 0], [1, 0]]
    assert mean.reference(rows).tolist() == [5, 5, 5]
    assert mean.baseline_of(rows).tolist() == [[2, 0]] * 3
    assert (zero.reference(rows).tolist(), zero.baseline_of(rows).tolist()) == ([0, 0, 0], [[0, 0]] * 3)
    one = explainer_of(square, "gradient-shap", sample[:1])
    assert (one.reference(rows).tolist(), one.baseline_of(rows).tolist()) == ([1, 1, 1], [[1, 0]] * 3)


def test_completeness_is_measured_in_typical_changes() -> None:
    attributions, outputs = np.array([[1.0, 1.0], [4.0, 0.0], [0.0, 0.0]]), np.array([3.0, 5.0, -2.0])
    errors = completeness_errors(attributions, outputs, np.array([1.0, 2.0, 0.0]))
    assert errors == pytest.approx(np.array([0, 1, 2]) / (7 / 3))
    assert completeness_errors(np.array([[1e-10], [1e-8]]), np.zeros(2), np.zeros(2)).tolist() == [0, np.inf]
    assert completeness_errors(np.zeros((0, 2)), np.zeros(0), np.zeros(0)).tolist() == []
    assert completeness_errors(np.array([[2e-11]]), np.array([1e-11]), np.zeros(1)) == pytest.approx([1.0])


def test_the_error_that_counts_is_that_of_the_95th_of_a_hundred_rows() -> None:
    made, rows = explainer_of(Formula(lambda x: x.sum(dim=1))), Rows(inputs=torch.ones(101, 2))
    attributions = np.column_stack([np.ones(101), 1 + 2 * np.arange(101) / 100])
    assert completeness_error(made, rows, attributions) == pytest.approx(0.95)
    attributions[0, 0] = np.nan
    assert completeness_error(made, rows, attributions) == float("inf")


@pytest.mark.parametrize(
    ("errors", "weights", "steps"),
    [
        ({4: 0.01}, 1, 4),
        ({4: 0.02, 16: 0.05}, 1, 16),
        ({4: 0.02, 16: 0.06}, 1, 64),
        ({4: 0.02}, 1_000_001, 16),
        ({4: 0.01}, 1_000_001, 4),
        ({4: 0.02, 16: 0.06}, 1_000_000, 64),
    ],
)
def test_integrals_that_miss_get_more_points(
    monkeypatch: pytest.MonkeyPatch, errors: dict[int, float], weights: int, steps: int
) -> None:
    monkeypatch.setattr(explainers, "completeness_error", lambda made, rows, attributions: errors[made.steps])
    model = Formula(lambda x: x.sum(dim=1))
    model.weight = nn.Parameter(torch.zeros(weights))
    found, replaced = sound(explainer_of(model), Rows(inputs=torch.ones(1, 2)))
    assert (found.steps, replaced, found.method.name) == (steps, None, "integrated-gradients")


def test_methods_that_are_not_replaced_are_left_as_they_are() -> None:
    made = explainer_of(Formula(lambda x: x[:, 0].sin() + x[:, 1]), "input-x-gradient")
    assert sound(made, Rows(inputs=torch.ones(3, 2))) == (made, None)


@dataclass(frozen=True, eq=False)
class Drawing:
    """Attributions whose order another seed turns round until there are enough draws."""

    enough: float
    samples: int = 100
    seed: int = 0
    method: object = METHODS["kernel-shap"]
    feature_groups: tuple[int, ...] = (0, 1)

    def per_feature_group(self, rows: Rows) -> np.ndarray:
        assert len(rows) <= 16
        turned = self.samples < self.enough and self.seed % 2
        return np.array([[2.0, 1.0] if turned else [1.0, 2.0]] * len(rows))


@pytest.mark.parametrize(("enough", "samples"), [(0, 100), (100, 100), (101, 400), (400, 400), (401, 800), (9000, 800)])
def test_draws_are_multiplied_until_another_seed_agrees(enough: float, samples: int) -> None:
    rows = Rows(inputs=torch.zeros(40, 2))
    assert settled(Drawing(enough), rows).samples == samples
    assert settled(Drawing(enough, method=METHODS["deep-lift"]), rows).samples == 100
    assert settled(Drawing(enough, feature_groups=(0,)), rows).samples == 100


def test_an_explanation_that_says_nothing_needs_no_more_draws() -> None:
    class Silent(Drawing):
        def per_feature_group(self, rows: Rows) -> np.ndarray:
            return np.zeros((len(rows), 2))

    assert settled(Silent(9000), Rows(inputs=torch.zeros(2, 2))).samples == 100


def test_other_seeds_are_the_next_three() -> None:
    class Counting(Drawing):
        def per_feature_group(self, rows: Rows) -> np.ndarray:
            return np.full((len(rows), 2), self.seed)

    assert reseeded(Counting(0, seed=7), Rows(inputs=torch.zeros(2, 2)))[:, 0, 0].tolist() == [8, 9, 10]


LINEAR = Formula(lambda x: x @ torch.tensor([2.0, -3.0]))


def test_other_methods_are_those_that_fit_the_model() -> None:
    rows = Rows(inputs=torch.tensor([[1.0, 2.0], [0.5, -1.0]]))
    found = by_other_methods(explainer_of(LINEAR), rows)
    assert set(found) == {"deep-lift", "gradient-shap", "input-x-gradient", "feature-ablation", "kernel-shap"}
    for values in found.values():
        assert values == pytest.approx(np.array([[2, -6], [1, 3]]), abs=1e-4)
    assert set(by_other_methods(explainer_of(LINEAR, "kernel-shap"), rows)) == {
        "integrated-gradients", "deep-lift", "gradient-shap", "input-x-gradient", "feature-ablation"
    }  # fmt: skip
    bent = Formula(lambda x: torch.relu(x).sum(dim=1))
    assert "deep-lift" not in by_other_methods(explainer_of(bent), rows)  # it would take integrated gradients' place
    assert set(by_other_methods(explainer_of(estimator(), "kernel-shap"), rows)) == {"feature-ablation"}
    contrasted = replace(rows, contrast=torch.zeros(2, 1, 2))
    assert "gradient-shap" not in by_other_methods(explainer_of(LINEAR, name="contrast"), contrasted)


def test_other_methods_leave_out_what_they_cannot_afford_or_read() -> None:
    heavy = nn.Sequential(nn.Conv1d(1, 1, 1, bias=False), nn.Flatten(0))
    deep = Rows(inputs=torch.ones(2, 1, 1))
    made = replace(
        explainer_of(heavy, baseline=torch.zeros(1, 1, 1)),
        feature_groups=FeatureGroups(mask=torch.zeros(1, 1, dtype=torch.int64)),
    )
    assert set(by_other_methods(made, deep)) == {"input-x-gradient", "feature-ablation"}
    for units, known in ((256, True), (257, False)):
        total = Formula(lambda x: x.sum(dim=1))
        found = by_other_methods(
            explainer_of(total, baseline=torch.zeros(1, units), samples=20), Rows(inputs=torch.ones(1, units))
        )
        assert ("feature-ablation" in found) == known
        assert "input-x-gradient" in found
    root = Formula(lambda x: x.clamp(min=0).sqrt().sum(dim=1))
    assert "input-x-gradient" not in by_other_methods(explainer_of(root), Rows(inputs=torch.zeros(1, 2)))
    coarse = replace(explainer_of(LINEAR), feature_groups=FeatureGroups(mask=torch.tensor([[0, 1]])))
    assert set(by_other_methods(coarse, Rows(inputs=torch.ones(2, 2)))) == {"deep-lift", "gradient-shap", "input-x-gradient"}
