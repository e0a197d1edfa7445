"""The four-fifths rule: whole numbers, tests held against SciPy and by hand, and verdicts that need both."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from glassbench_audits.fairness.audit import audit as fairness
from glassbench_audits.selection.categories import Category
from glassbench_audits.selection.equal_rates import p_value, shuffled, widest_of_pairs
from glassbench_audits.selection.four_fifths import audit, below_four_fifths
from glassbench_audits.selection.local_law_144 import audit as local_law_144


def category(selected, n):
    return Category(by=("sex",), values=("x",), n=n, selected=selected)


def grade(result):
    return result.findings[0].grade


def test_exactly_four_fifths_is_not_below():
    assert 0.36 / 0.45 < 0.8  # what floating point says
    assert not below_four_fifths(category(36, 100), category(45, 100))
    assert below_four_fifths(category(35, 100), category(45, 100))


def test_two_proportions_are_the_chi_square_test():
    a, b = category(60, 150), category(90, 160)
    table = [[60, 90], [90, 70]]
    assert p_value(a, b) == (pytest.approx(chi2_contingency(table, correction=False).pvalue), "two proportions")


def test_small_counts_take_the_exact_test():
    assert p_value(category(1, 6), category(5, 7)) == (
        pytest.approx(fisher_exact([[1, 5], [5, 2]]).pvalue),
        "Fisher's exact test",
    )


def test_picking_the_highest_of_six_rates_raises_no_false_alarms():
    chance, alarms, sizes = np.random.default_rng(4), 0, [40, 80, 60, 90, 50, 70]
    for _ in range(400):
        groups = [category(int(k), n) for k, n in zip(chance.binomial(sizes, 0.4), sizes, strict=True)]
        rates = np.array([group.rate for group in groups])
        alarms += widest_of_pairs(shuffled(groups, 500, chance), rates, int(rates.argmax())).min() <= 0.05
    assert alarms <= 28  # a twentieth of 400, and two standard errors; tests of pairs, corrected for five, raise some 40


def test_the_shuffled_test_of_two_categories_is_the_exact_one():
    a, b = category(8, 40), category(21, 45)
    p = widest_of_pairs(shuffled([a, b], 40_000, np.random.default_rng(2)), np.array([a.rate, b.rate]), 1)[0]
    assert p == pytest.approx(fisher_exact([[8, 32], [21, 24]]).pvalue, abs=0.003)


@pytest.mark.parametrize(
    ("women", "men", "expected"),
    [
        ((200, 1000), (400, 1000), "concern"),
        ((2, 8), (4, 8), "unclear"),
        ((8500, 20000), (9500, 20000), "unclear"),
        ((490, 1000), (500, 1000), "ok"),
        ((4, 8), (4, 8), "unclear"),
    ],
    ids=["below and sure", "below by chance", "not below, yet more than chance", "alike", "alike, too few"],
)
def test_a_verdict_needs_rule_and_test(decided, women, men, expected):
    result = audit(decided(({"sex": "women"}, *women), ({"sex": "men"}, *men)))
    assert grade(result) == expected


@pytest.mark.parametrize(
    ("women", "men", "said"),
    [
        ((3, 8), (5, 10), True),  # 4 of 8 are no less than 4 of 10
        ((34, 100), (44, 100), True),  # 35 against 43 are .81, against 44 they would be .795
        ((33, 100), (44, 100), False),  # 34 against 43 are .79
    ],
)
def test_one_decision_that_would_tell_is_said_where_it_goes_from_one_to_the_other(decided, women, men, said):
    result = audit(decided(({"sex": "women"}, *women), ({"sex": "men"}, *men)))
    assert ("one decision more" in result.findings[0].sentence) == said


def test_small_groups_are_shown_and_not_judged(decided):
    result = audit(decided(({"race": "a"}, 500, 1000), ({"race": "b"}, 480, 1000), ({"race": "tiny"}, 0, 10)))
    assert grade(result) == "ok"
    assert next(row for row in result.tables[0].rows if row[0] == "tiny")[-2] == "too few rows to judge"


def test_a_small_category_hides_no_sure_one(decided):
    result = audit(decided(({"race": "a"}, 500, 1000), ({"race": "b"}, 380, 1000), ({"race": "few"}, 15, 42)))
    assert grade(result) == "concern"
    assert "“b”" in result.findings[0].sentence


@pytest.mark.parametrize("cells", [[({"sex": "f"}, 5, 9)], [({"sex": "f"}, 0, 9), ({"sex": "m"}, 0, 9)]])
def test_one_group_or_nobody_selected_tells_nothing(decided, cells):
    assert grade(audit(decided(*cells))) == "unclear"


@pytest.mark.parametrize("rows", [[(60, 150), (90, 160)], [(60, 150), (90, 160), (70, 140), (31, 60)]])
def test_the_lowest_ratio_is_that_of_the_fairness_audit(decided, rows):
    subject = decided(*(({"race": name}, *cells) for name, cells in zip("abcd", rows, strict=False)))
    (lowest,) = (m for m in audit(subject).measures if m.name == "four-fifths.lowest_ratio")
    (ratio,) = (m for m in fairness(subject).measures if m.name == "fairness.four_fifths")
    assert (lowest.value, lowest.low, lowest.high) == (pytest.approx(ratio.value), ratio.low, ratio.high)
    assert lowest.low < lowest.value < lowest.high


def test_selection_rates_have_one_interval(decided):
    subject = decided(({"race": "a"}, 60, 150), ({"race": "b"}, 9, 40))
    own = {m.group["race"]: m for m in local_law_144(subject).measures if m.name == "local-law-144.selection_rate"}
    theirs = {m.group["race"]: m for m in fairness(subject).measures if m.name == "fairness.selection_rate" and m.group}
    assert {g: (m.value, m.low, m.high) for g, m in own.items()} == {g: (m.value, m.low, m.high) for g, m in theirs.items()}


def test_it_says_that_the_selected_class_is_taken_for_favourable(decided):
    result = audit(decided(({"sex": "women"}, 40, 100), ({"sex": "men"}, 50, 100)))
    assert any("favourable" in caution for caution in result.method.cautions)
