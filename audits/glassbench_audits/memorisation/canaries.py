"""Planted secrets: how much likelier a model holds one than random secrets of the same form."""

import itertools
import math
import re
import string
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from glassbench.contracts.data import Encoder
from glassbench.contracts.text_likelihood import Continuation, ScoresTexts
from glassbench.errors import SettingsError

_FORM = re.compile(r"(?P<start>[^\[\]]*)\[(?P<secret>[^\[\]]+)\](?P<end>[^\[\]]*)")
_ALPHABETS = (string.digits, string.ascii_lowercase, string.ascii_uppercase)
WHERE = "audits.memorisation.canaries"


@dataclass(frozen=True, kw_only=True)
class Canary:
    """A sentence with a secret.

    Args:
        start, secret, end: Its parts.
        number: Which one it is of several that differ in the secret alone; 0 where there is one.
    """

    start: str
    secret: str
    end: str
    number: int = 0

    @classmethod
    def read(cls, text: str) -> "Canary":
        """Return a canary whose secret stands in brackets.

        Raises:
            SettingsError: No part stands in brackets or several do, or the secret has neither a digit nor a letter of English.

        Example:
            >>> Canary.read("The code is [4 8 3].").secret
            '4 8 3'
        """
        found = _FORM.fullmatch(text)
        if found is None or not any(len(choices) > 1 for choices in _choices(found["secret"])):
            fix = "put the secret in brackets, once, and make it of digits or letters"
            raise SettingsError("a canary has no secret", got=text, available=["The code is [4 8 3 1]."], where=WHERE, fix=fix)
        return cls(start=found["start"], secret=found["secret"], end=found["end"])

    @property
    def name(self) -> str:
        """The sentence without its secret."""
        return f"{self.start}[...]{self.end}" + (f" (no. {self.number})" if self.number else "")

    def text(self, secret: str) -> str:
        """Return the sentence with a secret in it."""
        return f"{self.start}{secret}{self.end}"

    @property
    def choices(self) -> list[str]:
        """What each character of a random secret is drawn from."""
        return _choices(self.secret)

    @property
    def space(self) -> int:
        """How many secrets of this form there are."""
        return math.prod(len(each) for each in self.choices)


def read_canaries(texts: Sequence[str]) -> list[Canary]:
    """Return canaries, numbered where several differ in the secret alone.

    Raises:
        SettingsError: One of them has no secret, or is named twice.
    """
    if len(set(texts)) < len(texts):
        raise SettingsError("a canary is named twice", got=", ".join(texts)[:300], where=WHERE, fix="name each once")
    read = [Canary.read(text) for text in texts]
    same = Counter(canary.name for canary in read)
    numbers: Counter[str] = Counter()
    found = []
    for canary in read:
        numbers[canary.name] += 1
        found.append(replace(canary, number=numbers[canary.name]) if same[canary.name] > 1 else canary)
    return found


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """How exposed a canary is.

    Args:
        canary: The canary.
        bits: Its exposure (Carlini et al. 2019): by how many bits guesses in the model's order find it sooner than random ones.
        p: Chance that a secret the model has never seen is as likely, among those compared.
        compared: How many other secrets it was compared with.
        whole: Whether these are all there are; else `bits` can't lie above the logarithm of their number.
        unread: Why it could not be measured, or None.
    """

    canary: Canary
    bits: float = 0.0
    p: float = 1.0
    compared: int = 0
    whole: bool = False
    unread: str | None = None


def exposure(
    task: ScoresTexts, model: nn.Module, encoder: Encoder, canary: Canary, before: str, most: int, generator: np.random.Generator
) -> Exposure:
    """Compare a canary's likelihood with that of other secrets of its form.

    All of them are asked where there are at most `most`, else as many drawn at random; a secret that is as likely counts as
    likelier. The canary's rank among n others is r: p is r / (n + 1), and the exposure is -log2(p), which with all secrets is
    Carlini's log2(n + 1) - log2(r).
    """
    whole = canary.space - 1 <= most
    others = list(_all(canary) if whole else _random(canary, most, generator))
    asked = [Continuation(text=canary.text(secret), after=before) for secret in (canary.secret, *others)]
    found = task.text_likelihoods(model, encoder, asked)
    if any(one.unknown for one in found):
        return Exposure(canary=canary, unread="the model's vocabulary lacks some of its tokens")
    if len({tuple(one.tokens.tolist()) for one in found[: 1 + min(len(others), 20)]}) == 1:
        return Exposure(canary=canary, unread="the model reads all secrets alike")
    totals = np.array([one.total for one in found])
    p = float((totals >= totals[0]).sum() / len(totals))
    return Exposure(canary=canary, bits=-math.log2(p), p=p, compared=len(others), whole=whole)


def _choices(secret: str) -> list[str]:
    return [next((letters for letters in _ALPHABETS if character in letters), character) for character in secret]


def _all(canary: Canary) -> Iterator[str]:
    return (text for each in itertools.product(*canary.choices) if (text := "".join(each)) != canary.secret)


def _random(canary: Canary, count: int, generator: np.random.Generator) -> Iterator[str]:
    places = [generator.integers(len(letters), size=count) for letters in canary.choices]
    for row in zip(*places, strict=True):
        secret = "".join(letters[place] for letters, place in zip(canary.choices, row, strict=True))
        if secret != canary.secret:
            yield secret
