"""Output whose reader went away, as with `glassbench runs show latest | head`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def close_pipe() -> None:
    """Send what is still to be printed nowhere, so that Python says nothing about it when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@contextmanager
def unread() -> Iterator[None]:
    """Go on after a `with` block whose output nobody reads any more: a verdict's exit code does not depend on it."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        close_pipe()
