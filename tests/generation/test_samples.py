"""The audit of samples: planted lack of variety, planted effects of the class, and nothing where nothing was planted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from captum.attr import IntegratedGradients

from glassbench.testing import check_audit, toy_subject
from glassbench.toolkit.splits.splits import Division
from glassbench_audits.samples.audit import audit
from glassbench_audits.samples.effect import effect
from glassbench_audits.samples.plugin import glassbench_audits
from glassbench_plugins.generation.diffusion import Diffusion
from glassbench_plugins.generation.mixture import ClassMixture
from glassbench_plugins.generation.task import PictureGeneration
from glassbench_plugins.vision.assembly import Collection, divided
from glassbench_plugins.vision.digits import digits
from glassbench_plugins.vision.pictures import InMemory

MEASURES = next(iter(glassbench_audits())).measures


def measured(result, name):
    return next(m for m in result.measures if m.name == f"samples.{name}")


def without_variety(split, number, seed):
    """Return a split whose pictures of one class are the twelve nearest to one of them, eight times each."""
    codes, rows = split.target.numpy(), split.inputs[0].flatten(1).numpy()
    ours = np.flatnonzero(codes == number)
    middle = rows[np.random.default_rng(seed).choice(ours)]
    near = ours[np.argsort(((rows[ours] - middle) ** 2).sum(axis=1))[:12]].repeat(8)
    return split.take(np.sort(np.concatenate([np.flatnonzero(codes != number), near])))


def bars(seed, rows=900):
    """Return pictures whose class lights one of three bars at the left; a bar at the right lies anywhere, whatever the class."""
    chance = np.random.default_rng(seed)
    light, classes = chance.normal(40, 12, (rows, 8, 8)), chance.integers(3, size=rows)
    for row, number in enumerate(classes):
        light[row, 3 * number : 3 * number + 2, :3] += 150
        place = chance.integers(7)
        light[row, place : place + 2, 5:] += 150
    pixels = torch.from_numpy(light.clip(0, 255).round().astype(np.uint8))[:, None]
    images = Collection(pictures=InMemory(pixels), labels=pd.Series(classes).astype(str), rows=np.arange(rows), source="made")
    return divided(images, Division(seed=seed, validation=0.1, test=0.3)).data()


def poor(result):
    return [f.sentence for f in result.findings if "lack variety" in f.sentence and f.grade == "concern"]


@pytest.fixture(scope="module")
def data():
    return digits(0, validation_share=0.3)


@pytest.fixture(scope="module")
def ordinary(drawn, data):
    return drawn(data, data.validation)


def test_it_keeps_the_promises_of_an_audit(ordinary):
    check_audit(audit, "samples", subjects=[ordinary], measures=MEASURES, noises=10)


def test_it_declines_what_generates_nothing():
    assert "generates no rows" in audit(toy_subject()).not_applicable


def test_nothing_is_said_to_lack_variety_where_nothing_was_taken(ordinary):
    result = audit(ordinary, noises=10)
    assert not poor(result)
    assert not lacking(result)
    assert measured(result, "recognised").value > 0.9
    assert result.pictures[0].title == "Generated and held-out images"


@pytest.mark.slow
def test_the_class_whose_variety_was_taken_is_named_and_no_other(drawn, data):
    result = audit(drawn(data, without_variety(data.validation, 3, 0)), noises=10)
    assert len(poor(result)) == 1
    assert "“3”" in poor(result)[0]
    assert measured(result, "recall[3]").value < measured(result, "recall_training[3]").low


def lacking(result):
    return [f.sentence for f in result.findings if "no model can learn it" in f.sentence and f.grade == "concern"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_variety_that_training_pictures_lack_is_named_and_nothing_where_nothing_was_taken(drawn, seed):
    number, whole = seed + 2, digits(seed)
    for planted in (True, False):
        taken = replace(whole, train=without_variety(whole.train, number, seed)) if planted else whole
        result = audit(drawn(taken, taken.train), noises=4)
        print(seed, number, planted, [measured(result, f"training_lack[{name}]").value for name in whole.schema.target.classes])
        assert [f"“{number}”" in one for one in lacking(result)] == [True] * planted


def inside(found):
    """Return the share of the class's effect that lies at the left, where it was planted."""
    held = np.abs(found.maps)
    return held[..., :3].sum() / held.sum()


def test_the_class_changes_what_it_was_planted_to_change(drawn):
    made = bars(0)
    found = effect(drawn(made, made.train), noises=40, level=0.95)
    assert inside(found) > 0.7
    assert 0.05 < found.by_class.value < 0.95
    assert all(one.value > 0.9 for one in found.agreement)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_a_class_whose_training_pictures_lack_variety_has_the_least_recall(generated, seed):
    number, whole = seed + 2, digits(seed)
    taken = replace(whole, train=without_variety(whole.train, number, seed))
    result = audit(generated(taken, epochs=25, seed=seed, widths=(16, 32), steps=20))
    recall = {name: measured(result, f"recall[{name}]").value for name in whole.schema.target.classes}
    print(seed, number, recall, poor(result))
    assert min(recall, key=recall.get) == str(number)
    assert recall[str(number)] < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_planted_effects_of_the_class_are_found_in_every_seed(generated, seed):
    subject = generated(bars(seed), epochs=25, seed=seed, factory=Diffusion, widths=(8, 16), steps=20)
    found = effect(subject, noises=24, level=0.95)
    print(seed, inside(found), found.by_class, [one.value for one in found.agreement])
    assert inside(found) > 0.8
    assert all(one.value > 0.9 for one in found.agreement)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_attributions_of_the_mixture_point_where_the_class_was_planted(seed):
    made = bars(seed)
    task = PictureGeneration()
    task.check(made.schema)
    model = ClassMixture(made.schema, axes=10).fit(made.train.inputs[0].numpy(), made.train.target.numpy()).eval()

    def odds(pictures):
        scores = task.attribution_output(model(pictures))
        others = [torch.cat([scores[:, :k], scores[:, k + 1 :]], dim=1).logsumexp(dim=1) for k in range(3)]
        return scores - torch.stack(others, dim=1)

    rows, wanted = made.test.inputs[0][:12], made.test.target[:12]
    held = IntegratedGradients(odds).attribute(rows, target=wanted, n_steps=12).abs().detach().numpy()
    assert held[..., :3].sum() > 0.75 * held.sum()
