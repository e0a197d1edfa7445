# ruff: noqa: RUF001 - the typographic minus, dash and multiplication sign are what is tested
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import Table
from glassbench.report.grid import grid, measure_table
from glassbench.report.numbers import column, interval, measured, number, percent, signed, threshold, trimmed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.73034, "0.730"),
        (12.345, "12.3"),
        (999.96, "1000"),
        (1234.5, "1234"),
        (12345.6, "12,346"),
        (48842, "48,842"),
        (2026, "2026"),
        (0, "0"),
        (0.0, "0"),
        (-0.0001, "−1.0 × 10⁻⁴"),
        (1.5e-7, "1.5 × 10⁻⁷"),
        (3.2e12, "3.2 × 10¹²"),
        (None, "–"),
        (math.nan, "–"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers_read_with_three_digits(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.7303, 0.6299, 0.8114, "0.73 [0.63, 0.81]"),
        (0.845507, 0.8405, 0.8503, "0.8455 [0.8405, 0.8503]"),
        (57.31, 51.2, 63.4, "57 [51, 63]"),
        (0.0, -0.16, 0.17, "0.00 [−0.16, 0.17]"),
        (1.0, 1.0, 1.0, "1.00 [1.00, 1.00]"),
        (0.5, math.nan, 0.7, "0.5"),
        (0.5, None, None, "0.5"),
        (None, 0.1, 0.2, "–"),
    ],
)
def test_intervals_read_to_the_digits_their_width_supports(value, low, high, text):
    assert interval(value, low, high) == text


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_an_interval_never_hides_its_width(value, width):
    low, high = interval(value, value, value + width).partition("[")[2].rstrip("]").split(", ")
    assert low != high


def test_columns_share_their_decimals_unless_they_span_magnitudes():
    assert column([0.5, 0.125, None, 1]) == ["0.500", "0.125", "–", "1"]
    assert column([0.31, 0.0012]) == ["0.31", "0.0012"]


def test_small_things():
    assert signed([0.5, -0.25, 0.0]) == ["+0.500", "−0.250", "0.000"]
    assert (percent(17, 41), percent(0, 5), percent(1, 300), percent(3, 0)) == ("41\u00a0%", "0\u00a0%", "0.33\u00a0%", "–")
    assert (threshold(0.2), threshold(-1.0), trimmed(120.0)) == ("0.2", "−1", "120")


def test_a_measure_reads_with_its_unit_or_its_reason():
    assert measured(Measure(name="a.b", value=57.3, low=51.2, high=63.4, unit="mg/dl")) == "57 [51, 63]\u00a0mg/dl"
    assert measured(Measure(name="a.b", value=None, undefined="no positives")) == "undefined: no positives"


def test_a_p_value_of_0_is_never_shown():
    table = Table(title="t", columns=("slice", "corrected p", "share"), rows=(("a", 0.0, 0.0), ("b", 0.25, 0.5)))
    assert [[cell.text for cell in row] for row in grid(table).rows] == [["a", "< .001", "0.000"], ["b", ".250", "0.500"]]
    shown = measure_table("t", [Measure(name="calibration.p_value", value=0.0), Measure(name="calibration.x", value=0.0)])
    assert [row[shown.columns.index("value")] for row in shown.rows] == ["< .001", "0"]
    assert measured(Measure(name="calibration.p_value", value=1e-9)) == "< .001"
