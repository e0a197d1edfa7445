"""How likely a language model holds a text, token by token."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from glassbench.contracts.text_likelihood import Continuation, TextLikelihood
from glassbench_plugins.text.vocabulary import Vocabulary

_TOKENS = 16384
"""Tokens per pass: each gives a score for every token of the vocabulary."""


class _Window(NamedTuple):
    """Tokens that are read at once, and which of them are scored for which passage."""

    tokens: list[int]
    first: int
    passage: int


def text_likelihoods(
    model: nn.Module, vocabulary: Vocabulary, context: int, passages: Sequence[Continuation]
) -> list[TextLikelihood]:
    """Return the log-likelihood of each passage's tokens given all before them, in double precision.

    A text and what stands before it are read as tokens each by itself. Where both are longer than the context, windows overlap:
    no token is predicted from fewer than half a context of tokens where there are as many before it.

    Args:
        model: From tokens `(n, l)` to logits of each following token `(n, l, vocabulary)`, in evaluation mode.
        vocabulary: The tokens.
        context: Most tokens the model reads.
        passages: The texts.
    """
    before = [_numbers(vocabulary, passage.after) for passage in passages]
    texts = [_numbers(vocabulary, passage.text) for passage in passages]
    windows = [
        window
        for place, (after, text) in enumerate(zip(before, texts, strict=True))
        for window in _windows([*after, *text], max(len(after), 1), context, place)
    ]
    found: list[list[Tensor]] = [[] for _ in passages]
    for block in _blocks(windows):
        for window, scored in zip(block, _scored(model, block), strict=True):
            found[window.passage].append(scored)
    return [
        _likelihood(parts, text, vocabulary.unknown_number, scored_from=0 if after else 1)
        for parts, text, after in zip(found, texts, before, strict=True)
    ]


def _numbers(vocabulary: Vocabulary, text: str) -> list[int]:
    return list(vocabulary.tokenizer.encode(text).ids) if text else []


def _windows(tokens: list[int], first: int, context: int, passage: int) -> Iterator[_Window]:
    """Cut a passage's tokens, of which those from `first` on are scored, into windows of `context` + 1."""
    while first < len(tokens):
        start = max(0, first - max(context // 2, 1)) if len(tokens) > context + 1 else 0
        end = min(len(tokens), start + context + 1)
        yield _Window(tokens=tokens[start:end], first=first - start, passage=passage)
        first = end


def _blocks(windows: list[_Window]) -> Iterator[list[_Window]]:
    """Yield windows of equal length together: what a model gives must not depend on what stands beside a row."""
    by_length: dict[int, list[_Window]] = {}
    for window in windows:
        by_length.setdefault(len(window.tokens), []).append(window)
    for length, same in by_length.items():
        rows = max(1, _TOKENS // length)
        yield from (same[start : start + rows] for start in range(0, len(same), rows))


def _scored(model: nn.Module, block: list[_Window]) -> list[Tensor]:
    """Return for each window its scored tokens' log-likelihoods and whether each was the first guess, `(2, k)`."""
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    table = torch.tensor([window.tokens for window in block])
    with torch.inference_mode():
        logits = model(table[:, :-1].to(device)).cpu()
    target = table[:, 1:]
    each = torch.log_softmax(logits.double(), dim=2).gather(2, target[:, :, None]).squeeze(2)
    guessed = (logits.argmax(dim=2) == target).double()
    return [torch.stack([each[i, w.first - 1 :], guessed[i, w.first - 1 :]]) for i, w in enumerate(block)]


def _likelihood(parts: list[Tensor], text: list[int], unknown: int, scored_from: int) -> TextLikelihood:
    each, guessed = torch.cat(parts, dim=1).numpy() if parts else np.zeros((2, 0))
    return TextLikelihood(
        each=each,
        guessed=guessed.astype(bool),
        tokens=np.array(text[scored_from:], dtype=np.int64),
        unknown=text.count(unknown),
        unscored=min(scored_from, len(text)),
    )
