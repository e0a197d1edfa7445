import shutil
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import RunError
from glassbench.report import compare, render_comparison, render_index, render_junit, render_markdown
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


def accuracies(folder):
    frame = pd.read_parquet(folder / "predictions.parquet")
    return (frame["y_true"] == frame["y_pred"]).to_numpy(dtype=float)


def test_only_what_differs_is_listed(runs):
    found = compare(runs)
    assert found["settings"] == [{"key": "seed", "values": ["7", "8"]}]
    assert not any(gate["changed"] for gate in found["gates"])


def test_a_run_that_knows_no_truth_is_compared_without_it(runs, tmp_path):
    blind = tmp_path / "blind"
    shutil.copytree(runs[1], blind)
    frame = pd.read_parquet(blind / "predictions.parquet").drop(columns="y_true")
    frame.to_parquet(blind / "predictions.parquet")
    (found,) = compare((runs[0], blind))["paired"]
    assert found["value"] is None
    assert "knows no truth" in found["undefined"]


def test_paired_differences_agree_with_a_plain_bootstrap(runs):
    (found,) = compare(runs)["paired"]
    difference = accuracies(runs[1]) - accuracies(runs[0])
    draws = np.random.default_rng(1).choice(difference, size=(4000, 89)).mean(axis=1)
    assert found["value"] == pytest.approx(difference.mean())
    assert (found["low"], found["high"]) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=0.03)
    assert found["n"] == 89


def test_paired_differences_weigh_rows(runs, tmp_path):
    """The value is the weighted mean of differences, its half-width about two standard errors by linearization."""
    weight = np.random.default_rng(2).lognormal(0, 0.5, 89)
    folders = [tmp_path / name for name in "ab"]
    for folder, run in zip(folders, runs, strict=True):
        shutil.copytree(run, folder)
        pd.read_parquet(run / "predictions.parquet").assign(weight=weight).to_parquet(folder / "predictions.parquet")
    (found,) = compare(folders)["paired"]
    difference = accuracies(runs[1]) - accuracies(runs[0])
    centre = np.average(difference, weights=weight)
    error = np.sqrt((weight**2 * (difference - centre) ** 2).sum()) / weight.sum()
    assert found["value"] == pytest.approx(centre)
    assert (found["high"] - found["low"]) / 2 == pytest.approx(2 * error, rel=0.1)
    pd.read_parquet(runs[1] / "predictions.parquet").assign(weight=1.0).to_parquet(folders[1] / "predictions.parquet")
    assert "differently" in compare(folders)["paired"][0]["undefined"]


def test_runs_that_share_no_rows_say_so(runs, write_run, tmp_path):
    other = write_run(tmp_path / "other")
    frame = pd.read_parquet(other / "predictions.parquet")
    frame.assign(row=frame["row"] + 1000).to_parquet(other / "predictions.parquet")
    assert compare([runs[0], other])["paired"][0]["undefined"] == "the runs were judged by different rows"


def test_a_comparison_takes_two_runs(runs):
    with pytest.raises(RunError, match="two runs or more"):
        compare(runs[:1])


def test_the_page_shows_settings_measures_and_verdicts(runs):
    page = render_comparison(runs)
    assert "diabetes-triage (2) minus diabetes-triage (1)" in page
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
