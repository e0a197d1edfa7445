"""Reversible normalisation of each window."""

import torch
from torch import Tensor, nn


class ReversibleNorm(nn.Module):
    """Takes each window's own mean and standard deviation away, and gives them back to its forecast.

    So a model need not learn a level that drifts. Kim et al. (2022), "Reversible Instance Normalization for Accurate
    Time-Series Forecasting against Distribution Shift" (RevIN).

    Args:
        channels: How many channels.
        eps: Added to the variance.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Normalise windows `(n, length, channels)`; return them with their mean and spread, each `(n, 1, channels)`."""
        mean = windows.mean(dim=1, keepdim=True)
        spread = (windows.var(dim=1, keepdim=True, correction=0) + self.eps).sqrt()
        return (windows - mean) / spread * self.weight + self.bias, mean, spread

    def reverse(self, forecasts: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
        """Put forecasts `(n, horizon, channels)` back on the windows' own scale."""
        return (forecasts - self.bias) / (self.weight + self.eps**2) * spread + mean
