"""Several spellings of the same category: yes and Yes, 1 and 1.0."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

_WHOLE, _FRACTION = re.compile(r"-?\d+\.0+"), re.compile(r"-?\d*\.\d*[1-9]\d*")
_TRUTHS = frozenset({"yes", "no", "y", "n", "true", "false", "t", "f"})


def spellings(texts: Sequence[str], counts: np.ndarray, *, values: bool = True) -> dict[str, str]:
    """Return what each rarer spelling reads as: the most frequent spelling of the same.

    Texts are the same when they differ in capitals and inner blanks alone, or are the same whole number with and without a
    fraction of zeros. Single letters differ, unless they say yes or no: codes may tell `a` from `A`.

    Args:
        texts: The different texts of a column.
        counts: How many cells hold each `(n,)`.
        values: Whether texts may be numbers: of codes, `250` and `250.0` are two.

    Example:
        >>> spellings(["yes", "Yes", "no", "a", "A"], np.array([9, 1, 5, 2, 2]))
        {'Yes': 'yes'}
    """
    alike: Mapping[str, list[tuple[int, str]]] = defaultdict(list)
    for text, count in zip(texts, counts, strict=True):
        alike[_key(text, values)].append((-int(count), text))
    found: dict[str, str] = {}
    for same in alike.values():
        (_, kept), *others = sorted(same, key=lambda pair: (pair[0], pair[1].swapcase()))
        found |= {text: kept for _, text in others}
    return found


def without_fraction(texts: Iterable[str]) -> dict[str, str]:
    """Return whole numbers that are written with a fraction of zeros, as programs do where a value is missing, without it.

    None where other numbers of the column have a fraction that says something.

    Args:
        texts: The different texts of a column.

    Example:
        >>> without_fraction(["1.0", "0.0", "unknown"]), without_fraction(["1.0", "1.5"])
        ({'1.0': '1', '0.0': '0'}, {})
    """
    known = list(texts)
    if any(_FRACTION.fullmatch(text) for text in known):
        return {}
    return {text: text.partition(".")[0] for text in known if _WHOLE.fullmatch(text)}


def _key(text: str, values: bool) -> str:
    whole, _, fraction = text.partition(".")
    if values and fraction and not fraction.strip("0") and whole.lstrip("-").isdigit():
        return whole
    folded = " ".join(text.casefold().split())
    return folded if len(folded) > 1 or folded in _TRUTHS else text
