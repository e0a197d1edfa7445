"""Groups compared while other features are held fixed."""

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as skm

from glassbench.errors import SettingsError
from glassbench_audits.fairness.audit import audit

BERKELEY = {  # admitted and rejected, men then women, by department: Bickel, Hammel and O'Connell 1975, the six largest
    "A": (512, 313, 89, 19),
    "B": (353, 207, 17, 8),
    "C": (120, 205, 202, 391),
    "D": (138, 279, 131, 244),
    "E": (53, 138, 94, 299),
    "F": (22, 351, 24, 317),
}


def _admissions(table):
    kinds = [("men", 1), ("men", 0), ("women", 1), ("women", 0)]
    rows = [(d, s, a) for d, n in table.items() for (s, a), k in zip(kinds, n, strict=True) for _ in range(k)]
    return pd.DataFrame(rows, columns=["department", "sex", "admitted"])


@pytest.fixture
def admissions(classification):
    def run(table, **settings):
        frame = _admissions(table)
        subject = classification(frame["admitted"], frame["admitted"], frame[["sex", "department"]], favourable="1")
        return audit(subject, replicates=100, **{"control": ("department",), "intersections": False, **settings})

    return run


def _measure(result, name, by, group=None):
    return next(m for m in result.measures if (m.name, m.by, m.group) == (f"fairness.{name}", by, group))


@pytest.mark.parametrize("intersections", [True, False])
def test_strata_are_fairlearns(classification, intersections):
    generator = np.random.default_rng(4)
    truth, decision = generator.integers(0, 2, (2, 600))
    groups = pd.DataFrame({"sex": generator.choice(["f", "m"], 600), "age": generator.choice(["old", "young"], 600)})
    groups["region"] = generator.choice(list("nsw"), 600)
    result = audit(classification(truth, decision, groups), replicates=20, control=("age",), intersections=intersections)
    metrics = {"selection_rate": fl.selection_rate, "true_positive_rate": fl.true_positive_rate, "accuracy": skm.accuracy_score}
    for feature in ("sex", "region"):
        frame = fl.MetricFrame(
            metrics=metrics, y_true=truth, y_pred=decision, sensitive_features=groups[[feature]], control_features=groups[["age"]]
        )
        for age in ("old", "young"):
            for name in metrics:
                gap = _measure(result, f"{name}_difference", (feature,), {"age": age})
                assert gap.value == frame.difference()[name][age]
                for value in groups[feature].unique():
                    wanted = {"age": age, feature: value}
                    found = next(m for m in result.measures if m.name == f"fairness.{name}" and m.group == wanted)
                    assert found.value == frame.by_group.loc[(age, value), name]


def test_each_rate_is_told_once(classification):
    groups = {"sex": list("fm") * 40, "age": ["old", "old", "young", "young"] * 20}
    result = audit(classification([0, 1] * 40, [0, 1, 1, 0] * 20, groups), replicates=20, control=("age",))
    told = [(m.name, m.by and frozenset(m.by), m.group and frozenset(m.group.items())) for m in result.measures]
    assert len(told) == len(set(told))


def test_berkeley_is_explained_by_departments(admissions):
    result = admissions(BERKELEY)
    overall = _measure(result, "demographic_parity_difference", ("sex",))
    held = _measure(result, "demographic_parity_difference_adjusted", ("sex",))
    assert overall.value == pytest.approx(1198 / 2691 - 557 / 1835)
    weights = np.array([(m + r) * (w + x) / (m + r + w + x) for m, r, w, x in BERKELEY.values()])
    apart = np.array([m / (m + r) - w / (w + x) for m, r, w, x in BERKELEY.values()])
    assert held.value == pytest.approx(weights @ apart / weights.sum())
    assert held.low < 0 < held.high < overall.low
    assert any(f.sentence.startswith("A gap that the strata explain") and "sex “men”" in f.sentence for f in result.findings)


def test_a_reversal_is_said(admissions):
    result = admissions({"hard": (20, 180, 300, 700), "easy": (700, 300, 190, 10)})
    said = next(f for f in result.findings if f.sentence.startswith("Simpson's reversal"))
    assert "higher for sex “men” than for sex “women”" in said.sentence
    assert "in 2 of 2 strata" in said.sentence


def test_no_reversal_where_strata_agree(admissions):
    result = admissions({"one": (300, 100, 200, 200), "two": (150, 50, 100, 100)})
    assert not any("strata" in f.sentence and "held fixed" in f.sentence for f in result.findings)
    assert any(f.grade == "concern" and f.sentence.startswith("Within department “one”") for f in result.findings)


def test_the_table_shows_every_stratum(admissions):
    table = next(t for t in admissions(BERKELEY).tables if t.title == "Gaps by sex within department")
    strata = [row[1] for row in table.rows if row[0] == "demographic parity"]
    assert strata == ["all rows", *BERKELEY, "held fixed"]


def test_values_are_compared_within_strata_too(regression):
    generator = np.random.default_rng(0)
    truth, age = generator.normal(100, 10, 800), np.array(["old", "young"] * 400)
    group = np.where(generator.random(800) < np.where(age == "old", 0.8, 0.2), "a", "b")
    decision = truth + 10 * (age == "old") + generator.normal(0, 1, 800)
    result = audit(regression(truth, decision, {"g": group, "age": age}), replicates=100, control=("age",))
    overall = _measure(result, "mean_signed_error_difference", ("g",))
    held = _measure(result, "mean_signed_error_difference_adjusted", ("g",))
    assert overall.low > 4
    assert abs(held.value) < 0.5
    assert held.unit == "mm"


@pytest.mark.parametrize(("control", "words"), [(("ages",), "did you mean 'age'"), (("age", "sex"), "none is left to compare")])
def test_control_must_leave_something_to_compare(classification, control, words):
    subject = classification([0, 1] * 20, [0, 1] * 20, {"sex": list("fm") * 20, "age": list("oy") * 20})
    with pytest.raises(SettingsError, match=words):
        audit(subject, replicates=10, control=control)


def test_too_many_strata_are_said(classification):
    groups = {"g": list("ab") * 30, "age": [str(i // 2) for i in range(60)]}
    result = audit(classification([0, 1] * 30, [0, 1] * 30, groups), replicates=10, control=("age",), most_groups=20)
    assert any("more than 20 strata of age" in caution for caution in result.method.cautions)
    assert not any("adjusted" in m.name for m in result.measures)
