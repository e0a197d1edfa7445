"""Runs in notebooks: a small first screen, frames of measures, charts."""

import re
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.measures_chart import measures_chart
from glassbench.errors import GlassbenchError
from glassbench.pipeline.notebook_progress import NotebookProgress, watching
from glassbench.pipeline.run_observer import SilentObserver
from glassbench.report.notebook import run_html, worst_findings

NASTY = "<script>alert(1)</script>"
MEASURES = (
    Measure(name="fairness.rate", value=0.3, low=0.2, high=0.4, n=50),
    Measure(name="fairness.rate", value=0.2, low=0.1, high=0.3, n=20, by=("sex",), group={"sex": NASTY}),
    Measure(name="fairness.rate", value=0.4, low=0.3, high=0.5, n=30, by=("sex",), group={"sex": "m"}),
    Measure(name="performance.accuracy", value=0.8, low=0.7, high=0.9, n=50),
    Measure(name="performance.auc", value=None, undefined="one class"),
    Measure(name="performance.rate", value=0.5),
)
FINDINGS = (
    Finding(sentence=f"Worse for {NASTY}.", grade="concern", weight=0.9),
    Finding(sentence="Fine.", grade="ok", weight=1.0),
    Finding(sentence="Who knows?", grade="unclear", weight=0.1),
)
RESULT = AuditResult(audit="fairness", method=Method(summary="."), measures=MEASURES, findings=FINDINGS)


def test_the_first_screen_is_small_and_runs_nothing(run_folder):
    page = run_html(run_folder)
    assert "accuracy at least 0.65" in page
    assert "✗ fail" in page
    assert "<script" not in page
    assert len(page) < 6000


def test_a_result_shows_the_gravest_finding_first_and_escapes_names():
    page = RESULT._repr_html_()
    assert "<script" not in page
    assert page.index("Worse for") < page.index("Who knows") < page.index("Fine.")


def test_only_what_is_wrong_or_unknown_is_told_at_the_end_of_a_run():
    assert [grade for grade, _ in worst_findings([RESULT])] == ["concern", "unclear"]
    assert worst_findings([replace(RESULT, findings=(FINDINGS[1],))]) == []


def test_a_frame_holds_every_measure():
    frame = RESULT.to_frame()
    assert frame["name"].tolist() == [m.name for m in MEASURES]
    assert frame.loc[1, "group"] == f"sex={NASTY}"
    assert frame.loc[4, "undefined"] == "one class"


def test_a_chart_draws_the_groups_of_a_measure_with_their_intervals():
    spec = measures_chart(MEASURES, "fairness.rate", by="sex").to_dict()
    (rows,) = spec["datasets"].values()
    assert [(row["value"], row["low"]) for row in rows] == [(0.2, 0.1), (0.4, 0.3)]
    assert measures_chart(MEASURES, "accuracy").to_dict()["title"] == "accuracy"
    assert RESULT.plot("fairness.rate", by="sex").to_dict()["datasets"] == spec["datasets"]


def test_commands_do_not_wait_for_the_charts_of_notebooks():
    code = "import sys, glassbench.contracts.evidence; print('altair' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


@pytest.mark.parametrize(
    ("name", "by", "words"),
    [
        ("accurcy", None, "there is no measure"),
        ("rate", None, "several audits"),
        ("fairness.rate", "age", "nothing to draw"),
        ("performance.auc", None, "nothing to draw"),
    ],
)
def test_what_cannot_be_drawn_is_one_screen(name, by, words):
    with pytest.raises(GlassbenchError, match=words):
        measures_chart(MEASURES, name, by)


def test_a_bar_moves_forward_alone_and_escapes_names(monkeypatch):
    pages = []

    class Display:
        HTML = staticmethod(str)

        @staticmethod
        def display(page, display_id):
            pages.append(page)
            return SimpleNamespace(update=pages.append)

    monkeypatch.setitem(sys.modules, "IPython.display", Display)
    bar = NotebookProgress()
    bar.phase("fit", NASTY)
    bar.warn(NASTY)
    bar.phase("predict", "rows")
    bar.phase("audit", "fairness, explain")
    bar.audited(RESULT)
    bar.audited(replace(RESULT, audit="explain"))
    bar.phase("report", "report.html")
    bar.finished("pass")
    shares = [float(re.search(r'value="([0-9.]+)"', page)[1]) for page in pages]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert "<script" not in "".join(pages)


def test_nobody_watches_outside_a_notebook():
    assert isinstance(watching(), SilentObserver)
