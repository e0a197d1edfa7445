"""A network of Hugging Face `transformers` and its tokenizer, given from Python: whether they fit each other."""

from collections.abc import Mapping
from typing import Any

from tokenizers import Tokenizer

from glassbench.errors import DataError
from glassbench_plugins.text.own_tokens import SPARE
from glassbench_plugins.text.vocabulary import Vocabulary

ORIGIN = "the tokenizer given with the model"


def fast_tokenizer(tokenizer: Any) -> Tokenizer:
    """Return a copy of what a fast tokenizer runs on.

    Raises:
        DataError: It is not a fast one.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        fix = "load it with AutoTokenizer.from_pretrained(...), which takes the fast one where there is one"
        raise DataError("the tokenizer is not a fast one, of the library tokenizers", got=type(tokenizer).__name__, fix=fix)
    return Tokenizer.from_str(backend.to_str())


def special_tokens(tokenizer: Any) -> Mapping[str, Any]:
    """Return the special tokens of a tokenizer by role, as it names them; None where it names none."""
    return {role: getattr(tokenizer, role, None) for role in ("pad_token", "unk_token", "eos_token")}


def check_device(network: Any) -> None:
    """Refuse a network on several devices, or on none.

    Raises:
        DataError: It is so.
    """
    devices = sorted({str(parameter.device) for parameter in network.parameters()})
    if len(devices) != 1 or devices == ["meta"]:
        got = f"weights on {', '.join(devices) or 'no device'}"
        raise DataError("the model is not on one device", got=got, fix="load it without device_map, or with device_map='cpu'")


def check_vocabulary(network: Any, vocabulary: Vocabulary) -> None:
    """Refuse a network that knows other tokens than its tokenizer.

    Raises:
        DataError: It does.
    """
    tokens, known = len(vocabulary.tokens), getattr(network.config, "vocab_size", None)
    if known is None or not tokens <= known <= tokens + SPARE:
        got = f"{known} tokens in the model, {tokens} in the tokenizer"
        fix = "give the model's own tokenizer; after tokens were added: model.resize_token_embeddings(len(tokenizer))"
        raise DataError("the model's vocabulary is not the tokenizer's", got=got, fix=fix)
