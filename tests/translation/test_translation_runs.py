"""Whole experiments on pairs: each example at a tiny size, from its file to its report and its answers."""

from pathlib import Path

import pandas as pd
import pytest

from glassbench import load_run, run
from glassbench.cli.app import invoke
from glassbench.contracts.task import Generation

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
TINY = {
    "translation-dates": ["dataset.rows=300", "trainer.max_epochs=1", "model.width=16", "task.beams=2"],
    "translation-numbers": ["dataset.rows=300", "trainer.max_epochs=1", "model.width=16", "model.layers=1", "task.beams=2"],
}
QUICK = ["audits.explain={rows: 6, steps: 8, cases: 1}", "audits.fairness={replicates: 50}", "gates=[]"]


@pytest.fixture(scope="module", params=TINY)
def done(request, tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    return run(EXAMPLES / f"{request.param}.yaml", overrides=[*TINY[request.param], *QUICK], runs=runs)


def test_an_example_runs_at_a_tiny_size(done):
    found = [(audit.audit, audit.error, audit.not_applicable) for audit in done.audits]
    assert found == [(name, None, None) for name in ("performance", "learning", "explain", "fairness")]
    _, learning, explain, _ = done.audits
    assert "What drove each word of the answer" in {chart.title for chart in explain.cases[0].charts}
    loss = next(chart for chart in learning.charts if chart.title == "Loss while training")
    assert {row["color"] for row in loss.rows} == {"train loss", "validation loss"}
    assert done.report.stat().st_size < 2_000_000


def test_a_run_answers_and_decides_when_it_is_loaded_again(done):
    again = load_run(done.folder)
    texts = ["12", "1907"]
    decided = again.predict(pd.DataFrame({"written": texts, "number": texts}))
    assert decided["y_pred"].tolist() == [again.generate(text, Generation(beams=2)) for text in texts]


def test_the_command_line_answers_a_prompt(done, capsys):
    assert invoke(["generate", str(done.folder), "--prompt", "12", "--beams", "3"]) == 0
    assert capsys.readouterr().out.strip() == load_run(done.folder).generate("12", Generation(beams=3)).strip()


@pytest.mark.slow
def test_audits_made_again_read_the_same_texts(done):
    before = [case.tokens for case in done.audits[2].cases]
    again = load_run(done.folder).audit(["explain"])
    assert [case.tokens for case in again.audits[2].cases] == before
