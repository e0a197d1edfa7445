"""What happens in a run, for TensorBoard."""

from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from glassbench import AuditResult, Failure, TrackedRun


class TensorBoardTracker:
    """Writes each value of the training history at its step, and each measure of an audit, as scalars.

    `tensorboard --logdir runs` shows all runs of a folder.

    Args:
        folder: Where each run gets a folder named like it; None writes into the run's own folder, under `trackers/tensorboard`.
    """

    def __init__(self, run: TrackedRun, *, folder: Path | None = None) -> None:
        self._writer = SummaryWriter(str(run.output if folder is None else folder / run.id))

    def metric(self, record: Mapping[str, float | int]) -> None:
        """Write the values at their step."""
        for name in record.keys() - {"epoch", "part", "step"}:
            self._writer.add_scalar(name, record[name], global_step=record.get("step"))
        self._writer.flush()

    def audited(self, result: AuditResult) -> None:
        """Write the value of each measure, those of groups under their names."""
        for measure in result.measures:
            groups = [f"{feature}={name}" for feature, name in (measure.group or {}).items()] or list(measure.by or ())
            if measure.value is not None:
                self._writer.add_scalar("/".join([measure.name, *groups]), measure.value, global_step=0)
        self._writer.flush()

    def finished(self, verdict: str, report: Path) -> None:
        """Write the verdict."""
        self._write_outcome(verdict)

    def failed(self, error: Failure) -> None:
        """Write where the run stopped."""
        self._write_outcome(f"stopped in {error.phase}: {error.message}")

    def _write_outcome(self, text: str) -> None:
        self._writer.add_text("outcome", text)
        self._writer.close()
