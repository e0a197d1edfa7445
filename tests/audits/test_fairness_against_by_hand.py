"""What is told of parity where nobody says what is good, and of groups held against one that was chosen, from given numbers."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from given_frames import MISSES, SELECTED, Given, counted
from scipy.stats import norm

from glassbench.contracts.evidence import Measure
from glassbench.errors import SettingsError
from glassbench_audits.fairness.comparison.criteria import compare
from glassbench_audits.fairness.comparison.grading import Rules
from glassbench_audits.fairness.comparison.parity import direction_findings, lacking_direction, undirected
from glassbench_audits.fairness.comparison.reference import (
    against_reference,
    reference_findings,
    reference_measures,
    reference_table,
)
from glassbench_audits.fairness.frames.group_frame import GroupFrame
from glassbench_audits.fairness.frames.groups import Group
from glassbench_audits.fairness.next_steps import Advice


@pytest.mark.parametrize(
    ("stem", "asked", "without"),
    [
        ("selection_rate", (), True),
        ("demographic_parity_difference", (), True),
        ("four_fifths", (), True),
        ("four_fifths[yes]", (), False),
        ("accuracy", (), False),
        ("selection_rate", ("demographic_parity",), False),
        ("demographic_parity_difference", ("demographic_parity",), False),
        ("demographic_parity_ratio", ("demographic_parity",), True),
        ("four_fifths", ("demographic_parity",), True),
        ("four_fifths", ("four_fifths",), True),
    ],
)
def test_no_gate_judges_a_direction_that_nobody_named(stem: str, asked: tuple[str, ...], without: bool) -> None:
    measure = Measure(name=f"fairness.{stem}", value=0.5, n=7)
    assert undirected(measure, "why", asked) == (replace(measure, not_judged="why") if without else measure)
    assert undirected(measure, None, asked) is measure
    undefined = Measure(name=f"fairness.{stem}", value=None, undefined="x")
    assert undirected(undefined, "why", asked) is undefined


def choice(
    classes: tuple[str, ...], name: str | None = None, selects: bool = True, favourable: tuple[str, ...] = ()
) -> SimpleNamespace:
    return SimpleNamespace(classes=classes, name=name, selects=selects, favourable=favourable)


def test_parity_lacks_a_direction_where_somebody_is_selected_and_nobody_says_for_what_good() -> None:
    def said(*outputs: SimpleNamespace) -> str | None:
        return lacking_direction(SimpleNamespace(class_outputs=outputs, value_output=None))

    assert "(no or yes)" in said(choice(("no", "yes")))
    assert "(first or second)" in said(choice(("no", "yes"), "first"), choice(("no", "yes"), "second"))
    assert "(no or yes)" in said(choice(("no", "yes")), choice(("0", "1"), selects=False))
    assert said(choice(("no", "yes"), favourable=("yes",))) is None
    assert said(choice(("no", "yes"), selects=False)) is None
    assert said() is None


DECIDED = {"man": [[40, 15], [15, 30]], "woman": [[40, 10], [24, 26]]}
"""Selected: 45 of 100 men and 36 of 100 women."""

RULES = Rules(level=0.95, difference=0.1, ratio=0.8, value=3.0)
ADVICE = Advice(rows="rows", remedy="train anew", conditions=("weather",))


def directions(frame: GroupFrame, reason: str | None = "why", advice: Advice = ADVICE) -> list:
    found = compare(frame, level=0.95, small=1, chance=100, generator=np.random.default_rng(0))
    return list(direction_findings([(frame, found)], reason, RULES, advice))


def test_what_parity_comes_to_is_told_for_both_outcomes() -> None:
    (said,) = directions(counted(DECIDED, both=True))
    assert "if “yes” is good, the ratio of its rates is 0.80 [" in said.sentence.lower()
    assert "if “no” is good, the ratio of its rates is 0.86 [" in said.sentence
    assert ": 36 % [" in said.sentence
    assert "for sex “woman”, 45 % [" in said.sentence
    assert said.sentence.startswith("By sex, no verdict is given on parity: why. If “yes” is good")
    assert said.sentence.endswith(" for sex “woman”.")  # more women than men are decided against
    assert said.measures == ("fairness.four_fifths[yes]", "fairness.four_fifths[no]")
    assert (said.grade, said.weight, said.by, said.answers) == ("unclear", 0.55, ("sex",), "differences")
    assert "`favourable`" in said.next_step
    assert directions(counted(DECIDED, both=True), reason=None) == []
    assert directions(counted(DECIDED, both=True), advice=replace(ADVICE, conditions=("sex",))) == []
    assert directions(counted({"man": DECIDED["man"]}, both=True)) == []
    both = counted(DECIDED, both=True)
    both.groups = tuple(Group(by=("sex", "age"), values=(*group.values, "old")) for group in both.groups)
    assert directions(both) == []


def test_a_rule_that_is_broken_for_both_outcomes_is_a_concern() -> None:
    (said,) = directions(counted({"man": [[400, 0], [0, 600]], "woman": [[800, 0], [0, 200]]}, both=True))
    assert said.sentence.startswith(
        "By sex, the four-fifths rule is broken whichever outcome is good for a person: if “yes” is good"
    )
    assert "0.33 [" in said.sentence
    assert "; if “no” is good, the ratio of its rates is 0.50 [" in said.sentence
    assert "below the 0.80 that the audit allows" in said.sentence
    assert said.measures == ("fairness.four_fifths[yes]", "fairness.four_fifths[no]")
    assert (said.grade, said.weight, said.by, said.answers) == ("concern", 0.72, ("sex",), "differences")
    assert said.next_step == "Name the outcome that is good for a person (the setting `favourable`); then train anew."


def test_four_outcomes_at_most_are_told() -> None:
    classes = tuple("abcdef")
    frame = counted(
        {sex: (np.eye(6, dtype=int) * (8 + place + np.arange(6))).tolist() for place, sex in enumerate("fm")}, classes
    )
    (said,) = directions(frame)
    assert said.sentence.endswith("; and 2 more outcomes.")
    assert said.sentence.count("ratio of its rates") == 4
    assert said.measures == tuple(f"fairness.four_fifths[{one}]" for one in "abcd")
    assert (said.grade, said.weight) == ("not applicable", 0.2)
    four = counted(
        {sex: (np.eye(4, dtype=int) * (8 + place + np.arange(4))).tolist() for place, sex in enumerate("fm")}, classes[:4]
    )
    (whole,) = directions(four)
    assert "more outcomes" not in whole.sentence
    assert whole.sentence.count("ratio of its rates") == 4


THREE = Given(
    [[0.5, 0.2, 0.4], [2.0, 6.0, 1.0]], metrics=(replace(SELECTED, klass="yes"), MISSES), n=[[100, 90, 9], [100, 90, 50]]
)


def against(reference: str = "a", small: int = 10, frame: GroupFrame = THREE, feature: str = "job") -> tuple:
    return against_reference([Given([[0.1]], by="sex"), frame], {feature: reference}, 0.95, small)


def test_groups_are_held_against_the_reference_at_bonferronis_value() -> None:
    found = against()
    assert [(a.metric, a.group, a.reference, a.large) for a in found] == [
        (0, 1, 0, True),
        (0, 2, 0, False),
        (1, 1, 0, True),
        (1, 2, 0, True),
    ]
    reach = norm.ppf(1 - 0.05 / 4 / 2) * 0.03 * 2**0.5
    assert [a.difference for a in found] == [pytest.approx((d, d - reach, d + reach)) for d in (-0.3, -0.1, 4.0, -1.0)]
    assert [a.ratio[0] for a in found] == pytest.approx([0.4, 0.8, 3.0, 0.5])
    assert all(a.ratio[1] < a.ratio[0] < a.ratio[2] for a in found)
    assert not any(a.large for a in against("c")[:2])
    without = Given([[0.5, 0.2]])
    without.ratios = False
    assert np.isnan(against(frame=without)[0].ratio).all()
    nothing = against(frame=Given([[0.0, 0.2]]))[0]
    assert (nothing.difference[0], np.isnan(nothing.ratio[0])) == (0.2, True)
    assert against(frame=Given([[0.5]])) == ()


def test_what_is_named_as_reference_must_be_there() -> None:
    with pytest.raises(SettingsError) as refused:
        against(feature="jbo")
    assert (refused.value.got, refused.value.available) == ("jbo", ("sex", "job"))
    assert "'job'" in str(refused.value)
    with pytest.raises(SettingsError, match="group of job") as refused:
        against("x")
    assert (refused.value.got, refused.value.available) == ("x", ("a", "b", "c"))


def test_differences_and_ratios_to_the_reference_are_measured() -> None:
    found = list(reference_measures(against(), 0.9))
    assert [m.name for m in found[:2]] == [
        "fairness.selection_rate_difference_to_reference[yes]",
        "fairness.selection_rate_ratio_to_reference[yes]",
    ]
    assert found[4].name == "fairness.mean_signed_error_difference_to_reference"
    assert [(m.by, m.group, m.n, m.level) for m in found[1:3]] == [
        (("job",), {"job": "b"}, 90, 0.9),
        (("job",), {"job": "c"}, 9, 0.9),
    ]
    for told, one in zip(found[::2], against(), strict=True):
        assert (told.value, told.low, told.high) == one.difference
    lacking = list(reference_measures(against(frame=Given([[0.0, np.nan]])), 0.9))
    assert [(m.value, m.low, m.high) for m in lacking] == [(None, None, None)] * 2
    assert "no rows" in lacking[0].undefined
    (only,) = against()[:1]
    endless = replace(only, difference=(0.1, -np.inf, np.inf))
    assert next((m.value, m.low, m.high) for m in reference_measures([endless], 0.9)) == (0.1, None, None)


def test_the_table_shows_every_comparison_of_a_feature() -> None:
    other = against_reference([Given([[0.1, 0.2]], by="sex")], {"sex": "b"}, 0.95, 10)
    first, second = reference_table([*against(), *other], 0.95)
    assert (first.title, second.title) == ("Groups of job against “a”", "Groups of sex against “b”")
    assert first.columns == ("what", "group", "difference", "low", "high", "ratio", "low ratio", "high ratio")
    assert [row[:2] for row in first.rows] == [(what, group) for what in ("selection rate", "mean error") for group in "bc"]
    assert first.rows[0][2:] == pytest.approx((*against()[0].difference, *against()[0].ratio))
    assert "95 % over the 4 comparisons" in first.note
    (bare,) = reference_table(against(frame=Given([[0.0, 0.2]])), 0.95)
    assert bare.rows[0][5] is None


def test_a_group_that_surely_lies_farther_from_the_reference_than_is_allowed_is_told() -> None:
    judged_names = ("demographic_parity[yes]", "mean_signed_error")

    def told(allowed: float, names: tuple[str, ...] = judged_names, reference: str = "a") -> list:
        return list(reference_findings(against(reference), allowed, names, 0.95, "train anew"))

    parity, higher, lower = told(0.15)
    assert "the selection rate of “yes” is lower for job “b”: 20 % [14, 26] against 50 % [44, 56]" in parity.sentence
    assert "The gap, 30 points [19, 41], is above the 15 points allowed" in parity.sentence
    assert parity.sentence.startswith("Against the reference group job “a”")
    assert parity.measures == ("fairness.selection_rate_difference_to_reference[yes]",)
    assert (parity.grade, parity.weight, parity.group, parity.answers) == ("concern", 0.79, {"job": "b"}, "differences")
    assert parity.next_step == "Look at job “b” beside the reference group; then train anew."
    assert "the mean error is higher for job “b”" in higher.sentence
    assert (higher.weight, higher.measures) == (1.0, ("fairness.mean_signed_error_difference_to_reference",))
    assert "the mean error is lower for job “c”" in lower.sentence
    low = 0.3 - norm.ppf(1 - 0.05 / 8) * 0.03 * 2**0.5
    assert len(told(low - 1e-6, judged_names[:1])) == 1
    assert told(low + 1e-6, judged_names[:1]) == []
    assert told(0.15, ("demographic_parity", "selection_rate[yes]")) == []
    assert [one.group for one in told(0.15, judged_names[:1], "b")] == [{"job": "a"}]  # c is small
