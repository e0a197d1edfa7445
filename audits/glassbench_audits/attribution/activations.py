"""Whether DeepLift can see every activation of a network."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from captum.attr._core.deep_lift import SUPPORTED_NON_LINEAR
from torch import nn
from torch.overrides import TorchFunctionMode

from glassbench_audits.attribution.explained import Explained, Rows

_BENDING = frozenset(
    [
        "relu",
        "relu_",
        "relu6",
        "leaky_relu",
        "leaky_relu_",
        "elu",
        "elu_",
        "selu",
        "celu",
        "gelu",
        "silu",
        "mish",
        "softplus",
        "hardtanh",
        "hardswish",
        "hardsigmoid",
        "logsigmoid",
        "sigmoid",
        "sigmoid_",
        "tanh",
        "tanh_",
        "softmax",
        "log_softmax",
        "clamp",
        "clamp_",
        "clamp_min",
        "abs",
        "exp",
        "log",
        "sqrt",
        "pow",
        "square",
        "max_pool1d",
        "max_pool2d",
        "max_pool3d",
        "boolean_dispatch",
        "scaled_dot_product_attention",
        "sin",
        "cos",
    ]
)
"""Functions of torch that bend a straight line, by name; DeepLift handles them as modules of their own only."""


def hidden_activations(explained: Explained, rows: Rows) -> str | None:
    """Return in words which activations DeepLift would silently treat as straight lines, or None.

    Its rule hooks activation modules. One that is called as a function has no hook, and one used twice keeps the memory of
    one use only (captum #1082, #1104); completeness can miss both where the network is nearly linear around the rows.
    """
    watch = _Watch()
    with torch.no_grad(), _hooked(explained.model, watch), watch:
        explained(rows.inputs[:2], *(other[:2] for other in rows.others))
    if watch.functions:
        return f"cannot see activations that are called as functions ({', '.join(sorted(watch.functions))})"
    if any(count > 1 for count in watch.uses.values()):
        return "cannot tell apart the uses of an activation module that is used more than once"
    return None


class _Watch(TorchFunctionMode):
    """Notes bending functions called outside the modules that DeepLift knows, and how often each such module is used."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = 0
        self.functions: set[str] = set()
        self.uses: Counter[nn.Module] = Counter()

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        if not self.inside and name in _BENDING:
            self.functions.add(name)
        return func(*args, **(kwargs or {}))

    def enter(self, module: nn.Module, args: Any) -> None:
        self.inside += 1
        self.uses[module] += 1

    def leave(self, module: nn.Module, args: Any, output: Any) -> None:
        self.inside -= 1


@contextmanager
def _hooked(model: nn.Module, watch: _Watch) -> Iterator[None]:
    known = [module for module in model.modules() if type(module) in SUPPORTED_NON_LINEAR]
    hooks = [hook for m in known for hook in (m.register_forward_pre_hook(watch.enter), m.register_forward_hook(watch.leave))]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
