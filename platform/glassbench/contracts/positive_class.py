"""Which of two classes rates speak of, and which outcomes are good for a person, where names tell."""

import re
from collections.abc import Sequence

from glassbench.contracts.schema import Target
from glassbench.contracts.spelled_names import as_known, known_class
from glassbench.errors import DataError, suggest

_NO = frozenset(
    {"0", "-1", "no", "n", "none", "false", "f", "negative", "neg", "absent"}
    | {"nein", "non", "nee", "nej", "nei", "nie", "não", "nao", "falsch", "faux", "falso"}
)

_GOOD = re.compile(
    "accept(ed|ance)?|admit(ted)?|admission|approv(e|ed|al)|award(ed)?|eligible|fund(ed)?|grant(ed)?|hir(e|ed|ing)|invited|offered|"
    "promot(ed|ion)|qualified|repaid|selected|shortlisted"
)
"""Words of class names that say that a person got something, or did what was hoped for."""

_BAD = re.compile("declined?|default(ed|er|s)?|den(y|ied|ial)|ineligible|refus(e|ed|al)|reject(ed|ion)?|unpaid|unqualified")
_NOT = frozenset({"no", "non", "not", "never", "without"})

_DIRECTIONS = ("higher", "lower")
"""What can be good of a value."""


def positive_class_by_name(names: Sequence[str]) -> str | None:
    """Return the positive one of two classes where the other is a plain no, None where their names do not tell.

    Args:
        names: The classes.

    Example:
        >>> [positive_class_by_name(names) for names in (["0", "1"], ["approve", "deny"], ["ja", "nein"])]
        ['1', None, 'ja']
    """
    others = [name for name in names if not _is_no(name)]
    return others[0] if len(names) == 2 and len(others) == 1 else None


def infer_positive_class(names: Sequence[str]) -> str | None:
    """Return the class that rates speak of where nobody named one: of two the one that names tell, else the last.

    Example:
        >>> infer_positive_class(["approved", "no"]), infer_positive_class(["ham", "spam"]), infer_positive_class(["a", "b", "c"])
        ('approved', 'spam', None)
    """
    return positive_class_by_name(names) or names[-1] if len(names) == 2 else None


def checked_positive(positive: str | None, classes: Sequence[str], *, where: str = "dataset.positive") -> str | None:
    """Return the class that rates speak of: the one that a person named, else the one that their names tell.

    Args:
        positive: The class as it was named, or None.
        classes: The target's classes.
        where: The setting, for the error.

    Raises:
        DataError: It is no class of the target.
    """
    return infer_positive_class(classes) if positive is None else known_class(positive, classes, where)


def _is_no(name: str) -> bool:
    lowered = name.strip().lower()
    return lowered in _NO or lowered.removesuffix(".0") in _NO


def favourable_classes(target: Target) -> tuple[str, ...]:
    """Return the classes that are good for a person: those named, else those whose names tell; none where they do not.

    Args:
        target: What is predicted.

    Example:
        >>> favourable_classes(Target(name="loan", kind="class", classes=("refused", "granted")))
        ('granted',)
        >>> favourable_classes(Target(name="default", kind="class", classes=("no", "yes")))
        ()
        >>> favourable_classes(Target(name="default", kind="class", classes=("no", "yes"), favourable="no"))
        ('no',)
    """
    if target.favourable is None:
        return _favourable_by_name(target.classes)
    return (target.favourable,) if isinstance(target.favourable, str) else target.favourable


def checked_favourable(
    favourable: str | Sequence[str] | None, classes: Sequence[str], *, where: str
) -> str | tuple[str, ...] | None:
    """Return what a person named as favourable once it fits the target.

    Args:
        favourable: One class, several, or `higher` or `lower` of a value; None where nothing was named.
        classes: The target's classes; none of a value.
        where: The setting, for the error.

    Raises:
        DataError: It is no class of the target, all of them are named, or a value's direction is another word.
    """
    if favourable is None:
        return None
    known = tuple(classes) or _DIRECTIONS
    names = tuple(as_known(name, known) for name in ((favourable,) if isinstance(favourable, str) else favourable))
    strange = [name for name in names if name not in known]
    if strange or not names:
        what = "there is no outcome" if classes else "a value is favourable in one direction, not"
        raise DataError(
            f"{what} '{strange[0] if strange else ''}'",
            where=where,
            got=", ".join(names) or "nothing",
            available=known,
            fix=suggest(strange[0], known) if strange else None,
        )
    if len(set(names)) == len(known):
        fix = "name those that are good for a person, such as being granted a loan"
        raise DataError("every outcome is named as favourable", where=where, got=", ".join(names), available=known, fix=fix)
    return names[0] if len(names) == 1 else names


def unknown_favourable(classes: Sequence[str]) -> str:
    """Return the sentence that says that nobody knows which outcome is good, and how to name it."""
    shown = " or ".join(classes[:3]) + (", ..." if len(classes) > 3 else "")
    return f"which outcome is good for a person ({shown}) is not known; the setting `favourable` names it"


def _favourable_by_name(names: Sequence[str]) -> tuple[str, ...]:
    said = [_is_good(name) for name in names]
    if len(names) == 2 and None in said and said != [None, None]:
        said = [(not said[1 - k]) if good is None else good for k, good in enumerate(said)]
    if None in said or len(set(said)) != 2:
        return ()
    return tuple(name for name, good in zip(names, said, strict=True) if good)


def _is_good(name: str) -> bool | None:
    """Whether a class's name says that it is good for a person or that it is bad; None where it says neither, or both."""
    words = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())
    said = {bool(_GOOD.fullmatch(word)) for word in words if _GOOD.fullmatch(word) or _BAD.fullmatch(word)}
    if len(said) != 1:
        return None
    return said.pop() != (sum(word in _NOT for word in words) % 2 == 1)
