"""Gaps that vanish or reverse within a column nobody named, and columns held fixed that are not sensitive."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.data import Split
from glassbench_audits.fairness.audit import audit
from glassbench_audits.fairness.comparison.strata import strata
from glassbench_audits.fairness.comparison.stratifiers import stratified_column

BRANCHES = {"north": 0.75, "south": 0.45, "east": 0.2}
"""Rates at which branches grant loans, to women and men alike."""


@pytest.fixture
def applied(classification):
    """Loans granted by branch; women apply where little is granted. Other columns say nothing."""

    def make(n=3000, seed=0, women=(0.2, 0.3, 0.5), men=(0.5, 0.3, 0.2), favour=0.0):
        chance = np.random.default_rng(seed)
        sex = chance.choice(["woman", "man"], n)
        places = list(BRANCHES)
        branch = np.where(sex == "woman", chance.choice(places, n, p=women), chance.choice(places, n, p=men))
        rate = pd.Series(branch).map(BRANCHES).to_numpy() + favour * (sex == "woman")
        decided = (chance.random(n) < rate).astype(int)
        raw = pd.DataFrame({f"noise {k}": chance.normal(size=n) for k in range(8)})
        raw = raw.assign(branch=branch, code=[f"id {k}" for k in range(n)], decision=decided)
        made = classification(decided, decided, {"sex": sex}, favourable="1")
        source = Split(inputs=(), rows=np.arange(n), raw=raw)
        return replace(made, predictions=replace(made.predictions, source=source))

    return make


def _said(result):
    return [f.sentence for f in result.findings if f.sentence.startswith(("Simpson", "A gap that strata"))]


def test_a_gap_that_vanishes_within_branches_is_found(applied):
    result = audit(applied(), replicates=50)
    said = _said(result)
    assert any("within values of branch" in sentence and "selection rate" in sentence for sentence in said)
    measure = next(m for m in result.measures if m.name == "fairness.demographic_parity_difference_within[branch]")
    overall = next(m for m in result.measures if m.name == "fairness.demographic_parity_difference")
    assert measure.low < 0 < measure.high < overall.value


def test_bands_are_cut_at_quantiles_and_hold_the_value_that_they_start_from():
    """Of 1 to 40 the fifths end at 8.8, 16.6, 24.4 and 32.2; of five values in equal numbers each starts a band."""
    numbers = pd.Series([*range(1, 41), np.nan], name="x", dtype=float)
    found = stratified_column(numbers)
    assert list(found.values) == ["below 8.8", "8.8 to 16.6", "16.6 to 24.4", "24.4 to 32.2", "from 32.2", "missing"]
    assert np.bincount(found.codes).tolist() == [8, 8, 8, 8, 8, 1]
    steps = pd.Series(np.repeat(np.arange(11.0), 2), name="x")
    bands = stratified_column(steps)
    edges = np.nanquantile(steps, [0.2, 0.4, 0.6, 0.8])
    assert edges.tolist() == [2.0, 4.0, 6.0, 8.0]
    assert bands.codes.tolist() == (steps // 2).clip(upper=4).astype(int).tolist()
    assert stratified_column(pd.Series(["a"] * 9, name="x")) is None
    assert stratified_column(pd.Series([f"t{k}" for k in range(300)], name="x")) is None
    written = stratified_column(pd.Series([str(k) for k in range(1, 41)], name="x"))
    assert list(written.values) == list(found.values)[:5]
    assert stratified_column(pd.Series([3, 1, 2, 1], name="x")).codes.tolist() == [2, 0, 1, 0]


def counted(classification, cells):
    """Return loans of given numbers: of each sex and branch the rows and how many of them are granted."""
    sex, branch, decided = (
        np.concatenate(parts)
        for parts in zip(
            *(([who] * n, [where] * n, np.arange(n) < granted) for (who, where), (n, granted) in cells.items()), strict=True
        )
    )
    made = classification(decided.astype(int), decided.astype(int), {"sex": sex}, favourable="1")
    source = Split(inputs=(), rows=np.arange(len(sex)), raw=pd.DataFrame({"branch": branch}))
    return replace(made, predictions=replace(made.predictions, source=source))


@pytest.mark.parametrize(("alone", "explained"), [(900, True), (1100, False)])
@pytest.mark.parametrize("turned", [False, True])
def test_half_of_either_group_must_lie_in_strata_that_hold_both(classification, alone, explained, turned):
    """Of 2,000 rows of one group so many are of a branch that has nobody else; where both are, both are granted as much."""
    rate, other = (0.2, 0.45) if not turned else (0.7, 0.45)
    cells = {
        ("woman", "east"): (alone, round(rate * alone)),
        ("woman", "south"): (2000 - alone, round(other * (2000 - alone))),
        ("man", "south"): (2000, round(other * 2000)),
    }
    result = audit(counted(classification, cells), replicates=20, level=0.9)
    measures = [m for m in result.measures if m.name == "fairness.demographic_parity_difference_within[branch]"]
    assert [(m.value == pytest.approx(0, abs=1e-3), m.level, m.n, m.by) for m in measures] == (
        [(True, 0.9, 4000, ("sex",))] if explained else []
    )
    said = [one for one in _said(result) if "selection rate" in one]
    assert [("the difference is" in one, "it is lower" in one) for one in said] == ([(True, False)] if explained else [])
    assert all("(0 of 1 strata point the other way)" in one for one in said)


def test_a_difference_within_strata_has_the_weights_of_mantel_and_haenszel(classification):
    """Berkeley in small: women are granted 10 points more in either branch, and 19 less over all rows."""
    cells = {
        ("woman", "east"): (900, 270),
        ("woman", "west"): (300, 240),
        ("man", "east"): (400, 80),
        ("man", "west"): (800, 560),
    }
    result = audit(counted(classification, cells), replicates=20)
    found = next(m for m in result.measures if m.name == "fairness.demographic_parity_difference_within[branch]")
    assert found.value == pytest.approx(-0.1)
    weights = np.array([900 * 400 / 1300, 300 * 800 / 1100])
    rates = [(270 + 1) / 902, (80 + 1) / 402, (240 + 1) / 302, (560 + 1) / 802]
    spreads = [p * (1 - p) / n for p, n in zip(rates, (900, 400, 300, 800), strict=True)]
    error = np.sqrt((weights**2 * [spreads[0] + spreads[1], spreads[2] + spreads[3]]).sum()) / weights.sum()
    assert found.high - found.value == pytest.approx(found.value - found.low)
    assert (found.high - found.value) / error == pytest.approx(1.96, abs=1e-3)  # one gap, one column
    (said,) = [one for one in _said(result) if "selection rate" in one]
    assert said.startswith("Simpson's reversal")
    assert "within values of branch it is lower, by 10 points" in said
    assert "(2 of 2 strata point the other way)" in said


def test_rows_without_other_columns_say_that_nothing_was_searched(applied):
    made = applied(n=300)
    bare = replace(made, predictions=replace(made.predictions, source=None))
    words = "was not looked for"
    assert not any(words in caution for caution in audit(made, replicates=20).method.cautions)
    assert any(words in caution for caution in audit(bare, replicates=20).method.cautions)


def with_holes(subject, column, share, seed=8, where=None):
    """Some cells of a column are missing: at random, or among the rows `where`."""
    source, chance = subject.predictions.source, np.random.default_rng(seed)
    holes = (chance.random(len(source)) < share) & (True if where is None else where)
    raw = source.raw.assign(**{column: source.raw[column].mask(holes)})
    return replace(subject, predictions=replace(subject.predictions, source=replace(source, raw=raw)))


@pytest.mark.parametrize("numbers", [False, True])
@pytest.mark.parametrize("share", [0.1, 0.3])
def test_a_branch_that_a_part_of_the_rows_lacks_explains_the_gap_all_the_same(applied, share, numbers):
    """As many rows that the gap among those without a branch is sure."""
    made = applied(n=8000)
    source = made.predictions.source
    if numbers:
        score = source.raw["branch"].map({"north": 1.0, "south": 2.0, "east": 3.0}) * 10 + np.arange(8000) % 7
        source = replace(source, raw=source.raw.assign(branch=score))
        made = replace(made, predictions=replace(made.predictions, source=source))
    said = _said(audit(with_holes(made, "branch", share), replicates=50))
    assert any("within values of branch" in one and "of the rows have no value and are left out" in one for one in said)


def test_a_column_that_only_some_kinds_of_rows_have_explains_no_gap(applied):
    """Where nobody was favoured the branch is known: the gap is one of the others, whom no branch explains."""
    even = (0.4, 0.3, 0.3)
    made = applied(n=6000, women=even, men=even, favour=0.2)
    frame = made.predictions.frame
    hidden = (frame["group.sex"] == "woman").to_numpy() & (frame["y_pred"].astype(str) == "1").to_numpy()
    assert _said(audit(with_holes(made, "branch", 0.45, where=hidden), replicates=50)) == []


def test_intervals_within_strata_hold_for_all_columns_that_were_searched(applied):
    made = applied()
    source = made.predictions.source
    alone = replace(made, predictions=replace(made.predictions, source=replace(source, raw=source.raw[["branch"]])))
    name = "fairness.demographic_parity_difference_within[branch]"
    widths, values = [], []
    for subject in (alone, made):
        measure = next(m for m in audit(subject, replicates=50).measures if m.name == name)
        widths.append(measure.high - measure.low)
        values.append(measure.value)
    assert values[0] == values[1]
    assert widths[1] > 1.1 * widths[0]  # z of one column is at most 2.50 (four gaps), of nine columns at least 2.77


def test_a_reversal_is_found(applied):
    assert any(s.startswith("Simpson's reversal") and "branch" in s for s in _said(audit(applied(favour=0.1), replicates=50)))


def test_a_gap_that_stays_is_not_explained(applied):
    even = (0.4, 0.3, 0.3)
    assert _said(audit(applied(women=even, men=even, favour=0.15), replicates=50)) == []


def test_columns_that_say_nothing_explain_nothing(applied):
    """Ten columns of noise, a real gap: at most one of forty searches may find an explanation."""
    found = 0
    for seed in range(40):
        subject = applied(n=600, seed=seed, women=(1, 0, 0), men=(0, 0, 1))
        found += bool(_said(audit(subject, replicates=20, intersections=False)))
    assert found <= 1


def test_what_is_held_fixed_need_not_be_sensitive_and_is_not_judged(applied):
    result = audit(applied(), replicates=50, control=("branch",))
    held = next(m for m in result.measures if m.name == "fairness.demographic_parity_difference_adjusted")
    assert held.low < 0 < held.high
    assert not any("“north”" in f.sentence and "against" in f.sentence and "Within" not in f.sentence for f in result.findings)


def test_a_sensitive_column_held_fixed_is_not_judged_itself(classification):
    chance = np.random.default_rng(0)
    age, sex = chance.choice(["old", "young"], 2000), chance.choice(["f", "m"], 2000)
    decided = (chance.random(2000) < np.where(age == "old", 0.2, 0.7)).astype(int)
    subject = classification(decided, decided, {"sex": sex, "age": age}, favourable="1")
    judged = [f for f in audit(subject, replicates=50, control=("age",)).findings if f.grade == "concern"]
    assert not any("age “young”" in f.sentence for f in judged)


def test_a_gap_that_vanishes_within_many_departments_is_found(classification):
    """Thirty departments, of which women apply to those that admit few; as many that say nothing explain nothing."""
    chance, n, many = np.random.default_rng(3), 4000, 30
    sex = chance.choice(["woman", "man"], n)
    crowd = np.linspace(1, 4, many) / np.linspace(1, 4, many).sum()
    place = np.where(sex == "woman", chance.choice(many, n, p=crowd), chance.choice(many, n, p=crowd[::-1]))
    decided = (chance.random(n) < np.linspace(0.95, 0.05, many)[place]).astype(int)
    made = classification(decided, decided, {"sex": sex}, favourable="1")
    for codes, expected in ((place, True), (chance.permutation(place), False)):
        raw = pd.DataFrame({"department": [f"D{code:02}" for code in codes], "noise": chance.normal(size=n)})
        rows = Split(inputs=(), rows=np.arange(n), raw=raw)
        result = audit(replace(made, predictions=replace(made.predictions, source=rows)), replicates=50)
        assert any("within values of department" in sentence for sentence in _said(result)) == expected


@pytest.mark.parametrize(("most", "many"), [(3, 3), (4, 3), (2, 0)])
def test_strata_are_told_apart_up_to_as_many_as_are_allowed(applied, most, many):
    subject = applied(n=300)
    found = list(strata(subject, ("branch",), most))
    assert len(found) == many
    assert sum(len(part.predictions.frame) for _, part in found) == (300 if many else 0)
    for group, part in found:
        branch = subject.predictions.source.raw["branch"]
        assert len(part.predictions.frame) == (branch == group.values[0]).sum()
