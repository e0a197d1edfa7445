"""Documents filled in from a run: what is known is there, what is not says so, and nothing in data can mean anything."""

import json

import pytest
import yaml
from huggingface_hub import ModelCard

from glassbench import load_run, run
from glassbench.printable import one_line

NAME = "cards <script>\n---\nlicense: other\n---\n\u202e\x85"
EXPERIMENT = {
    "name": NAME,
    "dataset": {"use": "breast-cancer"},
    "task": "classification",
    "model": "logistic-regression",
    "audits": {"model-card": {"license": "mit", "contact": "a|b"}, "annex-iv": {}, "performance": {"replicates": 50}},
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return run(EXPERIMENT, runs=tmp_path_factory.mktemp("runs"))


def text(done, audit, name):
    return (done.folder / "audits" / audit / name).read_text()


def measured(done, name):
    return next(m for m in done.measures if m.name == name)


def test_the_hub_reads_the_cards_figures(done):
    card = ModelCard(text(done, "model-card", "model_card.md"))
    accuracy = next(r for r in card.data.eval_results if r.metric_type == "accuracy")
    assert accuracy.metric_value == pytest.approx(measured(done, "performance.accuracy").value, abs=1e-6)
    assert card.data.license == "mit"


def test_what_is_not_known_reads_not_provided(done):
    card = text(done, "model-card", "model_card.md")
    assert "## Uses\n\nNot provided." in card
    annex = text(done, "annex-iv", "annex_iv.md")
    assert "## 5 Risk management system\n\nNot provided." in annex
    assert 0 < measured(done, "annex-iv.filled").value < 1


def test_no_compliance_is_claimed(done):
    annex = text(done, "annex-iv", "annex_iv.md")
    assert "claims no compliance" in annex
    assert "complies" not in annex + text(done, "model-card", "model_card.md")


def test_markup_in_names_is_text(done):
    card = text(done, "model-card", "model_card.md")
    front, body = card.split("---\n")[1], card.split("---\n", 2)[2]
    assert yaml.safe_load(front)["model-index"][0]["name"] == one_line(NAME)
    assert "<script>" not in body.replace("\\<script\\>", "")
    assert "a\\|b" in body


def test_documents_come_last_and_follow_what_they_read(done):
    again = load_run(done.folder)
    before = (done.folder / "audits" / "model-card" / "result.json").stat().st_mtime_ns
    again.audit(["performance"])
    assert (done.folder / "audits" / "model-card" / "result.json").stat().st_mtime_ns > before
    assert json.loads((done.folder / "audits" / "model-card" / "result.json").read_text())["files"] == ["model_card.md"]


def test_alone_they_say_that_there_is_nothing_to_write(tmp_path):
    alone = run({**EXPERIMENT, "audits": ["model-card"]}, runs=tmp_path)
    assert alone.audits[0].not_applicable == "no other audit found anything"
