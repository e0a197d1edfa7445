"""A compressed model as a file, and how large it is."""

import gzip
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import onnx
from onnx import numpy_helper

from glassbench.errors import ExperimentError

PLAIN, PACKED = "model.onnx", "model.onnx.gz"
_UNITS = {"": 1, "B": 1, "KB": 1000, "KIB": 1024, "MB": 1000**2, "MIB": 1024**2, "GB": 1000**3, "GIB": 1024**3}


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a model is.

    Args:
        stored: Bytes of its file.
        loaded: Bytes of its graph once the file is unpacked.
        packed: Bytes of its graph packed by gzip, whichever way it is stored.
        weights: Numbers in it.
        nonzero: Numbers in it that are not 0.
    """

    stored: int
    loaded: int
    packed: int
    weights: int
    nonzero: int

    def to_json(self) -> dict[str, int]:
        """Return plain JSON values."""
        return asdict(self)


def as_stored(graph: bytes, *, packed: bool) -> tuple[str, bytes]:
    """Return the name and the content of a graph's file, the same bytes whenever it is made."""
    return (PACKED, _zipped(graph)) if packed else (PLAIN, graph)


def size_of(graph: bytes, *, packed: bool) -> Size:
    """Return how large a graph is.

    Args:
        graph: Its bytes.
        packed: Whether it is stored compressed.
    """
    zipped = len(_zipped(graph))
    model = onnx.load_from_string(graph).graph
    tensors = [numpy_helper.to_array(one) for one in (*model.initializer, *_in_attributes(model))]
    return Size(
        stored=zipped if packed else len(graph),
        loaded=len(graph),
        packed=zipped,
        weights=sum(tensor.size for tensor in tensors),
        nonzero=sum(int(np.count_nonzero(tensor)) for tensor in tensors),
    )


def _in_attributes(graph: onnx.GraphProto) -> list[onnx.TensorProto]:
    """Return the numbers of nodes that hold their own, as trees do."""
    names = ("nodes_splits", "leaf_weights")
    return [given.t for node in graph.node for given in node.attribute if given.name in names]


def unpacked(files: Mapping[str, bytes]) -> bytes:
    """Return the graph in the files of a compressed model."""
    return files[PLAIN] if PLAIN in files else gzip.decompress(files[PACKED])


def bytes_of(text: str | int | None) -> int | None:
    """Return a size such as `256KiB` in bytes.

    Raises:
        ExperimentError: It is none.

    Example:
        >>> bytes_of("256 KiB"), bytes_of("1.5MB"), bytes_of(4096)
        (262144, 1500000, 4096)
    """
    if text is None:
        return None
    cleaned = str(text).replace(" ", "")
    number = cleaned.rstrip("KkMmGgIiBb")
    unit = _UNITS.get(cleaned[len(number) :].upper())
    try:
        size = float(number) * (unit or 0)
    except ValueError:
        size = 0.0
    if not 1 <= size < float("inf"):
        fix = "write a number with a unit, such as 256KiB"
        raise ExperimentError("this is no size of a file", got=str(text), available=[u for u in _UNITS if u], fix=fix)
    return int(size)


def _zipped(graph: bytes) -> bytes:
    return gzip.compress(graph, compresslevel=9, mtime=0)
