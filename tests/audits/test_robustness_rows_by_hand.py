"""Robustness of single rows worked out by hand: what changes leave alone, whose rows clusters and groups are, what is shown."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from glassbench.contracts.data import Split
from glassbench.contracts.facts import ImageFacts
from glassbench.testing import toy_subject
from glassbench_audits.robustness.attacks import _forward, _search, margin, wanted
from glassbench_audits.robustness.corruptions import _without, blur, gaps, missing, typos
from glassbench_audits.robustness.exhibits import fragile, measures, tables
from glassbench_audits.robustness.fragile import PerturbedFeature, perturb_feature
from glassbench_audits.robustness.perturbation import Perturbation
from glassbench_audits.robustness.quality import Quality, drop_limits, mean_limits
from glassbench_audits.robustness.scales import Scale, scale_of
from glassbench_audits.robustness.trials import Judge, Trial, _groups, judge_of


def quality(rows: np.ndarray, *, shares: bool = True, usual: float = 1.0) -> Quality:
    return Quality(rows=np.asarray(rows, dtype=float), shares=shares, words="accuracy", usual=usual)


def numbers(rows: torch.Tensor) -> tuple[Split, Scale]:
    """Rows of numbers of which the last column is no number that may change."""
    unit = torch.tensor([0.5, 2.0, 0.0])
    source = Split(inputs=(rows,), rows=np.arange(len(rows)))
    reach = torch.full((3,), torch.inf)
    return source, Scale(unit=unit, low=-reach, high=reach, centre=torch.full((3,), 9.0), words="")


class Waves(nn.Module):
    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        score = torch.sin(7 * rows).sum(dim=1) + rows[:, 0]
        return torch.stack([-score, score], dim=1)


def test_the_margin_of_labels_is_the_expected_number_of_wrong_ones() -> None:
    found = margin(torch.tensor([[2.0, -3.0, 0.5]]), torch.tensor([[1, 0, 0]]))
    chance = 1 / (1 + np.exp(-np.array([-2.0, -3.0, 0.5])))
    assert found.tolist() == pytest.approx([chance.sum()])


def test_a_search_never_lowers_the_margin_of_any_row_against_its_own_truth() -> None:
    subject = replace(toy_subject(rows=200), model=Waves().eval())
    source = subject.predictions.source
    scale = scale_of(subject, source)
    changed = _search(subject, scale, 2)(source, 0.5, np.random.default_rng(0))
    forward, truth = _forward(subject, scale), wanted(subject, source)
    before, after = (margin(forward(part.inputs[0] / scale.unit), truth) for part in (source, changed))
    assert bool((after >= before).all())
    assert float((after - before).mean()) > 0.5


def test_without_truth_the_value_to_move_away_from_lies_a_trace_below_the_rows_own() -> None:
    subject = toy_subject("value")
    source = replace(subject.predictions.source, target=None)
    own = subject.attribution_output(source.inputs[0]).detach().reshape(len(source), -1)[:, 0]
    assert (own - wanted(subject, source)).numpy() == pytest.approx(
        np.full(len(source), 1e-3 * float(own.std(correction=0))), rel=0.01
    )


def test_missing_values_take_numbers_to_their_middle_and_leave_categories() -> None:
    source, scale = numbers(torch.zeros(40, 3))
    found = missing(replace(toy_subject(), encoder=None), scale)(source, 1.0, np.random.default_rng(0)).inputs[0]
    assert found.unique(dim=0).tolist() == [[9.0, 9.0, 0.0]]


def test_values_go_missing_in_other_rows_of_each_column() -> None:
    raw = pd.DataFrame({"a": np.arange(200.0), "b": ["x"] * 200, "c": np.arange(200)})
    found = _without(raw, ["a", "b"], 0.5, np.random.default_rng(0)).isna()
    assert found["c"].sum() == 0
    assert found[["a", "b"]].sum().tolist() == pytest.approx([100, 100], abs=30)
    assert (found["a"] != found["b"]).sum() == pytest.approx(100, abs=30)
    assert not raw.isna().to_numpy().any()


def test_a_gap_is_cut_into_a_copy_and_elsewhere_in_each_row() -> None:
    rows = torch.ones(30, 20, 2)
    source = Split(inputs=(rows,), rows=np.arange(30))
    scale = Scale(unit=torch.ones(2), low=-torch.ones(2), high=torch.ones(2), centre=torch.zeros(2), words="")
    found = gaps(scale)(source, 0.25, np.random.default_rng(0)).inputs[0]
    assert rows.eq(1).all()
    blank = found[:, :, 0] == 0
    starts = blank.int().argmax(dim=1)
    assert blank.sum(dim=1).tolist() == [5] * 30
    assert (len(starts.unique()), int(starts.min()), int(starts.max())) == (pytest.approx(13, abs=4), 0, 15)


def test_a_blurred_picture_of_one_shade_stays_what_it_is() -> None:
    assert blur(torch.full((1, 2, 6, 6), 3.0), 1.5).numpy() == pytest.approx(np.full((1, 2, 6, 6), 3.0), rel=1e-5)


def test_words_of_two_letters_are_turned_round_and_single_letters_stay() -> None:
    assert typos("ab a cd", 1.0, np.random.default_rng(0)) == "ba a dc"


def test_intervals_of_rows_that_hang_together_are_those_of_one_row_for_each_cluster() -> None:
    values = np.random.default_rng(1).normal(size=25)
    four, clusters = np.repeat(values, 4), np.repeat(np.arange(25), 4)
    for shares in (True, False):
        found = mean_limits(quality(four, shares=shares), np.random.default_rng(0), 0.9, clusters)
        alone = mean_limits(quality(values, shares=False), np.random.default_rng(0), 0.9, None)
        assert [float(end) for end in found] == pytest.approx([float(end) for end in alone])
    before, after = quality(four * 0, shares=False), quality(four, shares=False)
    fell = drop_limits(before, after, np.random.default_rng(0), 0.9, clusters)
    once = drop_limits(quality(values * 0, shares=False), quality(values, shares=False), np.random.default_rng(0), 0.9, None)
    assert [float(end) for end in fell] == pytest.approx([float(end) for end in once])


def test_each_channel_of_a_series_has_its_own_scale() -> None:
    subject = toy_subject()
    rows = torch.randn(60, 5, 2) * torch.tensor([1.0, 10.0]) + torch.tensor([0.0, 50.0])
    schema = replace(subject.schema, modality="series", shape=(5, 2), features=())
    source = Split(inputs=(rows,), rows=np.arange(60))
    scale = scale_of(replace(subject, schema=schema, train=source), source)
    assert scale.unit.numpy() == pytest.approx(rows.flatten(0, 1).std(dim=0).numpy())
    assert scale.centre.numpy() == pytest.approx(rows.flatten(0, 1).mean(dim=0).numpy())


def test_pixels_lie_between_black_and_white_on_the_scale_of_the_model() -> None:
    subject = toy_subject()
    facts = ImageFacts(mean=(0.5, 0.2), std=(0.25, 0.1))
    schema = replace(subject.schema, modality="image", shape=(2, 4, 4), features=(), facts=facts)
    source = Split(inputs=(torch.zeros(3, 2, 4, 4),), rows=np.arange(3))
    scale = scale_of(replace(subject, schema=schema, train=source), source)
    found = [part.flatten().tolist() for part in (scale.unit, scale.low, scale.high)]
    assert found == [pytest.approx([4, 10]), pytest.approx([-2, -2]), pytest.approx([2, 8])]


def test_a_judge_keeps_the_clusters_of_the_rows_that_it_was_given() -> None:
    subject = toy_subject()
    frame = subject.predictions.frame
    frame = frame.assign(cluster=[f"c{i // 3:03}" for i in range(len(frame))])
    subject = replace(subject, predictions=replace(subject.predictions, frame=frame))
    assert judge_of(subject, np.array([10, 0, 11, 2, 9]), 0.9).clusters.tolist() == [1, 0, 1, 0, 1]


def test_groups_are_shown_from_twenty_rows_on_with_the_clusters_of_their_rows() -> None:
    sex = ["f"] * 20 + ["m"] * 19 + ["x"] * 40
    values = np.concatenate([np.repeat(np.arange(5.0), 4), np.ones(19), np.repeat(np.arange(10.0), 4)])
    source = SimpleNamespace(groups=pd.DataFrame({"sex": sex}))
    clusters = np.concatenate([np.repeat(np.arange(5), 4), np.arange(50, 69), np.repeat(np.arange(7, 17), 4)])
    judge = Judge(
        subject=None, source=source, clusters=clusters, level=0.9, before=quality(values, shares=False), predictions=None
    )
    found = dict(_groups(judge, quality(values, shares=False), np.random.default_rng(0)))
    assert {key: n for key, (_, n) in found.items()} == {("sex", "f"): 20, ("sex", "x"): 40}
    alone = mean_limits(quality(np.arange(5.0), shares=False), np.random.default_rng(0), 0.9, None)
    assert [float(end) for end in found["sex", "f"][0]] == pytest.approx([float(end) for end in alone])


def trial(name: str, drop: float, *, attack: str | None = None, mean: tuple[float, ...] = (0.0, 0.0, 0.0)) -> Trial:
    how = Perturbation(name=name, strengths=(0.1,), judged=0, unit="of it", apply=lambda source, _, __: source, attack=attack)
    limits, fell = tuple(map(np.array, mean)), (np.array(drop), np.array(drop - 0.1), np.array(drop + 0.1))
    return Trial(perturbation=how, strength=0.1, mean=limits, drop=fell, groups={}, after=quality(np.zeros(4)))


def test_the_worst_drop_is_that_of_corruptions_and_errors_are_shown_as_positive_numbers() -> None:
    tried = [trial("noise", 0.1, mean=(-2.0, -3.0, -1.5)), trial("shift", 0.3), trial("PGD", 0.9, attack="gradients")]
    before = quality(np.zeros(4), shares=False)
    found = {one.name.removeprefix("robustness."): one for one in measures(tried, [], before, 0.1, 0.9)}
    assert found["worst_drop"].value == pytest.approx(0.3)
    shown = next(one for name, one in found.items() if name.startswith("quality[noise"))
    assert (shown.value, shown.low, shown.high) == pytest.approx((2.0, 1.5, 3.0))
    assert next(iter(tables(tried, [], before))).rows[0][3:6] == pytest.approx((2.0, 1.5, 3.0))


def feature(name: str, low: float, changed: float, p: float) -> PerturbedFeature:
    drop, share = (np.array(low + 0.1), np.array(low), np.array(low + 0.2)), (np.array(0.5), np.array(changed), np.array(0.9))
    return PerturbedFeature(feature=name, drop=drop, changed=share, p=p)


def test_a_feature_is_fragile_where_noise_surely_costs_half_of_the_tolerance_or_turns_more_decisions() -> None:
    tried = [feature("costly", 0.6, 0.0, 0.01), feature("unsure", 0.6, 0.0, 0.2), feature("turning", 0.0, 0.2, 0.9)]
    tried.append(feature("cheap", 0.04, 0.05, 0.01))
    for usual, shares, names in ((1.0, True, ["costly", "turning"]), (10.0, False, ["costly"]), (13.0, False, [])):
        found = fragile(tried, quality(np.zeros(4), shares=shares, usual=usual), 0.1)
        assert [one.feature for one in found] == names


def test_noise_in_one_feature_counts_decisions_that_became_right_and_lists_the_costliest_first() -> None:
    features = [SimpleNamespace(name=name, columns=(k,), numeric=True) for k, name in enumerate("abc")]
    source, scale = numbers(torch.zeros(60, 3))
    before = quality(np.arange(60) % 2)

    def after(perturbation: Perturbation, strength: float, generator: np.random.Generator) -> Quality:
        moved = perturbation.apply(source, strength, generator).inputs[0]
        rows = before.rows.copy()
        if bool(moved[:, 0].any()):
            rows[:36], rows[36:56] = 1 - rows[:36], 0.0  # 18 became right, 28 wrong: it costs more, and that is less sure
        else:
            rows[:12] = 0.0
        return quality(rows)

    subject = SimpleNamespace(schema=SimpleNamespace(features=features), generator=lambda _: np.random.default_rng(0))
    judge = SimpleNamespace(subject=subject, source=source, before=before, after=after, clusters=None, level=0.9)
    judge.drop = lambda changed, generator: drop_limits(before, changed, generator, 0.9, None)
    found = perturb_feature(judge, scale)
    assert [(one.feature, float(one.drop[0]), float(one.changed[0])) for one in found] == [
        ("a", pytest.approx(10 / 60), pytest.approx(46 / 60)),
        ("b", pytest.approx(6 / 60), pytest.approx(6 / 60)),
    ]
    assert source.inputs[0].eq(0).all()
