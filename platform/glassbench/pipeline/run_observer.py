"""What a run tells its observer."""

from collections.abc import Sequence
from typing import Protocol

from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.trainer import Record


class RunObserver(Protocol):
    """Hears of a run's progress; never changes it."""

    @property
    def interactive(self) -> bool:
        """Whether a person watches on a terminal."""
        ...

    def phase(self, name: str, detail: str) -> None:
        """A phase starts."""
        ...

    def treated(self, lines: Sequence[str]) -> None:
        """The data are read; each line says what was left out, converted or detected."""
        ...

    def record(self, record: Record) -> None:
        """A step of the training history was measured."""
        ...

    def audited(self, result: AuditResult) -> None:
        """An audit is done."""
        ...

    def warn(self, text: str) -> None:
        """Something is odd that a person should know."""
        ...


class SilentObserver:
    """Hears everything and says nothing."""

    interactive = False

    def phase(self, name: str, detail: str) -> None:
        """Say nothing."""

    def treated(self, lines: Sequence[str]) -> None:
        """Say nothing."""

    def record(self, record: Record) -> None:
        """Say nothing."""

    def audited(self, result: AuditResult) -> None:
        """Say nothing."""

    def warn(self, text: str) -> None:
        """Say nothing."""
