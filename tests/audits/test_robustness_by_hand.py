"""Robustness worked out by hand: what attacks keep and ask, what corruptions do to every number, and how falls are tested."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import binom, ttest_1samp
from torch import nn

from glassbench.contracts.data import Split
from glassbench.contracts.subject import Subject
from glassbench.stats.intervals import rate_interval
from glassbench.testing import toy_subject
from glassbench_audits.robustness.attacks import _forward, _noise, _pgd, margin, wanted
from glassbench_audits.robustness.corruptions import corruptions, shift
from glassbench_audits.robustness.fragile import p_value
from glassbench_audits.robustness.masking import masking
from glassbench_audits.robustness.perturbation import Perturbation
from glassbench_audits.robustness.quality import Quality, drop_limits
from glassbench_audits.robustness.scales import Scale, scale_of
from glassbench_audits.robustness.search import random_search
from glassbench_audits.robustness.trials import Judge, Trial


class Rough(nn.Module):
    """Two classes by a score with many local peaks, so that where an attack starts matters."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        score = torch.sin(7 * rows).sum(dim=1) + rows[:, 0]
        return torch.stack([-score, score, 100 * score], dim=1)


def rough() -> tuple[Subject, Split, Scale]:
    subject = replace(toy_subject(rows=200), model=Rough().eval())
    assert subject.predictions.source is not None
    scale = scale_of(subject, subject.predictions.source)
    assert scale is not None
    return subject, subject.predictions.source, scale


def attacked(restarts: int, seed: int = 0) -> torch.Tensor:
    """What PGD raises of each row."""
    subject, source, scale = rough()
    changed = _pgd(subject, scale, restarts)(source, 0.5, np.random.default_rng(seed))
    return margin(_forward(subject, scale)(changed.inputs[0] / scale.unit), wanted(subject, source)).detach()


def test_attacks_look_at_the_scores_of_classes_alone():
    subject, source, scale = rough()
    assert _forward(subject, scale)(source.inputs[0]).shape == (len(source), 2)


def test_pgd_begins_at_the_row_itself_and_keeps_its_worst_start():
    once = attacked(1)
    assert torch.equal(once, attacked(1, seed=5))  # nothing is drawn for the first start
    several = attacked(4)
    assert bool((several >= once - 1e-5).all())
    assert bool((several > once + 1e-3).any())


def test_attacks_go_no_further_than_what_can_occur():
    subject, source, scale = rough()
    narrow = replace(scale, low=-0.1 * torch.ones_like(scale.unit), high=0.1 * torch.ones_like(scale.unit))
    changed = _pgd(subject, narrow, 1)(source, 0.5, np.random.default_rng(0)).inputs[0]
    assert float(changed.abs().max()) <= 0.1 + 1e-6


def two_columns(rows: int = 40) -> tuple[Split, Scale]:
    source = replace(toy_subject().predictions.source.take(np.arange(rows)), inputs=(torch.zeros(rows, 2),))
    units = torch.tensor([0.5, 3.0])
    return source, Scale(unit=units, low=-99 * torch.ones(2), high=99 * torch.ones(2), centre=torch.zeros(2), words="")


def test_noise_to_compare_with_has_the_size_of_the_attacks_in_every_number():
    source, scale = two_columns()
    moved = _noise(scale)(source, 0.1, np.random.default_rng(0)).inputs[0]
    assert moved.abs() == pytest.approx(np.tile([0.05, 0.3], (40, 1)))


def test_a_shift_goes_the_same_way_for_all_rows():
    source, scale = two_columns()
    for seed in range(4):
        moved = shift(scale)(source, 0.1, np.random.default_rng(seed)).inputs[0]
        assert moved == pytest.approx(np.tile(moved[0], (40, 1)))
        assert moved[0].abs().tolist() == pytest.approx([0.05, 0.3])


def test_lost_contrast_keeps_the_mean_of_a_picture_and_takes_a_share_of_its_spread():
    subject = toy_subject()
    pictures = torch.rand(6, 1, 8, 8)
    source = replace(subject.predictions.source.take(np.arange(6)), inputs=(pictures,), raw=None)
    subject = replace(subject, schema=replace(subject.schema, modality="image", shape=(1, 8, 8), features=()))
    scale = Scale(unit=torch.ones(1), low=torch.zeros(1), high=torch.ones(1), centre=torch.zeros(1), words="")
    pale = next(one for one in corruptions(subject, source, scale) if one.name == "lost contrast")
    seen = pale.apply(source, 0.75, np.random.default_rng(0)).inputs[0]
    assert seen.mean(dim=(1, 2, 3)) == pytest.approx(pictures.mean(dim=(1, 2, 3)))
    assert seen.std(dim=(1, 2, 3)) == pytest.approx(0.25 * pictures.std(dim=(1, 2, 3)))


def right(*rows: float, shares: bool = True) -> Quality:
    return Quality(rows=np.array(rows), shares=shares, words="accuracy")


def test_a_fall_is_tested_to_one_side():
    """Five rows became wrong and one became right: McNemar's exact test."""
    before, after = right(*[1] * 5, 0, 1, 0), right(*[0] * 5, 1, 1, 0)
    assert p_value(before, after) == pytest.approx(binom.sf(4, 6, 0.5))
    assert p_value(after, before) == pytest.approx(binom.sf(0, 6, 0.5))
    assert p_value(before, before) == 1


def test_a_fall_of_rows_that_hang_together_is_tested_by_the_sums_of_clusters():
    drawn = np.random.default_rng(0)
    clusters, before, after = np.repeat(np.arange(8), 3), drawn.random(24), drawn.random(24) - 0.2
    sums = np.bincount(clusters, before - after)
    found = p_value(right(*before, shares=False), right(*after, shares=False), clusters)
    assert found == pytest.approx(ttest_1samp(sums, 0, alternative="greater").pvalue)


def test_a_row_that_is_wrong_enough_is_not_asked_about_again():
    asked: list[int] = []

    def score(changed: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        asked.extend(positions.tolist())
        return torch.where((positions == 0) & (changed[:, 0] == 0), 10.0, -1.0)

    random_search(score, torch.zeros(3, 2), torch.ones(2), np.random.default_rng(0), steps=20, restarts=2, enough=0.0)
    assert (asked.count(0), asked.count(1)) == (3, 1 + 2 * 21)


def trial(name: str, wrong: range) -> Trial:
    none = (np.array(0.0),) * 3
    kind = "gradients" if name == "PGD" else "noise"
    how = Perturbation(name=name, strengths=(0.1,), judged=0, unit="", apply=lambda source, _, __: source, attack=kind)
    after = right(*(1.0 - np.isin(np.arange(1000), wrong)))
    drop = (np.array(len(wrong) / 1000), *none[1:])
    return Trial(perturbation=how, strength=0.1, mean=none, drop=drop, groups={}, after=after)


def misleads(by_gradients: range, by_noise: range, rivals: int) -> bool:
    """Whether noise is said to do more harm to 1000 rows than gradients, as one of several such comparisons."""
    before = right(*[1.0] * 1000)
    source, subject = SimpleNamespace(groups=None), toy_subject(rows=1000)
    judge = Judge(subject=subject, source=source, clusters=None, level=0.95, before=before, predictions=None)
    tried = [trial("PGD", by_gradients), *[trial("noise", by_noise)] * rivals]
    return masking(judge, [*tried, *(replace(one, strength=0.0, after=before) for one in tried)]) is not None


@pytest.mark.parametrize(("found", "more", "said"), [(0, 30, True), (200, 30, True), (400, 30, False), (0, 9, False)])
def test_what_gradients_miss_counts_from_a_point_and_from_a_tenth_of_what_they_find(found, more, said):
    assert misleads(range(found), range(found + more), 1) == said


def test_what_gradients_miss_is_corrected_for_the_comparisons_made():
    """74 rows against 50 others: 2.2 standard errors, beyond 95 % and within 99.5 %."""
    assert misleads(range(50), range(50, 124), 1)
    assert not misleads(range(50), range(50, 124), 10)


def test_rows_that_all_stay_right_leave_a_fall_of_a_share_possible_and_none_of_values() -> None:
    same, generator = right(*[1.0, 0.0] * 30), np.random.default_rng(0)
    value, low, high = drop_limits(same, same, generator, 0.9, None)
    assert (float(value), float(low), float(high)) == (0, 0, float(rate_interval(np.array(0.0), np.array(60), 0.9)[1]))
    assert 0.02 < float(high) < 0.06
    off = right(*[-1.5] * 60, shares=False)
    assert [float(end) for end in drop_limits(off, off, generator, 0.9, None)] == [0, 0, 0]


def test_more_starts_of_a_random_search_never_find_less() -> None:
    weights = torch.as_tensor(np.random.default_rng(3).normal(size=(8, 8)))

    def score(changed: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        return torch.einsum("ni,ij,nj->n", changed, weights, changed)

    rows = torch.as_tensor(np.random.default_rng(4).normal(size=(12, 8)))
    found = []
    for restarts in range(1, 7):
        best = random_search(score, rows, torch.ones(8), np.random.default_rng(0), steps=2, restarts=restarts)
        found.append(score(best, torch.arange(12)))
    rises = torch.stack(found).diff(dim=0)
    assert (rises >= 0).all()
    assert (rises > 0).any()
