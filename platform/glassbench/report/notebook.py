"""A run as a notebook shows it: its first screen, and charts of its measures."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any

import altair as alt
import pandas as pd
from markupsafe import Markup, escape

from glassbench.contracts.evidence import AuditResult, Measure
from glassbench.errors import GlassbenchError, suggest
from glassbench.printable import printable
from glassbench.report.headline import gravity, headline
from glassbench.report.record import read_record
from glassbench.report.templating import slugs
from glassbench.report.wording import SYMBOLS, measure_words, outcome_words, scope_words

_FINDINGS = 3
_LONGEST = 400
_ITEM = Markup("<li><b>{}</b>: {}</li>")
_GATES = 20
_MOST = 60


def run_html(folder: Path) -> str:
    """Return the first screen of a finished run as a small piece of HTML: verdict, gates, what matters most.

    Raises:
        RunError: The folder is no run folder or a file in it cannot be read.
    """
    record = read_record(folder)
    head = headline(record, slugs((result.audit for result in record.audits), "audit"))
    gates = [(gate.words, "; ".join(gate.values), _verdict(gate.verdict)) for gate in head.gates[:_GATES]]
    parts = [
        Markup("<h4>{}: {}</h4><p>{} {}</p>").format(printable(head.name), _verdict(head.verdict), head.sentence, head.subject),
        _table(("gate", f"measured [{head.level}]", "verdict"), gates) if gates else "",
        _findings(record.audits, _FINDINGS),
        Markup("<p>Report: <code>{}</code></p>").format(printable(str(folder / "report.html"))),
    ]
    return str(Markup('<div class="glassbench-run">{}</div>').format(Markup("").join(parts)))


def worst_findings(results: Sequence[AuditResult], most: int = _FINDINGS) -> list[tuple[str, str]]:
    """Return the gravest findings that say something is wrong or not known, each with its grade."""
    found = [finding for result in results for finding in result.findings if finding.grade in ("concern", "unclear")]
    return [(finding.grade, finding.sentence) for finding in sorted(found, key=gravity)[:most]]


def measures_chart(measures: Sequence[Measure], name: str, by: str | Sequence[str] | None = None) -> alt.LayerChart:
    """Return a chart of one measure with its intervals: of each group of some features, or of all rows and gaps.

    Args:
        measures: The measures of a run.
        name: `<audit>.<measure>`, or the measure alone where one audit has it.
        by: Features whose groups are shown; None for what is there, groups first.

    Raises:
        GlassbenchError: There is no such measure, or it is not broken down by these features.
    """
    named = _named(measures, name)
    features = None if by is None else {by} if isinstance(by, str) else set(by)
    shown = [m for m in named if m.value is not None and (features is None or (m.by is not None and set(m.by) == features))]
    shown = [m for m in shown if m.group is not None] or shown
    if not shown:
        known = sorted({", ".join(m.by) for m in named if m.by is not None and m.value is not None})
        got = "nothing that has a value" if features is None else ", ".join(sorted(features))
        raise GlassbenchError(f"'{name}' has nothing to draw by these features", got=got, available=known, fix="name others")
    rows = [{"of": scope_words(m), "value": m.value, "low": m.low, "high": m.high, "n": m.n} for m in shown[:_MOST]]
    title = measure_words(shown[0].name) + (f" ({shown[0].unit})" if shown[0].unit else "")
    base = alt.Chart(pd.DataFrame(rows)).encode(y=alt.Y("of:N", title=None, sort=None, axis=alt.Axis(labelLimit=_LONGEST)))
    tips = ["of:N", "value:Q", "low:Q", "high:Q", "n:Q"]
    span = base.mark_rule().encode(x=alt.X("low:Q", title=title, scale=alt.Scale(zero=False)), x2="high:Q", tooltip=tips)
    chart: alt.LayerChart = (span + base.mark_point(filled=True, size=60).encode(x="value:Q", tooltip=tips)).properties(
        width=420, title=title
    )
    return chart


def _named(measures: Sequence[Measure], name: str) -> list[Measure]:
    full = {m.name for m in measures if name in (m.name, m.name.partition(".")[2])}
    if len(full) == 1:
        return [m for m in measures if m.name in full]
    names = sorted(full or {m.name for m in measures})
    problem = f"several audits measure '{name}'" if full else f"the run holds no measure '{name}'"
    raise GlassbenchError(problem, got=name, available=names, fix=suggest(name, names) or "name one in full")


def _verdict(word: str) -> str:
    return f"{SYMBOLS.get(word, '')} {outcome_words(word)}".strip()


def _findings(results: Sequence[AuditResult], most: int) -> Markup:
    found = sorted((f for r in results for f in r.findings if f.grade != "not applicable"), key=gravity)[:most]
    items = Markup("").join(_ITEM.format(f.grade, shorten(f.sentence, _LONGEST, placeholder=" …")) for f in found)
    return Markup("<ul>{}</ul>").format(items) if items else Markup("")


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> Markup:
    top = Markup("").join(Markup('<th scope="col">{}</th>').format(head) for head in heads)
    lines = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(escape(cell)) for cell in row)) for row in rows
    )
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(top, lines)
