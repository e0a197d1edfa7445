"""One finished run, shared by the tests that only look at it."""

from pathlib import Path

import pytest

from glassbench import run

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "diabetes.yaml"


@pytest.fixture(scope="session")
def example():
    return EXAMPLE


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def done(root):
    return run(EXAMPLE, runs=root, overrides=["trainer.max_epochs=5"])
