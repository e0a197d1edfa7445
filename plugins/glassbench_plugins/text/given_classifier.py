"""A classifier of texts of Hugging Face `transformers` that a person holds as an object, given to `glassbench.audit`."""

from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd
import torch
from torch import Tensor, nn

from glassbench.contracts.external_subject import EncodedModel
from glassbench.contracts.facts import TextFacts
from glassbench.errors import DataError, SettingsError, said
from glassbench.stats.settings_types import Count
from glassbench_plugins.pretrained.given_kind import beside, classifies_texts, is_tokenizer, unpacked
from glassbench_plugins.pretrained.transformers_models import places
from glassbench_plugins.text.encoder import TextEncoder
from glassbench_plugins.text.given_kind import TASK
from glassbench_plugins.text.given_network import GivenNetwork
from glassbench_plugins.text.given_pair import ORIGIN, check_device, check_vocabulary, fast_tokenizer, special_tokens
from glassbench_plugins.text.given_texts import texts_of
from glassbench_plugins.text.labels import Labels
from glassbench_plugins.text.trained_tokenizer import given_vocabulary
from glassbench_plugins.text.vocabulary import Vocabulary

_COLUMN = "text"
_PAIR = "glassbench.audit((model, tokenizer), texts, y)"
_KNOWN = [f"transformers.pipeline('{TASK}', model=model, tokenizer=tokenizer)", "a pair (model, tokenizer)"]
_TRIED, _CLOSE = 16, 0.02
_ROOM = 8
"""A row has room for a text that is longer than the longest by one part in so many: audits rewrite words."""


def given_classifier(model: Any, X: Any, background: Any, *, context: Count | None = None) -> EncodedModel:
    """Return a classifier of texts and the texts as tokens; no file is read, and no code beyond that of the objects is run.

    Args:
        model: A pipeline `text-classification`, or the pair of a network (`AutoModelForSequenceClassification`) and its fast
            tokenizer.
        X: The texts: a list, a Series, or a frame with the column `text`.
        background: Texts that it was trained on, likewise, or None.
        context: Tokens of a row; None for those of the longest text, or as many as the model reads.

    Raises:
        DataError: It is no such model, or model and tokenizer do not fit each other.
    """
    network, tokenizer = _parts(model)
    vocabulary = _vocabulary(network, tokenizer)
    check_vocabulary(network, vocabulary)
    texts = texts_of(X, "X")
    lengths = [len(numbers) for numbers in vocabulary.numbers(texts)]
    context = _context(context, _most(network, tokenizer), max(lengths, default=1), vocabulary)
    encoder = TextEncoder(text=_COLUMN, vocabulary=vocabulary, context=context, labels=Labels(target="", classes=()))
    known = None if background is None else pd.DataFrame({_COLUMN: texts_of(background, "background")})
    wrapped = GivenNetwork(network, vocabulary.padding_number, masked="attention_mask" in tokenizer.model_input_names)
    raw = pd.DataFrame({_COLUMN: texts})
    if len(texts):
        _try(wrapped, network, tokenizer, encoder, raw.head(_TRIED))
    return EncodedModel(
        network=wrapped,
        kind=f"{type(network).__name__} of {type(network).__module__.split('.')[0]}",
        modality="text",
        encoder=encoder,
        raw=raw,
        background=known,
        facts=_facts(vocabulary),
        predicts=_predicts(network),
        classes=_classes(network),
        notes=_notes(model, lengths, vocabulary, texts, context),
    )


def _parts(model: Any) -> tuple[Any, Any]:
    """Return network and tokenizer of what was given."""
    network, tokenizer = unpacked(model, TASK)
    if classifies_texts(tokenizer):
        raise DataError(
            "the first of the pair is the model, the second its tokenizer", got=f"a {type(network).__name__} first", fix=_PAIR
        )
    if not isinstance(network, nn.Module):
        fix = "give the torch network, or a function: lambda texts: an array of one probability per class"
        raise DataError("the model is no torch network", got=type(network).__name__, available=_KNOWN, fix=fix)
    check_device(network)
    if not is_tokenizer(tokenizer):
        raise DataError(
            "a classifier of texts is given with its tokenizer", got=beside(network, tokenizer), available=_KNOWN, fix=_PAIR
        )
    _check_one_answer(network)
    return network, tokenizer


def _check_one_answer(network: Any) -> None:
    """Refuse a network that may give several labels to a text."""
    if network.config.problem_type == "multi_label_classification":
        raise DataError(
            "this model gives a text any number of labels, and one decision per row is audited",
            got=f"problem_type multi_label_classification with {network.config.num_labels} labels",
            fix="audit one label at a time, through a function: lambda texts: the probability of that label for each text",
        )


def _vocabulary(network: Any, tokenizer: Any) -> Vocabulary:
    """Return the tokens of a copy of the tokenizer; padding is what the network takes for it."""
    backend, told = fast_tokenizer(tokenizer), dict(special_tokens(tokenizer))
    number = getattr(network.config, "pad_token_id", None)
    named = None if number is None else backend.id_to_token(number)
    try:
        return given_vocabulary(backend, told if named is None else {**told, "pad_token": named}, ORIGIN)
    except SettingsError as error:
        fix = "name one: tokenizer.pad_token = tokenizer.eos_token, and model.config.pad_token_id = tokenizer.pad_token_id"
        raise DataError("the tokenizer has neither padding nor a token that ends a text", got=error.got, fix=fix) from error


def _most(network: Any, tokenizer: Any) -> int | None:
    """Return how many tokens the model reads at most; None where it reads any number."""
    known = [places(network), getattr(tokenizer, "model_max_length", None)]
    limits = [int(limit) for limit in known if limit is not None and limit < 10**9]
    return min(limits, default=None)


def _context(asked: int | None, most: int | None, longest: int, vocabulary: Vocabulary) -> int:
    if asked is None:
        roomy = longest + max(2, longest // _ROOM)
        return roomy if most is None else min(roomy, most)
    if most is not None and asked > most:
        fix = f"at most {most}: reading={{'context': {most}}}"
        raise DataError("the model reads fewer tokens than a row has", where="reading.context", got=str(asked), fix=fix)
    added = vocabulary.tokenizer.num_special_tokens_to_add(is_pair=False)
    if asked <= added:
        problem = f"the tokenizer adds {added} tokens to each text, and the context leaves no room for the text"
        raise DataError(problem, where="reading.context", got=str(asked))
    return asked


def _facts(vocabulary: Vocabulary) -> TextFacts:
    padding, unknown = vocabulary.padding_number, vocabulary.unknown_number
    return TextFacts(
        padding=padding,
        unknown=None if unknown == padding else unknown,
        vocabulary=vocabulary.tokens,
        tokenizer=vocabulary.origin,
        column=_COLUMN,
    )


def _predicts(network: Any) -> Literal["class", "value"] | None:
    """Return what it predicts; one output alone may be a value or the logit of a class, which only a regression says."""
    if network.config.problem_type == "regression":
        return "value"
    return "class" if network.config.num_labels > 1 else None


def _classes(network: Any) -> tuple[str, ...]:
    """Return the labels in the order of the logits; none where there is one output alone."""
    labels: Mapping[int, str] = network.config.id2label
    return tuple(str(name) for _, name in sorted(labels.items())) if len(labels) > 1 else ()


def _notes(model: Any, lengths: list[int], vocabulary: Vocabulary, texts: list[str], context: int) -> tuple[str, ...]:
    cut = sum(length > context for length in lengths)
    strange = sum(bool(vocabulary.unknown(text)) for text in texts)
    applied = getattr(model, "_postprocess_params", {}).get("function_to_apply")
    other = applied is not None and getattr(applied, "value", applied) != "softmax"
    return (
        f"Texts were read as rows of {context} tokens by {vocabulary.origin}; model and texts are external and not stored.",
        *([f"{cut} of {len(lengths)} texts are longer than the {context} tokens of a row and were cut."] if cut else []),
        *([f"{strange} of {len(texts)} texts hold something that the tokenizer does not know."] if strange else []),
        *(["The pipeline applies another function than softmax to its logits; the softmax was audited."] if other else []),
    )


def _try(wrapped: nn.Module, network: nn.Module, tokenizer: Any, encoder: TextEncoder, raw: pd.DataFrame) -> None:
    """Refuse a model that cannot read the first texts, or that answers otherwise to what its tokenizer itself gives."""
    modes = [(module, module.training) for module in network.modules()]
    device = next(network.parameters()).device
    network.eval()
    try:
        with torch.inference_mode():
            found = wrapped(encoder.encode(raw).batch(slice(None)).inputs[0].to(device))
            own = torch.cat([_own(network, tokenizer, text, encoder.context, device) for text in raw[_COLUMN]])
    except Exception as error:  # a model is code of others; whatever it raises is said in one line
        fix = "let it classify two texts of unlike length at once; model.config.pad_token_id must name the padding"
        raise DataError("the model cannot read the texts", got=said(error), fix=fix) from error
    finally:
        for module, training in modes:
            module.training = training
    if found.shape != own.shape or not torch.allclose(found, own, atol=_CLOSE, rtol=_CLOSE):
        raise DataError(
            "the model answers texts in rows of tokens otherwise than what its tokenizer makes of them",
            got=f"logits {_shown(found)} in place of {_shown(own)}",
            fix="give a function instead: lambda texts: an array of one probability per class; its decisions are audited",
        )


def _own(network: nn.Module, tokenizer: Any, text: str, context: int, device: torch.device) -> Tensor:
    """Return the logits `(1, outputs)` of one text as the library reads it."""
    read = tokenizer(text, truncation=True, max_length=context, return_tensors="pt").to(device)
    logits: Tensor = network(**read).logits
    return logits.float()


def _shown(logits: Tensor) -> str:
    return ", ".join(f"{value:.3g}" for value in logits.flatten()[:3].tolist())
