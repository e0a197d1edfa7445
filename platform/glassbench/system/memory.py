"""Telling that memory ran out, however a library says it."""

import errno
import re

from glassbench.errors import GlassbenchError, said
from glassbench.printable import quoted

_SAID = re.compile(
    r"failed to map segment|cannot allocate|can't allocate|unable to allocate|not enough memory|out of memory|bad_alloc|"
    r"can't start new thread|failed to create thread",
    re.IGNORECASE,
)


def ran_out(error: BaseException) -> bool:
    """Whether an error, or what caused it, says that the process got no more memory."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or getattr(seen, "errno", None) == errno.ENOMEM:
            return True
        if isinstance(seen, ImportError | RuntimeError | OSError) and _SAID.search(str(seen)):
            return True
        seen = seen.__cause__
    return False


def not_enough_memory(error: BaseException, doing: str | None = None) -> GlassbenchError:
    """Return the error to raise where memory ran out.

    Args:
        error: What was raised.
        doing: What went on, such as "the data set 'table' was reading its data".
    """
    return GlassbenchError(
        f"there is not enough memory{f' for this: {doing}' if doing else ''}",
        got=quoted(said(error))[:200],
        fix="give the process more (`ulimit -v`, the limit of its container), or the experiment fewer rows or a smaller model; "
        "a run that was begun goes on with `glassbench resume`",
    )
