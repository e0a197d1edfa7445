"""What a column may be for, from its name and what it holds."""

import re
from collections.abc import Sequence

import numpy as np

from glassbench.experiments.inspection import ColumnFacts

_TARGET = re.compile(
    r"target|label|class|y|outcome|response|result|decision|default.*|.*default|approved?|granted|denied|deny|churn(ed)?|"
    r"survived|readmitted|.*recid.*|fraud|passed?(_bar)?|income|bad|good|credit_?risk|subscribed|diagnosis|repaid",
    re.IGNORECASE,
)
_SENSITIVE = frozenset(
    {"sex", "gender", "male", "female", "race", "ethnic", "ethnicity", "age", "religion", "nationality", "citizenship", "foreign"}
    | {
        "disability",
        "disabled",
        "marital",
        "marriage",
        "colour",
        "color",
        "pregnant",
        "pregnancy",
        "veteran",
        "minority",
        "native",
    }
    | {"black", "white", "hispanic", "hispan", "latino", "asian", "afam"}
    | {"birth", "language", "caste", "geschlecht", "alter", "sexe", "sexo"}
    | {"agep", "rac"}
)
_SENSITIVE_CODED = re.compile(
    "(race|gender|sex|ethnicity|religion|nationality|citizen|disability|marital|age)(txt|text|code|cd|cat|group|grp|band)s?"
)
"""A sensitive word with what programs put behind it: racetxt, agegroup."""
_PERSON = frozenset(
    {"person", "patient", "customer", "client", "user", "subject", "applicant", "member", "employee", "student", "household"}
    | {"participant", "driver", "borrower", "account", "ssn", "mrn", "kunde", "kunden", "kundennr"}
)
_NUMBERED = frozenset({"id", "ids", "nr", "no", "num", "number", "nbr", "key", "code", "uuid", "guid"})
_CODED = frozenset({"id", "code", "cd", "type", "category", "kind", "class"})
_MOST_CLASSES, _MOST_CODES = 10, 100


def looks_like(column: ColumnFacts, rows: int, *, is_last: bool) -> tuple[str, ...]:
    """Return what a column may be for: a target, an identifier, a date, a sensitive feature.

    Args:
        column: The column.
        rows: How many rows the table has.
        is_last: Whether it is the last column of a table where none is called as targets are.
    """
    found = []
    few = 2 <= column.distinct <= _MOST_CLASSES
    if named_target(column) or (column.kind in ("number", "category") and is_last and few):
        found.append("target")
    if column.kind == "identifier" or (column.kind == "text" and column.distinct == rows):
        found.append("identifier")
    if column.kind == "date":
        found.append("date")
    if column.kind in ("number", "category") and any(map(_is_sensitive, words(column.name))):
        found.append("sensitive feature")
    return tuple(found)


def only_binary(columns: Sequence[ColumnFacts]) -> str | None:
    """Return the only column of two values that does not look sensitive, None where there is none or there are several."""
    names = [
        c.name
        for c in columns
        if c.kind in ("number", "category") and c.distinct == 2 and "sensitive feature" not in c.looks_like
    ]
    return names[0] if len(names) == 1 else None


def codes_like(column: ColumnFacts, rows: int) -> bool:
    """Whether a column of numbers is called as codes are, and its few values recur: numbers that say which, not how much."""
    named = set(words(column.name)) & _CODED
    return column.kind == "number" and bool(named) and 2 < column.distinct <= _MOST_CODES and column.distinct * 10 < rows


def _is_sensitive(word: str) -> bool:
    return word in _SENSITIVE or _SENSITIVE_CODED.fullmatch(word) is not None


def named_target(column: ColumnFacts) -> bool:
    """Whether a column is called as targets are."""
    return column.kind in ("number", "category") and _TARGET.fullmatch(column.name.strip()) is not None


def person_like(column: ColumnFacts, rows: int) -> bool:
    """Whether a column numbers persons who have several rows: named so, with many values that repeat."""
    named = set(words(column.name))
    numbers = bool(named & _NUMBERED) and (bool(named & _PERSON) or named <= _NUMBERED)
    present = rows - column.missing
    return (numbers or named <= _PERSON) and bool(named) and present / 20 < column.distinct < present


def words(name: str) -> list[str]:
    """Return the words of a column's name in small letters.

    Example:
        >>> words("patientNbr"), words("native-country")
        (['patient', 'nbr'], ['native', 'country'])
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[^A-Za-z]+", apart.lower()) if word]


def bands_of(values: np.ndarray) -> tuple[float, ...]:
    """Return bounds that cut a number into three bands of about equal size, whole where the numbers are."""
    given = np.sort(values[~np.isnan(values)])
    if np.count_nonzero(given[1:] != given[:-1]) < _MOST_CLASSES:
        return ()
    bounds = np.interp([(len(given) - 1) / 3, 2 * (len(given) - 1) / 3], np.arange(len(given)), given)
    whole = bool((given % 1 == 0).all())
    rounded = [float(round(bound)) if whole else float(f"{bound:.3g}") for bound in bounds]
    return tuple(rounded) if rounded[0] < rounded[1] else ()
