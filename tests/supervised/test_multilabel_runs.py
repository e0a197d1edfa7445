"""Several labels per row through a whole run: tables and images, audits, gates, report, prediction and comparison."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from glassbench import load_run, run
from glassbench.report.compare import compare
from glassbench.report.data_section import data_section
from glassbench.report.record import read_record
from glassbench_plugins.tabular.conditions import CONDITIONS, conditions

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
QUICK = [
    "dataset.rows=800",
    "trainer.max_epochs=12",
    "audits.explain={rows: 64, steps: 16, replicates: 100}",
    "audits.fairness={replicates: 100}",
    "audits.calibration={replicates: 100}",
    "audits.robustness={rows: 64}",
    "audits.data={rows: 300}",
    "audits.counterfactuals={}",
    "audits.model-card={}",
]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return run(EXAMPLES / "conditions.yaml", runs=tmp_path_factory.mktemp("runs"), overrides=QUICK)


def found(done, audit):
    return next(one for one in done.audits if one.audit == audit)


def test_every_audit_runs_or_says_why_not(done):
    assert [one.error for one in done.audits] == [None] * len(done.audits)
    assert {one.audit: one.not_applicable for one in done.audits if one.not_applicable} == {
        "counterfactuals": "predictions of this kind (labels) are not flipped; classes are"
    }


def test_gates_hold_measures_of_one_label(done):
    gates = {gate["measure"]: gate["verdict"] for gate in done.gates}
    assert gates["performance.recall[diabetes]"] in ("pass", "insufficient evidence")
    assert gates["fairness.false_negative_rate_difference[heart disease]"] != "pass"


def test_each_label_is_explained_by_what_it_was_made_of(done):
    table = next(t for t in found(done, "explain").tables if t.title == "Importance of each input for each output")
    first = {}
    for label, name, *_ in table.rows:
        first.setdefault(label, name)
    assert {label: first[label] for label in ("diabetes", "hypertension", "depression")} == {
        "diabetes": "glucose",
        "hypertension": "age",
        "depression": "sleep",
    }


def test_the_report_speaks_of_each_label(done):
    page = done.report.read_text()
    for words in ("Precision and recall of each label", "Importance of each input for each output", "label by label"):
        assert words in page
    card = (done.folder / "audits" / "model-card" / "model_card.md").read_text()
    assert "any number of diabetes, hypertension" in card


def test_the_report_counts_labels_among_rows(done):
    table = data_section(read_record(done.folder)).tables[0]
    counts = conditions(7, rows=800).train.target.sum(dim=0)
    rows = {row[0].text: row[1].text.replace("\N{NO-BREAK SPACE}", " ") for row in table.rows}
    assert rows["diabetes"] == f"{int(counts[0])} ({100 * counts[0] / 320:.0f} %)"


def test_a_saved_run_decides_new_rows_label_by_label(done):
    raw = conditions(8, rows=300).test.raw
    frame = load_run(done.folder).predict(raw)
    for name in CONDITIONS:
        np.testing.assert_array_equal(frame[f"y_pred.{name}"], frame[f"score.{name}"] >= 0.5)
        np.testing.assert_array_equal(frame[f"y_true.{name}"], (raw[name] == "yes").astype(int))
    unlabelled = load_run(done.folder).predict(raw.drop(columns=list(CONDITIONS)))
    assert not [column for column in unlabelled if column.startswith("y_true")]
    assert unlabelled["y_pred"].tolist() == frame["y_pred"].tolist()


def test_measures_are_those_of_the_saved_predictions(done):
    frame = pd.read_parquet(done.folder / "predictions.parquet")
    truth, given = (np.stack([frame[f"{what}.{name}"] for name in CONDITIONS], axis=1) for what in ("y_true", "y_pred"))
    value = next(m.value for m in done.measures if m.name == "performance.macro_f1")
    assert value == pytest.approx(f1_score(truth, given, average="macro"))


def test_images_with_several_labels(tmp_path):
    tiny = [
        "dataset.rows=240",
        "trainer.max_epochs=2",
        "audits.explain={rows: 8, steps: 8, cases: 1, replicates: 50}",
        "gates=[]",
    ]
    done = run(EXAMPLES / "shapes.yaml", runs=tmp_path, overrides=[*tiny, "audits.fairness={replicates: 50}"])
    assert [one.error for one in done.audits] == [None] * len(done.audits)
    titles = [picture.title for picture in found(done, "explain").pictures]
    assert {f"Where the influence lies: {name}" for name in ("disc", "square", "cross")} <= set(titles)


def test_two_runs_are_compared_by_the_rows_whose_labels_are_all_right(done, tmp_path):
    other = run(
        EXAMPLES / "conditions.yaml",
        runs=tmp_path,
        overrides=[*QUICK[:1], "trainer.max_epochs=3", "audits=[performance]", "gates=[]"],
    )
    (against,) = compare([done.folder, other.folder])["differences"]
    found = next(one for one in against["measures"] if one["name"] == "performance.exact_match")
    shares = [float(np.mean(frame["y_true"] == frame["y_pred"])) for frame in map(predictions_of, (done, other))]
    assert against["rows"]["kind"] == "same"
    assert found["difference"]["how"] == "paired"
    assert found["difference"]["value"] == pytest.approx(shares[1] - shares[0])


def predictions_of(one):
    return pd.read_parquet(one.folder / "predictions.parquet")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["conditions", "shapes"])
def test_an_example_finds_what_was_planted_and_nothing_else(name, tmp_path):
    done = run(EXAMPLES / f"{name}.yaml", runs=tmp_path)
    failed = [f.sentence for f in found(done, "fairness").findings if f.grade == "concern"]
    planted = {"conditions": "“heart disease”", "shapes": "“cross”"}[name]
    assert any("missed more often" in sentence for sentence in failed)
    assert all(planted in sentence for sentence in failed)
