"""Encoders that others trained, from Hugging Face `transformers`, with a head for the classes of a text."""

from collections.abc import Mapping
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn
from transformers import AutoModel

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import ShareBelowOne
from glassbench_plugins.pretrained.lora import Lora, adapt
from glassbench_plugins.pretrained.transformers_models import (
    WHERE,
    blueprint_of,
    places,
    read_transformer,
    rebuilt_transformer,
)
from glassbench_plugins.text.own_tokens import check_sizes, check_tokenizer
from glassbench_plugins.text.sizes import classes_of, padding_of

_POOLER = "pooler."


class TrainedEncoder(nn.Module):
    """An encoder of Hugging Face `transformers` by folder or name, its states pooled, and a linear layer for the classes.

    Weights are read from safetensors alone, and no code that comes with them is run. The texts must be read by the encoder's
    own tokenizer (`dataset.tokenizer`).

    Args:
        schema: Tells the vocabulary, the padding, the context and the classes.
        weights: A folder with `config.json` and `model.safetensors`, or a name on the hub.
        freeze: Whether the head alone learns, the encoder staying as it came.
        lora: Adapt the encoder by small matrices beside its layers (rank, alpha, dropout, layers), which learn along with the
            head while the encoder stays as it came; none lets all of it learn.
        pooling: What of the states decides: their `mean` over the text's tokens, or the `first` one.
        dropout: Share of the pooled vector set to 0 while training; the encoder has its own.
    """

    def __init__(
        self,
        schema: Schema,
        *,
        weights: str,
        freeze: bool = False,
        lora: Lora | None = None,
        pooling: Literal["mean", "first"] = "mean",
        dropout: ShareBelowOne = 0.1,
    ) -> None:
        if freeze and lora is not None:
            problem = "an encoder that stays as it came is not adapted"
            raise SettingsError(problem, where="model.lora", got="freeze: true", fix="leave out freeze or lora")
        check_tokenizer(schema)
        encoder = read_transformer(AutoModel, weights, spare=(_POOLER,))
        if encoder.config.is_encoder_decoder:
            got = f"{weights}: {encoder.config.model_type}"
            raise SettingsError("this model writes texts; an encoder is needed", where=WHERE, got=got)
        self._assemble(schema, encoder, freeze=freeze, lora=lora, pooling=pooling, dropout=dropout)

    @classmethod
    def rebuilt(cls, schema: Schema, blueprint: Mapping[str, Any], *, weights: str, **settings: Any) -> Self:
        """Return the network as its blueprint says, its weights not yet those of the trained one; nothing else is read."""
        model = cls.__new__(cls)
        model._assemble(schema, rebuilt_transformer(AutoModel, blueprint), **settings)
        return model

    def _assemble(self, schema: Schema, encoder: Any, *, freeze: bool, lora: Lora | None, pooling: str, dropout: float) -> None:
        super().__init__()
        if not 0 <= dropout < 1:
            raise SettingsError("dropout is a share below 1", got=f"{dropout:g}", where="model.dropout")
        check_sizes(schema, encoder.config, places(encoder))
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None  # it would take no part, and weights without a gradient stop training over several processes
        self.padding = padding_of(schema)
        self.freeze, self.pooling = freeze, pooling
        self.encoder: nn.Module = encoder.requires_grad_(not freeze)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(int(encoder.config.hidden_size), classes_of(schema))
        self.blueprint: Mapping[str, Any] = blueprint_of(encoder)
        if lora is not None:
            adapt(encoder, lora)
        words = encoder.get_input_embeddings()
        self.attribution_layer = next(name for name, module in self.named_modules() if module is words)

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
