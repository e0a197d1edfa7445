"""Environment variables that a library reads, set while it works and put back."""

import contextlib
import os
from collections.abc import Iterator, Mapping


@contextlib.contextmanager
def library_environment(wanted: Mapping[str, str]) -> Iterator[None]:
    """Set variables that nobody set while a library works; afterwards the environment is as it was.

    Args:
        wanted: Variables and their values; one that is set already keeps its value.
    """
    before = dict(os.environ)
    os.environ.update({name: value for name, value in wanted.items() if name not in before})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
