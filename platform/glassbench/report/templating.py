"""Jinja templates of the report, with the style sheet and the script inlined and a policy that allows nothing else."""

import base64
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from glassbench.printable import plural, printable
from glassbench.report import numbers, wording

_OTHER = re.compile(r"[^a-z0-9]+")
_CODE = re.compile(r"(<(?:script|style|pre)\b.*?</(?:script|style|pre)>)", re.DOTALL)
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
    parts = _CODE.split(page)
    return "".join(part if place % 2 else _typeset_text(part) for place, part in enumerate(parts))


def _typeset_text(page: str) -> str:
    parts = _TAG.split(page)
    return "".join(
        part if place % 2 else _NEGATIVE.sub("\u2212", _PERCENT.sub("\u00a0%", part)) for place, part in enumerate(parts)
    )


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
