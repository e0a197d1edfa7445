"""Parity speaks of the outcome that is good for a person, and is silent where nobody says which that is."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glassbench import Target, run
from glassbench.cli.app import invoke
from glassbench.contracts.evidence import Measure
from glassbench.contracts.positive_class import checked_favourable, favourable_classes
from glassbench.errors import DataError
from glassbench.experiments.gates import Gate, judge
from glassbench_audits.fairness.audit import audit
from glassbench_audits.fairness.comparison.criteria import Comparison
from glassbench_audits.fairness.comparison.gaps import Gap
from glassbench_audits.fairness.comparison.grading import Rules
from glassbench_audits.fairness.comparison.parity import broken_both_ways, undirected
from glassbench_audits.selection import four_fifths, local_law_144

DEFAULTS = {"woman": (39, 200), "man": (20, 200)}
"""Loans: rows decided "default" of all; the ratio of defaults is .51, that of the others 161/180."""


@pytest.fixture
def loans(classification):
    def make(classes=("no", "default"), favourable=None):
        rows = [(sex, classes[1]) for sex, (bad, _) in DEFAULTS.items() for _ in range(bad)]
        rows += [(sex, classes[0]) for sex, (bad, n) in DEFAULTS.items() for _ in range(n - bad)]
        sex, decided = zip(*rows, strict=True)
        return classification(decided, decided, {"sex": sex}, classes=classes, favourable=favourable)

    return make


def _measure(result, name, group=None):
    return next(m for m in result.measures if m.name == name and m.by == ("sex",) and m.group == group)


@pytest.mark.parametrize(
    ("classes", "told"),
    [
        (("refused", "granted"), ("granted",)),
        (("0", "Approved"), ("Approved",)),
        (("paid back", "default"), ("paid back",)),
        (("no default", "default"), ("no default",)),
        (("not_admitted", "other"), ("other",)),
        (("A hired", "B hired", "rejected"), ("A hired", "B hired")),
        (("no", "yes"), ()),
        (("0", "1"), ()),
        (("granted", "approved"), ()),
        (("granted", "denied", "pending"), ()),
        (("benign", "malignant"), ()),
    ],
)
def test_some_names_tell_what_is_good(classes, told):
    assert favourable_classes(Target(name="outcome", kind="class", classes=classes)) == told


@pytest.mark.parametrize(("given", "classes"), [("grantd", ("refused", "granted")), (("a", "b"), ("a", "b")), ("up", ())])
def test_what_is_named_must_be_an_outcome(given, classes):
    with pytest.raises(DataError, match=r"outcome|direction"):
        checked_favourable(given, classes, where="dataset.favourable")


def test_parity_is_that_of_the_favourable_outcome(loans):
    result = audit(loans(classes=("0", "1"), favourable="0"), replicates=50)
    assert _measure(result, "fairness.four_fifths").value == pytest.approx((161 / 200) / (180 / 200))
    assert _measure(result, "fairness.selection_rate", {"sex": "woman"}).value == 161 / 200
    assert _measure(result, "fairness.demographic_parity_ratio").value == pytest.approx(161 / 180)
    said = next(f.sentence for f in result.findings if f.sentence.startswith("Four-fifths rule"))
    assert "Selection rate of “0” differs little by sex: 90 %" in said
    assert _measure(result, "fairness.true_positive_rate", {"sex": "woman"}).n == 39  # the positive class stays 1


def test_both_directions_and_no_verdict_where_nobody_says(loans):
    result = audit(loans(classes=("0", "1")), replicates=50)
    ratios = [_measure(result, f"fairness.four_fifths[{k}]").value for k in "01"]
    assert ratios == pytest.approx([161 / 180, 20 / 39])
    said = next(f for f in result.findings if "no verdict is given on parity" in f.sentence)
    assert "0.51" in said.sentence
    assert "0.89" in said.sentence
    assert "the setting `favourable` names it" in said.sentence
    assert not any(f.grade in ("ok", "concern") and "predicted more often" in f.sentence for f in result.findings)
    assert {m.value for m in result.measures if m.name == "fairness.four_fifths"} == {None}


@pytest.mark.parametrize(
    ("women", "men", "grade"), [(0.2, 0.6, "concern"), (0.45, 0.55, "unclear"), (0.1, 0.2, "unclear"), (0.4, 0.4, "unclear")]
)
def test_a_rule_that_is_broken_in_both_directions_needs_none_to_be_a_concern(classification, women, men, grade):
    ones = [1] * round(women * 1000) + [0] * round((1 - women) * 1000) + [1] * round(men * 1000) + [0] * round((1 - men) * 1000)
    subject = classification(ones, ones, {"sex": ["woman"] * 1000 + ["man"] * 1000})
    found = next(f for f in audit(subject, replicates=50).findings if f.measures[:1] and "four_fifths[" in f.measures[0])
    ratios = min(women, men) / max(women, men), min(1 - women, 1 - men) / max(1 - women, 1 - men)
    assert found.grade == grade
    assert (max(ratios) < 0.8) is (grade == "concern")
    assert all(f"{ratio:.2f} [" in found.sentence for ratio in ratios)
    assert ("broken whichever outcome is good" in found.sentence) is (grade == "concern")
    assert "favourable" in found.next_step


def outcome(high, p):
    """The comparison by one outcome, with the high end of its ratio and the p-value of its difference."""
    gap, ratio = Gap(value=0.3, low=0.1, high=0.5, p=p), Gap(value=0.5, low=0.3, high=high)
    return Comparison(
        name="demographic_parity[a]",
        which=(0,),
        difference=gap,
        ratio=ratio,
        large_difference=gap,
        large_ratio=ratio,
        left_out=(),
    )


@pytest.mark.parametrize(
    ("told", "features", "broken"),
    [
        ([(0.7, 0.01), (0.7, 0.01)], 1, True),
        ([(0.7, 0.05), (0.7, 0.05)], 1, True),
        ([(0.7, 0.01), (0.7, 0.06)], 1, False),
        ([(0.7, 0.06), (0.7, 0.01)], 1, False),
        ([(0.7, 0.03), (0.7, 0.01)], 2, False),
        ([(0.7, 0.02), (0.7, 0.01)], 2, True),
        ([(0.8, 0.01), (0.7, 0.01)], 1, False),
        ([(0.7, 0.01), (0.81, 0.01)], 1, False),
        ([(0.7, None), (0.7, 0.01)], 1, False),
        ([(None, 0.01), (0.7, 0.01)], 1, False),
        ([(0.7, 0.01)], 1, False),
        ([(0.7, 0.01)] * 3, 1, False),
    ],
)
def test_a_rule_is_broken_both_ways_where_both_ratios_surely_are_and_no_chance(told, features, broken):
    rules = Rules(level=0.95, difference=0.1, ratio=0.8, value=3.0)
    assert broken_both_ways([outcome(*one) for one in told], rules, features) is broken


@pytest.mark.parametrize(
    ("many", "weight", "grade"), [(2, 0.55, "unclear"), (3, 0.2, "not applicable"), (6, 0.2, "not applicable")]
)
def test_what_every_direction_comes_to_is_told_of_four_outcomes_at_most(classification, many, weight, grade):
    classes = tuple("abcdef"[:many])
    decided = np.array(list(classes * 60))
    sex = np.where(np.arange(len(decided)) % 7 < 3, "woman", "man")
    result = audit(classification(decided, decided, {"sex": sex}, classes=classes), replicates=20)
    (said,) = [one for one in result.findings if "no verdict is given on parity" in one.sentence]
    assert (said.grade, said.weight, said.by, said.answers) == (grade, weight, ("sex",), "differences")
    shown = [f"fairness.four_fifths[{name}]" for name in classes]
    assert len(set(said.measures)) == min(many, 4)
    assert set(said.measures) <= set(shown)
    assert said.sentence.count("is good, the ratio of its rates is") == min(many, 4)
    assert ("and 2 more outcomes" in said.sentence) == (many == 6)
    assert "more outcomes" not in said.sentence or many == 6


@pytest.mark.parametrize("measure", ["four_fifths", "demographic_parity_ratio", "demographic_parity_difference"])
@pytest.mark.parametrize("on", ["value", "interval"])
def test_a_gate_on_parity_without_a_direction_never_passes(loans, measure, on):
    gate = Gate(measure=f"fairness.{measure}", on=on, **({"at_most": 0.99} if "difference" in measure else {"at_least": 0.01}))
    undecided = judge([gate], [audit(loans(classes=("0", "1")), replicates=50)])
    assert undecided.verdict == "insufficient evidence"
    assert "favourable" in undecided.gates[0].reason
    assert judge([gate], [audit(loans(classes=("0", "1"), favourable="0"), replicates=50)]).verdict == "pass"


def test_what_is_asked_for_is_judged(loans):
    result = audit(loans(classes=("0", "1")), replicates=50, judge=("demographic_parity", "false_discovery_rate"))
    judged = {row[0] for table in result.tables if table.title == "Gaps by sex" for row in table.rows if row[-1]}
    assert judged == {"demographic parity", "false discovery rate"}


def test_several_classes_may_be_favourable(classification):
    decided = np.repeat(["full", "part", "none"] * 2, [30, 30, 40, 50, 5, 45])
    groups = {"sex": ["woman"] * 100 + ["man"] * 100}
    subject = classification(decided, decided, groups, classes=("full", "none", "part"), favourable=("full", "part"))
    result = audit(subject, replicates=50)
    assert _measure(result, "fairness.selection_rate", {"sex": "woman"}).value == 0.6
    assert _measure(result, "fairness.demographic_parity_difference").value == pytest.approx(0.05)
    assert _measure(result, "fairness.selection_rate[part]", {"sex": "woman"}).value == 0.3


def test_values_have_a_favourable_direction(regression):
    chance = np.random.default_rng(0)
    group, truth = np.repeat(["a", "b"], 200), chance.normal(size=400)
    subject = regression(truth, truth + (group == "b"), {"g": group})
    target = replace(subject.schema.target, favourable="lower")
    known = replace(subject, schema=replace(subject.schema, target=target))
    said = [[f.sentence for f in audit(each, replicates=50).findings] for each in (subject, known)]
    assert [any("Predictions are higher" in sentence for sentence in each) for each in said] == [False, True]


@pytest.mark.parametrize("module", [four_fifths, local_law_144])
def test_audits_of_selection_speak_of_it_too(loans, module):
    known = module.audit(loans(favourable="no"))
    name = "four-fifths.ratio" if module is four_fifths else "local-law-144.impact_ratio"
    assert _measure(known, name, {"sex": "woman"}).value == pytest.approx(161 / 180)
    unknown = module.audit(loans(classes=("0", "1")))
    assert _measure(unknown, f"{name}[1]", {"sex": "man"}).value == pytest.approx(20 / 39)
    assert all("favourable" in m.undefined for m in unknown.measures if m.name == name)
    assert any(m.name == name for m in unknown.measures)
    assert not {f.grade for f in unknown.findings} & {"ok", "concern"}


def test_files_name_it(tmp_path):
    rows = [(sex, k < bad) for sex, (bad, n) in DEFAULTS.items() for k in range(n)]
    pd.DataFrame(rows, columns=["sex", "default"]).astype(str).to_csv(tmp_path / "loans.csv", index=False)
    gates = "gates=[{measure: fairness.four_fifths, at_least: 0.8, on: value}]"
    columns = ["--decision", "default", "--sensitive", "sex", "--favourable", "False"]
    code = invoke(["audit", str(tmp_path / "loans.csv"), *columns, "audits=[fairness]", gates, "--runs", str(tmp_path / "runs")])
    content = json.loads(next((tmp_path / "runs").glob("*/audits/fairness/result.json")).read_text())
    ratio = next(m["value"] for m in content["measures"] if m["name"] == "fairness.four_fifths")
    assert (code, ratio) == (0, pytest.approx(161 / 180))


def test_tables_name_it(tmp_path):
    chance = np.random.default_rng(0)
    rows = pd.DataFrame({"income": chance.normal(size=300), "sex": chance.choice(["woman", "man"], 300)})
    rows["late"] = (rows["income"] + chance.normal(size=300) < 0).astype(int)
    rows.to_csv(tmp_path / "loans.csv", index=False)
    dataset = {"use": "table", "path": str(tmp_path / "loans.csv"), "target": "late", "sensitive": ["sex"], "favourable": "0"}
    content = {
        "name": "loans",
        "dataset": dataset,
        "task": "classification",
        "model": "logistic-regression",
        "audits": ["fairness"],
    }
    done = run(content, runs=tmp_path / "runs")
    frame = pd.read_parquet(done.folder / "predictions.parquet")
    rates = (frame["y_pred"] == "0").groupby(frame["group.sex"]).mean()
    assert next(m.value for m in done.measures if m.name == "fairness.four_fifths") == pytest.approx(rates.min() / rates.max())


def test_groups_that_are_alike_are_not_named_twice(classification):
    decided = np.tile(["granted", "refused"], 200)
    subject = classification(decided, decided, {"sex": np.repeat(["woman", "man"], 200)}, classes=("refused", "granted"))
    result = audit(subject, replicates=50)
    said = [f.sentence for f in result.findings]
    assert any("selection rate is 50 % in every group" in sentence for sentence in said)
    assert not any(sentence.count("“man”") + sentence.count("“woman”") == 2 and "against" in sentence for sentence in said)
    between = {row[5] for table in result.tables if table.title == "Gaps by sex" for row in table.rows}
    assert between <= {"all alike", None}


@pytest.mark.parametrize(
    ("name", "asked", "judged"),
    [
        ("demographic_parity_difference", (), False),
        ("demographic_parity_difference", ("demographic_parity",), True),
        ("demographic_parity_ratio", ("demographic_parity",), False),
        ("four_fifths", ("demographic_parity", "four_fifths"), False),
        ("selection_rate", (), False),
        ("selection_rate", ("demographic_parity",), True),
        ("demographic_parity_difference[a]", (), True),
        ("accuracy_difference", (), True),
    ],
)
def test_what_speaks_of_a_good_outcome_that_nobody_named_is_judged_where_it_is_asked_for(name, asked, judged):
    measure = Measure(name=f"fairness.{name}", value=0.3)
    assert (undirected(measure, "nobody says", asked).not_judged is None) == judged
    assert undirected(measure, None, asked).not_judged is None
