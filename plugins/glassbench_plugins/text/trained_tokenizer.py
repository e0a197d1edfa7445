"""Tokenizers that others trained, read from `tokenizer.json`: a table and rules, never code."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from glassbench.errors import SettingsError
from glassbench_plugins.pretrained.source import Source
from glassbench_plugins.text.vocabulary import Vocabulary

_WHERE = "dataset.tokenizer"
_USUAL = {"pad_token": ("[PAD]", "<pad>", "<|pad|>"), "unk_token": ("[UNK]", "<unk>", "<|unk|>")}


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
    padding, unknown = tokenizer.padding or {}, getattr(tokenizer.model, "unk_token", None)
    numbers = {
        "pad_token": _number(tokenizer, [told.get("pad_token"), padding.get("pad_token")], "pad_token"),
        "unk_token": _number(tokenizer, [told.get("unk_token"), unknown], "unk_token"),
    }
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return Vocabulary(tokenizer, padding=numbers["pad_token"], unknown=numbers["unk_token"], origin=name)


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


def _number(tokenizer: Tokenizer, named: Sequence[Any], role: str) -> int:
    texts = [token.get("content") if isinstance(token, dict) else token for token in named]
    for token in (*texts, *_USUAL[role]):
        number = tokenizer.token_to_id(token) if isinstance(token, str) else None
        if number is not None:
            return int(number)
    raise SettingsError(
        f"the tokenizer names no {'padding' if role == 'pad_token' else 'unknown'} token",
        where=_WHERE,
        got=", ".join(str(token) for token in texts if token) or f"{tokenizer.get_vocab_size()} tokens, none of that name",
        available=_USUAL[role],
        fix=f'name it in a tokenizer_config.json beside tokenizer.json: {{"{role}": "..."}}',
    )
