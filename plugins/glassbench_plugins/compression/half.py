"""Weights of 16-bit floating point."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from glassbench.contracts.compression import Compressed, Compression, CompressionSource
from glassbench.errors import RunError

_LEAST = 64
"""Weights of fewer numbers stay as they are: the operation that reads them would take more room."""

_SUFFIX = ".half"


@dataclass(frozen=True, kw_only=True)
class Half(Compression):
    """Stores weights in 16-bit floating point (IEEE 754 binary16); they are turned into 32 bits when the graph is loaded."""

    def compress(self, source: CompressionSource) -> Compressed:
        """Return the graph with its weights in 16 bits.

        Raises:
            RunError: A weight is too large for 16 bits, or there is none of 32 bits.
        """
        graph = onnx.load_from_string(source.graph)
        kept, casts, largest = [], [], 0.0
        for tensor in graph.graph.initializer:
            if tensor.data_type != TensorProto.FLOAT or int(np.prod(tensor.dims)) < _LEAST:
                kept.append(tensor)
                continue
            halved, change = _halved(tensor)
            largest = max(largest, change)
            kept.append(halved)
            casts.append(helper.make_node("Cast", [halved.name], [tensor.name], to=TensorProto.FLOAT))
        if not casts:
            raise RunError("no weight of this network is stored in 32 bits", got=f"{len(kept)} weights")
        del graph.graph.initializer[:]
        graph.graph.initializer.extend(kept)
        nodes = [*casts, *graph.graph.node]
        del graph.graph.node[:]
        graph.graph.node.extend(nodes)
        onnx.checker.check_model(graph)
        return Compressed(
            graph=graph.SerializeToString(deterministic=True), facts={"weights": len(casts), "largest_change": largest}
        )

    def account(self, facts: Mapping[str, Any]) -> str:
        """Return how many weights are stored in 16 bits, and how far they moved."""
        moved = f"no number in them moved by more than {facts['largest_change']:.1g}"
        return f"{facts['weights']} weights are stored in 16 bits; {moved}."


def _halved(tensor: TensorProto) -> tuple[TensorProto, float]:
    """Return a weight in 16 bits, and how far its numbers moved at most."""
    full = numpy_helper.to_array(tensor)
    with np.errstate(over="ignore"):
        half = full.astype(np.float16)
    if not np.isfinite(half).all():
        raise RunError(
            "a weight is too large for 16 bits", got=f"{float(np.abs(full).max()):.3g} in {tensor.name}", fix="use int8"
        )
    change = float(np.abs(full - half.astype(np.float32)).max())
    return numpy_helper.from_array(half, name=tensor.name + _SUFFIX), change
