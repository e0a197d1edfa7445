"""Pairs from files, in one of three formats."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from glassbench.errors import DataError
from glassbench_audits.stereotypes.bbq import bbq
from glassbench_audits.stereotypes.crows_pairs import crows_pairs
from glassbench_audits.stereotypes.embedded import embedded_pairs
from glassbench_audits.stereotypes.pairs import Pair, kinds_of
from glassbench_audits.stereotypes.winobias import winobias

Form = Literal["detected", "crows-pairs", "winobias", "bbq"]
WHERE = "audits.stereotypes.path"


def read_pairs(path: str | tuple[str, ...] | None, form: Form, kinds: Sequence[str]) -> list[Pair]:
    """Return the pairs of a file, or those that this project wrote where none is given.

    Args:
        path: The file; of WinoBias two, the stereotyped one first.
        form: Its format; `detected` takes two files for WinoBias, `.jsonl` for BBQ, and anything else for CrowS-Pairs.
        kinds: The kinds of bias that are kept; empty for all.

    Raises:
        DataError: A file is not in its format, both sentences of a pair are equal, or a kind is not among them.
    """
    files = [Path(each).expanduser() for each in ((path,) if isinstance(path, str) else path or ())]
    pairs = _read(files, form) if files else embedded_pairs()
    for number, pair in enumerate(pairs, start=1):
        if pair.more == pair.less:
            fix = "leave the pair out, or give the sentence that says the same of another group"
            raise DataError("both sentences of a pair are equal", got=pair.more[:200], where=f"{WHERE}, pair {number}", fix=fix)
    if missing := [kind for kind in kinds if kind not in kinds_of(pairs)]:
        where = "audits.stereotypes.kinds"
        raise DataError("there is no such kind of bias", got=missing[0], available=kinds_of(pairs), where=where)
    return [pair for pair in pairs if not kinds or pair.kind in kinds]


def _read(files: list[Path], form: Form) -> list[Pair]:
    found = _detected(files) if form == "detected" else form
    if len(files) != (needed := 2 if found == "winobias" else 1):
        fix = "of WinoBias give two files, the stereotyped one first; of the other formats one"
        raise DataError(f"the format {found} needs {needed}", got=f"{len(files)} files", where=WHERE, fix=fix)
    if found == "winobias":
        return winobias(files[0], files[1], WHERE)
    return bbq(files[0], WHERE) if found == "bbq" else crows_pairs(files[0], WHERE)


def _detected(files: list[Path]) -> Form:
    if len(files) == 2:
        return "winobias"
    return "bbq" if ".jsonl" in files[0].suffixes else "crows-pairs"
