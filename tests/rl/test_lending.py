"""Lending-v0 against its equations, and what a lender's policy does to two groups."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from glassbench import run
from glassbench_plugins.rl.dataset import environment
from glassbench_plugins.rl.evaluation import play, steps_frame
from glassbench_plugins.rl.lending import ID, Lending, repayment


def test_it_keeps_gymnasiums_promises_as_it_is_registered():
    environment(1, id=ID)
    check_env(gymnasium.make(ID, penalty=1.0).unwrapped)
    check_env(gymnasium.make(ID, criterion="opportunity").unwrapped)


def test_people_repay_as_often_as_their_score_says():
    lending = Lending(people=200)
    seen, info = lending.reset(seed=0)
    told = []
    for _ in range(20_000):
        told.append((seen[0], info["repays"]))
        seen, *_, info = lending.step(0)
    scores, repaid = np.array(told).T
    expected = np.array([repayment(score) for score in scores])
    for low in range(500, 760, 40):
        chosen = (scores >= low) & (scores < low + 40)
        deviation = np.sqrt((expected[chosen] * (1 - expected[chosen])).sum()) / chosen.sum()
        assert abs(repaid[chosen].mean() - expected[chosen].mean()) < 4 * deviation


def test_groups_start_where_the_equations_say():
    lending = Lending(people=5000)
    lending.reset(seed=1)
    assert lending.scores.mean(axis=1) == pytest.approx([680, 620], abs=4)
    assert lending.scores.std(axis=1) == pytest.approx([70, 70], abs=3)


@pytest.mark.parametrize("criterion", ["selection", "opportunity"])
def test_a_step_follows_the_equations(criterion):
    lending, random = Lending(penalty=1.5, criterion=criterion, memory=10, people=4), np.random.default_rng(0)
    seen, info = lending.reset(seed=5)
    rates = np.array([0.5, 0.5])
    for _ in range(300):
        action, score, group, repays = int(random.integers(2)), float(seen[0]), int(seen[1]), info["repays"]
        before = lending.scores.copy()
        person = int(np.flatnonzero(np.isclose(before[group], score, atol=1e-3))[0])
        if criterion == "selection" or repays:
            rates[group] += (action - rates[group]) / 10
        seen, reward, *_, info = lending.step(action)
        profit = action * (1.0 if repays else -4.0)
        moved = np.clip(before[group][person] + action * (75 if repays else -150), 300, 850)
        assert reward == pytest.approx(profit - 1.5 * abs(rates[0] - rates[1]))
        assert lending.scores[group][person] == pytest.approx(moved)
        assert seen[2:] == pytest.approx(rates, abs=1e-6)


def test_the_outcome_is_how_far_a_group_came():
    source = environment(2, id=ID, sensitive=("group",), evaluation_episodes=3).test
    frame = steps_frame(source, play(source, lambda seen: (seen[:, 0] > 700).astype(int)))
    one = frame[(frame["episode"] == 1) & (frame["group.group"] == "B")]
    assert one["outcome"].tolist() == pytest.approx([one["fares"].iloc[-1] - one["fares"].iloc[0]] * len(one))
    assert set(frame["y_true"]) == {"deny", "grant"}


def figures(example, root, *overrides):
    done = run(example, runs=root, overrides=list(overrides))
    assert [audit.error for audit in done.audits] == [None] * len(done.audits)
    return {(m.name, tuple((m.group or {}).values())): m for m in done.measures}


@pytest.mark.slow
def test_a_penalty_narrows_the_gap_and_costs_profit(tmp_path, request):
    examples = request.config.rootpath / "docs" / "examples"
    alone, fair = (figures(examples / f"{name}.yaml", tmp_path) for name in ("lending", "lending-fair"))
    gap = ("fairness.demographic_parity_difference", ())
    assert alone[gap].low > 0.2
    assert fair[gap].high < alone[gap].low
    profit = ("performance.gain", ())
    assert fair[profit].high < alone[profit].low
    outcome = ("fairness.outcome", ("B",))
    assert fair[outcome].value > alone[outcome].value
    rate = ("fairness.true_positive_rate", ("B",))
    assert fair[rate].low > alone[rate].high
