"""Whether the words with the largest contributions matter: what was written becomes less likely without them."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from glassbench.stats.estimate import Estimate
from glassbench.stats.intervals import student_interval
from glassbench_audits.generated_text.prompts import ExplainedText, log_probability

SHARE, DRAWS = 0.25, 20
"""Words that are left out, and random draws of as many."""


def deletion(network: nn.Module, texts: Sequence[ExplainedText], absent: int, rng: np.random.Generator) -> np.ndarray:
    """Return by how much the mean log-probability of written tokens falls `(texts, 2)`: without the words that contribute most,
    and without as many drawn at random.
    """
    return np.array([_fall(network, one, absent, rng) for one in texts])


def _fall(network: nn.Module, text: ExplainedText, absent: int, rng: np.random.Generator) -> tuple[float, float]:
    whole = log_probability(network, text.prompt, text.written)
    many = max(1, round(SHARE * len(text.words)))
    best = np.argsort(-text.contributions.sum(axis=0), kind="stable")[:many]
    drawn = [rng.permutation(len(text.words))[:many] for _ in range(DRAWS)]
    fell = [whole - log_probability(network, _without(text, left_out, absent), text.written) for left_out in (best, *drawn)]
    return fell[0], float(np.mean(fell[1:]))


def _without(text: ExplainedText, left_out: np.ndarray, absent: int) -> Tensor:
    tokens = text.prompt.clone()
    for place in left_out.tolist():
        tokens[list(text.words[place].positions)] = absent
    return tokens


def mean_of(values: np.ndarray, level: float) -> Estimate:
    """Return a mean over texts with Student's interval."""
    return Estimate.of(float(values.mean()), *student_interval(values, level), level=level, n=len(values))
