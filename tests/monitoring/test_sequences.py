"""What is followed, as a person works it out."""

from types import SimpleNamespace

import numpy as np
import pytest

from glassbench.monitoring.sequences import ALPHA, Sequence, _with_error, compare
from glassbench.stats.sequential_means import CountedValues, MeanChange


def test_a_gap_has_half_of_the_error_for_each_of_its_two_means():
    """Both intervals at 1 - alpha/2 hold at once with 1 - alpha (Bonferroni), so that their difference does."""
    drawn = np.random.default_rng(0)
    means = {
        when: {key: CountedValues.of(drawn.random(300) < rate) for key, rate in zip(("r|a", "r|a|others"), rates, strict=True)}
        for when, rates in (("before", (0.3, 0.4)), ("now", (0.5, 0.4)))
    }
    one = Sequence(key="r|a", family="gaps", title="", kind="gap", alpha=0.04, worse="apart")
    looks = {key: (counted,) for key, counted in means["now"].items()}
    found = compare(one, SimpleNamespace(means=means["before"]), looks, {})
    (low, high), (least, most) = (
        MeanChange(alpha=0.02).interval(means["before"][k], means["now"][k]) for k in ("r|a", "r|a|others")
    )
    assert (found.low, found.high) == (low - most, high - least)
    gaps = [each["r|a"].mean - each["r|a|others"].mean for each in (means["before"], means["now"])]
    assert (found.before, found.now, found.rows) == (*gaps, 300)
    assert found.change == pytest.approx(gaps[1] - gaps[0])


def test_the_error_is_divided_among_all_that_is_followed_and_none_is_left():
    """Families that are there share it as .60 to .14 (performance to inputs); the first of three measures has 95 hundredths."""

    def followed(family, many, title="x"):
        return [Sequence(key=f"{family}|{i}", family=family, title=title, kind="mean", alpha=0.0) for i in range(many)]

    found = _with_error({"performance": followed("performance", 3), "inputs": followed("inputs", 7), "groups": []})
    assert sum(one.alpha for one in found) == pytest.approx(ALPHA)
    part = ALPHA * 0.60 / 0.74
    assert [one.alpha for one in found[:3]] == pytest.approx([0.95 * part, 0.025 * part, 0.025 * part])
    assert [one.alpha for one in found[3:]] == pytest.approx([ALPHA * 0.14 / 0.74 / 7] * 7)
