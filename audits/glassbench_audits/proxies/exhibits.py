"""The measures, tables and charts of the audit of proxies."""

from collections.abc import Sequence

import numpy as np

from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench.stats.p_values import p_words
from glassbench.stats.percent import in_percent
from glassbench_audits.proxies.found import Found
from glassbench_audits.proxies.separation import Separation

SHOWN = 12


def measures(found: Sequence[Found], silent: str | None, level: float) -> tuple[Measure, ...]:
    """Return the numbers gates can hold, per sensitive feature."""
    return tuple(measure for one in found for measure in _measures(one, silent or "no group has enough rows", level))


def _measures(one: Found, silent: str, level: float) -> tuple[Measure, ...]:
    by = (one.feature,)
    name = "proxies.disparity_p_value"
    if one.differs is None:
        disparity = Measure(name=name, value=None, by=by, undefined=silent if one.leaned is None else "the inputs carry no names")
    else:
        n = None if one.leaning is None else len(one.leaning.rows)
        disparity = Measure(name=name, value=float(one.differs.p.min()), by=by, n=n, higher_is_better=True)
    return (
        *_separation("inputs", one.told, by, silent, level),
        *_separation("attributions", one.leaned, by, silent, level),
        disparity,
    )


def _separation(of: str, told: Separation | None, by: tuple[str, ...], silent: str, level: float) -> tuple[Measure, ...]:
    area, p = f"proxies.{of}_auc", f"proxies.{of}_p_value"
    if told is None:
        return tuple(Measure(name=name, value=None, by=by, undefined=silent) for name in (area, p))
    return (
        Measure(name=area, value=told.auc, low=told.low, high=told.high, level=level, n=told.n, by=by, higher_is_better=False),
        Measure(name=p, value=told.p, n=told.n, by=by, higher_is_better=True),
    )


def tables(found: Sequence[Found], alarm: float, level: float) -> tuple[Table, ...]:
    """Return how well each feature can be told, which inputs carry it, and where the model leans differently."""
    parts = (_told(found, level), _proxy_features(found), _disparities(found, alarm, level))
    return tuple(table for table in parts if table.rows)


def _told(found: Sequence[Found], level: float) -> Table:
    percent = in_percent(level)
    rows = tuple(
        (one.feature, of, told.auc, told.low, told.high, told.p, told.n, ", ".join(one.groups.small) or None)
        for one in found
        for of, told in (("the inputs", one.told), ("the attributions", one.leaned))
        if told is not None
    )
    return Table(
        title="Can the sensitive feature be told?",
        columns=("feature", "from", "AUC", f"{percent} low", f"{percent} high", "p, corrected", "rows", "groups too small"),
        rows=rows,
        note="Area under the ROC curve of telling a group from the rest on rows the rule was not fitted to; 0.5 is chance.",
    )


def _proxy_features(found: Sequence[Found]) -> Table:
    rows = []
    for one in found:
        if one.carried is not None:
            order = np.argsort(-one.carried.strength, kind="stable")[:SHOWN]
            rows += [(one.feature, one.names[u], float(one.carried.strength[u]), float(one.carried.p[u])) for u in order]
    return Table(
        title="Which inputs go with it",
        columns=("feature", "input", "Cramér's V", "p, corrected over inputs"),
        rows=tuple(rows),
        note="Each input on its own, in cells of equal mass; 0 is no relation, 1 gives the group away. "
        "Inputs that only together tell of it are seen in the area above alone.",
    )


def _disparities(found: Sequence[Found], alarm: float, level: float) -> Table:
    percent = in_percent(level)
    return Table(
        title="Inputs the model leans on differently",
        columns=(
            "feature",
            "group",
            "input",
            "more than in the rest",
            f"{percent} low",
            f"{percent} high",
            "of its mean",
            "p, corrected",
        ),
        rows=tuple(row for one in found for row in _differing(one, alarm)),
        note="Difference in mean |attribution| between the group and all others; those whose interval excludes 0.",
    )


def _differing(one: Found, alarm: float) -> list[tuple[str | float | None, ...]]:
    found, groups = one.differs, one.leaning
    if found is None or groups is None:
        return []
    sure = np.argwhere(found.p <= alarm)
    order = np.argsort([-abs(found.difference[g, u]) for g, u in sure], kind="stable")[:SHOWN]
    return [
        (
            one.feature,
            groups.names[g],
            one.units[u],
            float(found.difference[g, u]),
            float(found.low[g, u]),
            float(found.high[g, u]),
            float(found.difference[g, u] / found.mean[u]),
            float(found.p[g, u]),
        )
        for g, u in sure[order]
    ]


def charts(found: Sequence[Found]) -> tuple[Chart, ...]:
    """Return the areas with their intervals."""
    rows = tuple(
        {"y": f"{one.feature}, from {of}", "x": told.auc, "low": told.low, "high": told.high, "size": f"p {p_words(told.p)}"}
        for one in found
        for of, told in (("the inputs", one.told), ("the attributions", one.leaned))
        if told is not None
    )
    return (
        Chart(
            kind="intervals",
            title="Can the sensitive feature be told?",
            message="The further right of chance, the better a group is told from the rest; 1 gives it away.",
            rows=rows,
            x_title="area under the ROC curve",
            y_title="sensitive feature",
            reference=(0.5, "chance"),
        ),
    )
