"""Single decisions as cards: contributions as bars, text as shaded tokens, images and signals as pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

from glassbench.contracts.exhibits import Case, Part, Table, Token
from glassbench.report.figures import DrawnChart, Image, drawn_charts, images
from glassbench.report.grid import Grid, grid
from glassbench.report.numbers import signed

_SHOWN_PARTS = 10
_DEEPEST_SHADE = 40


@dataclass(frozen=True)
class Bar:
    """A contribution as a bar from the middle, widths in percent of half the track, and in words."""

    part: Part
    words: str
    left: float
    right: float


@dataclass(frozen=True)
class Shade:
    """A token with the strength of its shade in percent, and its contribution in words; both empty where it takes no part."""

    text: str
    strength: float = 0.0
    words: str = ""

    @property
    def side(self) -> str:
        """Which way it pushes, the class of its shade."""
        return "" if not self.words else "against" if self.words.startswith("\u2212") else "towards"


@dataclass(frozen=True)
class Card:
    """A single decision.

    Args:
        case: What is shown.
        shown, others: Its strongest contributions, and those behind a fold.
        shades, tokens: Its text, shaded, and the same as a table.
        images, charts: Its image or signal.
    """

    case: Case
    shown: tuple[Bar, ...]
    others: tuple[Bar, ...]
    shades: tuple[Shade, ...]
    tokens: Grid | None
    images: tuple[Image, ...]
    charts: tuple[DrawnChart, ...]


def card(case: Case, uid: str, allowed: int) -> Card:
    """Return a case as a card.

    Args:
        case: The decision.
        uid: Prefix for the ids in it, unique within the page.
        allowed: Characters of base64 that an image may take.
    """
    bars = _bars(case.parts)
    return Card(
        case=case,
        shown=bars[:_SHOWN_PARTS],
        others=bars[_SHOWN_PARTS:],
        shades=_shades(case.tokens),
        tokens=_token_table(case.tokens) if case.tokens else None,
        images=images(case.pictures, allowed),
        charts=drawn_charts(case.charts, uid),
    )


def _bars(parts: Sequence[Part]) -> tuple[Bar, ...]:
    longest = max((abs(part.contribution) for part in parts), default=0.0)
    words = signed([part.contribution for part in parts])
    return tuple(_bar(part, text, longest) for part, text in zip(parts, words, strict=True))


def _bar(part: Part, words: str, longest: float) -> Bar:
    share = round(100 * abs(part.contribution) / longest, 1) if longest else 0.0
    return Bar(part, words, share, 0.0) if part.contribution < 0 else Bar(part, words, 0.0, share)


def _shades(tokens: Sequence[Token]) -> tuple[Shade, ...]:
    known = [token.contribution for token in tokens if token.contribution is not None]
    largest = max(map(abs, known), default=0.0) or 1.0
    words = iter(signed(known))
    return tuple(
        Shade(token.text)
        if token.contribution is None
        else Shade(token.text, round(_DEEPEST_SHADE * abs(token.contribution) / largest, 1), next(words))
        for token in tokens
    )


def _token_table(tokens: Sequence[Token]) -> Grid:
    rows = tuple((token.text.strip() or token.text, token.contribution) for token in tokens)
    return grid(Table(title="Contribution of each piece", columns=("piece", "contribution"), rows=rows))
