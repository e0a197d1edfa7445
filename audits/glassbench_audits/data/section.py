"""What one examination of the rows found, to be put together with the others."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from glassbench.contracts.evidence import Finding, Measure
from glassbench.contracts.exhibits import Chart, Table
from glassbench.stats.grade import Grade
from glassbench.stats.intervals import wilson
from glassbench.stats.percent import in_percent


@dataclass(frozen=True, kw_only=True)
class Section:
    """Findings, measures, tables and charts of one examination."""

    findings: tuple[Finding, ...] = ()
    measures: tuple[Measure, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()


def share(name: str, count: int, n: int, *, level: float = 0.95, **more: Any) -> Measure:
    """Return a share of rows as a measure of this audit, with Wilson's interval; undefined where there are no rows."""
    if n == 0:
        return Measure(name=f"data.{name}", value=None, n=0, undefined="there are no such rows", **more)
    low, high = wilson(np.array(count), np.array(n), level)
    return Measure(name=f"data.{name}", value=count / n, low=float(low), high=float(high), level=level, n=n, **more)


def beyond(measure: Measure, tolerance: float) -> Grade:
    """Return fail where a share's whole interval is above `tolerance`, pass where none of it is, else insufficient evidence."""
    assert measure.low is not None
    assert measure.high is not None
    if measure.low > tolerance:
        return "concern"
    return "ok" if measure.high <= tolerance or measure.value == 0 else "unclear"


def percent(measure: Measure) -> str:
    """Return a share with its interval in words."""
    assert measure.value is not None
    return f"{in_percent(measure.value, 1)} [{in_percent(measure.low, 1)}, {in_percent(measure.high, 1)}]"
