"""Pictures of a clustering: sizes, where the clusters lie, and how their number was chosen."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench.stats.intervals import wilson
from glassbench.stats.percent import in_percent
from glassbench_audits.clusters.members import Members

_POINTS = 400
_WORDS = {"silhouette": "mean silhouette", "bic": "Bayesian information criterion", "stability": "agreement of half samples"}


def size_measures(members: Members, level: float) -> list[Measure]:
    """Return how many clusters held-out rows are in, and the share of rows in each."""
    n = len(members.codes)
    low, high = wilson(members.sizes, np.full(len(members.sizes), n), level)
    count = Measure(name="clusters.count", value=float(len(members.names)), n=n)
    sizes = [
        Measure(name=f"clusters.size[{name}]", value=size / n, low=float(low[k]), high=float(high[k]), level=level, n=n)
        for k, (name, size) in enumerate(zip(members.names, members.sizes.tolist(), strict=True))
    ]
    least = min(sizes, key=lambda measure: measure.value or 0.0)
    highest = min(float(high.min()), 1 / len(members.names))  # the smallest of so many shares cannot be larger
    smallest = Measure(name="clusters.smallest_share", value=least.value, low=least.low, high=highest, level=level, n=n)
    return [count, smallest, *sizes]


def size_table(members: Members) -> Table:
    """Return the rows of each cluster."""
    n = len(members.codes)
    rows = [(name, int(size), float(size / n)) for name, size in zip(members.names, members.sizes, strict=True)]
    noise = int((members.codes < 0).sum())
    rows += [("noise (in no cluster)", noise, noise / n)] if noise else []
    return Table(title="Sizes of the clusters", columns=("cluster", "rows", "share"), rows=tuple(rows))


def map_chart(members: Members) -> Chart | None:
    """Return the rows on the plane that spreads them most, by cluster; None where the inputs are no numbers."""
    if members.inputs is None or members.inputs.shape[1] < 2:
        return None
    centred = members.inputs - members.inputs.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    shown = members.subject.sample(_POINTS, "clusters.map")
    plane = centred[shown] @ axes[:2].T
    kept = float((singular[:2] ** 2).sum() / max((singular**2).sum(), 1e-300))
    rows = tuple(
        {"x": float(x), "y": float(y), "color": members.decided[i]} for (x, y), i in zip(plane, shown.tolist(), strict=True)
    )
    return Chart(
        kind="points",
        title="Where the clusters lie",
        message=f"Held-out rows on their first two principal axes, which keep {in_percent(kept)} of their variance.",
        rows=rows,
        x_title="first principal axis",
        y_title="second principal axis",
        section="Clusters",
    )


def count_chart(facts: Mapping[str, Any]) -> Chart | None:
    """Return the criterion over the numbers of clusters that were tried, or None where the number was given."""
    curve = facts.get("curve")
    if not isinstance(curve, Mapping):
        return None
    criterion, chosen = str(facts.get("chosen_by")), facts.get("clusters")
    better = "smallest" if criterion == "bic" else "largest"
    return Chart(
        kind="lines",
        title="How the number of clusters was chosen",
        message=f"{chosen} has the {better} {_WORDS.get(criterion, criterion)} of those tried.",
        rows=tuple({"x": int(count), "y": float(value), "color": criterion} for count, value in curve.items()),
        x_title="clusters",
        y_title=_WORDS.get(criterion, criterion),
        section="Clusters",
    )
