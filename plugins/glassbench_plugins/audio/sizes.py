"""What a model of clips must know of its rows."""

from glassbench.contracts.facts import AudioFacts
from glassbench.contracts.schema import Schema
from glassbench.errors import FitError


def clip_size(schema: Schema, model: str) -> tuple[int, int, int]:
    """Return samples per clip, samples per second, and the number of classes.

    Args:
        schema: What the rows are.
        model: The model's name, for the message.

    Raises:
        FitError: The rows are no clips of a fixed length, or there are no classes to decide.
    """
    samples = schema.shape[0] if len(schema.shape) == 1 else None
    if schema.modality != "audio" or samples is None:
        got = f"{schema.modality} rows of shape {schema.shape}"
        raise FitError(f"'{model}' needs clips of a fixed length", got=got, fix="choose a data set of audio, or another model")
    if schema.target.kind != "class":
        raise FitError(f"'{model}' decides classes", got=f"a target of kind '{schema.target.kind}'")
    facts = schema.facts_of(AudioFacts)
    return samples, 16_000 if facts is None else facts.rate, len(schema.target.classes)
