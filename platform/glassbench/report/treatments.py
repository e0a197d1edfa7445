"""What was done while the data were read, in lines that a person reads at a glance."""

from collections.abc import Mapping, Sequence
from typing import Any

from glassbench.contracts.data import Treatment
from glassbench.errors import shorten

_SHOWN_COLUMNS = 12


def treatment_lines(treatments: Sequence[Mapping[str, Any] | Treatment]) -> tuple[tuple[str, str], ...]:
    """Return what was done and to which columns, one line for all columns that the same was done to.

    Args:
        treatments: Records of the data, or what `data.json` holds of them.

    Returns:
        The action and the words of each line, what was left out first.
    """
    grouped: dict[tuple[str, str], list[str]] = {}
    for one in treatments:
        content = vars(one) if isinstance(one, Treatment) else one
        columns = grouped.setdefault((str(content["action"]), str(content["sentence"])), [])
        columns += [str(content["column"])] if content.get("column") is not None else []
    lines = [(action, _words(sentence, columns)) for (action, sentence), columns in grouped.items()]
    return tuple(sorted(lines, key=lambda line: line[0] not in ("cleaned", "left out", "rows left out")))


def _words(sentence: str, columns: Sequence[str]) -> str:
    return f"{shorten(columns, _SHOWN_COLUMNS)}: {sentence}" if columns else sentence
