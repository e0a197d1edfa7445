"""Whole experiments on utterances: tiny, at full size, and on published recordings."""

from pathlib import Path

import pytest

from glassbench import run

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "speech.yaml"
TINY = ["dataset.rows=60", "trainer.max_epochs=2", "audits.fairness={replicates: 50}", "gates=[]"]


def test_the_example_runs_at_a_tiny_size(tmp_path):
    done = run(EXAMPLE, overrides=[*TINY, "audits.explain={rows: 4, steps: 4, cases: 1}"], runs=tmp_path)
    assert [a.error for a in done.audits] == [None] * 5
    explain = next(a for a in done.audits if a.audit == "explain")
    assert all([p.title for p in case.pictures] == ["The spectrogram", "Its map"] for case in explain.cases)
    assert all([chart.title for chart in case.charts] == ["What said each symbol"] for case in explain.cases)


@pytest.mark.slow
def test_the_example_is_understood_but_for_the_mumbling_speaker(tmp_path):
    done = run(EXAMPLE, runs=tmp_path)
    value = {m.name: m.value for m in done.measures if m.by is None and m.group is None}
    assert value["performance.word_error_rate"] < 0.25
    fairness = next(a for a in done.audits if a.audit == "fairness")
    assert any(f.grade == "concern" and "Eve" in f.sentence for f in fairness.findings)
