"""The whole explanation audit on small subjects whose truth is known."""

import copy
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from torch import nn

from glassbench.contracts.data import Split
from glassbench.contracts.estimator import EstimatorModule
from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.predictions.values import Values
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench.errors import SettingsError
from glassbench_audits.attribution.directions import NOWHERE
from glassbench_audits.attribution.importance import Importance
from glassbench_audits.explain.audit import explain
from glassbench_audits.explain.views.wording import driver_findings

CLASSES = ("no", "yes")


class Deciding:
    """A task of two classes, or of a value."""

    def __init__(self, target="class"):
        self.kind = Values() if target == "value" else Classes()

    def attribution_output(self, output):
        return output

    def predict(self, model, source):
        with torch.no_grad():
            return decided(model(source.inputs[0]), source, self.kind)


def decided(output, source, kind) -> Predictions:
    if isinstance(kind, Values):
        frame = pd.DataFrame({"row": source.rows, "y_pred": output.flatten().numpy(), "score": output.flatten().numpy()})
        return Predictions(frame=frame, source=source)
    index = output.argmax(dim=1)
    frame = pd.DataFrame({"row": source.rows, "y_pred": np.array(CLASSES)[index]})
    frame[["score.no", "score.yes"]] = output.softmax(dim=1).numpy()
    return Predictions(frame=frame, source=source, target_index=index)


def table_schema(width: int = 6, kind: str = "class") -> Schema:
    features = tuple(Feature(name=f"x{i}", columns=(i,), unit="mm" if i == 3 else None) for i in range(width))
    target = Target(name="ill", kind=kind, classes=CLASSES if kind == "class" else (), positive="yes", unit=None)
    return Schema(modality="table", shape=(width,), target=target, features=features)


def subject_of(model, inputs, truth, schema, train=None, raw=None, seed=0) -> Subject:
    source = Split((inputs,), np.arange(len(inputs)), raw=raw)
    task = Deciding(schema.target.kind)
    predictions = task.predict(model, source)
    predictions.frame["y_true"] = truth if schema.target.kind == "value" else np.array(CLASSES)[truth]
    train = train if train is not None else Split((inputs,), np.arange(len(inputs)))
    return Subject(schema=schema, predictions=predictions, task=task, model=model, train=train, seed=seed, held_out=True)


def fitted(inputs, truth, epochs: int = 150) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(inputs.shape[1], 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(epochs):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), torch.as_tensor(truth)).backward()
        optimizer.step()
    optimizer.zero_grad()
    return model.eval()


@pytest.fixture(scope="module")
def planted() -> Subject:
    """Only x3 decides."""
    generator = np.random.default_rng(0)
    inputs = torch.as_tensor(generator.standard_normal((300, 6)), dtype=torch.float32)
    truth = (inputs[:, 3] > 0).long().numpy()
    raw = pd.DataFrame(inputs.numpy() * 10 + 50, columns=[f"x{i}" for i in range(6)])
    return subject_of(fitted(inputs, truth), inputs, truth, table_schema(), raw=raw)


@pytest.fixture(scope="module")
def result(planted) -> AuditResult:
    return explain(planted)


def measure(result: AuditResult, name: str):
    return next(m for m in result.measures if m.name == f"explain.{name}")


def test_the_planted_cause_is_found_with_its_direction(result):
    first = result.tables[0].rows[0]
    assert first[0] == "x3"
    assert first[4] > 0.6
    assert first[5].startswith("higher values push towards 'yes' in all")
    assert result.findings[0].sentence.startswith("x3 drives the decisions most")


def test_the_explanation_of_a_sound_model_is_reliable(result):
    assert result.reliability == "reliable"
    assert measure(result, "reliable").value == 1
    assert measure(result, "completeness_error").value < 0.05
    assert measure(result, "deletion_advantage").low > 0


def test_intervals_hold_the_point_and_the_chart_is_sorted(result):
    rows = result.charts[0].rows
    assert all(row["low"] <= row["x"] <= row["high"] for row in rows)
    assert [row["x"] for row in rows] == sorted((row["x"] for row in rows), reverse=True)


def test_the_result_is_plain_json_and_comes_back(result):
    content = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert AuditResult.from_json(content).to_json()["measures"] == result.to_json()["measures"]


def test_every_measure_was_announced(result):
    from glassbench_audits.explain.plugin import glassbench_audits

    (spec,) = glassbench_audits()
    assert {m.name for m in result.measures} == {f"explain.{name}" for name in spec.measures}


def test_cases_are_distinct_and_in_the_persons_units(result):
    assert len({case.row for case in result.cases}) == len(result.cases)
    assert result.cases[0].title == "the most certain prediction"
    part = result.cases[0].parts[0]
    assert part.name == "x3"
    assert part.value.endswith(" mm")
    assert "% certain" in result.cases[0].decision


def test_contributions_of_a_case_add_up(planted, result):
    case = result.cases[0]
    baseline = torch.tensor([result.method.parameters["baseline_values"]])
    inputs = planted.predictions.source.inputs[0][[int(case.row)]]
    side = int(planted.predictions.target_index[int(case.row)])
    row, nothing = (planted.attribution_output(x)[0].detach() for x in (inputs, baseline))
    change = (row[side] - row[1 - side]) - (nothing[side] - nothing[1 - side])
    assert sum(part.contribution for part in case.parts) == pytest.approx(float(change), abs=0.1)


def test_the_baseline_is_stated(result):
    assert "mean of the training rows" in result.method.summary
    assert result.method.parameters["baseline"] == "mean"


def test_the_same_seed_gives_the_same_result(planted, result):
    assert explain(planted).to_json() == result.to_json()


def test_the_model_is_left_as_it_was(planted):
    model = planted.model
    before = copy.deepcopy(model.state_dict())
    model.train()
    explain(planted, method="deep-lift")
    assert model.training
    model.eval()
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in model.modules())


@pytest.mark.parametrize("baseline", ["zero", "typical", "median", "training-sample"])
def test_other_baselines_find_the_cause_too(planted, baseline):
    result = explain(planted, baseline=baseline, cases=0)
    assert result.tables[0].rows[0][0] == "x3"
    assert result.method.parameters["baseline"] == baseline


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gradient-shap", "input-x-gradient", "feature-permutation", "kernel-shap"])
def test_other_methods_find_the_cause_too(planted, method):
    result = explain(planted, method=method, rows=12, cases=0)
    assert result.tables[0].rows[0][0] == "x3"


@pytest.mark.parametrize("seed", range(5))
def test_a_model_of_shuffled_labels_is_not_graded_reliable(seed):
    generator = np.random.default_rng(seed)
    inputs = torch.as_tensor(generator.standard_normal((200, 6)), dtype=torch.float32)
    model = fitted(inputs[:100], generator.integers(0, 2, 100))
    result = explain(subject_of(model, inputs[100:], generator.integers(0, 2, 100), table_schema()))
    assert result.reliability != "reliable"
    assert result.grade != "ok"


def test_nothing_passes_under_a_grade_that_forbids_to_rely():
    generator = np.random.default_rng(0)
    inputs = torch.as_tensor(generator.standard_normal((200, 6)), dtype=torch.float32)
    model = fitted(inputs[:100], generator.integers(0, 2, 100))
    result = explain(subject_of(model, inputs[100:], generator.integers(0, 2, 100), table_schema()))
    assert result.reliability == "do not rely"
    assert "graded 'do not rely' because the" in result.findings[0].sentence
    others = result.findings[1:]
    assert others
    assert all(one.grade == "unclear" and one.sentence.startswith("By an explanation not to be relied on, ") for one in others)


@pytest.mark.parametrize(
    ("low", "said"),
    [
        ([4.5, 3.0, 1.0, 0.1], "a drives the decisions most"),
        ([3.4, 3.0, 1.0, 0.1], "a and b drive the decisions most"),
        ([0.3, 3.0, 1.0, 0.1], "a, b, c and d drive the decisions most"),
    ],
)
def test_inputs_whose_intervals_overlap_share_the_first_place(planted, low, said):
    picture = Importance(
        mean=np.array([5.0, 3.8, 1.2, 0.2]),
        low=np.array(low),
        high=np.array([6.0, 4.2, 1.4, 0.4]),
        share=np.array([5.0, 3.8, 1.2, 0.2]) / 10.2,
        directions=(NOWHERE,) * 4,
    )
    sentence = driver_findings(planted, tuple("abcd"), picture)[0].sentence
    assert sentence.startswith(said)
    assert ("which of them more can't be told" in sentence) == (" drive " in said)


def test_an_estimator_is_explained_by_perturbation():
    generator = np.random.default_rng(2)
    inputs = torch.as_tensor(generator.standard_normal((200, 6)), dtype=torch.float32)
    truth = (inputs[:, 1] - inputs[:, 4] > 0).long().numpy()
    model = EstimatorModule(LogisticRegression().fit(inputs.numpy(), truth))
    result = explain(subject_of(model, inputs, truth, table_schema()))
    assert result.method.parameters["method"] == "exact-shapley"
    assert {row[0] for row in result.tables[0].rows[:2]} == {"x1", "x4"}
    assert measure(result, "randomization_correlation").undefined == "the model has no weights"
    assert result.reliability == "reliable"


def test_a_value_is_explained_without_candidates():
    generator = np.random.default_rng(3)
    inputs = torch.as_tensor(generator.standard_normal((150, 6)), dtype=torch.float32)
    truth = -2 * inputs[:, 5].numpy()
    model = EstimatorModule(RandomForestRegressor(10, random_state=0).fit(inputs.numpy(), truth))
    result = explain(subject_of(model, inputs, truth, table_schema(kind="value")), rows=40)
    assert result.tables[0].rows[0][:1] == ("x5",)
    assert result.tables[0].rows[0][5].startswith("higher values lower it in ")
    assert result.cases[0].title == "the highest prediction"


def test_a_gradient_method_does_not_apply_to_an_estimator(planted):
    model = EstimatorModule(LogisticRegression().fit(np.eye(6), [0, 1, 0, 1, 0, 1]))
    result = explain(replace(planted, model=model), method="integrated-gradients")
    assert "needs gradients" in result.not_applicable


def test_an_output_that_is_no_number_is_said_to_be_so(planted):
    model = copy.deepcopy(planted.model)
    with torch.no_grad():
        model[2].bias[0] = float("nan")
    result = explain(replace(planted, model=model))
    assert "not a finite number" in result.not_applicable


def test_predictions_alone_cannot_be_explained(planted):
    assert "no model" in explain(replace(planted, model=None)).not_applicable


def test_a_model_that_ignores_its_inputs_has_nothing_to_explain(planted):
    model = nn.Linear(6, 2)
    nn.init.zeros_(model.weight)
    result = explain(replace(planted, model=model))
    assert any("does not depend on any input" in finding.sentence for finding in result.findings)
    assert result.grade == "concern"


def test_categories_are_one_input_with_a_leading_value():
    generator = np.random.default_rng(4)
    codes = generator.integers(0, 3, 240)
    inputs = torch.cat([torch.randn(240, 2), torch.eye(3)[codes]], dim=1)
    truth = (codes == 1).astype(int)
    colour = Feature(name="colour", kind="category", columns=(2, 3, 4), categories=("red", "green", "blue"))
    features = (Feature(name="a", columns=(0,)), Feature(name="b", columns=(1,)), colour)
    schema = replace(table_schema(5), features=features)
    result = explain(subject_of(fitted(inputs, truth), inputs, truth, schema))
    assert result.tables[0].rows[0][0] == "colour"
    assert result.tables[0].rows[0][5].startswith("'green' pushes most, towards 'yes' in all")
    assert result.cases[0].parts[0].value in colour.categories


def test_a_typical_row_has_medians_and_the_commonest_category():
    rows = torch.tensor([[1.0, 1, 0, 0], [2, 0, 0, 1], [9, 0, 0, 1], [3, 0, 1, 0], [4, 1, 0, 0], [5, 0, 0, 1]])
    colour = Feature(name="colour", kind="category", columns=(1, 2, 3), categories=("red", "green", "blue"))
    schema = replace(table_schema(4), features=(Feature(name="size", columns=(0,)), colour))
    model = EstimatorModule(LogisticRegression().fit(rows.numpy(), [0, 1, 1, 0, 0, 1]))
    result = explain(subject_of(model, rows, np.array([0, 1, 1, 0, 0, 1]), schema))
    assert result.method.parameters["baseline"] == "typical"
    assert result.method.parameters["baseline_values"] == [3, 0, 0, 1]


@pytest.mark.parametrize("method", ["auto", "deep-lift", "shapley-value-sampling", "feature-ablation"])
def test_two_rows_are_enough_to_answer(planted, method):
    source = planted.predictions.source.take(np.arange(2))
    few = Predictions(frame=planted.predictions.frame.iloc[:2], source=source, target_index=planted.predictions.target_index[:2])
    result = explain(replace(planted, predictions=few), method=method)
    assert result.tables[0].rows[0][0] == "x3"
    json.dumps(result.to_json(), allow_nan=False)


def test_settings_that_mean_nothing_are_refused(planted):
    with pytest.raises(SettingsError, match="steps must be at least 1"):
        explain(planted, steps=0)
    with pytest.raises(SettingsError, match="level"):
        explain(planted, level=1.5)


class Bent(nn.Module):
    """A network whose activation is called as a function, or is one module used twice."""

    def __init__(self, functional: bool):
        super().__init__()
        torch.manual_seed(3)
        self.layers = nn.ModuleList([nn.Linear(6, 32), nn.Linear(32, 32), nn.Linear(32, 2)])
        self.activation = nn.functional.relu if functional else nn.ReLU()

    def forward(self, inputs):
        return self.layers[2](self.activation(self.layers[1](self.activation(self.layers[0](inputs)))))


@pytest.mark.parametrize(("functional", "reason"), [(True, "called as functions (relu)"), (False, "used more than once")])
def test_an_unsound_deep_lift_is_replaced_and_said_so(functional, reason):
    inputs, model = torch.randn(60, 6, generator=torch.Generator().manual_seed(0)), Bent(functional).eval()
    truth = model(inputs).argmax(dim=1).numpy()
    result = explain(subject_of(model, inputs, truth, table_schema()), method="deep-lift")
    assert result.method.parameters["method"] == "integrated-gradients"
    assert any(reason in finding.sentence for finding in result.findings)


class Tokens(nn.Module):
    """Counts tokens through an embedding, the layer that attributions start from."""

    attribution_layer = "embedding"

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embedding, self.head = nn.Embedding(10, 4, padding_idx=0), nn.Linear(4, 2)

    def forward(self, tokens):
        return self.head(torch.tanh(self.embedding(tokens).sum(dim=1)))


@pytest.fixture(scope="module")
def texts() -> Subject:
    tokens = torch.randint(1, 10, (60, 8), generator=torch.Generator().manual_seed(2))
    schema = Schema(modality="text", shape=(8,), target=table_schema().target, facts=TextFacts())
    model = Tokens().eval()
    with torch.no_grad():
        truth = model(tokens).argmax(dim=1).numpy()
    return subject_of(model, tokens, truth, schema)


@pytest.mark.parametrize("method", ["auto", "deep-lift", "input-x-gradient", "feature-ablation"])
def test_tokens_are_attributed_at_the_layer_the_model_names(texts, method):
    result = explain(texts, method=method)
    assert result.not_applicable is None
    assert result.method.parameters["baseline"] in ("padding", "zero")
    assert [chart.title for chart in result.charts if chart.section is None] == ["Words that move the decisions most"]
    assert any("no names" in caution for caution in result.method.cautions)


def test_a_layers_attributions_are_complete_and_beat_chance(texts):
    result = explain(texts)
    assert result.method.parameters["attribution_layer"] == "embedding"
    assert measure(result, "completeness_error").value < 0.05
    assert measure(result, "deletion_advantage").low > 0


def test_gradient_shap_cannot_move_tokens(texts):
    assert "gradient-shap" in explain(texts, method="gradient-shap").not_applicable


def test_pictures_without_named_inputs_are_explained_patch_by_patch():
    inputs = torch.randn(40, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2)).eval()
    with torch.no_grad():
        model[3].weight *= 30  # as sure as a trained one
    schema = Schema(modality="image", shape=(1, 6, 6), target=table_schema().target)
    with torch.no_grad():
        truth = model(inputs).argmax(dim=1).numpy()
    result = explain(subject_of(model, inputs, truth, schema))
    assert result.method.parameters["baseline"] == "zero"
    assert [table.title for table in result.tables][:2] == ["Importance of each input", "Self-tests of the explanation"]
    assert all(row[0].startswith("row") for row in result.tables[0].rows)
    assert result.reliability == "reliable"
