"""The language plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec, TaskSpec

_HERE = "glassbench_plugins.language"
_ENCODER = f"{_HERE}.encoder:LanguageEncoder"
_TASKS = ("next-token",)


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield the built-in running texts and the way to any other."""
    yield DatasetSpec(
        name="pydoc",
        summary="The prose of Python's own documentation, in windows, by family of topics",
        target=f"{_HERE}.datasets:pydoc",
        encoder=_ENCODER,
    )
    yield DatasetSpec(
        name="python-source",
        summary="The source of modules of Python's own standard library, in windows, by module",
        target=f"{_HERE}.standard_library:python_source",
        encoder=_ENCODER,
    )
    yield DatasetSpec(
        name="people-sentences",
        summary="Generated sentences about people, in which stereotypes and sentences to be learnt by heart can be planted",
        target=f"{_HERE}.people_sentences:people_sentences",
        encoder=_ENCODER,
    )
    yield DatasetSpec(
        name="text-file",
        summary="Any text file or several, gzipped too, in windows",
        target=f"{_HERE}.datasets:text_file",
        encoder=_ENCODER,
    )
    yield DatasetSpec(
        name="given-texts",
        summary="Texts given to glassbench.audit with a language model; a run stores the losses, neither texts nor model",
        target=f"{_HERE}.given_texts:given_texts",
        external=True,
        recognises=f"{_HERE}.given_kind:is_language_model",
        wraps_rows=f"{_HERE}.given_language_model:given_language_model",
    )


@hookimpl
def glassbench_tasks() -> Iterable[TaskSpec]:
    """Yield the task of the next token."""
    yield TaskSpec(name="next-token", summary="Predict each token from those before it", target=f"{_HERE}.next_token:NextToken")


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield networks that read left to right."""
    yield ModelSpec(
        name="gpt",
        summary="A decoder-only transformer",
        target=f"{_HERE}.gpt:Gpt",
        tasks=_TASKS,
    )
    yield ModelSpec(
        name="language-lstm",
        summary="Long short-term memory read left to right",
        target=f"{_HERE}.lstm:LanguageLstm",
        tasks=_TASKS,
    )
    yield ModelSpec(
        name="language-transformers",
        summary="A causal language model that others trained, by folder or hub name (Hugging Face transformers)",
        target=f"{_HERE}.trained_language_model:TrainedLanguageModel",
        tasks=_TASKS,
        extra="transformers",
        requires=("transformers",),
    )
