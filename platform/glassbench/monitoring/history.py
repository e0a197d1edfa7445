"""What a run's folder remembers of its monitoring: the reference, and one line per look, each of which holds the one before."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from glassbench.errors import RunError
from glassbench.monitoring.reference import Reference
from glassbench.runs.run_folder import RunFolder, append_line, read_lines
from glassbench.runs.seals import MONITORING
from glassbench.storage.files import read_object, sha256, understood, write_json, write_text

REFERENCE, LOOKS, REPORT = "reference.json", "looks.jsonl", "report.html"


class History:
    """The monitoring of one run, in its folder `monitoring/`.

    Args:
        folder: The run's folder.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self.path = folder.path / MONITORING

    @property
    def report(self) -> Path:
        """The report's page."""
        return self.path / REPORT

    def reference(self) -> Reference | None:
        """Return what the run's rows were counted to; None before the first look.

        Raises:
            RunError: It is damaged, or the run's predictions are others by now.
        """
        path = self.path / REFERENCE
        if not path.is_file():
            return None
        with understood(path):
            reference = Reference.from_json(read_object(path))
        if reference.predictions != self.predictions:
            raise RunError(
                "the run's predictions are not those that monitoring began with", where=str(path),
                fix=f"move {MONITORING}/ out of the run's folder to begin again, with --accept-changes",
            )  # fmt: skip
        return reference

    @property
    def predictions(self) -> str:
        """SHA-256 of the run's predictions."""
        return sha256(self._folder.path / "predictions.parquet")

    def looks(self) -> list[dict[str, Any]]:
        """Return the looks so far, oldest first.

        Raises:
            RunError: One was changed or taken out.
        """
        path, found, before = self.path / LOOKS, [], ""
        for place, record in enumerate(read_lines(path), start=1):
            if record.get("previous") != before or record.get("look") != place:
                raise RunError(
                    "the history of looks is not as it was written", where=str(path), got=f"line {place}", fix="restore it"
                )
            before = _digest(record)
            found.append(record)
        return found

    def add(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Append a look; return it as it was written."""
        looks = self.looks()
        before = _digest(looks[-1]) if looks else ""
        written = {"look": len(looks) + 1, **record, "previous": before}
        append_line(self.path / LOOKS, written)
        return written

    def write_reference(self, reference: Reference) -> None:
        """Keep what the run's rows were counted to."""
        write_json(self.path / REFERENCE, reference.to_json())

    def write_report(self, page: str) -> None:
        """Keep the report's page."""
        write_text(self.report, page)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the run alone, and seal it again when all is written; a kill between leaves a run that `resume` seals."""
        with self._folder.locked():
            self._folder.confirm()
            self._folder.sweep()
            self._folder.unseal()
            self.path.mkdir(exist_ok=True)
            yield
            self._folder.seal()


def _digest(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
