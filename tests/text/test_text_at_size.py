"""The examples of texts at full size; minutes each, so run on request. Published data: `tests/benchmarks/test_published.py`."""

from pathlib import Path

import pytest

import glassbench


@pytest.mark.slow
@pytest.mark.parametrize("name", ["text-remarks", "text-topics", "language-pydoc", "stereotypes", "memorisation"])
def test_examples_run_whole(name, tmp_path):
    run = glassbench.run(Path(__file__).parents[2] / "docs" / "examples" / f"{name}.yaml", runs=tmp_path)
    assert all(result.error is None for result in run.audits)
