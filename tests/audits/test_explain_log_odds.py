"""What a softmax leaves alone explains nothing: one number added to all scores of a row changes no attribution."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from captum import attr
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from torch import nn

import glassbench
from glassbench.contracts.estimator import EstimatorModule
from glassbench.contracts.predictions.answers import Answers
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.predictions.tokens import Tokens
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.rows.log_odds import log_odds, log_odds_of
from glassbench_audits.attribution.baseline import Baseline
from glassbench_audits.attribution.explained import Explained, Rows
from glassbench_audits.attribution.explainer import Explainer, completeness_error
from glassbench_audits.attribution.feature_groups import feature_groups_of
from glassbench_audits.attribution.methods import METHODS, seeded

CLASSES = Classes()


class Choosing:
    """A task whose scores are those of a softmax."""

    def __init__(self, kind):
        self.kind = kind

    def attribution_output(self, output):
        return output


class Shared(nn.Module):
    """A network, and another one whose single output is added to every score."""

    def __init__(self, own, common):
        super().__init__()
        self.own, self.common = own, common

    def forward(self, rows):
        scores = self.own(rows)
        common = self.common(rows)
        return scores + common.reshape(-1, *[1] * (scores.ndim - 1))


class Nothing(nn.Module):
    def forward(self, rows):
        return torch.zeros(len(rows))


class Odds(nn.Module):
    """The log-odds of every class by hand, `log p - log(1 - p)` in double precision, for Captum."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, rows):
        chance = self.model(rows).softmax(dim=-1)
        return chance.log() - (1 - chance).log()


def explainer(model, method, inputs, kind=CLASSES):
    shape = tuple(inputs.shape[1:])
    named = len(shape) == 1
    features = tuple(Feature(name=f"x{i}", columns=(i,)) for i in range(shape[0])) if named else ()
    target = Target(name="y", kind="class", classes=("a", "b"))
    schema = Schema(modality="table" if named else "image", shape=shape, target=target, features=features)
    chosen = METHODS[method]
    return Explainer(
        explained=Explained(model, Choosing(kind)),
        method=chosen,
        baseline=Baseline(name="zero", values=torch.full_like(inputs[:1], 0.2)),
        feature_groups=feature_groups_of(schema, shape),
        steps=50,
        samples=min(chosen.samples, 40),
        seed=3,
    )


def table_network(classes, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 12), nn.ReLU(), nn.Linear(12, classes)).eval()


@pytest.mark.parametrize("classes", [2, 7])
@pytest.mark.parametrize("method", [name for name, one in METHODS.items() if not one.images and name != "tree-shap"])
def test_a_shared_function_changes_no_attribution_of_a_table(method, classes):
    own, inputs = table_network(classes), torch.randn(9, 5, generator=torch.Generator().manual_seed(1))
    rows = Rows(inputs=inputs, target_index=torch.arange(9) % classes)
    with_it, without = (
        explainer(Shared(own, common), method, inputs).per_feature_group(rows) for common in (table_network(1, seed=8), Nothing())
    )
    assert np.abs(without).max() > 0.05
    np.testing.assert_allclose(with_it, without, atol=1e-6)


@pytest.mark.parametrize("method", ["saliency", "grad-cam", "guided-grad-cam", "occlusion", "integrated-gradients"])
def test_a_shared_function_changes_no_attribution_of_an_image(method):
    torch.manual_seed(0)
    own = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 3)).eval()
    own.last_convolution = "0"
    common = nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.Tanh(), nn.Linear(4, 1)).eval()
    inputs = torch.randn(4, 1, 8, 8)
    rows, found = Rows(inputs=inputs, target_index=torch.tensor([0, 1, 2, 1])), []
    for other in (common, Nothing()):
        model = Shared(own, other)
        model.last_convolution = "own.0"
        found.append(explainer(model, method, inputs).raw(rows).numpy())
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)


class Reading(nn.Module):
    """Embedded tokens with their places, and one score per place and token of a vocabulary, or per class."""

    attribution_layer = "embedding"

    def __init__(self, shared, places=True):
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(10, 4, padding_idx=0)
        self.mix, self.head, self.common = nn.Linear(4, 4), nn.Linear(4, 6), nn.Linear(4, 1)
        self.shared, self.places = shared, places

    def forward(self, tokens):
        embedded = self.embedding(tokens)
        hidden = torch.tanh(self.mix(embedded.cumsum(dim=1)))
        scores, common = self.head(hidden), self.shared * torch.tanh(self.common(embedded.cumsum(dim=1)))
        return scores + common if self.places else (scores + common)[:, -1]


KINDS = {"class": Classes(), "token": Tokens(), "sequence": Answers()}
CHOICES = {
    "class": torch.tensor([1, 5, 0]),
    "token": torch.tensor([[3, 1], [2, 5], [3, 0]]),
    "sequence": torch.tensor([[[0, 1], [1, 2]], [[0, 3], [-1, -1]], [[2, 2], [3, 4]]]),
}


@pytest.mark.parametrize("kind", list(CHOICES))
@pytest.mark.parametrize("method", ["integrated-gradients", "deep-lift", "input-x-gradient", "kernel-shap"])
def test_a_shared_function_changes_no_attribution_of_a_text(method, kind):
    tokens = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8], [9, 1, 5, 2]])
    rows, found = Rows(inputs=tokens, target_index=CHOICES[kind]), []
    for shared in (0.0, 3.0):
        made = explainer(Reading(shared, places=kind != "class"), method, tokens.float(), KINDS[kind])
        made = replace(made, baseline=Baseline(name="padding", values=torch.zeros(1, 4, dtype=torch.int64)))
        found.append(made.per_feature_group(rows))
    assert np.abs(found[0]).max() > 0.01
    np.testing.assert_allclose(found[1], found[0], atol=1e-6)


DIRECT = {
    "integrated-gradients": lambda model, given: attr.IntegratedGradients(model).attribute(n_steps=50, **given),
    "gradient-shap": lambda model, given: attr.GradientShap(model).attribute(n_samples=40, **given),
    "feature-ablation": lambda model, given: attr.FeatureAblation(model).attribute(**given),
    "shapley-value-sampling": lambda model, given: attr.ShapleyValueSampling(model).attribute(n_samples=25, **given),
    "exact-shapley": lambda model, given: attr.ShapleyValues(model).attribute(**given),
}


@pytest.mark.parametrize("method", list(DIRECT))
@pytest.mark.parametrize("classes", [2, 4])
def test_attributions_equal_captums_of_the_log_odds(method, classes):
    model, inputs = table_network(classes), torch.randn(5, 5, generator=torch.Generator().manual_seed(1))
    chosen = torch.arange(5) % classes
    got = explainer(model, method, inputs).raw(Rows(inputs=inputs, target_index=chosen))
    given = {"inputs": inputs.clone().requires_grad_(), "baselines": torch.full((1, 5), 0.2), "target": chosen}
    with warnings.catch_warnings(), seeded(3):
        warnings.simplefilter("ignore")
        expected = DIRECT[method](Odds(model), given).detach()
    torch.testing.assert_close(got.double(), expected.double(), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("classes", [2, 6])
def test_deep_lift_of_log_odds_adds_up(classes):
    model, inputs = table_network(classes), 3 * torch.randn(20, 5)
    made, rows = explainer(model, "deep-lift", inputs), Rows(inputs=inputs, target_index=torch.arange(20) % classes)
    assert completeness_error(made, rows, made.per_feature_group(rows)) < 1e-4


def test_log_odds_are_exact_and_finite_where_probabilities_round_to_one():
    scores = 4 * torch.randn(50, 5, dtype=torch.float64)
    chance = scores.softmax(dim=1)
    expected = (chance / (1 - chance)).log()
    torch.testing.assert_close(log_odds(scores), expected)
    torch.testing.assert_close(log_odds_of(scores, torch.full((50,), 2)), expected[:, 2])
    sure = torch.tensor([[300.0, 0.0, -200.0]], requires_grad=True)
    torch.testing.assert_close(log_odds(sure), torch.tensor([[300.0, -300.0, -500.0]]))
    log_odds(sure).sum().backward()
    assert torch.isfinite(sure.grad).all()


@pytest.mark.parametrize("model", [GaussianNB(), RandomForestClassifier(5, random_state=0)])
@pytest.mark.parametrize("classes", [2, 3])
def test_certain_estimators_have_finite_log_odds(model, classes):
    inputs = torch.randn(120, 5, generator=torch.Generator().manual_seed(4))
    truth = (inputs[:, 0] * 40).long().clamp(0, classes - 1).numpy()
    wrapped = EstimatorModule(model.fit(100 * inputs.numpy(), truth))
    rows = Rows(inputs=100 * inputs, target_index=wrapped(100 * inputs).argmax(dim=1))
    attributions = explainer(wrapped, "exact-shapley", inputs).per_feature_group(rows)
    assert np.isfinite(attributions).all()
    assert np.abs(attributions).mean(axis=0).argmax() == 0


class OneLogit(nn.Module):
    """A score for 'yes' alone; the first input decides, the second is loud and does nothing."""

    def forward(self, rows):
        return 2 * rows[:, :1] + 0 * rows[:, 1:2]


def test_a_network_of_one_logit_explains_no_as_it_explains_yes(tmp_path):
    rows = pd.DataFrame(np.random.default_rng(0).standard_normal((80, 3)).astype(np.float32), columns=["a", "b", "c"])
    truth = np.where(rows["a"] > 0, "yes", "no")
    run = glassbench.audit(
        OneLogit(),
        rows[truth == "no"],
        truth[truth == "no"],
        background=rows,
        classes=["no", "yes"],
        outputs="logits",
        runs=tmp_path,
        audits={"explain": {"cases": 1}},
    )
    found = {row[0]: row[1] for row in run.audits[0].tables[0].rows}
    expected = 2 * (rows["a"][truth == "no"] - rows["a"].mean()).abs().mean()
    assert [found["a"], found["b"], found["c"]] == pytest.approx([expected, 0, 0], rel=1e-3)
    assert "log-odds of the predicted class" in run.audits[0].method.summary
