"""Log-likelihoods of texts, held against one plain pass of the network over all tokens."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from glassbench.contracts.text_likelihood import Continuation, ScoresTexts
from glassbench.errors import GlassbenchError
from glassbench_plugins.language.datasets import text_file
from glassbench_plugins.language.gpt import Gpt
from glassbench_plugins.language.lstm import LanguageLstm
from glassbench_plugins.language.next_token import NextToken


@pytest.fixture
def letters(tmp_path):
    path = tmp_path / "letters.txt"
    path.write_text("the cat sat on the mat\nand the dog ran off\n" * 40)
    return text_file(0, path=str(path), context=16)


def asked(data, model, *passages):
    task = NextToken()
    task.check(data.schema)
    assert isinstance(task, ScoresTexts)
    return task.text_likelihoods(model.eval(), data.encoder, [Continuation(text=text, after=after) for text, after in passages])


def plainly(data, model, text, after):
    """The sum of each token's cross-entropy in one pass, as lm-evaluation-harness asks a model for `text` after `after`."""
    numbers = [data.encoder.vocabulary.tokenizer.encode(part).ids for part in (after, text)]
    tokens = torch.tensor([numbers[0] + numbers[1]])
    with torch.no_grad():
        losses = functional.cross_entropy(model(tokens[:, :-1])[0].double(), tokens[0, 1:], reduction="none")
    return -losses[len(numbers[0]) - 1 :].sum().item()


@pytest.mark.parametrize(("text", "after"), [("the cat", "\n"), ("a mat", "the cat "), ("and the dog ran", " ")])
def test_a_text_has_the_likelihood_of_one_plain_pass(letters, text, after):
    torch.manual_seed(1)
    model = LanguageLstm(letters.schema, embedding=8, width=12)
    (found,) = asked(letters, model, (text, after))
    assert found.total == pytest.approx(plainly(letters, model, text, after), abs=1e-6)
    assert (len(found.each), found.unscored, found.unknown) == (len(text), 0, 0)


def test_texts_asked_together_have_the_likelihoods_of_texts_asked_alone(letters):
    torch.manual_seed(1)
    model = Gpt(letters.schema, layers=1, heads=2, width=16)
    passages = [("the cat", "\n"), ("on the mat and the dog ran off", ""), ("a", "\n"), ("the dog", "\n")]
    together = asked(letters, model, *passages)
    for passage, found in zip(passages, together, strict=True):
        assert found.total == pytest.approx(asked(letters, model, passage)[0].total, abs=1e-5)


def test_a_long_text_is_read_in_windows_and_every_token_is_scored_once(letters):
    torch.manual_seed(1)
    model, text = Gpt(letters.schema, layers=1, heads=2, width=16), "the cat sat on the mat and the dog ran off"
    (found,) = asked(letters, model, (text, "\n"))
    numbers = letters.encoder.vocabulary.tokenizer.encode("\n" + text).ids
    expected, first = [], 1
    while first < len(numbers):  # by hand: each window begins half a context before the first token it predicts
        start = max(0, first - 8)
        window = torch.tensor([numbers[start : start + 17]])
        with torch.no_grad():
            each = torch.log_softmax(model(window[:, :-1]).double(), dim=2)[0]
        expected += [each[i - start - 1, numbers[i]].item() for i in range(first, start + window.shape[1])]
        first = start + window.shape[1]
    assert found.each == pytest.approx(np.array(expected), abs=1e-6)
    assert found.tokens.tolist() == numbers[1:]


def test_the_first_token_of_a_text_after_nothing_is_not_scored(letters):
    (found,) = asked(letters, LanguageLstm(letters.schema, embedding=4, width=4), ("cat", ""))
    assert (found.unscored, len(found.each)) == (1, 2)


def test_unknown_tokens_are_counted(letters):
    (found,) = asked(letters, LanguageLstm(letters.schema, embedding=4, width=4), ("cat!?", "\n"))
    assert found.unknown == 2


def test_an_encoder_of_another_domain_is_refused(letters):
    task = NextToken()
    task.check(letters.schema)
    with pytest.raises(GlassbenchError, match="cannot read a text"):
        task.text_likelihoods(LanguageLstm(letters.schema), object(), [Continuation(text="a")])
