"""Efficiency: counts equal those by hand, times are ordered, and what was not measured says so."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from glassbench.contracts.estimator import EstimatorModule
from glassbench.system.energy import energy_of, metered
from glassbench.testing import check_audit, toy_subject
from glassbench_audits.efficiency.audit import audit
from glassbench_audits.efficiency.clock import Timing
from glassbench_audits.efficiency.footprint import file_size, operations, parameters, peak_memory

FAKE = """
from types import SimpleNamespace
class OfflineEmissionsTracker:
    _hardware = ["a counter"]
    def __init__(self, **settings):
        assert settings["save_to_file"] is False
    def start(self):
        {start}
    def stop(self):
        self.final_emissions_data = SimpleNamespace(cpu_energy=2e-6, ram_energy=1e-6, gpu_energy=0, energy_consumed=3e-6,
            emissions=9e-7, duration=1.5, codecarbon_version="0")
"""


def measures(result):
    return {m.name.removeprefix("efficiency."): m for m in result.measures}


@pytest.fixture
def carbon(tmp_path, monkeypatch):
    def install(start="pass"):
        (tmp_path / "codecarbon.py").write_text(FAKE.format(start=start))
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(__import__("sys").modules, "codecarbon", raising=False)

    yield install
    __import__("sys").modules.pop("codecarbon", None)


def test_it_keeps_the_promises_of_an_audit():
    check_audit(audit, "efficiency", deterministic=False, seconds=0.01)


def test_parameters_and_the_file_are_those_of_the_model():
    model = nn.Sequential(nn.Linear(10, 20), nn.Linear(20, 3).requires_grad_(False))
    assert parameters(model) == (10 * 20 + 20 + 20 * 3 + 3, 220)
    assert 4 * 283 < file_size(model) < 4 * 283 + 1000


@pytest.mark.parametrize(
    ("model", "shape", "expected"),
    [
        (nn.Linear(8, 4), (8,), 2 * 8 * 4),
        (nn.Conv2d(3, 5, 3), (3, 10, 10), 2 * 3 * 9 * 5 * 8 * 8),
        (nn.LSTM(8, 16, batch_first=True), (10, 8), 10 * 2 * 4 * 16 * (8 + 16)),
        (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (10, 8), 2 * 10 * (4 * 8 * 8 + 2 * 8 * 16) + 4 * 10 * 10 * 8),
        (nn.ReLU(), (8,), None),
    ],
)
def test_operations_are_those_by_hand(model, shape, expected):
    assert operations(model.eval().requires_grad_(False), (torch.zeros(1, *shape),)) == expected


def test_peak_memory_holds_two_neighbouring_layers():
    model = nn.Sequential(nn.Linear(10, 400), nn.ReLU(), nn.Linear(400, 100), nn.ReLU(), nn.Linear(100, 2))
    assert peak_memory(model, (torch.zeros(32, 10),)) == 32 * 4 * (400 + 400)


def test_what_is_written_in_place_is_not_counted_twice():
    model = nn.Sequential(nn.Linear(10, 400), nn.ReLU(inplace=True), nn.Flatten())
    assert peak_memory(model, (torch.zeros(32, 10),)) == 32 * 4 * 400


def test_the_interval_of_a_median_covers():
    hits = 0
    for seed in range(400):
        timing = Timing(rows=1, seconds=np.random.default_rng(seed).exponential(size=50))
        low, high = timing.median_interval(0.95)
        hits += low <= np.log(2) <= high
    assert hits / 400 >= 0.92


def test_larger_batches_decide_more_rows_a_second():
    found = measures(audit(toy_subject(), batches=(1, 256), seconds=0.02))
    assert found["throughput"].value > 2 / found["latency"].value
    assert found["operations"].value == 2 * (4 * 8 + 8 * 2)


def test_an_estimator_is_timed_and_the_rest_says_so():
    subject = toy_subject()
    estimator = LogisticRegression().fit(subject.train.inputs[0].numpy(), subject.train.target.numpy())
    found = measures(audit(replace(subject, model=EstimatorModule(estimator).eval()), batches=(1,), seconds=0.01))
    assert found["latency"].value > 0
    assert found["file_size"].value > 0
    assert "no network" in found["parameters"].undefined
    assert "no network" in found["operations"].undefined


def test_electricity_is_not_measured_without_codecarbon(monkeypatch):
    monkeypatch.setattr("glassbench.system.energy.available", lambda: False)
    monkeypatch.setattr("glassbench_audits.efficiency.consumption.available", lambda: False)
    found = measures(audit(toy_subject(), batches=(1,), seconds=0.01))
    for name in ("training_energy", "inference_energy"):
        assert "not installed" in found[name].undefined
    assert "no country" in found["inference_co2"].undefined


def test_electricity_is_read_where_it_is_measured(carbon):
    carbon()
    trained = {"energy": {"kilowatt_hours": 0.5, "kilograms": None, "seconds": 9.0, "method": "a counter"}}
    found = measures(audit(replace(toy_subject(), facts=trained), batches=(1,), seconds=0.01, country="DEU"))
    assert found["training_energy"].value == 0.5
    assert found["training_co2"].value == pytest.approx(0.5 * 0.3)
    assert found["inference_co2"].value == pytest.approx(0.3 * found["inference_energy"].value)


def test_a_counter_that_fails_stops_nothing(carbon):
    carbon("raise OSError('no permission')")
    with metered() as meter:
        pass
    assert meter.energy.kilowatt_hours is None
    assert "no permission" in meter.energy.method


def test_zero_from_a_missing_counter_is_not_measured():
    nothing = SimpleNamespace(
        cpu_energy=0, ram_energy=0, gpu_energy=0, energy_consumed=0, emissions=0, duration=1, codecarbon_version="0"
    )
    found = energy_of(nothing, [], known=True)
    assert found.kilowatt_hours is None
    assert found.kilograms is None
    assert "graphics not measured (no counter)" in found.method
