import shutil
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from glassbench.errors import RunError
from glassbench.report import compare, render_comparison, render_index, render_junit, render_markdown
from glassbench.report.comparison import _charts
from glassbench.report.exports import _escaped


@pytest.fixture(scope="module")
def runs(tmp_path_factory, request):
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("run_folders", request.path.parent / "conftest.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    root = tmp_path_factory.mktemp("two")
    first = module.write_run(root / "a", run="a")
    return first, module.write_run(root / "b", run="b", shift=3, seed=8)


def test_only_what_differs_is_listed(runs):
    found = compare(runs)
    assert found["settings"] == [{"key": "seed", "values": ["7", "8"]}]
    assert not any(gate["changed"] for gate in found["gates"])


def test_measures_that_no_audit_computes_again_are_compared_by_their_intervals(runs):
    (found,) = compare(runs)["differences"]
    accuracy = next(one for one in found["measures"] if one["name"] == "performance.accuracy")
    assert found["rows"]["kind"] == "same"
    assert accuracy["difference"]["how"] == "independent"
    assert "resampled rows" in accuracy["difference"]["reason"]


def test_rows_of_other_ids_are_independent(runs, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(runs[1], other)
    frame = pd.read_parquet(other / "predictions.parquet")
    frame.assign(row=frame["row"] + 1000).to_parquet(other / "predictions.parquet")
    rows = compare([runs[0], other])["differences"][0]["rows"]
    assert (rows["kind"], rows["words"]) == ("independent", "the runs were judged by different rows")


def test_a_run_is_not_compared_with_itself(runs):
    with pytest.raises(RunError, match="with itself"):
        compare([runs[0], runs[0]])


def test_a_comparison_takes_two_runs(runs):
    with pytest.raises(RunError, match="two runs or more"):
        compare(runs[:1])


def test_the_page_shows_settings_measures_and_verdicts(runs):
    page = render_comparison(runs)
    assert "diabetes-triage (2) against diabetes-triage (1)" in page
    assert "equalized odds difference by sex" in page
    assert page == render_comparison(runs)


def test_the_index_lists_runs_finished_damaged_and_unfinished(runs, write_run, tmp_path):
    write_run(tmp_path / "b", run="b", name="<script>alert(1)</script>")
    unfinished = write_run(tmp_path / "a", run="a")
    (unfinished / "verdict.json").unlink()
    (write_run(tmp_path / "c", run="c") / "schema.json").write_text("{")
    (tmp_path / "not-a-run").mkdir()
    page = render_index(tmp_path)
    assert "<script>alert" not in page
    assert page.count("data-row>") == 3
    assert "unfinished" in page
    assert "damaged" in page
    assert "validation loss from 0.720" in page


def test_markdown_says_the_verdict_and_escapes_html(run_folder):
    text = render_markdown(run_folder)
    assert text.startswith("## ✗ diabetes-triage: fail")
    assert "<script>" not in text


def test_markdown_makes_nothing_of_a_groups_name():
    assert _escaped("https://a.example www.b.example @someone \u202eabc |") == (
        "https&#58;//a.example www&#46;b.example &#64;someone \\\\u202eabc \\|"
    )


def test_junit_never_reads_insufficient_evidence_as_a_pass(run_folder):
    suite = ET.fromstring(render_junit(run_folder))
    kinds = {case.get("name"): [child.tag for child in case] for case in suite}
    assert kinds["accuracy at least 0.65"] == ["error"]
    assert kinds["log loss at most 0.7"] == []
    assert kinds["robustness"] == ["error"]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "1", "2")


def measured(name: str, first: float | None, second: float | None, unit: str | None = None) -> dict[str, Any]:
    difference = {"value": 0.1, "low": 0.05, "high": 0.2, "p": 0.01, "better": None, "reason": None, "alike": False}
    sides = {"first": {"compared": first}, "second": {"compared": second}}
    return {"name": name, "by": None, "group": None, "unit": unit, "difference": difference, **sides}


def test_shares_units_and_large_numbers_are_drawn_apart():
    shown = [
        measured("a.share", 0.4, -1.0),
        measured("a.score", 40.0, 0.5),
        measured("a.time", 0.5, 0.6, "s"),
        measured("a.rate", 1.0, None),
        measured("a.sum", 0.5, -1.01),
        measured("a.wait", 5.0, 6.0, "s"),
    ]
    drawn = {one.chart.title: [row["y"] for row in one.chart.rows] for one in _charts(shown, "after", "before", True, 1)}
    assert drawn == {
        "Differences beyond chance": ["share", "rate"],
        "Differences beyond chance, of numbers beyond 1": ["score", "sum"],
        "Differences beyond chance, in s": ["time", "wait"],
    }
