"""ROUGE against hand-made figures, rouge-score and a search over all subsequences."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from glassbench.errors import DataError
from glassbench.testing import check_dataset, check_task, toy_data
from glassbench_plugins.translation import rouge
from glassbench_plugins.translation.encoder import PairEncoder
from glassbench_plugins.translation.incident_reports import EVENTS, HURT, PLACES, drawn, incident_reports
from glassbench_plugins.translation.lstm import Seq2SeqLstm
from glassbench_plugins.translation.summarisation import Summarisation

TEXTS = st.text("ab C-9.'", max_size=24)


def test_rouge_by_hand():
    written, actual = "the cat sat on the mat", "the cat lay on a mat"
    assert rouge.rouge(written, actual, "1") == pytest.approx(2 * 4 / 12)  # the, cat, on, mat
    assert rouge.rouge(written, actual, "2") == pytest.approx(2 * 1 / 10)  # the cat
    assert rouge.rouge(written, actual, "L") == pytest.approx(2 * 4 / 12)
    assert rouge.rouge("mat the", "the mat", "L") == pytest.approx(2 * 1 / 4)
    assert rouge.rouge("", "the mat", "1") == rouge.rouge("one", "one", "2") == 0


@given(st.lists(st.sampled_from("abc"), max_size=7), st.lists(st.sampled_from("abc"), max_size=7))
@settings(deadline=None, max_examples=60)
def test_the_longest_common_subsequence_is_the_longest_of_all(first, second):
    def of(words):
        return {chosen for size in range(len(words) + 1) for chosen in combinations(words, size)}

    assert rouge.common_length(first, second) == max(len(chosen) for chosen in of(first) & of(second))


@given(TEXTS, TEXTS)
@settings(deadline=None, max_examples=100)
def test_rouge_is_that_of_rouge_score(written, actual):
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
    expected = scorer.score(actual, written)
    for kind in ("1", "2", "L"):
        assert rouge.rouge(written, actual, kind) == pytest.approx(expected[f"rouge{kind}"].fmeasure)


def test_means_weigh_rows():
    frame = pd.DataFrame({"y_pred": ["a b", "c"], "y_true": ["a b", "d"]})
    assert rouge.rouge_1(frame, np.array([[1.0, 1.0], [3.0, 1.0]])).tolist() == [0.5, 0.75]
    assert rouge.rouge_2(frame, np.ones((1, 2)))[0] == rouge.rouge_l(frame, np.ones((1, 2)))[0] == 0.5


def test_reports_hold_what_their_summaries_say():
    frame = drawn(200, 3, np.random.default_rng(0))
    for report, summary, sentences in frame.itertuples(index=False):
        event, rest = summary.split(" at the ")
        place, hurt = rest.split(" with ")
        sentence = next(one for one in report.split(". ") if any(one.lower().startswith(said) for said in EVENTS[event]))
        assert sentence
        assert place in PLACES
        assert f"the {place}" in report
        assert HURT[hurt] in report
        assert report.count(".") == int(sentences)


def test_the_data_set_and_the_task_keep_their_promises():
    data = check_dataset(incident_reports, encoder=PairEncoder, rows=60)
    torch.manual_seed(0)
    check_task(Summarisation(beams=2), data, Seq2SeqLstm(data.schema, embedding=8, width=16, dropout=0.0))


def test_what_needs_no_learning_is_the_first_sentence():
    assert Summarisation().without_learning(["It rained. Then it stopped."])[0] == ["It rained."]


def test_rows_that_are_no_pairs_are_refused():
    with pytest.raises(DataError, match="summarisation needs pairs of texts"):
        Summarisation().check(toy_data().schema)
    with pytest.raises(DataError, match="fillers the most"):
        incident_reports(0, fillers=30)
