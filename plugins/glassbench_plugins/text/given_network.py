"""A network of Hugging Face `transformers` that classifies texts, as networks of tokens are called here."""

from typing import Any

from torch import Tensor, nn


class GivenNetwork(nn.Module):
    """A network that was given from Python, called with rows of tokens alone.

    Explanations attribute to what its embedding of tokens gives, as Captum's `LayerIntegratedGradients` does.

    Args:
        network: The network.
        padding: Number of the token that fills short rows.
        masked: Whether it is told which tokens are padding.
    """

    def __init__(self, network: nn.Module, padding: int, *, masked: bool) -> None:
        super().__init__()
        self.network = network
        self.padding, self.masked = padding, masked
        given: Any = network
        words = given.get_input_embeddings()
        self.attribution_layer = next(name for name, module in self.named_modules() if module is words)

    def forward(self, tokens: Tensor) -> Tensor:
        """From token numbers, long `(n, l)`, to logits in single precision `(n, outputs)`."""
        read = tokens != self.padding
        read = read | ~read.any(dim=1, keepdim=True)  # a text of padding alone is read as it stands
        mask = {"attention_mask": read.long()} if self.masked else {}
        logits: Tensor = self.network(input_ids=tokens, **mask).logits
        return logits.float()
