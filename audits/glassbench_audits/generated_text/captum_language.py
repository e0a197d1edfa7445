"""A language model and its tokens in the form in which Captum's attribution for language models asks for them."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import torch
from captum.attr import (
    FeatureAblation,
    LayerIntegratedGradients,
    LLMAttribution,
    LLMGradientAttribution,
    ShapleyValueSampling,
    TextTokenInput,
)
from torch import Tensor, nn

Method = Literal["ablation", "shapley", "gradients"]
Words = Sequence[tuple[int, ...]]
"""Places of each word's tokens in the prompt."""

_FIRST = 0x10000
"""Where the characters that stand for tokens begin."""


class CaptumLanguageModel(nn.Module):
    """A language model called as those of Hugging Face are.

    Args:
        network: From token numbers, long `(n, l)`, to logits of each following token `(n, l, vocabulary)`.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next((weight.device for weight in self.network.parameters()), torch.device("cpu"))

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any) -> SimpleNamespace:
        """Return the logits `(n, l, vocabulary)` as an attribute."""
        return SimpleNamespace(logits=self.network(input_ids))


class NumberedTokens:
    """A tokenizer that spells each token as one character of its own, so that what Captum decodes it encodes again."""

    def __call__(self, text: str, **_: Any) -> dict[str, Any]:
        """Return the tokens of a text and where each stands in it."""
        return {"input_ids": self._numbers(text), "offset_mapping": [(place, place + 1) for place in range(len(text))]}

    def encode(self, text: str, **_: Any) -> Tensor:
        """Return the tokens of a text, long `(1, l)`."""
        return torch.tensor([self._numbers(text)])

    def decode(self, tokens: Tensor | Sequence[int]) -> str:
        """Return the text of tokens `(l,)`."""
        return "".join(chr(_FIRST + token) for token in torch.as_tensor(tokens).reshape(-1).tolist())

    def convert_ids_to_tokens(self, tokens: Sequence[int]) -> list[str]:
        """Return the text of each token."""
        return [self.decode([token]) for token in tokens]

    def _numbers(self, text: str) -> list[int]:
        return [ord(character) - _FIRST for character in text]


class PromptWords(TextTokenInput):  # type: ignore[misc]
    """A prompt whose words, and not their tokens, are put in and left out.

    Args:
        prompt: Its tokens, long `(l,)`.
        words: The tokens of each word.
        absent: The token that stands where a word is left out.
    """

    def __init__(self, prompt: Tensor, words: Words, absent: int) -> None:
        super().__init__(NumberedTokens().decode(prompt), NumberedTokens(), baselines=absent)
        self._words = words
        self.values = [str(place) for place in range(len(words))]
        self.n_itp_features = len(words)

    def to_tensor(self) -> Tensor:
        """Return ones, for every word is there, `(1, words)`."""
        return torch.ones((1, len(self._words)), dtype=torch.long)

    def to_model_input(self, perturbed_tensor: Tensor | None = None) -> Tensor:
        """Return the prompt without the words that are 0 `(1, l)`."""
        if perturbed_tensor is None:
            whole: Tensor = self.inp_tensor
            return whole
        tokens: Tensor = self.inp_tensor.clone()
        for place, word in enumerate(self._words):
            if perturbed_tensor[0, place] != 1:
                tokens[0, list(word)] = self.baselines
        return tokens


def attributed(
    network: nn.Module, prompt: Tensor, words: Words, written: Tensor, absent: int, method: Method, samples: int
) -> np.ndarray:
    """Return how much each word of a prompt raised the log-probability of each token that was written `(written, words)`.

    Args:
        network: As of `CaptumLanguageModel`; with a named `attribution_layer` where gradients are asked for.
        prompt: Its tokens, long `(l,)`.
        words: The tokens of each word.
        written: The tokens that were written after it, long `(m,)`.
        absent: The token that stands where a word is left out.
        method: `ablation` leaves out one word at a time; `shapley` samples Shapley values; `gradients` are integrated gradients
            (Sundararajan et al. 2017) of the words' vectors.
        samples: Orders of the words, or steps of the integral.
    """
    model = CaptumLanguageModel(network).eval()
    if method == "gradients":
        layer = network.get_submodule(str(network.attribution_layer))
        whole = TextTokenInput(NumberedTokens().decode(prompt), NumberedTokens(), baselines=absent)
        found = LLMGradientAttribution(LayerIntegratedGradients(model, layer), NumberedTokens())
        baseline = torch.full_like(prompt[None], absent)
        each = found.attribute(whole, written, baselines=baseline, n_steps=samples).token_attr.detach().cpu().numpy()
        return np.stack([each[:, list(word)].sum(axis=1) for word in words], axis=1)
    kinds = {"ablation": FeatureAblation, "shapley": ShapleyValueSampling}
    more = {"n_samples": samples} if method == "shapley" else {}
    baseline = torch.zeros((1, len(words)), dtype=torch.long)
    asked = LLMAttribution(kinds[method](model), NumberedTokens())
    with torch.no_grad():
        result = asked.attribute(PromptWords(prompt, words, absent), written, forward_in_tokens=False, baselines=baseline, **more)
    return np.asarray(result.token_attr.cpu().numpy(), dtype=np.float64)
