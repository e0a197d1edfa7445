"""The explorer of the threshold for several labels, for counted rows, and what is said where there is no threshold."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

import glassbench
from glassbench.report.explore import exploring
from glassbench.report.explore.content import choices_of
from glassbench.report.explore.threshold_counts import count_by_score
from glassbench.report.record import read_record

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module", name="run")
def _run(tmp_path_factory):
    experiment = {
        "name": "labels",
        "dataset": {"use": "conditions", "rows": 700, "test_share": 0.6},
        "task": "multilabel",
        "model": "linear",
        "trainer": {"use": "lightning", "max_epochs": 3, "learning_rate": 0.05, "threads": 1},
        "audits": {"performance": {"replicates": 20}, "fairness": {"replicates": 20, "intersections": False}},
    }
    return glassbench.run(experiment, runs=tmp_path_factory.mktemp("labels"))


def test_each_label_has_the_counts_of_its_own_rows(run):
    content = exploring(read_record(run.folder)).content
    frame = pd.read_parquet(run.folder / "predictions.parquet")
    assert len(content["choices"]) == 4
    for choice in content["choices"]:
        label, at = choice["positive"], choice["at"]
        truth, decided = frame[f"y_true.{label}"] == 1, frame[f"y_pred.{label}"] == 1
        every = choice["every"]
        assert sum(every["positive"][at + 1 :]) == (truth & decided).sum()
        assert sum(every["negative"][at + 1 :]) == (~truth & decided).sum()
        assert sum(every["positive"]) + sum(every["negative"]) == len(frame)
        assert [feature["name"] for feature in choice["features"]] != []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_choosing_a_label_shows_the_audits_numbers_of_that_label(run):
    playwright = pytest.importorskip("playwright.sync_api")
    measures = {(m.name, m.by, tuple((m.group or {}).values())): m for m in run.measures}
    compared, wrong = 0, []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page()
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.goto(run.report.as_uri())
        for label in tab.locator("#explore-of option").all_inner_texts():
            tab.select_option("#explore-of", label=label)
            tab.select_option("#explore-by", label="sex")
            read = "rows => rows.map(r => [r.dataset.group, [...r.cells].slice(1).map(c => ({...c.dataset}))])"
            for group, cells in tab.locator("#explore-table tbody tr").evaluate_all(read):
                for cell in cells:
                    known = measures.get((f"fairness.{cell['rate']}[{label}]", ("sex",), (group,)))
                    if known is not None and known.value is not None:
                        found = [float(cell[key]) for key in ("value", "low", "high")]
                        assert found == pytest.approx([known.value, known.low, known.high], abs=1e-9)
                        compared += 1
        browser.close()
    assert wrong == []
    assert compared >= 4 * 2 * 3


def test_rows_that_stand_for_several_are_counted_as_often():
    generator = np.random.default_rng(5)
    score = generator.random(300).round(2)
    frame = pd.DataFrame({"y_true": np.where(generator.random(300) < score, "a", "b"), "score.a": score, "group.sex": "f"})
    frame["y_pred"] = np.where(score >= 0.5, "a", "b")
    held = generator.integers(1, 5, 300)
    counted = count_by_score(frame.assign(frequency=held), "a", 0.5)
    written_out = count_by_score(frame.loc[frame.index.repeat(held)].reset_index(drop=True), "a", 0.5)
    assert counted.every.cells(counted.at) == written_out.every.cells(written_out.at)
    assert counted.features[0].groups[0].rows == held.sum()


def test_several_classes_are_said_to_have_no_threshold(run, tmp_path):
    folder = shutil.copytree(run.folder, tmp_path / "run")
    schema = json.loads((folder / "schema.json").read_text())
    schema["target"] |= {"kind": "class", "positive": None}
    (folder / "schema.json").write_text(json.dumps(schema))
    found = exploring(read_record(folder))
    assert (found.content, found.reason) == (None, "the likeliest of 4 classes is predicted")


@pytest.mark.parametrize(
    ("classes", "kind", "positive", "columns", "expected"),
    [
        (["no", "yes"], "class", "yes", ["y_true", "y_pred", "score.yes"], ["yes"]),
        (["no", "yes"], "class", None, ["y_true", "y_pred", "score.yes"], []),
        (["a", "b", "c"], "class", "a", ["y_true", "y_pred", "score.a"], []),
        (["a", "b"], "labels", None, ["y_true.a", "y_pred.a", "score.a", "y_pred.b", "score.b"], ["a"]),
    ],
)
def test_choices_need_a_truth_a_prediction_and_a_score(classes, kind, positive, columns, expected):
    assert [one.positive for one in choices_of(classes, kind, positive, columns)] == expected
