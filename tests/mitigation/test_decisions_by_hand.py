"""Rules of decisions at their edges: groups of just enough rows, small ones, scores exactly at a bound, ties, weights."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import beta
from sklearn.calibration import _SigmoidCalibration

from glassbench.contracts.data import Data, Split
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.task import Predictions
from glassbench.errors import DataError
from glassbench.stats.sampling import Sampling
from glassbench_plugins.mitigation.abstention import Abstention
from glassbench_plugins.mitigation.confidence_cut import least_rows, of_coverage, of_error, upper_bound
from glassbench_plugins.mitigation.decided_rows import METRICS
from glassbench_plugins.mitigation.group_offsets import GroupOffsets
from glassbench_plugins.mitigation.group_thresholds import GroupThresholds
from glassbench_plugins.mitigation.groups import Groups
from glassbench_plugins.mitigation.reject_option import RejectOption
from glassbench_plugins.mitigation.score_calibration import ScoreCalibration, platt_line

TARGET = Target(name="y", kind="class", classes=("no", "yes"), positive="yes")
SCHEMA = Schema(modality="table", shape=(1,), target=TARGET, sensitive=("sex",))


def predictions(score, sex, truth, **more) -> Predictions:
    """Return rows decided from one half on, their truth `y` or `n`, of groups of one letter."""
    score = np.asarray(score, dtype=float)
    frame = pd.DataFrame({"row": np.arange(len(score)), "score.no": 1 - score, "score.yes": score, "group.sex": [*sex]})
    said = {"y_pred": np.where(score >= 0.5, "yes", "no"), "y_true": [{"y": "yes", "n": "no"}.get(one) for one in truth]}
    return Predictions(frame=frame.assign(**said, **more))


def mixed(sex: str, seed: int = 0) -> Predictions:
    chance = np.random.default_rng(seed)
    score = chance.random(len(sex)).round(2)
    return predictions(score, sex, np.where(chance.random(len(sex)) < score, "y", "n"))


def test_a_group_needs_thirty_rows_of_both_classes_for_a_threshold():
    rows = mixed("a" * 30 + "b" * 29 + "c" * 40 + "d" * 40 + "e" * 40)
    truth = rows.frame["y_true"].where(~rows.frame["group.sex"].isin(["c", "d"]), "yes")
    truth = truth.where(rows.frame["group.sex"] != "d", "no")
    facts = GroupThresholds().fit_decisions(Predictions(frame=rows.frame.assign(y_true=truth)), SCHEMA)
    assert [(rule["group"], rule["rows"]) for rule in facts["rules"]] == [(["a"], 30), (["e"], 40)]
    assert facts["unfitted"] == [["b"], ["c"], ["d"]]
    assert len(GroupOffsets().fit_decisions(mixed("a" * 30 + "b" * 29), SCHEMA)["offsets"]) == 1


def test_a_score_at_its_groups_threshold_is_decided_positive_and_other_groups_stay():
    facts = {"features": ["sex"], "positive": "yes", "unfitted": [], "rules": [{"group": ["a"], "rows": 30, "threshold": 0.75}]}
    found = GroupThresholds().decide(predictions([0.75, 0.7, 0.6, 0.4], "aabb", "yyyy"), facts)
    assert found.frame["y_pred"].tolist() == ["yes", "no", "yes", "no"]
    assert found.target_index.tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds"])
def test_randomized_rules_count_rows_as_often_as_they_stand(constraint):
    rows = mixed("a" * 60 + "b" * 50, seed=2).frame
    times = np.where(rows["y_true"] == "yes", 3, 1) + (rows["score.yes"] > 0.7)
    rule = GroupThresholds(randomized=True, constraint=constraint)
    out = rows.loc[rows.index.repeat(times)].reset_index(drop=True)
    alike, found = (rule.fit_decisions(Predictions(frame=one), SCHEMA) for one in (out, rows.assign(frequency=times)))
    for here, there in zip(found["rules"], alike["rules"], strict=True):
        assert {**here, "rows": 0} == {**there, "rows": 0}
    plain = rule.fit_decisions(Predictions(frame=rows), SCHEMA)
    assert plain["rules"] != found["rules"]


def test_offsets_of_large_groups_do_not_hang_on_small_ones_whatever_their_names():
    rows = mixed("b" * 60 + "c" * 60, seed=4).frame
    small = mixed("a" * 12, seed=5).frame
    rule = GroupOffsets(accuracy_loss=0.3, tolerance=0.01)
    alone = rule.fit_decisions(Predictions(frame=rows), SCHEMA)
    both = rule.fit_decisions(Predictions(frame=pd.concat([small, rows], ignore_index=True)), SCHEMA)
    assert both == alone
    assert np.any(alone["offsets"])
    last = rows.assign(**{"group.sex": rows["group.sex"].map({"b": "B", "c": "C"})})
    assert rule.fit_decisions(Predictions(frame=pd.concat([last, small])), SCHEMA)["offsets"] == alone["offsets"]
    decided = rule.decide(Predictions(frame=small), both).frame
    assert decided["y_pred"].tolist() == small["y_pred"].tolist()


def test_uncertain_decisions_favour_the_outcome_that_is_good_whichever_class_is_positive():
    """Twenty of 40 women and ten of 40 men are decided `yes`, which is bad; men of .48 are uncertain, and women of .55."""
    bad = Schema(
        modality="table",
        shape=(1,),
        target=Target(name="default", kind="class", classes=("no", "yes"), positive="yes", favourable=("no",)),
        sensitive=("sex",),
    )
    rows = predictions(
        [0.9] * 10 + [0.55] * 10 + [0.1] * 20 + [0.9] * 10 + [0.4] * 10 + [0.1] * 20, "f" * 40 + "m" * 40, "y" * 80
    )
    rule = RejectOption(tolerance=0.2, accuracy_loss=1.0)
    facts = rule.fit_decisions(rows, bad)
    assert (facts["favourable"], facts["favoured"], facts["others"]) == ("no", [["f"]], [["m"]])
    assert 0.05 <= facts["margin"] < 0.056
    decided = rule.decide(rows, facts).frame
    assert (decided["y_pred"] == "no").groupby(decided["group.sex"]).sum().to_dict() == {"f": 30, "m": 30}


def test_favoured_groups_are_selected_less_often_than_all_rows_and_not_than_the_mean_of_groups():
    """Rates of .2, .4 and .45 in groups of 40, 40 and 200: all rows .407, the mean of the rates .35."""
    score = [0.9] * 8 + [0.1] * 32 + [0.9] * 16 + [0.1] * 24 + [0.9] * 90 + [0.1] * 110
    facts = RejectOption(tolerance=0.0).fit_decisions(predictions(score, "a" * 40 + "b" * 40 + "c" * 200, "y" * 280), SCHEMA)
    assert (facts["favoured"], facts["others"]) == ([["a"], ["b"]], [["c"]])


def test_a_decision_exactly_a_margin_away_is_uncertain_and_small_groups_keep_theirs():
    facts = {"features": ["sex"], "favourable": "yes", "margin": 0.25, "favoured": [["a"]], "others": [["b"]]}
    rows = predictions([0.25, 0.2, 0.75, 0.8, 0.3, 0.7], "aabbxx", "yyyyyy")
    assert RejectOption().decide(rows, facts).frame["y_pred"].tolist() == ["yes", "no", "no", "yes", "no", "yes"]
    still = {**facts, "margin": 0.0}
    assert RejectOption().decide(predictions([0.5, 0.5], "ab", "yy"), still).frame["y_pred"].tolist() == ["yes", "yes"]


@pytest.mark.parametrize("method", ["platt", "isotonic", "temperature"])
def test_decisions_by_a_threshold_stay_where_scores_are_calibrated(method):
    rows = mixed("a" * 150 + "b" * 150)
    given = rows.frame.assign(y_pred=np.where(rows.frame["score.yes"] >= 0.3, "yes", "no"))
    rule = ScoreCalibration(method=method, by_group=True)
    facts = rule.fit_decisions(Predictions(frame=given), SCHEMA)
    decided = rule.decide(Predictions(frame=given), facts).frame
    assert decided["y_pred"].tolist() == given["y_pred"].tolist()
    assert not np.allclose(decided["score.yes"], given["score.yes"])


def test_groups_of_a_hundred_known_rows_are_calibrated_by_themselves_and_smaller_ones_as_all_rows():
    rows = mixed("a" * 100 + "b" * 99 + "c" * 120)
    unknown = rows.frame.assign(y_true=rows.frame["y_true"].where(np.arange(319) < 298))  # 99 of c are left
    rule = ScoreCalibration(method="platt", by_group=True)
    facts = rule.fit_decisions(Predictions(frame=unknown), SCHEMA)
    assert facts["groups"]["names"] == [["a"]]
    assert facts["rows"] == 298
    found = rule.decide(rows, facts).frame["score.yes"].to_numpy()
    whole = ScoreCalibration(method="platt").fit_decisions(Predictions(frame=unknown), SCHEMA)
    as_all = ScoreCalibration(method="platt").decide(rows, whole).frame["score.yes"].to_numpy()
    assert found[100:].tolist() == as_all[100:].tolist()
    assert not np.allclose(found[:100], as_all[:100], atol=1e-3)


def test_a_line_of_rare_rows_is_scikit_learns_and_counts_rows_as_often_as_they_stand():
    chance = np.random.default_rng(3)
    truth = np.arange(120) < 9
    score = np.clip(0.25 + 0.3 * truth + 0.15 * chance.normal(size=120), 0.02, 0.98)
    logit = np.log(score) - np.log1p(-score)
    theirs = _SigmoidCalibration().fit(logit, truth)
    found = platt_line(score, truth, np.ones(120))
    assert found == pytest.approx([-theirs.a_, -theirs.b_], abs=2e-3)
    held = np.where(truth, 3.0, 1.0)
    times = held.astype(int)
    assert platt_line(score, truth, held) == pytest.approx(
        platt_line(score.repeat(times), truth.repeat(times), np.ones(times.sum())), abs=1e-4
    )


def test_an_error_needs_as_many_validation_rows_as_could_show_it_and_no_more():
    needed = least_rows(0.1, 0.95)

    def check(rows: int) -> None:
        split = Split(inputs=(torch.zeros(rows, 1),), rows=np.arange(rows))
        Abstention(error=0.1).check(Data(schema=SCHEMA, train=split, validation=split, test=split), None, None)  # type: ignore[arg-type]

    check(needed)
    with pytest.raises(DataError, match="so few validation rows"):
        check(needed - 1)


def test_what_rows_left_open_are_and_whose_is_told_by_hand():
    """A score of .75 decides 45 of 60 rows; of a 5 of 30 are left open, of b 10 of 30; c has too few rows to be named."""
    score = [0.9] * 25 + [0.6] * 5 + [0.9] * 20 + [0.6] * 10 + [0.9] * 5
    truth = "y" * 20 + "n" * 5 + "n" * 5 + "y" * 20 + "n" * 4 + "y" * 6 + "y" * 5
    rule = Abstention(coverage=0.75)
    facts = rule.fit_decisions(predictions(score, "a" * 30 + "b" * 30 + "c" * 5, truth), SCHEMA)
    assert facts["score"] == 0.9
    assert facts["coverage"] == pytest.approx(50 / 65)
    assert facts["wrong"] == pytest.approx(14 / 65)
    assert facts["wrong_decided"] == pytest.approx(5 / 50)
    assert facts["wrong_open"] == pytest.approx(9 / 15)
    assert facts["groups"] == [
        {"feature": "sex", "group": "a", "rows": 30, "open": pytest.approx(5 / 30)},
        {"feature": "sex", "group": "b", "rows": 30, "open": pytest.approx(10 / 30)},
    ]
    said = rule.account(Data(schema=SCHEMA, train=Split(inputs=(), rows=np.arange(0)), test=None), facts)  # type: ignore[arg-type]
    assert said.index("Left open most often are rows of sex b") < said.index("least often those of sex a")


def test_the_bound_on_errors_rests_on_as_many_rows_as_survey_weights_are_worth():
    """Weights of 3, 1, 1 and 1 are worth 36 / 12 = 3 rows (Kish 1965), of which one and a half are wrong."""
    wrong, held = np.array([True, False, False, False]), np.array([3.0, 1, 1, 1])
    assert upper_bound(wrong, held, 0.9) == pytest.approx(beta.ppf(0.9, 2.5, 1.5))
    assert upper_bound(wrong, 7 * held, 0.9) == pytest.approx(upper_bound(wrong, held, 0.9))
    assert upper_bound(wrong, held, 0.9, counted=True) == pytest.approx(beta.ppf(0.9, 4, 3))


@pytest.mark.parametrize("seed", range(4))
def test_the_cut_of_an_error_is_the_lowest_that_holds_it_or_the_one_with_the_smallest_bound(seed):
    chance = np.random.default_rng(seed)
    score = chance.uniform(0.5, 1, 300)
    wrong, held = chance.random(300) > score, chance.choice([1.0, 2.0], 300)
    level = 1 - 0.1 / 20
    cuts = [of_coverage(score, held, share / 20).score for share in range(20, 0, -1)]
    bounds = [upper_bound(wrong[score >= cut], held[score >= cut], level) for cut in cuts]
    for error in (0.02, 0.15, 0.3, 0.4):
        found = of_error(score, wrong, held, error, 0.9)
        good = [cut for cut, bound in zip(cuts, bounds, strict=True) if bound <= error]
        assert found.met == bool(good)
        assert found.score == (good[0] if good else cuts[int(np.argmin(bounds))])
        assert found.bound == bounds[cuts.index(found.score)]


def test_each_error_among_decided_and_open_rows_is_inferred_as_it_is_computed():
    frame = pd.DataFrame({"y_true": [*"aabbabab"], "y_pred": [*"abbbbbaa"], "decided": [True] * 5 + [False] * 3})
    weight = np.array([1.0, 2, 1, 1, 3, 2, 1, 1])
    for metric, expected, n in zip(METRICS[1:], (5 / 8, 1 / 4), (5, 3), strict=True):
        assert metric.compute(frame, weight[None])[0] == expected
        assert metric.inference(frame, Sampling(weight=weight)).value == expected
        assert metric.infer(frame, np.random.default_rng(0)).n == n


def test_rows_are_of_the_group_whose_values_they_have_in_the_order_of_features():
    known = pd.DataFrame({"sex": [*"mfmfx"], "age": [*"oyyoo"]})
    groups = Groups.of(known, ("sex", "age"))
    assert groups.names == (("f", "o"), ("f", "y"), ("m", "o"), ("m", "y"), ("x", "o"))
    assert groups.codes(known).tolist() == [2, 1, 3, 0, 4]
    assert groups.codes(pd.DataFrame({"age": [*"yoy"], "sex": [*"xfm"]})).tolist() == [-1, 0, 3]
    assert Groups.from_json(groups.to_json()) == groups
