"""The text plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec
from glassbench_plugins.text.endings import ENDINGS

_HERE = "glassbench_plugins.text"
_ENCODER = f"{_HERE}.encoder:TextEncoder"
_TASKS = ("classification",)


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield the built-in texts and the way to any other."""
    yield DatasetSpec(
        name="remarks",
        summary="Short remarks about products, generated: praise or complaint, with the deciding word known",
        target=f"{_HERE}.remarks:remarks",
        encoder=_ENCODER,
    )
    yield DatasetSpec(
        name="topic-sentences",
        summary="Sentences of Python's own documentation, by the family of topics they are from",
        target=f"{_HERE}.topics:topic_sentences",
        encoder=_ENCODER,
    )
    yield DatasetSpec(
        name="text-table",
        summary="Any CSV, TSV, JSON Lines or Parquet file with a column of texts",
        target=f"{_HERE}.files:text_table",
        encoder=_ENCODER,
        inspector=f"{_HERE}.folder:inspect_texts",
        folders=ENDINGS,
        table_setting="path",
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield networks that read tokens."""
    yield ModelSpec(
        name="rnn",
        summary="A plain recurrent network over a text, both directions, attention pooling",
        target=f"{_HERE}.recurrent:Rnn",
        tasks=_TASKS,
    )
    yield ModelSpec(
        name="lstm",
        summary="Long short-term memory over a text, both directions, attention pooling",
        target=f"{_HERE}.recurrent:Lstm",
        tasks=_TASKS,
    )
    yield ModelSpec(
        name="gru",
        summary="Gated recurrent units over a text, both directions, attention pooling",
        target=f"{_HERE}.recurrent:Gru",
        tasks=_TASKS,
    )
    yield ModelSpec(
        name="transformer",
        summary="A transformer encoder over a text, attention pooling",
        target=f"{_HERE}.transformer:TextTransformer",
        tasks=_TASKS,
    )
    yield ModelSpec(
        name="transformers",
        summary="An encoder that others trained, by folder or hub name (Hugging Face transformers)",
        target=f"{_HERE}.trained_encoder:TrainedEncoder",
        tasks=_TASKS,
        extra="transformers",
        requires=("transformers",),
        recognises=f"{_HERE}.given_kind:is_text_classifier",
        encodes=f"{_HERE}.given_classifier:given_classifier",
    )
