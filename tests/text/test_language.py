"""Language models: windows, losses, writing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from glassbench.contracts.task import Generation
from glassbench.errors import DataError, GlassbenchError, SettingsError
from glassbench.testing import check_dataset, check_task
from glassbench_audits.explain.audit import explain
from glassbench_audits.fairness.identity_terms import identity
from glassbench_audits.performance.audit import audit as performance
from glassbench_plugins.language.datasets import pydoc, text_file
from glassbench_plugins.language.encoder import LanguageEncoder
from glassbench_plugins.language.gpt import Gpt
from glassbench_plugins.language.lstm import LanguageLstm
from glassbench_plugins.language.next_token import NextToken
from glassbench_plugins.supervised.classification import Classification

TINY = {"layers": 1, "heads": 2, "width": 16}


@pytest.fixture
def counting(tmp_path):
    path = tmp_path / "counting.txt"
    path.write_text("abcdefgh he said; " * 300)
    return text_file(0, path=str(path), context=12)


@pytest.mark.parametrize("settings", [{"context": 32}, {"context": 32, "tokens": "pieces", "vocabulary": 400}])
def test_data_sets_keep_their_promises(settings):
    data = check_dataset(pydoc, encoder=LanguageEncoder, seeded=False, **settings)
    assert data.schema.sensitive == ("topic",)


def test_windows_predict_what_follows_by_one(counting):
    batch = counting.train.batch(slice(0, 3))
    assert torch.equal(batch.inputs[0][:, 1:], batch.target[:, :-1])
    assert torch.equal(batch.target[:-1, -1], batch.inputs[0][1:, 0])
    assert counting.train.raw["text"][0] == "abcdefgh he s"


@pytest.mark.parametrize(
    "factory", [lambda schema: Gpt(schema, **TINY), lambda schema: LanguageLstm(schema, embedding=8, width=16)]
)
def test_models_learn_and_never_look_ahead(factory, counting, train):
    task, model = NextToken(), factory(counting.schema)
    before = model(counting.test.inputs[0][:1]).detach()
    assert before.shape == (1, 12, len(counting.schema.target.classes))
    changed = counting.test.inputs[0][:1].clone()
    changed[0, 8:] = 2
    assert torch.allclose(model.eval()(changed)[:, :8], model(counting.test.inputs[0][:1])[:, :8], atol=1e-5)
    subject = train(counting, model, task, steps=80)
    assert task.metrics[0].compute(subject.predictions.frame, np.ones((1, len(counting.test))))[0] < 1.0


def test_losses_are_the_cross_entropy(counting):
    torch.manual_seed(0)
    task, model = NextToken(), Gpt(counting.schema, **TINY).eval()
    task.check(counting.schema)
    frame = task.predict(model, counting.test).frame
    batch = counting.test.batch(slice(None))
    expected = functional.cross_entropy(model(*batch.inputs).double().flatten(0, 1), batch.target.flatten()).item()
    values = {metric.name: metric.compute(frame, np.ones((1, len(frame))))[0] for metric in task.metrics}
    assert values["loss"] == pytest.approx(expected)
    assert values["perplexity"] == pytest.approx(np.exp(expected))
    assert values["bits_per_character"] == pytest.approx(expected / np.log(2))


def test_the_task_keeps_its_promises(counting):
    torch.manual_seed(0)
    check_task(NextToken(), counting, Gpt(counting.schema, **TINY))


def test_a_short_text_is_judged_by_what_it_holds(counting):
    torch.manual_seed(0)
    task, model = NextToken(), Gpt(counting.schema, **TINY).eval()
    task.check(counting.schema)
    frame = task.predict(model, counting.encoder.encode(pd.DataFrame({"text": ["abcd", "abcdefgh he s"]}))).frame
    assert frame["tokens"].tolist() == [3, 12]
    with pytest.raises(DataError, match="two tokens"):
        counting.encoder.encode(pd.DataFrame({"text": ["a"]}))


def test_writing_follows_its_seed_and_temperature(counting, train):
    task = NextToken()
    subject = train(counting, Gpt(counting.schema, **TINY), task, steps=150)

    def write(**how):
        return task.generate(subject.model, counting.encoder, "abc", Generation(length=9, **how))

    assert write(temperature=0.0) == "abcdefgh he "
    assert write(temperature=20.0, seed=1) == write(temperature=20.0, seed=1) != write(temperature=20.0, seed=2)
    assert write(temperature=20.0, top_k=1) == write(temperature=0.0)


@pytest.mark.parametrize(
    ("prompt", "how", "said"),
    [("", {}, "empty"), ("aXc", {}, "'X'"), ("abc", {"length": 0}, "at least"), ("abc", {"beams": 3}, "beams")],
)
def test_bad_prompts_are_refused(counting, prompt, how, said):
    task = NextToken()
    task.check(counting.schema)
    with pytest.raises((DataError, SettingsError)) as error:
        task.generate(Gpt(counting.schema, **TINY).eval(), counting.encoder, prompt, Generation(**how))
    assert said in str(error.value)


def test_other_tasks_write_nothing(counting):
    with pytest.raises(GlassbenchError, match="writes no text"):
        Classification().generate(Gpt(counting.schema, **TINY), counting.encoder, "abc", Generation())


def test_running_text_is_explained_and_swapped(counting, train):
    subject = train(counting, Gpt(counting.schema, **TINY), NextToken(), steps=40)
    case = explain(subject, rows=6, steps=8, cases=1, replicates=10).cases[0]
    assert len(case.tokens) == 12
    result = identity(subject, terms={"gender": {"woman": ("she",), "man": ("he",)}}, replicates=50)
    assert {m.name for m in result.measures} == {"identity.score_shift[man to woman]", "identity.flip_share"}


@pytest.mark.parametrize("encoded", [True, False])
def test_performance_shows_what_the_model_writes_beside_what_the_text_says(counting, train, encoded):
    task = NextToken()
    whole = train(counting, Gpt(counting.schema, **TINY), task, steps=20)
    subject = whole if encoded else replace(whole, encoder=None)
    result = performance(subject, replicates=50)
    tables = {table.title: table for table in result.tables}
    if not encoded:
        assert "What the model writes" not in tables
        return
    rows = tables["What the model writes"].rows
    texts = dict(zip(map(str, subject.predictions.frame["row"]), counting.test.raw["text"], strict=True))
    how = Generation(length=80, temperature=0.8, seed=subject.seed)
    for row, prompt, written, actual in rows:
        assert texts[row].startswith(prompt)
        assert texts[row].startswith(prompt + actual)
        assert prompt + written == task.generate(subject.model, counting.encoder, prompt, how)
    assert len(rows) == 3
    assert any("the model writes" in finding.sentence for finding in result.findings)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        text_file(0, path=str(tmp_path / "none.txt"))
    (tmp_path / "a.txt").write_text("short")
    with pytest.raises(DataError, match="too short"):
        text_file(0, path=str(tmp_path / "a.txt"))
