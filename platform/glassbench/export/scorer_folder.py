"""The folder of a scorer: its code, its model, what is known of both."""

import re
from importlib import resources

import onnx

from glassbench.errors import RunError
from glassbench.export.arrays_to_onnx import arrays_to_onnx
from glassbench.export.networks import network_to_onnx, program_of, sample_inputs
from glassbench.export.parts import Parts
from glassbench.storage.files import json_text

CODE = {
    "score.py": ("glassbench.export.scorer", "score.py"),
    "decisions.py": ("glassbench.export.scorer", "decisions.py"),
    "group_column.py": ("glassbench.export.scorer", "group_column.py"),
    "install.py": ("glassbench.export.scorer", "install.py"),
    "raw_cells.py": ("glassbench.export.scorer", "raw_cells.py"),
    "numerals.py": ("glassbench.toolkit.cells", "numerals.py"),
}
"""Files of a scorer's folder that hold code, and the package each is copied from."""

REQUIREMENTS = "numpy>=2.0\nonnxruntime>=1.24\n"
_OURS = re.compile(r"^from glassbench\.[a-z_.]+?\.([a-z_]+) import", re.MULTILINE)


def core_onnx(parts: Parts) -> onnx.ModelProto:
    """Return the graph from encoded rows to the model's output."""
    if parts.arrays is not None:
        return arrays_to_onnx(parts.arrays, parts.width)
    spec = {"dtype": "float32", "shape": [parts.width]} if parts.tabular else parts.preprocessing
    spec = {**spec, "dtype": "int64" if spec["dtype"] == "int64" else "float32"}
    return network_to_onnx(program_of(parts.model, [sample_inputs(spec)]))


def scorer_files(parts: Parts) -> dict[str, bytes]:
    """Return the content of each file of a scorer's folder, but for what is known only once it was tried.

    Raises:
        RunError: The rows are no table, or the model cannot be told in ONNX.
    """
    if not parts.tabular:
        raise RunError(
            "a scorer reads rows of a table, which this run's are not",
            got=f"rows of the modality '{parts.schema.modality}'",
            available=["onnx", "torch-export"],
            fix="export it with --to onnx: how rows become inputs is told beside the graph, or part of it",
        )
    files = {name: _standing_alone(*source).encode() for name, source in CODE.items()}
    files["model.onnx"] = serialized(core_onnx(parts))
    files["preprocessing.json"] = json_text({"rows": parts.preprocessing, "decision": parts.decision}).encode()
    files["requirements.txt"] = REQUIREMENTS.encode()
    return files


def serialized(model: onnx.ModelProto) -> bytes:
    """Return the bytes of a graph.

    Raises:
        RunError: They are more than a file of ONNX may hold.
    """
    try:
        return bytes(model.SerializeToString())
    except ValueError as error:  # as Protocol Buffers says that a message is too large
        raise RunError("the model is larger than the 2 GB that one ONNX file may hold", got=str(error)[:200]) from error


def _standing_alone(package: str, name: str) -> str:
    """Return the text of a module with the modules beside it imported by their own names."""
    text = resources.files(package).joinpath(name).read_text(encoding="utf-8")
    alone = _OURS.sub(r"from \1 import", text)
    assert "glassbench." not in alone, f"{name} imports more than the files beside it"
    return alone
