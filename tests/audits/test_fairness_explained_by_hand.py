"""When the values of a column explain a gap: how far groups must meet, what rows stand for, and which columns are taken."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.data import Split
from glassbench.contracts.subject import Subject
from glassbench_audits.fairness.comparison.criteria import compare
from glassbench_audits.fairness.comparison.simpson import Explained, explained_gaps
from glassbench_audits.fairness.comparison.stratifiers import stratified_column, stratifiers
from glassbench_audits.fairness.frames.group_frames import group_frames


@pytest.fixture(name="subject")
def _subject(classification):
    """Rows of a sex, a value of another column, a truth and a decision, each as often as is said."""

    def make(cells: dict[tuple[object, ...], int], counted: bool = False, **columns: object) -> Subject:
        keys = list(cells) if counted else [key for key, n in cells.items() for _ in range(n)]
        sex, value, truth, decided = zip(*keys, strict=True)
        made = classification(truth, decided, {"sex": sex}, favourable="1")
        frame = made.predictions.frame.assign(**columns)
        if counted:
            frame["frequency"] = list(cells.values())
        source = Split(inputs=(), rows=np.arange(len(frame)), raw=pd.DataFrame({"branch": value}))
        return replace(made, predictions=replace(made.predictions, frame=frame, source=source))

    return make


def parity(subject: Subject) -> Explained | None:
    frames = list(group_frames(subject, depth=1, most=20, replicates=100))
    compared = [(f, compare(f, level=0.95, small=1, chance=50, generator=np.random.default_rng(0))) for f in frames]
    return next((one for one in explained_gaps(subject, compared, 0.95) if one.criterion == "demographic_parity"), None)


def granted(sex: str, branch: str, n: int, of_them: int) -> dict[tuple[object, ...], int]:
    return {(sex, branch, 1, 1): of_them, (sex, branch, 0, 0): n - of_them}


@pytest.mark.parametrize(("alone", "met"), [(1000, False), (350, True)])
def test_at_least_half_of_either_group_must_lie_where_both_are(subject, alone: int, met: bool) -> None:
    """In the east as many women are granted as men; in the west, where more are, there are men alone."""
    cells = (
        granted("woman", "east", 1000, 300) | granted("man", "east", 400, 120) | granted("man", "west", alone, int(0.9 * alone))
    )
    found = parity(subject(cells))
    assert (found is not None) == met
    if found is not None:
        assert (found.pair.strata, found.pair.within[0]) == (1, pytest.approx(0))


def turned() -> dict[tuple[object, ...], int]:
    return {
        **granted("woman", "east", 900, 270),
        **granted("woman", "west", 300, 240),
        **granted("man", "east", 400, 80),
        **granted("man", "west", 800, 560),
    }


def test_strata_count_what_rows_stand_for(subject) -> None:
    one, other = parity(subject(turned())), parity(subject(turned(), counted=True))
    assert other.pair.within == pytest.approx(one.pair.within)
    assert other.pair.overall == pytest.approx(one.pair.overall)
    assert one.pair.within[0] == pytest.approx(-0.1)


def test_a_column_that_says_what_is_true_may_explain_what_is_decided(subject) -> None:
    """Of either truth as many women are decided for as men; more men have the truth that is decided for."""
    cells = {
        ("woman", "due", 1, 1): 240, ("woman", "due", 1, 0): 60, ("woman", "not due", 0, 1): 140, ("woman", "not due", 0, 0): 560,
        ("man", "due", 1, 1): 560, ("man", "due", 1, 0): 140, ("man", "not due", 0, 1): 60, ("man", "not due", 0, 0): 240,
    }  # fmt: skip
    found = parity(subject(cells))
    assert (found.column, found.pair.strata) == ("branch", 2)
    assert found.pair.within[0] == pytest.approx(0)


def test_numbers_of_up_to_ten_values_are_strata_each_and_text_counts_as_numbers_by_its_known_cells() -> None:
    assert stratified_column(pd.Series(np.arange(40) % 10, name="x")).values == tuple(map(str, range(10)))
    assert len(stratified_column(pd.Series(np.arange(40) % 11, name="x")).values) == 5
    written = pd.Series([str(k) for k in range(40)] + ["?"] * 2, name="x")
    absent = pd.Series([None] * 40, name="x", dtype=object)
    both = pd.concat([written, absent], ignore_index=True)
    assert len(stratified_column(written).values) == 6  # five bands, and what is no number
    assert stratified_column(both).values == stratified_column(written).values
    assert stratified_column(pd.concat([written, pd.Series(["?!"] * 2)], ignore_index=True)) is None  # four of 44 are no numbers


def test_lines_without_a_value_weigh_what_they_stand_for(subject) -> None:
    cells = {("woman", "east", 1, 1): 5, ("man", None, 1, 0): 3, ("man", "west", 0, 1): 7, ("woman", None, 0, 0): 1}
    (found,) = stratifiers(subject(cells, counted=True), np.arange(4))
    assert found.missing == pytest.approx(4 / 16)
    assert (found.rows.tolist(), found.held.tolist()) == ([0, 2], [5, 7])
    assert [found.column.values[code] for code in found.column.codes] == ["east", "west"]
    few = {**cells, ("man", None, 1, 0): 13}
    assert list(stratifiers(subject(few, counted=True), np.arange(4))) == []  # 14 of 26 have no value
