"""Limits that a person may set in the environment."""

import os


def given_limit(variable: str) -> int | None:
    """Return the whole number that an environment variable holds; None where it is not set, or holds something else.

    Example:
        >>> given_limit("GLASSBENCH_NOT_SET") is None
        True
    """
    given = os.environ.get(variable, "")
    return int(given) if given.isdecimal() else None
