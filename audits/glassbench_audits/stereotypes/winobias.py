"""Files in the form of WinoBias: numbered sentences with brackets, one file that stereotypes and one that does not."""

import re
from pathlib import Path

from glassbench.errors import DataError
from glassbench.storage.data_files import read_data_file
from glassbench_audits.stereotypes.pairs import Pair

_LINE = re.compile(r"\s*\d+\s+(?P<sentence>\S.*\[.+\].*)")
_BRACKETS = re.compile(r"\[([^\]]+)\]")
KIND = "gender"


def winobias(stereotyped: Path, other: Path, where: str) -> list[Pair]:
    """Return the pairs of two files whose lines belong together (Zhao et al. 2018).

    Pairs about one occupation, the first words in brackets, are of one template: a model's view of an occupation is shared by
    all sentences about it.

    Raises:
        DataError: A file cannot be read, a line is no sentence of that form, or the files have different numbers of lines.
    """
    more, less = (_sentences(path, where) for path in (stereotyped, other))
    if len(more) != len(less):
        got = f"{stereotyped.name}: {len(more)} lines, {other.name}: {len(less)} lines"
        raise DataError("the two files do not hold pairs", got=got, where=where, fix="give the files of one type and one part")
    return [
        Pair(kind=KIND, more=_plain(first), less=_plain(second), template=_BRACKETS.findall(first)[0].lower())
        for first, second in zip(more, less, strict=True)
    ]


def _sentences(path: Path, where: str) -> list[str]:
    try:
        lines = read_data_file(path, where).decode().splitlines()
    except UnicodeDecodeError as error:
        raise DataError("the file is no text", got=f"{path.name}: {error}"[:200], where=where, fix="save it as UTF-8") from error
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        matched = _LINE.fullmatch(line)
        if matched is None:
            raise DataError(
                "a line is not in the form of WinoBias",
                got=line[:120],
                available=["1 [The developer] argued with the designer because [she] did not like the design."],
                where=f"{where}: {path.name}, line {number}",
            )
        found.append(matched["sentence"].strip())
    return found


def _plain(sentence: str) -> str:
    return _BRACKETS.sub(r"\1", sentence)
