"""Charts and images of the evidence as figures of the page."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.exhibits import Chart, Picture, Table
from glassbench.report.charts import Drawing, draw, shared_extent
from glassbench.report.grid import MOST_NUMBERS, Grid, chart_table, grid, stands_in

_LARGEST_IMAGE = 150_000
_ALL_IMAGES = 1_200_000
_HEADER = 24
_SMALLEST_SIDE = 224


@dataclass(frozen=True)
class DrawnChart:
    """A chart with its drawing and its numbers.

    Args:
        chart, drawing: What is shown.
        table: Its numbers; None where a table of the same section holds them.
        told_in: Title of the table that holds them; None where they stand under the chart.
    """

    chart: Chart
    drawing: Drawing
    table: Grid | None
    told_in: str | None = None


@dataclass(frozen=True)
class Image:
    """An image as a figure.

    Args:
        picture: What is shown.
        source: It, inlined; None where it is too large for a report.
        width, height: Its size on the page in pixels, known before it loads so that nothing shifts.
        enlarged: Whether its pixels are shown larger than they are.
    """

    picture: Picture
    source: str | None
    width: int
    height: int
    enlarged: bool


def drawn_charts(charts: Sequence[Chart], uid: str, tables: Sequence[Table] = ()) -> tuple[DrawnChart, ...]:
    """Return charts drawn, those of one section along one axis where that lets their gaps be compared.

    Args:
        charts: What to draw.
        uid: Prefix for the ids in the drawings, unique within the page.
        tables: Tables that stand beside them; numbers that one holds are not repeated.
    """
    sections = {chart.section for chart in charts}
    extents = {section: shared_extent([chart for chart in charts if chart.section == section]) for section in sections}
    return tuple(
        _drawn(chart, draw(chart, f"{uid}-c{place}", extents[chart.section]), tables)
        for place, chart in enumerate(charts, start=1)
    )


def _drawn(chart: Chart, drawing: Drawing, tables: Sequence[Table]) -> DrawnChart:
    told = stands_in(chart, tables)
    return DrawnChart(chart, drawing, None if told else grid(chart_table(chart, MOST_NUMBERS)), told.title if told else None)


def allowance(results: Sequence[AuditResult]) -> int:
    """Return how many characters of base64 one image may take, so that all of a report stay within its size."""
    count = sum(len(r.pictures) + sum(len(case.pictures) for case in r.cases) for r in results)
    return min(_LARGEST_IMAGE, _ALL_IMAGES // max(count, 1))


def images(pictures: Sequence[Picture], allowed: int) -> tuple[Image, ...]:
    """Return pictures as images of the page; one that takes more than is allowed is named but not inlined."""
    return tuple(_image(picture, allowed) for picture in pictures)


def _image(picture: Picture, allowed: int) -> Image:
    width, height = _size(picture.png)
    factor = max(1, -(-_SMALLEST_SIDE // max(width, height, 1)))
    source = f"data:image/png;base64,{picture.png}" if len(picture.png) <= allowed else None
    return Image(picture, source, width * factor, height * factor, factor > 1)


def _size(png: str) -> tuple[int, int]:
    """Return width and height as the header of a PNG file says them (PNG specification, section 11.2.2)."""
    header = base64.b64decode(png[: 4 * _HEADER // 3])
    return int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")
