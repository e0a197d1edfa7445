"""What a policy's returns are held against: the same episodes with every action drawn at random."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from glassbench.contracts.predictions.actions import Actions
from glassbench_audits.performance.baseline import Baseline
from glassbench_audits.performance.comparison import baseline_finding
from glassbench_audits.performance.policies import _failure_findings
from glassbench_audits.performance.scores import score
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.evaluation import play, steps_frame
from glassbench_plugins.rl.random_play import at_random, with_random_play
from glassbench_plugins.rl.returns import episode_metrics

BALANCE = {"lean": lambda seen: (seen[:, 2] + seen[:, 3] > 0).astype(int), "fall": lambda seen: np.ones(len(seen), dtype=int)}


def played(how: str):
    source = environment(3, id="CartPole-v1", evaluation_episodes=40).test
    frame = with_random_play(steps_frame(source, play(source, BALANCE[how])), source)
    return source, frame


def scores(frame):
    found = Actions().baseline(frame, None, None)
    baseline = Baseline(frame=found.frame, words=found.words, source="nothing", metrics=found.metrics)
    metrics = [metric for metric in episode_metrics(entropy=False) if metric.name in ("return", "episode_length", "failure_rate")]
    return baseline, {one.metric.name: one for one in score(frame, baseline, metrics, lambda _: np.random.default_rng(1))}


def test_the_gain_over_random_play_is_that_of_pairs_of_episodes_with_one_seed():
    source, frame = played("lean")
    again = steps_frame(source, play(source, at_random(source)))
    returns = [one.groupby("episode")["reward"].sum().to_numpy() for one in (frame, again)]
    _, found = scores(frame)
    assert found["return"].baseline.value == pytest.approx(returns[1].mean())
    assert found["return"].gain.value == pytest.approx((returns[0] - returns[1]).mean())
    assert found["episode_length"].gain is None


def test_the_interval_of_the_gain_is_the_paired_one():
    generator = np.random.default_rng(8)
    drawn = generator.normal(size=200)
    columns = {"episode": range(200), "cluster": range(200), "failed": 0.0, "at_random.failed": 0.0}
    own = drawn + generator.normal(1.0, 0.2, size=200)
    gain = scores(pd.DataFrame(columns | {"reward": own, "at_random.reward": drawn}))[1]["return"].gain
    assert (gain.low, gain.high) == pytest.approx(tuple(ttest_rel(own, drawn).confidence_interval(0.95)), abs=0.01)


@pytest.mark.parametrize(("how", "grade"), [("lean", "ok"), ("fall", "concern")])
def test_a_policy_is_good_enough_only_where_it_beats_random_play(how, grade):
    baseline, found = scores(played(how)[1])
    finding = baseline_finding(found["return"], baseline)
    assert (finding.grade, finding.answers) == (grade, "quality")
    assert "choosing every action at random" in finding.sentence


@pytest.mark.parametrize(("own", "random", "grade"), [(0.1, 0.9, "ok"), (0.9, 0.1, "concern"), (0.5, 0.5, "unclear")])
def test_failures_are_graded_by_those_of_random_play(own, random, grade):
    generator = np.random.default_rng(4)
    columns = {"episode": range(80), "cluster": range(80), "reward": 1.0, "at_random.reward": 0.0}
    failures = {
        name: (generator.random(80) < share).astype(float) for name, share in (("failed", own), ("at_random.failed", random))
    }
    finding = next(_failure_findings(scores(pd.DataFrame(columns | failures))[1]))
    assert finding.grade == grade
    assert f"against {100 * failures['at_random.failed'].mean():.0f} %" in finding.sentence
    assert bool(finding.next_step) is (grade != "ok")


def test_numbers_of_a_continuous_policy_are_drawn_over_their_whole_range():
    source = environment(3, id="Pendulum-v1", evaluation_episodes=2).test
    drawn = at_random(source)(np.zeros((4000, 3)))
    assert drawn.shape == (4000, 1)
    assert -1 <= drawn.min() < -0.99
    assert 0.99 < drawn.max() <= 1
    assert abs(drawn.mean()) < 0.05
