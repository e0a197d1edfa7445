"""Jinja templates of the report, with the style sheet and the script inlined and a policy that allows nothing else."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from glassbench.printable import plural, printable
from glassbench.report import numbers, wording

_OTHER = re.compile(r"[^a-z0-9]+")
_CODE = re.compile(r"(<(?:script|style|pre|code)\b.*?</(?:script|style|pre|code)>)", re.DOTALL)
_WRITTEN = re.compile(r"[^\W_]+(?:_[^\W_]+)+")
"""A name of several words joined by underscores."""
_TAG = re.compile(r"(<[^>]*>)")
_PERCENT = re.compile(r"(?<=\d) %")
_NEGATIVE = re.compile(r"(?<![^\s(\[])-(?=\d)")


def render(template: str, **content: Any) -> str:
    """Return a page of `templates/`, everything in it escaped unless it is `Markup` already, and nothing in it unprintable."""
    return _typeset(printable(_environment().get_template(template).render(**content)))


def _typeset(page: str) -> str:
    """Return a page with no line break between a number and its per cent sign, and with minus signs before negative numbers.

    Scripts, styles, code and the attributes of tags stay as they are.
    """
    return _on_text(page, lambda text: _NEGATIVE.sub("\u2212", _PERCENT.sub("\u00a0%", text)))


def with_spoken_names(page: str, names: Iterable[str]) -> str:
    """Return a page on which names of columns stand as words: "age band" for `age_band`.

    Scripts, styles, code and the attributes of tags stay as they are, so that a name can be looked up.

    Args:
        page: The page.
        names: The names of columns.
    """
    written = sorted({name for name in names if _WRITTEN.fullmatch(name)}, key=len, reverse=True)
    if not written:
        return page
    known = re.compile(rf"(?<![\w./])(?:{'|'.join(map(re.escape, written))})(?![\w/])")
    return _on_text(page, lambda text: known.sub(lambda found: found[0].replace("_", " "), text))


def _on_text(page: str, change: Callable[[str], str]) -> str:
    """Return a page with its texts changed, apart from scripts, styles, code and the attributes of tags."""
    parts = _CODE.split(page)
    return "".join(part if place % 2 else _on_part(part, change) for place, part in enumerate(parts))


def _on_part(page: str, change: Callable[[str], str]) -> str:
    return "".join(part if place % 2 else change(part) for place, part in enumerate(_TAG.split(page)))


def slugs(names: Iterable[str], prefix: str) -> dict[str, str]:
    """Return an id for each name, unique and made of letters, digits and hyphens.

    Example:
        >>> slugs(["a b", "a/b"], "audit")
        {'a b': 'audit-a-b', 'a/b': 'audit-a-b-2'}
    """
    taken: dict[str, str] = {}
    for name in names:
        base = f"{prefix}-{_OTHER.sub('-', name.lower()).strip('-') or 'x'}"
        slug, count = base, 1
        while slug in taken.values():
            count += 1
            slug = f"{base}-{count}"
        taken[name] = slug
    return taken


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("glassbench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["outcome"] = wording.outcome_words
    script, explore = asset("page.js"), asset("explore.js")
    environment.globals |= {
        "style": Markup(asset("page.css")),
        "summary_style": Markup(asset("summary.css")),
        "explore_style": Markup(asset("explore.css")),
        "script": Markup(script),
        "explore_script": Markup(explore),
        "policy": _policy(script, explore),
        "symbols": wording.SYMBOLS,
    }
    environment.filters |= {
        "number": numbers.number,
        "measured": numbers.measured,
        "plural": plural,
        "cited": wording.cited,
    }
    return environment


def asset(name: str) -> str:
    """Return a style sheet or script of `templates/`."""
    return (files("glassbench.report") / "templates" / name).read_text(encoding="utf-8")


def _policy(*scripts: str) -> str:
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    scripts_allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    allowed = ("style-src 'unsafe-inline'", "img-src data:", f"script-src {scripts_allowed}")
    return "; ".join(["default-src 'none'", *allowed, "base-uri 'none'", "form-action 'none'"])
