"""Names of classes and groups as a person writes them: `1.0` as it stands in a file is the class `1`."""

import re
from collections.abc import Collection, Sequence

from glassbench.errors import DataError, suggest

_WHOLE = re.compile(r"(-?)(\d+)\.0*")


def as_known(given: str, known: Collection[str]) -> str:
    """Return the known name that a given one stands for: itself, or the only one that is the same whole number.

    The name as it was given where none is known for it.

    Args:
        given: A name as a person wrote it.
        known: The names as they read.

    Example:
        >>> as_known("1.0", ["0", "1"]), as_known(" yes", ["no", "yes"]), as_known("1.0", ["1.0", "1"]), as_known("2", ["0", "1"])
        ('1', 'yes', '1.0', '2')
    """
    if given in known:
        return given
    same = [name for name in known if _plain(name) == _plain(given)]
    return same[0] if len(same) == 1 else given


def known_class(given: str, classes: Sequence[str], where: str) -> str:
    """Return the class that a given name stands for.

    Raises:
        DataError: There is no such class.
    """
    name = as_known(given, classes)
    if name not in classes:
        raise DataError(f"there is no class '{given}'", got=given, where=where, available=classes, fix=suggest(given, classes))
    return name


def _plain(name: str) -> str:
    """Return a whole number without its fraction of zeros, other names without blanks around them."""
    text = name.strip()
    whole = _WHOLE.fullmatch(text)
    return text if whole is None else f"{whole[1]}{whole[2]}"
