"""What can be counted without a clock: parameters, bytes on disk, operations, and memory."""

import tempfile
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from glassbench.contracts.estimator import opaque
from glassbench.runs.artifacts import save_trained

Inputs = tuple[Tensor, ...]


def parameters(model: nn.Module) -> tuple[int, int] | None:
    """Return how many parameters there are, and how many are trainable; None for what is no network."""
    if opaque(model):
        return None
    found = list(model.parameters())
    return sum(p.numel() for p in found), sum(p.numel() for p in found if p.requires_grad)


def file_size(model: nn.Module) -> int:
    """Return the bytes of the file that a run keeps of the model."""
    with tempfile.TemporaryDirectory() as folder:
        return (Path(folder) / save_trained(Path(folder), model)).stat().st_size


def operations(model: nn.Module, inputs: Inputs) -> int | None:
    """Return the floating point operations of one forward pass, as PyTorch counts them; None where it counts none.

    Matrix products, convolutions and attention are counted, two per multiplication and addition; fused shortcuts that hide them
    are switched off.
    """
    if opaque(model):
        return None
    listened = tuple(t.detach().requires_grad_() if t.is_floating_point() else t for t in inputs)
    with _plain_kernels(), torch.enable_grad(), FlopCounterMode(display=False) as counter:
        model(*listened)
    return int(counter.get_total_flops()) or None


def peak_memory(model: nn.Module, inputs: Inputs) -> int | None:
    """Return the most bytes that the tensors of one forward pass hold at a time, beside inputs and parameters.

    Tensors that operations hand on are counted, not what an operation needs inside; None for what is no network.
    """
    if opaque(model):
        return None
    if inputs[0].is_cuda:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        with torch.inference_mode():
            model(*inputs)
        return int(torch.cuda.max_memory_allocated() - before)
    with torch.inference_mode(), _Ledger() as ledger:
        model(*inputs)
    return int(ledger.peak)


class _Ledger(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the storage of every tensor that operations make, until it is freed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._held: dict[int, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        given = {leaf.untyped_storage()._cdata for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        for leaf in tree_leaves(output):
            if isinstance(leaf, Tensor):
                self._enter(leaf.untyped_storage(), given)
        return output

    def _enter(self, storage: Any, given: set[int]) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._held or key in given or not size:
            return
        self._held[key] = size
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._leave, key)

    def _leave(self, key: int) -> None:
        self.now -= self._held.pop(key)


@contextmanager
def _plain_kernels() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # switching oneDNN off warns of hardware that is not there
        with torch.backends.mkldnn.flags(enabled=False), sdpa_kernel(SDPBackend.MATH):
            yield
