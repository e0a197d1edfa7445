"""Losses, searches and alignments against sums over every path."""

from itertools import product

import numpy as np
import pytest
import torch

from glassbench_plugins.speech.ctc import aligned, beam_search, best_path, frames_needed, transcript_loss

FRAMES, SYMBOLS = 5, 3


def likely(seed, frames=FRAMES):
    return torch.randn(frames, SYMBOLS, generator=torch.Generator().manual_seed(seed)).mul(2).double().log_softmax(dim=1).numpy()


def collapsed(path):
    kept = [symbol for place, symbol in enumerate(path) if place == 0 or symbol != path[place - 1]]
    return tuple(symbol for symbol in kept if symbol != 0)


def by_transcript(scores):
    """Return the probability of every transcript, summed over all paths that spell it."""
    found = {}
    for path in product(range(SYMBOLS), repeat=len(scores)):
        text = collapsed(path)
        found[text] = found.get(text, 0.0) + np.exp(sum(scores[t, s] for t, s in enumerate(path)))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_is_the_sum_over_all_paths(seed):
    scores = likely(seed)
    for text, probability in by_transcript(scores).items():
        if text:
            loss = transcript_loss(torch.from_numpy(scores)[None], torch.tensor([[*text, 0]]))
            assert loss.item() * len(text) == pytest.approx(-np.log(probability), rel=1e-4)


@pytest.mark.parametrize("seed", range(20))
def test_a_wide_search_finds_the_likeliest_transcript(seed):
    found = by_transcript(likely(seed))
    assert beam_search(likely(seed), 200) == max(found, key=found.get)


def test_wider_searches_find_no_worse_transcripts():
    totals = dict.fromkeys((1, 4), 0.0)
    for seed in range(20):
        found = by_transcript(likely(seed))
        for beams in totals:
            totals[beams] += np.log(found[beam_search(likely(seed), beams)])
    assert totals[4] >= totals[1]


def test_sums_of_paths_can_beat_the_likeliest_path():
    scores = np.log(np.array([[0.6, 0.4], [0.6, 0.4]]))  # the textbook case: nothing has .36, one symbol .64
    assert best_path(scores) == ()
    assert beam_search(scores, 4) == (1,)


@pytest.mark.parametrize("seed", range(10))
def test_the_best_path_is_the_likeliest_of_all_paths(seed):
    scores = likely(seed)
    every = product(range(SYMBOLS), repeat=FRAMES)
    assert best_path(scores) == collapsed(max(every, key=lambda path: sum(scores[t, s] for t, s in enumerate(path))))


@pytest.mark.parametrize("text", [(1,), (1, 2), (1, 1), (2, 1, 2), (2, 2, 1)])
@pytest.mark.parametrize("seed", range(5))
def test_an_alignment_follows_the_likeliest_path_that_spells_the_text(seed, text):
    scores = likely(seed)
    paths = [path for path in product(range(SYMBOLS), repeat=FRAMES) if collapsed(path) == text]
    path = max(paths, key=lambda one: sum(scores[t, s] for t, s in enumerate(one)))
    runs, last = [], None
    for frame, symbol in enumerate(path):
        if symbol != last and symbol:
            runs.append([])
        if symbol:
            runs[-1].append(frame)
        last = symbol
    expected = [max(run, key=lambda frame, s=s: scores[frame, s]) for run, s in zip(runs, text, strict=True)]
    assert aligned(scores, text).tolist() == expected


def test_equal_neighbours_need_a_frame_between():
    assert frames_needed(torch.tensor([[1, 1, 2, 0], [1, 2, 1, 0]])) == 4
    assert frames_needed(torch.tensor([[1, 1, 1, 0]])) == 5
