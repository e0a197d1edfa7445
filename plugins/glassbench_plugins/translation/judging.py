"""Answers of a model, and how likely it holds them and the truth."""

import torch
from torch import Tensor, nn

from glassbench.contracts.data import Split
from glassbench_plugins.translation.encoder import shifted
from glassbench_plugins.translation.lengths import held
from glassbench_plugins.translation.search import Search, answers

_ROWS = 128
"""Sources answered at once."""


def in_batches(model: nn.Module, source: Split, search: Search) -> dict[str, Tensor]:
    """Return what `judged` says of every row of a split, on the CPU; sources of like length are answered together."""
    whole = source.batch(slice(None))
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    order = torch.argsort(held(whole.inputs[0], search.padding), stable=True)
    parts = []
    for rows in torch.split(order, _ROWS):
        truth = whole.target[rows].to(device) if source.target is not None else None
        part = judged(model, whole.inputs[0][rows].to(device), search, truth)
        parts.append({name: tensor.cpu() for name, tensor in part.items()})
    back = torch.argsort(order)
    return {name: torch.cat([part[name] for part in parts])[back] for name in parts[0]}


def judged(model: nn.Module, source: Tensor, search: Search, truth: Tensor | None = None) -> dict[str, Tensor]:
    """Answer sources, and judge the answers and the truth.

    Args:
        model: From sources `(n, s)` and the tokens before each place to logits.
        source: Sources, long `(n, s)`.
        search: How to look for an answer.
        truth: True answers, long `(n, t)`, or None.

    Returns:
        `answer`, long `(n, length)`, and its `score`, the geometric mean of its tokens' probabilities `(n,)`; with a truth its
        `loss` (mean over its tokens, in nats), the share `guessed` first, and how many `tokens` it has, each `(n,)`.
    """
    source = source[:, : int(held(source, search.padding).max())]
    found = answers(model, source, search)
    result = {"answer": found, "score": _likelihood(model, source, found, search.padding)["loss"].neg().exp()}
    return result if truth is None else result | _likelihood(model, source, truth, search.padding)


def _likelihood(model: nn.Module, source: Tensor, answer: Tensor, padding: int) -> dict[str, Tensor]:
    answer = answer[:, : int(held(answer, padding).max())]
    logits = model(source, shifted(answer))
    counts = answer != padding
    each = torch.log_softmax(logits.double(), dim=2).gather(2, answer[:, :, None]).squeeze(2) * counts
    tokens = counts.sum(dim=1)
    guessed = ((logits.argmax(dim=2) == answer) & counts).sum(dim=1)
    return {"loss": -each.sum(dim=1) / tokens, "guessed": guessed.double() / tokens, "tokens": tokens}
