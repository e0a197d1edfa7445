"""Measures with their intervals as an Altair chart, for notebooks."""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from glassbench.contracts.evidence import Measure
from glassbench.contracts.measure_words import measure_words, scope_words
from glassbench.errors import GlassbenchError, suggest

_LONGEST = 400
_MOST = 60


def measures_chart(measures: Sequence[Measure], name: str, by: str | Sequence[str] | None = None) -> alt.LayerChart:
    """Return a chart of one measure with its intervals: of each group of some features, or of all rows and gaps.

    Args:
        measures: The measures of a run or of an audit.
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
    problem = f"several audits measure '{name}'" if full else f"there is no measure '{name}'"
    raise GlassbenchError(problem, got=name, available=names, fix=suggest(name, names) or "name one in full")
