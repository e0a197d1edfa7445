"""`glassbench compress`: what it writes and tells, against numbers computed by hand from the files that it leaves."""

import gzip
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import torch
from click.testing import CliRunner

import glassbench
from glassbench.cli.app import app
from glassbench.errors import ComponentError, ExperimentError, FitError, RunError

pytestmark = pytest.mark.slow


def invoked(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(app, [str(a) for a in arguments], standalone_mode=False)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.return_value if isinstance(found.return_value, int) else found.exit_code, found.output


@pytest.fixture(scope="module")
def told(run, tmp_path_factory):
    place = tmp_path_factory.mktemp("out") / "models"
    options = ("--to", "int8", "--to", "pruned", "pruned.share=0.8", "--to", "distilled+int8", "-o", place, "--json")
    _, said = invoked("compress", run, *options)
    return json.loads(said)


def test_sizes_are_those_of_the_files(told) -> None:
    place = Path(told["folder"])
    for one in told["candidates"]:
        file = place / one["folder"] / one["file"]
        assert one["size"]["stored"] == file.stat().st_size
    int8, pruned, student = told["candidates"]
    assert told["original"]["size"]["stored"] / int8["size"]["stored"] >= 3
    assert pruned["file"].endswith(".gz")
    assert pruned["size"]["nonzero"] < 0.25 * pruned["size"]["weights"]
    assert pruned["size"]["loaded"] > 3 * pruned["size"]["stored"]
    assert student["size"]["stored"] < int8["size"]["stored"]


def test_graphs_decide_as_the_predictions_beside_them_say(told, run) -> None:
    loaded = glassbench.load_run(run)
    rows = loaded._decider.data.test.batch(slice(None)).inputs[0].numpy()
    names = np.array(loaded.schema.target.classes)
    before = pd.read_parquet(run / "predictions.parquet")
    for one in told["candidates"]:
        folder = Path(told["folder"]) / one["folder"]
        content = (folder / one["file"]).read_bytes()
        graph = gzip.decompress(content) if one["file"].endswith(".gz") else content
        output = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(None, {"inputs": rows})[0]
        after = pd.read_parquet(folder / "predictions.parquet")
        assert after["y_pred"].tolist() == names[output.argmax(axis=1)].tolist()
        right = [(frame["y_pred"] == frame["y_true"]).to_numpy() for frame in (before, after)]
        whole, *groups = one["parts"]["parts"]
        assert whole["gain"] == pytest.approx(right[1].mean() - right[0].mean())
        assert (whole["better"], whole["worse"]) == (int((right[1] & ~right[0]).sum()), int((right[0] & ~right[1]).sum()))
        for part in groups:
            column = "y_true" if part["feature"] == "actual class" else f"group.{part['feature']}"
            rows_of = (before[column].astype(str) == part["group"]).to_numpy()
            assert part["rows"] == rows_of.sum()
            assert 1 - part["after"] == pytest.approx(right[1][rows_of].mean())
        accuracy = next(m for m in one["differences"]["measures"] if m["name"] == "performance.accuracy" and not m["group"])
        assert accuracy["difference"]["how"] == "paired"
        assert accuracy["second"]["compared"] == pytest.approx(right[1].mean())


def test_the_page_says_who_loses_and_when_not_to_use_it(told) -> None:
    page = Path(told["page"]).read_text()
    for words in ("Who gains and who loses", "actual class", "caution", "Every measure"):
        assert words in page
    assert not list(Path(told["page"]).parent.rglob("work"))


def test_weights_that_were_pruned_stay_zero_while_the_others_learn(run, tmp_path) -> None:
    arguments = ("--to", "pruned", "pruned.share=0.9", "-o")
    plain, learnt = (
        json.loads(invoked("compress", run, *arguments, tmp_path / str(epochs), f"pruned.epochs={epochs}", "--json")[1])
        for epochs in (0, 4)
    )
    sizes = [one["candidates"][0]["size"]["nonzero"] for one in (plain, learnt)]
    assert sizes[0] == sizes[1]
    assert learnt["candidates"][0]["validation"]["value"] > plain["candidates"][0]["validation"]["value"]


def test_units_that_are_removed_make_the_graph_smaller(run, tmp_path) -> None:
    asked = ("--to", "pruned-units+int8", "pruned-units.share=0.75", "pruned-units.epochs=4", "-o", tmp_path / "small", "--json")
    found = json.loads(invoked("compress", run, *asked)[1])
    one = found["candidates"][0]
    assert one["file"] == "model.onnx"
    assert one["size"]["weights"] < found["original"]["size"]["weights"] / 8
    assert one["size"]["stored"] < found["original"]["size"]["stored"] / 16
    assert "75\xa0% of the units of 2 layers were removed, 1 layer kept all of theirs" in one["done"][0]


def test_a_trainer_without_epochs_is_refused(tmp_path) -> None:
    experiment = {
        "name": "untrained",
        "dataset": {"use": "diabetes", "target": "class"},
        "task": "classification",
        "model": {"use": "mlp", "hidden": [16]},
        "trainer": "untrained",
        "audits": ["performance"],
    }
    folder = glassbench.run(experiment, runs=tmp_path / "runs").folder
    with pytest.raises(FitError, match="does not learn in epochs"):
        invoked("compress", folder, "--to", "pruned-units", "-o", tmp_path / "models")
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_a_budget_that_cannot_be_met_is_said(run, tmp_path) -> None:
    done = invoked("compress", run, "--to", "half", "--fit-in", "1KiB", "-o", tmp_path / "small")
    assert "No model fits in 1.0 KiB" in done[1]
    assert done[0] == 1


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("--to", "int9"), ComponentError, "int8"),
        (("--to", "int8+pruned"), ExperimentError, "pruned\\+int8"),
        (("--to", "int8", "pruned.share=0.5"), ExperimentError, "not asked for"),
        (("--to", "pruned", "pruned.share=2"), ExperimentError, "pruned.share"),
        (("--to", "half", "--fit-in", "small"), ExperimentError, "256KiB"),
        (("--to", "distilled", "distilled.student={use: logistic-regression}"), RunError, "must be a network"),
        (("--to", "distilled", "distilled.student={use: mlp, hidden: [1500, 1500]}"), RunError, "not smaller"),
    ],
)
def test_bad_input_is_one_error_and_leaves_nothing(run, tmp_path, arguments, error, words) -> None:
    with pytest.raises(error) as caught:
        invoked("compress", run, *arguments, "-o", tmp_path / "models")
    assert pd.Series([str(caught.value)]).str.contains(words).item()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", ["class", "value"])
def test_forests_get_smaller_and_are_held_against_the_original(tmp_path, target) -> None:
    kind = "classification" if target == "class" else "regression"
    experiment = {"name": "e", "dataset": {"use": "diabetes", "target": target, "sensitive": ["sex"]}, "task": kind}
    run = glassbench.run({**experiment, "model": "random-forest", "audits": ["performance"]}, runs=tmp_path / "runs").folder
    asked = ("--to", "float32", "--to", "fewer-trees+float32", "--to", "distilled", "fewer-trees.share=0.2")
    found = json.loads(invoked("compress", run, *asked, "-o", tmp_path / "models", "--json")[1])
    single, fewer, student = found["candidates"]
    before = pd.read_parquet(run / "predictions.parquet")
    after = pd.read_parquet(tmp_path / "models" / "float32" / "predictions.parquet")
    if target == "class":
        assert (before["y_pred"] == after["y_pred"]).all()
        assert np.abs(before["score.fast"] - after["score.fast"]).max() < 1e-6
    else:
        assert np.abs(before["y_pred"] / after["y_pred"] - 1).max() < 1e-6
    sizes = [one["size"]["stored"] for one in (found["original"], single, fewer, student)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < sizes[1] / 4
    assert fewer["parts"]["tests"] >= 3


def test_estimators_of_which_nothing_tells_what_they_compute_are_refused(tmp_path) -> None:
    experiment = {"name": "e", "dataset": {"use": "diabetes", "target": "class"}, "task": "classification"}
    model = {"use": "sklearn", "estimator": "KNeighborsClassifier"}
    made = glassbench.run({**experiment, "model": model, "audits": ["performance"]}, runs=tmp_path)
    with pytest.raises(RunError, match="nothing tells what it computes"):
        invoked("compress", made.folder, "--to", "int8", "-o", tmp_path / "models")


def test_a_network_is_written_as_a_program_too(run, tmp_path) -> None:
    asked = ("--to", "half", "--to", "distilled", "--torch-export", "-o", tmp_path / "models", "--json")
    half, student = json.loads(invoked("compress", run, *asked)[1])["candidates"]
    assert half["program"]["file"] is None
    assert "graph alone" in half["program"]["reason"]
    program = torch.export.load(tmp_path / "models" / "distilled" / student["program"]["file"]).module()
    rows = glassbench.load_run(run)._decider.data.test.batch(slice(None)).inputs[0]
    frame = pd.read_parquet(tmp_path / "models" / "distilled" / "predictions.parquet")
    names = np.array(glassbench.load_run(run).schema.target.classes)
    with torch.inference_mode():
        assert frame["y_pred"].tolist() == names[program(rows).argmax(1).numpy()].tolist()
