"""External models of every kind that can be wrapped, held against what they say themselves."""

import numpy as np
import onnx
import pandas as pd
import pytest
import torch
from onnx import TensorProto, helper
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC
from torch import nn
from torch.export import Dim, export

import glassbench
from glassbench.errors import DataError

CHANCE = np.random.default_rng(0)
N = 120
FRAME = pd.DataFrame(
    {"age": CHANCE.integers(18, 80, N), "income": CHANCE.normal(30, 10, N), "city": CHANCE.choice(["a", "b", None], N)}
)
TRUTH = np.where(FRAME["age"] + FRAME["income"] + CHANCE.normal(0, 8, N) > 78, "yes", "no")
NUMBERS = FRAME[["age", "income"]].to_numpy(dtype=np.float32) / 50
ONLY = {"audits": ["performance", "fairness"]}


def measured(run, name):
    return next(m.value for m in run.measures if m.name == name and m.by is None)


@pytest.fixture
def audited(tmp_path):
    def call(*given, **settings):
        return glassbench.audit(*given, runs=tmp_path, **{**ONLY, **settings})

    return call


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2))


def logits(model):
    with torch.no_grad():
        return model(torch.as_tensor(NUMBERS)).numpy()


def test_a_pipeline_over_a_frame_of_texts_numbers_and_gaps(audited):
    encode = ColumnTransformer([("city", OneHotEncoder(handle_unknown="ignore"), ["city"])], remainder="passthrough")
    model = make_pipeline(encode, LogisticRegression(max_iter=1000)).fit(FRAME, TRUTH)
    run = audited(model, FRAME, TRUTH, sensitive=["city"])
    assert measured(run, "performance.accuracy") == pytest.approx(accuracy_score(TRUTH, model.predict(FRAME)))
    assert measured(run, "performance.roc_auc") == pytest.approx(roc_auc_score(TRUTH == "yes", model.predict_proba(FRAME)[:, 1]))
    groups = {m.group["city"] for m in run.measures if m.group}
    assert groups == {"a", "b", "missing"}


def test_a_network_gives_gradients_and_comes_back_as_it_was(audited):
    model = network().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    run = audited(
        model, NUMBERS, TRUTH, classes=["no", "yes"], audits={"explain": {"method": "integrated-gradients", "rows": 20}}
    )
    assert run.audits[0].error is None
    assert measured(run, "explain.completeness_error") < 0.01
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("batch", ["any number of rows", "three rows at a time"])
def test_an_exported_program(audited, batch):
    model = network().eval()
    shapes = ({0: Dim("rows")},) if batch == "any number of rows" else None
    program = export(model, (torch.zeros(3, 2),), dynamic_shapes=shapes)
    expected = np.where(logits(model).argmax(axis=1) == 1, "yes", "no")
    run = audited(program, NUMBERS, TRUTH, classes=["no", "yes"])
    assert measured(run, "performance.accuracy") == pytest.approx(accuracy_score(TRUTH, expected))


def onnx_file(path, weight, bias):
    node = helper.make_node("Gemm", ["rows", "weight", "bias"], ["linear"], transB=1)
    soft = helper.make_node("Softmax", ["linear"], ["scores"], axis=1)
    graph = helper.make_graph(
        [node, soft],
        "linear",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [None, weight.shape[1]])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [None, weight.shape[0]])],
        [onnx.numpy_helper.from_array(weight, "weight"), onnx.numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 10
    onnx.save(model, str(path))


def test_an_onnx_file(audited, tmp_path):
    layer = nn.Linear(2, 2)
    onnx_file(tmp_path / "linear.onnx", layer.weight.detach().numpy(), layer.bias.detach().numpy())
    run = audited(tmp_path / "linear.onnx", NUMBERS, TRUTH, classes=["no", "yes"])
    score = torch.softmax(torch.as_tensor(logits(layer)), dim=1)[:, 1].numpy()
    assert measured(run, "performance.roc_auc") == pytest.approx(roc_auc_score(TRUTH == "yes", score))
    assert len(run.audits) == 2
    assert "sha256" in (run.folder / "resolved.yaml").read_text()


def test_a_callable_of_probabilities_is_explained_by_perturbation(audited):
    def score(rows):
        return 1 / (1 + np.exp(-(rows["age"] - 48) / 10))

    run = audited(score, FRAME, TRUTH, audits={"explain": {"rows": 20, "cases": 0}})
    (explained,) = run.audits
    assert "shapley" in explained.method.parameters["method"]
    assert "age" in explained.findings[0].sentence


def test_labels_alone_are_not_taken_for_probabilities(audited):
    run = audited(lambda rows: np.where(rows["age"] > 48, "yes", "no"), FRAME, TRUTH, audits=["performance", "calibration"])
    names = {m.name for m in run.measures}
    assert "performance.accuracy" in names
    assert not {"performance.roc_auc", "performance.brier"} & names
    assert run.audits[1].not_applicable == "the probabilities of the classes are not known"


def test_an_estimators_own_decisions_stand(audited):
    model = LinearSVC().fit(NUMBERS, TRUTH)
    assert measured(audited(model, NUMBERS, TRUTH), "performance.accuracy") == accuracy_score(TRUTH, model.predict(NUMBERS))

    class Strict(LogisticRegression):
        def predict(self, rows):
            return np.where(self.predict_proba(rows)[:, 1] > 0.8, "yes", "no")

    strict = Strict().fit(NUMBERS, TRUTH)
    assert (strict.predict(NUMBERS) != np.where(strict.predict_proba(NUMBERS)[:, 1] > 0.5, "yes", "no")).any()
    assert measured(audited(strict, NUMBERS, TRUTH), "performance.accuracy") == accuracy_score(TRUTH, strict.predict(NUMBERS))


def test_a_regressor(audited):
    model = LinearRegression().fit(NUMBERS, FRAME["income"])
    run = audited(model, NUMBERS, FRAME["income"], sensitive=FRAME[["city"]])
    error = np.abs(model.predict(NUMBERS) - FRAME["income"]).mean()
    assert measured(run, "performance.mean_absolute_error") == pytest.approx(error)


def test_texts_are_audited_by_their_decisions(audited):
    texts = ["good " * int(k) for k in CHANCE.integers(1, 9, 40)]
    run = audited(lambda rows: np.array([len(t) / 45 for t in rows]), texts, np.array([len(t) > 20 for t in texts]))
    assert measured(run, "performance.accuracy") > 0.9


class Pipeline:
    """What a transformers pipeline of texts looks like from outside."""

    task, tokenizer = "text-classification", object()

    class model:
        class config:
            id2label = {0: "no", 1: "yes"}  # noqa: RUF012

    def __call__(self, texts, top_k):
        shares = [min(len(t), 40) / 40 for t in texts]
        return [[{"label": "yes", "score": s}, {"label": "no", "score": 1 - s}][:top_k] for s in shares]


def test_a_pipeline_of_texts(audited):
    texts = ["word " * int(k) for k in CHANCE.integers(1, 9, 40)]
    run = audited(Pipeline(), texts, ["yes" if len(t) > 22 else "no" for t in texts])
    assert measured(run, "performance.accuracy") > 0.9


def test_without_a_truth_selection_rates_remain(audited):
    model = LogisticRegression().fit(NUMBERS, TRUTH)
    run = audited(model, NUMBERS, sensitive=FRAME[["city"]])
    assert "the truth of the rows is not known" in {r.not_applicable for r in run.audits}
    assert any(m.name == "fairness.selection_rate" for m in run.measures)


def test_values_without_a_truth_are_compared_between_groups(audited):
    run = audited(lambda rows: rows["income"], FRAME, sensitive=FRAME[["city"]], task="regression", audits=["fairness"])
    means = {m.group["city"]: m.value for m in run.measures if m.name == "fairness.mean_prediction" and m.group}
    assert means["a"] == pytest.approx(FRAME["income"][FRAME["city"] == "a"].mean())


def test_gates_hold(audited):
    model = LogisticRegression().fit(NUMBERS, TRUTH)
    run = audited(model, NUMBERS, TRUTH, gates=[{"measure": "performance.accuracy", "at_least": 0.999}])
    assert (run.verdict, run.exit_code) == ("fail", 1)


def test_one_score_alone_is_that_of_the_positive_class(tmp_path):
    chance = np.random.default_rng(0)
    X = pd.DataFrame({"a": chance.random(200)})
    y = np.where(chance.random(200) < X["a"], "churn", "retain")
    run = glassbench.audit(lambda rows: rows["a"].to_numpy(), X, y, positive="churn", audits=["performance"], runs=tmp_path)
    frame = pd.read_parquet(run.folder / "predictions.parquet")
    np.testing.assert_allclose(frame["score.churn"], X["a"], atol=1e-6)


class Rule:
    """A model of no library: yes from 45 years on."""

    def predict(self, rows):
        """Return a label per row."""
        return np.where(rows["age"] >= 45, "yes", "no")


class Chances(Rule):
    """The same, with a score per class."""

    def predict_proba(self, rows):
        """Return `(n, 2)`, no and yes."""
        chance = np.clip(rows["age"].to_numpy(dtype=float) / 90, 0, 1)
        return np.column_stack([1 - chance, chance])


class OnlyChances:
    """Scores alone."""

    predict_proba = Chances.predict_proba


@pytest.mark.parametrize("kind", [Rule, Chances, OnlyChances])
def test_a_class_of_ones_own_is_a_model(audited, kind):
    run = audited(kind(), FRAME, TRUTH, audits=["performance"], classes=("no", "yes"))
    frame = pd.read_parquet(run.folder / "predictions.parquet")
    expected = kind().predict(FRAME) if hasattr(kind, "predict") else np.where(FRAME["age"] > 45, "yes", "no")
    assert measured(run, "performance.accuracy") == pytest.approx(accuracy_score(TRUTH, expected), abs=1e-9)
    assert ("score.yes" in frame) is hasattr(kind, "predict_proba")


@pytest.mark.parametrize("given", [Rule, {"model": "x"}, "model.pkl", 7, None])
def test_what_is_no_model_is_named_with_the_fix(tmp_path, given):
    with pytest.raises(glassbench.DataError) as raised:
        glassbench.audit(given, FRAME, TRUTH, runs=tmp_path)
    assert raised.value.fix
    assert not list(tmp_path.iterdir())


QUANTILES = {"use": "quantile-regression", "conformal": "none"}


def _rows() -> tuple[pd.DataFrame, pd.Series]:
    chance = np.random.default_rng(0)
    rows = pd.DataFrame({"size": chance.normal(size=300), "site": chance.choice(["north", "south"], 300)})
    return rows, 10 + 3 * rows["size"] + chance.normal(size=300)


def _quantiles(rows: pd.DataFrame) -> np.ndarray:
    return np.stack([10 + 3 * rows["size"] + off for off in (-1.645, 0, 1.645)], axis=1)


def test_a_model_of_quantiles_is_audited(tmp_path):
    rows, price = _rows()
    run = glassbench.audit(_quantiles, rows, price, sensitive=["site"], task=QUANTILES, audits=["calibration"], runs=tmp_path)
    held = next(m.value for m in run.measures if m.name == "calibration.coverage" and m.group is None)
    assert held == pytest.approx(((_quantiles(rows)[:, 0] <= price) & (price <= _quantiles(rows)[:, 2])).mean())


@pytest.mark.parametrize(("task", "model"), [("regression", _quantiles), (QUANTILES, lambda rows: _quantiles(rows)[:, 1])])
def test_numbers_that_the_task_would_not_look_at_are_refused(task, model, tmp_path):
    rows, price = _rows()
    with pytest.raises(glassbench.DataError, match="numbers per row, and the task takes"):
        glassbench.audit(model, rows, price, task=task, audits=["performance"], runs=tmp_path)
    assert not list(tmp_path.iterdir())


def test_intervals_that_nothing_can_correct_are_refused_before_a_run_is_created(tmp_path):
    rows, price = _rows()
    with pytest.raises(glassbench.DataError, match="corrected on validation rows"):
        glassbench.audit(_quantiles, rows, price, task="quantile-regression", audits=["performance"], runs=tmp_path)
    assert not list(tmp_path.iterdir())


def test_classes_in_another_order_than_the_model_has_them_are_refused(tmp_path):
    """They would turn its scores around."""
    rows, truth = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0] * 5}), ["no", "no", "yes", "yes"] * 5
    model = LogisticRegression().fit(rows, truth)
    with pytest.raises(DataError, match="in another order than the model has them"):
        glassbench.audit(model, rows, truth, classes=["yes", "no"], runs=tmp_path)
    with pytest.raises(DataError, match="3 classes are named, and the model knows 2"):
        glassbench.audit(model, rows, truth, classes=["no", "yes", "maybe"], runs=tmp_path)
    done = glassbench.audit(model, rows, truth, classes=["no", "yes"], audits=["performance"], runs=tmp_path)
    assert next(m.value for m in done.measures if m.name == "performance.accuracy") == 1.0
