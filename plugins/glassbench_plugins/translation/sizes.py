"""What a schema says about the sizes a network of answers needs."""

from glassbench.contracts.facts import TextFacts
from glassbench.contracts.schema import Schema
from glassbench.errors import FitError


def answer_tokens(schema: Schema) -> int:
    """Return how many tokens an answer is written with.

    Raises:
        FitError: The target is no sequence.
    """
    if schema.target.kind != "sequence":
        raise FitError(
            "this model writes a sequence of tokens",
            got=f"the target '{schema.target.name}' is a {schema.target.kind}",
            fix="choose a data set of pairs, such as 'text-pairs', or a model for this target",
        )
    return len(schema.target.classes)


def answer_context(schema: Schema) -> int:
    """Return how many tokens an answer has at most, its end counted."""
    facts = schema.facts_of(TextFacts)
    assert facts is not None
    assert facts.answers is not None
    return facts.answers.context
