"""Metrics of episodes, against SciPy, scikit-learn and sums done by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import trim_mean
from sklearn.metrics import explained_variance_score

from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.evaluation import play, steps_frame
from glassbench_plugins.rl.returns import discounted_returns, episode_metrics, explained_variance, interquartile_mean, mean_return


def steps(lengths, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    n = sum(lengths)
    columns = {"reward": random.normal(size=n), "discounted": random.normal(size=n), "value": random.normal(size=n)}
    return pd.DataFrame(columns | {"episode": np.repeat(np.arange(len(lengths)), lengths)})


def test_the_mean_return_counts_episodes_and_not_steps():
    frame = steps([3, 9, 1])
    expected = frame.groupby("episode")["reward"].sum().mean()
    assert mean_return(frame, np.ones((1, 13))) == pytest.approx(expected)


def test_the_interquartile_mean_is_scipys():
    frame = steps([2] * 40)
    totals = frame.groupby("episode")["reward"].sum()
    assert interquartile_mean(frame, np.ones((1, 80))) == pytest.approx(trim_mean(totals, 0.25))


def test_an_episode_drawn_twice_counts_twice():
    frame = steps([2] * 8)
    weights = np.repeat([2, 0, 1, 1, 0, 3, 1, 0], 2)[None].astype(float)
    totals = frame.groupby("episode")["reward"].sum().to_numpy()
    drawn = np.repeat(totals, [2, 0, 1, 1, 0, 3, 1, 0])
    assert interquartile_mean(frame, weights) == pytest.approx(trim_mean(drawn, 0.25))


OF_STEPS = ("entropy", "outcome", "explained_variance")
"""What is a mean over steps; all else counts episodes."""


def known_steps(lengths) -> pd.DataFrame:
    """Steps with every column that a metric reads; what is of an episode is the same in all of its steps."""
    frame, random = steps(lengths, seed=3), np.random.default_rng(4)
    of_episode = {"failed": random.random(len(lengths)) < 0.4, "shortest": np.maximum(1, np.array(lengths) - 1)}
    more = {name: values.astype(float)[frame["episode"]] for name, values in of_episode.items()}
    return frame.assign(**more, **{name: random.random(len(frame)) for name in ("gain", "entropy", "outcome")})


@pytest.mark.parametrize("metric", episode_metrics(entropy=True), ids=lambda metric: metric.name)
def test_weights_are_episodes_that_were_played_as_often(metric):
    lengths, often = [3, 1, 6, 2, 4], [2, 0, 1, 3, 1]
    frame = known_steps(lengths)
    again = [frame[frame["episode"] == k] for k, times in enumerate(often) for _ in range(times)]
    played = pd.concat([one.assign(episode=k) for k, one in enumerate(again)], ignore_index=True)
    weights = np.repeat(often, lengths).astype(float)[None]
    (found,) = metric.compute(frame, weights)
    assert found == pytest.approx(metric.compute(played, np.ones((1, len(played))))[0])
    turned = frame.iloc[::-1].reset_index(drop=True)
    assert metric.compute(turned, weights[:, ::-1])[0] == pytest.approx(found)


def test_lengths_and_failures_are_counted_by_episode():
    frame, weights = known_steps([3, 1, 6]), np.ones((1, 10))
    frame["failed"] = np.repeat([1.0, 0.0, 0.0], [3, 1, 6])
    found = {m.name: m.compute(frame, weights)[0] for m in episode_metrics(entropy=True)}
    assert found["episode_length"] == pytest.approx(10 / 3)
    assert found["failure_rate"] == pytest.approx(1 / 3)
    assert found["path_length_ratio"] == pytest.approx((1 / 1 + 6 / 5) / 2)
    assert found["gain"] == pytest.approx(frame["gain"].sum() / 3)
    assert found["entropy"] == pytest.approx(frame["entropy"].mean())
    assert found["outcome"] == pytest.approx(frame["outcome"].mean())


def test_the_explained_variance_is_scikit_learns():
    frame = steps([7, 5])
    expected = explained_variance_score(frame["discounted"], frame["value"])
    assert explained_variance(frame, np.ones((1, 12))) == pytest.approx(expected)


def test_a_return_is_discounted_and_goes_on_with_the_value_of_the_last_state():
    assert discounted_returns(np.array([1.0, 2.0, 4.0]), 0.5, 8.0).tolist() == [1 + 1 + 1 + 1, 2 + 2 + 2, 4 + 4]


def test_metrics_without_their_column_are_undefined():
    frame, weights = steps([3, 4]), np.ones((2, 7))
    found = {m.name: m.compute(frame, weights) for m in episode_metrics(entropy=True)}
    assert all(np.isnan(found[name]).all() for name in ("gain", "failure_rate", "entropy", "outcome"))
    assert {"return", "return_interquartile_mean", "episode_length"} <= set(found)


def test_episodes_are_played_as_gymnasium_plays_them():
    source = environment(3, id="CartPole-v1", evaluation_episodes=30).test
    lean = {"act": lambda seen: (seen[:, 2] + seen[:, 3] > 0).astype(int)}
    frame = steps_frame(source, play(source, **lean))
    for episode in (0, 17, 29):
        world, total, ended = source.make(0), 0.0, False
        seen, _ = world.reset(seed=source.seed_of(0, episode))
        while not ended:
            seen, reward, terminated, truncated, _ = world.step(int(seen[2] + seen[3] > 0))
            total, ended = total + reward, terminated or truncated
        rows = frame[frame["episode"] == episode]
        assert rows["reward"].sum() == total
        assert set(rows["failed"]) == {float(terminated)}


def test_contexts_take_turns_and_reach_the_environment():
    data = environment(3, id="CartPole-v1", contexts={"force_mag": [5.0, 20.0]}, evaluation_episodes=4)
    frame = steps_frame(data.test, play(data.test, lambda seen: np.ones(len(seen), dtype=int)))
    lengths = frame.groupby("group.force_mag").size()
    assert set(frame["group.force_mag"]) == {"5.0", "20.0"}
    assert lengths["20.0"] < lengths["5.0"]


def test_nothing_is_judged_on_what_it_learnt_from():
    data = environment(3, id="CartPole-v1", lanes=4)
    seeds = [{part.seed_of(lane, n) for lane in range(4) for n in range(50)} for part in (data.train, data.validation, data.test)]
    assert len(set.union(*seeds)) == sum(len(each) for each in seeds)
    other = environment(3, id="CartPole-v1", evaluation_seed=99)
    assert other.test.seed_of(0, 0) != data.test.seed_of(0, 0)
    assert other.train.seed_of(0, 0) == data.train.seed_of(0, 0)


def test_the_explained_variance_of_drawn_steps_is_scikit_learns_also_where_values_are_biased():
    frame = steps([7, 5, 8])
    frame["value"] = 3 + 0.5 * frame["discounted"] + 0.1 * frame["value"]
    weights = np.random.default_rng(1).integers(0, 4, (6, 20)).astype(float)
    expected = [explained_variance_score(frame["discounted"], frame["value"], sample_weight=row) for row in weights]
    assert explained_variance(frame, weights) == pytest.approx(expected)
    assert np.isnan(explained_variance(frame.assign(discounted=2.0), weights)).all()


def test_draws_of_episodes_are_summarised_each_for_itself():
    frame = steps([2] * 8).assign(failed=np.repeat([0, 0, 0, 1, 0, 0, 1, 0], 2), entropy=np.arange(16.0), outcome=np.arange(16.0))
    drawn = np.array([[2, 0, 1, 1, 0, 3, 1, 0], [1] * 8, [0, 4, 0, 0, 4, 0, 0, 0]])
    weights = np.repeat(drawn, 2, axis=1).astype(float)
    totals = frame.groupby("episode")["reward"].sum().to_numpy()
    found = {metric.name: metric.compute(frame, weights) for metric in episode_metrics(entropy=True)}
    assert found["return_interquartile_mean"] == pytest.approx([trim_mean(np.repeat(totals, row), 0.25) for row in drawn])
    assert found["return"] == pytest.approx(drawn @ totals / drawn.sum(axis=1))
    assert found["failure_rate"] == pytest.approx([2 / 8, 2 / 8, 0])
    assert found["episode_length"].tolist() == [2, 2, 2]
    for name in ("entropy", "outcome"):
        assert found[name] == pytest.approx(weights @ np.arange(16.0) / weights.sum(axis=1))


def test_what_metrics_of_episodes_say_of_themselves():
    end = np.inf
    told = [
        (one.name, one.unit, one.higher_is_better, one.rate, one.compares, one.judged, one.lowest, one.highest)
        for one in episode_metrics(entropy=True)
    ]
    assert told == [
        ("return", "reward", True, False, False, True, -end, end),
        ("gain", None, True, False, False, False, -end, end),
        ("return_interquartile_mean", "reward", True, False, False, False, -end, end),
        ("episode_length", "steps", True, False, False, False, 0.0, end),
        ("failure_rate", None, False, True, False, True, -end, end),
        ("explained_variance", None, True, False, False, False, -end, 1.0),
        ("entropy", "nats", False, False, False, False, -end, end),
        ("path_length_ratio", None, False, False, False, False, 1.0, end),
        ("outcome", None, True, False, False, False, -end, end),
    ]
    assert "entropy" not in [one.name for one in episode_metrics(entropy=False)]
