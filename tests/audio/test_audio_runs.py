"""Whole experiments on clips: tiny, and at full size."""

from pathlib import Path

import pytest

from glassbench import run

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "audio-tones.yaml"
TINY = ["dataset.rows=80", "dataset.seconds=0.25", "trainer.max_epochs=2", "audits.fairness={replicates: 50}", "gates=[]"]
EXPLAIN = "audits.explain={rows: 8, steps: 8, cases: 1}"


def test_the_example_runs_at_a_tiny_size(tmp_path):
    done = run(EXAMPLE, overrides=[*TINY, EXPLAIN], runs=tmp_path)
    assert [a.error for a in done.audits] == [None] * 4
    explain = next(a for a in done.audits if a.audit == "explain")
    assert all([p.title for p in case.pictures] == ["The spectrogram", "Its map"] for case in explain.cases)
    assert explain.pictures[0].title == "Where the influence lies"
    assert {m.name: m.value for m in explain.measures}["explain.deletion_advantage"] is not None
    assert done.report.stat().st_size < 2_000_000


def test_samples_are_explained_by_stretches_of_time(tmp_path):
    conv = ["model={use: conv1d, widths: [8, 8]}"]
    done = run(EXAMPLE, overrides=[*TINY, EXPLAIN, *conv], runs=tmp_path)
    explain = next(a for a in done.audits if a.audit == "explain")
    assert explain.error is None
    assert all([chart.kind for chart in case.charts] == ["lines", "heat"] for case in explain.cases)
    assert explain.tables[0].rows[0][0].endswith(" s")


@pytest.mark.slow
def test_the_generated_set_is_told_apart(tmp_path):
    done = run(EXAMPLE, runs=tmp_path)
    value = {m.name: m.value for m in done.measures if m.by is None and m.group is None}
    assert done.verdict == "pass"
    assert value["performance.accuracy"] >= 0.98
