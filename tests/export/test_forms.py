"""Graphs and programs predict what the run predicts, for any number of rows."""

import json

import numpy as np
import pytest
import torch

import glassbench

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

import onnxruntime

from glassbench.contracts.data import Split
from glassbench.export.export_run import export_run
from glassbench.export.made_rows import made_inputs, made_rows
from glassbench.export.trial import onnx_inputs

ONE = {"use": "lightning", "max_epochs": 1}
NETWORKS = {
    "cnn": ("digits", "classification", "cnn"),
    "resnet": ("digits", "classification", "resnet"),
    "vit": ("digits", "classification", {"use": "vit", "depth": 2}),
    "lstm": ("remarks", "classification", "lstm"),
    "transformer": ("remarks", "classification", "transformer"),
    "dlinear": ("seasonal", "forecasting", "dlinear"),
    "patchtst": ("seasonal", "forecasting", {"use": "patchtst", "layers": 1}),
    "series-lstm": ("seasonal", "forecasting", "series-lstm"),
}


def session(folder):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(
    ("model", "task", "target"),
    [
        ("hist-gradient-boosting", "classification", "grade"),
        ("hist-gradient-boosting", "quantile-regression", "loss"),
        *(
            pytest.param({"use": use}, task, target, marks=pytest.mark.slow)
            for use in ("lightgbm", "xgboost")
            for task, target in (("classification", "repaid"), ("classification", "grade"), ("regression", "loss"))
        ),
    ],
)
def test_a_graph_takes_the_columns_of_a_table(trained, tmp_path, model, task, target):
    if isinstance(model, dict):
        pytest.importorskip(model["use"])
    run = trained(model, task, target)
    export_run(run, "onnx", tmp_path / "graph")
    spec = json.loads((tmp_path / "graph" / "preprocessing.json").read_text())["rows"]
    rows, graph = made_rows(spec, 10_000, seed=9), session(tmp_path / "graph")
    names = [output.name for output in graph.get_outputs()]
    found = dict(zip(names, graph.run(names, onnx_inputs(rows, spec)), strict=True))
    expected = run.predict(rows)
    np.testing.assert_array_equal(found["y_pred"], expected["y_pred"])
    if task == "classification":
        # ONNX Runtime's exponential function and NumPy's differ in the last bit.
        np.testing.assert_array_max_ulp(found["scores"], expected.filter(like="score.").to_numpy(), maxulp=8)
    elif task == "quantile-regression":
        np.testing.assert_array_equal(found["low"], expected["low"])


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_other_domains(tmp_path, name):
    dataset, task, model = NETWORKS[name]
    content = {"name": "x", "dataset": dataset, "task": task, "model": model, "trainer": ONE, "audits": ["performance"]}
    run = glassbench.run(content, runs=tmp_path / "runs")
    for form in ("onnx", "torch-export"):
        export_run(run, form, tmp_path / form)
    spec = json.loads((tmp_path / "onnx" / "preprocessing.json").read_text())["rows"]
    program, graph = torch.export.load(tmp_path / "torch-export" / "model.pt2").module(), session(tmp_path / "onnx")
    for rows in (1, 2, 37):
        raw = made_inputs(spec, rows, seed=rows)
        inputs = _encoded(raw, spec)
        expected = run.task.predict(run.model, Split(inputs=(inputs,), rows=np.arange(rows))).frame
        found = graph.run(["y_pred"], {"rows": raw.numpy()})[0]
        with torch.no_grad():
            from_program = program(raw)
        if task == "forecasting":
            np.testing.assert_allclose(found, expected["y_pred"], atol=1e-5, rtol=1e-5)
            np.testing.assert_allclose(from_program["y_pred"], expected["y_pred"], atol=1e-5, rtol=1e-5)
        else:
            np.testing.assert_array_equal(found, expected["y_pred"])
            np.testing.assert_allclose(from_program["scores"], expected.filter(like="score."), atol=1e-5)


def _encoded(raw, spec):
    """Scale by hand, channel by channel."""
    if spec["kind"] != "scaled":
        return raw
    values = np.moveaxis(raw.numpy().astype(np.float64), spec["axis"] + 1, -1)
    scaled = (values / spec["divide"] - np.array(spec["mean"])) / np.array(spec["std"])
    return torch.as_tensor(np.ascontiguousarray(np.moveaxis(scaled, -1, spec["axis"] + 1)), dtype=torch.float32)
