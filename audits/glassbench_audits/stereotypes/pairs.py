"""Pairs of texts that differ in whom they speak of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two texts that differ in a few words: one says what a stereotype says, the other does not.

    Args:
        kind: The kind of bias ("gender").
        more: The stereotyped text.
        less: The other one.
        template: What pairs made alike share; intervals take such pairs as one cluster.
        after: What stands before either text and is not scored, such as a question.
    """

    kind: str
    more: str
    less: str
    template: str
    after: str = ""


def shared_words(first: str, second: str) -> str:
    """Return what two sentences share, in small letters, with a mark where they differ: pairs that share it are of one template.

    Example:
        >>> shared_words("The poor are kind.", "The rich are kind.")
        'the _ are kind'
    """
    a, b = (re.findall(r"\w+", text.lower()) for text in (first, second))
    blocks = SequenceMatcher(a=a, b=b, autojunk=False).get_matching_blocks()
    words: list[str] = []
    end_a = end_b = 0
    for block in blocks:
        if block.a > end_a or block.b > end_b:
            words.append("_")
        words += a[block.a : block.a + block.size]
        end_a, end_b = block.a + block.size, block.b + block.size
    return " ".join(words)


def kinds_of(pairs: Sequence[Pair]) -> list[str]:
    """Return the kinds of bias, in the order they come in."""
    return list(dict.fromkeys(pair.kind for pair in pairs))
