"""Names of classes in a line of words."""

from collections.abc import Sequence

_SHOWN = 6


def named_classes(classes: Sequence[str]) -> str:
    """Return the classes in words, six at most by name.

    Example:
        >>> named_classes(["slow", "fast"]), named_classes(list("abcdefgh"))
        ('slow or fast', 'a, b, c, d, e or 3 others')
    """
    shown = list(classes) if len(classes) <= _SHOWN else [*classes[: _SHOWN - 1], f"{len(classes) - _SHOWN + 1} others"]
    return " or ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
