"""Numbers as people write them: signs, currencies, percent, thousands and decimal marks, digits of any script."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

Mark = Literal[".", ","]
Thousands = Literal["", ".", ",", " ", "'"]

MARKS_IN_NUMBERS = frozenset(
    [
        "",
        "?",
        "-",
        "--",
        "---",
        "–",
        "—",
        ".",
        "..",
        "...",
        "na",
        "n/a",
        "n.a.",
        "n.a",
        "nan",
        "#n/a",
        "#na",
        "<na>",
        "none",
        "null",
        "(null)",
        "nil",
        "n/d",
        "n.d.",
        "k.a.",
        "k. a.",
        "\\n",
        "-nan",
        "1.#ind",
    ]
)
"""Texts, in small letters, that stand for no value wherever a column holds numbers."""

_CODES = (
    "USD|EUR|GBP|CHF|JPY|CNY|RMB|INR|AUD|CAD|NZD|HKD|SGD|TWD|KRW|SEK|NOK|DKK|ISK|PLN|CZK|HUF|RON|BGN|RUB|UAH|TRY|ILS|ZAR|"
    "BRL|MXN|ARS|CLP|COP|PEN|THB|IDR|MYR|PHP|VND|AED|SAR|QAR|EGP|NGN|KES|PKR|BDT|LKR|NT\\$|[A-Z]{1,2}\\$|Rs\\.?|Fr\\.|kr\\.?|"
    "Kč|zł|Ft|руб\\.?|лв\\.?"
)
_SIGNS = "[$€£¥₹₽₩₺₴₦₫₪฿₡₱₲₵₸₮₼₾؋৳៛¢元円]"
_CURRENCY = rf"(?:{_CODES}|{_SIGNS})"
_NUMERAL = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[-+])?\s*(?P<currency>{_CURRENCY})?\s*(?P<sign2>[-+])?\s*"
    r"(?P<core>(?:\d|[.,](?=\d))[\d.,' ]*?(?:[eE][-+]?\d+)?)(?:[.,]--?)?"
    rf"\s*(?P<percent>%)?\s*(?P<currency2>{_CURRENCY})?\s*(?P<sign3>-)?\s*(?P<close>\))?",
    re.IGNORECASE,
)
_INFINITE = re.compile(r"([-+]?)(inf|infinity|∞)", re.IGNORECASE)
_MINUS, _QUOTES = "−–‐‑‒﹣－➖", "’‘ʼ＇´`"
_WRITTEN = {
    **{ord(sign): "-" for sign in _MINUS},
    **{ord(sign): "'" for sign in _QUOTES},
    **{ord(sign): "%" for sign in "％﹪٪"},
    **{ord("＋"): "+", ord("（"): "(", ord("）"): ")", ord("．"): ".", ord("，"): ",", ord("٫"): ".", ord("٬"): ","},
}


@dataclass(frozen=True, kw_only=True)
class Numeral:
    """A text that is written like a number.

    Args:
        negative: Whether a sign, before or after, or brackets around it say that it is below zero.
        core: Its digits and marks, an exponent perhaps; digits are ASCII.
        percent: Whether a percent sign follows.
        currency: The currency sign or code beside it; empty without one.
    """

    negative: bool
    core: str
    percent: bool
    currency: str


@dataclass(frozen=True, kw_only=True)
class Notation:
    """How the numbers of one column are written.

    Args:
        decimal: What stands before the fraction.
        thousands: What stands between groups of digits; empty where nothing does.
        percent: Whether a percent sign follows each number; 12 % reads as 12.
        currency: The currency sign or code that numbers may carry; empty for none.
    """

    decimal: Mark = "."
    thousands: Thousands = ""
    percent: bool = False
    currency: str = ""

    def value(self, text: str) -> float:
        """Return the number that a text stands for, NaN where it stands for none."""
        infinite = _INFINITE.fullmatch(plain(text))
        if infinite:
            return -np.inf if infinite[1] == "-" else np.inf
        written = numeral(text)
        return np.nan if written is None else self.read(written)

    def read(self, written: Numeral) -> float:
        """Return the value of a numeral, NaN where it is written in another way than this column."""
        zero = not written.core.strip("0.,")
        if written.percent is not self.percent and not (zero and self.percent):
            return np.nan
        if written.currency and written.currency != self.currency:
            return np.nan
        value = digits(written.core, self.decimal, self.thousands)
        return -value if written.negative else value


def plain(text: str) -> str:
    """Return a text with ASCII digits, signs and blanks in place of those of other scripts.

    Example:
        >>> plain("−１２\\u00a0٣")
        '-12 3'
    """
    return text if text.isascii() else "".join(map(_plain, text)).strip()


def numeral(text: str) -> Numeral | None:
    """Return what a text says as a number, or None where it is not written like one.

    Example:
        >>> numeral("(1.234,50 €)").core, numeral("see notes")
        ('1.234,50', None)
    """
    found = _NUMERAL.fullmatch(plain(text))
    if found is None:
        return None
    signs = [found[name] for name in ("sign", "sign2", "sign3") if found[name]]
    bracketed = found["open"] is not None
    currencies = [found[name] for name in ("currency", "currency2") if found[name]]
    if bracketed is not (found["close"] is not None) or len(signs) + bracketed > 1 or len(currencies) > 1:
        return None
    currency = currencies[0].upper() if currencies else ""
    return Numeral(negative=bracketed or signs == ["-"], core=found["core"], percent=bool(found["percent"]), currency=currency)


def digits(core: str, decimal: Mark, thousands: Thousands) -> float:
    """Return the value of digits and marks, NaN where they don't fit the marks."""
    if not _grammar(decimal, thousands).fullmatch(core):
        return np.nan
    bare = core.replace(thousands, "") if thousands else core
    return float(bare.replace(decimal, "."))


@cache
def _grammar(decimal: Mark, thousands: Thousands) -> re.Pattern[str]:
    mark, group = re.escape(decimal), re.escape(thousands)
    whole = rf"\d+|[1-9]\d{{0,2}}(?:{group}\d{{3}})+" if thousands else r"\d+"
    indian = r"|[1-9]\d?(?:,\d{2})+,\d{3}" if thousands == "," else ""
    return re.compile(rf"(?:(?:{whole}{indian})(?:{mark}\d*)?|{mark}\d+)(?:[eE][-+]?\d+)?")


def _plain(character: str) -> str:
    written = _WRITTEN.get(ord(character))
    if written is not None:
        return written
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Zs":
        return " "
    return "" if category == "Cf" else character
