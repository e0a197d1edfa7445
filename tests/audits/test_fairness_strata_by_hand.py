"""Which columns are strata, how they are cut, and which gaps they explain, from rows few enough to count."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.data import Split
from glassbench.contracts.subject import Subject
from glassbench.errors import SettingsError
from glassbench_audits.fairness.comparison.adjusted import Adjusted
from glassbench_audits.fairness.comparison.criteria import Comparison, compare
from glassbench_audits.fairness.comparison.gaps import Extremes
from glassbench_audits.fairness.comparison.simpson import Explained, explained_findings, explained_gaps, explained_measures
from glassbench_audits.fairness.comparison.strata import check_control, strata
from glassbench_audits.fairness.comparison.stratifiers import raw_columns, stratified_column, stratifiers
from glassbench_audits.fairness.frames.group_frame import GroupFrame
from glassbench_audits.fairness.frames.group_frames import group_frames
from glassbench_audits.fairness.frames.groups import Group
from glassbench_audits.fairness.frames.rates import GroupMetric


def with_raw(subject: Subject, raw: pd.DataFrame | None, **more: object) -> Subject:
    """The subject with raw rows beside its predictions."""
    source = Split(inputs=(), rows=np.arange(len(subject.predictions.frame)), raw=raw, **more)
    return replace(subject, predictions=replace(subject.predictions, source=source))


@pytest.fixture(name="people")
def _people(classification):
    def make(n: int = 12, **more: object) -> Subject:
        decided = np.arange(n) % 2
        return classification(decided, decided, {"sex": np.where(np.arange(n) % 3, "f", "m"), "age": ["old"] * n}, **more)

    return make


def test_columns_beside_target_decision_and_sensitive_ones_may_be_strata(people) -> None:
    subject = people()
    names = ["place", "outcome", "y_true", "y_pred", "score", "sex", "age", "pay"]
    raw = pd.DataFrame({name: np.arange(12) for name in names})
    assert list(raw_columns(with_raw(subject, raw)).columns) == ["place", "pay"]
    for lacking in (subject, with_raw(subject, None)):
        assert raw_columns(lacking).shape == (12, 0)
    shorter = replace(subject, predictions=replace(subject.predictions, source=SimpleNamespace(raw=raw[:5])))
    assert raw_columns(shorter).shape == (12, 0)


@pytest.mark.parametrize(
    ("values", "strata"),
    [
        (["a"] * 40, None),
        ([str(k % 20) + "x" for k in range(40)], 20),
        ([str(k % 21) + "x" for k in range(209)], None),
        ([str(k % 21) + "x" for k in range(210)], 21),
        ([str(k % 200) + "x" for k in range(2000)], 200),
        ([str(k % 201) + "x" for k in range(3000)], None),
        (list(range(10)) * 2, 10),
        (list(range(11)) * 2, 5),
        ([str(k) for k in range(20)], 20),
        ([str(k) for k in range(95)] + ["?", "!", "-", ".", "#"], 6),
        ([str(k) for k in range(94)] + ["?", "!", "-", ".", "#", "+"], None),
        ([str(k) for k in range(38)] + [None, None], 6),
        ([float("nan")] * 9 + [1.0], None),
    ],
)
def test_columns_are_strata_where_they_have_few_values_or_are_numbers(values: list[object], strata: int | None) -> None:
    """Beyond twenty values there must be ten rows of each, beyond two hundred never; numbers of more than ten become bands."""
    found = stratified_column(pd.Series(values, name="x"))
    assert (None if found is None else len(found.values)) == strata
    assert found is None or found.name == "x"


def test_bands_hold_equally_many_rows_and_start_with_their_lower_edge() -> None:
    """The fifths of 0 to 100 end at 20, 40, 60 and 80."""
    found = stratified_column(pd.Series(np.arange(101), name="pay"))
    assert found.values == ("below 20", "20 to 40", "40 to 60", "60 to 80", "from 80")
    assert found.codes.tolist() == [min(4, k // 20) for k in range(101)]
    heavy = stratified_column(pd.Series([0.0] * 60 + list(range(1, 41)), name="pay"))
    assert heavy.values == ("below 0", "0 to 0.4", "0.4 to 20.2", "from 20.2")
    assert np.bincount(heavy.codes).tolist() == [0, 60, 20, 20]


def told(subject: Subject, rows: np.ndarray) -> dict[str, tuple]:
    return {one.column.name: one for one in stratifiers(subject, rows)}


def test_rows_without_a_value_are_in_no_stratum(people) -> None:
    raw = pd.DataFrame(
        {
            "half": ["a", "b"] * 3 + [None] * 6,
            "less": ["a", "b"] * 2 + ["a"] + [None] * 7,
            "blank": ["a", "b", " ", ""] * 3,
            "id": [f"n{k}" for k in range(12)],
            "one": ["a"] * 12,
        }
    )
    rows = np.arange(12)
    found = told(with_raw(people(), raw), rows)
    assert list(found) == ["half", "blank", "id"]
    assert (found["half"].rows.tolist(), found["half"].missing, found["half"].held) == (list(range(6)), 0.5, None)
    assert [found["half"].column.values[code] for code in found["half"].column.codes] == ["a", "b"] * 3
    assert found["blank"].rows.tolist() == [k for k in range(12) if k % 4 < 2]
    assert found["id"].missing == 0
    some = told(with_raw(people(), raw), np.array([1, 4, 8]))
    assert (some["half"].rows.tolist(), some["half"].missing) == ([1, 4], pytest.approx(1 / 3))
    assert [some["half"].column.values[code] for code in some["half"].column.codes] == ["b", "a"]
    assert told(people(), rows) == {}


def test_rows_count_by_what_they_stand_for(people) -> None:
    subject = people()
    subject.predictions.frame["frequency"] = np.arange(1, 13)
    raw = pd.DataFrame({"late": [None] * 6 + ["a", "b"] * 3, "early": ["a", "b"] * 4 + [None] * 4})
    found = told(with_raw(subject, raw), np.arange(12))
    assert list(found) == ["late"]  # 57 of 78 rows have a value; of the other 36
    assert (found["late"].held.tolist(), found["late"].missing) == ([7, 8, 9, 10, 11, 12], pytest.approx(21 / 78))


def test_columns_that_are_counted_elsewhere_are_strata_of_their_lines(people) -> None:
    lines = pd.DataFrame({"value": ["x", "y", None], "row": [4, 4, 7], "count": [3, 5, 2]})
    asked = []
    spread = SimpleNamespace(counted=lambda most: asked.append(most) or {"kind": lines, "same": lines.assign(value="x")})
    subject = people()
    source = SimpleNamespace(raw=None, strata=spread)
    found = told(replace(subject, predictions=replace(subject.predictions, source=source)), np.arange(12))
    assert (list(found), asked) == (["kind"], [20])
    kind = found["kind"]
    assert (kind.rows.tolist(), kind.held.tolist(), kind.missing) == ([4, 4], [3, 5], pytest.approx(0.2))
    assert [kind.column.values[code] for code in kind.column.codes] == ["x", "y"]


def test_control_names_columns_that_are_there_and_leaves_one_to_compare(people) -> None:
    subject = with_raw(people(), pd.DataFrame({"place": ["n", "s"] * 6}))
    check_control(subject, ())
    check_control(subject, ("age", "place"))
    with pytest.raises(SettingsError) as refused:
        check_control(subject, ("age", "plce"))
    assert (refused.value.got, refused.value.available) == ("plce", ("sex", "age", "place"))
    assert "'place'" in str(refused.value)
    with pytest.raises(SettingsError, match="name it among") as refused:
        check_control(subject, ("qqqqqq",))
    for every in (("sex", "age"), ("age", "place", "sex")):
        with pytest.raises(SettingsError, match="none is left") as refused:
            check_control(subject, every)
        assert refused.value.got == ", ".join(every)


def test_strata_are_combinations_with_their_rows_and_the_other_features(people) -> None:
    subject = with_raw(people(), pd.DataFrame({"place": ["n", "s", "n"] * 4}))
    found = list(strata(subject, ("place", "sex"), 9))
    assert [(group.by, group.values) for group, _ in found] == [
        (("place", "sex"), pair) for pair in (("n", "f"), ("n", "m"), ("s", "f"))
    ]
    assert [part.predictions.frame["row"].tolist() for _, part in found] == [[2, 5, 8, 11], [0, 3, 6, 9], [1, 4, 7, 10]]
    assert list(found[0][1].predictions.groups.columns) == ["age"]
    assert found[0][1].predictions.frame.index.tolist() == [0, 1, 2, 3]
    assert [len(list(strata(subject, ("place", "sex"), most))) for most in (3, 2)] == [3, 0]
    assert list(strata(subject, (), 9)) == []


def test_a_control_column_of_too_many_values_is_refused(people) -> None:
    subject = with_raw(people(24), pd.DataFrame({"name": [f"n{k}" for k in range(24)]}))
    with pytest.raises(SettingsError, match="cannot be cut into strata") as refused:
        list(strata(subject, ("name",), 99))
    assert refused.value.got == "name"
    assert "2 to 20 values" in str(refused.value)


def rows_of(cells: dict[tuple[str, ...], tuple[int, int]]) -> tuple[list[tuple[str, ...]], np.ndarray]:
    """Return the key of each row and whether it is decided for, from the rows of each key and how many are."""
    keys = [key for key, (n, _) in cells.items() for _ in range(n)]
    return keys, np.concatenate([np.arange(n) < granted for n, granted in cells.values()]).astype(int)


def compared(subject: Subject) -> list[tuple[GroupFrame, tuple[Comparison, ...]]]:
    frames = group_frames(subject, depth=1, most=20, replicates=100)
    return [(f, compare(f, level=0.95, small=1, chance=50, generator=np.random.default_rng(0))) for f in frames]


@pytest.fixture(name="applied")
def _applied(classification):
    """Rows of a sex and one column or two, with the decision as the truth."""

    def make(cells: dict[tuple[str, ...], tuple[int, int]], names: tuple[str, ...] = ("branch",), **more: object) -> Subject:
        keys, decided = rows_of(cells)
        sex, *columns = zip(*keys, strict=True)
        subject = classification(decided, decided, {"sex": sex}, favourable="1")
        return with_raw(subject, pd.DataFrame({**dict(zip(names, columns, strict=True)), **more}))

    return make


TURNED = {
    ("woman", "east"): (900, 270),
    ("woman", "west"): (300, 240),
    ("man", "east"): (400, 80),
    ("man", "west"): (800, 560),
}
"""Women are granted ten points more in either branch, and nearly eleven less over all rows."""


def test_of_several_columns_the_one_that_turns_the_gap_farthest_is_told(applied) -> None:
    """The second column is the first, with a part of each branch's rows in one branch for all: the gap turns less there."""
    whole = applied(TURNED)
    branch = whole.predictions.source.raw["branch"]
    blurred = branch.where(np.arange(len(branch)) % 10 != 0, "both")
    both = with_raw(whole, pd.DataFrame({"blurred": blurred, "branch": branch, "noise": np.arange(len(branch)) % 2}))
    found = {one.criterion: one for one in explained_gaps(both, compared(both), 0.95)}
    parity = found["demographic_parity"]
    assert (parity.column, parity.searched, parity.missing) == ("branch", 3, 0)
    assert parity.pair.within[0] == pytest.approx(-0.1)
    assert parity.pair.overall[0] == pytest.approx(640 / 1200 - 510 / 1200)
    assert (parity.pair.opposite, parity.pair.strata) == (2, 2)
    assert set(found) <= {"demographic_parity", "false_negative_rate", "false_positive_rate", "precision", "accuracy"}


def test_nothing_is_looked_for_where_no_gap_is_sure(applied) -> None:
    even = applied({("woman", "east"): (90, 30), ("man", "east"): (90, 30), ("man", "west"): (9, 3)})
    assert explained_gaps(even, compared(even), 0.95) == ()


def test_a_column_that_says_what_was_decided_explains_nothing(applied) -> None:
    """In the branches east and west everyone is decided alike; with enough rows of a third it is no repetition any more."""
    cells = {
        ("woman", "east"): (1000, 0),
        ("man", "east"): (500, 0),
        ("woman", "west"): (500, 500),
        ("man", "west"): (1000, 1000),
    }
    assert explained_gaps(applied(cells), compared(applied(cells)), 0.95) == ()
    for mixed, known in ((10, False), (100, True)):
        more = {**cells, ("woman", "south"): (mixed, mixed // 2), ("man", "south"): (mixed, mixed // 2)}
        found = [
            one for one in explained_gaps(applied(more), compared(applied(more)), 0.95) if one.criterion == "demographic_parity"
        ]
        assert bool(found) == known


def test_the_difference_must_show_among_rows_that_have_a_value(applied) -> None:
    """Of the women whose branch is known as many are granted as of the men: what is left to explain is not the gap."""
    cells = {("woman", "east"): (500, 250), ("woman", None): (500, 50), ("man", "east"): (1000, 500)}
    cells |= {("woman", "west"): (100, 50), ("man", "west"): (100, 50)}
    assert explained_gaps(applied(cells), compared(applied(cells)), 0.95) == ()


def test_clusters_widen_the_intervals_within_strata(applied) -> None:
    """Every row four times in one cluster: a quarter of the rows, twice the width."""
    alone = applied(TURNED)
    widths = []
    for clusters in (None, np.arange(2400) // 4):
        frame = alone.predictions.frame
        given = frame if clusters is None else frame.assign(cluster=clusters.astype(str))
        subject = replace(alone, predictions=replace(alone.predictions, frame=given))
        found = {one.criterion: one for one in explained_gaps(subject, compared(subject), 0.95)}["demographic_parity"]
        widths.append(found.pair.within[2] - found.pair.within[0])
    assert widths[1] == pytest.approx(2 * widths[0], rel=0.05)


def explained(within: tuple[float, float, float], missing: float = 0.0, outcome: str = "yes") -> Explained:
    metric = GroupMetric("selection_rate", words="selection rate", of="rows", higher_is_better=None, outcome=outcome)
    groups = tuple(Group(by=("job",), values=(name,)) for name in "ab")
    frame = SimpleNamespace(metrics=(metric,), groups=groups, by=("job",), rows=np.array([30, 40]))
    where = Extremes(metric=0, top=0, bottom=1)
    pair = Adjusted(where=where, overall=(0.2, 0.1, 0.3), within=within, opposite=2, strata=3)
    return Explained(frame=frame, criterion="demographic_parity", column="branch", pair=pair, searched=9, missing=missing)


def test_what_strata_explain_is_measured_and_told() -> None:
    (measure,) = explained_measures([explained((-0.1, -0.2, -0.05))], 0.9)
    assert (measure.name, measure.value, measure.low, measure.high, measure.level, measure.by, measure.n) == (
        "fairness.demographic_parity_difference_within[branch]", -0.1, -0.2, -0.05, 0.9, ("job",), 70
    )  # fmt: skip
    turned, gone = explained_findings([explained((-0.1, -0.2, -0.05), 0.25), explained((0.01, -0.02, 0.04), outcome="")])
    assert turned.sentence.startswith(
        "Simpson's reversal: over all rows the selection rate of “yes” is higher for job “a” than for job “b”, by "
        "20 points [10, 30]; "
        "within values of branch it is lower, by 10 points [5, 20] (2 of 3 strata point the other way; 25 % of the rows"
    )
    assert "the selection rate is higher for job “a”" in gone.sentence
    assert "within values of branch the difference is 1 points [" in gone.sentence
    assert "(2 of 3 strata point the other way)" in gone.sentence
    assert "Found among 9 columns" in gone.sentence
    for one in (turned, gone):
        assert one.measures == (
            "fairness.demographic_parity_difference",
            "fairness.demographic_parity_difference_within[branch]",
        )
        assert (one.grade, one.weight, one.by) == ("unclear", 0.75, ("job",))
