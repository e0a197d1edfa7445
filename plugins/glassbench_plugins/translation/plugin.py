"""The translation plugin's hooks."""

from collections.abc import Iterable
from typing import Any

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec, TaskSpec

_HERE = "glassbench_plugins.translation"
_DATA: dict[str, Any] = {"encoder": f"{_HERE}.encoder:PairEncoder", "targets": ("sequence",)}
_TASKS = ("translation", "summarisation")


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield generated pairs and the way to any other."""
    yield DatasetSpec(
        name="written-dates",
        summary="Dates as people write them, generated, to be written as ISO 8601 has them",
        target=f"{_HERE}.written_dates:written_dates",
        **_DATA,
    )
    yield DatasetSpec(
        name="number-words",
        summary="Whole numbers, generated, to be written in words",
        target=f"{_HERE}.number_words:number_words",
        **_DATA,
    )
    yield DatasetSpec(
        name="incident-reports",
        summary="Reports of incidents, generated, to be said in one sentence",
        target=f"{_HERE}.incident_reports:incident_reports",
        **_DATA,
    )
    yield DatasetSpec(
        name="text-pairs",
        summary="Two parallel text files, or any CSV, TSV, JSON Lines or Parquet file with two columns of texts",
        target=f"{_HERE}.files:text_pairs",
        **_DATA,
    )


@hookimpl
def glassbench_tasks() -> Iterable[TaskSpec]:
    """Yield the tasks of writing an answer."""
    yield TaskSpec(
        name="translation",
        summary="Write an answer to a text, by greedy or beam search",
        target=f"{_HERE}.translation:Translation",
        predicts="sequence",
        extra="translation",
        requires=("sacrebleu",),
    )
    yield TaskSpec(
        name="summarisation",
        summary="Say a text in fewer words, by greedy or beam search; ROUGE",
        target=f"{_HERE}.summarisation:Summarisation",
        predicts="sequence",
        usual=False,
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield networks that read one sequence and write another."""
    yield ModelSpec(
        name="seq2seq-lstm",
        summary="Long short-term memory that reads and writes, with attention",
        target=f"{_HERE}.lstm:Seq2SeqLstm",
        tasks=_TASKS,
    )
    yield ModelSpec(
        name="seq2seq-transformer",
        summary="An encoder-decoder transformer",
        target=f"{_HERE}.transformer:Seq2SeqTransformer",
        tasks=_TASKS,
    )
