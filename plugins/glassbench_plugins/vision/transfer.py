"""Weights that another run learnt, taken over by a network of images."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from glassbench.errors import SettingsError, shorten
from glassbench_plugins.pretrained.source import Source

_WHERE = "model.weights"
_WITHIN = "network."
"""What names of weights begin with where a network was pretrained inside another."""


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


def keep_frozen(network: nn.Module) -> None:
    """Let the head of a network learn alone where its `freeze` says so: all before it stays as it came, statistics included."""
    if not getattr(network, "freeze", False):
        return
    for name, child in network.named_children():
        if name not in ("head", "augmentation"):
            child.eval()
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith("head."))


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix != ".safetensors":
        raise SettingsError("weights are read from safetensors alone", where=_WHERE, got=str(path))
    try:
        return dict(load_file(path))
    except SafetensorError as error:
        raise SettingsError("the file of weights is damaged", where=_WHERE, got=f"{path}: {error}") from error


def _shape(value: Tensor | None) -> str:
    return "nothing" if value is None else " x ".join(map(str, value.shape)) or "a number"
