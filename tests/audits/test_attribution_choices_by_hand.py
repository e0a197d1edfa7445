"""What is chosen before rows are explained: method, baseline, rows, steps and draws."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from formula_models import Formula, Raw, estimator, schema_of
from torch import Tensor, nn

from glassbench.contracts.data import Split
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench.errors import SettingsError
from glassbench_audits.attribution.baseline import SAMPLE, Baseline, choose_baseline
from glassbench_audits.attribution.explained import Explained, Rows, Unexplainable
from glassbench_audits.attribution.method import Request
from glassbench_audits.attribution.methods import METHODS, choose_method, chunk_rows, seeded, unavailable
from glassbench_audits.attribution.preparation import Settings, prepare


def refused(method: str, model: nn.Module, inputs: Tensor, units: int = 3, differentiable: bool = True) -> bool:
    told = unavailable(METHODS[method], Explained(model, Raw()), inputs, units, differentiable=differentiable)
    assert told is None or told.startswith(f"{method} ")
    return told is not None


def test_methods_are_refused_where_the_model_lacks_what_they_need() -> None:
    flat, images, tokens = torch.zeros(1, 3), torch.zeros(1, 1, 4, 4), torch.zeros(1, 3, dtype=torch.int64)
    plain, folded, embedded = nn.Linear(3, 1), nn.Sequential(nn.Conv2d(1, 1, 1)), nn.Sequential(nn.Embedding(4, 2))
    embedded.attribution_layer = "0"
    assert [refused("saliency", plain, inputs) for inputs in (flat, images)] == [True, False]
    assert [refused("grad-cam", model, images) for model in (plain, folded)] == [True, False]
    assert [refused("integrated-gradients", plain, inputs) for inputs in (flat, tokens)] == [False, True]
    assert [refused("integrated-gradients", plain, flat, differentiable=known) for known in (True, False)] == [False, True]
    assert [refused("feature-ablation", plain, flat, differentiable=known) for known in (True, False)] == [False, False]
    assert [refused(name, embedded, tokens) for name in ("deep-lift", "gradient-shap")] == [False, True]
    assert not refused("gradient-shap", plain, flat)
    assert [refused("kernel-shap", plain, flat, units) for units in (1, 2)] == [True, False]
    assert [refused("exact-shapley", plain, flat, units) for units in (1, 12, 13)] == [False, False, True]
    assert not refused("feature-ablation", plain, flat, units=1)
    assert refused("tree-shap", plain, flat)
    with_trees = Explained(plain, Raw())
    with_trees.trees = SimpleNamespace()
    assert unavailable(METHODS["tree-shap"], with_trees, flat, 3, differentiable=False) is None


def test_auto_reads_trees_where_they_are_few_and_asks_sets_where_units_are() -> None:
    def chosen(units: int = 5, leaves: int | None = None, **more: bool) -> str:
        trees = None if leaves is None else SimpleNamespace(trees=[SimpleNamespace(leaf=np.ones(leaves, dtype=bool))])
        asked = {"differentiable": False, "floating": True, **more}
        layer = "there" if asked.pop("layer", False) else None
        return choose_method(SimpleNamespace(trees=trees, layer=layer), units=units, **asked)

    assert [chosen(leaves=leaves) for leaves in (3, 20_000, 20_001)] == ["tree-shap", "tree-shap", "exact-shapley"]
    assert [chosen(units) for units in (8, 9, 64, 65)] == ["exact-shapley", "kernel-shap", "kernel-shap", "feature-ablation"]
    assert chosen(differentiable=True, leaves=3) == "integrated-gradients"
    assert [chosen(differentiable=True, floating=False, layer=known) for known in (True, False)] == [
        "integrated-gradients",
        "exact-shapley",
    ]
    assert chosen(layer=True) == "exact-shapley"


def test_a_call_takes_as_many_rows_as_one_pass_holds() -> None:
    light, heavy = Explained(nn.Linear(1, 1), Raw()), Explained(nn.Conv2d(1, 1, 1), Raw())
    assert [chunk_rows(METHODS["integrated-gradients"], one, 100, 7) for one in (light, heavy)] == [40, 2]
    assert chunk_rows(METHODS["integrated-gradients"], light, 10_000, 7) == 1
    assert chunk_rows(METHODS["gradient-shap"], light, 7, 100) == 40
    assert chunk_rows(METHODS["deep-lift"], light, 50, 7) == 2048
    assert all(chunk_rows(METHODS[name], heavy, 50, 7) >= 10**6 for name in ("kernel-shap", "feature-permutation"))


def test_seeds_make_draws_repeat_and_leave_generators_as_they_were() -> None:
    before = np.random.get_state()[1].tolist(), torch.random.get_rng_state().tolist()
    drawn = []
    for seed in (1, 1, 2):
        with seeded(seed):
            drawn.append((np.random.rand(), torch.rand(1).item()))
    assert drawn[0] == drawn[1]
    assert (drawn[0][0] != drawn[2][0], drawn[0][1] != drawn[2][1]) == (True, True)
    with pytest.raises(ValueError, match="inside"), seeded(3):
        raise ValueError("inside")
    assert (np.random.get_state()[1].tolist(), torch.random.get_rng_state().tolist()) == before


def request(model: nn.Module, rows: Rows, pass_rows: int = 4096) -> Request:
    explained = SimpleNamespace(pass_rows=pass_rows, model=model)
    return Request(explained=explained, rows=rows, baselines=torch.zeros(1, 2), mask=torch.tensor([0, 1]), steps=1, samples=1)


@pytest.mark.parametrize(("rows", "at_once"), [(10, 3), (32, 1), (100, 1), (0, 32), (1, 32)])
def test_methods_that_switch_units_off_fill_one_pass(rows: int, at_once: int) -> None:
    asked = request(nn.Identity(), Rows(inputs=torch.zeros(rows, 2)), pass_rows=32)
    assert asked.masked["perturbations_per_eval"] == at_once
    assert asked.masked["feature_mask"].tolist() == [[0, 1]]


def test_captum_is_handed_inputs_it_may_differentiate_and_all_else_beside() -> None:
    numbers = Rows(inputs=torch.ones(2, 2), others=(torch.tensor([3.0, 4.0]),), target_index=torch.tensor([0, 1]))
    given = request(nn.Identity(), numbers).common
    assert given["inputs"].requires_grad
    assert given["inputs"] is not numbers.inputs
    assert [one.tolist() for one in given["additional_forward_args"]] == [[3, 4], [0, 1]]
    bare = request(nn.Identity(), Rows(inputs=torch.ones(2, 2, dtype=torch.int64)))
    assert bare.common["additional_forward_args"] is None
    assert not bare.common["inputs"].requires_grad
    assert bare.model is bare.explained


def baseline_subject(**more: object) -> SimpleNamespace:
    """Training rows 0 to 99 and held-out rows 1,000 to 1,009, each with a constant second column."""

    def split(first: int, n: int) -> Split:
        values = torch.arange(first, first + n, dtype=torch.float32) ** 2
        return Split((torch.stack([values, torch.ones(n)], dim=1),), np.arange(n))

    given: dict[str, object] = {
        "train": split(0, 100),
        "schema": schema_of(2),
        "predictions": SimpleNamespace(source=split(1000, 10), target_index=None),
        "episode_output": None,
        "sample": lambda most, name: {"explain.baseline": np.array([0, 1, 9])}[name],
        "generator": {"explain.baseline": np.random.default_rng(3)}.__getitem__,
    }
    return SimpleNamespace(**{**given, **more})


INPUTS = torch.full((3, 2), 7.0)
GRADIENTS, SWITCHED = METHODS["integrated-gradients"], METHODS["feature-ablation"]


def chosen_baseline(choice: str = "auto", method: object = GRADIENTS, inputs: Tensor = INPUTS, **more: object) -> Baseline:
    return choose_baseline(baseline_subject(**more), inputs, choice, method)


def test_the_baseline_of_a_table_is_the_mean_or_a_typical_training_row() -> None:
    found = {name: chosen_baseline(name) for name in ("mean", "typical", "median", "zero")}
    assert {name: one.values.tolist() for name, one in found.items()} == {
        "mean": [[np.float32(np.mean(np.arange(100) ** 2)), 1]],
        "typical": [[49**2, 1]],
        "median": [[49**2, 1]],
        "zero": [[0, 0]],
    }
    assert all(one.name == name and one.values.dtype == torch.float32 for name, one in found.items())
    assert [chosen_baseline(method=one).name for one in (GRADIENTS, SWITCHED)] == ["mean", "typical"]
    sample = chosen_baseline(method=METHODS["gradient-shap"])
    assert (sample.name, len(sample.values), SAMPLE) == ("training-sample", 64, 64)
    drawn = np.random.default_rng(3).choice(100, 64, replace=False)
    assert sample.values[:, 0].sqrt().tolist() == sorted(drawn)


def test_without_training_rows_the_audited_ones_or_zero_take_their_place() -> None:
    audited = [chosen_baseline(method=one, train=None) for one in (GRADIENTS, SWITCHED)]
    assert [one.name for one in audited] == ["audited-mean", "audited-typical"]
    rows = np.array([1000.0, 1001, 1009]) ** 2
    assert [one.values[0, 0].item() for one in audited] == pytest.approx([rows.mean(), rows[1]])
    assert chosen_baseline(train=None, schema=schema_of(2, "image")).name == "zero"
    assert chosen_baseline(schema=schema_of(2, "image")).name == "zero"
    assert chosen_baseline(train=None, predictions=SimpleNamespace(source=None, target_index=None)).name == "zero"
    for choice in ("mean", "typical", "training-sample"):
        with pytest.raises(Unexplainable, match="needs the training rows"):
            chosen_baseline(choice, train=None)


def test_tokens_are_compared_with_padding_whatever_was_asked_for() -> None:
    tokens = torch.tensor([[5, 6]])
    for choice in ("auto", "mean"):
        found = chosen_baseline(choice, inputs=tokens, schema=schema_of(2, "text", facts=TextFacts(padding=4)))
        assert (found.name, found.values.tolist(), found.values.dtype) == ("padding", [[4, 4]], torch.int64)
    assert chosen_baseline(inputs=tokens).values.tolist() == [[0, 0]]


def test_a_policys_states_are_compared_with_contrasts() -> None:
    policy = baseline_subject().predictions
    policy.target_index = torch.zeros(10)
    known = {"train": None, "predictions": policy, "episode_output": object(), "schema": schema_of(2, "observation")}
    mean = np.mean(np.array([1000.0, 1001, 1009]) ** 2)
    for method, name in (("integrated-gradients", "contrast"), ("feature-ablation", "contrast"), ("gradient-shap", "visited")):
        found = chosen_baseline(method=METHODS[method], **known)
        assert (found.name, found.values.dtype) == (name, torch.float32)
        assert found.values[0].tolist() == pytest.approx([mean, 1])
    assert chosen_baseline("visited", **known).name == "visited"
    for choice in ("visited", "contrast"):
        with pytest.raises(Unexplainable, match="needs the episodes"):
            chosen_baseline(choice)


LINEAR = Formula(lambda x: x @ torch.tensor([2.0, -3.0]))


LEAST = {"rows": 2, "steps": 1, "samples": 1, "cases": 0, "replicates": 1}


def settings(**more: object) -> Settings:
    given = {"rows": None, "steps": None, "samples": None, "cases": 2, "replicates": 20, "method": "auto"}
    return Settings(**{**given, "baseline": "auto", "level": 0.95, **more})


@pytest.mark.parametrize(("name", "least"), LEAST.items())
def test_settings_below_the_least_are_refused(name: str, least: int) -> None:
    assert getattr(settings(**{name: least}), name) == least
    with pytest.raises(SettingsError, match=rf"^{name} must be at least {least}\n") as refused:
        settings(**{name: least - 1})
    assert (refused.value.got, refused.value.where) == (str(least - 1), f"audits.explain.{name}")


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, 95.0])
def test_a_level_that_is_no_share_is_refused(level: float) -> None:
    with pytest.raises(SettingsError, match=r"^level must lie between 0 and 1\n") as refused:
        settings(level=level)
    assert (refused.value.got, refused.value.where) == (str(level), "audits.explain.level")


def subject_of(model: nn.Module, n: int = 600, inputs: Tensor | None = None, **more: object) -> Subject:
    rows = torch.randn(n, 2, generator=torch.Generator().manual_seed(2)) if inputs is None else inputs
    frame = pd.DataFrame({"row": np.arange(n), "y_pred": np.zeros(n)})
    predictions = Predictions(frame=frame, source=Split((rows,), np.arange(n)), target_index=None)
    given = {"schema": schema_of(2), "task": Raw(), "train": Split((rows + 1,), np.arange(n)), "seed": 9}
    return Subject(predictions=predictions, model=model, **{**given, **more})


def test_rows_steps_and_draws_are_the_methods_unless_told_otherwise() -> None:
    subject = subject_of(LINEAR)
    found = prepare(subject, settings())
    assert (found.explainer.method.name, found.explainer.steps, found.replaced) == ("integrated-gradients", 50, None)
    assert found.positions.tolist() == subject.sample(512, "explain.rows").tolist()
    assert found.explainer.seed == subject.generator("explain.captum").integers(2**31)
    assert found.explainer.baseline.name == "mean"
    assert found.explainer.feature_groups.names == ("x0", "x1")
    told = prepare(subject, settings(rows=5, steps=3, samples=7, method="gradient-shap", baseline="zero")).explainer
    assert (told.steps, told.samples, told.baseline.name, told.method.name) == (3, 7, "zero", "gradient-shap")
    assert prepare(subject, settings(rows=5)).positions.tolist() == subject.sample(5, "explain.rows").tolist()
    drawn = prepare(subject, settings(method="gradient-shap")).explainer
    assert drawn.samples == 200
    assert len(prepare(subject, settings(method="feature-ablation")).positions) == 256


def test_models_that_take_many_passes_are_asked_of_fewer_rows_and_points() -> None:
    dear = Formula(lambda x: x @ torch.tensor([2.0, -3.0]))
    dear.passes_per_row = 8
    found = prepare(subject_of(dear), settings())
    assert (len(found.positions), found.explainer.steps) == (24, 16)


def test_estimators_are_explained_by_their_trees_and_refuse_gradients() -> None:
    subject = subject_of(estimator())
    assert prepare(subject, settings()).explainer.method.name == "tree-shap"
    with pytest.raises(Unexplainable, match="needs gradients"):
        prepare(subject, settings(method="deep-lift"))


def test_models_whose_output_is_not_finite_are_refused_with_their_count() -> None:
    inputs = torch.ones(40, 2)
    inputs[:3] = torch.tensor([[0.0, 1.0], [float("nan"), 1.0], [0.0, 0.0]])
    with pytest.raises(Unexplainable, match="for 3 of 40 rows"):
        prepare(subject_of(Formula(lambda x: 1 / x[:, 0]), 40, inputs), settings())


class Embedding(nn.Module):
    """Tokens whose vectors are attributed to."""

    attribution_layer = "table"

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(5, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.table(tokens).sum(dim=(1, 2))


class Framed(nn.Module):
    """Samples that a layer makes frames of, which are attributed to."""

    attribution_layer = "frames"

    def __init__(self) -> None:
        super().__init__()
        self.frames = nn.Unflatten(1, (2, 3))

    def forward(self, samples: Tensor) -> Tensor:
        return self.frames(samples).sum(dim=(1, 2))


def test_attributions_have_the_shape_of_the_layer_without_the_width_of_an_embedding() -> None:
    tokens = torch.randint(0, 5, (40, 4))
    text = prepare(subject_of(Embedding(), 40, tokens, schema=schema_of(0, "text"), train=None), settings()).explainer
    assert text.feature_groups.mask.shape == (4,)
    assert text.per_feature_group(Rows(inputs=tokens[:2])).shape == (2, 4)
    clips = subject_of(Framed(), 40, torch.randn(40, 6), schema=schema_of(0, "image"), train=None)
    assert prepare(clips, settings()).explainer.feature_groups.mask.shape == (2, 3)
    assert prepare(clips, settings(method="feature-ablation")).explainer.feature_groups.mask.shape == (6,)
