"""Numbers of groups computed a second way: under weights of rows, from rows written as often as they count, of known rows."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency
from sklearn.metrics import roc_auc_score

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench_audits.fairness.frames.group_frames import group_frames
from glassbench_audits.fairness.inequality import between_groups_index, entropy_index, inequality
from glassbench_audits.fairness.recomputed import recomputed
from glassbench_audits.fairness.selective import KnownOutcomes, known_outcomes


def people(n: int = 120, seed: int = 0) -> pd.DataFrame:
    """Two features of unlike groups, decisions, outcomes of which some are not known, and what rows stand for."""
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame({"sex": chance.choice(["f", "m"], n, p=[0.3, 0.7]), "age": chance.choice(["old", "young", "mid"], n)})
    frame["score"] = chance.random(n).round(2)
    frame["actual"] = (chance.random(n) < frame["score"] * np.where(frame["sex"] == "f", 0.6, 1)).astype(int).astype(str)
    frame["decided"] = (frame["score"] > 0.5).astype(int).astype(str)
    frame["times"] = chance.integers(1, 4, n)
    frame["known"] = chance.random(n) < 0.7
    return frame


class Scoring:
    kind = Classes()
    metrics = (
        Metric(name="roc_auc", compute=lambda f, w: np.array([_auc(f, row) for row in w]), scored=True, lowest=0, highest=1),
        Metric(name="cost", compute=lambda f, w: w @ f["score.1"].to_numpy() / w.sum(axis=1), compares=False, grouped=True),
    )


def _auc(frame: pd.DataFrame, weight: np.ndarray) -> float:
    there = weight > 0
    truth = (frame["y_true"] == "1").to_numpy()[there]
    return roc_auc_score(truth, frame["score.1"][there], sample_weight=weight[there]) if 0 < truth.mean() < 1 else np.nan


@pytest.fixture(name="subject")
def _subject(classification):
    def make(frame: pd.DataFrame, features: tuple[str, ...] = ("sex", "age"), known: bool = False, **columns: object) -> Subject:
        groups = frame[list(features)].reset_index(drop=True)
        decided = classification(
            frame["actual"].tolist(), frame["decided"].tolist(), groups, scores=frame["score"].to_numpy(), task=Scoring()
        )
        rows = decided.predictions.frame.assign(**columns)
        if not known:
            rows["y_true"] = rows["y_true"].astype(object).where(frame["known"].to_numpy(), None)
        return replace(decided, predictions=Predictions(frame=rows))

    return make


def numbers(subject: Subject, weights: np.ndarray | None = None) -> dict[tuple[object, ...], float]:
    found = recomputed(subject, {})
    rows = np.ones(len(subject.predictions.frame)) if weights is None else weights
    values = found.compute(rows[None].astype(float))[0]
    return {(n.name, n.by, n.group): v for n, v in zip(found.numbers, values, strict=True) if n.name}


def test_numbers_under_weights_are_those_of_rows_written_as_often(subject) -> None:
    frame = people()
    again = frame.loc[frame.index.repeat(frame["times"])].reset_index(drop=True)
    weighted, written = numbers(subject(frame), frame["times"].to_numpy()), numbers(subject(again))
    assert weighted.keys() == written.keys()
    for key, value in weighted.items():
        assert value == pytest.approx(written[key], nan_ok=True), key
    assert len({name for name, _, _ in weighted}) >= 9


def test_numbers_computed_again_are_those_of_the_frames(subject) -> None:
    made = subject(people())
    found = numbers(made)
    for frame in group_frames(made, depth=2, most=99, replicates=5):
        for k, metric in enumerate(frame.metrics):
            for g, group in enumerate(frame.groups if metric.name != "cost" else ()):
                key = (f"fairness.{metric.measure}", frame.by, tuple(group.mapping.items()))
                assert found[key] == pytest.approx(frame.value[k, g], nan_ok=True), key


def test_scores_of_groups_are_judged_by_rows_of_known_outcome_and_not_of_intersections(subject) -> None:
    frame = people()
    frames = {found.by: found for found in group_frames(subject(frame), depth=2, most=99, replicates=5)}
    names = {by: [metric.name for metric in found.metrics] for by, found in frames.items()}
    assert "roc_auc" in names["sex",]
    assert "roc_auc" in names["age",]
    assert "roc_auc" not in names["sex", "age"]
    assert "cost" in names["sex", "age"]
    for by in (("sex",), ("age",)):
        k = names[by].index("roc_auc")
        for g, group in enumerate(frames[by].groups):
            rows = frame[(frame[by[0]] == group.values[0]) & frame["known"]]
            assert frames[by].value[k, g] == pytest.approx(roc_auc_score(rows["actual"], rows["score"]))


def test_small_groups_are_in_the_gaps_of_all_and_not_in_those_of_large_ones(subject) -> None:
    frame = people()
    frame.loc[:7, "age"] = "unknown"
    found = recomputed(subject(frame, features=("age",)), {"small": 9})
    numbers_of = [(n.name, dict(n.group or ()).get("age")) for n in found.numbers]
    gaps = {gap.name: [numbers_of[i][1] for part in gap.parts for i in part] for gap in found.gaps}
    assert set(gaps["fairness.demographic_parity_difference"]) == {"old", "young", "mid", "unknown"}
    assert set(gaps["fairness.demographic_parity_difference_without_small"]) == {"old", "young", "mid"}
    assert len(gaps["fairness.equalized_odds_difference"]) == 2 * len(gaps["fairness.accuracy_difference"])


def test_values_are_computed_again_over_rows_whose_truth_is_known(regression) -> None:
    chance = np.random.default_rng(2)
    truth, times = chance.normal(50, 9, 80), chance.integers(1, 4, 80)
    truth[chance.random(80) < 0.3] = np.nan
    decided, job = chance.normal(50, 9, 80), chance.choice(list("abc"), 80, p=[0.6, 0.3, 0.1])
    again = np.repeat(np.arange(80), times)
    one, other = regression(truth, decided, {"job": job}), regression(truth[again], decided[again], {"job": job[again]})
    weighted, written = numbers(one, times), numbers(other)
    assert weighted == pytest.approx(written, nan_ok=True)
    (frame,) = group_frames(other, depth=1, most=9, replicates=5)
    (whole, _, _), _ = frame.overall(1.0)
    for k, metric in enumerate(frame.metrics):
        for g, group in enumerate(frame.groups):
            key = (f"fairness.{metric.measure}", ("job",), tuple(group.mapping.items()))
            assert weighted[key] == pytest.approx(frame.value[k, g])
        assert weighted[f"fairness.{metric.measure}", None, None] == pytest.approx(whole[k])


def test_entropy_indices_of_each_order_are_their_sums() -> None:
    benefit, weight = np.array([1.0, 2, 4]), np.array([[3.0, 5, 2]])
    rows = np.repeat(benefit, [3, 5, 2])
    ratio = rows / rows.mean()
    expected = {0: -np.log(ratio), 1: ratio * np.log(ratio), 2: (ratio**2 - 1) / 2, 0.5: (np.sqrt(ratio) - 1) / -0.25}
    for alpha, terms in expected.items():
        assert entropy_index(benefit, weight, alpha)[0] == pytest.approx(terms.mean())
    group = np.array([0, 1, 1])
    means = np.where(rows == 1, 1, (5 * 2 + 2 * 4) / 7)
    assert between_groups_index(benefit, weight, group, 2.0)[0] == pytest.approx((((means / means.mean()) ** 2 - 1) / 2).mean())


def measured(subject: Subject, **settings: object) -> dict[str, tuple[float, float, float, int]]:
    found = inequality(subject, replicates=40, **settings).measures
    return {m.name: (m.value, m.low, m.high, m.n) for m in found if m.value is not None}


def test_groups_of_inequality_are_combinations_of_all_features(subject) -> None:
    frame = people()
    both = frame.assign(both=frame["sex"] + frame["age"])
    two, one = measured(subject(frame, known=True)), measured(subject(both, features=("both",), known=True))
    for name in ("inequality.between_group_entropy", "inequality.differential_fairness", "inequality.within_group_entropy"):
        assert two[name] == pytest.approx(one[name])
    first = measured(subject(frame, features=("sex",), known=True))
    assert first["inequality.between_group_entropy"][0] < two["inequality.between_group_entropy"][0]


def test_inequality_of_clusters_counts_what_rows_stand_for(subject) -> None:
    frame = people()
    clusters = np.array([f"c{k // 4}" for k in range(len(frame))])
    again = frame.index.repeat(frame["times"])
    counted = measured(subject(frame, known=True, frequency=frame["times"].to_numpy(), cluster=clusters))
    written = measured(subject(frame.loc[again].reset_index(drop=True), known=True, cluster=clusters[again]))
    for name in counted:
        assert counted[name] == pytest.approx(written[name]), name
    unweighted = measured(subject(frame, known=True, cluster=clusters))
    name = "inequality.generalized_entropy"
    assert unweighted[name][1:3] != pytest.approx(counted[name][1:3], abs=1e-4)


def test_entropy_is_of_known_outcomes_and_differential_fairness_of_all_decisions(subject) -> None:
    frame = people()
    some, whole = measured(subject(frame)), measured(subject(frame, known=True))
    known = measured(subject(frame[frame["known"]].reset_index(drop=True), known=True))
    for name in ("inequality.generalized_entropy", "inequality.theil", "inequality.between_group_entropy"):
        assert some[name] == pytest.approx(known[name])
    name = "inequality.differential_fairness"
    assert some[name] == pytest.approx(whole[name])


def outcomes(**more: object) -> KnownOutcomes:
    given = {"rows": np.array([60, 40]), "known": np.array([50, 10]), "by_decision": False, "unlike": ((), ("sex",))}
    given |= {"chosen": ("yes",), "spoken": "yes", "several": False, "scored": ("roc_auc",)}
    return KnownOutcomes(**{**given, **more})


@pytest.mark.parametrize(
    ("unlike", "more", "without"),
    [
        (((), ()), {}, set()),
        (((), ("sex",)), {}, {"false_omission_rate", "precision[no]"}),
        ((("sex",), ()), {}, {"precision", "false_discovery_rate", "precision[yes]", "false_omission_rate[no]"}),
        (((), ("sex",)), {"spoken": "no"}, {"precision", "false_discovery_rate", "precision[no]", "false_omission_rate[yes]"}),
        (((), ("sex",)), {"several": True}, {"false_omission_rate", "precision[no]", "false_omission_rate[no]"}),
    ],
)
def test_what_rests_on_one_decision_has_no_verdict_where_outcomes_are_unlike_within_it(unlike, more, without) -> None:
    found = outcomes(unlike=unlike, **more)
    asked = ["precision", "false_discovery_rate", "false_omission_rate", "precision[yes]", "precision[no]"]
    asked += ["false_omission_rate[no]", "false_omission_rate[yes]"]
    expected = without | ({"false_omission_rate[yes]"} if "false_omission_rate" in without else set())
    assert {name for name in asked if found.why_not(name)} == expected
    for name in ("accuracy", "roc_auc_difference"):
        assert (found.why_not(name) is not None) == any(unlike)


def decided(classification, table: dict[tuple[str, str, bool], int], written: bool) -> Subject:
    """Rows by sex, age and whether an outcome is known, all decided alike, once with counts and once written so often."""
    keys = list(table) if not written else [key for key, n in table.items() for _ in range(n)]
    frame = pd.DataFrame(keys, columns=["sex", "age", "known"])
    made = classification(["1"] * len(frame), ["1"] * len(frame), frame[["sex", "age"]], favourable="1")
    rows = made.predictions.frame
    rows["y_true"] = rows["y_true"].astype(object).where(frame["known"], None)
    if not written:
        rows["frequency"] = list(table.values())
    return replace(made, predictions=Predictions(frame=rows))


def test_outcomes_are_unlike_by_what_rows_stand_for_corrected_for_features_and_decisions(classification) -> None:
    table = {("f", "old", True): 30, ("f", "old", False): 20, ("m", "young", True): 45, ("m", "young", False): 12}
    p = chi2_contingency([[30, 20], [45, 12]]).pvalue
    for written in (False, True):
        subject = decided(classification, table, written)
        for level, named in ((1 - 4 * p * 1.01, ("sex", "age")), (1 - 4 * p * 0.99, ())):
            found = known_outcomes(subject, level)
            assert found.unlike == (named, ())
            assert (found.rows.tolist(), found.known.tolist()) == ([107, 0], [75, 0])
