"""A time budget for audits: how many rows it affords, and the sample that an audit then gets."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from glassbench.contracts.evidence import AuditResult, Method
from glassbench.contracts.subject import Subject

TRIALS = (500, 2000)
"""Rows of the trials that tell what a row costs; with fewer than twice as many, all rows are examined."""

_UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds_of(text: str | float) -> float:
    """Return a time in seconds.

    Raises:
        ValueError: It is none, or not above 0.

    Example:
        >>> seconds_of("120s"), seconds_of("2m"), seconds_of(90)
        (120.0, 120.0, 90.0)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", str(text))
    found = float(match.group(1)) * _UNITS[match.group(2) or "s"] if match else 0.0
    if found <= 0:
        raise ValueError("a time above 0, such as 120s or 2m")
    return found


def within(examine: Callable[[Subject], AuditResult], subject: Subject, seconds: float) -> AuditResult:
    """Examine as many rows as a time affords, found out by trials on a few; what was left out is said in the result.

    An audit that cannot examine so few rows gets them all.
    Intervals need no correction: the audit sees fewer rows, and its intervals are as wide as so few make them.

    Args:
        examine: The audit.
        subject: All there is.
        seconds: The time.
    """
    rows = len(subject.predictions.frame)
    if subject.predictions.frequency is not None:
        return examine(subject)
    trials: list[tuple[int, float]] = []
    result: AuditResult | None = None
    for size in TRIALS:
        if rows < 2 * size or sum(taken for _, taken in trials) > seconds:
            break
        started = time.perf_counter()
        tried = _tried(examine, sampled(subject, size))
        if tried is None:
            return examine(subject)
        result = tried
        trials.append((size, time.perf_counter() - started))
    size = affordable(trials, rows, seconds - sum(taken for _, taken in trials))
    if size >= rows:
        return examine(subject)
    if result is None or size > trials[-1][0]:
        part = sampled(subject, size)
        return _told(examine(part), len(part.predictions.frame), rows, seconds)
    return _told(result, trials[-1][0], rows, seconds)


def _tried(examine: Callable[[Subject], AuditResult], part: Subject) -> AuditResult | None:
    """Return what an audit finds on a few rows; None where they are too few for it."""
    try:
        result = examine(part)
    except Exception:  # a plugin may raise what it likes; on all rows its error counts
        return None
    return None if result.not_applicable or result.error else result


def affordable(trials: Sequence[tuple[int, float]], rows: int, seconds: float) -> int:
    """Return how many of the rows can be examined in the seconds left, from what trials took: a line through them, never falling.

    Args:
        trials: Rows and seconds of each trial, by size.
        rows: All rows; also the answer where nothing was tried.
        seconds: What is left.

    Example:
        >>> affordable([(500, 1.0), (2000, 2.5)], 100_000, 10.5)
        10000
        >>> affordable([(500, 1.0), (2000, 1.0)], 100_000, 10.5)
        100000
    """
    if not trials:
        return rows
    (first, took), (last, taken) = trials[0], trials[-1]
    each = max(0.0, (taken - took) / (last - first)) if last > first else taken / last
    fixed = max(0.0, taken - each * last)
    if fixed + each * rows <= seconds:
        return rows
    return int(max(0.0, seconds - fixed) / each) if each > 0 else last


def sampled(subject: Subject, size: int) -> Subject:
    """Return a subject of so many rows, drawn at random by the experiment's seed; of rows that hang together, whole clusters."""
    return replace(subject, predictions=subject.predictions.take(_drawn(subject, size)))


def _drawn(subject: Subject, size: int) -> np.ndarray:
    clusters = subject.predictions.clusters
    if clusters is None:
        return subject.sample(size, "budget")
    many = int(clusters.max()) + 1
    order = subject.generator("budget").permutation(many)
    reached = np.cumsum(np.bincount(clusters, minlength=many)[order])
    kept = order[: max(1, int(np.searchsorted(reached, size, side="right")))]
    return np.flatnonzero(np.isin(clusters, kept))


def _told(result: AuditResult, examined: int, rows: int, seconds: float) -> AuditResult:
    method = result.method
    said = f"To keep within {seconds:.3g} s, {examined:,} of the {rows:,} rows were examined, drawn at random by the seed."
    parameters = {**method.parameters, "rows_examined": examined, "rows_there": rows}
    caution = (
        "A sample was examined for want of time: intervals are as wide as so few rows make them, and small groups may be absent."
    )
    told = Method(
        summary=f"{said} {method.summary}",
        parameters=parameters,
        references=method.references,
        cautions=(caution, *method.cautions),
    )
    return replace(result, method=told)
