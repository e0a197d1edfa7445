"""Paths below a home folder, which hold a person's name, written with `~`."""

import re
from pathlib import Path
from typing import Any

_END = r"(?=$|[/\\\s'\",;:)\]}>])"
_ANYONE = re.compile(rf"(?<![\w.~])(?:/(?:home|Users)/[^/\s'\",;:)\]}}>]+|/root|[A-Za-z]:\\Users\\[^\\\s'\",;]+){_END}")
_PICTURES = "png"


def without_home(content: Any) -> Any:
    """Return plain values with every path below a home folder written with `~`; pictures stay as they are.

    Example:
        >>> without_home({"path": "/home/ada/rows.csv"})
        {'path': '~/rows.csv'}
    """
    return _replaced(content, _own())


def _own() -> re.Pattern[str]:
    """What finds the home folder of whoever runs this, wherever it is, and usual ones of others."""
    try:
        own = str(Path.home())
    except RuntimeError:
        return _ANYONE
    return re.compile(rf"(?<![\w.~]){re.escape(own)}{_END}|{_ANYONE.pattern}") if len(Path(own).parts) > 1 else _ANYONE


def _replaced(content: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(content, str):
        return pattern.sub("~", content)
    if isinstance(content, dict):
        return {key: value if key == _PICTURES else _replaced(value, pattern) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return type(content)(_replaced(value, pattern) for value in content)
    return content
