"""What a schema says about the sizes a network of texts needs."""

from glassbench.contracts.facts import TextFacts
from glassbench.contracts.schema import Schema
from glassbench.errors import FitError


def vocabulary_of(schema: Schema) -> int:
    """Return how many tokens there are.

    Raises:
        FitError: The rows are no tokens.
    """
    vocabulary = _facts(schema).vocabulary
    if not vocabulary:
        raise FitError(
            "this model reads tokens, and the data set names no vocabulary",
            got=f"rows of the modality '{schema.modality}'",
            fix="choose a data set of texts, or a model for these rows",
        )
    return len(vocabulary)


def padding_of(schema: Schema) -> int:
    """Return the number of the padding token."""
    return _facts(schema).padding


def unknown_of(schema: Schema) -> int:
    """Return the number of the token that stands for whatever the vocabulary does not know."""
    unknown = _facts(schema).unknown
    return 1 if unknown is None else unknown


def tokenizer_of(schema: Schema) -> str | None:
    """Return where the tokenizer is from; None where the vocabulary was learnt from the training rows."""
    return _facts(schema).tokenizer


def _facts(schema: Schema) -> TextFacts:
    return schema.facts_of(TextFacts) or TextFacts()


def context_of(schema: Schema) -> int:
    """Return how many tokens a row has."""
    return int(schema.shape[0] or 1)


def classes_of(schema: Schema) -> int:
    """Return how many classes there are.

    Raises:
        FitError: The target is no class.
    """
    if schema.target.kind != "class":
        raise FitError("this model decides a class", got=f"the target '{schema.target.name}' is a {schema.target.kind}")
    return len(schema.target.classes)
