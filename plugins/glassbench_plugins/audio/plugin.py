"""The audio plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec
from glassbench_plugins.audio.endings import ENDINGS

_HERE = "glassbench_plugins.audio"


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield generated clips and the way to files."""
    yield DatasetSpec(
        name="tones",
        summary="Tones, chirps and noises, generated",
        target=f"{_HERE}.tones:tones",
    )
    yield DatasetSpec(
        name="wav-folder",
        summary="A folder of sound files (WAV, FLAC, OGG), by class or with a table of metadata",
        target=f"{_HERE}.folder:wav_folder",
        inspector=f"{_HERE}.inspecting:inspect_sounds",
        folders=ENDINGS,
        extra="audio",
        requires=("soundfile",),
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield networks for clips."""
    yield ModelSpec(
        name="spectrogram-cnn",
        summary="Convolutions over a log-mel spectrogram, which explanations speak of",
        target=f"{_HERE}.spectrogram_cnn:SpectrogramCnn",
        tasks=("classification",),
    )
    yield ModelSpec(
        name="conv1d",
        summary="Convolutions over the samples themselves",
        target=f"{_HERE}.conv1d:Conv1d",
        tasks=("classification",),
    )
