"""Edits and error rates against a plain recursion, hand-made figures and jiwer."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from glassbench_plugins.speech.edits import edit_distance
from glassbench_plugins.speech.recognition import edits_of
from glassbench_plugins.speech.scores import METRICS, character_error_rate, word_error_rate

TRUTHS = ["one two three", "four", "nine nine zero six", "seven five"]
WRITTEN = ["one too three", "", "nine zero six six one", "seven five"]


def frame_of(written, truths):
    return pd.DataFrame({"y_pred": written, "y_true": truths, **edits_of(list(written), list(truths))})


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
@settings(deadline=None, max_examples=60)
def test_edits_are_those_of_the_recursion(first, second):
    @cache
    def distance(i, j):
        if i == 0 or j == 0:
            return i + j
        return min(distance(i - 1, j) + 1, distance(i, j - 1) + 1, distance(i - 1, j - 1) + (first[i - 1] != second[j - 1]))

    assert edit_distance(first, second) == distance(len(first), len(second))


def test_error_rates_by_hand():
    frame = frame_of(WRITTEN, TRUTHS)
    assert frame["word_edits"].tolist() == [1, 1, 3, 0]
    assert word_error_rate(frame, np.ones((1, 4)))[0] == pytest.approx(5 / 10)
    assert word_error_rate(frame, np.array([[2.0, 0, 1, 0]]))[0] == pytest.approx(5 / 10)
    assert character_error_rate(frame_of(["kitten"], ["sitting"]), np.ones((1, 1)))[0] == pytest.approx(3 / 7)


def test_error_rates_may_lie_above_one():
    assert word_error_rate(frame_of(["a b c"], ["d"]), np.ones((1, 1)))[0] == 3


@given(st.lists(st.tuples(st.text("ab ", max_size=12), st.text("ab ", min_size=1, max_size=12)), min_size=1, max_size=5))
@settings(deadline=None, max_examples=60)
def test_error_rates_are_those_of_jiwer(pairs):
    jiwer = pytest.importorskip("jiwer")
    written, truths = ([" ".join(text.split()) for text in side] for side in zip(*pairs, strict=True))
    if not all(truths):
        return
    frame, once = frame_of(written, truths), np.ones((1, len(truths)))
    assert word_error_rate(frame, once)[0] == pytest.approx(jiwer.wer(truths, written))
    assert character_error_rate(frame, once)[0] == pytest.approx(jiwer.cer(truths, written))


def test_transcripts_without_an_error_leave_room_for_some():
    """Resamples of 48 right transcripts hold no error: the interval was [0, 0]. It is the score interval of 0 rows of 48."""
    frame = pd.DataFrame({"word_edits": np.zeros(48), "words": np.full(48, 4.0)})
    metric = next(metric for metric in METRICS if metric.name == "word_error_rate")
    found = metric.infer(frame, np.random.default_rng(0), replicates=50).estimate(0.95)
    assert (found.value, found.low) == (0, 0)
    critical = student.ppf(0.975, 47)
    assert found.high == pytest.approx(critical**2 / (48 + critical**2))
