"""Which of two classes rates speak of, where their names tell."""

from collections.abc import Sequence

_NO = frozenset({"0", "-1", "no", "n", "none", "false", "f", "negative", "neg", "absent"})


def told_by_names(names: Sequence[str]) -> str | None:
    """Return the positive one of two classes where the other is a plain no, None where their names do not tell.

    Args:
        names: The classes.

    Example:
        >>> told_by_names(["0", "1"]), told_by_names(["approved", "no"]), told_by_names(["approve", "deny"])
        ('1', 'approved', None)
    """
    others = [name for name in names if not _is_no(name)]
    return others[0] if len(names) == 2 and len(others) == 1 else None


def presumed(names: Sequence[str]) -> str | None:
    """Return the class that rates speak of where nobody named one: of two the one that names tell, else the last.

    Example:
        >>> presumed(["approved", "no"]), presumed(["ham", "spam"]), presumed(["a", "b", "c"])
        ('approved', 'spam', None)
    """
    return told_by_names(names) or names[-1] if len(names) == 2 else None


def _is_no(name: str) -> bool:
    lowered = name.strip().lower()
    return lowered in _NO or lowered.removesuffix(".0") in _NO
