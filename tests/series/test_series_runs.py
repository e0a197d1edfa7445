"""Whole experiments on series: each example at a tiny size, and at full size on request."""

from pathlib import Path

import pytest

from glassbench import run

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
TINY = {
    "series-seasonal": ["dataset.steps=600", "dataset.length=48", "dataset.test_stride=1", "trainer.max_epochs=1"],
    "series-classes": ["dataset.rows=90", "dataset.length=32", "trainer.max_epochs=2"],
}
QUICK = ["audits.explain={rows: 8, steps: 8, cases: 1}", "audits.fairness={replicates: 50}", "gates=[]"]


def audited(done, *names):
    assert [a.audit for a in done.audits] == list(names)
    assert [a.error for a in done.audits] == [None] * len(names)
    assert [a.not_applicable for a in done.audits] == [None] * len(names)


@pytest.mark.parametrize("name", TINY)
def test_an_example_runs_at_a_tiny_size(name, tmp_path):
    done = run(EXAMPLES / f"{name}.yaml", overrides=[*TINY[name], *QUICK], runs=tmp_path)
    audited(done, "performance", "learning", "explain", "fairness")
    explain = next(a for a in done.audits if a.audit == "explain")
    assert "heat" in {chart.kind for chart in explain.charts}
    assert all([chart.kind for chart in case.charts] == ["lines", "heat"] for case in explain.cases)
    assert done.report.stat().st_size < 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_an_example_runs_at_full_size(name, tmp_path):
    done = run(EXAMPLES / f"{name}.yaml", runs=tmp_path)
    audited(done, "performance", "learning", "explain", "fairness")
    assert done.verdict == "pass"
