"""Where rows hang together, sentences and measures count the units and call them by their name."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.actions import Actions
from glassbench_audits.fairness.audit import audit

EPISODES, STEPS = 60, 50


def _per_episode(column):
    """Return the mean over episodes of the sum of a column that is the same in all steps of one."""

    def compute(frame, weights):
        steps = weights / frame.groupby("cluster")["cluster"].transform("size").to_numpy()
        return steps @ frame[column].to_numpy(dtype=float) * STEPS / steps.sum(axis=1)

    return compute


@pytest.fixture
def played(classification):
    """Return a policy that brings more in one context, 60 episodes of 50 steps, nobody saying which action is right."""
    generator = np.random.default_rng(0)
    episode = np.repeat(np.arange(EPISODES), STEPS)
    context = np.array(["weak", "strong"])[episode % 2]
    reward = (generator.normal(100, 10, EPISODES) + np.where(np.arange(EPISODES) % 2, -1, 0))[episode]
    action = generator.integers(0, 2, len(episode))
    task = SimpleNamespace(
        kind=Actions(), metrics=(Metric(name="return", compute=_per_episode("reward"), compares=False, judged=True),)
    )
    subject = classification(action, action, {"push": context}, task=task)
    frame = subject.predictions.frame.drop(columns="y_true")
    frame = frame.assign(cluster=[f"episode {k}" for k in episode], episode=episode, reward=reward / STEPS)
    return replace(subject, predictions=replace(subject.predictions, frame=frame))


def test_episodes_are_counted_and_named(played):
    result = audit(played, replicates=200)
    said = next(f.sentence for f in result.findings if "less reward" in f.sentence)
    assert "(n 30 and 30 episodes)" in said
    further = int(said.split("about ")[1].split(" more episodes")[0].replace(",", ""))
    assert further < 100 * EPISODES
    gap = next(m for m in result.measures if m.name == "fairness.return_difference")
    assert gap.n == EPISODES


def test_rates_of_steps_say_of_how_many_episodes(played):
    result = audit(played, replicates=200)
    rate = next(m for m in result.measures if m.name == "fairness.selection_rate" and m.group == {"push": "weak"})
    assert rate.n == EPISODES // 2 * STEPS
    assert "counts episodes" in next(t for t in result.tables if t.title == "Numbers by push").note


def test_values_of_patients_count_patients(regression):
    generator = np.random.default_rng(1)
    patient = np.repeat(np.arange(40), 5)
    truth = generator.normal(size=200)
    off = generator.normal(0, 0.5, 40)[patient]
    subject = regression(truth, truth + off, {"g": np.array(["a", "b"])[patient % 2]})
    frame = subject.predictions.frame.assign(cluster=[f"patient {k}" for k in patient])
    result = audit(replace(subject, predictions=replace(subject.predictions, frame=frame)), replicates=200)
    assert any("(n 20 and 20 patients)" in f.sentence for f in result.findings)
    assert all("more rows" not in f.sentence for f in result.findings)
    assert next(m for m in result.measures if m.name == "fairness.mean_signed_error_difference").n == 40
