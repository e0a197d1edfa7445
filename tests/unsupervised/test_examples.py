"""Each example of learning without labels runs through, small, with every audit; and customers fall into segments."""

from pathlib import Path

import pytest

import glassbench

ROOT = Path(__file__).parents[2]
CUSTOMERS = ROOT.parent / "shared" / "data" / "wholesale_customers" / "Wholesale customers data.csv"
SMALL = {
    "segmentation": ["audits.clusters.resamples=2"],
    "deep-clustering": ["trainer.max_epochs=2", "model.hidden=[16]", "audits.explain.rows=16"],
    "density": ["dataset.rows=300", "trainer.max_epochs=2", "model.layers=2", "audits.explain.rows=16"],
    "anomalies": ["audits.explain.rows=8", "audits.explain.samples=2"],
    "series-anomalies": ["dataset.steps=600", "dataset.faults=3", "trainer.max_epochs=2", "audits.explain.rows=16"],
    "representation": ["trainer.max_epochs=2", "audits.explain.rows=16"],
}


@pytest.mark.parametrize("name", SMALL)
def test_an_example_runs_through(name, tmp_path):
    run = glassbench.run(ROOT / "docs" / "examples" / f"{name}.yaml", overrides=[*SMALL[name], "gates=[]"], runs=tmp_path)
    assert (run.folder / "report.html").stat().st_size < 2_000_000
    assert run.audits
    assert [
        (result.audit, result.error, result.not_applicable) for result in run.audits if result.error or result.not_applicable
    ] == []


def test_customers_fall_into_segments(tmp_path):
    if not CUSTOMERS.is_file():
        pytest.skip(f"{CUSTOMERS} is missing")
    experiment = {
        "name": "customers",
        "dataset": {"use": "table", "path": str(CUSTOMERS), "drop": ["CustomerId"], "sensitive": ["Channel", "Region"]},
        "task": "clustering",
        "model": {"use": "kmeans", "clusters": "silhouette", "most": 6},
        "audits": {"performance": {}, "clusters": {"resamples": 4}},
    }
    run = glassbench.run(experiment, runs=tmp_path)
    said = " ".join(finding.sentence for result in run.audits for finding in result.findings)
    assert "Cluster 0 (" in said
    assert "By Channel" in said
    assert {"clusters.stability", "clusters.balance", "clusters.distance"} <= {measure.name for measure in run.measures}
