"""The four-fifths rule: whole numbers, tests held against SciPy and by hand, and verdicts that need both."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from glassbench.stats.intervals import holm
from glassbench_audits.selection.categories import Category, ratio_interval
from glassbench_audits.selection.four_fifths import audit, below_four_fifths, p_value


def category(selected, n):
    return Category(by=("sex",), values=("x",), n=n, selected=selected)


def verdict(result):
    return result.findings[0].verdict


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


def test_holm():
    assert holm(np.array([0.04, 0.01, 0.03])).tolist() == pytest.approx([0.06, 0.03, 0.06])


@pytest.mark.parametrize(
    ("women", "men", "expected"),
    [
        ((200, 1000), (400, 1000), "fail"),
        ((2, 8), (4, 8), "insufficient evidence"),
        ((8500, 20000), (9500, 20000), "insufficient evidence"),
        ((490, 1000), (500, 1000), "pass"),
        ((4, 8), (4, 8), "insufficient evidence"),
    ],
    ids=["below and sure", "below by chance", "not below, yet more than chance", "alike", "alike, too few"],
)
def test_a_verdict_needs_rule_and_test(decided, women, men, expected):
    result = audit(decided(({"sex": "women"}, *women), ({"sex": "men"}, *men)))
    assert verdict(result) == expected


def test_one_decision_that_would_tell_is_said(decided):
    result = audit(decided(({"sex": "women"}, 3, 8), ({"sex": "men"}, 5, 10)))
    assert "one decision more" in result.findings[0].sentence


def test_small_groups_are_shown_and_not_judged(decided):
    result = audit(decided(({"race": "a"}, 500, 1000), ({"race": "b"}, 480, 1000), ({"race": "tiny"}, 0, 10)))
    assert verdict(result) == "pass"
    assert next(row for row in result.tables[0].rows if row[0] == "tiny")[-2] == "too few rows to judge"


def test_a_small_category_hides_no_sure_one(decided):
    result = audit(decided(({"race": "a"}, 500, 1000), ({"race": "b"}, 380, 1000), ({"race": "few"}, 15, 42)))
    assert verdict(result) == "fail"
    assert "“b”" in result.findings[0].sentence


@pytest.mark.parametrize("cells", [[({"sex": "f"}, 5, 9)], [({"sex": "f"}, 0, 9), ({"sex": "m"}, 0, 9)]])
def test_one_group_or_nobody_selected_tells_nothing(decided, cells):
    assert verdict(audit(decided(*cells))) == "insufficient evidence"


def test_intervals_of_ratios_cover():
    chance = np.random.default_rng(0)
    a, b = (chance.binomial(120, rate, 2000) for rate in (0.3, 0.5))
    ends = [ratio_interval(category(int(i), 120), category(int(j), 120), 0.95) for i, j in zip(a, b, strict=True)]
    covered = np.mean([low <= 0.6 <= high for low, high in ends])
    assert 0.93 < covered < 0.97


def test_it_says_that_the_selected_class_is_taken_for_favourable(decided):
    result = audit(decided(({"sex": "women"}, 40, 100), ({"sex": "men"}, 50, 100)))
    assert any("favourable" in caution for caution in result.method.cautions)
