"""Whole experiments on series: each example at a tiny size, and at full size what the papers report."""

from pathlib import Path

import pytest

from glassbench import run

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
ETT = ROOT.parent / "shared" / "data" / "weather_power" / "ETTh1.csv.gz"
TINY = {
    "series-seasonal": ["dataset.steps=600", "dataset.length=48", "dataset.test_stride=1", "trainer.max_epochs=1"],
    "series-classes": ["dataset.rows=90", "dataset.length=32", "trainer.max_epochs=2"],
}
QUICK = ["audits.explain={rows: 8, steps: 8, cases: 1}", "audits.fairness={replicates: 50}", "gates=[]"]


def overall(done):
    return {m.name: m.value for m in done.measures if m.by is None and m.group is None}


def audited(done, *names):
    assert [a.audit for a in done.audits] == list(names)
    assert [a.error for a in done.audits] == [None] * len(names)
    assert [a.not_applicable for a in done.audits] == [None] * len(names)


@pytest.mark.parametrize("name", TINY)
def test_an_example_runs_at_a_tiny_size(name, tmp_path):
    done = run(EXAMPLES / f"{name}.yaml", overrides=[*TINY[name], *QUICK], runs=tmp_path)
    audited(done, "performance", "explain", "fairness")
    explain = done.audits[1]
    assert "heat" in {chart.kind for chart in explain.charts}
    assert all([chart.kind for chart in case.charts] == ["lines", "heat"] for case in explain.cases)
    assert done.report.stat().st_size < 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize("name", TINY)
def test_an_example_runs_at_full_size(name, tmp_path):
    done = run(EXAMPLES / f"{name}.yaml", runs=tmp_path)
    audited(done, "performance", "explain", "fairness")
    assert done.verdict == "pass"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "trainer", "most"),
    [
        ("dlinear", {"max_epochs": 10, "batch_size": 32, "early_stopping": 3}, 0.40),
        ("patchtst", {"max_epochs": 10, "batch_size": 128, "schedule": "cosine", "warmup": 0.1}, 0.39),
    ],
)
def test_etth1_as_the_papers_split_and_scale_it(model, trainer, most, tmp_path):
    if not ETT.is_file():
        pytest.skip(f"needs {ETT.name}")
    dataset = {"use": "series-table", "path": str(ETT), "split": [12, 4, 4], "split_unit": "months", "length": 336, "horizon": 96}
    experiment = {
        "name": "etth1",
        "dataset": dataset,
        "task": "forecasting",
        "model": model,
        "audits": ["performance"],
        "seed": 7,
    }
    done = run({**experiment, "trainer": {"use": "lightning", **trainer}}, runs=tmp_path)
    assert overall(done)["performance.mean_squared_error"] <= most
