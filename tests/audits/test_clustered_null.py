"""A few clustered null data sets through the audits; docs/explanation/calibration.md has the rates of many."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd

from glassbench.stats.clusters import between_groups, clustered_share, effective_rows
from glassbench.stats.intervals import wilson

SCRIPT = Path(__file__).parents[1] / "calibration" / "clusters.py"


def test_null_data_of_persons_raise_no_alarm_once_persons_are_named():
    spec = importlib.util.spec_from_file_location("clustered_null_data", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    shape = script.Shape(persons=(30,) * 3)
    told, untold = 0, 0
    for seed in range(4):
        frame = script.null_set(shape, np.random.default_rng(seed))
        told += any(script.failing(frame, 50, clustered=True, seed=seed).values())
        untold += any(script.failing(frame, 50, clustered=False, seed=seed).values())
    assert told <= 1
    assert untold >= 3


def test_copies_of_rows_say_no_more_than_the_rows():
    part, whole = np.array([1.0, 0, 1, 1, 0, 0, 1, 0, 0, 0] * 20), np.ones(200)
    assert np.isclose(effective_rows(5 * part, 5 * whole), effective_rows(part, whole))
    share, low, high = clustered_share(5 * part, 5 * whole)
    plain = wilson(part.sum(), whole.sum())
    assert share == 0.4
    assert np.allclose([low, high], plain, atol=0.004)


def test_chance_between_groups_is_that_of_permuted_persons():
    """Persons of five rows each: what is drawn has the spread of an exhaustive shuffle of persons between groups."""
    chance = np.random.default_rng(0)
    said = (np.arange(40) < 14).astype(float)
    part, whole = np.zeros((40, 2)), np.zeros((40, 2))
    group = np.arange(40) % 2
    part[np.arange(40), group], whole[np.arange(40), group] = 5 * said, 5
    drawn = between_groups(part, whole, 4000, chance)
    shuffled = [np.diff([(s := chance.permutation(said))[:20].mean(), s[20:].mean()])[0] for _ in range(4000)]
    assert abs(np.std(drawn[:, 0] - drawn[:, 1]) / np.std(shuffled) - 1) < 0.06


def test_a_person_with_most_of_the_rows_carries_no_verdict():
    """One of 180 persons has 600 of some 1,100 rows, as an id that means "unknown" does: her group is no evidence of a gap."""
    spec = importlib.util.spec_from_file_location("clustered_null_data", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    alarms = 0
    for seed in range(6):
        chance = np.random.default_rng(seed)
        sizes = np.r_[600, chance.integers(1, 6, 179)]
        person, score = np.repeat(np.arange(180), sizes), chance.beta(1.6, 2.4, 180)
        group, truth = chance.integers(0, 3, 180), chance.random(180) < score
        columns = {"group": group, "y_true": truth, "score": score, "y_pred": score > np.quantile(score, 0.6)}
        frame = pd.DataFrame({"person": person, **{name: column[person] for name, column in columns.items()}})
        found = script.failing(frame, 50, clustered=True, seed=seed)
        alarms += found["fairness"] + found["fairness of values"] + found["four-fifths"]
    assert alarms <= 2  # of 18; about half of them before clusters were counted by their sizes
