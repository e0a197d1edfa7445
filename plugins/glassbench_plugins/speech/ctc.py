"""Connectionist temporal classification: from scores of symbols over time to a transcript (Graves et al. 2006)."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from glassbench_plugins.speech.alphabet import BLANK


def transcript_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return the negative log-probability of transcripts per symbol, in nats `(n,)`, differentiable.

    Args:
        logits: Scores of symbols over time `(n, frames, symbols)`.
        target: Transcripts, long `(n, t)`, filled up with blanks.
    """
    lengths = (target != BLANK).sum(dim=1)
    frames = torch.full((len(logits),), logits.shape[1])
    likely = logits.float().log_softmax(dim=2).transpose(0, 1)
    total = functional.ctc_loss(likely, target, frames, lengths.cpu(), blank=BLANK, reduction="none")
    return total / lengths.clamp(min=1)


def frames_needed(target: Tensor) -> int:
    """Return how many frames the longest transcript needs: one for each symbol, and one between two equal ones."""
    symbols = (target != BLANK).sum(dim=1)
    equal = ((target[:, 1:] == target[:, :-1]) & (target[:, 1:] != BLANK)).sum(dim=1)
    return int((symbols + equal).max()) if len(target) else 0


def best_path(likely: np.ndarray) -> tuple[int, ...]:
    """Return the symbols of the likeliest path: repeats and blanks are left out.

    Args:
        likely: Log-probabilities `(frames, symbols)`.

    Example:
        >>> best_path(np.log(np.array([[.1, .9], [.1, .9], [.8, .2], [.3, .7]])))
        (1, 1)
    """
    path = likely.argmax(axis=1)
    changed = np.concatenate([[True], path[1:] != path[:-1]])
    return tuple(int(symbol) for symbol in path[changed & (path != BLANK)])


def beam_search(likely: np.ndarray, beams: int) -> tuple[int, ...]:
    """Return the likeliest transcript found, the probabilities of all paths that spell it added up (Hannun et al. 2014).

    Args:
        likely: Log-probabilities `(frames, symbols)`.
        beams: How many transcripts are followed at once.
    """
    # For each transcript the log-probabilities of paths that end in a blank, and of those that end in its last symbol.
    kept: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -np.inf)}
    for frame in likely:
        grown: dict[tuple[int, ...], list[float]] = defaultdict(lambda: [-np.inf, -np.inf])
        for text, (blank, symbol) in kept.items():
            _grow(grown, text, blank, symbol, frame)
        best = sorted(grown.items(), key=lambda one: -np.logaddexp(one[1][0], one[1][1]))[:beams]
        kept = {text: (ends[0], ends[1]) for text, ends in best}
    return max(kept, key=lambda text: float(np.logaddexp(kept[text][0], kept[text][1])))


def _grow(
    grown: dict[tuple[int, ...], list[float]], text: tuple[int, ...], blank: float, symbol: float, frame: np.ndarray
) -> None:
    """Add what one more frame makes of a transcript."""
    either = np.logaddexp(blank, symbol)
    stays = grown[text]
    stays[0] = np.logaddexp(stays[0], either + frame[BLANK])
    if text:
        stays[1] = np.logaddexp(stays[1], symbol + frame[text[-1]])
    for following in np.flatnonzero(frame > _NEVER):
        if following == BLANK:
            continue
        longer = grown[(*text, int(following))]
        before = blank if text and following == text[-1] else either
        longer[1] = np.logaddexp(longer[1], before + frame[following])


_NEVER = np.log(1e-6)
"""Symbols that are less likely are not followed."""


def aligned(likely: np.ndarray, text: Sequence[int]) -> np.ndarray:
    """Return the frame at which each symbol of a transcript is likeliest, on the likeliest path that spells it `(m,)`.

    Args:
        likely: Log-probabilities `(frames, symbols)`.
        text: Symbols, no blanks; at most as many as there are frames for.
    """
    states = np.full(2 * len(text) + 1, BLANK)
    states[1::2] = text
    # A state may be reached from two before where that skips a blank between two unlike symbols.
    skips = np.concatenate([[False, False], (states[2:] != BLANK) & (states[2:] != states[:-2])])
    scores = np.full(len(states), -np.inf)
    scores[:2] = likely[0, states[:2]]
    came = np.zeros((len(likely), len(states)), dtype=np.int64)
    for frame in range(1, len(likely)):
        before = np.stack([scores, _moved(scores, 1), np.where(skips, _moved(scores, 2), -np.inf)])
        came[frame] = before.argmax(axis=0)
        scores = before.max(axis=0) + likely[frame, states]
    path = _traced(came, int(len(states) - 1 if len(states) == 1 or scores[-1] >= scores[-2] else len(states) - 2))
    return np.array([_peak(likely[:, symbol], path == 2 * place + 1) for place, symbol in enumerate(text)], dtype=np.int64)


def _moved(scores: np.ndarray, places: int) -> np.ndarray:
    return np.concatenate([np.full(min(places, len(scores)), -np.inf), scores[:-places]])


def _traced(came: np.ndarray, last: int) -> np.ndarray:
    path = np.empty(len(came), dtype=np.int64)
    for frame in range(len(came) - 1, -1, -1):
        path[frame] = last
        last -= int(came[frame, last])
    return path


def _peak(scores: np.ndarray, where: np.ndarray) -> int:
    return int(np.where(where, scores, -np.inf).argmax())
