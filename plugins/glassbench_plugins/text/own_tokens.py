"""Whether a network that others trained reads the tokens that texts are made of."""

from typing import Any

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError, SettingsError
from glassbench_plugins.pretrained.transformers_models import WHERE
from glassbench_plugins.text.sizes import context_of, padding_of, tokenizer_of, vocabulary_of

SPARE = 1024
"""Rows of an embedding that may belong to no token: libraries round its size up."""


def check_tokenizer(schema: Schema) -> None:
    """Refuse texts that are read by a vocabulary of their own.

    Raises:
        FitError: They are, or the rows are no tokens.
    """
    vocabulary_of(schema)
    if tokenizer_of(schema) is None:
        raise FitError(
            "a network that others trained reads the tokens of its own tokenizer",
            got="a data set that learnt a vocabulary of its own",
            fix="set dataset.tokenizer to the folder or name that model.weights has",
        )


def check_sizes(schema: Schema, config: Any, places: int | None, *, padded: bool = True) -> None:
    """Refuse a network of another vocabulary, of another padding, or of fewer places than a row has tokens.

    Args:
        schema: Tells the tokens, the padding and the context.
        config: The network's configuration.
        places: How many tokens have a place; None where any number has.
        padded: Whether the network must know which tokens are padding.

    Raises:
        SettingsError: They do not fit.
    """
    tokens, known = vocabulary_of(schema), int(config.vocab_size)
    if not tokens <= known <= tokens + SPARE:
        raise SettingsError(
            "the network's vocabulary is not the tokenizer's",
            where=WHERE,
            got=f"{known} tokens in the network, {tokens} in the tokenizer '{tokenizer_of(schema)}'",
            fix="set dataset.tokenizer to the folder or name that model.weights has",
        )
    padding = getattr(config, "pad_token_id", None) if padded else None
    if padding is not None and padding != padding_of(schema):
        got = f"number {padding} in the network, {padding_of(schema)} in the tokenizer"
        raise SettingsError("the network's padding is not the tokenizer's", where=WHERE, got=got)
    if places and context_of(schema) > places:
        got = f"{context_of(schema)} tokens a text, {places} places"
        raise SettingsError("the network has too few places for the context", where="dataset.context", got=got)
