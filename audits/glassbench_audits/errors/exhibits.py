"""Slices as sentences, a table and a chart."""

from collections.abc import Iterator, Sequence

import numpy as np

from glassbench.contracts.evidence import Finding
from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.predictions.outputs import RowErrors
from glassbench.printable import plural
from glassbench.stats.intervals import Limits
from glassbench.stats.p_values import p_words
from glassbench.stats.percent import in_percent
from glassbench_audits.errors.allowed import Allowed, gap_figure
from glassbench_audits.errors.slices import Slice

TELLING = 3.0
"""A search that would see a twentieth of the rows with so many times the error counts as one that could tell."""

PICTURE = "Errors of the slices that stood out"


def findings(
    found: Sequence[Slice], errors: RowErrors, allowed: Allowed, detectable: float | None, tested: int, rows: str
) -> Iterator[Finding]:
    """Yield one sentence per slice that is surely worse, or one that there is none.

    Args:
        found: The slices that were shown to be worse, the surest first.
        errors: How wrong each decision is.
        allowed: How much worse is let pass.
        detectable: The ratio that would have been seen.
        tested: How many slices were tested.
        rows: What rows are called, in the plural.
    """
    for one in found:
        grade = allowed.grade(one)
        sentence = (
            f"Predictions are worse where {one.words}: {errors.words} {figure(one.mean, errors)} against "
            f"{amount(float(one.others[0]), errors)} elsewhere, {gap_figure(one, errors)} more and {_times(one.ratio)} "
            f"({one.n} rows, tested on {one.tested} of them; corrected p {p_words(one.p)}); {allowed.words(one, errors)}."
        )
        names = ("errors.slices", "errors.worst_ratio")
        step = "" if grade == "ok" else f"Collect more such {rows} ({one.words}), or add an input that sets them apart."
        yield Finding(sentence=sentence, grade=grade, measures=names, weight=0.65, chart=PICTURE, next_step=step)
    if not found:
        yield _none(errors, detectable, tested, rows)


def slice_table(tested: Sequence[Slice], errors: RowErrors) -> Table:
    """Return every slice that was tested."""
    rows = tuple(
        (one.words, one.n, one.tested, *map(float, one.mean), float(one.others[0]), _finite(one.ratio[0]), one.p)
        for one in tested
    )
    return Table(
        title="Slices that stood out in one half, as they are in the other",
        columns=("slice", "rows", "rows tested", errors.words, "low", "high", "elsewhere", "times", "corrected p"),
        rows=rows,
        note="What stands out by chance in one half does not in the other.",
    )


def slice_chart(tested: Sequence[Slice], worse: int, errors: RowErrors) -> Iterator[Chart]:
    """Yield the errors of the slices, of which so many are surely worse, beside those of all rows."""
    if tested:
        mean = float(errors.size.mean())
        yield Chart(
            kind="intervals",
            title=PICTURE,
            message=f"{worse} of {len(tested)} slices are worse than other rows beyond chance; the line is the mean of all rows.",
            rows=tuple(
                {"y": one.words, "x": float(v), "low": float(low), "high": float(high), "size": f"n {one.tested:,}"}
                for one in tested
                for v, low, high in [one.mean]
            ),
            x_title=f"{errors.words}{f' ({errors.unit})' if errors.unit else ''}",
            y_title="slice",
            reference=(mean, f"all rows {amount(mean, errors)}"),
            percent=errors.binary,
        )


def amount(value: float, errors: RowErrors) -> str:
    """Return a mean error in words."""
    if errors.binary:
        return in_percent(value, 1)
    return f"{value:.3g}{f' {errors.unit}' if errors.unit else ''}"


def figure(limits: Limits, errors: RowErrors) -> str:
    """Return a mean error with its interval in words."""
    value, low, high = (amount(float(end), errors) for end in limits)
    return f"{value} [{low}, {high}]"


def _times(ratio: Limits) -> str:
    value, low, high = map(float, ratio)
    if not np.isfinite(value):
        return "where there are none"
    ends = f" [{multiple(low)}, {multiple(high)}]" if np.isfinite(high) else ""
    return f"{multiple(value)} times as much{ends}"


def multiple(value: float) -> str:
    """Write how many times something is: two digits, a third where two would say once.

    Example:
        >>> [multiple(value) for value in (1.31, 1.04, 2.0, 12.3, 0.968, 1.0)]
        ['1.3', '1.04', '2.0', '12', '0.97', '1.0']
    """
    once = f"{value:.1f}" == "1.0" and value != 1
    return f"{value:.2f}" if once or value < 1 else f"{value:.{1 if value < 9.95 else 0}f}"


def _none(errors: RowErrors, detectable: float | None, tested: int, rows: str) -> Finding:
    names = ("errors.slices", "errors.detectable_ratio")
    if detectable is None:
        return Finding(sentence="The model makes no errors on these rows.", grade="ok", measures=names, weight=0.1)
    sought, times = f"{tested} {plural('slice', tested)} tested", f"{multiple(detectable)} times the errors"
    if detectable <= TELLING:
        said = (
            f"No slice of the {rows} is surely worse than the others by {errors.words} ({sought}); one in twenty {rows} with "
            f"{times} would most likely have been found."
        )
        return Finding(sentence=said, grade="ok", measures=names, weight=0.25)
    said = (
        f"Too few {rows} to find where the model does worse ({sought}): a slice of one in twenty would most likely be found only "
        f"if it had {times}."
    )
    return Finding(sentence=said, grade="unclear", measures=names, weight=0.25, next_step=f"Hold out more {rows}.")


def _finite(value: np.ndarray) -> float | None:
    return float(value) if np.isfinite(value) else None
