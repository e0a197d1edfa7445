"""What a layer gives for rows, and how the explained output changes with it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from glassbench.errors import SettingsError
from glassbench_audits.attribution.explained import Explained, Rows, Unexplainable

PASS_ROWS = 256


def layer_of(explained: Explained, rows: Rows, name: str | None) -> tuple[str, nn.Module]:
    """Return a layer by name; by default the last but one of those that own weights, in the order they are called.

    What the last gives is the output itself, along which every concept would move all rows alike.

    Raises:
        SettingsError: There is no layer of that name.
        Unexplainable: The network has one layer alone.
    """
    names = {id(module): path for path, module in explained.model.named_modules()}
    if name is not None:
        if name not in names.values():
            available = [path for path in names.values() if path]
            raise SettingsError("the model has no such layer", got=name, available=available, where="audits.concepts.layer")
        return name, explained.model.get_submodule(name)
    called: list[nn.Module] = []
    owners = [module for module in explained.model.modules() if any(True for _ in module.parameters(recurse=False))]
    with _hooked(owners, lambda module, output: called.append(module)):
        explained.outputs(rows.take(slice(0, 2)))
    if len(called) < 2:
        raise Unexplainable("the network has one layer alone: there is nothing inside it to look at")
    return names[id(called[-2])], called[-2]


def activations(explained: Explained, layer: nn.Module, rows: Rows) -> np.ndarray:
    """Return what a layer gives for each row, flattened, float64 `(n, h)`."""
    seen: list[Tensor] = []
    with torch.no_grad(), _hooked([layer], lambda module, output: seen.append(output.detach())):
        for chunk in rows.chunks(PASS_ROWS):
            part = rows.take(chunk)
            explained(part.inputs, *part.others)
    return torch.cat(seen).flatten(1).double().numpy()


def gradients(explained: Explained, layer: nn.Module, rows: Rows) -> np.ndarray:
    """Return the gradient of each row's explained number in what the layer gives, flattened, float64 `(n, h)`."""
    parts = [_gradients(explained, layer, rows.take(chunk)) for chunk in rows.chunks(PASS_ROWS)]
    return torch.cat(parts).flatten(1).double().numpy()


def _gradients(explained: Explained, layer: nn.Module, rows: Rows) -> Tensor:
    seen: list[Tensor] = []

    def cut(module: nn.Module, args: object, output: Tensor) -> Tensor:
        seen.append(output.detach().requires_grad_())
        return seen[-1]

    with torch.enable_grad(), layer.register_forward_hook(cut):
        output = explained.number(rows)
        if len(seen) != 1:
            raise Unexplainable("the layer is called more than once: it is not known which call is meant")
        return torch.autograd.grad(output.sum(), seen[0])[0]


@contextmanager
def _hooked(modules: list[nn.Module], note: Callable[[nn.Module, Tensor], None]) -> Iterator[None]:
    hooks = [m.register_forward_hook(lambda module, args, output: note(module, output)) for m in modules]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
