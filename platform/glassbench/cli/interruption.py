"""What ends a command early: Ctrl-C, a termination signal, a terminal that was closed."""

import shlex
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from glassbench.errors import Interrupted

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@dataclass
class Received:
    """The signal that ends a command; Ctrl-C until another one comes."""

    number: signal.Signals = signal.SIGINT

    @property
    def exit_code(self) -> int:
        """128 and the signal's number, as a shell says it."""
        return 128 + self.number


@contextmanager
def interruptible() -> Iterator[Received]:
    """Let SIGTERM and SIGHUP end a `with` block as Ctrl-C does; where they are ignored (`nohup`), they stay ignored."""
    received = Received()

    def stop(number: int, _: FrameType | None) -> None:
        received.number = signal.Signals(number)
        raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    taken = [number for number in _SIGNALS if main and signal.getsignal(number) == signal.SIG_DFL]
    for number in taken:
        signal.signal(number, stop)
    try:
        yield received
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def farewell(received: Received, error: BaseException | None) -> tuple[str, str | None]:
    """Return what ended a command, and how to go on where there is a run to go on with."""
    said = "stopped" if received.number == signal.SIGINT else f"stopped by {received.number.name}"
    if not isinstance(error, Interrupted) or error.done:
        return said, None
    return said, f"{error.command} {shlex.quote(error.folder.name)} {error.option} {shlex.quote(str(error.folder.parent))}"
