"""What trackers of a server tell of a run's end: its gates and the files worth keeping there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from glassbench.report.wording import gate_words
from glassbench.storage.files import read_object

_TOLD = ("report.html", "summary.html", "summary.md", "verdict.json", "junit.xml", "resolved.yaml")
_MODEL = ("model.safetensors", "model.skops", "encoder.json", "schema.json", "data.json", "calibration.json", "resolved.yaml")


def gates(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each gate of a run in words and its verdict; nothing where the run has none."""
    path = folder / "verdict.json"
    judged: list[dict[str, Any]] = read_object(path)["gates"] if path.is_file() else []
    for gate in judged:
        yield gate_words(gate), gate["verdict"]


def reported_files(folder: Path) -> list[Path]:
    """Return the report and the texts beside it, those that are there."""
    return [folder / name for name in _TOLD if (folder / name).is_file()]


def model_files(folder: Path) -> list[Path]:
    """Return the trained model and what predicting with it needs, those that are there."""
    found = [folder / name for name in _MODEL if (folder / name).is_file()]
    return found if any(path.name.startswith("model.") for path in found) else []
