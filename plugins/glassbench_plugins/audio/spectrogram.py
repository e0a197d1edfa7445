"""From samples to a log-mel spectrogram, as a layer."""

import torch
from torch import Tensor, nn

FLOOR = 1e-4
"""Added to the power before the logarithm: what silence reads as."""


class Spectrogram(nn.Module):
    """Power in mel bands over short windows, as a logarithm.

    Its weights are fixed. Mel bands are triangles evenly spaced on the scale of O'Shaughnessy (1987), 2595 log10(1 + f / 700).

    Args:
        rate: Samples per second.
        window: Samples of a window.
        hop: Samples from one window to the next.
        bands: Number of mel bands.
    """

    hann: Tensor
    filters: Tensor
    frequencies: Tensor

    def __init__(self, rate: int, *, window: int, hop: int, bands: int) -> None:
        super().__init__()
        self.window, self.hop = window, hop
        edges = mel_edges(rate / 2, bands)
        self.register_buffer("hann", torch.hann_window(window), persistent=False)
        self.register_buffer("filters", mel_filters(edges, rate, window), persistent=False)
        self.register_buffer("frequencies", edges[1:-1].float(), persistent=False)

    def forward(self, clips: Tensor) -> Tensor:
        """From clips `(n, samples)` to log power `(n, bands, frames)`, low bands first."""
        spectrum = torch.stft(clips, self.window, self.hop, window=self.hann, center=True, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        return (self.filters @ power / self.hann.sum() + FLOOR).log()


def mel_edges(highest: float, bands: int) -> Tensor:
    """Return the corners of the bands in Hz `(bands + 2,)`, float64, from 0 to `highest`."""
    top = 2595 * torch.log10(torch.tensor(1 + highest / 700, dtype=torch.float64))
    return 700 * (10 ** (torch.linspace(0, float(top), bands + 2, dtype=torch.float64) / 2595) - 1)


def mel_filters(edges: Tensor, rate: int, window: int) -> Tensor:
    """Return the weight of each frequency in each band `(bands, window // 2 + 1)`, float32, each band's highest 1.

    A band narrower than the distance of two frequencies takes the nearest one, so that none is empty.
    """
    frequencies = torch.linspace(0, rate / 2, window // 2 + 1, dtype=torch.float64)
    low, middle, high = (edges[start : len(edges) - 2 + start, None] for start in range(3))
    rise, fall = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    filters = torch.minimum(rise, fall).clamp(min=0)
    nearest = (frequencies - middle).abs().argmin(dim=1)
    empty = filters.sum(dim=1) == 0
    filters[empty, nearest[empty]] = 1.0
    return filters.float()
