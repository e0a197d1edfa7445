"""Where a run's numbers come from: code, environment, data, seeds, hardware, plugins."""

import hashlib
import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from glassbench.contracts.data import Data, Fingerprinted, Split
from glassbench.contracts.packed import Packed
from glassbench.contracts.schema import Schema
from glassbench.entry_points import Plugin
from glassbench.storage.home_paths import without_home
from glassbench.system.git_commit import commit

_HASHED_ROWS = 4096
_WRITTEN_ROWS = 1_000_000
_PACKAGES = ("torch", "pytorch-lightning", "captum", "fairlearn", "scikit-learn", "numpy", "pandas", "scipy", "pyarrow")


def environment(plugins: Sequence[Plugin], folder: Path, command: str, seed: int) -> dict[str, Any]:
    """Return what is known before anything runs: the first content of `provenance.json`.

    Args:
        plugins: Every plugin found.
        folder: A folder inside the code whose commit is recorded.
        command: What the person ran.
        seed: The experiment's seed.
    """
    found = {
        "command": command,
        "glassbench": importlib.metadata.version("glassbench"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "code": commit(folder),
        "seed": seed,
        "hardware": hardware(),
        "plugins": [{**asdict(plugin), "seconds": round(plugin.seconds, 4)} for plugin in plugins],
    }
    return dict(without_home(found))


def hardware() -> dict[str, Any]:
    """Return processor, cores, memory and accelerator."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cpu": _processor(), "cores": os.cpu_count(), "memory_gib": round(memory, 1), "gpu": gpu}


def describe_data(data: Data) -> dict[str, Any]:
    """Return the content of `data.json`: sizes, target and groups of each split, and a fingerprint; no row of the data."""
    named = {name: getattr(data, name) for name in ("train", "validation", "test")}
    splits = {name: split for name, split in named.items() if isinstance(split, Split)}
    return {
        "source": data.source,
        "notes": list(data.notes),
        "treatments": [asdict(treatment) for treatment in data.treatments],
        "split": data.split,
        "unit": data.schema.unit,
        "fingerprint": fingerprint({**named, "stream": data.stream}),
        "rows": {name: split.total for name, split in splits.items()},
        "target": {name: found for name, split in splits.items() if (found := _target(split, data.schema))},
        "groups": {feature: _sizes(splits, feature) for feature in data.schema.sensitive},
    }


def fingerprint(parts: Mapping[str, Any]) -> str:
    """Return the SHA-256 of everything a training can see.

    Of rows these are ids, inputs, truths and groups; inputs on disk and episodes say themselves what they are made from.

    Args:
        parts: A split, episodes, a stream or None for each purpose.
    """
    digest = hashlib.sha256()
    for name, part in sorted(parts.items()):
        if isinstance(part, Split):
            digest.update(name.encode())
            _add_split(digest, part)
        elif part is not None:
            digest.update(f"{name} {_definition(part)}".encode())
    return digest.hexdigest()


def _add_split(digest: Any, split: Split) -> None:
    for start in range(0, len(split), _WRITTEN_ROWS):
        digest.update((b"\n" if start else b"") + _lines(split.rows[start : start + _WRITTEN_ROWS]))
    inputs = split.inputs
    tensors: tuple[Tensor, ...] = inputs if isinstance(inputs, tuple) else ()
    if isinstance(inputs, Packed):
        tensors = tuple(inputs.tensors().values())
    elif not isinstance(inputs, tuple):
        digest.update(_definition(inputs).encode())
    for tensor in (*tensors, *((split.target,) if split.target is not None else ())):
        digest.update(str((tuple(tensor.shape), tensor.dtype)).encode())
        for part in tensor.split(_HASHED_ROWS):  # windows over a series are views; all at once would be a large copy
            digest.update(np.ascontiguousarray(part.numpy()).data)
    if split.frequency is not None:
        digest.update(np.ascontiguousarray(split.frequency, dtype=np.int64).data)
    if split.weights is not None:
        digest.update(np.ascontiguousarray(split.weights, dtype=np.float64).data)
    if split.groups is not None and split.groups.shape[1]:  # pandas before 3 hashes no frame without columns
        digest.update(pd.util.hash_pandas_object(split.groups, index=False).to_numpy().tobytes())


def _lines(rows: np.ndarray) -> bytes:
    """Return ids of rows as text, one a line."""
    if not np.issubdtype(rows.dtype, np.integer):
        return "\n".join(map(str, rows)).encode()
    texts = pa.array(rows).cast(pa.string())
    return bytes(pc.binary_join(pa.ListArray.from_arrays([0, len(texts)], texts), "\n")[0].as_buffer())


def _definition(part: Any) -> str:
    """Return what episodes or inputs on disk are made from; where they do not say, at least what they are."""
    kind = f"{type(part).__module__}.{type(part).__qualname__}"
    return f"{kind} {part.fingerprint()}" if isinstance(part, Fingerprinted) else kind


def _target(split: Split, schema: Schema) -> dict[str, float]:
    """Summarise a split's truths: rows of each class or with each label, or how values spread."""
    if split.target is not None and schema.target.kind == "labels":
        return dict(zip(schema.target.classes, (split.target == 1).sum(dim=0).tolist(), strict=True))
    if split.target is None or split.target.ndim != 1:
        return {}
    if schema.target.kind == "class":
        codes = split.target.cpu().numpy()
        known = codes >= 0
        weights = None if split.frequency is None else np.asarray(split.frequency)[known]
        counts = np.bincount(codes[known].astype(np.int64), weights, minlength=len(schema.target.classes))
        return {name: int(count) for name, count in zip(schema.target.classes, counts, strict=True)}
    if schema.target.kind == "value":
        values = split.target[~split.target.isnan()].double()
        spread = float(values.std()) if len(values) > 1 else 0.0
        return {"mean": float(values.mean()), "sd": spread, "min": float(values.min()), "max": float(values.max())}
    return {}


def _sizes(splits: dict[str, Split], feature: str) -> dict[str, dict[str, int]]:
    return {
        name: {str(group): int(n) for group, n in _weights(split).groupby(split.groups[feature].to_numpy()).sum().items()}
        for name, split in splits.items()
        if split.groups is not None
    }


def _weights(split: Split) -> pd.Series:
    return pd.Series(np.ones(len(split), dtype=np.int64) if split.frequency is None else split.frequency)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
