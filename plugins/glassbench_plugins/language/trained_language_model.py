"""Language models that others trained, from Hugging Face `transformers`."""

from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM

from glassbench.contracts.schema import Schema
from glassbench_plugins.pretrained.lora import Lora, adapt
from glassbench_plugins.pretrained.transformers_models import blueprint_of, places, read_transformer, rebuilt_transformer
from glassbench_plugins.text.own_tokens import check_sizes, check_tokenizer
from glassbench_plugins.text.sizes import vocabulary_of


class TrainedLanguageModel(nn.Module):
    """A causal language model of Hugging Face `transformers` by folder or name, trained further as a whole or by LoRA.

    Weights are read from safetensors alone, and no code that comes with them is run. The text must be read by the model's own
    tokenizer (`dataset.tokenizer`). Where the model has more rows than there are tokens, because its size was rounded up, the
    scores of the rest are left out. With the trainer `untrained` it is audited as it came.

    Args:
        schema: Tells the vocabulary and the context.
        weights: A folder with `config.json` and `model.safetensors`, or a name on the hub.
        lora: Adapt the model by small matrices beside its layers (rank, alpha, dropout, layers), which alone learn; none lets all
            of it learn.
    """

    def __init__(self, schema: Schema, *, weights: str, lora: Lora | None = None) -> None:
        check_tokenizer(schema)
        self._assemble(schema, read_transformer(AutoModelForCausalLM, weights), lora)

    @classmethod
    def rebuilt(cls, schema: Schema, blueprint: Mapping[str, Any], *, weights: str, lora: Lora | None) -> Self:
        """Return the network as its blueprint says, its weights not yet those of the trained one; nothing else is read."""
        model = cls.__new__(cls)
        model._assemble(schema, rebuilt_transformer(AutoModelForCausalLM, blueprint), lora)
        return model

    @classmethod
    def given(cls, schema: Schema, network: Any) -> Self:
        """Return a network that a person holds, as one that is read from a folder."""
        model = cls.__new__(cls)
        model._assemble(schema, network, None)
        return model

    def _assemble(self, schema: Schema, network: Any, lora: Lora | None) -> None:
        super().__init__()
        check_sizes(schema, network.config, places(network), padded=False)
        self.tokens = vocabulary_of(schema)
        self.network: nn.Module = network
        self.blueprint: Mapping[str, Any] = blueprint_of(network)
        if lora is not None:
            adapt(network, lora)
        words = network.get_input_embeddings()
        self.attribution_layer = next(name for name, module in self.named_modules() if module is words)

    def forward(self, tokens: Tensor) -> Tensor:
        """From token numbers, long `(n, l)`, to logits of each following token `(n, l, vocabulary)`.

        Padding stands at the end alone, where no earlier place looks at it.
        """
        read = self.network(input_ids=tokens, attention_mask=torch.ones_like(tokens), use_cache=False)
        logits: Tensor = read.logits[..., : self.tokens]
        return logits.float()  # of networks in half precision too
