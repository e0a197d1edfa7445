"""An ONNX graph that is called as a network is."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from glassbench.errors import FOREIGN, RunError, said


def session_of(graph: bytes) -> onnxruntime.InferenceSession:
    """Return a graph ready to be run on one core.

    Raises:
        RunError: ONNX Runtime cannot run it.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except FOREIGN as error:
        raise RunError("ONNX Runtime cannot run the compressed graph", got=said(error)) from error


class OnnxNetwork(nn.Module):
    """A graph with one input and one output, called with a tensor and answering one; it has no weights and gives no gradients.

    Args:
        graph: The bytes of the graph.
    """

    def __init__(self, graph: bytes) -> None:
        super().__init__()
        self._session = session_of(graph)
        self._input = self._session.get_inputs()[0]

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the output of each row `(n, ...)`, float32."""
        return torch.from_numpy(self.run(inputs.numpy(force=True)))

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """Return the output of each row `(n, ...)`."""
        feed: Mapping[str, Any] = {self._input.name: inputs.astype(_DTYPES[self._input.type], copy=False)}
        return np.asarray(self._session.run(None, feed)[0])


_DTYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(double)": np.float64, "tensor(uint8)": np.uint8}
