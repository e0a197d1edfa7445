"""Answers worked out by hand: what they share with the truth, weights of rows and tokens, and windows of running text."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import sacrebleu
import torch
from torch import nn

from glassbench.contracts.data import Split
from glassbench.contracts.text_likelihood import Continuation
from glassbench.toolkit.splits.splits import Division
from glassbench_plugins.language import losses
from glassbench_plugins.language.encoder import LanguageEncoder
from glassbench_plugins.language.given_texts import _cut, rows_of_texts
from glassbench_plugins.language.likelihood import _windows, text_likelihoods
from glassbench_plugins.language.next_token import NextToken, _characters
from glassbench_plugins.language.windows import Cut, _piece, running_schema, windows
from glassbench_plugins.text.labels import Labels
from glassbench_plugins.text.remarks import Recipe, written
from glassbench_plugins.text.table import Reading, TextColumns, text_data, treated
from glassbench_plugins.text.token_dropout import TokenDropout
from glassbench_plugins.text.vocabulary import Vocabulary, padded
from glassbench_plugins.translation.judging import _likelihood, in_batches
from glassbench_plugins.translation.lengths import held
from glassbench_plugins.translation.pairs import PairColumns, pair_data
from glassbench_plugins.translation.rouge import rouge, rouge_1
from glassbench_plugins.translation.scores import bleu
from glassbench_plugins.translation.search import Search, answers
from glassbench_plugins.translation.writing import Writing

PADDING, UNKNOWN, END = 0, 1, 2


def test_a_word_is_shared_as_often_as_the_side_that_has_fewer_of_it() -> None:
    assert rouge("the the the cat", "the cat sat", "1") == pytest.approx(2 * 2 / 7)
    assert rouge("the cat the cat", "the cat sat", "2") == pytest.approx(2 * 1 / 5)
    frame = pd.DataFrame({"y_pred": ["a b", "c d", "e"], "y_true": ["a c", "c d", "f"]})
    assert rouge_1(frame, np.array([[1.0, 1, 1], [4, 1, 5]])) == pytest.approx([0.5, 0.3])


def test_weights_of_rows_are_counts_of_the_least() -> None:
    frame = pd.DataFrame({"y_pred": ["a b c d e", "the cat sat"], "y_true": ["a b c d f", "a cat sat here"]})
    twice = frame.iloc[[0, 0, 1]]
    expected = sacrebleu.corpus_bleu(twice["y_pred"].tolist(), [twice["y_true"].tolist()], force=True).score
    for scale in (1.0, 0.1, 7.0):
        assert bleu(frame, scale * np.array([[2.0, 1.0]])) == pytest.approx([expected], rel=1e-4)


def test_a_row_ends_with_its_last_token_that_is_no_padding() -> None:
    assert held(torch.tensor([[3, 0, 4, 0], [0, 0, 0, 0], [5, 6, 7, 8]]), 0).tolist() == [3, 1, 4]


class Copier(nn.Module):
    """Answers with the first token of the source as often as it is long, then ends."""

    def forward(self, source: torch.Tensor, emitted: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(*emitted.shape, 9)
        lengths = held(source, PADDING)
        for place in range(emitted.shape[1]):
            token = torch.where(place < lengths, source[:, 0], END)
            logits[torch.arange(len(source)), place, token] = 5.0
        return logits


def test_answers_come_back_in_the_order_of_their_sources() -> None:
    source = torch.tensor([[5, 5, 5, 5], [6, 0, 0, 0], [7, 7, 0, 0]])
    truth = torch.tensor([[5, 5, 5, 5, 2], [6, 2, 0, 0, 0], [8, 7, 2, 0, 0]])
    split = Split(inputs=(source,), rows=np.arange(3), target=truth)
    found = in_batches(Copier(), split, Search(length=6, end=END, padding=PADDING))
    assert found["answer"].tolist() == [[5, 5, 5, 5, 2, 0], [6, 2, 0, 0, 0, 0], [7, 7, 2, 0, 0, 0]]
    assert found["tokens"].tolist() == [5, 2, 3]
    assert found["guessed"].tolist() == pytest.approx([1, 1, 2 / 3])
    sure = 5 - np.log(np.exp(5) + 8)
    assert found["loss"].tolist() == pytest.approx([-sure, -sure, -sure + 5 / 3])


class Unsure(nn.Module):
    """Knows two ways to go on: a short answer, and a longer one whose tokens are surer."""

    def forward(self, source: torch.Tensor, emitted: torch.Tensor) -> torch.Tensor:
        chances = torch.full((*emitted.shape, 6), 1e-9)
        for row in range(len(emitted)):
            for place in range(emitted.shape[1]):
                before = emitted[row, 1 : place + 1].tolist()
                after = {(): {3: 0.55, 4: 0.45}, (3,): {END: 0.6, 5: 0.4}, (4,): {4: 0.9, END: 0.1}, (4, 4): {END: 0.95, 5: 0.05}}
                for token, chance in after.get(tuple(before), {END: 1.0}).items():
                    chances[row, place, token] = chance
        return chances.log()


@pytest.mark.parametrize(("penalty", "answer"), [(0.0, [4, 4, 2, 0]), (1.0, [4, 4, 2, 0])])
def test_a_longer_answer_of_surer_tokens_is_the_best_of_two_beams(penalty, answer) -> None:
    search = Search(length=4, beams=2, length_penalty=penalty, end=END, padding=PADDING)
    assert answers(Unsure(), torch.tensor([[1]]), search).tolist() == [answer]
    one = Search(length=4, beams=1, end=END, padding=PADDING)
    assert answers(Unsure(), torch.tensor([[1]]), one).tolist() == [[3, 2, 0, 0]]
    never = Search(length=4, beams=1, end=END, padding=PADDING, never=(3,))
    assert answers(Unsure(), torch.tensor([[1]]), never).tolist() == [[4, 4, 2, 0]]


def pairs(rows: list[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["source", "target"])


def test_pairs_with_an_empty_side_are_left_out_and_answers_have_a_place_for_their_end() -> None:
    rows = (
        [(f"word{i} here", f"reply{i} a b") for i in range(30)]
        + [("lone", "  "), ("", "lone")]
        + [("same", f"other{i}") for i in range(8)]
    )
    reading = Reading(rare=1)
    data = pair_data(pairs(rows), PairColumns(reading=reading, writing=reading), Division(seed=1, validation=0.2, test=0.3))
    parts = (data.train, data.validation, data.test)
    assert sum(len(part) for part in parts) == 38
    assert sum((part.raw["source"] == "same").any() for part in parts) == 1
    assert data.encoder.answer_context == 4
    assert any("2 pairs with an empty side" in note for note in data.notes)
    short = pair_data(pairs(rows), PairColumns(reading=reading, writing=Reading(rare=1, context=3)), Division(seed=1, test=0.3))
    assert any(note.startswith("target: 30 of 38 rows are longer") for note in short.notes)


def test_windows_count_by_their_tokens_and_bits_by_characters() -> None:
    frame = pd.DataFrame({"loss": [1.0, 3.0], "tokens": [9, 1], "guessed": [0.5, 1.0], "characters": [30.0, 2.0]})
    weights = np.array([[1.0, 1.0], [1.0, 9.0]])
    assert losses.loss(frame, weights) == pytest.approx([12 / 10, 36 / 18])
    assert losses.token_accuracy(frame, weights) == pytest.approx([5.5 / 10, 13.5 / 18])
    assert losses.perplexity(frame, weights) == pytest.approx(np.exp([1.2, 2.0]))
    assert losses.bits_per_character(frame, weights) == pytest.approx(np.array([12 / 32, 36 / 48]) / np.log(2))


class Bigram(nn.Module):
    """Logits of the next token by the one before."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(tokens, tokens, generator=torch.Generator().manual_seed(0)))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.table[rows]


def spelt(context: int = 6, **more: object) -> LanguageEncoder:
    vocabulary = Vocabulary.fit(["abcdefgh ijklm nop"], kind="characters", lowercase=False)
    return LanguageEncoder(vocabulary=vocabulary, context=context, **more)


def test_a_passages_tokens_are_scored_once_after_half_a_context_and_the_first_only_after_others() -> None:
    cut = list(_windows(list(range(20)), 3, 6, 0))
    scored = [token for window in cut for token in window.tokens[window.first :]]
    assert scored == list(range(3, 20))
    assert [(len(window.tokens), window.first) for window in cut][1:-1] == [(7, 3)] * (len(cut) - 2)
    encoder = spelt()
    model = Bigram(len(encoder.vocabulary.tokens)).eval()
    logs = torch.log_softmax(model.table.double(), dim=1)
    alone, after = text_likelihoods(model, encoder.vocabulary, 6, [Continuation(text="abc"), Continuation(text="abc", after="d")])
    numbers = encoder.vocabulary.numbers(["dabc"])[0]
    steps = [float(logs[a, b].detach()) for a, b in pairwise(numbers)]
    assert (alone.unscored, after.unscored) == (1, 0)
    assert after.each == pytest.approx(steps)
    assert alone.each == pytest.approx(steps[1:])
    assert alone.tokens.tolist() == numbers[2:]


def test_windows_share_one_token_and_the_end_of_a_text_is_held_out() -> None:
    encoder = spelt(4)
    split = windows({"x": torch.arange(2, 15)}, encoder, 7)
    assert split.inputs[0].tolist() == [[2, 3, 4, 5], [6, 7, 8, 9], [10, 11, 12, 13]]
    assert split.target.tolist() == [[3, 4, 5, 6], [7, 8, 9, 10], [11, 12, 13, 14]]
    assert split.rows.tolist() == [7, 8, 9]
    cut = Cut(validation=0.2, test=0.3)
    assert [_piece("abcdefghij", part, cut) for part in ("train", "validation", "test")] == ["abcde", "fg", "hij"]


def test_padding_is_neither_predicted_nor_guessed_and_the_last_token_is_the_last_real_one() -> None:
    encoder = spelt(4)
    task = NextToken()
    task.check(running_schema(encoder, "window"))
    logits = torch.zeros(2, 4, len(encoder.vocabulary.tokens))
    logits[..., PADDING] = 1.0
    logits[0, 1, 5] = 9.0
    target = torch.tensor([[4, 5, PADDING, PADDING], [PADDING + 3, 3, 3, 3]])
    found = {name: value.tolist() for name, value in task._judged(logits, target).items()}
    assert (found["tokens"], found["last"], found["truth"], found["chosen"]) == ([2, 4], [1, 3], [5, 3], [5, PADDING])
    assert found["guessed"] == [0.5, 0.0]
    logs = torch.log_softmax(logits.double(), dim=2)
    assert found["loss"] == pytest.approx([-float(logs[0, 0, 4] + logs[0, 1, 5]) / 2, -float(logs[1, 0, 3])])
    split = Split(inputs=(target,), rows=np.arange(2), raw=pd.DataFrame({"text": ["abcdef", "x" * 10]}))
    assert _characters(task._known(), split, np.array([2, 4])).tolist() == [4, 8]


def test_the_tokens_of_a_given_text_are_each_predicted_once() -> None:
    assert list(_cut([1, 2, 3, 4, 5, 6, 7], [], 3)) == [[1, 2, 3, 4], [4, 5, 6, 7]]
    assert list(_cut([1, 2, 3, 4, 5], [9], 3)) == [[9, 1, 2, 3], [9, 4, 5]]
    found = rows_of_texts(["abc", "hgfedcba"], spelt(4), [], "X")
    assert found.text.tolist() == [0, 1, 1]
    assert found.split.raw["characters"].tolist() == [2, 4, 3]


def test_a_text_of_just_the_context_is_read_whole_and_one_beyond_it_to_its_first_tokens() -> None:
    vocabulary = Vocabulary.fit(["a b c d e"], rare=1)
    assert [note for note in treated(["a b c", "a b c d"], vocabulary, 3, "text") if "longer" in note] == [
        "1 of 2 rows are longer than the context: their first 3 tokens are read"
    ]
    assert padded([[5, 6, 7, 8], [9]], 3).tolist() == [[5, 6, 7], [9, 0, 0]]
    assert Reading(rare=1, context=9).fit(["a b", "a b c d"])[1] == 4
    assert Reading(rare=1, context=3).fit(["a b", "a b c d"])[1] == 3
    ended = Vocabulary.fit(["a b c d e"], rare=1)
    ended.__dict__["ending"] = (77,)
    ended.numbers = lambda texts: [[5, 6, 7, 8, 77], [5, 77]]
    assert ended.table(["", ""], 3).tolist() == [[5, 6, 77], [5, 77, 0]]


def test_repeated_texts_stay_in_one_part() -> None:
    texts = [f"text {i % 20}" for i in range(100)]
    frame = pd.DataFrame({"text": texts, "tone": ["good", "bad"] * 50})
    columns = TextColumns(text="text", target="tone")
    data = text_data(frame, columns, Division(seed=0, validation=0.2, test=0.3), reading=Reading(rare=1))
    held_in = [set(part.raw["text"]) for part in (data.train, data.validation, data.test)]
    assert sum(map(len, held_in)) == 20
    scattered = text_data(frame, replace(columns, repeated="scatter"), Division(seed=0, test=0.3), reading=Reading(rare=1))
    assert set(scattered.train.raw["text"]) & set(scattered.test.raw["text"])


def test_padding_is_never_hidden_from_a_network() -> None:
    facts = SimpleNamespace(padding=0, unknown=1, vocabulary=("p", "u", "a"))
    schema = SimpleNamespace(facts_of=lambda kind: facts, modality="text")
    torch.manual_seed(0)
    dropout = TokenDropout(schema, 0.5).train()
    tokens = torch.tensor([[5, 6, 7, 0, 0]]).repeat(400, 1)
    found = dropout(tokens)
    assert found[:, 3:].eq(0).all()
    assert float(found[:, :3].eq(1).float().mean()) == pytest.approx(0.5, abs=0.06)


def test_padding_of_an_answer_is_not_guessed_and_an_empty_answer_is_explained_by_its_end() -> None:
    answer = torch.tensor([[3, END], [END, PADDING]])
    logits = torch.zeros(2, 2, 5)
    logits[:, :, PADDING] = 4.0
    assert _likelihood(lambda source, before: logits, torch.zeros(2, 3), answer, PADDING)["guessed"].tolist() == [0, 0]
    task = SimpleNamespace(_padding=lambda: PADDING, _answers=lambda: SimpleNamespace(end=END))
    assert Writing._target_index(task, answer).tolist() == [[[0, 3], [-1, -1]], [[0, END], [-1, -1]]]


def test_a_bias_turns_remarks_about_women_alone_and_rows_without_a_class_have_no_truth() -> None:
    frame = written(Recipe(rows=300, bias=1.0, noise=0.0), np.random.default_rng(0))
    tones = {who: set(part["tone"]) for who, part in frame.groupby("mentions")}
    assert tones["woman"] == {"complaint"}
    assert tones["man"] == {"complaint", "praise"}
    labels = Labels(target="t", classes=("a", "b"))
    assert labels.truth(pd.DataFrame({"t": ["a", None]})) is None
    assert labels.truth(pd.DataFrame({"t": ["a", "b"]})).tolist() == [0, 1]
