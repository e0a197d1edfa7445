"""Slices: a planted one is found and named, noise yields none, and every test is exact."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

from glassbench.contracts.predictions.outputs import RowErrors
from glassbench.contracts.schema import Feature
from glassbench.testing import check_audit, toy_subject
from glassbench_audits.errors.audit import audit
from glassbench_audits.errors.conditions import conditions
from glassbench_audits.errors.exhibits import multiple
from glassbench_audits.errors.proof import p_values
from glassbench_audits.errors.search import search
from glassbench_audits.errors.slices import halve, slices
from glassbench_audits.fairness.audit import audit as fairness


def table(seed, rows=3000):
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame({"age": chance.uniform(20, 80, rows), "pulse": chance.normal(70, 10, rows)})
    frame["city"] = chance.choice(["Rome", "Oslo", "Lima"], rows)
    return frame, chance


def searched(frame, size, seed=0, **more):
    binary = bool(np.isin(size, (0, 1)).all())
    errors = RowErrors(size=size.astype(float), binary=binary, words="share predicted wrongly", measure="error_rate")
    tested, _ = slices(frame, errors, np.random.default_rng(seed), **more)
    return [one for one in tested if one.p <= 0.05]


def test_it_keeps_the_promises_of_an_audit():
    check_audit(audit, "errors")


def test_a_planted_slice_is_named_with_its_errors():
    frame, chance = table(0)
    inside = (frame["age"] > 65) & (frame["city"] == "Oslo")
    found = searched(frame, chance.random(3000) < np.where(inside, 0.4, 0.1))
    assert found[0].features == ("age", "city")
    assert "city “Oslo”" in found[0].words
    assert found[0].mean[1] < 0.4 < found[0].mean[2]
    assert (inside[found[0].inside]).mean() > 0.6


def test_noise_yields_a_slice_in_at_most_a_twentieth_of_data_sets():
    named = 0
    for seed in range(60):
        frame, chance = table(seed, 600)
        named += bool(searched(frame, chance.random(600) < 0.15, seed, depth=2))
    assert named <= 7  # 5 % of 60 plus two and a half standard errors


def test_wrong_decisions_are_tested_exactly():
    chance = np.random.default_rng(0)
    errors, inside = (chance.random(80) < 0.3).astype(float), chance.random((80, 1)) < 0.4
    table = [[errors[inside[:, 0]].sum(), (1 - errors)[inside[:, 0]].sum()]]
    table.append([errors[~inside[:, 0]].sum(), (1 - errors)[~inside[:, 0]].sum()])
    expected = fisher_exact(np.array(table, dtype=int), alternative="greater").pvalue
    assert p_values(errors, inside, chance, shares=True)[0] == pytest.approx(expected)


@pytest.mark.parametrize("clusters", [None, np.repeat(np.arange(50), 4)])
def test_p_values_of_sizes_are_uniform_where_nothing_is(clusters):
    values = []
    for seed in range(150):
        chance = np.random.default_rng(seed)
        errors = chance.gamma(1, 1, 200) if clusters is None else chance.gamma(1, 1, 50)[clusters] + 0.1 * chance.random(200)
        values.append(p_values(errors, chance.random((200, 1)) < 0.3, chance, shares=False, clusters=clusters, replicates=199)[0])
    assert np.mean(np.array(values) <= 0.1) <= 0.18
    assert np.mean(np.array(values) <= 0.5) == pytest.approx(0.5, abs=0.15)


def test_rows_of_one_unit_stay_in_one_half():
    clusters = np.repeat(np.arange(30), 7)
    first = halve(210, np.random.default_rng(0), clusters)
    assert all(len(set(first[clusters == unit])) == 1 for unit in range(30))
    assert first.sum() == 105


def test_the_search_equals_trying_every_pair():
    frame, chance = table(3, 300)
    known, met = conditions(frame, 20)
    errors = (chance.random(300) < 0.2).astype(float)
    best = search(errors, met, [c.feature for c in known], atoms=20, fewest=20, most=1, depth=2)[0]
    tried = [
        (errors[met[:, i] & met[:, j]].mean(), i, j)
        for i in range(len(known))
        for j in range(i, len(known))
        if (met[:, i] & met[:, j]).sum() >= 20 and (i == j or known[i].feature != known[j].feature)
    ]
    inside = met[:, list(best.conditions)].all(axis=1)
    assert errors[inside].mean() >= np.quantile([value for value, _, _ in tried], 0.99)


def test_conditions_speak_in_the_columns_own_values():
    frame = pd.DataFrame({"visits": [0.0] * 30 + [1.0] * 30 + [np.nan] * 40, "ward": ["a"] * 50 + [None] * 50})
    words = {condition.words for condition in conditions(frame, 10)[0]}
    assert words == {"visits 0", "visits 1", "visits known", "visits missing", "ward “a”", "ward missing"}


def test_errors_of_values_carry_their_unit_and_fail_beyond_tolerance(regression):
    frame, chance = table(1, 1500)
    truth = chance.normal(size=1500)
    off = chance.normal(size=1500) * np.where(frame["city"] == "Lima", 3, 1)
    result = audit(regression(truth, truth + off, {"city": frame["city"]}))
    assert result.findings[0].sentence.startswith("Predictions are worse where city “Lima”:")
    assert " mm " in result.findings[0].sentence
    assert result.grade == "concern"
    ratio = next(m for m in result.measures if m.name == "errors.worst_ratio")
    assert ratio.low < 3 < ratio.high


@pytest.mark.parametrize(
    ("times", "ending"),
    [
        (1.3, "within the tolerances of 1.5 times and 10.0 points"),
        (3.0, "beyond the tolerances of 1.5 times and 10.0 points"),
        (1.35, "not enough data"),
    ],
)
def test_a_slice_says_on_which_rows_it_rests_and_what_is_let_pass(classification, times, ending):
    chance = np.random.default_rng(5)
    group = chance.choice(["l", "r"], 18_000)
    wrong = chance.random(18_000) < np.where(group == "l", 0.2 * times, 0.2)
    if ending == "not enough data":
        group, wrong = group[:4000], wrong[:4000]
    truth = chance.integers(0, 2, len(group))
    result = audit(classification(truth, np.where(wrong, 1 - truth, truth), {"side": group}), depth=1)
    said, row = result.findings[0].sentence, result.tables[0].rows[0]
    assert f"({(group == 'l').sum()} rows, tested on {row[2]} of them;" in said
    assert f"{100 * row[3]:.1f} %" in said
    assert ending in said
    assert "1.5 times" in said


@pytest.mark.parametrize(
    ("left", "right", "grade", "ending"),
    [
        (0.9, 0.7, "concern", "beyond the tolerance of 10.0 points"),
        (0.04, 0.01, "concern", "beyond the tolerance of 1.5 times, though not of 10.0 points"),
        (0.3, 0.08, "concern", "beyond the tolerances of 1.5 times and 10.0 points"),
        (0.75, 0.7, "ok", "within the tolerances of 1.5 times and 10.0 points"),
    ],
)
def test_a_gap_that_fairness_calls_a_concern_is_one_of_errors_too(classification, left, right, grade, ending):
    chance = np.random.default_rng(2)
    group = chance.choice(["l", "r"], 16_000)
    wrong = chance.random(16_000) < np.where(group == "l", left, right)
    truth = chance.integers(0, 2, len(group))
    subject = classification(truth, np.where(wrong, 1 - truth, truth), {"side": group})
    finding = audit(subject, depth=1).findings[0]
    assert finding.grade == grade
    assert finding.sentence.endswith(f"{ending}.")
    accuracy = next(one for one in fairness(subject, replicates=100).findings if "accuracy" in one.sentence.lower())
    assert accuracy.grade == ("concern" if left - right > 0.1 else "ok")


@pytest.mark.parametrize(("value", "words"), [(1.31, "1.3"), (1.02, "1.02"), (2.04, "2.0"), (14.2, "14")])
def test_more_is_never_said_to_be_once(value, words):
    assert multiple(value) == words


def test_the_error_rate_is_that_of_all_rows_also_where_a_part_is_searched(classification):
    wrong = np.arange(600) % 7 == 0
    subject = classification(np.zeros(600, dtype=int), wrong.astype(int), {"side": np.arange(600) % 2})
    rate = next(m for m in audit(subject, rows=200).measures if m.name == "errors.error_rate")
    assert (rate.value, rate.n) == (pytest.approx(wrong.mean()), 600)
    assert rate.low < rate.value < rate.high


def test_few_rows_cannot_tell_and_fewer_are_refused(classification):
    groups = {"side": ["l", "r"] * 50}
    right = classification([0, 1] * 50, [0, 1] * 45 + [1, 0] * 5, groups)
    assert audit(right).grade == "unclear"
    assert "too few" in audit(classification([0, 1], [0, 1], {"side": ["l", "r"]})).not_applicable
    assert "no features" in audit(classification([0, 1] * 50, [0, 1] * 50, {})).not_applicable


def test_what_the_schema_does_not_name_is_no_feature():
    subject = toy_subject(rows=400)
    raw = subject.predictions.source.raw.assign(answer=subject.predictions.frame["y_true"].to_numpy())
    source = replace(subject.predictions.source, raw=raw)
    subject = replace(subject, predictions=replace(subject.predictions, source=source))
    assert audit(subject).method.parameters["features"] == 5
    schema = replace(subject.schema, features=(*subject.schema.features, Feature(name="answer", kind="category")))
    assert audit(replace(subject, schema=schema)).method.parameters["features"] == 6
