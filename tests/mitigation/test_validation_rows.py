"""What every mitigation that decides must do with validation rows: count them as often as they stand, whatever their order."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.mitigation import Mitigation
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.task import Predictions
from glassbench_plugins.mitigation.abstention import Abstention
from glassbench_plugins.mitigation.cost_threshold import CostThreshold
from glassbench_plugins.mitigation.group_offsets import GroupOffsets
from glassbench_plugins.mitigation.group_thresholds import GroupThresholds
from glassbench_plugins.mitigation.reject_option import RejectOption
from glassbench_plugins.mitigation.score_calibration import ScoreCalibration

TARGET = Target(name="y", kind="class", classes=("no", "yes"), positive="yes")
SCHEMA = Schema(modality="table", shape=(1,), target=TARGET, sensitive=("sex",))
RULES: dict[str, Mitigation] = {
    "thresholds, parity": GroupThresholds(constraint="demographic_parity", tolerance=0.05, accuracy_loss=0.03),
    "thresholds, odds": GroupThresholds(accuracy_loss=0.05),
    "thresholds, none affordable": GroupThresholds(accuracy_loss=0.0, tolerance=0.0),
    "cost": CostThreshold(false_negative=3.0, false_positive=1.0),
    "offsets": GroupOffsets(accuracy_loss=0.1),
    "reject option": RejectOption(accuracy_loss=0.1),
    "coverage": Abstention(coverage=0.7),
    "error": Abstention(error=0.2),
    "temperature": ScoreCalibration(),
    "platt by group": ScoreCalibration(method="platt", by_group=True),
    "isotonic": ScoreCalibration(method="isotonic"),
}


def scored(n: int = 320, seed: int = 5) -> pd.DataFrame:
    """Scores of two groups, too high for the one; rows stand for more where the truth is yes and where scores are high."""
    chance = np.random.default_rng(seed)
    sex = chance.choice(["f", "m"], n)
    truth = chance.random(n) < np.where(sex == "m", 0.6, 0.3)
    score = np.clip(0.5 + 0.3 * (truth - 0.5) + 0.2 * (sex == "m") - 0.1 + 0.18 * chance.normal(size=n), 0.01, 0.99).round(2)
    names = np.array(["no", "yes"])
    frame = pd.DataFrame({"row": np.arange(n), "y_true": names[truth.astype(int)], "y_pred": names[(score >= 0.5).astype(int)]})
    often = np.where(truth, chance.integers(1, 6, n), 1) + 3 * (score > 0.7)
    return frame.assign(**{"score.no": 1 - score, "score.yes": score, "group.sex": sex, "frequency": often})


def fitted(rule: Mitigation, frame: pd.DataFrame) -> tuple[Any, pd.DataFrame]:
    """Return what a mitigation reads off validation rows, and how it decides rows of every score and group."""
    asked = pd.concat([scored(200, seed=6).drop(columns="frequency").assign(**{"group.sex": name}) for name in ("f", "m", "x")])
    facts = rule.fit_decisions(Predictions(frame=frame), SCHEMA)
    return facts, rule.decide(Predictions(frame=asked.reset_index(drop=True)), facts).frame


def assert_alike(first: tuple[Any, pd.DataFrame], second: tuple[Any, pd.DataFrame]) -> None:
    pd.testing.assert_frame_equal(first[1], second[1], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", RULES)
def test_rows_that_stand_for_several_decide_as_rows_written_out(name):
    counted = scored()
    out = counted.loc[counted.index.repeat(counted.frequency)].drop(columns="frequency").reset_index(drop=True)
    found = fitted(RULES[name], counted)
    assert_alike(found, fitted(RULES[name], out))
    with pytest.raises(AssertionError):  # counting each once is another rule, so that the test can fail
        assert_alike(found, fitted(RULES[name], counted.drop(columns="frequency")))


@pytest.mark.parametrize("name", RULES)
def test_rows_whose_outcome_is_not_known_decide_nothing(name):
    known = scored()
    unknown = scored(90, seed=9).assign(y_true=None, frequency=7, **{"score.yes": 0.9, "score.no": 0.1, "y_pred": "yes"})
    both = pd.concat([known, unknown], ignore_index=True).assign(row=np.arange(410))
    assert_alike(fitted(RULES[name], known), fitted(RULES[name], both))


@pytest.mark.parametrize("name", RULES)
def test_the_order_of_rows_does_not_matter(name):
    frame = scored()
    turned = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    assert_alike(fitted(RULES[name], frame), fitted(RULES[name], turned))


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_kept_as_json_says_it(name):
    rule, frame = RULES[name], Predictions(frame=scored())
    facts = rule.fit_decisions(frame, SCHEMA)
    again = json.loads(json.dumps(facts))
    pd.testing.assert_frame_equal(rule.decide(frame, facts).frame, rule.decide(frame, again).frame)


def test_rules_are_what_they_were(pinned):
    told = {}
    for name, rule in RULES.items():
        if name in ("offsets", "platt by group"):  # what an optimizer comes to changes with its version
            continue
        facts, frame = fitted(rule, scored())
        told[name] = {"facts": facts, "yes": int((frame["y_pred"] == "yes").sum()), "score": float(frame["score.yes"].mean())}
    pinned("rules", told)
