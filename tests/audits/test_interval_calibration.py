"""Predicted intervals in the calibration and fairness audits: hand-computed figures, planted and absent gaps of coverage."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_pinball_loss

from glassbench.contracts.predictions.outputs import IntervalOutput
from glassbench.contracts.predictions.quantiles import Quantiles
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench.stats.conformal import conformal_limit
from glassbench.stats.sampling import Sampling
from glassbench.stats.scoring import interval_score
from glassbench.testing import check_kind
from glassbench_audits.calibration.audit import audit
from glassbench_audits.calibration.coverage import coverage_findings
from glassbench_audits.calibration.intervals import coverage_by_width, interval_parts
from glassbench_audits.fairness.audit import audit as fairness
from glassbench_audits.fairness.frames.groups import Group
from glassbench_audits.fairness.frames.measured_frame import task_metric_frame
from glassbench_plugins.supervised.interval_offsets import IntervalOffsets
from glassbench_plugins.supervised.quantile_regression import QuantileRegression

WEIGHT = Schema(modality="table", shape=(1,), target=Target(name="weight", kind="value", unit="kg"), sensitive=("site",))
ROWS = pd.DataFrame(
    {
        "row": range(4),
        "y_true": [60.0, 70.0, 80.0, 95.0],
        "y_pred": [62.0, 70.0, 75.0, 70.0],
        "low": [55.0, 60.0, 72.0, 60.0],
        "high": [65.0, 80.0, 78.0, 90.0],
        "quantile.0.05": [56.0, 61.0, 73.0, 61.0],
        "quantile.0.5": [62.0, 70.0, 75.0, 70.0],
        "quantile.0.95": [64.0, 79.0, 77.0, 89.0],
        "crossed": [False, False, True, False],
        "group.site": ["north", "north", "south", "south"],
    }
)


def subject(frame: pd.DataFrame) -> Subject:
    task = QuantileRegression(conformal="none")
    task.check(WEIGHT)
    return Subject(schema=WEIGHT, predictions=Predictions(frame=frame), task=task)


def measured(frame: pd.DataFrame, name: str, site: str | None = None) -> float | None:
    group = None if site is None else {"site": site}
    return next(m.value for m in audit(subject(frame)).measures if m.name == f"calibration.{name}" and m.group == group)


def drawn(generator: np.random.Generator, site: np.ndarray, noise: np.ndarray, half: np.ndarray) -> pd.DataFrame:
    """Rows whose truth is noise around 0, and intervals that reach `half` to either side."""
    truth = generator.normal(size=len(site)) * noise
    named = {"y_true": truth, "y_pred": 0.0, "low": -half, "high": half, "group.site": site}
    return pd.DataFrame({"row": range(len(site)), **named})


def test_the_kind_keeps_its_promises_and_says_a_row_with_its_interval():
    kind = Quantiles(coverage=0.9)
    check_kind(kind, ROWS, WEIGHT)
    assert kind.said_with_certainty(ROWS, 0, WEIGHT) == "62 kg, 90 % interval 55 kg to 65 kg"
    notable = {one.title: one.rows.tolist() for one in kind.notable_rows(ROWS, WEIGHT)}
    assert notable["the prediction with the widest interval"][0] == 3
    assert notable["a prediction whose interval misses the truth"] == [3, 2]
    baseline = kind.baseline(ROWS, WEIGHT, np.arange(101.0)).frame
    assert baseline[["low", "y_pred", "high"]].iloc[0].tolist() == pytest.approx([5, 50, 95])


def test_figures_are_those_computed_by_hand():
    assert measured(ROWS, "coverage") == 0.5
    assert measured(ROWS, "coverage", "north") == 1
    assert measured(ROWS, "width") == (10 + 20 + 6 + 30) / 4
    assert measured(ROWS, "interval_score") == pytest.approx((10 + 20 + (6 + 20 * 2) + (30 + 20 * 5)) / 4)
    assert measured(ROWS, "interval_score", "south") == pytest.approx(((6 + 20 * 2) + (30 + 20 * 5)) / 2)
    assert measured(ROWS, "crossed_quantiles") == 0.25
    assert measured(ROWS, "share_below[0.5]") == 0.5


@pytest.mark.parametrize("level", [0.05, 0.5, 0.95])
def test_pinball_losses_are_scikit_learns(level):
    expected = mean_pinball_loss(ROWS["y_true"], ROWS[f"quantile.{level:g}"], alpha=level)
    assert measured(ROWS, f"pinball_loss[{level:g}]") == pytest.approx(expected)


def test_metrics_of_the_task_are_the_figures_of_the_audit():
    found = {metric.name: metric.compute(ROWS, np.ones((1, 4)))[0] for metric in QuantileRegression(conformal="none").metrics}
    assert found["coverage"] == measured(ROWS, "coverage")
    assert found["mean_width"] == measured(ROWS, "width")
    assert found["interval_score"] == pytest.approx(measured(ROWS, "interval_score"))
    losses = [mean_pinball_loss(ROWS["y_true"], ROWS[f"quantile.{level:g}"], alpha=level) for level in (0.05, 0.5, 0.95)]
    assert found["pinball_loss"] == pytest.approx(np.mean(losses))


def test_intervals_of_unknown_truths_are_not_judged():
    assert "truth" in audit(subject(ROWS.drop(columns="y_true"))).not_applicable


def test_too_seldom_as_promised_and_more_often_are_told_apart():
    generator, site = np.random.default_rng(0), np.full(3000, "north")
    grades = {}
    for name, half in (("narrow", 1.3), ("right", 1.66), ("wide", 3.0)):
        (first, *_) = audit(subject(drawn(generator, site, np.ones(3000), np.full(3000, half)))).findings
        grades[name] = (first.grade, "wider than they need to be" in first.sentence)
    assert grades["narrow"] == ("concern", False)
    assert grades["wide"] == ("ok", True)
    assert grades["right"][1] is False


@pytest.mark.parametrize(("by_group", "found"), [(False, ["wild"]), (True, [])])
def test_a_group_that_varies_more_is_found_with_one_offset_and_not_with_its_own(by_group, found):
    generator = np.random.default_rng(1)
    site = generator.choice(["calm", "wild"], 4000, p=[0.8, 0.2])
    noise = np.where(site == "wild", 3.0, 1.0)
    outside = np.abs(generator.normal(size=4000) * noise) - 1.0  # beyond an interval from -1 to 1
    groups = pd.DataFrame({"site": site})
    by = {"feature": "site", "groups": groups["site"], "fewest": 50} if by_group else {}
    offset, _ = IntervalOffsets.measured(outside, 0.9, **by).of(groups, 4000)
    result = audit(subject(drawn(generator, site, noise, 1.0 + offset)))
    said = [finding.sentence for finding in result.findings[1:]]
    assert [name for name in ("calm", "wild") if any(f"“{name}”" in one for one in said)] == found
    gap = next(
        m for m in fairness(subject(drawn(generator, site, noise, 1.0 + offset))).measures if "coverage_difference" in m.name
    )
    assert (gap.value > 0.2) == (not by_group)


def test_groups_that_are_covered_alike_are_rarely_found():
    generator, alarms = np.random.default_rng(2), 0
    for _ in range(300):
        site = generator.choice(["a", "b", "c", "d"], 400)
        half = conformal_limit(np.abs(generator.normal(size=100)), 0.9)  # as lucky or unlucky as one run is
        frame = drawn(generator, site, np.ones(400), np.full(400, half))
        output, groups = Quantiles().interval_output(frame, WEIGHT), pd.DataFrame({"site": site})
        parts = interval_parts(output, output.actual, groups, Sampling.of(frame))
        alarms += bool(list(coverage_findings([part.coverage for part in parts], 0.9, 0.1, "Intervals")))
    assert alarms <= 22  # 5 % of 300, and two standard deviations


def test_conformal_intervals_hold_new_truths_as_often_as_promised():
    generator, held = np.random.default_rng(3), []
    for _ in range(600):
        scores = np.abs(generator.standard_t(3, size=60))
        held.append(np.mean(np.abs(generator.standard_t(3, size=100)) <= conformal_limit(scores, 0.9)))
    error = np.std(held) / len(held) ** 0.5
    assert 0.9 - 2 * error < np.mean(held) < 0.9 + 1 / 61 + 2 * error


def test_weighted_limits_are_those_of_rows_written_as_often():
    scores, times = np.array([3.0, 1.0, 2.0, 9.0]), np.array([20, 50, 30, 10])
    assert conformal_limit(scores, 0.8, times) == 9.0  # the new row weighs 110 / 4
    assert conformal_limit(np.repeat(scores, 25), 0.7) == conformal_limit(np.repeat(scores, 25), 0.7, np.ones(100))
    assert conformal_limit(scores, 0.9, np.ones(4)) == np.inf


def test_coverage_by_width_shows_where_narrow_intervals_miss():
    width = np.repeat([1.0, 2.0, 3.0, 4.0], 25)
    actual = np.where(width == 1.0, 10.0, 0.0)
    output = IntervalOutput(low=-width, high=width, coverage=0.9, actual=actual)
    found = coverage_by_width(output, actual, Sampling(weight=np.ones(100)), 0.95)
    assert [(size, held.value) for size, held in found] == [(2.0, 0.0), (4.0, 1.0), (6.0, 1.0), (8.0, 1.0)]


def test_rows_that_hang_together_widen_the_interval_of_the_coverage():
    generator = np.random.default_rng(4)
    person = np.repeat(np.arange(40), 10)
    frame = drawn(generator, np.full(400, "north"), np.ones(400), np.ones(400))
    frame["y_true"] = np.repeat(generator.normal(size=40), 10)
    apart = next(m for m in audit(subject(frame)).measures if m.name == "calibration.coverage")
    together = next(m for m in audit(subject(frame.assign(cluster=person))).measures if m.name == "calibration.coverage")
    assert apart.value == together.value
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_survey_weights_weigh_coverage_width_and_score():
    weight = np.array([1.0, 2.0, 3.0, 2.0])
    frame = ROWS.assign(weight=weight)
    inside, width = np.array([1, 1, 0, 0]), np.array([10, 20, 6, 30])
    assert measured(frame, "coverage") == pytest.approx(np.average(inside, weights=weight))
    assert measured(frame, "width") == pytest.approx(np.average(width, weights=weight))
    assert "weighted" in audit(subject(frame)).findings[0].sentence
    losses = mean_pinball_loss(frame["y_true"], frame["quantile.0.5"], alpha=0.5, sample_weight=weight)
    assert measured(frame, "pinball_loss[0.5]") == pytest.approx(losses)


def test_the_true_interval_has_the_best_score_on_average():
    truth, halves = np.random.default_rng(5).normal(size=20_000), np.array([1.2, 1.645, 2.2])
    scores = [interval_score(truth, np.full(20_000, -half), np.full(20_000, half), 0.9).mean() for half in halves]
    assert halves[np.argmin(scores)] == 1.645


def test_a_group_whose_rows_are_all_covered_is_not_taken_as_certain():
    site = np.repeat(["all", "most"], [30, 300])
    truth = np.where(np.arange(330) >= 300, 2.0, 0.0)
    frame = drawn(np.random.default_rng(6), site, np.ones(330), np.ones(330)).assign(y_true=truth)
    groups, codes = (Group(by=("site",), values=(name,)) for name in ("all", "most")), np.repeat([0, 1], [30, 300])
    metric = next(m for m in QuantileRegression(conformal="none").metrics if m.name == "coverage")
    chance = np.random.default_rng(0)
    whole = metric.infer(frame, chance)
    measured = task_metric_frame(frame, [metric], tuple(groups), codes, overall=[whole], replicates=100, generator=chance)
    expected = np.sqrt(whole.value * (1 - whole.value) / 30)
    assert measured.null([0], 20_000, chance)[:, 0, 0].std() == pytest.approx(expected, rel=0.1)


def test_parts_by_width_hold_the_intervals_of_their_upper_edge():
    """Five widths in equal numbers: quarters end at 2, 3 and 4."""
    width = np.repeat([1.0, 2.0, 3.0, 4.0, 5.0], 8)
    output = IntervalOutput(low=-width / 2, high=width / 2, coverage=0.9)
    actual = np.where(np.arange(40) % 8 < 6, 0.0, 9.0)
    found = coverage_by_width(output, actual, Sampling(weight=np.ones(40)), 0.95)
    assert [(wide, held.n) for wide, held in found] == [(1.5, 16), (3.0, 8), (4.0, 8), (5.0, 8)]
    assert [held.value for _, held in found] == [0.75] * 4
    flat = IntervalOutput(low=np.zeros(40), high=np.ones(40), coverage=0.9)
    assert coverage_by_width(flat, actual, Sampling(weight=np.ones(40)), 0.95) == []
