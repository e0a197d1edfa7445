"""Thresholds against Fairlearn's own optimizer on the same scores, and against all pairs of thresholds tried by hand."""

import itertools
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from fairlearn.postprocessing import ThresholdOptimizer

from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.task import Predictions
from glassbench.errors import DataError
from glassbench_plugins.mitigation.group_thresholds import GroupThresholds
from glassbench_plugins.mitigation.randomized import _Scores, positive_probability
from glassbench_plugins.mitigation.threshold_search import GroupScores, _curve, find_thresholds

TARGET = Target(name="y", kind="class", classes=("no", "yes"), positive="yes")
SCHEMA = Schema(modality="table", shape=(1,), target=TARGET, sensitive=("sex",))


def scored(n: int = 600, seed: int = 0, digits: int = 2) -> Predictions:
    chance = np.random.default_rng(seed)
    sex = chance.choice(["f", "m"], n)
    truth = chance.random(n) < np.where(sex == "m", 0.6, 0.3)
    score = np.clip(0.5 + 0.25 * (truth - 0.5) + 0.1 * (sex == "m") + 0.15 * chance.normal(size=n), 0, 1).round(digits)
    names = np.array(["no", "yes"])
    frame = pd.DataFrame({"row": np.arange(n), "y_true": names[truth.astype(int)], "y_pred": names[(score >= 0.5).astype(int)]})
    return Predictions(frame=frame.assign(**{"score.no": 1 - score, "score.yes": score, "group.sex": sex}))


@pytest.mark.parametrize(
    "constraint", ["demographic_parity", "equalized_odds", "true_positive_rate_parity", "false_positive_rate_parity"]
)
def test_randomized_is_fairlearns(constraint: str) -> None:
    fitted, new = scored(), scored(seed=1)
    facts = GroupThresholds(constraint=constraint, randomized=True).fit_decisions(fitted, SCHEMA)
    optimizer = ThresholdOptimizer(estimator=_Scores(), constraints=constraint, prefit=True, predict_method="predict_proba")
    inputs, sex = fitted.frame[["score.yes"]].to_numpy(), fitted.frame["group.sex"]
    optimizer.fit(inputs, (fitted.frame["y_true"] == "yes").astype(int), sensitive_features=sex)
    expected = optimizer._pmf_predict(new.frame[["score.yes"]].to_numpy(), sensitive_features=new.frame["group.sex"])[:, 1]
    for rule in facts["rules"]:
        member = (new.frame["group.sex"] == rule["group"][0]).to_numpy()
        found = positive_probability(new.frame["score.yes"].to_numpy()[member], rule)
        assert found == pytest.approx(expected[member])
    decided = GroupThresholds(randomized=True).decide(new, facts)
    selected = (decided.frame["y_pred"] == "yes").groupby(new.frame["group.sex"]).mean()
    assert selected.to_numpy() == pytest.approx(pd.Series(expected).groupby(new.frame["group.sex"]).mean().to_numpy(), abs=0.08)
    again = GroupThresholds(randomized=True).decide(new, facts).frame["y_pred"]
    assert (again == decided.frame["y_pred"]).all()


def test_thresholds_are_the_best_of_all_pairs() -> None:
    frame = scored(digits=1).frame
    truth, score = (frame["y_true"] == "yes").to_numpy(), frame["score.yes"].to_numpy()
    parts = [frame["group.sex"].to_numpy() == g for g in ("f", "m")]
    groups = [GroupScores(score[m], truth[m], score[m] >= 0.5, np.ones(m.sum())) for m in parts]
    found = find_thresholds(groups, "demographic_parity", tolerance=0.1, accuracy_loss=0.05)

    def outcome(thresholds: tuple[float, ...]) -> tuple[float, float]:
        chosen = [g.score >= t for g, t in zip(groups, thresholds, strict=True)]
        gap = abs(chosen[0].mean() - chosen[1].mean())
        return gap, sum((c == g.truth).sum() for c, g in zip(chosen, groups, strict=True)) / len(frame)

    every = [outcome(pair) for pair in itertools.product(np.arange(-0.05, 1.2, 0.1), repeat=2)]
    gap, accuracy = outcome(tuple(found))
    assert gap <= 0.1
    assert accuracy == pytest.approx(max(a for g, a in every if g <= 0.1))


def test_rates_of_candidates_are_those_counted_by_hand() -> None:
    """Scores .2 to .8, the second and fourth are true; at .5 one of two is caught, and one of two false ones let pass."""
    group = GroupScores(
        np.array([0.2, 0.4, 0.6, 0.8]), np.array([False, True, False, True]), np.zeros(4, dtype=bool), np.array([1.0, 1, 3, 1])
    )
    expected = {
        "demographic_parity": [[1, 5 / 6, 4 / 6, 1 / 6, 0]],
        "true_positive_rate_parity": [[1, 1, 1 / 2, 1 / 2, 0]],
        "false_positive_rate_parity": [[1, 3 / 4, 3 / 4, 0, 0]],
        "equalized_odds": [[1, 3 / 4, 3 / 4, 0, 0], [1, 1, 1 / 2, 1 / 2, 0]],
    }
    for constraint, rates in expected.items():
        curve = _curve(group, constraint)
        assert curve.thresholds == pytest.approx([0, 0.3, 0.5, 0.7, 1.5])
        np.testing.assert_allclose(curve.rates, np.transpose(rates))
        assert curve.right == pytest.approx([2, 3, 2, 5, 4])


@pytest.mark.parametrize(
    ("tolerance", "loss", "expected"),
    [
        (0.0, 0.5, [0.0, 0.0]),  # both all: no gap, 7 of 11 right
        (0.0, 0.15, [0.0, 0.75]),  # no gap would cost 2 of 11; all and 6 of 7 leaves a gap of 1 in 7
        (0.2, 0.5, [0.0, 0.75]),  # of gaps that count as alike the most accurate
        (0.0, 0.05, [1.5, 0.75]),  # of what is affordable the smallest gap
        (0.9, 0.05, [1.5, 0.75]),
        (0.9, -0.2, [1.5, 0.75]),  # nothing is affordable: the most accurate
    ],
)
def test_what_thresholds_may_cost_is_counted_in_the_weights_of_rows(tolerance, loss, expected) -> None:
    """The plain decisions are right on 9 of 11 by weight, and on 2 of 4 rows."""
    one = GroupScores(np.array([0.2, 0.2]), np.array([False, True]), np.array([False, False]), np.array([3.0, 1.0]))
    two = GroupScores(np.array([0.9, 0.6]), np.array([True, False]), np.array([True, True]), np.array([6.0, 1.0]))
    assert find_thresholds([one, two], "demographic_parity", tolerance=tolerance, accuracy_loss=loss) == pytest.approx(expected)


def test_rows_without_the_feature_are_refused_and_unknown_groups_keep_the_plain_decision() -> None:
    fitted = scored()
    rule = GroupThresholds()
    facts = rule.fit_decisions(fitted, SCHEMA)
    bare = Predictions(frame=fitted.frame.drop(columns="group.sex"))
    with pytest.raises(DataError, match="sensitive feature 'sex'") as caught:
        rule.decide(bare, facts)
    assert "add the column 'sex'" in str(caught.value)
    strange = Predictions(frame=fitted.frame.assign(**{"group.sex": "x"}))
    assert (rule.decide(strange, facts).frame["y_pred"] == strange.frame["y_pred"]).all()


def test_expected_rates_are_those_of_calibrated_scores_and_vary_less_than_counts() -> None:
    """Scores are log-linear in the odds here, so that Platt's line fits; many rows say where the thresholds belong."""

    def drawn(n: int, seed: int) -> Predictions:
        chance = np.random.default_rng(seed)
        sex, logit = chance.choice(["f", "m"], n), chance.normal(size=n)
        truth = chance.random(n) < 1 / (1 + np.exp(-2 * logit - (sex == "m")))
        names, score = np.array(["no", "yes"]), 1 / (1 + np.exp(-logit))
        frame = pd.DataFrame({"row": np.arange(n), "y_true": names[truth.astype(int)]})
        decided = names[(score >= 0.5).astype(int)]
        return Predictions(frame=frame.assign(**{"y_pred": decided, "score.no": 1 - score, "score.yes": score, "group.sex": sex}))

    def thresholds(rows: Predictions, rates: Literal["counted", "expected"]) -> np.ndarray:
        facts = GroupThresholds(rates=rates, constraint="demographic_parity").fit_decisions(rows, SCHEMA)
        return np.array([rule["threshold"] for rule in facts["rules"]])

    goal = thresholds(drawn(200_000, 0), "counted")
    assert thresholds(drawn(200_000, 0), "expected") == pytest.approx(goal, abs=0.03)
    far = {rates: [abs(thresholds(drawn(300, seed), rates) - goal) for seed in range(1, 41)] for rates in ("counted", "expected")}
    assert np.mean(far["expected"]) < 0.9 * np.mean(far["counted"])


def test_of_two_rates_the_wider_gap_decides() -> None:
    frame = scored(digits=1).frame
    truth, score = (frame["y_true"] == "yes").to_numpy(), frame["score.yes"].to_numpy()
    parts = [frame["group.sex"].to_numpy() == g for g in ("f", "m")]
    groups = [GroupScores(score[m], truth[m], score[m] >= 0.5, np.ones(m.sum())) for m in parts]

    def widest(thresholds: list[float]) -> float:
        said = [g.score >= t for g, t in zip(groups, thresholds, strict=True)]
        rates = [[s[g.truth].mean(), s[~g.truth].mean()] for s, g in zip(said, groups, strict=True)]
        return float(np.abs(np.subtract(*rates)).max())

    found = [find_thresholds(groups, "equalized_odds", tolerance=t, accuracy_loss=1.0) for t in (0.05, 0.1, 0.15, 0.2)]
    assert [widest(pair) <= t for pair, t in zip(found, (0.05, 0.1, 0.15, 0.2), strict=True)] == [True] * 4
