"""What the composition of clusters comes to: findings, measures, tables, charts."""

from collections.abc import Iterator

import numpy as np

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench.stats.grade import Grade
from glassbench.stats.p_values import p_words
from glassbench.stats.percent import in_percent
from glassbench_audits.clusters.composition import Composition
from glassbench_audits.clusters.members import Members

CHANCE = 0.05


def composition_finding(members: Members, found: Composition, allowed: float) -> Finding | None:
    """Return whether a group is gathered in, or missing from, a cluster; None where there is nothing to compare.

    It fails where chance does not explain the unevenness as a whole, and the whole interval of the most uneven cell lies beyond
    what is allowed: at most one table in twenty without any imbalance passes the first test, and fewer the second as well.
    It passes where every cell surely differs by less.
    """
    if not np.isfinite(found.p):
        return None
    k, g = _most_uneven(found)
    gap, low, high = found.gap[k, g], found.gap_low[k, g], found.gap_high[k, g]
    grade: Grade = "unclear"
    if found.p < CHANCE and (low > allowed or high < -allowed):
        grade = "concern"
    elif max(found.gap_high.max(), -found.gap_low.min()) <= allowed:
        grade = "ok"
    name, group = members.names[k], found.groups[g]
    where = "gathered in" if gap > 0 else "rare in"
    sentence = (
        f"By {found.feature}, “{group}” is {where} {name}: {in_percent(found.share[k, g])} of it (n "
        f"{found.counts[k].sum()}) against "
        f"{in_percent(found.share[k, g] - gap)} of the other clusters, {100 * gap:+.0f} points [{100 * low:+.0f}, "
        f"{100 * high:+.0f}]; "
        f"{_chance_words(found.p)}."
    )
    weight = 0.85 if grade == "concern" else 0.3
    names = ("clusters.imbalance", "clusters.balance")
    step = "Say who is in which cluster wherever clusters are acted on." if grade == "concern" else ""
    return Finding(
        sentence=sentence,
        grade=grade,
        measures=names,
        weight=weight,
        by=(found.feature,),
        chart=_title(found),
        next_step=step,
        answers="differences",
    )


def composition_measures(members: Members, found: Composition, level: float) -> Iterator[Measure]:
    """Yield the largest difference between a cluster and the rest, the balance, and each group's share of each cluster."""
    k, g = np.unravel_index(int(np.abs(found.gap).argmax()), found.gap.shape)
    ends = sorted((abs(float(found.gap_low[k, g])), abs(float(found.gap_high[k, g]))))
    crosses = found.gap_low[k, g] <= 0 <= found.gap_high[k, g]
    shared = {"level": level, "by": (found.feature,)}
    n = int(found.counts.sum())
    yield Measure(
        name="clusters.imbalance",
        value=float(abs(found.gap[k, g])),
        low=0.0 if crosses else ends[0],
        high=ends[1],
        n=n,
        higher_is_better=False,
        **shared,  # type: ignore[arg-type]
    )
    yield Measure(
        name="clusters.balance",
        value=found.balance,
        low=found.balance_low,
        high=found.balance_high,
        n=n,
        higher_is_better=True,
        **shared,  # type: ignore[arg-type]
    )
    yield Measure(name="clusters.balance_of_all_rows", value=found.balance_whole, n=n, by=(found.feature,))
    for c, cluster in enumerate(members.names):
        for i, group in enumerate(found.groups):
            yield Measure(
                name=f"clusters.share[{cluster}]",
                value=float(found.share[c, i]),
                low=float(found.low[c, i]),
                high=float(found.high[c, i]),
                n=int(found.counts[c].sum()),
                group={found.feature: group},
                **shared,  # type: ignore[arg-type]
            )


def composition_table(members: Members, found: Composition) -> Table:
    """Return the share of each group in each cluster beside its share of all rows."""
    rows: list[tuple[str | float | int, ...]] = []
    for c, cluster in enumerate(members.names):
        for i, group in enumerate(found.groups):
            figures = (found.share[c, i], found.low[c, i], found.high[c, i], found.whole[i], found.gap[c, i])
            rows.append((cluster, group, int(found.counts[c, i]), int(found.counts[c].sum()), *map(float, figures)))
    return Table(
        title=f"Make-up of each cluster by {found.feature}",
        columns=("cluster", "group", "rows", "of", "share", "low", "high", "share of all rows", "minus the other clusters"),
        rows=tuple(rows),
        note=(
            f"Balance {found.balance:.2f} [{found.balance_low:.2f}, {found.balance_high:.2f}], {found.balance_whole:.2f} among "
            f"all rows: the smallest quotient of two groups' rows in any cluster. {_chance_words(found.p).capitalize()}."
        ),
    )


def composition_chart(members: Members, found: Composition) -> Chart:
    """Return the share of each group in each cluster with its interval."""
    rows = tuple(
        {
            "y": f"{cluster}, {group}",
            "x": float(found.share[c, i]),
            "low": float(found.low[c, i]),
            "high": float(found.high[c, i]),
            "size": f"all rows {in_percent(found.whole[i])}",
        }
        for i, group in enumerate(found.groups)
        for c, cluster in enumerate(members.names)
    )
    return Chart(
        kind="intervals",
        title=_title(found),
        message=f"The label is the group's share of all rows; {_chance_words(found.p)}.",
        rows=rows[:40],
        x_title="share of the cluster",
        y_title="cluster and group",
        section="Groups",
        percent=True,
    )


def _title(found: Composition) -> str:
    return f"Who is in which cluster, by {found.feature}"


def _most_uneven(found: Composition) -> tuple[int, int]:
    """Return the cell that differs most of those that surely differ, or of all where none surely does."""
    sure = (found.gap_low > 0) | (found.gap_high < 0)
    size = np.abs(found.gap) * (sure if sure.any() else 1)
    k, g = np.unravel_index(int(size.argmax()), size.shape)
    return int(k), int(g)


def _chance_words(p: float) -> str:
    if not np.isfinite(p):
        return "there is one group or one cluster only"
    return f"chance {'does not explain' if p < CHANCE else 'could explain'} the differences (p {p_words(p)}, corrected)"
