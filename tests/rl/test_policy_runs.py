"""A policy goes through the same phases as a table."""

from pathlib import Path

import pytest
from gymnasium.utils.env_checker import check_env

from glassbench import GlassbenchError, run
from glassbench_plugins.rl.lending import Lending

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "cartpole.yaml"
TINY = ["task.steps=2000", "task.stop_at=null", "gates=[]"]


def test_the_example_runs_at_a_tiny_size(tmp_path):
    done = run(EXAMPLE, runs=tmp_path, overrides=TINY)
    assert [a.error for a in done.audits] == [None] * len(done.audits)
    found = next(m for m in done.measures if m.name == "performance.return" and m.group is None)
    assert 5 < found.value < 500
    assert found.low <= found.value <= found.high


def test_an_unknown_environment_lists_near_ones(tmp_path):
    with pytest.raises(GlassbenchError) as caught:
        run(EXAMPLE, runs=tmp_path, overrides=[*TINY, "dataset.id=CartPol-v1", "dataset.contexts={}"])
    assert "CartPole-v1" in str(caught.value)


def test_lending_keeps_gymnasiums_promises():
    check_env(Lending(), skip_render_check=True)


@pytest.mark.slow
def test_the_example_balances_the_pole(tmp_path):
    done = run(EXAMPLE, runs=tmp_path)
    assert next(m.value for m in done.measures if m.name == "performance.return" and m.group is None) >= 475
