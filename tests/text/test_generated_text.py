"""What Captum attributes written tokens to equals a closed form; a planted word is named; what cannot be explained is said."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from glassbench.contracts.subject import Subject
from glassbench_audits.generated_text.audit import audit
from glassbench_audits.generated_text.captum_language import NumberedTokens, attributed
from glassbench_audits.generated_text.prompts import absent_token, continued, explained_texts, written_words
from glassbench_plugins.language.next_token import NextToken
from glassbench_plugins.language.standard_library import python_source

METHODS = ["ablation", "shapley", "gradients"]


class Bigram(nn.Module):
    """The next token depends on the last one alone: its logits are a row of a table."""

    attribution_layer = "table"

    def __init__(self, tokens, seed=0):
        super().__init__()
        self.table = nn.Embedding(tokens, tokens)
        self.table.weight.data = 2 * torch.randn(tokens, tokens, generator=torch.Generator().manual_seed(seed))

    def forward(self, tokens):
        return self.table(tokens)


class Recalls(nn.Module):
    """Goes on with a token for each place that holds the planted one, far back as it may be; all else counts for nothing."""

    attribution_layer = "table"

    def __init__(self, tokens, planted):
        super().__init__()
        self.table = nn.Embedding(tokens, tokens)
        self.table.weight.data.zero_()
        self.table.weight.data[planted, planted] = 5.0

    def forward(self, tokens):
        return self.table(tokens).cumsum(dim=1)


@pytest.mark.parametrize("method", METHODS)
def test_a_bigram_model_has_a_closed_form(method):
    model, prompt, written = Bigram(7), torch.tensor([3, 1, 4, 2]), torch.tensor([2, 5, 6])
    found = attributed(model, prompt, [(0, 1), (2,), (3,)], written, 0, method, 30)
    logs = model.table.weight.detach().log_softmax(dim=1)
    expected = np.zeros((3, 3))
    expected[0, 2] = logs[2, 2] - logs[0, 2]  # the last word moves the first token; tokens already written move the others
    np.testing.assert_allclose(found, expected, atol=2e-3 if method == "gradients" else 1e-5)


def test_shapley_values_of_words_that_act_together_are_shared():
    """A model whose log-odds of token 1 add up over the prompt: of two tokens, log(sigmoid(s)) has exact Shapley values."""

    class Adds(nn.Module):
        def forward(self, tokens):
            score = torch.tensor([0.0, 1.0, 2.0, -1.5])[tokens].cumsum(dim=1)
            return torch.stack([torch.zeros_like(score), score], dim=2)

    def worth(*tokens):
        return float(torch.nn.functional.logsigmoid(torch.tensor([0.0, 1.0, 2.0, -1.5])[list(tokens)].sum()))

    first = ((worth(1, 0) - worth(0, 0)) + (worth(1, 2) - worth(0, 2))) / 2
    second = ((worth(0, 2) - worth(0, 0)) + (worth(1, 2) - worth(1, 0))) / 2
    torch.manual_seed(0)
    found = attributed(Adds(), torch.tensor([1, 2]), [(0,), (1,)], torch.tensor([1]), 0, "shapley", 1000)
    np.testing.assert_allclose(found, [[first, second]], atol=0.03)
    assert found.sum() == pytest.approx(worth(1, 2) - worth(0, 0), abs=1e-5)


def test_tokens_that_are_decoded_are_encoded_again():
    tokens = NumberedTokens()
    assert tokens.encode(tokens.decode([0, 5, 40_000])).tolist() == [[0, 5, 40_000]]
    assert tokens("")["input_ids"] == []


@pytest.fixture(scope="module")
def subject():
    data, task = (
        python_source(0, modules=("argparse", "csv"), tokens="pieces", vocabulary=300, context=48, test_share=0.4),
        NextToken(),
    )
    task.check(data.schema)
    model = Bigram(len(data.schema.target.classes)).eval()
    few = task.predict(model, data.test)
    return Subject(schema=data.schema, predictions=few, task=task, model=model, train=data.train, seed=0, encoder=data.encoder)


def measured(result, name):
    return next(m for m in result.measures if m.name == f"generated-text.{name}")


def test_tokens_are_shown_as_the_text_that_they_spell(subject):
    tokens = subject.predictions.source.inputs[0][3]
    words = written_words(subject, tokens[:24], tokens[24:40])
    assert len(words) == 16
    assert (
        "".join(word.text for word in words)
        == subject.encoder.decode(tokens[:40].tolist())[len(subject.encoder.decode(tokens[:24].tolist())) :]
    )
    assert not any("Ġ" in word.text for word in words)


def test_the_last_word_is_named_where_it_alone_decides(subject):
    result = audit(subject, texts=12)
    assert result.findings[0].grade == "ok"
    assert measured(result, "deletion_difference").low > 0
    for one in explained_texts(subject, 12, 24, 8, "ablation", 1):
        assert np.flatnonzero(np.abs(one.contributions).sum(axis=0)).tolist() == [len(one.words) - 1]
    assert len(result.charts) == 3
    assert {row["y"].split()[0] for row in result.charts[0].rows} == {str(k) for k in range(1, 9)}


def test_a_planted_token_is_named(subject):
    tokens = subject.predictions.source.inputs[0]
    planted = int(torch.mode(tokens[:, :24].reshape(-1)).values)
    model = Recalls(len(subject.schema.target.classes), planted)
    held = [place for place in range(len(tokens)) if 0 < int((tokens[place, :24] == planted).sum()) < 6]
    assert len(held) > 5
    begun = tokens[held[0], :24]
    written = continued(model, begun, 4, -1)
    assert written.tolist() == [planted] * 4
    found = attributed(model, begun, [(k,) for k in range(24)], written, absent_token(subject.schema), "ablation", 1)
    assert ((found > 1e-4).any(axis=0) == (begun == planted).numpy()).all()


def test_nothing_is_claimed_where_no_word_matters(subject):
    class Deaf(Bigram):
        def forward(self, tokens):
            return self.table.weight[0].expand(*tokens.shape, -1)

    result = audit(replace(subject, model=Deaf(len(subject.schema.target.classes)).eval()), texts=8)
    assert measured(result, "deletion_difference").value == 0
    assert {row[3] for row in result.tables[0].rows} == {"none"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"prompt": 45}, "45 tokens and 8 written ones are more than the 48"),
        ({"method": "gradients"}, "names no layer"),
    ],
)
def test_what_cannot_be_explained_is_said(subject, settings, words):
    class Nameless(Bigram):
        attribution_layer = None

    result = audit(replace(subject, model=Nameless(len(subject.schema.target.classes)).eval()), **settings)
    assert words in result.not_applicable
