"""Audits of several labels per row, each held against what is known of a single label."""

from dataclasses import replace

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
import pytest

from glassbench import Predictions, Schema, Subject, Target
from glassbench.contracts.predictions.labels import joined_labels, prediction_columns, truth_columns
from glassbench_audits.calibration.audit import audit as calibration
from glassbench_audits.fairness.audit import audit as fairness
from glassbench_audits.performance.audit import audit as performance
from glassbench_audits.selection.four_fifths import audit as four_fifths
from glassbench_plugins.supervised.classification import Classification
from glassbench_plugins.supervised.multilabel import MultilabelClassification

NAMES = ("beach", "sunset", "city")


def subject(seed: int, *, rows: int = 1500, missed: float = 0.0, labels=(1,), favourable=None, unknown: float = 0.0) -> Subject:
    """Predictions of three labels for two groups; `missed` of the true sunsets of group b, or other labels, are not predicted."""
    chance = np.random.default_rng(seed)
    truth = (chance.random((rows, 3)) < [0.5, 0.4, 0.3]).astype(float)
    scores = 1 / (1 + np.exp(-(3 * truth - 1.5 + chance.normal(size=(rows, 3)))))
    group = chance.choice(["a", "b"], rows)
    for k in labels:
        lost = (group == "b") & (truth[:, k] == 1) & (chance.random(rows) < missed)
        scores[lost, k] = chance.uniform(0.05, 0.3, lost.sum())
    truth = np.where(chance.random((rows, 3)) < unknown, np.nan, truth)
    given = scores >= 0.5
    columns = {**truth_columns(truth, NAMES), **prediction_columns(given, NAMES)}
    columns |= {f"score.{name}": scores[:, k] for k, name in enumerate(NAMES)}
    words = {"y_true": joined_labels(truth, NAMES), "y_pred": joined_labels(given, NAMES)}
    frame = pd.DataFrame({"row": range(rows), **words, **columns, "group.camera": group})
    target = Target(name="photo", kind="labels", classes=NAMES, favourable=favourable)
    schema, task = Schema(modality="table", shape=(1,), target=target, sensitive=("camera",)), MultilabelClassification()
    task.check(schema)
    return Subject(schema=schema, predictions=Predictions(frame=frame), task=task, seed=seed, held_out=True)


def alone(whole: Subject, name: str) -> Subject:
    """The same predictions of one label, as a choice of two classes."""
    frame, words = whole.predictions.frame, np.array([f"not {name}", name], dtype=object)
    columns = {"row": frame["row"], "y_true": words[frame[f"y_true.{name}"]], "y_pred": words[frame[f"y_pred.{name}"]]}
    columns |= {f"score.not {name}": 1 - frame[f"score.{name}"], f"score.{name}": frame[f"score.{name}"]}
    target = Target(name=name, kind="class", classes=(f"not {name}", name), positive=name)
    schema, task = replace(whole.schema, target=target), Classification()
    task.check(schema)
    shown = pd.DataFrame({**columns, "group.camera": frame["group.camera"]})
    return replace(whole, schema=schema, predictions=Predictions(frame=shown), task=task)


def measured(result):
    return {(m.name, tuple((m.group or {}).values())): m for m in result.measures}


def test_rates_and_gaps_of_each_label_are_fairlearns():
    whole = subject(1, missed=0.4)
    frame, found = whole.predictions.frame, measured(fairness(whole, replicates=100))
    for name in NAMES:
        truth, given, group = frame[f"y_true.{name}"], frame[f"y_pred.{name}"], frame["group.camera"]
        rates = fl.MetricFrame(metrics=fl.selection_rate, y_true=truth, y_pred=given, sensitive_features=group).by_group
        for value in "ab":
            assert found[f"fairness.selection_rate[{name}]", (value,)].value == rates[value]
        for gap in ("demographic_parity", "equalized_odds", "equal_opportunity"):
            expected = getattr(fl, f"{gap}_difference")(truth, given, sensitive_features=group)
            assert found[f"fairness.{gap}_difference[{name}]", ()].value == pytest.approx(expected, abs=1e-12)
    widest = max(
        fl.equal_opportunity_difference(frame[f"y_true.{n}"], frame[f"y_pred.{n}"], sensitive_features=group) for n in NAMES
    )
    assert found["fairness.equal_opportunity_difference", ()].value == pytest.approx(widest, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_a_label_missed_for_one_group_is_found_and_named(seed):
    failed = [f.sentence for f in fairness(subject(seed, missed=0.5), replicates=200).findings if f.grade == "concern"]
    assert any("Actual “sunset” is missed more often for camera “b”" in sentence for sentence in failed)
    assert not any("beach" in sentence or "city" in sentence for sentence in failed)


def test_a_wide_gap_of_one_label_does_not_hide_that_of_another():
    result = fairness(subject(1, missed=0.5, labels=(0, 1)), replicates=200)
    failed = [f for f in result.findings if f.grade == "concern"]
    for name in ("beach", "sunset"):
        missed = next(f for f in failed if f.sentence.startswith(f"Actual “{name}” is missed more often"))
        assert missed.measures == tuple(f"fairness.false_negative_rate{kind}[{name}]" for kind in ("_difference", ""))
        assert missed.measures[0] in {m.name for m in result.measures}
    assert not any("city" in f.sentence for f in failed)


def test_groups_are_held_against_a_reference_group_label_by_label():
    result = fairness(subject(1, missed=0.5), replicates=200, reference={"camera": "a"})
    said = [f for f in result.findings if f.sentence.startswith("Against the reference group")]
    assert any(f.measures == ("fairness.false_negative_rate_difference_to_reference[sunset]",) for f in said)
    assert {name for f in said for name in f.measures} <= {m.name for m in result.measures}


@pytest.mark.parametrize("seed", range(6))
def test_nothing_fails_where_no_label_differs(seed):
    assert not [f.sentence for f in fairness(subject(seed), replicates=200).findings if f.grade == "concern"]


def test_four_fifths_are_of_the_labels_that_are_good_for_a_person():
    whole = subject(2, missed=0.6, favourable=("sunset",))
    result = fairness(whole, replicates=200)
    frame, found = whole.predictions.frame, measured(result)
    expected = fl.demographic_parity_ratio(
        frame["y_true.sunset"], frame["y_pred.sunset"], sensitive_features=frame["group.camera"]
    )
    assert found["fairness.four_fifths", ()].value == pytest.approx(expected)
    assert any(f.grade == "concern" and f.sentence.startswith("Four-fifths rule: “sunset”") for f in result.findings)
    other = measured(fairness(subject(2, missed=0.6, favourable=("beach",)), replicates=200))
    assert other["fairness.four_fifths", ()].value > 0.9


def test_rates_count_the_rows_of_which_a_label_is_known():
    whole = subject(4, unknown=0.2)
    frame, found = whole.predictions.frame, measured(fairness(whole, replicates=100))
    for name in NAMES:
        mine = frame[(frame["group.camera"] == "a") & (frame[f"y_true.{name}"] == 1)]
        rate = found[f"fairness.true_positive_rate[{name}]", ("a",)]
        assert (rate.n, rate.value) == (len(mine), mine[f"y_pred.{name}"].mean())
        everyone = found[f"fairness.selection_rate[{name}]", ("a",)]
        assert everyone.n == (frame["group.camera"] == "a").sum()


def test_precision_and_recall_of_each_label_are_those_of_the_label_alone():
    whole = subject(5)
    found = measured(performance(whole))
    for name in NAMES:
        single = measured(performance(alone(whole, name)))
        for measure in ("precision", "recall"):
            mine, other = (one[f"performance.{measure}[{name}]", ()] for one in (found, single))
            assert (mine.value, mine.low, mine.high, mine.n) == (other.value, other.low, other.high, other.n)


def test_calibration_of_each_label_is_that_of_the_label_alone():
    whole = subject(6)
    found = measured(calibration(whole, replicates=100))
    for name in NAMES:
        single = measured(calibration(alone(whole, name), replicates=100))
        for (measure, group), other in single.items():
            mine = found[f"{measure}[{name}]", group]
            assert (mine.value, mine.low, mine.high) == (other.value, other.low, other.high)
    assert "each label has its own" in found["calibration.calibration_error", ()].undefined


def test_an_audit_of_one_choice_says_why_it_does_not_apply():
    assert "several labels" in four_fifths(subject(7)).not_applicable
