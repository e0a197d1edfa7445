"""A policy's network with the scales of what it sees and of what it is paid."""

import numpy as np
import torch
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench_plugins.rl.layers import observed

LIMIT = 10.0
"""Observations count as at most so many standard deviations from their mean."""

_BYTES = 255.0


class Normalized(nn.Module):
    """A network behind a standardisation of observations, answering in the environment's own rewards.

    Mean and deviation are measured while training and saved with the weights, so that the policy, its explanations and any
    later use see observations as the environment gives them.

    Args:
        network: From standardised observations `(n, ...)` to outputs `(n, k)`.
        schema: Says the shape of an observation, and whether it is standardised or a picture of bytes.
        paid: How many outputs, from the last, are expected returns.
    """

    mean: Tensor
    deviation: Tensor
    squares: Tensor
    count: Tensor
    reward_scale: Tensor

    def __init__(self, network: nn.Module, schema: Schema, *, paid: int) -> None:
        super().__init__()
        self.network = network
        self.paid = paid
        facts = observed(schema)
        self.measured = facts.normalize
        shape = tuple(int(size or 1) for size in schema.shape)
        scale = _BYTES if facts.pixels else 1.0
        self.register_buffer("mean", torch.zeros(shape, dtype=torch.float64))
        self.register_buffer("deviation", torch.full(shape, scale, dtype=torch.float64))
        self.register_buffer("squares", torch.zeros(shape, dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self.register_buffer("reward_scale", torch.ones((), dtype=torch.float64))

    def forward(self, observations: Tensor) -> Tensor:
        """From observations `(n, ...)` in their own units to outputs `(n, k)`, expected returns in their own units."""
        mean, deviation = self.mean.to(torch.float32), self.deviation.to(torch.float32)
        standard = ((observations - mean) / deviation).clamp(-LIMIT, LIMIT)
        output: Tensor = self.network(standard)
        free = output.shape[-1] - self.paid
        scale = self.reward_scale.to(output.dtype)
        return torch.cat([output[..., :free], output[..., free:] * scale], dim=-1)

    def standardized(self, observations: np.ndarray) -> np.ndarray:
        """Return observations `(n, ...)` as the network sees them, float32."""
        if observations.dtype == np.uint8:  # pictures are wide, and nothing was measured of them
            return observations.astype(np.float32) * np.float32(1 / _BYTES)
        mean, deviation = self.mean.cpu().numpy(), self.deviation.cpu().numpy()
        scaled: np.ndarray = np.clip((observations - mean) / deviation, -LIMIT, LIMIT).astype(np.float32)
        return scaled

    def observe(self, observations: np.ndarray) -> None:
        """Take observations `(n, ...)` into account (the pairwise update of Chan, Golub and LeVeque 1979)."""
        if not self.measured:
            return
        seen = torch.as_tensor(observations, dtype=torch.float64, device=self.mean.device)
        n, total = len(seen), self.count + len(seen)
        mean = seen.mean(dim=0)
        shift = mean - self.mean
        self.squares += ((seen - mean) ** 2).sum(dim=0) + shift**2 * self.count * n / total
        self.mean += shift * n / total
        self.count.copy_(total)
        self.deviation.copy_((self.squares / total).sqrt().clamp(min=1e-4))


def normalized(model: nn.Module, schema: Schema, *, paid: int) -> nn.Module:
    """Return the network behind a standardisation; the network itself where it is behind one already."""
    return model if isinstance(model, Normalized) else Normalized(model, schema, paid=paid)
