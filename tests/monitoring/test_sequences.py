"""What is followed, as a person works it out."""

from types import SimpleNamespace

import numpy as np
import pytest

from glassbench.monitoring.sequences import ALPHA, Sequence, _with_error, compare
from glassbench.stats.sequential_means import CountedValues, MeanChange
from glassbench.stats.sequential_ranks import RankCells


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


def shares(rate: float, rows: int = 4000) -> CountedValues:
    return CountedValues(np.array([0.0, 1.0]), np.array([rows * (1 - rate), rows * rate]))


@pytest.mark.parametrize(("own", "others", "worse"), [(0.7, 0.3, True), (0.1, 0.6, True), (0.45, 0.45, False), (0.6, 0.5, False)])
def test_a_gap_that_narrows_or_turns_to_a_smaller_one_is_a_change_and_none_for_the_worse(own, others, worse):
    """The run's gap was 0.6 against 0.3."""
    before = {"r|a": shares(0.6), "r|a|others": shares(0.3)}
    now = {"r|a": (shares(own),), "r|a|others": (shares(others),)}
    one = Sequence(key="r|a", family="gaps", title="", kind="gap", alpha=0.04, worse="apart")
    found = compare(one, SimpleNamespace(means=before), now, {})
    assert (found.certain, found.worse) == (True, worse)


@pytest.mark.parametrize(
    ("family", "beyond", "worse"), [("performance", 900, True), ("performance", 100, False), ("inputs", 100, True)]
)
def test_errors_that_shrink_are_a_change_and_none_for_the_worse(family, beyond, worse):
    """Half of the run's errors lay beyond its median; of an input neither direction is better."""
    reference = SimpleNamespace(ranks={"k": RankCells(((1.0, 0.5),), (500, 500))})
    one = Sequence(key="k", family=family, title="", kind="ranks", alpha=0.01)
    found = compare(one, reference, {}, {"k": np.array([1000 - beyond, beyond])})
    assert (found.certain, found.worse, found.rows) == (True, worse, 1000)
    assert found.change == pytest.approx(0.4)
    assert (found.before, found.now) == ((0.5, beyond / 1000) if family == "performance" else (None, None))
