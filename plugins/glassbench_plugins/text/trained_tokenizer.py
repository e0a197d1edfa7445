"""Tokenizers that others trained, read from `tokenizer.json`: a table and rules, never code."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, processors

from glassbench.errors import SettingsError
from glassbench_plugins.pretrained.source import Source
from glassbench_plugins.text.vocabulary import Vocabulary

_WHERE = "dataset.tokenizer"
_USUAL = {"pad_token": ("[PAD]", "<pad>", "<|pad|>"), "unk_token": ("[UNK]", "<unk>", "<|unk|>")}


_LAST = ("<|endoftext|>", "</s>", "<|end_of_text|>", "<eos>")
"""Tokens that usually end a text."""


def trained_vocabulary(name: str) -> Vocabulary:
    """Return the vocabulary of a trained tokenizer.

    Padding and the unknown token are those that `tokenizer_config.json` beside it names, else those that the tokenizer itself
    names, else the ones that usually go by these names.

    Args:
        name: A folder, a `tokenizer.json`, or a name on the hub.

    Raises:
        SettingsError: There is none, it is damaged, or it has no padding or no unknown token.
    """
    source = Source(name=name, where=_WHERE)
    tokenizer = _read(source.file("tokenizer.json"))
    told = _config(source)
    padding, unknown = _needed(tokenizer, told, "pad_token"), _needed(tokenizer, told, "unk_token")
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return Vocabulary(tokenizer, padding=padding, unknown=unknown, origin=name)


def running_vocabulary(name: str) -> Vocabulary:
    """Return the vocabulary of a trained tokenizer for running text, into which it puts no tokens of its own.

    Tokenizers of language models often have no padding and know every byte. Where one names no padding, the token that ends a
    text stands for it, and is then not predicted; where one names no unknown token, padding stands for that too.

    Args:
        name: A folder, a `tokenizer.json`, or a name on the hub.

    Raises:
        SettingsError: There is none, it is damaged, or it has neither padding nor a token that ends a text.
    """
    source = Source(name=name, where=_WHERE)
    return running(_read(source.file("tokenizer.json")), _config(source), name)


def running(tokenizer: Tokenizer, told: Mapping[str, Any], origin: str) -> Vocabulary:
    """Return the vocabulary for running text of a tokenizer, as `running_vocabulary` does; it is changed in place.

    Args:
        tokenizer: The tokenizer.
        told: Its special tokens by role (`pad_token`, `unk_token`, `eos_token`), texts or None.
        origin: Where it is from, in words.

    Raises:
        SettingsError: It has neither padding nor a token that ends a text.
    """
    vocabulary = given_vocabulary(tokenizer, told, origin)
    tokenizer.post_processor = processors.Sequence([])
    return vocabulary


def given_vocabulary(tokenizer: Tokenizer, told: Mapping[str, Any], origin: str) -> Vocabulary:
    """Return the same with the tokens that the tokenizer puts before and after each text; it is changed in place.

    Raises:
        SettingsError: It has neither padding nor a token that ends a text.
    """
    ending = _first(tokenizer, [told.get("eos_token"), *_LAST])
    padding = _first(tokenizer, _named(tokenizer, told, "pad_token"))
    padding = ending if padding is None else padding
    if padding is None:
        padding = _needed(tokenizer, told, "pad_token")
    unknown = _first(tokenizer, _named(tokenizer, told, "unk_token"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return Vocabulary(tokenizer, padding=padding, unknown=padding if unknown is None else unknown, origin=origin)


def _read(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare exceptions
        raise SettingsError("the tokenizer cannot be read", where=_WHERE, got=f"{path}: {error}"[:300]) from error


def _config(source: Source) -> dict[str, Any]:
    """Return what `tokenizer_config.json` says; nothing where there is none."""
    local = source.local
    path = local.parent / "tokenizer_config.json" if local and local.is_file() else source.optional("tokenizer_config.json")
    if path is None or not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SettingsError("the tokenizer's configuration is no JSON", where=_WHERE, got=f"{path}: {error}") from error
    return content if isinstance(content, dict) else {}


def _named(tokenizer: Tokenizer, told: Mapping[str, Any], role: str) -> list[Any]:
    """Return what may be the token of a role: as the configuration names it, as the tokenizer does, and the usual ones."""
    own = (tokenizer.padding or {}).get("pad_token") if role == "pad_token" else getattr(tokenizer.model, "unk_token", None)
    return [told.get(role), own, *_USUAL[role]]


def _first(tokenizer: Tokenizer, named: Sequence[Any]) -> int | None:
    """Return the number of the first of several tokens that there is."""
    texts = [token.get("content") if isinstance(token, dict) else token for token in named]
    numbers = (tokenizer.token_to_id(text) for text in texts if isinstance(text, str))
    return next((int(number) for number in numbers if number is not None), None)


def _needed(tokenizer: Tokenizer, told: Mapping[str, Any], role: str) -> int:
    named = _named(tokenizer, told, role)
    number = _first(tokenizer, named)
    if number is not None:
        return number
    texts = [token.get("content") if isinstance(token, dict) else token for token in named[:2]]
    raise SettingsError(
        f"the tokenizer names no {'padding' if role == 'pad_token' else 'unknown'} token",
        where=_WHERE,
        got=", ".join(str(token) for token in texts if token) or f"{tokenizer.get_vocab_size()} tokens, none of that name",
        available=_USUAL[role],
        fix=f'name it in a tokenizer_config.json beside tokenizer.json: {{"{role}": "..."}}',
    )
