"""Tables and charts of calibration."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from glassbench.contracts.exhibits import Chart, Table
from glassbench.stats.clusters import by_group, clustered_share
from glassbench.stats.estimate import Estimate
from glassbench.stats.intervals import rate_interval
from glassbench.stats.percent import in_percent
from glassbench.stats.sampling import Sampling
from glassbench_audits.calibration.bins import Bins, assign, summarise

RELIABILITY, PER_GROUP = "Reliability", "Stated minus observed per group"
"""Titles of the charts of all rows and of groups."""

_BARS = 20
_PLACES = 12
"""Decimals to which probabilities are sorted into bars: one that lies on an edge belongs above it, whatever its last bit."""


def reliability_table(stated: np.ndarray, came: np.ndarray, bins: int, level: float, sampling: Sampling | None = None) -> Table:
    """Return stated and observed shares per bin."""
    found, low, high = _observed(stated, came, bins, level, sampling)
    columns = ("bin", "rows", "mean stated", "came true", "low", "high")
    parts = zip(found.n, found.stated, found.observed, low, high, strict=True)
    rows = tuple((i + 1, int(n), *map(float, rest)) for i, (n, *rest) in enumerate(parts))
    return Table(title="Stated against observed", columns=columns, rows=rows)


def reliability_chart(
    stated: np.ndarray, came: np.ndarray, bins: int, level: float, what: str, sampling: Sampling | None = None
) -> Chart:
    """Return the reliability diagram: observed shares with their intervals over stated probabilities."""
    found, low, high = _observed(stated, came, bins, level, sampling)
    parts = zip(found.stated, found.observed, low, high, strict=True)
    outside = int(((found.stated < low) | (found.stated > high)).sum())
    return Chart(
        kind="lines",
        title=RELIABILITY,
        message=f"In {outside} of {len(found.n)} bins the stated probability lies outside the interval of what came true.",
        rows=tuple({"x": float(x), "y": float(y), "low": float(a), "high": float(b)} for x, y, a, b in parts),
        x_title=f"stated probability of {what}",
        y_title="share that came true",
        reference=("diagonal", "as stated"),
    )


def score_chart(stated: np.ndarray, what: str, unit: str) -> Chart:
    """Return the histogram of stated probabilities."""
    stated, edges = np.round(stated, _PLACES), np.round(np.linspace(0, 1, _BARS + 1), _PLACES)
    heights = np.bincount(np.clip(np.digitize(stated, edges), 1, _BARS) - 1, minlength=_BARS)
    bars = zip(edges[:-1], edges[1:], heights, strict=True)
    rows = tuple({"low": float(low), "high": float(high), "y": int(n)} for low, high, n in bars)
    sure = float(((stated < 0.1) | (stated > 0.9)).mean())
    return Chart(
        kind="histogram",
        title="Stated probabilities",
        message=f"{in_percent(sure)} of the probabilities are below 0.1 or above 0.9.",
        rows=rows,
        x_title=f"stated probability of {what}",
        y_title=f"{unit}s",
    )


def group_table(parts: Sequence[dict[str, Any]]) -> Iterator[Table]:
    """Yield one table of all groups, if there are any."""
    if parts:
        columns = ("feature", "group", "rows", "stated minus observed", "low", "high", "calibration error", "p (corrected)")
        rows = tuple((p["by"], p["group"], p["n"], *_ends(p["bias"]), *_error_cells(p)) for p in parts)
        yield Table(title="Calibration per group", columns=columns, rows=rows)


def group_chart(parts: Sequence[dict[str, Any]]) -> Iterator[Chart]:
    """Yield how far stated probabilities lie above or below the truth per group, if there are groups."""
    if parts:
        rows = tuple(
            {"y": f"{p['by']}: {p['group']}", "x": e.value, "low": e.low, "high": e.high, "size": f"n {p['n']:,}"}
            for p in parts
            for e in [p["bias"]]
        )
        worst = max(parts, key=lambda p: abs(p["bias"].value))
        yield Chart(
            kind="intervals",
            title=PER_GROUP,
            message=f"Furthest off on average: {worst['by']} “{worst['group']}”, by {worst['bias'].value:+.3f}.",
            rows=rows,
            x_title="mean stated probability minus share that came true",
            reference=(0.0, "as stated"),
        )


def _ends(bias: Estimate) -> tuple[float | None, float | None, float | None]:
    return bias.value, bias.low, bias.high


def _error_cells(part: dict[str, Any]) -> tuple[float | None, float | None]:
    error = part["error"]
    return (None, None) if error is None else (error.value, part["p"])


def _observed(
    stated: np.ndarray, came: np.ndarray, bins: int, level: float, sampling: Sampling | None
) -> tuple[Bins, np.ndarray, np.ndarray]:
    member, survey = assign(stated, bins), sampling is not None and sampling.survey
    found = summarise(stated, came, member, sampling.weight if sampling is not None and survey else None)
    if sampling is not None and sampling.clusters is not None:
        one = sampling.weight
        part, whole = (by_group(v, member, len(found.n), sampling.clusters) for v in (came * one, one))
        return found, *clustered_share(part, whole, level, found.n if survey else None)[1:]
    return found, *rate_interval(found.observed * found.n, found.n, level)
