"""Networks of `timm` by name, with weights that others trained or with none."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import timm
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from glassbench.contracts.schema import Schema
from glassbench.errors import SettingsError, suggest
from glassbench_plugins.pretrained.source import Source
from glassbench_plugins.vision.augmentation import Augment, Augmentation
from glassbench_plugins.vision.sizes import image_size

_WHERE = "model.weights"


class TimmModel(nn.Module):
    """A network of `timm` (Wightman 2019, "PyTorch Image Models"), its head made anew for the classes of the data.

    Weights are read from safetensors alone, and every one but those of the head must find its place. Where images have other
    channels than the weights, the first layer's are summed or repeated, as `timm` does; where a network has places for patches,
    they are interpolated to the size of the images.

    Args:
        schema: Tells the sizes.
        name: Name of the architecture, as `timm.list_models()` has it.
        weights: A `.safetensors` file, a folder with a `model.safetensors`, or a name on the hub
            (`hf-hub:timm/resnet18.a1_in1k`); none starts from chance.
        freeze: Whether the head alone learns, all before it staying as it came.
        augment: What is done to images while training: `none`, `shift` by up to an eighth of the side, `shift-and-flip`.
    """

    def __init__(
        self, schema: Schema, *, name: str, weights: str | None = None, freeze: bool = False, augment: Augment = "none"
    ) -> None:
        super().__init__()
        channels, height, width, classes = image_size(schema, "timm")
        network = _built(name, (channels, height, width), None if weights is None else _file(weights))
        network.reset_classifier(classes)
        for module in network.modules():
            if getattr(module, "inplace", False):
                module.inplace = False  # what is changed in place cannot be explained by hooks
        self.freeze = freeze
        self.network: nn.Module = network
        if freeze:
            network.requires_grad_(False)
            network.get_classifier().requires_grad_(True)
        self.augmentation = Augmentation(augment, height, width)
        self.last_convolution = _last_features(network, torch.zeros(1, channels, height, width))
        self.blueprint: Mapping[str, Any] = {}

    @classmethod
    def rebuilt(cls, schema: Schema, blueprint: Mapping[str, Any], **settings: Any) -> Self:
        """Return the network as its name says, its weights not yet those of the trained one; nothing else is read."""
        return cls(schema, **{**settings, "weights": None})

    def train(self, mode: bool = True) -> Self:
        """Set the mode of training; what stays as it came is never in it."""
        super().train(mode)
        if self.freeze:
            self.network.eval()
        return self

    def forward(self, images: Tensor) -> Tensor:
        """From images `(n, C, H, W)` to logits `(n, classes)`."""
        logits: Tensor = self.network(self.augmentation(images))
        return logits


def _file(weights: str) -> Path:
    path = Source(name=weights, where=_WHERE).file("model.safetensors")
    if path.suffix != ".safetensors":
        raise SettingsError("weights are read from safetensors alone", where=_WHERE, got=weights)
    return path


def _built(name: str, shape: tuple[int, int, int], weights: Path | None) -> Any:
    """Return a network of `timm` for images of a shape, with the head its weights have.

    Raises:
        SettingsError: There is no such architecture, it takes no such images, or the weights are not its own.
    """
    names = timm.list_models()
    bare = name.split(".")[0]
    if bare not in names:
        near = [each for each in names if bare and each.startswith(bare)] or names
        problem = "timm has no such architecture"
        raise SettingsError(problem, where="model.name", got=name, available=near, fix=suggest(bare, names))
    config = timm.get_pretrained_cfg(name, allow_unregistered=True)
    told: dict[str, Any] = {"in_chans": shape[0]}
    if config is not None and config.fixed_input_size:
        told["img_size"] = shape[1:]
    if weights is not None:
        held = {"num_classes": _classes(weights, config.classifier if config is not None else None)}
        told |= {"pretrained": True, "pretrained_cfg_overlay": {"file": str(weights), **held}, **held}
    try:
        return timm.create_model(name, **told)
    except Exception as error:  # timm and torch raise many kinds where sizes or weights do not fit
        where, what = ("model.name", "images") if weights is None else (_WHERE, "weights or images")
        got = f"{name}, images {' x '.join(map(str, shape))}: {type(error).__name__}: {' '.join(str(error).split())}"
        raise SettingsError(f"the network does not take these {what}", where=where, got=got[:400]) from error


def _classes(weights: Path, classifier: str | tuple[str, ...] | None) -> int:
    """Return how many classes the head of a file of weights has; 0 where it has no head."""
    names = (classifier,) if isinstance(classifier, str) else tuple(classifier or ())
    try:
        with safe_open(weights, framework="pt") as file:
            held = set(file.keys())
            found = [file.get_slice(f"{name}.weight").get_shape() for name in names if f"{name}.weight" in held]
    except SafetensorError as error:
        raise SettingsError("the file of weights is damaged", where=_WHERE, got=f"{weights}: {error}") from error
    return int(found[0][0]) if found else 0


def _last_features(network: Any, images: Tensor) -> str | None:
    """Return the layer of Grad-CAM, the last whose output has channels over two axes; None where `timm` names none."""
    known = getattr(network, "feature_info", None)
    last = known[-1] if isinstance(known, list) and known else {}
    if "module" not in last:
        return None
    shapes: list[tuple[int, ...]] = []
    hook = network.get_submodule(last["module"]).register_forward_hook(lambda _, __, output: shapes.append(tuple(output.shape)))
    mode = network.training
    try:
        with torch.no_grad():
            network.eval()(images)
    finally:
        hook.remove()
        network.train(mode)
    lies = bool(shapes) and len(shapes[-1]) == 4 and shapes[-1][1] == last.get("num_chs")
    return f"network.{last['module']}" if lies else None
