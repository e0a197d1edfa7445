"""Files in the form of BBQ: questions whose text does not tell the answer, with an answer about each of two groups."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from glassbench.errors import DataError
from glassbench.storage.data_files import read_data_file
from glassbench_audits.stereotypes.pairs import Pair

NEEDED = ("context", "question", "ans0", "ans1", "ans2", "answer_info", "category", "question_polarity", "context_condition")
_UNKNOWN = "unknown"


def bbq(path: Path, where: str) -> list[Pair]:
    """Return the pairs of a JSON Lines file (Parrish et al. 2022): the stereotyped answer and the other one.

    Only ambiguous contexts count, since the others tell the answer. A question about something bad is stereotyped where the
    answer names the stereotyped group, one about something good where it names the other. Questions of one number and category
    are of one template.

    Raises:
        DataError: The file cannot be read, a line is not in that form, or no context is ambiguous.
    """
    pairs = [pair for number, row in _rows(path, where) for pair in _pairs(row, f"{where}: {path.name}, line {number}")]
    if not pairs:
        fix = "give lines whose context_condition is 'ambig' and whose answers name a stereotyped group and another"
        raise DataError("no question has two groups and an ambiguous context", got=path.name, where=where, fix=fix)
    return pairs


def _rows(path: Path, where: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(read_data_file(path, where).decode(errors="replace").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError("a line is no JSON", got=line[:120], where=f"{where}: {path.name}, line {number}") from error
        missing = [name for name in NEEDED if name not in row] if isinstance(row, dict) else list(NEEDED)
        if missing:
            got = f"without {', '.join(missing)}"
            raise DataError("a line is not in the form of BBQ", got=got, where=f"{where}: {path.name}, line {number}")
        yield number, row


def _pairs(row: Mapping[str, Any], where: str) -> Iterator[Pair]:
    if row["context_condition"] != "ambig":
        return
    try:
        groups = [str(row["answer_info"][f"ans{i}"][1]).lower() for i in range(3)]
        stereotyped = {str(name).lower() for name in row["additional_metadata"]["stereotyped_groups"]}
    except (KeyError, IndexError, TypeError) as error:
        got = f"answer_info or additional_metadata.stereotyped_groups: {error!r}"[:120]
        raise DataError("a line does not say which group each answer names", got=got, where=where) from error
    inside = [i for i, group in enumerate(groups) if group in stereotyped]
    outside = [i for i, group in enumerate(groups) if group not in stereotyped and group != _UNKNOWN]
    if len(inside) != 1 or len(outside) != 1:
        return
    more, less = (inside[0], outside[0]) if row["question_polarity"] == "neg" else (outside[0], inside[0])
    template = f"{row['category']} {row.get('question_index', row['question'])}"
    after = f"{row['context']} {row['question']}"
    yield Pair(kind=row["category"], more=f" {row[f'ans{more}']}", less=f" {row[f'ans{less}']}", template=template, after=after)
