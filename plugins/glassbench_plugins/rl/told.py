"""What a policy's outputs say of a state: which action it prefers, how strongly, and what the state is worth."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glassbench.rows.log_odds import log_odds


@dataclass(frozen=True, eq=False, kw_only=True)
class Told:
    """What a policy says of n states.

    Args:
        preferences: One number per candidate action `(n, candidates)`, comparable within a row.
        value: Expected discounted return `(n,)`, in the environment's rewards.
        more: Further columns `(n,)` by name.
    """

    preferences: Tensor
    value: Tensor
    more: dict[str, np.ndarray]


def both_ways(wanted: Tensor) -> Tensor:
    """From continuous actions `(n, dimensions)` to a number per candidate `(n, 2 x dimensions)`: each downwards, then upwards."""
    return torch.stack([-wanted, wanted], dim=2).flatten(1)


def odds_output(output: Tensor) -> Tensor:
    """From logits of choices and last the value `(n, k + 1)` to each choice's log-odds against all others, and the value."""
    return torch.cat([log_odds(output[:, :-1]), output[:, -1:]], dim=1)


def numbers_output(output: Tensor) -> Tensor:
    """From means of the dimensions of an action and last the value `(n, k + 1)` to each mean, once downwards and once upwards,
    and the value `(n, 2 k + 1)`."""
    return torch.cat([both_ways(output[:, :-1]), output[:, -1:]], dim=1)


def values_output(output: Tensor) -> Tensor:
    """From action values `(n, k)` to the value of each action over the mean of all, and last the value of the state, that of its
    best action, `(n, k + 1)`."""
    best = output.max(dim=1, keepdim=True).values
    return torch.cat([output - output.mean(dim=1, keepdim=True), best], dim=1)


def told_by_odds(output: Tensor, actions: tuple[str, ...]) -> Told:
    """Return what logits of choices and a value `(n, k + 1)` say, with the chance of each action and how undecided that is."""
    odds = output[:, :-1].double().log_softmax(dim=1)
    more = {"entropy": -(odds.exp() * odds).sum(dim=1).numpy()}
    more |= {f"score.{name}": p for name, p in zip(actions, odds.exp().T.numpy(), strict=True)}
    return Told(preferences=output[:, :-1], value=output[:, -1], more=more)


def told_by_numbers(output: Tensor) -> Told:
    """Return what means of an action's dimensions and a value `(n, k + 1)` say."""
    explained = numbers_output(output)
    return Told(preferences=explained[:, :-1], value=explained[:, -1], more={})


def told_by_values(output: Tensor) -> Told:
    """Return what action values `(n, k)` say."""
    explained = values_output(output)
    return Told(preferences=explained[:, :-1], value=explained[:, -1], more={})
