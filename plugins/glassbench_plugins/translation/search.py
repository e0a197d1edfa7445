"""Finding an answer: the likeliest next token each time, or several unfinished answers at once."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from glassbench.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class Search:
    """How an answer is looked for.

    Args:
        length: Most tokens of an answer, its end counted.
        beams: How many unfinished answers are followed at once; 1 always takes the likeliest next token.
        length_penalty: An answer's log-probability is divided by its length to this power; 0 favours short answers, 1
            compares by the mean of a token.
        end: The token that ends an answer, and stands before its first.
        padding: The token that fills up what is shorter.
        never: Further tokens that are never written.
    """

    length: int
    beams: int = 1
    length_penalty: float = 1.0
    end: int
    padding: int
    never: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if self.length < 1 or self.beams < 1 or self.length_penalty < 0:
            got = f"length {self.length}, beams {self.beams}, length_penalty {self.length_penalty:g}"
            raise SettingsError("length and beams are at least 1, and length_penalty is at least 0", got=got)


def answers(model: nn.Module, source: Tensor, search: Search) -> Tensor:
    """Return the best answer found to each source, long `(n, length)`, filled up with padding.

    Beams are ranked by their log-probability over their length to a power (Wu et al. 2016); finished answers stay among them
    until none of the unfinished is better. An answer that reaches the length without an end stays without one.

    Args:
        model: From a source `(n, s)` and the tokens before each place `(n, t)` to logits `(n, t, vocabulary)`. One that offers
            `encode`, `decode` and `head` reads each source once.
        source: Sources, long `(n, s)`.
        search: How to look.
    """
    n, k = len(source), search.beams
    encode, decode = _parts(model)
    memory = tuple(part.repeat_interleave(k, dim=0) for part in encode(source))
    tokens = torch.full((n * k, 1), search.end, device=source.device)
    scores = torch.full((n, k), -torch.inf, dtype=torch.float64, device=source.device)
    scores[:, 0] = 0  # at first all beams are the same: only one of them counts
    lengths = torch.zeros(n, k, dtype=torch.float64, device=source.device)
    done = torch.zeros(n, k, dtype=torch.bool, device=source.device)
    for _ in range(search.length):
        each = _next(decode(memory, tokens), done, search)
        vocabulary = each.shape[2]
        total = scores[:, :, None] + each
        lengths = lengths + ~done
        ranked = total / lengths[:, :, None] ** search.length_penalty
        best = ranked.flatten(1).topk(k).indices
        parent, token = best // vocabulary, best % vocabulary
        scores, lengths = total.flatten(1).gather(1, best), lengths.gather(1, parent)
        done = done.gather(1, parent) | (token == search.end)
        rows = (torch.arange(n, device=source.device)[:, None] * k + parent).flatten()
        tokens = torch.cat([tokens[rows], token.reshape(-1, 1)], dim=1)
        if bool(done.all()):
            break
    first = (scores / lengths**search.length_penalty).argmax(dim=1)
    found = tokens.reshape(n, k, -1)[torch.arange(n, device=source.device), first, 1:]
    return nn.functional.pad(found, (0, search.length - found.shape[1]), value=search.padding)


def _next(logits: Tensor, done: Tensor, search: Search) -> Tensor:
    """Return log-probabilities of the next token `(n, k, vocabulary)`; after its end, an answer goes on with padding for free."""
    logits = logits.double().clone()
    logits[:, [search.padding, *search.never]] = -torch.inf
    each = torch.log_softmax(logits, dim=1).reshape(*done.shape, -1)
    nothing = torch.full((each.shape[2],), -torch.inf, dtype=each.dtype, device=each.device)
    nothing[search.padding] = 0
    return torch.where(done[:, :, None], nothing, each)


def _parts(model: nn.Module) -> tuple[Any, Any]:
    """Return how a model reads a source, and how it scores the token after those written `(n, t)`: `(n, vocabulary)`."""
    if all(callable(getattr(model, name, None)) for name in ("encode", "decode", "head")):
        network: Any = model
        return network.encode, lambda memory, tokens: network.head(network.decode(memory, tokens)[:, -1])
    return lambda source: (source,), lambda memory, tokens: model(*memory, tokens)[:, -1]
