"""What one audit found, as a notebook shows it, and measures as a frame."""

from collections.abc import Sequence
from textwrap import shorten
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from glassbench.stats.grade import GRAVITY

if TYPE_CHECKING:
    from glassbench.contracts.evidence import AuditResult, Measure

_FINDINGS = 6
_MEASURES = 20
_LONGEST = 400
_ITEM = Markup("<li><b>{}</b>: {}</li>")

_COLUMNS = (
    *("name", "by", "group", "value", "low", "high", "level", "n"),
    *("unit", "higher_is_better", "undefined", "unsupported", "not_judged"),
)


def measures_frame(measures: Sequence["Measure"]) -> pd.DataFrame:
    """Return measures as a frame, a row each: name, features and group, value with interval, and why there is none."""
    rows = [{**vars(m), "by": None if m.by is None else ", ".join(m.by), "group": _group(m)} for m in measures]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def result_html(result: "AuditResult") -> str:
    """Return what one audit found as a small piece of HTML: its grade, the gravest findings, and measures over all rows."""
    state = result.error or result.not_applicable or result.grade
    findings = sorted(result.findings, key=lambda f: (-GRAVITY[f.grade], -f.weight))[:_FINDINGS]
    items = Markup("").join(_ITEM.format(f.grade, shorten(f.sentence, _LONGEST, placeholder=" …")) for f in findings)
    shown = [m for m in result.measures if m.by is None and m.value is not None][:_MEASURES]
    rows = Markup("").join(Markup("<tr><td>{}</td><td>{}</td></tr>").format(m.name, _number(m)) for m in shown)
    heads = Markup('<thead><tr><th scope="col">measure</th><th scope="col">value [interval]</th></tr></thead>')
    table = Markup("<table>{}<tbody>{}</tbody></table>").format(heads, rows) if shown else ""
    body = Markup("<h4>{}: {}</h4><ul>{}</ul>{}").format(result.audit, state, items, table)
    return str(Markup('<div class="glassbench-audit">{}</div>').format(body))


def _number(measure: "Measure") -> str:
    interval = "" if measure.low is None or measure.high is None else f" [{measure.low:.3g}, {measure.high:.3g}]"
    return f"{measure.value:.3g}{interval}" + (f" {measure.unit}" if measure.unit else "")


def _group(measure: "Measure") -> str | None:
    return None if measure.group is None else ", ".join(f"{feature}={value}" for feature, value in measure.group.items())
