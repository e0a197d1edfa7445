"""What is read of stated probabilities, and what is asked and told of each part: against pandas and scikit-learn."""

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss
from stated_rows import stated_rows

from glassbench.contracts.predictions.labels import joined_labels, prediction_columns, truth_columns
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench.stats.conformal import conformal_limit
from glassbench.stats.estimate import Estimate
from glassbench.stats.inference import mean
from glassbench.stats.intervals import rate_interval
from glassbench.stats.sampling import Sampling
from glassbench_audits.calibration import audit as module
from glassbench_audits.calibration import parts
from glassbench_audits.calibration.audit import _positions, _stated, audit
from glassbench_audits.calibration.bins import assign
from glassbench_audits.calibration.conformal import set_coverage
from glassbench_audits.calibration.error import Error
from glassbench_audits.calibration.exhibits import group_chart, group_table, reliability_table, score_chart
from glassbench_audits.calibration.parts import parts_of
from glassbench_plugins.supervised.multilabel import MultilabelClassification

CHANCE, CLUSTERS, MEMBER, STATED, CAME, WEIGHT = stated_rows()


def test_bars_count_probabilities_and_tell_how_many_are_sure():
    chart = score_chart(np.array([0.0, 0.05, 0.1, 0.099, 0.5, 0.9, 0.901, 1.0]), "x", "row")
    assert {k: row["y"] for k, row in enumerate(chart.rows) if row["y"]} == {0: 1, 1: 2, 2: 1, 10: 1, 18: 2, 19: 1}
    assert chart.message.startswith("62 % of the probabilities")  # five of eight: 0, 0.05, 0.099, 0.901 and 1
    assert [(row["low"], row["high"]) for row in chart.rows] == [(k / 20, pytest.approx((k + 1) / 20)) for k in range(20)]


def grouped(bias: float, n: int, found: Error | None = None) -> dict[str, object]:
    estimate = Estimate(value=bias, low=bias - 0.1, high=bias + 0.1, n=n)
    return {"by": "g", "group": f"of {n}", "n": n, "error": found, "bias": estimate, "p": 0.25}


def test_groups_stand_in_a_table_and_the_one_furthest_off_is_named():
    known = Error(value=0.2, low=0.1, high=0.3, p=0.1)
    given = [grouped(0.2, 1200, known), grouped(-0.3, 30, known), grouped(0.25, 5)]
    (table,) = group_table(given)
    assert table.rows == (
        ("g", "of 1200", 1200, 0.2, 0.1, pytest.approx(0.3), 0.2, 0.25),
        ("g", "of 30", 30, -0.3, -0.4, pytest.approx(-0.2), 0.2, 0.25),
        ("g", "of 5", 5, 0.25, 0.15, 0.35, None, None),
    )
    (chart,) = group_chart(given)
    assert "g “of 30”, by -0.300" in chart.message
    assert [row["size"] for row in chart.rows] == ["n 1,200", "n 30", "n 5"]
    assert [*group_table([]), *group_chart([])] == []


@pytest.mark.parametrize("survey", [False, True])
def test_bins_of_clusters_have_the_shares_of_their_rows(survey):
    sampling = Sampling(weight=WEIGHT if survey else np.ones(30), clusters=CLUSTERS, survey=survey)
    table = reliability_table(STATED, CAME, 3, 0.8, sampling)
    member = assign(STATED, 3)
    for k, (number, n, stated, came, low, high) in enumerate(table.rows):
        rows, one = member == k, WEIGHT if survey else np.ones(30)
        assert (number, n) == (k + 1, rows.sum())
        assert (stated, came) == pytest.approx([np.average(v[rows], weights=one[rows]) for v in (STATED, CAME)])
        assert low <= came <= high
    wider = reliability_table(STATED, CAME, 3, 0.95, sampling)
    assert all(b[4] <= a[4] and a[5] <= b[5] and a[4:] != b[4:] for a, b in zip(table.rows, wider.rows, strict=True))


def people(n: int, weight: np.ndarray | None = None, clusters: np.ndarray | None = None) -> SimpleNamespace:
    sampling = Sampling(weight=np.ones(n) if weight is None else weight, clusters=clusters, survey=weight is not None)
    predictions = SimpleNamespace(groups=pd.DataFrame(index=range(n)), sampling=sampling)
    return SimpleNamespace(predictions=predictions, generator=lambda name: np.random.default_rng(0))


@pytest.fixture
def asked(monkeypatch) -> list[dict]:
    """What the calibration error of a part is asked for."""
    seen: list[dict] = []

    def noted(stated, came, generator, **settings):
        seen.append(settings)
        return Error(value=0.1, low=0.0, high=0.2, p=0.5)

    monkeypatch.setattr(parts, "calibration_error", noted)
    return seen


def test_weights_of_a_survey_decide_how_many_bins_there_are(asked):
    weight = np.repeat([1.0, 4.0], 40)
    subject = people(80, weight, np.arange(80))
    (found,) = parts_of(subject, np.full(80, 0.5), np.arange(80) % 2.0, 10, 0.9, 50)
    effective = weight.sum() ** 2 / (weight**2).sum()  # 200 ** 2 / 680 = 58.8
    assert (asked[0]["bins"], asked[0]["level"], asked[0]["replicates"]) == (5, 0.9, 50)
    assert asked[0]["weight"] == pytest.approx(weight / 2.5)
    assert asked[0]["clusters"].tolist() == list(range(80))
    assert (found.n, found.counted, found.worth) == (80, "rows", f"{effective:.3g} effective rows")


@pytest.mark.parametrize(("many", "bins"), [(19, None), (20, 2), (36, 3)])
def test_clusters_decide_how_many_bins_there_are(asked, many, bins):
    clusters = np.arange(4 * many) // 4
    (found,) = parts_of(people(4 * many, None, clusters), np.full(4 * many, 0.5), np.arange(4 * many) % 2.0, 10, 0.95, 50)
    assert [(one["bins"], one["weight"]) for one in asked] == ([] if bins is None else [(bins, None)])
    assert (found.n, found.counted, found.worth) == (many, "clusters", f"{many} clusters")


def test_the_mean_gap_of_a_part_is_the_mean_of_stated_less_true_and_lies_from_minus_one_to_one(asked):
    stated, came = np.full(40, 0.01), (np.arange(40) >= 5).astype(float)
    for level in (0.9, 0.9999):
        (found,) = parts_of(people(40), stated, came, 10, level, 50)
        expected = mean(stated - came, Sampling(weight=np.ones(40)), lowest=-1.0).estimate(level)
        assert (found.bias.value, found.bias.low, found.bias.high) == (expected.value, expected.low, expected.high)
        assert found.bias.value == pytest.approx(0.01 - 35 / 40)
    assert found.bias.low == -1.0
    (few,) = parts_of(people(40), stated, (np.arange(40) >= 3).astype(float), 10, 0.9, 50)
    assert "3 rows on which it came true, or did not" in few.bias.unsupported


def of_classes(make: Callable[..., Subject], n: int = 60) -> Subject:
    """Three classes with probabilities, of which class `c` never comes true."""
    chance = np.random.default_rng(2)
    scores = chance.dirichlet([2, 2, 1], n)
    truth = np.array(["a", "b"])[(chance.random(n) < 0.5).astype(int)]
    decided = np.array(["a", "b", "c"])[scores.argmax(axis=1)]
    frame = {"row": range(n), "y_true": truth, "y_pred": decided, **{f"score.{k}": scores[:, i] for i, k in enumerate("abc")}}
    one = make(np.arange(2), np.arange(2), {})
    target = Target(name="outcome", kind="class", classes=("a", "b", "c"))
    schema = Schema(modality="table", shape=(1,), target=target)
    return Subject(**{**vars(one), "schema": schema, "predictions": Predictions(frame=pd.DataFrame(frame))})


def test_of_several_classes_the_probability_of_the_predicted_one_is_examined(classification):
    subject = of_classes(classification)
    frame = subject.predictions.frame
    stated, came, what = _stated(subject)
    assert stated.tolist() == frame[["score.a", "score.b", "score.c"]].max(axis=1).tolist()
    assert came.tolist() == (frame["y_true"] == frame["y_pred"]).astype(float).tolist()
    result = audit(subject, replicates=50)
    brier = next(m for m in result.measures if m.name == "calibration.confidence_brier")
    assert brier.value == pytest.approx(brier_score_loss(came, stated))
    assert all(what == "the predicted class" and what in f.sentence for f in result.findings[:1])
    assert not any(m.name == "calibration.brier" for m in result.measures)
    assert result.charts[0].x_title == "stated probability of the predicted class"


@pytest.mark.parametrize(("positive", "place"), [("0", 0), ("1", 1), (None, 1)])
def test_of_two_classes_the_probability_of_the_positive_one_is_examined(classification, positive, place):
    stated, truth = np.array([0.2, 0.7, 1.0, 0.0]), np.array([0, 1, 1, 1])
    one = classification(truth, truth, {}, scores=stated)
    target = Target(name="outcome", kind="class", classes=("0", "1"), positive=positive)
    subject = Subject(**{**vars(one), "schema": Schema(modality="table", shape=(1,), target=target)})
    found, came, what = _stated(subject)
    assert found == pytest.approx(stated if place else 1 - stated)
    assert (came.tolist(), what) == ((truth == place).tolist(), f"“{place}”")


@pytest.mark.parametrize("wrong", [1.0001, -0.0001, np.nan, np.inf])
def test_scores_that_are_no_probabilities_are_not_examined(classification, wrong):
    one = classification(np.arange(4) % 2, np.arange(4) % 2, {}, scores=np.array([0.0, 0.5, 1.0, wrong]))
    assert _stated(one) == "the scores are no probabilities: some lie outside 0 to 1"
    assert audit(one).not_applicable == _stated(one)
    assert audit(one).method.summary == "Not run."


def test_what_states_no_probabilities_is_not_examined(classification, regression):
    values = regression(np.arange(4.0), np.arange(4.0), {})
    assert _stated(values) == "the predictions state neither probabilities nor intervals"
    unscored = classification(np.arange(4) % 2, np.arange(4) % 2, {})
    assert _stated(unscored) == "the probabilities of the classes are not known"


def test_classes_are_found_by_their_names_and_strange_ones_are_none():
    assert _positions(pd.Series(["b", "z", "a", "b", None]), ("a", "b")).tolist()[:4] == [1, -1, 0, 1]
    assert _positions(pd.Series([1, 0, 1, 7]), ("0", "1")).tolist() == [1, 0, 1, -1]


def test_the_usual_settings_are_those_of_the_documentation(classification):
    came = np.arange(30) % 2
    told = audit(classification(came, came, {}, scores=np.linspace(0.2, 0.8, 30))).method.parameters
    assert told == {
        **{"bins": 10, "tolerance": 0.05, "promised": 0.9, "shortfall": 0.1, "level": 0.95},
        **{"replicates": 1000, "fewest_rows": 20, "seed": 0},
    }


@pytest.mark.parametrize(("rows", "told"), [(39, False), (40, True)])
def test_sets_need_forty_rows(classification, rows, told):
    chance = np.random.default_rng(1)
    came, stated = chance.integers(0, 2, rows), chance.uniform(0.2, 0.8, rows)
    result = audit(classification(came, came, {}, scores=stated), replicates=50)
    counted = [m.n for m in result.measures if m.name == "calibration.coverage"]
    assert counted == ([20] if told else [])
    assert len(result.tables) == 1 + told


def test_a_group_too_small_for_an_error_says_so_in_its_measure(classification):
    came, stated = np.arange(60) % 2, np.linspace(0.2, 0.8, 60)
    sex = np.repeat(["f", "m"], [41, 19])
    result = audit(classification(came, came, {"sex": sex}, scores=stated), replicates=50, level=0.9)
    (found,) = [m for m in result.measures if m.name == "calibration.calibration_error" and m.group == {"sex": "m"}]
    assert (found.value, found.undefined, found.n, found.level, found.by) == (
        *(None, "19 rows are too few, 20 are needed", 19, 0.9, ("sex",)),
    )
    assert found.higher_is_better is False
    assert not [m for m in result.measures if m.name == "calibration.p_value" and m.group == {"sex": "m"}]
    assert [m.value for m in result.measures if m.name == "calibration.bias" and m.group == {"sex": "m"}] == [
        pytest.approx((stated - came)[41:].mean())
    ]


def test_thresholds_of_a_survey_are_those_of_its_weights():
    chance = np.random.default_rng(7)
    stated = chance.dirichlet([1, 1, 1], 80)
    truth, fitted = chance.integers(0, 3, 80), np.arange(80) < 40
    weight = np.where(stated[np.arange(80), truth] > 0.5, 5.0, 0.2)  # rows that are likely count for most
    sampling = Sampling(weight=weight, clusters=np.arange(80), survey=True)
    found = set_coverage(stated, truth, pd.DataFrame({"g": ["a"] * 80}), fitted, 0.8, level=0.9, sampling=sampling)
    strange = 1 - stated[np.arange(80), truth]
    limit = conformal_limit(strange[:40], 0.8, weight[:40])
    assert limit != conformal_limit(strange[:40], 0.8)
    assert found[0].hits == (strange[40:] <= limit).sum()
    assert found[0].share == pytest.approx(np.average(strange[40:] <= limit, weights=weight[40:]))
    assert found[0].size == pytest.approx(np.average((1 - stated[40:] <= limit).sum(axis=1), weights=weight[40:]))
    counted = set_coverage(stated, truth, pd.DataFrame({"g": ["a"] * 80}), fitted, 0.8, level=0.5)
    ends = rate_interval(np.array(counted[0].hits), np.array(counted[0].n), 0.5)
    assert (counted[0].low, counted[0].high) == tuple(map(float, ends))
    usual = set_coverage(stated, truth, pd.DataFrame({"g": ["a"] * 80}), fitted, 0.8)
    assert (usual[0].low, usual[0].high) == tuple(
        map(float, rate_interval(np.array(counted[0].hits), np.array(counted[0].n), 0.95))
    )


def labelled(outputs: int) -> SimpleNamespace:
    return SimpleNamespace(class_outputs=[None] * outputs)


def test_labels_are_put_together_and_those_without_probabilities_left_out(classification):
    came, stated = np.arange(60) % 2, np.linspace(0.2, 0.8, 60)
    one = audit(classification(came, came, {}, scores=stated), replicates=50)
    none = audit(classification(came, came, {}))
    found = module._of_choices(labelled(3), {"none": none, "sea": one, "sun": one})
    assert [m.name for m in found.measures if m.value is not None] == [
        f"{m.name}[{label}]" for label in ("sea", "sun") for m in one.measures
    ]
    assert len(found.findings) == 2 * len(one.findings)
    assert [chart.title for chart in found.charts] == [f"{c.title}: {label}" for label in ("sea", "sun") for c in one.charts]
    assert len(found.tables) == len(one.tables)
    assert (found.method.summary, found.method.cautions[1:]) == (one.method.summary, one.method.cautions)
    assert found.method.cautions[0].startswith("The 2 labels were examined one by one")
    assert module._of_choices(labelled(1), {"none": none}) is none


def test_every_label_is_examined_by_the_settings_that_were_asked_for():
    chance, names = np.random.default_rng(1), ("sea", "sun")
    truth, scores = chance.integers(0, 2, (60, 2)).astype(float), chance.random((60, 2))
    columns = {**truth_columns(truth, names), **prediction_columns(scores >= 0.5, names)}
    columns |= {f"score.{name}": scores[:, k] for k, name in enumerate(names)}
    words = {"y_true": joined_labels(truth, names), "y_pred": joined_labels(scores >= 0.5, names)}
    schema, task = (
        Schema(modality="table", shape=(1,), target=Target(name="photo", kind="labels", classes=names)),
        MultilabelClassification(),
    )
    task.check(schema)
    frame = pd.DataFrame({"row": range(60), **words, **columns})
    settings = {"bins": 4, "tolerance": 0.2, "promised": 0.7, "shortfall": 0.3, "level": 0.8, "replicates": 50}
    found = audit(Subject(schema=schema, predictions=Predictions(frame=frame), task=task), **settings)
    assert found.method.parameters == {**settings, "fewest_rows": 20, "seed": 0}
    assert sorted(row[:2] for row in found.tables[0].rows) == [(name, k) for name in names for k in (1, 2, 3, 4)]
    for k, name in enumerate(names):
        (brier,) = [m for m in found.measures if m.name == f"calibration.brier[{name}]"]
        assert brier.value == pytest.approx(brier_score_loss(truth[:, k], scores[:, k]))
        assert brier.level == 0.8
