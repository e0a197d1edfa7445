"""A few of the models of tests/calibration/reliability.py: graded reliable is what learnt something and hides nothing."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def reliability():
    spec = spec_from_file_location("reliability", Path(__file__).parents[1] / "calibration" / "reliability.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("kind", "held_out", "reliable"),
    [pytest.param("network", True, True, marks=pytest.mark.slow), ("untrained", True, False), ("network", None, False)],
)
def test_only_what_is_known_to_have_learnt_is_reliable(reliability, kind, held_out, reliable):
    table = reliability.TABLES["wine"]()
    result = reliability.reliability_of(reliability.fitted(table, kind), table.X_test, table.y_test, held_out=held_out)
    assert (result.reliability == "reliable") is reliable


@pytest.mark.slow
@pytest.mark.parametrize("detector", ["forest", "neighbours"])
@pytest.mark.parametrize("hide", [True, False])
def test_a_network_that_hides_what_it_decides_by_is_not_reliable(reliability, detector, hide):
    model, table = reliability.scaffold(reliability.people(), detector, True, hide)
    result = reliability.reliability_of(model, table.X_test, table.y_test)
    assert (result.reliability == "reliable") is not hide
