"""The speech plugin's hooks."""

from collections.abc import Iterable
from typing import Any

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec, TaskSpec

_HERE = "glassbench_plugins.speech"
_TASKS = ("speech-recognition",)
_FILES: dict[str, Any] = {"extra": "audio", "requires": ("soundfile",), "targets": ("sequence",)}


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield generated utterances and the way to recordings."""
    yield DatasetSpec(
        name="letter-tones",
        summary="Generated utterances, each letter a tone of its own",
        target=f"{_HERE}.letter_tones:letter_tones",
        targets=("sequence",),
    )
    yield DatasetSpec(
        name="wav-transcripts",
        summary="Sound files (WAV, FLAC, OGG) with a table of what is said in them",
        target=f"{_HERE}.transcribed:wav_transcripts",
        **_FILES,
    )
    yield DatasetSpec(
        name="joined-recordings",
        summary="Recordings of single words, joined into sequences of one speaker",
        target=f"{_HERE}.joined:joined_recordings",
        **_FILES,
    )


@hookimpl
def glassbench_tasks() -> Iterable[TaskSpec]:
    """Yield the task of writing down what is said."""
    yield TaskSpec(
        name="speech-recognition",
        summary="Write down what is said (CTC), by the likeliest path or beam search",
        target=f"{_HERE}.recognition:SpeechRecognition",
        predicts="sequence",
        usual=False,
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield networks that score symbols over time."""
    yield ModelSpec(
        name="conv-recurrent",
        summary="Convolutions over a log-mel spectrogram, then recurrent units that read both ways",
        target=f"{_HERE}.conv_recurrent:ConvRecurrent",
        tasks=_TASKS,
    )
    yield ModelSpec(
        name="conformer",
        summary="Blocks of attention and convolution over a log-mel spectrogram",
        target=f"{_HERE}.conformer:Conformer",
        tasks=_TASKS,
    )
