"""Networks that read texts: their promises, padding, and explanations that find the word that decides."""

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.errors import SettingsError
from glassbench.testing import check_model
from glassbench.toolkit.splits.splits import Division
from glassbench_audits.attribution.explained import rows_of
from glassbench_audits.attribution.preparation import Settings, prepare
from glassbench_audits.explain.audit import explain
from glassbench_plugins.supervised.classification import Classification
from glassbench_plugins.text.recurrent import Gru, Lstm, Rnn, turned
from glassbench_plugins.text.remarks import remarks
from glassbench_plugins.text.table import Reading, TextColumns, text_data
from glassbench_plugins.text.token_dropout import TokenDropout
from glassbench_plugins.text.transformer import TextTransformer

SMALL = {"embedding": 16, "width": 16, "dropout": 0.0}
MODELS = [(Rnn, SMALL), (Lstm, SMALL), (Gru, SMALL), (TextTransformer, {"width": 16, "blocks": 1, "heads": 2, "dropout": 0.0})]
PLAIN = Settings(method="auto", rows=None, steps=20, samples=None, baseline="auto", cases=0, replicates=10, level=0.95)


@pytest.mark.parametrize(("model", "settings"), MODELS)
def test_models_keep_their_promises(model, settings):
    check_model(model, data=remarks(0, rows=120), **settings)


@pytest.mark.parametrize(("model", "settings"), MODELS)
def test_padding_takes_no_part(model, settings):
    torch.manual_seed(0)
    data = remarks(0, rows=60)
    network = model(data.schema, **settings).eval()
    tokens = data.test.inputs[0]
    length = int((tokens[0] != 0).sum())
    short, long = network(tokens[:1, :length]), network(tokens[:1])
    assert torch.allclose(short, long, atol=1e-5)
    assert torch.isfinite(network(torch.zeros_like(tokens[:2]))).all()


def test_texts_are_turned_round_by_their_own_length():
    read = torch.tensor([[True, True, True, False], [True, False, False, False]])
    assert turned(read).tolist() == [[2, 1, 0, 3], [0, 1, 2, 3]]


def test_tokens_are_hidden_while_training_alone_and_padding_never():
    torch.manual_seed(0)
    schema = remarks(0, rows=60).schema
    tokens = torch.full((100, 50), 7)
    tokens[:, 30:] = 0
    hidden = TokenDropout(schema, 0.2).train()(tokens)
    assert (hidden[:, 30:] == 0).all()
    assert set(hidden[:, :30].unique().tolist()) == {1, 7}
    assert (hidden[:, :30] == 1).float().mean() == pytest.approx(0.2, abs=0.03)
    assert torch.equal(TokenDropout(schema, 0.2).eval()(tokens), tokens)
    with pytest.raises(SettingsError, match="share below 1"):
        Gru(schema, token_dropout=1.0)


def planted(seed):
    """Sentences of filler words, one of which is replaced by the word that decides the class."""
    generator = np.random.default_rng(seed)
    filler = [f"w{i}" for i in range(40)]
    rows = []
    for _ in range(400):
        words, place, side = list(generator.choice(filler, 9)), int(generator.integers(9)), int(generator.integers(2))
        words[place] = ("zib", "zab")[side]
        rows.append((" ".join(words), ("no", "yes")[side], place))
    frame = pd.DataFrame(rows, columns=["text", "class", "place"])
    columns = TextColumns(text="text", target="class")
    return frame, text_data(frame, columns, Division(seed=seed), reading=Reading(context=9))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("model", "settings"), [MODELS[1], MODELS[3]])
def test_the_explanation_finds_the_planted_word(seed, model, settings, train):
    frame, data = planted(seed)
    torch.manual_seed(seed)
    subject = train(data, model(data.schema, **settings), Classification(), steps=80, seed=seed)
    held = subject.predictions.frame
    assert (held["y_true"] == held["y_pred"]).mean() > 0.95
    prepared = prepare(subject, PLAIN)
    sizes = np.abs(prepared.explainer.per_feature_group(rows_of(subject, prepared.positions)))
    places = frame["place"].to_numpy()[held["row"].to_numpy()[prepared.positions]]
    top = sizes.max(axis=1)
    assert top[sizes.argmax(axis=1) == places].sum() / top.sum() >= 0.9


def test_a_case_shows_its_text_word_by_word(train):
    data = remarks(1, rows=200, tokens="pieces")
    subject = train(data, Lstm(data.schema, **SMALL), Classification(), steps=20)
    result = explain(subject, rows=12, steps=10, cases=1, replicates=20)
    case = result.cases[0]
    row = int(np.flatnonzero(subject.predictions.frame["row"].astype(str) == case.row)[0])
    assert "".join(token.text for token in case.tokens) == data.test.raw["remark"][row]
    assert all(token.text.strip() and " " not in token.text.strip() for token in case.tokens)
    assert any("no attribution" in chart.message for chart in case.charts)
    assert any(table.title == "Words that move the decisions most" for table in result.tables)
