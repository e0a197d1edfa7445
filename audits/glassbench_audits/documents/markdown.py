"""Markdown in which nothing that comes from data or settings can mean anything."""

from collections.abc import Iterable, Sequence

_SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>#|!~&"})


def escaped(text: str) -> str:
    """Return a text on one line, every character that Markdown or HTML would read as markup marked as plain.

    Example:
        >>> escaped("<b>a|b</b>")
        '\\\\<b\\\\>a\\\\|b\\\\</b\\\\>'
    """
    return " ".join(text.split()).translate(_SPECIAL)


def listed(items: Iterable[str]) -> str | None:
    """Return sentences as a list, or None where there are none."""
    return "\n".join(f"- {escaped(item)}" for item in items) or None


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str | None:
    """Return a table, or None where it has no rows."""
    lines = ["| " + " | ".join(escaped(str(cell)) for cell in row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *lines]) if lines else None
