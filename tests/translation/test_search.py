"""Answers are the likeliest that a search of its width can find."""

from itertools import product

import pytest
import torch
from torch import nn

from glassbench.errors import SettingsError
from glassbench_plugins.translation.search import Search, answers

PADDING, UNKNOWN, END = 0, 1, 2
TOKENS, LENGTH = 5, 4


class Table(nn.Module):
    """Logits that depend on the source's first token and on all tokens before, drawn once."""

    def __init__(self, seed=0):
        super().__init__()
        self.table = torch.randn(3, TOKENS**LENGTH, TOKENS, generator=torch.Generator().manual_seed(seed)) * 2

    def forward(self, source, emitted):
        code = torch.zeros_like(emitted[:, 0])
        states = []
        for place in range(emitted.shape[1]):
            code = (code * TOKENS + emitted[:, place]) % TOKENS**LENGTH
            states.append(self.table[source[:, 0], code])
        return torch.stack(states, dim=1)


class Apart(Table):
    """The same in the three parts that a search may ask for."""

    def encode(self, source):
        self.read = getattr(self, "read", 0) + 1
        return (source,)

    def decode(self, memory, emitted):
        return self.forward(memory[0], emitted)

    def head(self, decided):
        return decided


def search(**settings):
    return Search(length=LENGTH, end=END, padding=PADDING, never=(UNKNOWN,), **settings)


def log_probability(model, source, answer):
    """Sum the log-probabilities of an answer's tokens, one pass for each."""
    total, before = 0.0, [END]
    for token in answer:
        logits = model(source[None], torch.tensor([before]))[0, -1].double()
        logits[[PADDING, UNKNOWN]] = -torch.inf
        total += float(torch.log_softmax(logits, dim=0)[token])
        before.append(token)
    return total


def every_answer():
    """Yield every answer that ends, and every one that is cut at the length."""
    body = [t for t in range(TOKENS) if t not in (PADDING, UNKNOWN, END)]
    for length in range(LENGTH):
        yield from ((*tokens, END) for tokens in product(body, repeat=length))
    yield from product(body, repeat=LENGTH)


@pytest.mark.parametrize("penalty", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_beam_that_holds_everything_finds_the_best_answer(seed, penalty):
    model, source = Table(seed), torch.tensor([[0], [1], [2]])
    found = answers(model, source, search(beams=TOKENS**LENGTH, length_penalty=penalty))
    for row, given in zip(found.tolist(), source, strict=True):
        best = max(every_answer(), key=lambda a: log_probability(model, given, a) / len(a) ** penalty)
        assert tuple(row) == best + (PADDING,) * (LENGTH - len(best))


def test_one_beam_takes_the_likeliest_token_each_time():
    model, source = Table(7), torch.tensor([[0], [1], [2]])
    for row, given in zip(answers(model, source, search()).tolist(), source, strict=True):
        before = [END]
        while len(before) <= LENGTH and (len(before) == 1 or before[-1] != END):
            logits = model(given[None], torch.tensor([before]))[0, -1]
            logits[[PADDING, UNKNOWN]] = -torch.inf
            before.append(int(logits.argmax()))
        assert row == before[1:] + [PADDING] * (LENGTH - len(before) + 1)


def test_more_beams_find_no_worse_an_answer_on_average():
    totals = dict.fromkeys((1, 4), 0.0)
    for seed in range(20):
        model, source = Table(seed), torch.tensor([[0]])
        for beams in totals:
            row = answers(model, source, search(beams=beams, length_penalty=0.0))[0].tolist()
            totals[beams] += log_probability(model, source[0], [t for t in row if t != PADDING])
    assert totals[4] > totals[1]


@pytest.mark.parametrize("beams", [1, 3])
def test_answers_do_not_depend_on_the_rows_beside_them(beams):
    model, source = Table(1), torch.tensor([[0], [1], [2], [1]])
    together = answers(model, source, search(beams=beams))
    alone = torch.cat([answers(model, source[i : i + 1], search(beams=beams)) for i in range(4)])
    assert torch.equal(together, alone)


def test_a_model_in_parts_reads_each_source_once():
    whole, apart, source = Table(3), Apart(3), torch.tensor([[0], [2]])
    assert torch.equal(answers(whole, source, search(beams=2)), answers(apart, source, search(beams=2)))
    assert apart.read == 1


@pytest.mark.parametrize("wrong", [{"beams": 0}, {"length_penalty": -1.0}])
def test_impossible_searches_are_refused(wrong):
    with pytest.raises(SettingsError, match="at least"):
        search(**wrong)
