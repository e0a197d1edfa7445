"""Python functions in running text: where they begin, where they end, and whether they can be parsed."""

import ast
import re
import textwrap
import warnings

HEADER = re.compile(r"^[ \t]*(?:async )?def \w+\([^\n]*\)(?: ->[^\n]*)?:\n", re.MULTILINE)
"""The line that a function begins with."""


def headers(text: str) -> list[tuple[int, int]]:
    """Return where headers of functions begin and end in a text.

    Example:
        >>> headers("x = 1\\ndef f(a):\\n    return a\\n")
        [(6, 16)]
    """
    return [found.span() for found in HEADER.finditer(text)]


def function_of(text: str, whole: bool = False) -> tuple[str, bool]:
    """Return the function that a text begins with, without its indentation, and whether it ends within the text.

    It ends before the first line that is indented no deeper. Where the text breaks off inside the function, its last line is left
    out, since the rest of it is not known.

    Args:
        text: A header and what follows it.
        whole: Whether the function ends where the text does.

    Example:
        >>> function_of("  def f(a):\\n    b = a\\n\\n    return b\\n  c = 1\\n  d")
        ('def f(a):\\n  b = a\\n\\n  return b\\n', True)
    """
    lines = text.splitlines(keepends=True)
    depth = _depth(lines[0])
    kept = [lines[0]]
    for line in lines[1:]:
        if line.strip() and _depth(line) <= depth:
            return _cut(kept), True
        kept.append(line)
    return _cut(kept if whole or len(kept) == 1 else kept[:-1]), whole


def parses(text: str, ended: bool) -> bool | None:
    """Return whether Python's own parser takes a function for source code; None where it breaks off and nobody can tell.

    A syntax tree is built; nothing is compiled or run.

    Args:
        text: The function.
        ended: Whether it is known to its end.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a string is a warning to whoever wrote it
            ast.parse(text)
    except SyntaxError as error:
        open_ended = any(words in str(error.msg) for words in _UNFINISHED)
        return None if open_ended and not ended else False
    except (ValueError, RecursionError, MemoryError):  # null characters, and brackets without end
        return False
    return True


_UNFINISHED = (
    "was never closed",
    "unterminated triple-quoted",
    "expected an indented block",
    "unexpected EOF",
    "expected 'except'",
)
"""What the parser says of a text that may still go on rightly."""


def _depth(line: str) -> int:
    expanded = line.expandtabs()
    return len(expanded) - len(expanded.lstrip())


def _cut(lines: list[str]) -> str:
    while len(lines) > 1 and not lines[-1].strip():
        lines = lines[:-1]
    return textwrap.dedent("".join(lines))
