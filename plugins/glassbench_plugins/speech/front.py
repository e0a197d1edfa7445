"""What both networks of speech begin with: a log-mel spectrogram, and convolutions that halve time."""

import torch
from torch import Tensor, nn

from glassbench.contracts.facts import AudioFacts
from glassbench.contracts.schema import Schema
from glassbench.errors import FitError, SettingsError
from glassbench_plugins.audio.spectrogram import Spectrogram

LEAST_BANDS = 8


def symbols_of(schema: Schema, model: str) -> int:
    """Return how many symbols transcripts are written with, the blank among them.

    Raises:
        FitError: The rows are no clips with transcripts.
    """
    if schema.modality != "audio" or len(schema.shape) != 1 or schema.shape[0] is None or schema.target.kind != "sequence":
        got = f"{schema.modality} rows of shape {schema.shape} with a target of kind '{schema.target.kind}'"
        fix = "choose a data set of transcripts, such as 'letter-tones' or 'wav-transcripts'"
        raise FitError(f"'{model}' needs clips of a fixed length with transcripts", got=got, fix=fix)
    return len(schema.target.classes)


def spectrogram_of(schema: Schema, *, window: float, hop: float, bands: int) -> Spectrogram:
    """Return the spectrogram layer for clips of a schema.

    Args:
        schema: Tells the length and the rate of clips.
        window, hop: Length of a window and time to the next, in seconds.
        bands: Number of mel bands.

    Raises:
        SettingsError: A window does not fit into a clip, or there are too few bands.
    """
    facts, samples = schema.facts_of(AudioFacts), schema.shape[0]
    assert facts is not None
    assert samples is not None
    size, step = round(window * facts.rate), round(hop * facts.rate)
    if size < 2 or step < 1 or size // 2 >= samples or bands < LEAST_BANDS:
        got = f"{bands} bands, windows of {size} samples, {step} apart, clips of {samples} samples"
        raise SettingsError(f"a clip holds a window at least, and bands are {LEAST_BANDS} or more", got=got, where="model")
    return Spectrogram(facts.rate, window=size, hop=step, bands=bands)


class Subsampling(nn.Module):
    """Two convolutions over a spectrogram that quarter its bands and halve its frames, then one vector per frame.

    Args:
        bands: Mel bands.
        channels: Channels of the convolutions.
        width: Length of a frame's vector.
    """

    def __init__(self, bands: int, channels: int, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(bands)
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, channels, 3, stride=(2, 1), padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        )
        self.project = nn.Linear(channels * _halved(_halved(bands)), width)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """From `(n, bands, frames)` to `(n, frames / 2, width)`."""
        seen = self.convolutions(self.norm(spectrogram)[:, None])
        states: Tensor = self.project(torch.flatten(seen, 1, 2).transpose(1, 2))
        return states


def _halved(size: int) -> int:
    return (size + 1) // 2
