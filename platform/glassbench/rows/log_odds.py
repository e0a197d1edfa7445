"""Log-odds of one choice against all others, from the scores that a softmax turns into probabilities.

A number added to all scores of a row changes no probability, so it cannot matter to an explanation; log-odds are the part of
the scores that is left. Two choices have the difference of their scores, the logit of logistic regression.
"""

import torch
from torch import Tensor


def log_odds(scores: Tensor) -> Tensor:
    """Return the log-odds of each choice against all others together, `log p - log(1 - p)`, without loss of small probabilities.

    Args:
        scores: Logits or log-probabilities `(..., k)`.

    Returns:
        Log-odds `(..., k)`, differentiable; 0 where there is one choice only.

    Example:
        >>> log_odds(torch.tensor([[2.0, 5.0]])).tolist()
        [[-3.0, 3.0]]
    """
    if scores.shape[-1] == 1:
        return scores - scores
    if scores.shape[-1] == 2:
        return scores - scores.flip(-1)
    best = torch.zeros_like(scores, dtype=torch.bool).scatter(-1, scores.argmax(dim=-1, keepdim=True), True)
    likely = scores - scores.masked_fill(best, -torch.inf).logsumexp(dim=-1, keepdim=True)
    logs = scores.log_softmax(dim=-1)  # at most one half apart from the best, so that log1p stays clear of its pole
    unlikely = logs - torch.log1p(-logs.masked_fill(best, -torch.inf).exp())
    return torch.where(best, likely, unlikely)


def log_odds_of(scores: Tensor, chosen: Tensor) -> Tensor:
    """Return the log-odds `(...)` of one choice of each row against all others together.

    One score alone is read as the logit of the second of two choices.

    Args:
        scores: Logits or log-probabilities `(..., k)`.
        chosen: Index of the choice, long `(...)`.

    Example:
        >>> log_odds_of(torch.tensor([[1.0, 3.0], [1.0, 3.0]]), torch.tensor([0, 1])).tolist()
        [-2.0, 2.0]
        >>> log_odds_of(torch.tensor([[3.0], [3.0]]), torch.tensor([0, 1])).tolist()
        [-3.0, 3.0]
    """
    if scores.shape[-1] == 1:
        return scores[..., 0] * (2 * chosen - 1)
    index = chosen[..., None]
    return scores.gather(-1, index)[..., 0] - scores.scatter(-1, index, -torch.inf).logsumexp(dim=-1)
