"""Laws of audits that count and weigh rows: order means nothing, rows that stand for several are as many rows."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.subject import Subject
from glassbench_audits.fairness.audit import audit as whole_fairness
from glassbench_audits.fairness.inequality import inequality
from glassbench_audits.performance.audit import audit as whole_performance
from glassbench_audits.selection.four_fifths import audit as four_fifths
from glassbench_audits.selection.local_law_144 import audit as local_law

Key = tuple[str, str, str]
fairness, performance = (partial(audit, replicates=100) for audit in (whole_fairness, whole_performance))
AUDITS = {
    "fairness": fairness,
    "inequality": inequality,
    "performance": performance,
    "four-fifths": four_fifths,
    "local-law-144": local_law,
}
RESAMPLED = ("performance.accuracy_gain", "performance.mean_absolute_error")
"""Beginnings of names of measures whose limits come from drawn rows, and so vary with their order."""
OF_SIZE = ("without_small", "p_value")
"""Parts of names of measures that hang on how many rows of equal weight there are, or on how many comparisons."""
N = 240


@pytest.fixture(scope="module", params=["classes", "some unknown", "three classes", "values"])
def subject(request, classification, regression) -> Subject:
    chance = np.random.default_rng(3)
    groups = {"g": chance.choice(list("abc"), N, p=[0.6, 0.3, 0.1]), "h": chance.choice(["x", "y"], N)}
    truth = (chance.random(N) < 0.4).astype(int)
    score = np.round(np.clip(0.3 * truth + 0.7 * chance.random(N), 0.01, 0.99), 2)
    if request.param == "values":
        return regression(10 * score + chance.normal(size=N), 10 * score, groups)
    if request.param == "three classes":
        decided = np.where(chance.random(N) < 0.6, truth, 2)
        return classification(truth + (chance.random(N) < 0.2), decided, groups, classes=("0", "1", "2"), favourable="1")
    made = classification(truth, (score > 0.5).astype(int), groups, scores=score, favourable="1")
    if request.param == "some unknown":
        made.predictions.frame.loc[chance.random(N) < 0.1, "y_true"] = None
        made.predictions.frame.loc[chance.random(N) < 0.05, "group.g"] = None
    return made


@pytest.fixture(params=AUDITS.values(), ids=AUDITS)
def audit(request, subject) -> Callable[[Subject], AuditResult]:
    found = request.param(subject)
    if found.not_applicable:
        pytest.skip(found.not_applicable)
    return request.param


def of(subject: Subject, frame: pd.DataFrame) -> Subject:
    return replace(subject, predictions=replace(subject.predictions, frame=frame.reset_index(drop=True)))


def measured(result: AuditResult, by: str | None = None) -> Mapping[Key, tuple[Any, ...]]:
    """Return value and size of what was measured, and limits where they hang on no draw; by one feature where one is named."""
    chosen = [m for m in result.measures if by is None or m.by == (by,)]
    return {
        (m.name, str(m.by), str(m.group)): (m.value, m.n, *(() if m.name.startswith(RESAMPLED) else (m.low, m.high)))
        for m in chosen
    }


def of_size(key: Key) -> bool:
    return any(part in key[0] for part in OF_SIZE)


def assert_alike(one: Mapping[Key, tuple[Any, ...]], other: Mapping[Key, tuple[Any, ...]]) -> None:
    assert one
    assert one.keys() == other.keys()
    for key, told in one.items():
        assert [value is None for value in told] == [value is None for value in other[key]], key
        mine, theirs = ([value for value in row if value is not None] for row in (told, other[key]))
        np.testing.assert_allclose(np.array(mine, float), np.array(theirs, float), rtol=1e-9, atol=1e-9, err_msg=str(key))


def test_the_order_of_rows_means_nothing(subject, audit):
    order = np.random.default_rng(1).permutation(N)
    assert_alike(measured(audit(subject)), measured(audit(of(subject, subject.predictions.frame.iloc[order]))))


def test_a_row_that_stands_for_several_is_as_many_rows(subject, audit):
    frame, times = subject.predictions.frame, np.random.default_rng(2).integers(1, 4, N)
    several = frame.loc[frame.index.repeat(times)].assign(row=range(times.sum()))
    counted = audit(of(subject, frame.assign(frequency=times.astype(float))))
    assert_alike(measured(counted), measured(audit(of(subject, several))))


def test_the_unit_of_survey_weights_means_nothing(subject, audit):
    frame, weight = subject.predictions.frame, np.random.default_rng(4).lognormal(0, 0.5, N)
    one, other = (audit(of(subject, frame.assign(weight=times * weight))) for times in (1.0, 60.0))
    assert_alike(measured(one), measured(other))


@pytest.mark.parametrize("audit", [fairness, performance])
def test_survey_weights_give_the_values_of_rows_as_often_as_they_weigh(subject, audit):
    frame, times = subject.predictions.frame, np.random.default_rng(5).integers(1, 4, N)
    several = frame.loc[frame.index.repeat(times)].assign(row=range(times.sum()))
    weighed, repeated = (
        {(m.name, str(m.by), str(m.group)): (m.value,) for m in audit(of(subject, rows)).measures if m.value is not None}
        for rows in (frame.assign(weight=times.astype(float)), several)
    )
    told = [key for key in weighed.keys() & repeated.keys() if not of_size(key)]
    assert len(told) > 0.6 * len(repeated)
    assert_alike({key: weighed[key] for key in told}, {key: repeated[key] for key in told})


@pytest.mark.parametrize("audit", [fairness, four_fifths])
def test_rows_of_an_unknown_group_count_in_no_group_of_that_feature(subject, audit):
    if audit(subject).not_applicable:
        pytest.skip("it does not judge such predictions")
    frame = subject.predictions.frame
    unknown = frame["group.g"].isna().to_numpy() | (np.random.default_rng(6).random(N) < 0.2)
    some = frame.assign(**{"group.g": frame["group.g"].astype(object).where(~unknown, None)})
    whole, rest = (values(audit(of(subject, rows)), "g") for rows in (some, frame[~unknown]))
    told = [key for key in whole if key[2] != "None" and "missing" not in key[2] and not of_size(key)]
    assert len(told) >= 2
    assert_alike({key: whole[key] for key in told}, {key: rest[key] for key in told})


@pytest.mark.parametrize("audit", [fairness, four_fifths, local_law])
def test_another_feature_leaves_the_values_of_a_feature_as_they_are(subject, audit):
    if audit(subject).not_applicable:
        pytest.skip("it does not judge such predictions")
    frame = subject.predictions.frame
    alone = replace(of(subject, frame.drop(columns="group.h")), schema=replace(subject.schema, sensitive=("g",)))
    one, both = ({k: v for k, v in values(audit(s), "g").items() if not of_size(k)} for s in (alone, subject))
    assert_alike(one, both)


def values(result: AuditResult, by: str) -> Mapping[Key, tuple[Any, ...]]:
    return {key: told[:1] for key, told in measured(result, by).items() if told[0] is not None}
