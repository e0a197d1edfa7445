"""A scorer's folder predicts what `glassbench predict` predicts, of rows as files hold them, without Glassbench."""

import csv
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from glassbench.cli.app import invoke

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

from glassbench.export.export_run import export_run
from glassbench.export.scorer.score import RowsError, Scorer, read_csv

FOREST = {"use": "random-forest", "n_estimators": 20}
TREES = [
    ("hist-gradient-boosting", "classification", "repaid"),
    ("hist-gradient-boosting", "classification", "grade"),
    ("hist-gradient-boosting", "regression", "loss"),
    ("hist-gradient-boosting", "quantile-regression", "loss"),
    (FOREST, "classification", "grade"),
    (FOREST, "regression", "loss"),
    # LightGBM: among its splits are some that part missing numbers from all others, by a threshold of 1e300.
    ({"use": "lightgbm", "min_child_samples": 5}, "regression", "loss"),
    ({"use": "xgboost"}, "classification", "repaid"),
]
OTHER_TREES = [
    *(({"use": "lightgbm", "min_child_samples": 5}, "classification", target) for target in ("repaid", "grade")),
    *(({"use": "xgboost"}, *both) for both in (("classification", "grade"), ("regression", "loss"))),
    *(
        ({"use": "sklearn", "estimator": f"{name}{kind}"}, task, target)
        for name in ("DecisionTree", "ExtraTrees", "GradientBoosting", "RandomForest")
        for kind, task, target in (
            ("Classifier", "classification", "repaid"),
            ("Classifier", "classification", "grade"),
            ("Regressor", "regression", "loss"),
        )
    ),
]
NETWORKS = ["linear", "mlp", "ft-transformer"]
ALONE = """
import sys
for name in ("glassbench", "torch", "pandas", "sklearn", "scipy", "onnx"):
    sys.modules[name] = None
sys.path.insert(0, sys.argv[1])
import score
sys.exit(score.main(sys.argv[2:]))
"""


@pytest.fixture(name="scorer")
def _scorer(trained, tmp_path):
    export_run(trained("hist-gradient-boosting"), "scorer", tmp_path / "scorer")
    return tmp_path / "scorer"


def both(run, folder, rows):
    """Return what the run and its scorer predict of a file."""
    export_run(run, "scorer", folder)
    return run.predict(run.read_rows(rows)), pd.DataFrame(Scorer(folder).predict(read_csv(rows)))


@pytest.mark.parametrize(
    ("model", "task", "target"), [*TREES, *(pytest.param(*other, marks=pytest.mark.slow) for other in OTHER_TREES)], ids=str
)
def test_trees_are_equal_to_the_last_digit(trained, tmp_path, rows, model, task, target):
    if isinstance(model, dict) and model["use"] in ("lightgbm", "xgboost"):
        pytest.importorskip(model["use"])
    expected, scored = both(trained(model, task, target), tmp_path / "scorer", rows)
    assert len(scored) == 10_000
    pd.testing.assert_frame_equal(scored, expected[list(scored)], check_exact=True, check_dtype=False)


def test_logistic_regression_is_equal(trained, tmp_path, rows):
    expected, scored = both(trained("logistic-regression", target="grade"), tmp_path / "scorer", rows)
    assert (scored["y_pred"] == expected["y_pred"]).all()
    np.testing.assert_allclose(scored.filter(like="score."), expected.filter(like="score."), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("model", NETWORKS)
@pytest.mark.parametrize(
    ("task", "target"), [("classification", "grade"), ("regression", "loss"), ("quantile-regression", "loss")]
)
def test_networks_are_equal(trained, tmp_path, rows, model, task, target):
    expected, scored = both(trained(model, task, target), tmp_path / "scorer", rows)
    for name in (name for name in scored if scored[name].dtype == float):
        # Values are sums of larger numbers in single precision: near 0 they are as exact as their column is wide.
        scale = np.maximum(max(1.0, expected[name].std()), expected[name].abs())
        assert ((scored[name] - expected[name]).abs() <= 1e-5 * scale).all(), name


def test_a_threshold_decides(trained, tmp_path, rows):
    run = trained("hist-gradient-boosting", {"use": "classification", "threshold": 0.2})
    expected, scored = both(run, tmp_path / "scorer", rows)
    assert (scored["y_pred"] == expected["y_pred"]).all()
    assert ((scored["score.yes"] >= 0.2) == (scored["y_pred"] == "yes")).all()


def test_it_needs_neither_glassbench_nor_what_glassbench_needs(trained, scorer, rows, tmp_path):
    small = tmp_path / "small.csv"
    pd.read_csv(rows, dtype=str, keep_default_na=False).head(200).to_csv(small, index=False)
    called = subprocess.run(
        [sys.executable, "-c", ALONE, str(scorer), str(small)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    out = tmp_path / "out.csv"
    assert invoke(["predict", str(trained("hist-gradient-boosting").folder), str(small), "-o", str(out)]) == 0
    expected = pd.read_csv(out)
    (tmp_path / "scored.csv").write_text(called.stdout)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "scored.csv"), expected[["row", "y_pred", "score.no", "score.yes"]])


def test_what_it_never_opens_is_left_out(tmp_path):
    from glassbench.export.scorer.install import main, slimmed

    kept = ["numpy/__init__.py", "onnxruntime/capi/_pybind_state.py"]
    unused = [
        "numpy/linalg/tests/test_it.py",
        "numpy/f2py/a.py",
        "onnxruntime/tools/a.py",
        "onnxruntime/capi/libonnxruntime.so.1",
    ]
    for name in (*kept, *unused):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("12345")
    assert slimmed(tmp_path) == 5 * len(kept)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)
    assert main([str(tmp_path)]) == 2


@pytest.mark.slow
def test_its_packages_take_less_than_120_megabytes(scorer, rows, tmp_path):
    pip = [sys.executable, "-m", "pip", "--version"]
    if subprocess.run(pip, capture_output=True, check=False).returncode:
        pytest.skip("there is no pip to install with")
    packages = tmp_path / "packages"
    installed = subprocess.run([sys.executable, "install.py", str(packages)], cwd=scorer, capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"there is no registry to install from: {installed.stderr[-200:]}")
    assert sum(path.stat().st_size for path in packages.rglob("*") if path.is_file()) < 120e6
    scored = subprocess.run(
        [sys.executable, "-S", "-B", "score.py", str(rows)],
        cwd=scorer,
        env={"PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert scored.stdout.count("\n") == 10_001


def test_it_counts_what_predict_counts(trained, scorer, rows):
    run = trained("hist-gradient-boosting")
    expected = {(one.column, one.kind): (one.count, one.usual) for one in run.unusual(run.read_rows(rows))}
    _, unusual = Scorer(scorer).score(read_csv(rows))
    assert {(one.column, one.kind): (one.count, one.usual) for one in unusual} == expected
    assert {one.kind for one in unusual} == {"missing", "unseen", "outside"}


def test_strict_refuses(scorer):
    row = {
        "income": "3,000.00 €",
        "share": "5 %",
        "body mass index": 22,
        "debts": 1,
        "zip": "01067",
        "job": "pilot",
        "sex": "man",
    }
    assert Scorer(scorer).predict([row])[0]["y_pred"] in ("yes", "no")
    with pytest.raises(RowsError, match="job: 1 of 1 cells hold a category that the model has no input for, such as pilot"):
        Scorer(scorer).predict([row], strict=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"income": "a lot"}, "column 'income' holds numbers, but 1 cells are none or infinite, such as 'a lot'"),
        ({"debts": float("inf")}, "column 'debts' holds numbers"),
        ({"job": ...}, "the rows lack columns the model needs: job"),
    ],
)
def test_it_says_what_cannot_be_read(scorer, change, words):
    row = {"income": "3,000.00 €", "share": "5 %", "bmi": 22, "debts": 1, "zip": "01067", "job": "cook", "sex": "1"} | change
    with pytest.raises(RowsError, match=words):
        Scorer(scorer).predict([{name: cell for name, cell in row.items() if cell is not ...}])


def test_the_command_says_what_is_wrong_with_a_file(scorer, tmp_path):
    (tmp_path / "odd.csv").write_text("a,a\n1,2\n")
    called = subprocess.run(
        [sys.executable, "-c", ALONE, str(scorer), str(tmp_path / "odd.csv")], capture_output=True, text=True, cwd=tmp_path
    )
    assert (called.returncode, called.stdout) == (2, "")
    assert "names a column twice: a" in called.stderr


def test_columns_and_rows_are_taken_alike(scorer, rows):
    listed = read_csv(rows)[:50]
    columns = {name: [row[name] for row in listed] for name in listed[0]}
    assert Scorer(scorer).predict(columns) == Scorer(scorer).predict(listed)


def test_the_folder_says_what_it_is(trained, scorer):
    facts = json.loads((scorer / "export.json").read_text())
    assert facts["run"] == trained("hist-gradient-boosting").folder.name
    assert facts["agreement"] == {"rows": 1000, "largest_difference": 0.0, "other_decisions": 0}
    card = (scorer / "MODEL_CARD.md").read_text()
    assert "| accuracy |" in card
    assert "python score.py rows.csv" in card
    assert sorted(path.name for path in scorer.iterdir()) == sorted([*facts["sha256"], "export.json", "MODEL_CARD.md"])


def test_text_that_a_spreadsheet_would_run_is_quoted(tmp_path):
    from glassbench.export.scorer.score import write_csv

    with (tmp_path / "out.csv").open("w", newline="") as file:
        write_csv([{"y_pred": "=1+1", "score": -0.5}], file)
    assert list(csv.reader((tmp_path / "out.csv").read_text().splitlines())) == [
        ["row", "y_pred", "score"],
        ["0", "'=1+1", "-0.5"],
    ]
