"""Pairs of sentences, planted secrets and written functions worked out by hand."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from glassbench.contracts.data import Split
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.task import Generation
from glassbench.contracts.text_likelihood import TextLikelihood
from glassbench.stats.estimate import Estimate
from glassbench_audits.attribution.token_words import Word
from glassbench_audits.generated_code.audit import _below
from glassbench_audits.generated_code.audit import audit as code_audit
from glassbench_audits.generated_code.functions import function_of, parses
from glassbench_audits.generated_code.written import WrittenFunction, prompts, written_functions
from glassbench_audits.generated_text.captum_language import attributed
from glassbench_audits.generated_text.deletion import DRAWS, _fall, _without
from glassbench_audits.generated_text.exhibits import WIDEST, written_chart, written_table
from glassbench_audits.generated_text.prompts import ExplainedText, continued, explained_texts, log_probability
from glassbench_audits.memorisation.audit import _asked, _corrected
from glassbench_audits.memorisation.canaries import Canary, Exposure, _random, exposure
from glassbench_audits.memorisation.exhibits import tables as secret_tables
from glassbench_audits.memorisation.membership import is_continued, membership
from glassbench_audits.stereotypes.bbq import bbq
from glassbench_audits.stereotypes.exhibits import measures, tables
from glassbench_audits.stereotypes.pairs import Pair, shared_words
from glassbench_audits.stereotypes.preferences import preference, preferences
from glassbench_audits.stereotypes.scored import Scored, scored
from glassbench_audits.stereotypes.winobias import winobias
from glassbench_audits.stereotypes.wording import findings
from glassbench_plugins.language.next_token import NextToken


def question(polarity: str, groups: tuple[str, str, str]) -> dict[str, object]:
    return {
        "context": "Two people spoke.", "question": "Who was it?", "ans0": "A", "ans1": "B", "ans2": "C", "category": "age",
        "answer_info": {f"ans{i}": [group, group] for i, group in enumerate(groups)}, "question_polarity": polarity,
        "context_condition": "ambig", "question_index": 3, "additional_metadata": {"stereotyped_groups": ["Old"]},
    }  # fmt: skip


def test_a_question_is_stereotyped_by_its_polarity_and_needs_one_group_on_either_side(tmp_path) -> None:
    rows = [
        question("neg", ("young", "old", "unknown")),
        question("nonneg", ("young", "old", "unknown")),
        question("neg", ("young", "old", "middle")),
        question("neg", ("old", "old", "young")),
        question("neg", ("unknown", "old", "unknown")),
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = bbq(tmp_path / "a.jsonl", "here")
    assert [(pair.more, pair.less, pair.template) for pair in found] == [(" B", " A", "age 3"), (" A", " B", "age 3")]


def test_pairs_about_one_occupation_are_of_one_template(tmp_path) -> None:
    for name, who in (("pro", "he"), ("anti", "she")):
        (tmp_path / name).write_text(
            f"1 [The Developer] argued because [{who}] was late.\n2 [the developer] left [{who}] here.\n"
        )
    found = winobias(tmp_path / "pro", tmp_path / "anti", "here")
    assert {pair.template for pair in found} == {"the developer"}
    assert found[0].more == "The Developer argued because he was late."


def test_what_one_sentence_has_more_leaves_a_mark() -> None:
    assert shared_words("The old man sat.", "The man sat.") == "the _ man sat"
    assert shared_words("The man sat.", "The man sat down.") == "the man sat _"


def likelihood(total: float, tokens: list[int], **more: int) -> TextLikelihood:
    return TextLikelihood(each=np.array([total]), guessed=np.array([True]), tokens=np.array(tokens), **more)


class Told:
    """A task that gives texts written down likelihoods and remembers what it was asked after."""

    def __init__(self, known: dict[str, TextLikelihood]) -> None:
        self.known, self.after = known, []

    def text_likelihoods(self, model, encoder, passages):
        self.after += [one.after for one in passages]
        return [self.known[one.text] for one in passages]


def pair(more: str, less: str, kind: str = "age", after: str = "", template: str = "t") -> Pair:
    return Pair(kind=kind, more=more, less=less, template=template, after=after)


def test_pairs_are_compared_where_every_token_that_tells_them_apart_is_known_and_scored() -> None:
    known = {
        "a": likelihood(-1, [1]), "b": likelihood(-3, [2]), "same": likelihood(-2, [1]),
        "strange": likelihood(-2, [5], unknown=1),
        "he goes": likelihood(-1, [7], unscored=1), "she goes": likelihood(-4, [8]), "he stays": likelihood(-4, [9]),
    }  # fmt: skip
    given = [
        pair("a", "b"), pair("b", "a", after="Q?"), pair("a", "same"), pair("a", "strange"), pair("strange", "a"),
        pair("he goes", "she goes"), pair("she goes", "he goes"), pair("he goes", "he stays"),
    ]  # fmt: skip
    task = Told(known)
    found = scored(task, nn.Identity(), None, given, "\n")
    assert [(one.more, one.less) for one in found.pairs] == [("a", "b"), ("b", "a"), ("he goes", "he stays")]
    assert found.gap.tolist() == [2, -2, 3]
    assert len(found.unread) == 5
    assert task.after[:4] == ["\n", "\n", "Q?", "Q?"]


def several(gaps: dict[str, list[float]], unread: tuple[Pair, ...] = ()) -> Scored:
    made = [pair(f"m{i}", f"l{i}", kind, template=f"{kind}{i}") for kind, values in gaps.items() for i in range(len(values))]
    flat = np.array([gap for values in gaps.values() for gap in values])
    return Scored(pairs=tuple(made), more=flat, less=np.zeros(len(flat)), unread=unread)


def test_texts_that_are_equally_likely_are_not_stereotyped_and_templates_make_an_interval() -> None:
    found = preference("age", np.array([0.0, 1.0, -1.0, 0.0, 2.0, -3.0]), list("aabbcc"))
    assert (found.preferred.value, found.size.value, found.gap.value) == pytest.approx((2 / 6, 7 / 6, -1 / 6))
    assert (found.pairs, found.templates, found.estimate(found.preferred, 0.95).low) == (6, 3, None)
    enough = preference("age", np.array([0.0, 1.0, -1.0, 0.0, 2.0, -3.0]), list("abcdef"))
    assert enough.estimate(enough.preferred, 0.95).low is not None


def test_pairs_left_out_are_counted_by_kind_and_in_all_and_examples_are_the_farthest_apart_either_way() -> None:
    out = (pair("x", "y", "age"), pair("x", "z", "age"), pair("x", "w", "wealth"))
    given = several({"age": [0.5, -9.0, 1.0], "wealth": [2.0, 0.1]}, out)
    found = preferences(given)
    kinds, examples = tables(found, given, 2, 0.95)
    assert [(row[0], row[1], row[-1]) for row in kinds.rows] == [("age", 3, 2), ("wealth", 2, 1), ("all pairs", 5, 3)]
    assert [row[-1] for row in examples.rows] == [-9.0, 2.0]
    left = next(one for one in measures(found, given, 0.95) if one.name == "stereotypes.pairs_left_out")
    assert (left.value, left.n) == (3 / 8, 8)


def test_findings_of_several_kinds_hold_all_at_once() -> None:
    signs = np.where(np.arange(40) % 8 < 6, 1.0, -1.0)
    found = preferences(several({"age": signs.tolist(), "wealth": [1.0, -1.0] * 20}))
    age = found[0]
    alone, all_ = (age.estimate(age.preferred, level).low for level in (0.95, 1 - 0.05 / 3))
    between = (alone + all_) / 2 - 0.5
    grades = {str(one.group): one.grade for one in findings(found, between, 0.95)}
    assert grades["{'kind': 'age'}"] == "unclear"
    assert {str(one.group): one.grade for one in findings(found[:1], between, 0.95)}["{'kind': 'age'}"] == "concern"


def test_an_exposure_ranks_a_secret_below_others_that_are_as_likely_and_asks_all_where_they_are_few() -> None:
    canary = Canary.read("code [3].")
    totals = {f"code {d}.": likelihood(-abs(d - 4.0), [d]) for d in range(10)}
    found = exposure(Told(totals), nn.Identity(), None, canary, "\n", 9, np.random.default_rng(0))
    assert (found.whole, found.compared, found.p, found.bits) == (True, 9, 0.3, pytest.approx(-np.log2(0.3)))
    some = exposure(Told(totals), nn.Identity(), None, canary, "\n", 8, np.random.default_rng(0))
    assert (some.whole, some.compared <= 8) == (False, True)
    drawn = list(_random(canary, 500, np.random.default_rng(0)))
    assert (set(drawn), len(drawn)) == (set("012456789"), pytest.approx(450, abs=30))


def test_secrets_that_cannot_be_read_are_not_corrected_for_and_the_most_bits_are_those_of_what_was_compared() -> None:
    one, other = Canary.read("code [12]."), Canary.read("name [ab].")
    exposed = [Exposure(canary=one, p=0.02, bits=5.6, compared=50), Exposure(canary=other, unread="why")]
    assert _corrected(exposed)[0] == pytest.approx(0.02)
    assert _corrected([exposed[0], replace(exposed[0], p=0.5)]) == pytest.approx([0.04, 0.5])
    few = [likelihood(-1.0, [1])] * 3
    table = secret_tables(membership(few, few, 0.95), [(exposed[0], 0.02)], 0.95)[1]
    assert table.rows[0][1:] == (100, 50, 5.6, pytest.approx(np.log2(51)), 0.02)


def test_losses_are_means_over_tokens_and_few_texts_on_either_side_carry_no_interval() -> None:
    def text(each: list[float], guessed: list[bool]) -> TextLikelihood:
        return TextLikelihood(each=np.array(each), guessed=np.array(guessed), tokens=np.arange(len(each)))

    long, short = text([-1.0] * 8, [True] * 8), text([-3.0] * 2, [False, True])
    found = membership([long] * 30, [short] * 19, 0.95)
    assert (found.gap.value, found.area.value) == (2.0, 1.0)
    assert (found.gap.low, found.difference.low) == (None, None)
    assert membership([long] * 30, [short] * 20, 0.95).gap.low is not None
    assert is_continued(text([-1.0] * 5, [False, False, True, True, True]))
    assert not is_continued(text([-1.0] * 5, [True, True, False, True, True]))


def test_a_function_ends_before_a_line_that_is_indented_alike_and_its_last_line_is_not_known_where_it_breaks_off() -> None:
    text = "  def f(a):\n    return a\n  x = 1\n"
    assert function_of(text) == ("def f(a):\n  return a\n", True)
    assert function_of("def f(a):\n    b = a\n    retu") == ("def f(a):\n    b = a\n", False)
    assert function_of("def f(a):\n    b = a\n    retu", whole=True) == ("def f(a):\n    b = a\n    retu", True)
    assert [parses("def f(a):\n    return (a\n", ended) for ended in (False, True)] == [None, False]
    assert parses("def f(a):\n    return a b\n", False) is False


def test_headers_with_a_line_behind_them_are_prompts_and_each_function_has_its_seed() -> None:
    texts = ["x = 1\ndef f(a):\n    return a\n", "def g(b):\n", "def h(c):\n    c"]
    assert [row for row, *_ in prompts(texts)] == [0]
    seeds: list[tuple[str, int]] = []

    def generate(model, encoder, prompt, how: Generation) -> str:
        seeds.append((prompt, how.seed))
        return f"{prompt}\n    return b +\nz = 2\n"

    many = [texts[0]] * 3
    subject = SimpleNamespace(
        generator=lambda name: np.random.default_rng(0), model=nn.Identity(), encoder="e",
        task=SimpleNamespace(generate=generate), predictions=SimpleNamespace(frame=pd.DataFrame({"row": ["r0", "r1", "r2"]})),
    )  # fmt: skip
    found = written_functions(subject, many, 9, Generation(length=5, temperature=1.0, seed=40))
    assert seeds == [("x = 1\ndef f(a):", 40), ("x = 1\ndef f(a):", 41), ("x = 1\ndef f(a):", 42)]
    assert [(one.text, one.parsed, one.actual, one.actual_parsed) for one in found] == [
        ("def f(a):\n    return b +\n", False, "def f(a):\n", None)
    ] * 3


def test_a_share_lies_below_another_by_their_difference() -> None:
    ours, theirs = (Estimate.of(v, v - 0.1, v + 0.05, level=0.95, n=20) for v in (0.4, 0.9))
    found = _below(ours, theirs, 0.95)
    assert (found.value, found.low < 0.5 < found.high) == (pytest.approx(0.5), True)


class Reading:
    """Reads texts of one column."""

    text = "t"

    def encode(self, raw: pd.DataFrame) -> Split:
        return Split(inputs=(torch.zeros(len(raw), 1),), rows=np.arange(len(raw)), raw=raw)

    def pieces(self, raw: pd.DataFrame) -> list[tuple[object, ...]]:
        return [() for _ in range(len(raw))]


def test_functions_that_nobody_can_tell_of_are_left_out_of_their_own_side_alone(monkeypatch) -> None:
    told = [(True, False)] * 12 + [(False, True)] * 8 + [(None, True)] * 4 + [(True, None)] * 3
    given = [WrittenFunction(f"r{k}", "f", ours, "g", theirs) for k, (ours, theirs) in enumerate(told)]
    monkeypatch.setattr("glassbench_audits.generated_code.audit.written_functions", lambda *_: given)
    split = Reading().encode(pd.DataFrame({"t": ["a", "b"]}))
    subject = SimpleNamespace(
        missing=lambda _: None, predictions=SimpleNamespace(source=split), encoder=Reading(), task=NextToken(), seed=0
    )
    found = {one.name.rsplit(".")[-1]: (one.value, one.n) for one in code_audit(subject).measures}
    assert found["parsed"] == (pytest.approx(15 / 23), 23)
    assert found["parsed_actual"] == (pytest.approx(12 / 24), 24)
    assert found["parsed_difference"][0] == pytest.approx(12 / 24 - 15 / 23)


def test_texts_of_four_tokens_are_long_enough() -> None:
    each = {"abc": 3, "abcd": 4, "abcde": 5}
    task = SimpleNamespace(
        text_likelihoods=lambda model, encoder, given: [
            TextLikelihood(each=np.zeros(each[one.text]), guessed=np.zeros(each[one.text], dtype=bool), tokens=np.arange(9))
            for one in given
        ]
    )
    subject = SimpleNamespace(task=task, encoder=Reading(), model=None)
    found = _asked(subject, Reading().encode(pd.DataFrame({"t": list(each)})), 9, "train")
    assert [len(one.each) for one in found] == [4, 5]


class Counting(nn.Module):
    """Prefers token 5 the more, the more tokens 3 stand before it; padding it likes best."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(*rows.shape, 6)
        logits[..., 0] = 9.0
        logits[..., 5] = (rows == 3).cumsum(dim=1).float()
        return logits


def explained(contributions: list[list[float]], prompt: list[int], positions: list[tuple[int, ...]]) -> ExplainedText:
    words = tuple(Word(text=f" w{k}", positions=where) for k, where in enumerate(positions))
    names = tuple(f"n{k}" for k in range(len(contributions)))
    return ExplainedText(
        row="r", prompt=torch.tensor(prompt), words=words, written=torch.tensor([5] * len(names)), names=names,
        contributions=np.array(contributions, dtype=float),
    )  # fmt: skip


def test_what_is_written_is_never_padding_and_its_log_probability_a_mean() -> None:
    network = Counting()
    assert continued(network, torch.tensor([3, 3]), 3, 0).tolist() == [5, 5, 5]
    logs = [float(torch.log_softmax(torch.tensor([9.0, 0, 0, 0, 0, n]), 0)[5]) for n in (2.0, 2.0)]
    assert log_probability(network, torch.tensor([3, 4, 3]), torch.tensor([5, 5])) == pytest.approx(np.mean(logs))


def test_the_words_that_raise_most_are_left_out_of_a_copy_and_random_ones_beside_them() -> None:
    text = explained([[0.2, -5.0, 0.9, 0.1]], [3, 4, 3, 4], [(0,), (1,), (2,), (3,)])
    whole, without = [float(torch.log_softmax(torch.tensor([9.0, 0, 0, 0, 0, n]), 0)[5]) for n in (2.0, 1.0)]
    best, drawn = _fall(Counting(), text, 1, np.random.default_rng(0))
    chosen = np.random.default_rng(0)
    picks = [int(chosen.permutation(4)[0]) for _ in range(DRAWS)]
    assert best == pytest.approx(whole - without)
    assert drawn == pytest.approx((whole - without) * np.mean([pick in (0, 2) for pick in picks]))
    assert _without(text, np.array([0, 3]), 1).tolist() == [1, 4, 3, 1]
    assert text.prompt.tolist() == [3, 4, 3, 4]


def test_the_words_that_lower_most_are_named_and_a_chart_shows_the_largest_either_way() -> None:
    text = explained([[0.5, -3.0, 1.0, -1.0, -2.0]], [3] * 5, [(k,) for k in range(5)])
    (row,) = written_table([text]).rows
    assert (row[3], row[4]) == ("w2 (+1.00), w0 (+0.50)", "w1 (-3.00), w4 (-2.00)")
    values = np.linspace(-1, 0.1, WIDEST + 6)
    wide = explained([values.tolist()], [3] * len(values), [(k,) for k in range(len(values))])
    shown = {point["x"].split()[0] for point in written_chart(wide).rows}
    assert shown == {str(k + 1) for k in np.argsort(-np.abs(values))[:WIDEST]}


def test_prompts_hold_no_padding_and_only_their_own_words_take_part() -> None:
    tokens = torch.tensor([[3, 0, 4, 4], [3, 4, 3, 4], [0, 3, 4, 4], [4, 3, 0, 0]])
    facts = TextFacts(padding=0, unknown=1, vocabulary=("", "?", "x", "three", "four", "five"))
    subject = SimpleNamespace(
        predictions=SimpleNamespace(
            source=Split(inputs=(tokens,), rows=np.arange(4)), frame=pd.DataFrame({"row": [f"r{k}" for k in range(4)]})
        ),
        schema=SimpleNamespace(facts_of=lambda kind: facts, target=SimpleNamespace(classes=())), encoder=None, model=Counting(),
        generator=lambda name: np.random.default_rng(0),
    )  # fmt: skip
    found = {one.row: one for one in explained_texts(subject, 9, 2, 3, "ablation", 1)}
    assert sorted(found) == ["r1", "r3"]
    assert [[word.shown for word in found[row].words] for row in ("r1", "r3")] == [["three", "four"], ["four", "three"]]
    assert found["r1"].contributions.shape == (3, 2)
    assert (found["r1"].contributions[:, 0] > 0).all()
    assert found["r1"].contributions[:, 1] == pytest.approx(np.zeros(3), abs=1e-6)


def test_a_words_gradients_are_the_sum_of_its_tokens(monkeypatch) -> None:
    each = torch.tensor([[1.0, 2, 4], [8, 16, 32]])
    told = SimpleNamespace(attribute=lambda *_, **more: SimpleNamespace(token_attr=each))
    monkeypatch.setattr("glassbench_audits.generated_text.captum_language.LLMGradientAttribution", lambda *_: told)
    network = nn.Sequential(nn.Embedding(6, 4))
    network.attribution_layer = "0"
    found = attributed(network, torch.tensor([2, 3, 4]), [(0, 1), (2,)], torch.tensor([5, 2]), 1, "gradients", 8)
    assert found.tolist() == [[3, 4], [24, 32]]
