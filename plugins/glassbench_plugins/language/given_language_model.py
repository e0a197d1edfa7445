"""A language model of Hugging Face `transformers` that a person holds as an object, given to `glassbench.audit`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from glassbench.contracts.data import Data, Split
from glassbench.contracts.external_subject import GivenRows
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Predictions, Task
from glassbench.errors import DataError, SettingsError, said
from glassbench.stats.settings_types import Count
from glassbench_plugins.language.encoder import LanguageEncoder
from glassbench_plugins.language.given_kind import TASK
from glassbench_plugins.language.given_texts import TextRows, rows_of_texts
from glassbench_plugins.language.trained_language_model import TrainedLanguageModel
from glassbench_plugins.language.windows import running_schema
from glassbench_plugins.pretrained.given_kind import beside, is_tokenizer, unpacked, writes_text
from glassbench_plugins.pretrained.transformers_models import places
from glassbench_plugins.text.given_pair import ORIGIN, check_device, check_vocabulary, fast_tokenizer, special_tokens
from glassbench_plugins.text.given_texts import texts_of
from glassbench_plugins.text.trained_tokenizer import running
from glassbench_plugins.text.vocabulary import Vocabulary

_USUAL = 128
_PAIR = "glassbench.audit((model, tokenizer), texts)"
_KNOWN = ["transformers.pipeline('text-generation', model=model, tokenizer=tokenizer)", "a pair (model, tokenizer)"]


class LanguageModelOfElsewhere:
    """A language model that was trained elsewhere, and the texts that it is judged by.

    Args:
        network: The model as networks of the task `next-token` are called.
        data: The texts.
        facts: What stands in the experiment for texts, model and task.
        held_out: Whether the model learnt nothing from the texts, as the caller said.
    """

    unasked: str | None = None

    def __init__(
        self, network: TrainedLanguageModel, data: Data, facts: Mapping[str, Mapping[str, Any]], held_out: bool | None
    ) -> None:
        self.data, self.facts, self.held_out = data, facts, held_out
        self._network = network
        self._modes = [(module, module.training) for module in network.network.modules()]
        self._device = next(network.parameters()).device
        self._state = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    @property
    def split(self) -> Split:
        """The rows of tokens."""
        assert isinstance(self.data.test, Split)
        return self.data.test

    def model(self) -> nn.Module:
        """Return the model in evaluation mode, with the weights it was given with, on the CPU, where audits ask it."""
        self._network.load_state_dict(self._state)
        return self._network.cpu().eval()

    def predictions(self, task: Task) -> Predictions:
        """Return what the model holds the texts for, computed on its own device."""
        return task.predict(self.model().to(self._device), self.split)

    def check_width(self, task: Task) -> None:
        """Take any task: the model's tokens were held against the tokenizer's."""

    def give_back(self) -> None:
        """Put the model back into the mode it came in, with its weights, on its device."""
        self._network.load_state_dict(self._state)
        for module, training in self._modes:
            module.training = training
        self._network.to(self._device)


def given_language_model(model: Any, rows: GivenRows, *, context: Count | None = None) -> LanguageModelOfElsewhere:
    """Wrap a language model and texts for a run; no file is read, and no code beyond that of the objects is run.

    Args:
        model: A pipeline `text-generation`, or the pair of a network (`AutoModelForCausalLM`) and its fast tokenizer.
        rows: The texts: a list, a Series, or a frame with the column `text`; `background` holds texts it was trained on.
        context: Tokens of a row; None for 128, or as many as the model reads.

    Raises:
        DataError: It is no such model, model and tokenizer do not fit each other, or a text has nothing to predict.
    """
    network, tokenizer = _parts(model)
    vocabulary = _vocabulary(tokenizer)
    check_vocabulary(network, vocabulary)
    before = [token for token in _before(tokenizer) if token != vocabulary.padding_number]
    encoder = LanguageEncoder(vocabulary=vocabulary, context=_context(context, places(network), len(before)))
    texts = texts_of(rows.X, "X")
    audited = rows_of_texts(texts, encoder, before, "X")
    names = () if rows.groups is None else tuple(map(str, rows.groups.columns))
    schema = replace(running_schema(encoder, "window"), sensitive=names)
    wrapped = TrainedLanguageModel.given(schema, network)
    data = Data(
        schema=schema,
        train=_background(rows.background, encoder, before),
        test=_beside(audited, rows, len(texts)),
        split="learnt elsewhere, judged by texts that were given for this audit",
        encoder=encoder,
        notes=(*_notes(audited, len(texts), encoder, before), *rows.notes),
        source="texts given from Python",
    )
    facts: dict[str, dict[str, Any]] = {
        "rows": {
            "texts": len(texts),
            "rows": len(audited.split),
            "context": encoder.context,
            "sensitive": list(names),
            **({} if rows.held_out is None else {"held_out": rows.held_out}),
        },
        "model": {"kind": f"{type(network).__name__} of {type(network).__module__.split('.')[0]}"},
        "task": {"use": "next-token"},
    }
    external = LanguageModelOfElsewhere(wrapped, data, facts, rows.held_out)
    _try(external, schema)
    return external


def _parts(model: Any) -> tuple[Any, Any]:
    """Return network and tokenizer of what was given."""
    network, tokenizer = unpacked(model, TASK)
    if is_tokenizer(network):
        raise DataError("the first of the pair is the model, the second its tokenizer", got="a tokenizer first", fix=_PAIR)
    if not writes_text(network) or not isinstance(network, nn.Module):
        fix = "load it with AutoModelForCausalLM, which predicts tokens; a classifier with AutoModelForSequenceClassification"
        raise DataError("this model does not predict the next token", got=type(network).__name__, available=_KNOWN, fix=fix)
    if getattr(network.config, "is_encoder_decoder", False):
        fix = "give a model that goes on with a text (AutoModelForCausalLM)"
        raise DataError("this model reads one text and writes another", got=type(network).__name__, available=_KNOWN, fix=fix)
    check_device(network)
    if not is_tokenizer(tokenizer):
        raise DataError(
            "a language model is given with its tokenizer", got=beside(network, tokenizer), available=_KNOWN, fix=_PAIR
        )
    return network, tokenizer


def _vocabulary(tokenizer: Any) -> Vocabulary:
    """Return the tokens of a copy of the tokenizer."""
    try:
        return running(fast_tokenizer(tokenizer), special_tokens(tokenizer), ORIGIN)
    except SettingsError as error:
        fix = "name one: tokenizer.pad_token = tokenizer.eos_token, or any token that texts do not hold"
        raise DataError("the tokenizer has neither padding nor a token that ends a text", got=error.got, fix=fix) from error


def _before(tokenizer: Any) -> list[int]:
    """Return the tokens that a tokenizer puts before a text, such as the one that begins it."""
    whole, bare = (tokenizer("a", add_special_tokens=added)["input_ids"] for added in (True, False))
    starts = (k for k in range(len(whole)) if whole[k : k + len(bare)] == bare)
    return list(whole[: next(starts, 0)])


def _context(asked: int | None, most: int | None, before: int) -> int:
    context = min(_USUAL, most or _USUAL) if asked is None else asked
    if most is not None and context > most:
        fix = f"at most {most}: reading={{'context': {most}}}"
        raise DataError("the model has fewer places than a row has tokens", where="reading.context", got=str(context), fix=fix)
    if context < 2 + before:
        raise DataError("a row has too few tokens", where="reading.context", got=str(context), fix=f"{2 + before} is the least")
    return context


def _background(background: Any, encoder: LanguageEncoder, before: list[int]) -> Split:
    """Return texts that the model was trained on; none where they were not given."""
    if background is None:
        return Split(inputs=(), rows=np.arange(0))
    split = rows_of_texts(texts_of(background, "background"), encoder, before, "background").split
    return replace(split, rows=-1 - split.rows)


def _beside(audited: TextRows, rows: GivenRows, texts: int) -> Split:
    """Return the rows with groups and clusters of their texts; rows of one text are a cluster."""
    clusters = rows.clusters
    if clusters is None and 1 < texts < len(audited.split):
        clusters = np.array([f"text {place}" for place in range(texts)], dtype=object)
    groups = None if rows.groups is None else rows.groups.iloc[audited.text].reset_index(drop=True)
    return replace(audited.split, groups=groups, clusters=None if clusters is None else clusters[audited.text])


def _notes(audited: TextRows, texts: int, encoder: LanguageEncoder, before: list[int]) -> tuple[str, ...]:
    vocabulary, read = encoder.vocabulary, audited.split.batch(slice(None)).inputs[0]
    unknown = vocabulary.unknown_number
    strange = 0 if unknown == vocabulary.padding_number else int(torch.eq(read, unknown).sum())
    cut = f"{texts} texts were read as {len(audited.split)} rows of up to {encoder.context} tokens"
    return (
        f"{cut}; model and texts are external and not stored.",
        *([f"{strange} tokens are unknown to the tokenizer."] if strange else []),
        *([f"Before each row stands what the tokenizer puts before a text ({len(before)} tokens)."] if before else []),
    )


def _try(external: LanguageModelOfElsewhere, schema: Schema) -> None:
    """Refuse a model that cannot read the first row."""
    row = external.split.batch(slice(0, 1)).inputs[0]
    try:
        with torch.inference_mode():
            logits = external.model()(row)
    except Exception as error:  # a model is code of others; whatever it raises is said in one line
        raise DataError("the model cannot read the texts", got=said(error)) from error
    finally:
        external.give_back()
    if logits.shape != (*row.shape, len(schema.target.classes)):
        raise DataError("the model gives no score for each token at each place", got=f"scores of shape {tuple(logits.shape)}")
