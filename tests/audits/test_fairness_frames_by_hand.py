"""Numbers per group that are no counts: errors by hand, deviations under chance, and frames of several kinds put together."""

import numpy as np
import pytest
from given_frames import FOUND, MISSES, SELECTED, Given, Z, counted
from scipy.stats import t

from glassbench.stats.inference import Inference, mean
from glassbench.stats.sampling import Sampling
from glassbench_audits.fairness.frames.confusion_frame import ConfusionFrame
from glassbench_audits.fairness.frames.group_frame import GroupFrame
from glassbench_audits.fairness.frames.groups import Group, mixed
from glassbench_audits.fairness.frames.measured_frame import Measured, MeasuredFrame, members
from glassbench_audits.fairness.frames.rates import GroupMetric
from glassbench_audits.fairness.frames.stacked_frame import confusion_part, counted_numbers, pooled_rates, stacked
from glassbench_audits.fairness.frames.values import value_frame

SHARE = GroupMetric("failure_rate", words="failure rate", of="episodes", higher_is_better=False, share=True)


def number(value: float, error: float, n: int = 100, freedom: float | None = None, few: str | None = None) -> Inference:
    """A number with normal limits."""
    return Inference(
        value=value,
        error=error,
        n=n,
        limits=lambda z: (value - z * error, value + z * error),
        freedom=freedom,
        unsupported=few,
    )


def frame_of(*lines: list[Inference], metrics: tuple[GroupMetric, ...] = (MISSES,), replicates: int = 4000) -> MeasuredFrame:
    """A frame of numbers given per metric: of each group, and last of all rows."""
    groups = tuple(Group(by=("job",), values=(name,)) for name in "abcdef"[: len(lines[0]) - 1])
    measured = [Measured(metric=metric, inferences=tuple(line)) for metric, line in zip(metrics, lines, strict=True)]
    rows = np.array([one.n for one in lines[0][:-1]])
    return MeasuredFrame(groups, rows, measured, replicates=replicates, generator=np.random.default_rng(4))


def test_numbers_have_the_limits_of_their_own_inference() -> None:
    lines = [number(1, 0.1), number(3, 0.2, few="3 rows"), number(2, 0.05)], [number(5, 0.4), number(7, 0.3), number(6, 0.1)]
    frame = frame_of(*lines, metrics=(MISSES, SHARE))
    value, low, high = frame.limits(np.array([[1.0], [2.0]]), [0, 1])
    assert value.tolist() == [[1, 3], [5, 7]]
    assert low == pytest.approx(np.array([[0.9, 2.8], [4.2, 6.4]]))
    assert high == pytest.approx(np.array([[1.1, 3.2], [5.8, 7.6]]))
    (whole, below, above), n = frame.overall(2.0)
    assert (whole.tolist(), n.tolist()) == ([2, 6], [100, 100])
    assert (below, above) == (pytest.approx([1.9, 5.8]), pytest.approx([2.1, 6.2]))
    assert frame.unsupported.tolist() == [[None, "3 rows"], [None, None]]
    assert frame.supported.tolist() == [[True, False], [True, True]]
    assert frame.overall_unsupported() == (None, None)


def test_resamples_move_numbers_as_far_as_their_intervals_say() -> None:
    frame = frame_of([number(1, 0.1), number(3, 0.2), number(4, np.inf), number(2, 0.05)])
    moved = frame.draws[0] - frame.value[0][:, None]
    assert moved[:2].std(axis=1) == pytest.approx([0.1, 0.2], rel=0.04)
    assert moved.mean(axis=1) == pytest.approx(0, abs=0.02)
    assert np.corrcoef(moved[:2])[0, 1] == pytest.approx(0, abs=0.05)
    assert (moved[2] == 0).all()


def test_standard_errors_are_known_from_two_hundred_rows_on() -> None:
    line = [number(1, 0.1, 200), number(1, 0.1, 199), number(1, 0.2, 500, freedom=100), number(1, 0.3, 50, freedom=199)]
    frame = frame_of([*line, number(1, 0.05, 949)])
    assert frame.null_std([0])[0] == pytest.approx([0.1, np.nan, np.nan, 0.3], nan_ok=True)


def test_under_chance_small_groups_deviate_by_students_t_of_their_rows() -> None:
    line = [number(9, 0.1, 5), number(2, 0.3, 200), number(5, 0.2, 300, freedom=3), number(5, 0.2, 1), number(4, 0.1, 600)]
    drawn = frame_of(line).null([0], 60_000, np.random.default_rng(0))[:, 0]
    for group, (df, error) in enumerate([(4, 0.1), (199, 0.3), (3, 0.2), (1, 0.2)]):
        for at in (0.9, 0.975):
            assert np.quantile(drawn[:, group], at) == pytest.approx(t.ppf(at, df) * error, rel=0.05)


def test_a_group_whose_rows_are_alike_could_have_had_others() -> None:
    frame = frame_of([number(1, 0.0, 400), number(1, 0.2, 400), number(1, 0.05, 1600)])
    assert frame.null_std([0])[0] == pytest.approx([0.05 * 40 / 20, 0.2])  # all rows deviate by 2, over the root of 400


def test_shares_under_chance_have_the_error_of_the_share_of_all_rows_times_what_clusters_add() -> None:
    own = [(0.2, 2.0, 400), (0.1, 0.5, 900), (0.0, 0.0, 400), (1.0, 0.0, 250)]
    line = [number(p, times * np.sqrt(p * (1 - p) / n), n) for p, times, n in own]
    frame = frame_of([*line, number(0.3, 0.01, 1950)], metrics=(SHARE,))
    expected = [max(times, 1) * np.sqrt(0.3 * 0.7 / n) for _, times, n in own]
    assert frame.null_std([0])[0] == pytest.approx(expected)


def test_members_are_the_rows_of_each_group_in_order() -> None:
    found = members(np.array([2, 0, 2, 3, 0]), 4)
    assert [rows.tolist() for rows in found] == [[1, 4], [], [0, 2], [3]]


def test_predictions_count_in_every_row_and_errors_where_the_truth_is_known() -> None:
    truth = np.array([1.0, 2.0, np.nan, 4.0, np.nan, np.nan, 7.0, 3.0, 5.0])
    decision = np.array([1.5, 1.0, 8.0, 4.0, 2.0, 6.0, 9.0, 3.5, 4.0])
    codes = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2])
    groups = tuple(Group(by=("job",), values=(name,)) for name in "abc")
    made = {"unit": "mm", "replicates": 10, "generator": np.random.default_rng(0)}
    frame = value_frame(truth, decision, groups, codes, sampling=Sampling(weight=np.ones(9)), **made)
    assert [metric.name for metric in frame.metrics] == ["mean_prediction", "mean_signed_error", "mean_absolute_error", "r2"]
    off = [np.array([0.5, -1, 0]), np.array([2, 0.5, -1])]
    expected = [
        [14.5 / 4, 4, 16.5 / 3],
        [off[0].mean(), np.nan, off[1].mean()],
        [np.abs(off[0]).mean(), np.nan, np.abs(off[1]).mean()],
        [1 - (off[0] ** 2).sum() / (3 * np.var([1, 2, 4])), np.nan, 1 - (off[1] ** 2).sum() / (3 * np.var([7, 3, 5]))],
    ]
    assert frame.value == pytest.approx(np.array(expected), nan_ok=True)
    assert frame.n.tolist() == [[4, 2, 3], [3, 0, 3], [3, 0, 3], [3, 0, 3]]
    assert frame.rows.tolist() == [4, 2, 3]
    (whole, _, _), n = frame.overall(Z)
    assert whole[:3] == pytest.approx([decision.mean(), np.mean([0.5, -1, 0, 2, 0.5, -1]), 5 / 6])
    assert n.tolist() == [9, 6, 6, 6]


def test_values_of_a_survey_are_weighted_and_rest_on_its_clusters() -> None:
    chance = np.random.default_rng(3)
    truth, decision = chance.normal(size=(2, 40))
    codes, weight, clusters = np.arange(40) % 2, chance.uniform(1, 4, 40), np.arange(40) // 3
    sampling = Sampling(weight=weight, clusters=clusters, survey=True)
    groups = tuple(Group(by=("job",), values=(name,)) for name in "ab")
    made = {"unit": None, "replicates": 10, "generator": chance}
    frame = value_frame(truth, decision, groups, codes, sampling=sampling, **made)
    value, low, high = frame.limits(Z)
    for group in (0, 1):
        rows = codes == group
        expected = mean((decision - truth)[rows], sampling.part(rows))
        assert value[1, group] == pytest.approx(np.average((decision - truth)[rows], weights=weight[rows]))
        assert (low[1, group], high[1, group]) == pytest.approx(expected.limits(Z))


def given(*value: list[float], **more: object) -> Given:
    """A frame of given numbers with as many resamples as a frame of counts has."""
    frame = Given(value, **more)
    frame.draws = np.zeros((*frame.value.shape, 100))
    return frame


def together() -> tuple[ConfusionFrame, Given, GroupFrame]:
    first = counted({"f": [[30, 10], [20, 40]], "m": [[60, 20], [5, 15]]})
    second = given([1.0, 2.0], [0.3, 0.4], error=[[0.1, 0.2], [0.3, 0.4]], metrics=(MISSES, FOUND), n=[[50, 60], [70, 80]])
    return first, second, stacked(first, second)


def test_frames_put_together_keep_what_each_says() -> None:
    first, second, both = together()
    k = len(first.metrics)
    assert both.metrics == (*first.metrics, *second.metrics)
    for name in ("value", "n", "draws"):
        assert getattr(both, name).tolist() == [*getattr(first, name).tolist(), *getattr(second, name).tolist()]
    asked, z = [k + 1, 0, k], np.array([[1.0], [2.0], [3.0]])
    value, low, high = both.limits(z, asked)
    assert value == pytest.approx(both.value[asked])
    assert low[0] == pytest.approx([0.3 - 0.3, 0.4 - 0.4])
    assert high[2] == pytest.approx([1 + 3 * 0.1, 2 + 3 * 0.2])
    assert (low[1], high[1]) == tuple(pytest.approx(ends[0]) for ends in first.limits(2.0)[1:])
    assert both.null_std([k + 1, 0, k])[[0, 2]] == pytest.approx(np.array([[0.3, 0.4], [0.1, 0.2]]))
    assert [both.total(metric) for metric in (0, k)] == [200, 110]
    (whole, _, _), n = both.overall(Z)
    assert whole[[0, k]] == pytest.approx([85 / 200, 1.5])
    assert n[[0, k, k + 1]].tolist() == [200, 110, 150]


def test_only_numbers_that_are_no_counts_count_clusters_where_rows_hang_together() -> None:
    first, _, both = together()
    assert not both.counts_clusters(len(first.metrics))
    both.clusters, both.cluster_word = 9, "schools"
    assert [both.counts_clusters(metric) for metric in (0, len(first.metrics))] == [False, True]
    assert both.sizes(0, 0, 1) == "n 100 and 100 rows of 9 schools"
    assert both.sizes(len(first.metrics), 1) == "n 60 schools"


def test_reasons_of_one_frame_stand_beside_numbers_of_another() -> None:
    first = counted({"f": [[3, 1], [2, 40]], "m": [[60, 20], [5, 15]]})
    lacking = given([1.0, 2.0], metrics=(MISSES,))
    found = stacked(first, lacking).unsupported
    assert found[-1].tolist() == [None, None]
    assert found[:-1].tolist() == first.unsupported.tolist()
    assert stacked(lacking) is lacking
    assert (confusion_part(lacking), counted_numbers(lacking), pooled_rates(lacking)) == (None, None, None)


def test_counted_numbers_are_those_of_every_choice_and_no_others() -> None:
    first, second, _ = together()
    third = counted({"f": [[1, 1], [2, 4]], "m": [[6, 2], [5, 1]]})
    part, whole = counted_numbers(stacked(first, third, second))
    assert part.tolist() == [*first.part.tolist(), *third.part.tolist()]
    assert whole.tolist() == [*first.whole.tolist(), *third.whole.tolist()]
    assert confusion_part(stacked(first, third, second)) is first
    assert len(pooled_rates(stacked(first, third, second))) == len(first.metrics) + len(third.metrics)


def test_evidence_of_a_survey_is_what_its_rows_are_worth() -> None:
    frame = given([0.2, 0.4], metrics=(SELECTED,), n=[[100, 50]])
    assert frame.evidence.tolist() == [[100, 50]]
    frame.effective = np.array([[60.0, 70.0]])
    assert frame.evidence.tolist() == [[60, 50]]
    other = given([0.2, 0.4], metrics=(MISSES,), n=[[9, 8]])
    assert stacked(frame, other).evidence.tolist() == [[60, 50], [9, 8]]
    assert frame.sizes(0, 0, 1) == "n 100 and 50, effective n 60 and 70"


@pytest.mark.parametrize(
    "sizes", [(7, 10, 2, 2), (256,), (257,), (16, 16), (16, 17), (2, 3, 300), (300, 3, 2), (1, 1), (256, 256)]
)
def test_combined_codes_are_those_of_numpy_in_the_smallest_type_that_holds_them(sizes) -> None:
    grid = np.indices(sizes).reshape(len(sizes), -1)
    codes = [part.astype(np.min_scalar_type(size - 1)) for part, size in zip(grid, sizes, strict=True)]
    found = mixed(codes, sizes)
    assert found.tolist() == np.ravel_multi_index(tuple(grid), sizes).tolist()
    assert found.dtype == np.min_scalar_type(int(np.prod(sizes)) - 1)
