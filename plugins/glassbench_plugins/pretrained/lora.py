"""Low-rank adaptation: a network that others trained stays as it came, and small matrices beside its layers learn."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from glassbench.errors import ComponentError, SettingsError
from glassbench.stats.settings_types import Count, PositiveNumber, ShareBelowOne

_WHERE = "model.lora"


@dataclass(frozen=True, kw_only=True)
class Lora:
    """How a network is adapted (LoRA, Hu et al. 2022), in the words of the library `peft`.

    Args:
        rank: Rank of the change of each layer.
        alpha: The change is scaled by `alpha / rank`.
        dropout: Share of a layer's inputs set to 0 on their way through the change while training.
        layers: Ends of the names of the layers that are changed; empty takes those that `peft` takes for this kind of network.
    """

    rank: Count = 8
    alpha: PositiveNumber = 16.0
    dropout: ShareBelowOne = 0.0
    layers: tuple[str, ...] = ()


def adapt(network: nn.Module, lora: Lora) -> None:
    """Put low-rank matrices beside layers of `network`, in place; they alone learn from then on.

    The change is 0 at first, so that the network computes what it did before.

    Raises:
        ComponentError: `peft` is not installed.
        SettingsError: No layer has such a name, or `peft` knows no usual layers of this kind of network.
    """
    peft = _peft()
    chosen = list(lora.layers) or None
    settings: dict[str, Any] = {"r": lora.rank, "lora_alpha": lora.alpha, "lora_dropout": lora.dropout}
    try:
        with warnings.catch_warnings(action="ignore"):  # of layers whose weights are transposed, which it then handles
            peft.inject_adapter_in_model(peft.LoraConfig(target_modules=chosen, **settings), network)
    except ValueError as error:
        raise SettingsError(
            "there are no layers to adapt" if chosen else "peft knows no usual layers of this kind of network",
            where=f"{_WHERE}.layers",
            got=", ".join(lora.layers) or type(network).__name__,
            available=adaptable(network),
            fix="name the ends of the names of layers to adapt",
        ) from error


def adaptable(network: nn.Module) -> list[str]:
    """Return the last parts of the names of a network's linear layers, each once."""
    linear = (name for name, module in network.named_modules() if isinstance(module, nn.Linear) or _is_transposed(module))
    return sorted({name.rpartition(".")[2] for name in linear})


def adapter_weights(network: nn.Module) -> Mapping[str, Any]:
    """Return the matrices that learnt, under the names that `peft` gives them."""
    found: Mapping[str, Any] = _peft().get_peft_model_state_dict(network)
    return found


def _is_transposed(module: nn.Module) -> bool:
    """Whether it is the linear layer of GPT-2, whose weights are transposed."""
    return type(module).__name__ == "Conv1D"


def _peft() -> Any:
    try:
        import peft  # seconds to import, and most networks are not adapted
    except ImportError as error:
        raise ComponentError(
            "LoRA needs a package that is not installed", got="no peft", where=_WHERE, fix="pip install 'glassbench[lora]'"
        ) from error
    return peft
