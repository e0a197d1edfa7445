"""Intervals and quantiles of each part against the estimates of single quantities."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from stated_rows import stated_rows

from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.predictions.outputs import IntervalOutput
from glassbench.contracts.task import Predictions
from glassbench.stats.inference import mean, share
from glassbench.stats.sampling import Sampling
from glassbench.stats.scoring import interval_score, pinball_loss
from glassbench_audits.calibration.interval_audit import interval_audit
from glassbench_audits.calibration.intervals import coverage_by_width, interval_parts, quantile_levels

CHANCE, CLUSTERS, MEMBER, STATED, CAME, WEIGHT = stated_rows()


GROUPS = pd.DataFrame({"g": np.tile(["a", "b", "b"], 10)})
LOW, HIGH = -CHANCE.uniform(0.5, 2, 30), CHANCE.uniform(0.5, 2, 30)
ACTUAL = CHANCE.normal(size=30)
OUTPUT = IntervalOutput(
    low=LOW, high=HIGH, coverage=0.8, actual=ACTUAL, quantiles={0.1: LOW, 0.9: HIGH}, crossed=np.arange(30) < 6, unit="kg"
)
SAMPLINGS = {
    "rows": Sampling(weight=np.ones(30)),
    "clusters": Sampling(weight=np.ones(30), clusters=CLUSTERS),
    "survey": Sampling(weight=WEIGHT, clusters=np.arange(30), survey=True),
}


@pytest.mark.parametrize("sampling", SAMPLINGS.values(), ids=SAMPLINGS)
def test_intervals_of_each_part_have_the_estimates_of_their_rows(sampling):
    found = interval_parts(OUTPUT, ACTUAL, GROUPS, sampling, level=0.8, generator=np.random.default_rng(0))
    scores = interval_score(ACTUAL, LOW, HIGH, 0.8)
    chosen = [np.ones(30, dtype=bool), *((GROUPS["g"] == name).to_numpy() for name in "ab")]
    for one, rows in zip(found, chosen, strict=True):
        own = sampling.part(rows)
        assert one.width == mean((HIGH - LOW)[rows], own, lowest=0.0).estimate(0.8)
        assert one.score == mean(scores[rows], own, lowest=0.0).estimate(0.8)
        assert one.coverage.hits == ((LOW <= ACTUAL) & (ACTUAL <= HIGH))[rows].sum()
        assert one.coverage.share == pytest.approx(own.mean(((LOW <= ACTUAL) & (ACTUAL <= HIGH))[rows] * 1.0))
    default = interval_parts(OUTPUT, ACTUAL, GROUPS, sampling)
    assert default[0].width == mean(HIGH - LOW, sampling, lowest=0.0).estimate(0.95)


@pytest.mark.parametrize("sampling", SAMPLINGS.values(), ids=SAMPLINGS)
def test_quantiles_have_the_estimates_of_all_rows(sampling):
    found = {one.level: one for one in quantile_levels(OUTPUT, ACTUAL, sampling, 0.8)}
    assert list(found) == [0.1, 0.9]
    for level, predicted in ((0.1, LOW), (0.9, HIGH)):
        assert found[level].below == share(predicted >= ACTUAL, sampling).estimate(0.8)
        assert found[level].loss == mean(pinball_loss(ACTUAL, predicted, level), sampling, lowest=0.0).estimate(0.8)
    tied = IntervalOutput(low=LOW, high=HIGH, coverage=0.8, quantiles={0.5: ACTUAL})
    assert next(quantile_levels(tied, ACTUAL, sampling, 0.8)).below.value == pytest.approx(1.0)


@pytest.mark.parametrize("sampling", SAMPLINGS.values(), ids=SAMPLINGS)
def test_quarters_by_width_have_the_estimates_of_their_rows(sampling):
    width = HIGH - LOW
    quarter = pd.qcut(width, 4, labels=False)
    found = coverage_by_width(OUTPUT, ACTUAL, sampling, 0.8)
    assert len(found) == 4
    for k, (wide, inside) in enumerate(found):
        rows = quarter == k
        assert wide == pytest.approx(np.average(width[rows], weights=sampling.weight[rows]))
        assert inside == share(((LOW <= ACTUAL) & (ACTUAL <= HIGH))[rows], sampling.part(rows)).estimate(0.8)


@pytest.mark.parametrize(("more", "parts"), [(0.0, 0), (5e-7, 0), (5e-6, 2), (1.0, 2)])
def test_intervals_of_about_one_width_are_not_told_apart(more, parts):
    high = np.repeat([2.0, 2.0 + 2 * more], 20)
    output = IntervalOutput(low=np.zeros(40), high=high, coverage=0.9)
    assert len(coverage_by_width(output, np.ones(40), Sampling(weight=np.ones(40)), 0.9)) == parts
    nothing = IntervalOutput(low=np.zeros(4), high=np.zeros(4), coverage=0.9)
    assert coverage_by_width(nothing, np.zeros(4), Sampling(weight=np.ones(4)), 0.9) == []


def test_ends_of_intervals_belong_to_them():
    output = IntervalOutput(low=np.zeros(4), high=np.ones(4), coverage=0.9)
    actual = np.array([0.0, 1.0, -1e-9, 1 + 1e-9])
    (whole,) = interval_parts(output, actual, pd.DataFrame(index=range(4)), Sampling(weight=np.ones(4)))
    assert whole.coverage.hits == 2


def intervals(**more) -> AuditResult:
    frame = pd.DataFrame({"row": range(30), "cluster": CLUSTERS, "group.g": GROUPS["g"], **more})
    subject = SimpleNamespace(
        predictions=Predictions(frame=frame), generator=lambda name: np.random.default_rng(len(name)), seed=4
    )
    return interval_audit(subject, OUTPUT, shortfall=0.5, level=0.8)


def test_intervals_are_audited_by_clusters_and_level():
    found, sampling = intervals(), SAMPLINGS["clusters"]
    measured = {(m.name, *(m.group or {}).values()): m for m in found.measures}
    crossed = share(np.arange(30) < 6, sampling).estimate(0.8)
    assert (measured["calibration.crossed_quantiles",].value, measured["calibration.crossed_quantiles",].low) == (
        0.2,
        crossed.low,
    )
    parts = interval_parts(
        OUTPUT, ACTUAL, GROUPS, sampling, level=0.8, generator=np.random.default_rng(len("calibration.intervals.chance"))
    )
    assert [row[-1] for row in found.tables[0].rows] == [None, parts[1].coverage.p, parts[2].coverage.p]
    assert measured["calibration.coverage", "b"].low == parts[2].coverage.low
    assert found.method.parameters["rows"] == 30
    assert "70.0 % that is let pass" in found.findings[0].sentence or "70.0 % is let pass" in found.findings[0].sentence
    assert [chart.title for chart in found.charts] == ["Coverage", "Coverage by width", "Predicted quantiles"]


def test_intervals_of_unknown_truths_are_not_audited():
    output = IntervalOutput(low=LOW, high=HIGH, coverage=0.8)
    found = interval_audit(SimpleNamespace(), output, shortfall=0.1, level=0.9)
    assert (found.not_applicable, found.method.summary) == ("the truth of the rows is not known", "Not run.")
