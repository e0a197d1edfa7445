"""A compressed network as a PyTorch program beside its graph."""

import io
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from glassbench.compressing.onnx_network import OnnxNetwork
from glassbench.contracts.data import Split
from glassbench.errors import RunError
from glassbench.export.networks import program_of
from glassbench.pipeline.run_context import RunContext
from glassbench.storage.files import write_file

PROGRAM = "model.pt2"

_ROWS = 64
_APART = 1e-4
"""How far the answers of a program and of its graph may differ, relative to the largest."""


def write_program(network: nn.Module | None, graph: OnnxNetwork, context: RunContext, folder: Path) -> dict[str, Any]:
    """Write a network as `torch.export` saves it, read it back, and hold its answers against the graph's.

    Args:
        network: The network; None where a compression left something else.
        graph: The same as a graph.
        context: The run.
        folder: Where to.

    Returns:
        `file`, `bytes` and `largest_difference`, or the `reason` why none was written, JSON values.

    Raises:
        RunError: The program answers something else than the graph.
    """
    if network is None:
        return {"file": None, "reason": "PyTorch programs are written of networks, and this compression leaves a graph alone"}
    test = cast(Split, context.data.test)
    inputs = test.take(np.arange(min(_ROWS, len(test)))).batch(slice(None)).inputs
    sample = inputs if len(inputs[0]) > 1 else tuple(torch.cat([tensor] * 2) for tensor in inputs)
    program = program_of(network.eval(), sample)
    content = io.BytesIO()
    torch.export.save(program, content)
    write_file(folder / PROGRAM, lambda path: path.write_bytes(content.getvalue()))
    with torch.inference_mode():
        said, wanted = torch.export.load(folder / PROGRAM).module()(*inputs), graph(*inputs)
    apart = float((said - wanted).abs().max()) / max(1.0, float(wanted.abs().max()))
    if not apart <= _APART:
        raise RunError("the PyTorch program answers something else than the graph", got=f"{apart:.2g} apart")
    return {"file": PROGRAM, "bytes": (folder / PROGRAM).stat().st_size, "largest_difference": apart}
