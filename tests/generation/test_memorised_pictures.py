"""Memorised pictures: a model that repeats its training pictures is flagged, and one that does not is not."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from glassbench.testing import check_audit
from glassbench_audits.memorisation.audit import audit
from glassbench_audits.memorisation.copies import CLOSE, copies, distance_ratio, nearest
from glassbench_plugins.vision.digits import digits


def measured(result, name):
    return next(m for m in result.measures if m.name == f"memorisation.{name}")


def few_rows(data, count):
    """Return the data set with a few training pictures, as many of each class, repeated so that epochs are long."""
    codes = data.train.target.numpy()
    each = count // len(data.schema.target.classes)
    kept = np.sort(np.concatenate([np.flatnonzero(codes == k)[:each] for k in np.unique(codes)]))
    return replace(data, train=data.train.take(np.tile(kept, 20)), validation=None)


def points(seed, training=120, held_out=40, made=40, copied=0.0, columns=5):
    """Return points of one distribution on both sides, and generated ones of which a share are training points."""
    chance = np.random.default_rng(seed)
    sides = [chance.normal(size=(rows, columns)) for rows in (training, held_out, made)]
    first = round(copied * made)
    sides[2][:first] = sides[0][chance.integers(training, size=first)] + 1e-3
    return sides[2], sides[0], sides[1]


def found(seed, groups=3, **settings):
    parts = [points(seed * 100 + group, **settings) for group in range(groups)]
    held_out = np.concatenate([distance_ratio(other, training) for _, training, other in parts])
    return copies([nearest(*part) for part in parts], held_out, 0.95, np.random.default_rng(seed))


def test_copied_points_are_found_in_their_share():
    half = found(0, copied=0.5)
    assert half.excess.low < 0.5 < half.excess.high
    assert half.excess.value == pytest.approx(0.5, abs=0.2)
    assert half.p < 0.01
    assert half.copied.value >= 0.5
    assert half.held_out.value < 0.05
    every = found(0, copied=1.0)
    assert every.excess.value == 1
    assert every.excess.low > 0.8


def test_exchangeable_sides_are_told_apart_as_seldom_as_promised():
    each = [found(seed) for seed in range(60)]
    assert sum(one.p <= 0.05 for one in each) <= binom.ppf(0.995, 60, 0.05)
    assert sum(one.excess.low <= 0 <= one.excess.high for one in each) >= binom.ppf(0.005, 60, 0.95)


def test_pictures_of_a_third_split_are_no_nearer_to_training_pictures():
    p_values = []
    for seed in range(10):
        data = digits(seed, validation_share=0.2)
        splits = (data.validation, data.train, data.test)
        rows = [[one.inputs[0][one.target == k].flatten(1).numpy() for one in splits] for k in range(10)]
        ratios = np.concatenate([distance_ratio(held_out, training) for _, training, held_out in rows])
        result = copies([nearest(*each) for each in rows], ratios, 0.95, np.random.default_rng(seed))
        assert result.excess.low < 0.1
        p_values.append(result.p)
    assert sum(p <= 0.05 for p in p_values) <= 2


def test_smooth_points_of_the_middle_are_no_copies():
    made, training, held_out = points(3)
    one = nearest(made * 0.3, training, held_out)
    result = copies([one], distance_ratio(held_out, training), 0.95, np.random.default_rng(0))
    assert result.p > 0.05
    assert result.copied.value == 0


def test_a_repeated_training_point_counts_once():
    training = np.repeat(np.eye(3), 4, axis=0)
    ratio = distance_ratio(np.eye(3)[:1] * 0.99, training)
    assert ratio[0] < CLOSE / 10
    assert distance_ratio(np.zeros((2, 3)), np.ones((4, 3))).tolist() == [1, 1]


@pytest.mark.slow
def test_a_generator_of_new_pictures_is_no_concern_and_the_audit_keeps_its_promises(drawn):
    data = digits(0, validation_share=0.2)
    subject = drawn(data, data.validation)
    names = ("nearest_is_training", "nearest_excess", "nearest_p_value", "copied", "copied_held_out")
    check_audit(audit, "memorisation", subjects=[subject], measures=names)
    result = audit(subject)
    assert "concern" not in {finding.grade for finding in result.findings}
    assert len(result.pictures) == 1
    assert audit(replace(subject, train=replace(subject.train, target=None))).not_applicable


def test_a_generator_of_training_pictures_is_a_concern(drawn):
    data = digits(0)
    result = audit(drawn(data, data.train))
    assert [finding.grade for finding in result.findings] == ["concern", "concern"]
    assert measured(result, "nearest_excess").value > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_a_model_forced_to_memorise_fifty_rows_is_flagged(generated, quick_judge, seed):
    data = digits(seed)
    subject = generated(few_rows(data, 50), epochs=15, seed=seed, rate=0.005, widths=(16, 32), steps=20)
    result = audit(subject)
    print(seed, result.findings[0].grade, measured(result, "nearest_excess"))
    assert result.findings[0].grade == "concern"
    assert measured(result, "nearest_excess").value > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_a_model_of_all_rows_is_not_flagged(generated, quick_judge, seed):
    result = audit(generated(digits(seed), epochs=20, seed=seed, widths=(16, 32), steps=20))
    print(seed, result.findings[0].grade, measured(result, "nearest_excess"))
    assert "concern" not in {finding.grade for finding in result.findings}
