"""Tables and charts of predicted intervals."""

from collections.abc import Iterator, Sequence

from glassbench.contracts.exhibits import Chart, Table
from glassbench.contracts.predictions.outputs import IntervalOutput
from glassbench.stats.estimate import Estimate
from glassbench.stats.percent import in_percent
from glassbench_audits.calibration.intervals import IntervalPart, QuantileLevel


def interval_table(parts: Sequence[IntervalPart], output: IntervalOutput, level: float) -> Table:
    """Return coverage, width and score of all rows and of each group."""
    unit = f" ({output.unit})" if output.unit else ""
    rows = tuple(
        (
            *(one.coverage.words, one.coverage.n, one.coverage.share, one.coverage.low, one.coverage.high),
            *(one.width.value, one.score.value, None if one.coverage.by is None else one.coverage.p),
        )
        for one in parts
    )
    return Table(
        title=f"Intervals that promise to hold {output.name} in {in_percent(output.coverage)} of rows",
        columns=("rows of", "n", "hold it", "low", "high", f"mean width{unit}", f"interval score{unit}", "corrected p"),
        rows=rows,
        note=f"Low and high are the ends of the {in_percent(level)} interval of the share. The interval score is the "
        "width, and for each "
        "miss how far off the interval is times 2 over the share of misses promised; lower is better. The p-value is of so few "
        "hits in the group if it were like all other rows.",
    )


def quantile_table(levels: Sequence[QuantileLevel], unit: str | None) -> Iterator[Table]:
    """Yield what each predicted quantile came to, if there are quantiles."""
    if levels:
        cells = ((one.level, *_ends(one.below), one.loss.value) for one in levels)
        columns = ("quantile", "truths at or below it", "low", "high", "pinball loss" + (f" ({unit})" if unit else ""))
        note = "Quantiles as the model gives them, before intervals were corrected."
        yield Table(title="Predicted quantiles", columns=columns, rows=tuple(cells), note=note)


def quantile_chart(levels: Sequence[QuantileLevel]) -> Iterator[Chart]:
    """Yield the share of truths below each quantile beside its level, if there are quantiles."""
    if levels:
        pairs = [(one.level, *_ends(one.below)) for one in levels]
        seen = [{"x": x, "y": y, "low": low, "high": high, "color": "truths"} for x, y, low, high in pairs]
        ideal = [{"x": one.level, "y": one.level, "color": "as stated"} for one in (levels[0], levels[-1])]
        outside = sum(low is not None and high is not None and not low <= x <= high for x, _, low, high in pairs)
        yield Chart(
            kind="lines",
            title="Predicted quantiles",
            message=f"Of the model's {len(levels)} quantiles {outside} have a level outside the interval of the share observed.",
            rows=(*seen, *ideal),
            x_title="level of the quantile",
            y_title="share of truths at or below it",
        )


def coverage_chart(parts: Sequence[IntervalPart], promised: float) -> Chart:
    """Return the coverage of all rows and of each group, with its interval, beside what is promised."""
    rows = tuple(
        {"y": c.words, "x": c.share, "low": c.low, "high": c.high, "size": f"n {c.n:,}"} for c in (one.coverage for one in parts)
    )
    least = min((one.coverage for one in parts), key=lambda c: c.share)
    return Chart(
        kind="intervals",
        title="Coverage",
        message=f"Lowest for {least.words}: {in_percent(least.share, 1)}, promised {in_percent(promised)}.",
        rows=rows,
        x_title="share of rows whose interval holds the truth",
        reference=(promised, "promised"),
    )


def width_chart(found: Sequence[tuple[float, Estimate]], output: IntervalOutput) -> Iterator[Chart]:
    """Yield the coverage of rows by the width of their interval, if widths differ."""
    if found:
        unit = f" ({output.unit})" if output.unit else ""
        cells = [(width, *_ends(held)) for width, held in found]
        seen = [{"x": x, "y": y, "low": low, "high": high, "color": "coverage"} for x, y, low, high in cells]
        promised = [{"x": x, "y": output.coverage, "color": "promised"} for x in (found[0][0], found[-1][0])]
        narrow, wide = (held.value or 0.0 for held in (found[0][1], found[-1][1]))
        yield Chart(
            kind="lines",
            title="Coverage by width",
            message=f"The narrowest intervals hold the truth in {in_percent(narrow, 1)} of rows, the widest in "
            f"{in_percent(wide, 1)}.",
            rows=(*seen, *promised),
            x_title=f"width of the interval{unit}",
            y_title="share of rows whose interval holds the truth",
        )


def _ends(estimate: Estimate) -> tuple[float | None, float | None, float | None]:
    return estimate.value, estimate.low, estimate.high
