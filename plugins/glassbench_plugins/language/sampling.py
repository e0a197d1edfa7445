"""Going on from a prompt, one token after the other."""

import torch
from torch import Tensor, nn

from glassbench.contracts.task import Generation
from glassbench.errors import SettingsError


def continued(model: nn.Module, begun: Tensor, context: int, how: Generation, never: tuple[int, ...] = ()) -> Tensor:
    """Return the tokens that follow, long `(how.length,)`.

    Each is drawn from the model's distribution over the next token, sharpened by the temperature (0 takes the likeliest) and
    cut to the `top_k` likeliest tokens; the model reads the last `context` tokens.

    Args:
        model: From tokens `(1, l)` to logits `(1, l, vocabulary)`.
        begun: The prompt's tokens `(n,)`.
        context: Most tokens the model reads.
        how: How to draw, and how many.
        never: Tokens that are not drawn, such as padding.

    Raises:
        SettingsError: A number asks for the impossible.
    """
    _check(how)
    generator = torch.Generator().manual_seed(how.seed)
    tokens = begun
    with torch.inference_mode():
        for _ in range(how.length):
            logits = model(tokens[None, -context:])[0, -1].double()
            logits[list(never)] = -torch.inf
            tokens = torch.cat([tokens, _drawn(logits, how, generator)])
    return tokens[len(begun) :].clone()


def _drawn(logits: Tensor, how: Generation, generator: torch.Generator) -> Tensor:
    if how.temperature == 0:
        return logits.argmax()[None]
    if how.top_k is not None and how.top_k < len(logits):
        logits = logits.masked_fill(logits < logits.topk(how.top_k).values[-1], -torch.inf)
    return torch.multinomial(torch.softmax(logits / how.temperature, dim=0), 1, generator=generator)


def _check(how: Generation) -> None:
    if how.length < 1 or how.temperature < 0 or (how.top_k is not None and how.top_k < 1):
        got = f"length {how.length}, temperature {how.temperature:g}, top_k {how.top_k}"
        raise SettingsError("length and top_k are at least 1, and temperature at least 0", got=got)
    if how.beams != 1:
        raise SettingsError("a text is continued by sampling, not by beams", got=f"beams {how.beams}", fix="leave beams at 1")
