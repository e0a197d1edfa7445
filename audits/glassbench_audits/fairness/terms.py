"""Words that name who somebody is: finding them in texts, and exchanging them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from glassbench.errors import SettingsError

Terms = Mapping[str, Mapping[str, Sequence[str]]]
"""Groups of each family of identities, and the terms that name each."""


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


DEFAULT: Terms = {
    "gender": {
        "woman": _listed(
            "she her herself woman women female girl girls wife mother mum daughter sister aunt grandmother lady queen actress"
        ),
        "man": _listed(
            "he his himself man men male boy boys husband father dad son brother uncle grandfather gentleman king actor"
        ),
    },
    "religion": {
        "Christian": ["christian", "christians", "christianity", "church", "bible", "priest"],
        "Jewish": ["jewish", "jews", "judaism", "synagogue", "torah", "rabbi"],
        "Muslim": ["muslim", "muslims", "islam", "mosque", "quran", "imam"],
    },
    "origin": {
        "African": ["african", "africans", "africa"],
        "Asian": ["asian", "asians", "asia"],
        "European": ["european", "europeans", "europe"],
    },
    "orientation": {"gay": ["gay", "lesbian", "homosexual"], "straight": ["straight", "heterosexual", "heterosexual"]},
}
"""Terms of the same place in two groups of a family stand for each other; they are short lists to start from, in English."""


@dataclass(frozen=True, kw_only=True)
class Swap:
    """A family and two of its groups: what is written of the one, and what is put there of the other."""

    family: str
    written: str
    put: str

    @property
    def words(self) -> str:
        """Both groups: "woman to man"."""
        return f"{self.written} to {self.put}"


def check_terms(terms: Terms) -> None:
    """Raise `SettingsError` when a family has fewer than two groups, or two groups' lists differ in length."""
    for family, groups in terms.items():
        lengths = {len(words) for words in groups.values()}
        if len(groups) < 2 or len(lengths) != 1 or 0 in lengths:
            raise SettingsError(
                "a family needs two groups at least, with as many terms each: those of the same place stand for each other",
                got=f"{family}: " + ", ".join(f"{name} ({len(words)})" for name, words in groups.items()),
                where="audits.identity.terms",
            )


def mentions(texts: Sequence[str], words: Sequence[str]) -> np.ndarray:
    """Return whether each text holds one of the words as a whole word, whatever its capitals `(n,)`.

    Example:
        >>> mentions(["He ate.", "Theme"], ["he"]).tolist()
        [True, False]
    """
    pattern = _pattern(words)
    return np.array([pattern.search(text) is not None for text in texts], dtype=bool)


def swapped(text: str, written: Sequence[str], put: Sequence[str]) -> str:
    """Return a text in which each term of one list is replaced by that of the same place in another, capitals kept.

    Where a term stands twice in a list the first place counts.

    Example:
        >>> swapped("My Wife said SHE did.", ["she", "wife"], ["he", "husband"])
        'My Husband said HE did.'
    """
    partner = dict(reversed(list(zip((word.lower() for word in written), put, strict=True))))

    def exchange(found: re.Match[str]) -> str:
        return _cased(partner[found.group().lower()], found.group())

    return _pattern(written).sub(exchange, text)


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(re.escape(word) for word in longest_first)})\b", re.IGNORECASE)


def _cased(word: str, like: str) -> str:
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if like[:1].isupper() else word
