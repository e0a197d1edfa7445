"""Images go through the same phases as tables."""

from pathlib import Path

import pytest

from glassbench import Registry, run
from glassbench.registry import load_target
from glassbench.testing import check_dataset, check_model

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "digits.yaml"
REGISTRY = Registry()


@pytest.fixture(scope="module")
def digits():
    component = REGISTRY.find("dataset", "digits")
    encoder = component.spec.encoder and load_target(component.spec.encoder, "digits")
    return check_dataset(component.load(), encoder=encoder or None)


@pytest.mark.parametrize("name", ["cnn", *(pytest.param(n, marks=pytest.mark.slow) for n in ("resnet", "vit"))])
def test_models_keep_the_promises_of_their_kind(digits, name):
    check_model(REGISTRY.find("model", name).load(), data=digits)


def test_the_example_runs_at_a_tiny_size(tmp_path):
    done = run(EXAMPLE, runs=tmp_path, overrides=["trainer.max_epochs=2", "audits.explain.rows=16", "gates=[]"])
    assert [a.error for a in done.audits] == [None] * len(done.audits)
    accuracy = next(m.value for m in done.measures if m.name == "performance.accuracy")
    assert accuracy > 0.5
    assert done.report.stat().st_size < 2_000_000


@pytest.mark.slow
def test_the_example_reaches_its_promise(tmp_path):
    done = run(EXAMPLE, runs=tmp_path)
    assert next(m.value for m in done.measures if m.name == "performance.accuracy") >= 0.985
