"""What a model costs, worked out by hand: medians with their ends, rows a second, and electricity for a thousand rows."""

import numpy as np
import pytest
import torch

from glassbench.system.energy import Energy
from glassbench.testing import toy_subject
from glassbench_audits.efficiency.audit import _charts, _timed
from glassbench_audits.efficiency.clock import Timing, batch_of
from glassbench_audits.efficiency.consumption import energy_measures, inference_energy
from glassbench_audits.efficiency.footprint import parameters, peak_memory

EVEN = np.arange(100.0)
ONE, MANY = Timing(rows=1, seconds=0.001 * (1 + EVEN / 100)), Timing(rows=50, seconds=0.01 * (1 + EVEN / 100))


def test_the_ends_of_a_median_are_the_order_statistics_of_the_sign_test():
    """Of 100 passes 50 lie below the median, give or take 1.96 times 5."""
    assert Timing(rows=1, seconds=EVEN[::-1]).median_interval(0.95) == (40, 60)


def test_latency_is_of_single_rows_and_throughput_of_the_largest_batch():
    latency, throughput, memory = _timed([ONE, MANY], [100, 5000], 0.95)
    assert (latency.value, latency.unit) == (pytest.approx(0.001495), "s per 1 row")
    assert (latency.low, latency.high) == pytest.approx((0.0014, 0.0016))
    assert throughput.value == pytest.approx(50 / 0.01495)
    assert (throughput.low, throughput.high) == pytest.approx((50 / 0.016, 50 / 0.014))
    assert (memory.value, memory.unit) == (5000, "bytes for 50 rows")


def test_a_chart_shows_what_a_row_costs():
    (chart,) = _charts([ONE, MANY], 0.95)
    assert [row["x"] for row in chart.rows] == pytest.approx([1495, 299])
    assert [(row["low"], row["high"]) for row in chart.rows] == [pytest.approx((1400, 1600)), pytest.approx((280, 320))]
    assert "50 rows a pass: 299 microseconds" in chart.message


def test_electricity_of_decisions_is_told_for_a_thousand_rows():
    used = Energy(kilowatt_hours=2e-3, kilograms=6e-4)
    found = {one.name: one.value for one in energy_measures(Energy(kilowatt_hours=3.0), used, 500, "DEU")}
    assert found["efficiency.inference_energy"] == pytest.approx(4e-3)
    assert found["efficiency.inference_co2"] == pytest.approx(1.2e-3)
    assert found["efficiency.training_co2"] == pytest.approx(3.0 * 0.3)


def test_rows_of_every_pass_are_counted():
    subject = toy_subject()
    timing = Timing(rows=32, seconds=np.full(9, 0.1))
    assert inference_energy(subject.model, subject.predictions.source, timing, 1.0, None)[1] == 10 * 32


def test_rows_are_repeated_where_a_batch_asks_for_more():
    source = toy_subject().predictions.source.take(np.arange(3))
    (rows,) = batch_of(source, 5, torch.nn.Linear(4, 2))
    assert torch.equal(rows, source.inputs[0][[0, 1, 2, 0, 1]])


def test_memory_that_is_given_back_is_held_no_more():
    layers = [torch.nn.Linear(8, 8) for _ in range(6)]
    assert peak_memory(torch.nn.Sequential(*layers), (torch.zeros(4, 8),)) == 2 * 4 * 8 * 4
    layers[0].requires_grad_(False)
    assert parameters(torch.nn.Sequential(*layers)) == (6 * 72, 5 * 72)
