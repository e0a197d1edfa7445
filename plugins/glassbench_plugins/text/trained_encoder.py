"""Encoders that others trained, from Hugging Face `transformers`, with a head for the classes of a text."""

import json
from collections.abc import Mapping
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel
from transformers.utils import logging

from glassbench.contracts.schema import Schema
from glassbench.errors import FitError, SettingsError
from glassbench.stats.settings_types import ShareBelowOne
from glassbench_plugins.pretrained.source import Source
from glassbench_plugins.text.sizes import classes_of, context_of, padding_of, tokenizer_of, vocabulary_of

_WHERE = "model.weights"
_MODELS: Any = AutoModel
_LOGGING: Any = logging
_SPARE = 1024
"""Rows of an embedding that may belong to no token: libraries round its size up."""


class TrainedEncoder(nn.Module):
    """An encoder of Hugging Face `transformers` by folder or name, its states pooled, and a linear layer for the classes.

    Weights are read from safetensors alone, and no code that comes with them is run. The texts must be read by the encoder's
    own tokenizer (`dataset.tokenizer`).

    Args:
        schema: Tells the vocabulary, the padding, the context and the classes.
        weights: A folder with `config.json` and `model.safetensors`, or a name on the hub.
        freeze: Whether the head alone learns, the encoder staying as it came.
        pooling: What of the states decides: their `mean` over the text's tokens, or the `first` one.
        dropout: Share of the pooled vector set to 0 while training; the encoder has its own.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        weights: str,
        freeze: bool = False,
        pooling: Literal["mean", "first"] = "mean",
        dropout: ShareBelowOne = 0.1,
    ) -> None:
        _check_tokenizer(schema)
        self._assemble(schema, _read(weights), freeze, pooling, dropout)

    @classmethod
    def rebuilt(cls, schema: Schema, blueprint: Mapping[str, Any], **settings: Any) -> Self:
        """Return the network as its blueprint says, its weights not yet those of the trained one; nothing else is read."""
        config = _harmless(AutoConfig.for_model(**{key: value for key, value in blueprint.items() if key != "auto_map"}))
        model = cls.__new__(cls)
        encoder = _MODELS.from_config(config, trust_remote_code=False)
        model._assemble(schema, encoder, settings["freeze"], settings["pooling"], settings["dropout"])
        return model

    def _assemble(self, schema: Schema, encoder: Any, freeze: bool, pooling: str, dropout: float) -> None:
        super().__init__()
        if not 0 <= dropout < 1:
            raise SettingsError("dropout is a share below 1", got=f"{dropout:g}", where="model.dropout")
        _check_sizes(schema, encoder.config, _places(encoder))
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None  # it would take no part, and weights without a gradient stop training over several processes
        self.padding = padding_of(schema)
        self.freeze, self.pooling = freeze, pooling
        self.encoder: nn.Module = encoder.requires_grad_(not freeze)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(int(encoder.config.hidden_size), classes_of(schema))
        words = encoder.get_input_embeddings()
        self.attribution_layer = next(name for name, module in self.named_modules() if module is words)
        self.blueprint: Mapping[str, Any] = json.loads(encoder.config.to_json_string(use_diff=False))

    def train(self, mode: bool = True) -> Self:
        """Set the mode of training; an encoder that stays as it came is never in it."""
        super().train(mode)
        if self.freeze:
            self.encoder.eval()
        return self

    def forward(self, tokens: Tensor) -> Tensor:
        """From token numbers, long `(n, l)`, to logits `(n, classes)`."""
        read = tokens != self.padding
        read = read | ~read.any(dim=1, keepdim=True)  # a text of padding alone is read as it stands
        states = self.encoder(input_ids=tokens, attention_mask=read.long()).last_hidden_state
        share = read.to(states.dtype) / read.sum(dim=1, keepdim=True)
        pooled = states[:, 0] if self.pooling == "first" else torch.einsum("nl,nlw->nw", share, states)
        logits: Tensor = self.head(self.dropout(pooled))
        return logits


def _read(weights: str) -> Any:
    """Return the encoder of a folder or of the hub, float32.

    Raises:
        SettingsError: There is none, or it is none that can be read without running its code.
    """
    source = Source(name=weights, where=_WHERE)
    folder = source.file("config.json").parent
    if not (folder / "model.safetensors.index.json").is_file():
        source.file("model.safetensors")
    shown = _LOGGING.is_progress_bar_enabled()
    _LOGGING.disable_progress_bar()
    try:
        config = _harmless(AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False))
        model, report = _MODELS.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except Exception as error:  # a damaged file, an unknown kind of model, one that wants its own code
        got = f"{type(error).__name__}: {str(error).splitlines()[0]}"[:400]
        raise SettingsError("the encoder cannot be read", where=_WHERE, got=got) from error
    finally:
        if shown:
            _LOGGING.enable_progress_bar()
    missing = sorted(name for name in report["missing_keys"] if not name.startswith("pooler."))
    if missing:
        problem = f"the file lacks {len(missing)} of the encoder's weights, {missing[0]} among them"
        raise SettingsError(problem, where=_WHERE, got=weights, available=sorted(report["unexpected_keys"]))
    if model.config.is_encoder_decoder:
        raise SettingsError(
            "this model writes texts; an encoder is needed", where=_WHERE, got=f"{weights}: {model.config.model_type}"
        )
    return model


def _check_tokenizer(schema: Schema) -> None:
    vocabulary_of(schema)
    if tokenizer_of(schema) is None:
        raise FitError(
            "an encoder that others trained reads the tokens of its own tokenizer",
            got="a data set that learnt a vocabulary of its own",
            fix="set dataset.tokenizer to the folder or name that model.weights has",
        )


def _places(encoder: Any) -> int | None:
    """Return how many tokens have a place; RoBERTa and its relatives count places from behind that of padding."""
    places: int | None = getattr(encoder.config, "max_position_embeddings", None)
    words = encoder.get_input_embeddings()
    found = [module for module in encoder.modules() if isinstance(module, nn.Embedding) and module is not words]
    tables = [module for module in found if module.num_embeddings == places]
    offset = max((table.padding_idx + 1 for table in tables if table.padding_idx is not None), default=0)
    return None if places is None else places - offset


def _harmless(config: Any) -> Any:
    """Return a configuration that does not choose what computes attention: a name there may fetch code."""
    config._attn_implementation = None
    return config


def _check_sizes(schema: Schema, config: Any, places: int | None) -> None:
    """Refuse an encoder of another vocabulary, of another padding, or of fewer places than a row has tokens."""
    tokens, known = vocabulary_of(schema), int(config.vocab_size)
    if not tokens <= known <= tokens + _SPARE:
        raise SettingsError(
            "the encoder's vocabulary is not the tokenizer's",
            where=_WHERE,
            got=f"{known} tokens in the encoder, {tokens} in the tokenizer '{tokenizer_of(schema)}'",
            fix="set dataset.tokenizer to the folder or name that model.weights has",
        )
    padding = getattr(config, "pad_token_id", None)
    if padding is not None and padding != padding_of(schema):
        got = f"number {padding} in the encoder, {padding_of(schema)} in the tokenizer"
        raise SettingsError("the encoder's padding is not the tokenizer's", where=_WHERE, got=got)
    if places and context_of(schema) > places:
        got = f"{context_of(schema)} tokens a text, {places} places"
        raise SettingsError("the encoder has too few places for the context", where="dataset.context", got=got)
