"""Generated rows worked out by hand: what a class changes, how much variety is reached, whether training rows are repeated."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.contracts.data import Split
from glassbench.contracts.predictions.generated import COVERED
from glassbench.stats.estimate import Estimate
from glassbench_audits.memorisation.copies import Nearest, _chance, copies, distance_ratio, nearest
from glassbench_audits.memorisation.generated_rows import _compared, _copied, _nearer
from glassbench_audits.samples.effect import _agreement, _jackknife, _real_maps, _shares
from glassbench_audits.samples.findings import findings, unlearnt_findings
from glassbench_audits.samples.unlearnt import PERMUTATIONS, Unlearnt, _held_against
from glassbench_audits.samples.variety import DRAWS, Reached, Variety, _p, _Pair, _reached, training_reach
from glassbench_plugins.generation.class_scores import FixedDraws
from glassbench_plugins.generation.metrics import generation_metrics
from glassbench_plugins.generation.mixture import ClassMixture
from glassbench_plugins.generation.reference_mixture import ReferenceMixture


def test_shares_of_the_variance_are_those_of_a_two_way_table() -> None:
    noise, classes = np.array([0.0, 1, 2, 3, 4, 5, 9]), np.array([0.0, 10.0, 2.0])
    flat = noise[:, None, None] + classes[None, :, None]
    by_class, by_noise = classes.var(), noise.var()
    assert _shares(flat) == pytest.approx((by_class / (by_class + by_noise), by_noise / (by_class + by_noise)))


def test_real_maps_are_held_against_the_mean_of_classes_however_many_rows_each_has() -> None:
    rows = torch.tensor([[0.0, 1.0]] * 8 + [[6.0, 1.0]] * 2)
    subject = SimpleNamespace(
        predictions=SimpleNamespace(source=Split(inputs=(rows,), rows=np.arange(10))),
        generated_output=SimpleNamespace(wanted=["a"] * 8 + ["b"] * 2),
        schema=SimpleNamespace(target=SimpleNamespace(classes=("a", "b", "c"))),
    )
    found = _real_maps(subject)
    assert found[:2].tolist() == [[-3.0, 0.0], [3.0, 0.0]]
    assert np.isnan(found[2]).all()


def test_maps_agree_by_their_correlation() -> None:
    drawn = np.random.default_rng(0)
    flat, real = drawn.normal(2, 1, size=(5, 3, 8)), drawn.normal(3, 1, size=(3, 8))
    real[2] = np.nan
    means = flat.mean(axis=0)
    made = means - means.mean(axis=0)
    expected = [np.corrcoef(made[k], real[k])[0, 1] for k in range(2)]
    found = _agreement(flat, real)
    assert found[:2] == pytest.approx(expected)
    assert np.isnan(found[2])


def test_noises_are_left_out_one_at_a_time() -> None:
    values = np.array([0.1, 0.4, 0.2, 0.5, 0.3, 0.6])
    left = [float(np.delete(values, k).mean()) for k in range(6)]
    found = _jackknife(float(values.mean()), left, 0.95, lowest=-1.0)
    error = values.std(ddof=1) / 6**0.5
    assert found.value == pytest.approx(0.35)
    assert found.high - found.low == pytest.approx(2 * 2.5706 * error, rel=0.05)  # Student's of five degrees of freedom


def reached(measured: str, p: float, gap: float | None, value: float = 0.5) -> Reached:
    model = Estimate.of(value, value - 0.1, value + 0.1, level=0.95, n=20)
    return Reached(measured=measured, model=model, training=model, gap=gap, p=p)


def varied(name: str, coverage: tuple[float, float], recall: tuple[float, float]) -> Variety:
    return Variety(
        name=name,
        recognised=Estimate.of(0.9, 0.8, 1.0, level=0.95, n=20),
        coverage=reached("coverage", *coverage),
        recall=reached("recall", *recall),
    )


def test_a_class_lacks_variety_where_it_surely_and_much_does_and_the_poorest_comes_first() -> None:
    each = [
        varied("sure", (0.01, 0.2), (0.5, 0.9)),
        varied("little", (0.01, 0.05), (0.5, 0.0)),
        varied("chance", (0.2, 0.9), (0.3, 0.9)),
        varied("poorest", (0.9, 0.1), (0.02, 0.6)),
        varied("few", (float("nan"), 0.5), (float("nan"), 0.5)),
    ]
    effect = SimpleNamespace(by_class=each[0].recognised, by_noise=each[0].recognised, agreement=())
    subject = SimpleNamespace(schema=SimpleNamespace(unit="row", target=SimpleNamespace(name="class", classes=())))
    found = list(findings(subject, each[0].recognised, effect, each, recognised=0.5, tolerance=0.1, alarm=0.05))
    said = [one.measures[0] for one in found if one.grade == "concern"]
    assert said == ["samples.recall[poorest]", "samples.coverage[sure]"]
    assert each[3].worst.measured == "recall"
    lacks = [
        Unlearnt(name=n, n=20, found=f, expected=0.5, p=p) for n, f, p in (("a", 0.8, 0.01), ("b", 0.53, 0.01), ("c", 0.8, 0.2))
    ]
    assert [one.measures[0] for one in unlearnt_findings(subject, lacks, 0.1, 0.05)] == ["samples.training_lack[a]"]
    assert [one.lack for one in lacks] == pytest.approx([0.6, 0.06, 0.6])


def test_draws_that_reach_exactly_as_little_count_and_unknown_rows_do_not() -> None:
    model = np.array([1.0] * 6 + [0.0] * 6 + [np.nan] * 8)
    drawn = np.concatenate([np.full(10, 0.5), np.full(DRAWS - 10, 0.9)])
    pair = _Pair(model=model, drawn=drawn)
    assert _p(pair) == pytest.approx(11 / (1 + DRAWS))
    found = _reached("recall", pair, 0.3, 0.95)
    assert (found.model.value, found.model.n, found.gap) == (0.5, 12, pytest.approx(drawn.mean() - 0.5))


def test_as_many_training_rows_are_drawn_as_are_held_out(monkeypatch) -> None:
    asked: list[set[int]] = []
    monkeypatch.setattr(
        "glassbench_audits.samples.variety.drawn_reach",
        lambda real, training, draws: asked.extend({len(draw)} for draw in draws) or np.zeros((2, len(draws))),
    )
    training_reach(np.zeros((7, 2)), np.zeros((30, 2)), np.random.default_rng(0))
    training_reach(np.zeros((7, 2)), np.zeros((5, 2)), np.random.default_rng(0))
    assert asked == [{7}] * DRAWS + [{5}]


def test_shuffles_that_mix_exactly_as_little_count() -> None:
    found, expected, p = _held_against(np.zeros((3, 1)), np.array([[1.0], [1.0], [1.0]]), 3, np.random.default_rng(0))
    assert (found, expected) == (pytest.approx(2 / 5), 2 / 5)
    assert p == 1.0  # five neighbours are all others, whoever is held out
    assert PERMUTATIONS > 0


def test_a_held_out_row_that_is_as_near_wins_and_repeated_training_rows_count_once() -> None:
    training, held = np.array([[0.0], [0.0], [4.0]]), np.array([[2.0], [9.0]])
    found = nearest(np.array([[1.0], [0.4], [3.0], [8.0], [3.5]]), training, held)
    assert found.training.tolist() == [False, True, False, False, True]
    assert (found.expected, found.rows) == (0.5, 4)
    assert found.neighbour.tolist() == [2, 0, 2, 3, 1]
    assert found.source.tolist() == [0, 0, 2, 2, 2]
    assert distance_ratio(np.array([[1.0], [3.0]]), training).tolist() == pytest.approx([1 / 3, 1 / 3])
    assert distance_ratio(np.array([[1.0]]), training[:2]).tolist() == [1.0]


def condition(training: list[bool], neighbour: list[int], expected: float, rows: int) -> Nearest:
    n = len(training)
    return Nearest(
        training=np.array(training),
        neighbour=np.array(neighbour),
        expected=expected,
        rows=rows,
        source=np.zeros(n),
        ratio=np.full(n, 0.9),
    )


def test_conditions_count_by_their_generated_rows_and_their_rows_are_apart() -> None:
    one = condition([True] * 24 + [False] * 6, [*range(24), *range(30, 36)], 0.5, 60)
    other = condition([True] * 3 + [False] * 7, [*range(3), *range(9, 16)], 0.9, 20)
    found = copies([one, other], np.full(9, 0.2), 0.95, np.random.default_rng(0))
    assert found.expected == pytest.approx((30 * 0.5 + 10 * 0.9) / 40)
    assert found.nearer.value == pytest.approx(27 / 40)
    assert found.excess.value == pytest.approx((27 / 40 - 0.6) / (1 - 0.6))
    assert (found.copied.value, found.held_out.value) == (0.0, 1.0)
    apart = condition(one.training.tolist() + other.training.tolist(), [*one.neighbour, *(other.neighbour + 60)], 0.6, 80)
    assert found.nearer.low == pytest.approx(copies([apart], np.full(9, 0.2), 0.95, np.random.default_rng(0)).nearer.low)


def test_shuffles_that_catch_exactly_as_many_count() -> None:
    one = condition([True, True], [0, 1], 0.5, 4)
    assert _chance([one], np.random.default_rng(0)) == pytest.approx(1 / 6, abs=0.02)
    all_ = condition([True, False], [0, 2], 0.5, 4)
    assert _chance([all_], np.random.default_rng(0)) == pytest.approx(5 / 6, abs=0.02)


def test_a_generated_rows_source_is_its_place_among_all_training_rows() -> None:
    train = Split(inputs=(torch.tensor([[9.0], [0.0], [5.0], [1.0]]),), rows=np.arange(4), target=torch.tensor([1, 0, 1, 0]))
    source = Split(inputs=(torch.tensor([[0.6], [7.0]]),), rows=np.arange(2), target=torch.tensor([0, 1]))
    made = SimpleNamespace(rows=np.array([[0.9], [5.2]]), wanted=["a", "b"])
    subject = SimpleNamespace(
        schema=SimpleNamespace(target=SimpleNamespace(classes=("a", "b"))), generator=lambda name: np.random.default_rng(0)
    )
    found = _compared(subject, made, train, source, 0.95)
    assert found.source.tolist() == [3, 2]
    assert found.ratio.tolist() == pytest.approx([0.1 / 0.9, 0.2 / 3.8])
    assert found.held_out.tolist() == pytest.approx([0.4 / 0.6, 2 / 2])


def told(excess: tuple[float, float, float], p: float, copied: float = 0.0, held: float = 0.0) -> tuple[str, str]:
    def estimate(value: float, low: float, high: float) -> Estimate:
        return Estimate.of(value, low, high, level=0.95, n=100)

    found = SimpleNamespace(
        nearer=estimate(0.6, 0.5, 0.7),
        expected=0.5,
        excess=estimate(*excess),
        p=p,
        copied=estimate(copied + 0.02, copied, copied + 0.04),
        held_out=estimate(held - 0.05, held - 0.1, held),
    )
    subject = SimpleNamespace(schema=SimpleNamespace(unit="row"))
    return _nearer(subject, found, 0.1, 0.05).grade, _copied(subject, found, 0.1).grade


def test_training_rows_are_repeated_where_excess_and_chance_say_so_and_copied_beyond_the_upper_end() -> None:
    assert [told(excess, p)[0] for excess, p in (((0.3, 0.2, 0.4), 0.01), ((0.3, 0.2, 0.4), 0.2), ((0.3, 0.05, 0.5), 0.01))] == [
        "concern",
        "unclear",
        "unclear",
    ]
    assert told((0.0, -0.1, 0.05), 0.01)[0] == "ok"
    assert [told((0.0, -0.1, 0.05), 0.9, copied, 0.2)[1] for copied in (0.31, 0.29)] == ["concern", "ok"]


def test_a_mean_of_columns_is_over_the_rows_that_are_known() -> None:
    coverage = next(metric for metric in generation_metrics() if metric.name == "coverage")
    frame = pd.DataFrame({COVERED: [1.0, 0.0, np.nan, 1.0]})
    assert coverage.compute(frame, np.array([[1.0, 1, 5, 1], [1, 3, 9, 0]])) == pytest.approx([2 / 3, 1 / 4])


def test_pictures_of_a_mixture_are_taken_one_after_the_other() -> None:
    features = np.arange(12.0).reshape(2, 3, 2)
    made = ReferenceMixture(features=features, seen=np.arange(6.0).reshape(2, 3))
    drawn, seen = made.drawn(np.array([1, 0, 1, 1, 1]))
    assert drawn.tolist() == [features[1, 0].tolist(), features[0, 0].tolist(), *features[1, [1, 2, 0]].tolist()]
    assert seen.tolist() == [3, 0, 4, 5, 3]


def test_a_picture_is_scored_by_the_mean_over_its_own_draws() -> None:
    draws = FixedDraws((1, 2, 2), (0.2, 0.8))
    pictures, numbers = torch.randn(3, 1, 2, 2), torch.tensor([4, 0, 2])

    def wrong(some: torch.Tensor, classes: torch.Tensor, times: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        return some.sum(dim=(1, 2, 3)) * times + 10.0 * classes + noise.sum(dim=(1, 2, 3))

    found = draws.of_pairs(wrong, pictures, numbers)
    by_hand = [
        -np.mean([float(p.sum() * t + 10 * k + e.sum()) for t, e in zip(draws.times, draws.noise, strict=True)])
        for p, k in zip(pictures, numbers, strict=True)
    ]
    assert found.tolist() == pytest.approx(by_hand, rel=1e-5)


def mixture() -> ClassMixture:
    target = SimpleNamespace(kind="class", classes=("a",))
    given = SimpleNamespace(modality="image", shape=(1, 2, 2), target=target, facts_of=lambda kind: None)
    made = ClassMixture(given, components=2, axes=2)
    drawn = np.random.default_rng(1)
    base = np.where(drawn.random(400)[:, None] < 0.8, 0.2, 0.8) + drawn.normal(0, 0.02, (400, 4)) * [3, 2, 1, 1]
    return made.fit(base.reshape(-1, 1, 2, 2).astype(np.float32), np.zeros(400, dtype=int))


def test_components_are_drawn_by_their_shares_and_density_beyond_the_axes_is_normal() -> None:
    np.random.seed(0)
    made = mixture()
    assert made.shares[0].tolist() == pytest.approx([0.8, 0.2], abs=0.06)
    noise = torch.zeros(999, 3)
    noise[:, 0] = torch.special.ndtri((torch.arange(999) + 0.5) / 999)
    pictures = made.sample(torch.zeros(999, dtype=torch.long), noise)
    assert float((pictures.mean(dim=(1, 2, 3)) < 0.5).float().mean()) == pytest.approx(float(made.shares[0, 0]), abs=0.005)
    centre = made.means[0] + made.centres[0, 0] @ made.axes[0]
    beside = torch.as_tensor(np.linalg.svd(made.axes[0].numpy())[2][-1])
    step = 0.05
    points = torch.stack([centre, centre + step * beside]).reshape(2, 1, 2, 2)
    logs = made(points)[:, 0]
    assert float(logs[0] - logs[1]) == pytest.approx(step**2 / (2 * float(made.rest[0])), rel=1e-3)
