import math
import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from glassbench.contracts.exhibits import Chart
from glassbench.report.charts import MOST_CATEGORIES, MOST_POINTS, draw

HOSTILE = "</text><script>alert(1)</script><a href='javascript:1'>"
ROW = {"x": 0.4, "y": 0.5, "low": 0.2, "high": 0.7, "color": 0.3, "size": 12}
KINDS = ("intervals", "bars", "lines", "points", "heat", "histogram")
ELEMENTS = {"svg", "g", "path", "rect", "line", "circle", "text", "title", "defs", "clipPath", "tspan"}


def chart(kind, *rows, **changes):
    return Chart(kind=kind, title="T", message="What it says", rows=rows, **changes)


def texts(svg):
    return [element.text for element in ET.fromstring(svg).iter() if element.text]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_draws_one_row_and_says_its_message(kind):
    root = ET.fromstring(draw(chart(kind, ROW), "c").svg)
    assert (root.get("role"), root.get("aria-label")) == ("img", "What it says")
    assert root.get("viewBox")


@pytest.mark.parametrize("kind", KINDS)
def test_values_that_cannot_be_drawn_are_left_out(kind):
    broken = [dict.fromkeys(ROW, value) for value in (None, math.nan, math.inf, HOSTILE)]
    assert draw(chart(kind, *broken[:3]), "c").svg is None
    assert draw(chart(kind, ROW, *broken), "c").svg


@pytest.mark.parametrize("kind", KINDS)
def test_evidence_cannot_add_elements_links_or_handlers(kind):
    words = {"x_title": HOSTILE, "y_title": HOSTILE, "reference": (0.3, HOSTILE)}
    named = ROW | {"y": HOSTILE, "x": HOSTILE} if kind == "heat" else ROW | {"color": HOSTILE, "size": HOSTILE}
    if kind in ("intervals", "bars"):
        named["y"] = HOSTILE
    root = ET.fromstring(draw(chart(kind, named, ROW, **words), "c").svg)
    assert {element.tag for element in root.iter()} <= ELEMENTS
    names = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in names if name.startswith("on") or "href" in name}


def test_ids_are_the_chart_s_own_and_colours_the_page_s():
    svg = draw(chart("lines", ROW, ROW | {"x": 1, "color": "b"}), "audit-1-c2").svg
    ids = [element.get("id") for element in ET.fromstring(svg).iter() if element.get("id")]
    assert all(name.startswith("audit-1-c2-") for name in ids)
    assert "#0a0b" not in svg
    assert "s-series-1" in svg


def test_the_same_chart_is_drawn_the_same():
    assert draw(chart("points", ROW), "c") == draw(chart("points", ROW), "c")


def test_an_interval_chart_names_groups_with_sizes_and_what_is_undefined():
    rows = ({"y": "a", "x": 0.4, "low": 0.2, "high": 0.6, "size": 17}, {"y": "b", "x": None, "size": 0})
    picture = draw(chart("intervals", *rows, reference=(0.28, "overall")), "c")
    assert {"a", "b", "n 17", "n 0 undefined"} <= set(texts(picture.svg))
    assert [entry.name for entry in picture.legend] == ["overall (0.28)"]


def test_what_is_not_drawn_is_said():
    many = [{"y": str(i), "x": i} for i in range(MOST_CATEGORIES + 9)]
    assert draw(chart("bars", *many), "c").note == f"The first {MOST_CATEGORIES} of {len(many)} rows are drawn."
    cloud = [{"y": i, "x": i} for i in range(3 * MOST_POINTS)]
    assert draw(chart("points", *cloud), "c").note == f"One in 3 of {len(cloud)} points is drawn."


def test_a_limit_on_the_address_space_is_an_error_and_no_abort():
    program = (
        "import resource\n"
        "from glassbench.errors import RunError\n"
        "from glassbench.contracts.evidence import Chart\n"
        "from glassbench.report.charts import draw\n"
        "resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n"
        "try:\n"
        "    draw(Chart(kind='bars', title='t', message='m', rows=({'x': 0.4, 'y': 0.5},)), 'u')\n"
        "except RunError as error:\n"
        "    print(error.fix)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert "ulimit -v" in said.stdout


def test_long_names_are_broken_into_lines_and_never_cut():
    name = "applicants who live in a rented flat and have been employed for less than a year"
    for kind in ("intervals", "bars", "heat"):
        row = {"x": name if kind == "heat" else 0.4, "y": name, "color": 0.3 if kind == "heat" else None}
        shown = " ".join(texts(draw(chart(kind, row, {**row, "y": "b"}), "c").svg))
        assert "…" not in shown
        assert all(word in shown for word in name.split())


def test_signed_cells_have_two_colours_that_start_at_zero_and_others_one():
    cells = [{"x": str(i), "y": "a", "color": value} for i, value in enumerate((-2.0, 0.5, 1.0))]
    signed = draw(chart("heat", *cells), "c")
    assert {"f-series-1", "f-series-2"} <= set(re.findall(r"f-series-\d+", signed.svg))
    assert "palest 0, darkest 2" in signed.note
    assert "f-series-2" not in draw(chart("heat", *cells[1:]), "c").svg


def test_a_narrow_cell_shows_its_first_part_whole_or_nothing():
    rows = [{"x": str(i), "y": "a", "color": i / 30, "size": f"{i} %, n 1234"} for i in range(10)]
    shown = texts(draw(chart("heat", *rows), "c").svg)
    assert "9 %" in shown
    assert not [text for text in shown if text.startswith("9 %,")]


def test_ten_series_have_ten_colours_and_more_are_told_apart_by_their_dashes():
    rows = [{"x": i, "y": i * k, "color": f"series {k}"} for k in range(14) for i in range(2)]
    legend = draw(chart("lines", *rows), "c").legend
    assert len({entry.ink for entry in legend[:10]}) == 10
    assert len({(entry.ink, entry.dash) for entry in legend}) == 14


def test_a_diagonal_spans_all_shares_on_both_axes_and_is_named_in_the_legend():
    picture = draw(chart("lines", {"x": 0.2, "y": 0.3}, {"x": 0.4, "y": 0.6}, reference=("diagonal", "as stated")), "c")
    assert [(entry.name, entry.dash) for entry in picture.legend] == [("as stated", "4 3")]
    shown = texts(picture.svg)
    assert (shown.count("0.0"), shown.count("1.0")) == (2, 2)


@pytest.mark.parametrize(
    ("kind", "reference"),
    [
        ("bars", ("diagonal", "equal")),
        ("lines", "diagonal"),
        ("lines", (0.5,)),
        ("points", ("steep", "equal")),
        ("bars", (0.5, 1)),
    ],
)
def test_a_reference_is_a_position_with_its_meaning_and_a_diagonal_needs_numbers_on_both_axes(kind, reference):
    with pytest.raises(ValueError, match="can have no such reference"):
        chart(kind, {"x": 0.2, "y": 0.3}, reference=reference)


def test_shares_are_written_in_per_cent_on_the_axis_and_on_hover():
    row = {"y": "a", "x": 0.69, "low": 0.4, "high": 0.9, "size": 13}
    picture = draw(chart("intervals", row, {"y": "b", "x": 0.05, "low": 0.0, "high": 0.2}, percent=True), "c")
    assert "a: 69 % [40, 90]: n 13" in str(picture.svg)
    assert {"0 %", "100 %"} <= {text.replace("\u00a0", " ") for text in texts(picture.svg)}
    assert "a: 0.69 [0.40, 0.90]: n 13" in str(draw(chart("intervals", row), "c").svg)
