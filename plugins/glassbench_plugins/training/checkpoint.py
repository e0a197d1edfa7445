"""Training state in one safetensors file."""

import json
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_lightning.plugins.io import CheckpointIO
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from glassbench.errors import RunError
from glassbench.storage.files import temporary_name

FORMAT = "glassbench-checkpoint"
VERSION = "1"


class SafetensorsIO(CheckpointIO):
    """Lets Lightning keep its checkpoints in the format of this module, without pickle."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint whole, or not at all."""
        write(checkpoint, Path(path))

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Read a checkpoint; its tensors are on the CPU."""
        content: dict[str, Any] = read(Path(path))
        return content

    def remove_checkpoint(self, path: Any) -> None:
        """Delete a checkpoint."""
        Path(path).unlink(missing_ok=True)


def write(content: Any, path: Path) -> None:
    """Write nested plain values and tensors to one file, whole or not at all.

    Tensors are flattened into the file's tensors; everything else becomes JSON in its metadata, with marks that keep
    apart what JSON does not: tuples and lists, keys of any kind, infinite numbers. A checksum covers both.

    Args:
        content: Nested dicts, lists, tuples, None, bools, ints, floats, strings and tensors.
        path: Where to; folders above it are made.

    Raises:
        RunError: A value is of another kind, or the file cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    tree = json.dumps(_encode(content, (), tensors, set()), allow_nan=False)
    metadata = {"format": FORMAT, "version": VERSION, "checksum": _checksum(tree, tensors), "tree": tree}
    temporary = temporary_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, temporary, metadata)
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            temporary.unlink()
        raise RunError(
            "the training state could not be written",
            where=path.name,
            got=str(error),
            fix="free disk space, or allow writing to the run's folder, and resume the run",
        ) from error


def read(path: Path) -> Any:
    """Read what `write` wrote, equal in every value and type; tensors are on the CPU.

    Raises:
        RunError: The file is missing, damaged, foreign, or of another version.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            _check_version(metadata, path)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError) as error:
        raise _damaged(path, str(error)) from error
    if metadata.get("checksum") != _checksum(metadata.get("tree", ""), tensors):
        raise _damaged(path, "its checksum does not fit its content")
    return _decode(json.loads(metadata["tree"]), tensors)


def _encode(value: Any, path: tuple[str, ...], tensors: dict[str, Tensor], storages: set[int]) -> Any:
    if isinstance(value, Tensor):
        return {"tensor": _flatten(value, path, tensors, storages)}
    if isinstance(value, dict):
        pairs = [
            [_encode(key, path, tensors, storages), _encode(item, (*path, str(key)), tensors, storages)]
            for key, item in value.items()
        ]
        return {"dict": pairs}
    if isinstance(value, list | tuple):
        items = [_encode(item, (*path, str(i)), tensors, storages) for i, item in enumerate(value)]
        return items if isinstance(value, list) else {"tuple": items}
    return _encode_scalar(value.item() if isinstance(value, np.generic) else value, path)


def _encode_scalar(value: Any, path: tuple[str, ...]) -> Any:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"float": repr(float(value))}
    if value is None or isinstance(value, bool | int | str):
        return value
    raise RunError(
        "a callback or learner keeps something in the training state that cannot be saved",
        where="/".join(path),
        got=type(value).__name__,
        available=["None", "bool", "int", "float", "str", "list", "tuple", "dict", "Tensor"],
        fix="keep plain values and tensors in state_dict() and on_save_checkpoint()",
    )


def _flatten(tensor: Tensor, path: tuple[str, ...], tensors: dict[str, Tensor], storages: set[int]) -> str:
    """Add a tensor under a name of its own; one that shares memory with another (tied weights) is copied."""
    name = "/".join(path)
    while name in tensors:
        name += "'"
    plain = tensor.detach().cpu()
    storage = plain.untyped_storage().data_ptr()
    tensors[name] = plain.clone(memory_format=torch.contiguous_format) if storage in storages else plain.contiguous()
    storages.add(storage)
    return name


def _decode(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_decode(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    (kind, content), *_ = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "float":
        return float(content)
    if kind == "tuple":
        return tuple(_decode(item, tensors) for item in content)
    return {_decode(key, tensors): _decode(item, tensors) for key, item in content}


def _checksum(tree: str, tensors: dict[str, Tensor]) -> str:
    code = zlib.crc32(tree.encode())
    for part in _raw_bytes(tensors):
        code = zlib.crc32(part, code)
    return f"{code:08x}"


def _raw_bytes(tensors: dict[str, Tensor]) -> Iterator[memoryview]:
    for name in sorted(tensors):
        yield tensors[name].reshape(-1).view(torch.uint8).numpy().data


def _check_version(metadata: dict[str, str], path: Path) -> None:
    if metadata.get("format") != FORMAT:
        raise _damaged(path, "another kind of safetensors file")
    if metadata.get("version") != VERSION:
        raise RunError(
            "the training state was written by another version of Glassbench",
            where=path.name,
            got=f"version {metadata.get('version')}",
            available=[f"version {VERSION}"],
            fix="resume with the version that started the run, or start the run anew",
        )


def _damaged(path: Path, got: str) -> RunError:
    return RunError(
        "the training state cannot be read",
        where=path.name,
        got=got,
        fix=f"delete {path.name} from the run's checkpoints to train from the start, or start the run anew",
    )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
