"""A policy goes through the same phases as a table."""

from pathlib import Path

import pytest

from glassbench import run

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
TINY = ["task.steps=2000", "task.stop_at=null", "gates=[]", "dataset.evaluation_episodes=20", "dataset.validation_episodes=2"]


def titles(done, audit: str) -> set[str]:
    found = next(a for a in done.audits if a.audit == audit)
    return {chart.title for chart in (*found.charts, *(c for case in found.cases for c in case.charts))}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return run(EXAMPLES / "cartpole.yaml", runs=tmp_path_factory.mktemp("runs"), overrides=TINY)


def test_the_example_runs_at_a_tiny_size(tiny):
    assert [a.error for a in tiny.audits] == [None] * len(tiny.audits)
    found = next(m for m in tiny.measures if m.name == "performance.return" and m.group is None)
    assert 5 < found.value < 500
    assert found.low <= found.value <= found.high
    assert found.n == 20


def test_every_promised_measure_of_a_policy_is_there(tiny):
    names = {m.name for m in tiny.measures if m.value is not None}
    promised = {"return", "return_interquartile_mean", "episode_length", "failure_rate", "explained_variance", "entropy"}
    assert {f"performance.{name}" for name in promised} <= names
    groups = {m.group["force_mag"] for m in tiny.measures if m.name == "fairness.return" and m.group}
    assert groups == {"7.0", "10.0", "13.0"}


def test_the_report_shows_the_episode_as_a_map_the_value_and_what_is_at_stake(tiny):
    shown = titles(tiny, "explain")
    assert {"What drove the actions, step by step", "How much was at stake, step by step"} <= shown
    assert {"How much is at stake over an episode", "What drives the value of the state"} <= shown
    assert all(title in tiny.report.read_text() for title in shown)
    learning = next(a for a in tiny.audits if a.audit == "learning")
    assert any(chart.x_title == "environment steps" and len(chart.rows) >= 2 for chart in learning.charts)


@pytest.mark.parametrize(
    "overrides",
    [
        ["task={use: dqn, steps: 1500, warm_up: 200}", "model={use: q-network, hidden: [16]}"],
        ["dataset.id=Pendulum-v1", "dataset.contexts={g: [5.0, 10.0]}", "dataset.max_episode_steps=40"],
    ],
    ids=["deep Q-learning", "continuous actions"],
)
def test_other_learners_and_actions_go_the_same_way(tmp_path, overrides):
    done = run(EXAMPLES / "cartpole.yaml", runs=tmp_path, overrides=[*TINY, *overrides])
    assert [a.error for a in done.audits] == [None] * len(done.audits)
    assert "How much is at stake over an episode" in titles(done, "explain")


def test_lending_is_filmed_and_judged_by_its_truth(tmp_path):
    done = run(EXAMPLES / "lending-fair.yaml", runs=tmp_path, overrides=TINY)
    performance = next(a for a in done.audits if a.audit == "performance")
    assert len(performance.pictures) == 2
    assert any(f.sentence.startswith("Penalties aside") for f in performance.findings)
    names = {m.name for m in done.measures if m.group == {"group": "B"} and m.value is not None}
    assert {"fairness.selection_rate", "fairness.true_positive_rate", "fairness.outcome", "fairness.gain"} <= names
