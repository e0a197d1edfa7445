"""Transcripts worked out by hand: rates over words, what is kept of clips, and how recordings are joined."""

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.contracts.data import Batch
from glassbench.errors import DataError
from glassbench_plugins.speech.assembly import SomeClips, Utterances, speech_data
from glassbench_plugins.speech.ctc import aligned, beam_search, frames_needed, transcript_loss
from glassbench_plugins.speech.joined import JoinedClips, Sequence
from glassbench_plugins.speech.lengths import by_length
from glassbench_plugins.speech.recognition import edits_of
from glassbench_plugins.speech.scores import character_error_rate, word_error_rate
from glassbench_plugins.speech.transcribed import one_length


def test_rates_of_errors_are_edits_over_words_of_all_utterances_and_quality_ends_at_nothing() -> None:
    found = edits_of(["one two three", "", "a b c d e f"], ["one three", "four", "ab"])
    assert {name: values.tolist() for name, values in found.items()} == {
        "word_edits": [1, 1, 6],
        "words": [2, 1, 1],
        "character_edits": [4, 4, 9],
        "characters": [9, 4, 2],
        "quality": [pytest.approx(5 / 9), 0, 0],
    }
    frame, weights = pd.DataFrame(found), np.array([[1.0, 1, 1], [2, 1, 0]])
    assert word_error_rate(frame, weights) == pytest.approx([8 / 4, 3 / 5])
    assert character_error_rate(frame, weights) == pytest.approx([17 / 15, 12 / 22])


def test_two_equal_symbols_need_a_frame_between_and_a_loss_is_per_symbol() -> None:
    assert frames_needed(torch.tensor([[1, 1, 2, 2], [1, 2, 1, 0]])) == 6
    logits = torch.zeros(2, 4, 3)
    target = torch.tensor([[1, 1], [1, 0]])
    found = transcript_loss(logits, target)
    paths = 5, 10  # "11" in four frames: 1_1 with one more of either; "1" as one run of ones
    assert found.tolist() == pytest.approx([-np.log(paths[0] / 81) / 2, -np.log(paths[1] / 81)], rel=1e-5)


def test_the_same_symbol_twice_needs_a_blank_in_a_search() -> None:
    likely = np.log(np.array([[0.1, 0.9], [0.05, 0.95]]))
    assert beam_search(likely, 9) == (1,)
    apart = np.log(np.array([[0.1, 0.9], [0.9, 0.1], [0.1, 0.9]]))
    assert beam_search(apart, 9) == (1, 1)


def test_equal_symbols_are_placed_with_a_blank_between_and_the_last_may_end_the_path() -> None:
    likely = np.log(np.array([[0.2, 0.8], [0.3, 0.7], [0.6, 0.4], [0.05, 0.95]]))
    assert aligned(likely, (1, 1)).tolist() == [0, 3]
    ends = np.log(np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9]]))
    assert aligned(ends, (1,)).tolist() == [2]


def test_utterances_of_a_minibatch_keep_the_longest_and_a_lead() -> None:
    clips = torch.zeros(4, 30)
    for row, length in enumerate((9, 20, 4, 12)):
        clips[row, :length] = 1.0
    chunk = Batch((clips,), torch.arange(4)[:, None], torch.arange(4))
    made = {tuple(sorted(batch.positions.tolist())): batch.inputs[0].shape[1] for batch in by_length(chunk, 2, 3)}
    assert made == {(0, 2): 12, (1, 3): 23}


def test_sounds_of_just_the_length_fit_and_silence_follows() -> None:
    sounds = tuple(np.ones(n, dtype=np.float32) for n in (3, 5, 6))
    clips, kept, said = one_length(sounds, 5, 10)
    assert (kept.tolist(), clips.tolist()) == ([0, 1], [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    assert said == ("1 files longer than 0.5 s are left out.",)


def test_recordings_follow_one_another_after_their_pauses() -> None:
    sounds = np.full(2, 1.0, dtype=np.float32), np.full(3, 2.0, dtype=np.float32)
    joined = JoinedClips(sounds, (Sequence(recordings=(0, 1, 0), pauses=(1, 2, 1)),), 12)
    assert joined[0][0].tolist() == [0, 1, 1, 0, 0, 2, 2, 2, 0, 1, 1, 0]


def test_some_clips_are_those_at_their_positions_and_symbols_are_those_that_are_learnt() -> None:
    clips = SomeClips([("a",), ("b",), ("c",)], np.array([2, 0]))
    assert ([clips[k] for k in range(2)], len(clips)) == ([("c",), ("a",)], 2)
    utterances = Utterances(clips=np.zeros((4, 8), dtype=np.float32), transcripts=("ab", "ba", "a", "b"), rows=np.arange(4))
    parts = {"train": np.array([0, 1]), "test": np.array([2, 3])}
    data = speech_data(utterances, parts, rate=8, spelling="characters", source="", split="")
    assert data.schema.target.classes == ("[blank]", "a", "b")
    strange = Utterances(clips=np.zeros((4, 8), dtype=np.float32), transcripts=("ab", "ba", "a", "x"), rows=np.arange(4))
    with pytest.raises(DataError, match="no training transcript"):
        speech_data(strange, parts, rate=8, spelling="characters", source="", split="")
