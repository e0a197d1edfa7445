"""Weights that another run learnt, taken over by a network of images."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError, shorten
from glassbench_plugins.pretrained.source import Source

_WHERE = "model.weights"
_WITHIN = "network."
"""What names of weights begin with where a network was pretrained inside another."""


class Transferable(nn.Module):
    """A network of images with a `head`, all before which may come from an earlier run and may stay as it came."""

    blueprint: Mapping[str, Any]
    freeze = False
    """Whether the head alone learns."""

    def start_from(self, weights: str | None, *, freeze: bool) -> None:
        """Take the weights of an earlier run, if any, and let the head learn alone where `freeze` says so; called last.

        Raises:
            SettingsError: There is no such file, or its weights are those of another network.
        """
        self.freeze = freeze
        if weights is not None:
            take_weights(self, weights)
            self.blueprint = {}
        self.train(self.training)

    @classmethod
    def rebuilt(cls, schema: Schema, blueprint: Mapping[str, Any], **settings: Any) -> Self:
        """Return the network with weights drawn by chance, which those of the finished run then take the place of."""
        return cls(schema, **{**settings, "weights": None})

    def train(self, mode: bool = True) -> Self:
        """Set the mode of training; what stays as it came is never in it, its statistics included."""
        super().train(mode)
        if self.freeze:
            for name, child in self.named_children():
                if name not in ("head", "augmentation"):
                    child.eval()
            for name, parameter in self.named_parameters():
                parameter.requires_grad_(name.startswith("head."))
        return self


def take_weights(network: nn.Module, weights: str) -> None:
    """Give a network the weights of another run, all but those of its `head`, which stays as it was drawn.

    Args:
        network: The network; its other weights must have the names and shapes of those that are taken.
        weights: A run's folder, or a `.safetensors` file or a folder with a `model.safetensors`.

    Raises:
        SettingsError: There is no such file, or its weights are those of another network.
    """
    path = Source(name=weights, where=_WHERE).file("model.safetensors")
    held = _read(path)
    inner = {name.removeprefix(_WITHIN): value for name, value in held.items() if name.startswith(_WITHIN)}
    found = {name: value for name, value in (inner or held).items() if not name.startswith("head.")}
    own = {name: value for name, value in network.state_dict().items() if not name.startswith("head.")}
    unlike = [name for name, value in own.items() if name not in found or found[name].shape != value.shape]
    if unlike or set(found) - set(own):
        names = unlike or sorted(set(found) - set(own))
        shapes = [f"{name}: {_shape(found.get(name))} for {_shape(own.get(name))}" for name in names]
        raise SettingsError(
            "the weights are those of another network",
            where=_WHERE,
            got=shorten(shapes, 3),
            fix="give the model the settings that the weights were learnt with, and images of the same size",
        )
    network.load_state_dict(found, strict=False)


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix != ".safetensors":
        raise SettingsError("weights are read from safetensors alone", where=_WHERE, got=str(path))
    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise SettingsError("the file of weights is damaged", where=_WHERE, got=f"{path}: {error}") from error


def _shape(value: Tensor | None) -> str:
    return "nothing" if value is None else " x ".join(map(str, value.shape)) or "a number"
