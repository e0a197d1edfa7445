"""Images go through the same phases as tables."""

from pathlib import Path

import pytest

from glassbench import run

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


TINY = ["trainer.max_epochs=2", "audits.explain={rows: 8, steps: 8, cases: 1}", "audits.fairness={replicates: 50}", "gates=[]"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "shown"), [("digits", "Grad-CAM"), ("digits-vit", "Attention rollout")])
def test_an_example_runs_at_a_tiny_size(name, shown, tmp_path):
    done = run(EXAMPLES / f"{name}.yaml", runs=tmp_path, overrides=TINY)
    assert [a.error for a in done.audits] == [None] * 4
    explain = next(a for a in done.audits if a.audit == "explain")
    assert all(any(shown in picture.title for picture in case.pictures) for case in explain.cases)
    assert len(explain.cases) > 0
    assert done.report.stat().st_size < 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("digits", 0.985), ("digits-vit", 0.97)])
def test_an_example_reaches_its_promise(name, least, tmp_path):
    done = run(EXAMPLES / f"{name}.yaml", runs=tmp_path)
    assert [a.error for a in done.audits] == [None] * len(done.audits)
    assert next(m.value for m in done.measures if m.name == "performance.accuracy") >= least
