"""Weights and activations of 8 bits, after training, by ONNX Runtime."""

import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from glassbench.contracts.compression import Compressed, Compression, CompressionSource
from glassbench.errors import RunError
from glassbench.stats.settings_types import Count

_BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Int8(Compression):
    """Stores weights in 8-bit whole numbers, and computes in them where ONNX Runtime can; nothing is trained.

    Static quantization measures the range of each activation on training rows beforehand, dynamic quantization on each batch
    while it is decided. Convolutions are fast with the first alone. Source: Jacob et al. (2018), Quantization and training of
    neural networks for efficient integer-arithmetic-only inference.

    Args:
        activations: `static` or `dynamic`.
        rows: Training rows that static ranges are measured on.
        per_channel: Whether each channel of a weight has a scale of its own, which loses less and takes a little more room.
    """

    activations: Literal["static", "dynamic"] = "static"
    rows: Count = 256
    per_channel: bool = True

    def compress(self, source: CompressionSource) -> Compressed:
        """Return the graph in 8 bits.

        Raises:
            RunError: Static ranges have no training rows to be measured on, or nothing in the graph can be told in 8 bits.
        """
        rows = self._calibration_rows(source)
        with tempfile.TemporaryDirectory() as folder, _quiet():
            plain, prepared, done = (Path(folder) / name for name in ("plain.onnx", "prepared.onnx", "int8.onnx"))
            plain.write_bytes(source.graph)
            quant_pre_process(plain, prepared)
            options: dict[str, Any] = {"weight_type": QuantType.QInt8, "per_channel": self.per_channel}
            if rows is None:
                quantize_dynamic(prepared, done, **options)
            else:
                quantize_static(prepared, done, _Rows(rows), **options)
            graph = onnx.load(done)
        layers = sum(one.data_type == onnx.TensorProto.INT8 and len(one.dims) > 1 for one in graph.graph.initializer)
        if not layers:
            raise RunError(
                "no layer of this network can be told in 8 bits",
                got=", ".join(sorted({node.op_type for node in graph.graph.node}))[:200],
                fix="use half or distilled",
            )
        facts = {"activations": self.activations, "layers": layers, "rows": 0 if rows is None else len(rows)}
        return Compressed(graph=graph.SerializeToString(deterministic=True), facts=facts)

    def _calibration_rows(self, source: CompressionSource) -> np.ndarray | None:
        if self.activations == "dynamic":
            return None
        sample = source.sample(self.rows)
        if not sample:
            fix = "write int8.activations=dynamic"
            raise RunError("static ranges are measured on training rows, and there are none", fix=fix)
        return np.asarray(sample[0].numpy(force=True))

    def account(self, facts: Mapping[str, Any]) -> str:
        """Return how many layers are stored in 8 bits, and where ranges of activations come from."""
        ranges = (
            f"ranges of activations are those of {facts['rows']:,} training rows"
            if facts["activations"] == "static"
            else "ranges of activations are measured on each batch"
        )
        return f"Weights of {facts['layers']} layers are stored in 8-bit whole numbers; {ranges}."


class _Rows(CalibrationDataReader):  # type: ignore[misc]
    """Rows that ranges are measured on, some at a time.

    Args:
        rows: Inputs `(n, ...)`.
    """

    def __init__(self, rows: np.ndarray) -> None:
        self._batches: Iterator[np.ndarray] = iter([rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)])

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next batch by the name of the input; None at the end."""
        batch = next(self._batches, None)
        return None if batch is None else {"inputs": batch}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what ONNX Runtime's quantizer logs."""
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
