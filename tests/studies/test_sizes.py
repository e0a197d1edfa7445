"""Learning from size: training rows alone shrink, smaller shares are part of larger ones, and the law is said as what it is."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from glassbench.contracts.data import Data, Split
from glassbench.errors import GlassbenchError
from glassbench.rows.some_rows import SomeRows
from glassbench.rows.training_share import with_fewer_training_rows
from glassbench.stats.learning_curve import fitted_power_law, gain_of_more_rows
from glassbench.studies import run_study
from glassbench.testing import toy_data


def test_training_rows_alone_shrink_and_smaller_shares_are_part_of_larger_ones():
    data = toy_data()
    some = {share: with_fewer_training_rows(data, share, 3) for share in (0.1, 0.4, 1.0)}
    rows = {share: set(one.train.rows) for share, one in some.items()}
    assert rows[0.1] < rows[0.4] < rows[1.0] == set(data.train.rows)
    assert len(rows[0.4]) == pytest.approx(0.4 * len(data.train), abs=2)
    assert list(some[0.1].test.rows) == list(data.test.rows)
    assert set(some[0.1].train.target.tolist()) == set(data.train.target.tolist())


def test_each_class_keeps_its_share_and_a_rare_one_a_row() -> None:
    target = torch.tensor([0] * 90 + [1] * 8 + [2] * 2)
    split = Split(inputs=(torch.zeros(100, 1),), rows=np.arange(100), target=target)
    for seed in range(3):
        kept = with_fewer_training_rows(Data(schema=toy_data().schema, train=split, test=split), 0.25, seed).train
        assert np.bincount(kept.target.numpy()).tolist() == [22, 2, 1]


def test_rows_read_one_by_one_are_known_by_which_of_them_remain() -> None:
    class Numbers:
        def __len__(self) -> int:
            return 9

        def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
            return (torch.tensor([float(index)]),)

    told = {SomeRows(Numbers(), np.array(chosen)).fingerprint() for chosen in ([0, 1], [0, 2], [1, 0], [0, 1])}
    assert len(told) == 3


def test_rows_that_are_read_one_by_one_and_whole_clusters_stay_whole():
    class Squares:
        def __len__(self):
            return 60

        def __getitem__(self, index):
            return (torch.tensor([float(index) ** 2]),)

    split = Split(inputs=Squares(), rows=np.arange(60), clusters=np.repeat(np.arange(12), 5))
    found = with_fewer_training_rows(Data(schema=toy_data().schema, train=split, test=split), 0.5, 0).train
    assert len(found) == 30
    assert [found.inputs[k][0].item() for k in range(30)] == [float(row) ** 2 for row in found.rows]
    assert np.unique(found.clusters, return_counts=True)[1].tolist() == [5] * 6


def test_a_power_law_is_found_again_and_tells_what_twice_the_rows_would_bring():
    rows = np.array([100.0, 200.0, 400.0, 800.0, 1600.0])
    values = 0.9 - 2.0 * rows**-0.5
    law = fitted_power_law(rows, values, np.full(5, 0.01))
    assert (law.limit, law.scale, law.exponent) == pytest.approx((0.9, -2.0, 0.5), rel=0.02)
    gain = gain_of_more_rows(rows, values, [0.002] * 5)
    assert gain.low <= 2.0 * (1600**-0.5 - 3200**-0.5) <= gain.high
    assert gain_of_more_rows(rows[:3], values[:3], [0.01] * 3) is None


@pytest.mark.parametrize("place", [0, 3, 5])
def test_a_size_that_nobody_is_sure_of_moves_no_law_and_one_that_all_are_sure_of_bends_it(place):
    rows = np.array([100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0])
    values, errors = 0.9 - 2.0 * rows**-0.5, np.full(6, 0.01)
    values[place] += 0.3
    errors[place] = 1e4
    law = fitted_power_law(rows, values, errors)
    assert (law.limit, law.scale, law.exponent) == pytest.approx((0.9, -2.0, 0.5), rel=0.02)
    errors[place] = 1e-4
    assert fitted_power_law(rows, values, errors).at(rows[place]) == pytest.approx(values[place], abs=0.01)
    errors[place] = 0.0  # the smallest of the others stands for it
    same = fitted_power_law(rows, values, np.full(6, 0.01))
    assert fitted_power_law(rows, values, errors).at(5000) == pytest.approx(same.at(5000))


def test_what_more_rows_bring_is_asked_beyond_the_largest_size_and_its_interval_is_as_wide_as_the_errors():
    rows = np.array([100.0, 200.0, 400.0, 800.0])
    values = 0.3 + 4.0 * rows**-0.7
    exact = {times: 4.0 * ((times * 800) ** -0.7 - 800**-0.7) for times in (2.0, 4.0)}
    for times, gain in exact.items():
        assert gain_of_more_rows(rows[::-1], values[::-1], [1e-6] * 4, times).value == pytest.approx(gain, rel=0.02)
    wide, narrow = (gain_of_more_rows(rows, values, [error] * 4) for error in (0.01, 0.0001))
    assert wide.high - wide.low > 10 * (narrow.high - narrow.low)
    assert narrow.low <= exact[2.0] <= narrow.high


@pytest.mark.slow
def test_a_study_of_sizes_has_a_curve_overall_and_for_the_worst_group(small_study, tmp_path):
    vary = {"rows": [0.25, 0.5, 1], "seeds": 2}
    found = run_study(small_study(vary, {"audits": ["performance", "fairness"]}), studies=tmp_path)
    curves = found.answer["sizes"][0]
    assert [point["share"] for point in curves[0]["points"]] == [0.25, 0.5, 1]
    assert curves[0]["points"][0]["rows"] == pytest.approx(curves[0]["points"][2]["rows"] / 4, abs=1)
    assert curves[1]["name"].startswith("worst group")
    assert curves[1]["points"][2]["value"] <= curves[0]["points"][2]["value"]
    assert len(found.answer["candidates"][0]["runs"]) == 2
    assert "training rows" in found.report.read_text()


@pytest.mark.parametrize("rows", [[0.0, 1], [0.5, 0.5], [1.5], "half"])
def test_shares_that_are_none_are_refused(rows, small_study, tmp_path):
    with pytest.raises(GlassbenchError):
        run_study(small_study({"rows": rows}), studies=tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_nothing_shrinks_where_a_model_learns_by_interaction():
    data = replace(toy_data(), train=object(), test=object())
    with pytest.raises(GlassbenchError, match="learns by interaction"):
        with_fewer_training_rows(data, 0.5, 0)
