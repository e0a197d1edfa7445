"""Groups that are generated worse: a planted gap is found, and nothing where nothing was planted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench_audits.fairness.audit import audit as fairness
from glassbench_plugins.generation.diffusion import Diffusion
from glassbench_plugins.generation.mixture import ClassMixture
from glassbench_plugins.generation.task import PictureGeneration
from glassbench_plugins.vision.digits import digits

SIDES = ("left", "right")


def marked(seed, noised):
    """Return digits with a bright column at the left or the right edge, whatever the digit; training pictures of the right ones
    may be full of noise, held-out ones never are."""
    data, chance = digits(seed, test_share=0.4, validation_share=0.0), np.random.default_rng(seed)

    def part(split, spoilt):
        right, light = chance.random(len(split)) < 0.5, split.inputs[0].clone()
        black, white = light.min(), light.max()
        if spoilt:
            noise = torch.as_tensor(chance.uniform(-1, 1, light.shape), dtype=light.dtype) * (white - black)
            light[right] = (light + noise)[right].clamp(black, white)
        light[~right, :, :, 0], light[right, :, :, -1] = white, white
        groups = pd.DataFrame({"edge": np.array(SIDES, dtype=object)[right.astype(int)]}, dtype=object)
        return replace(split, inputs=(light, *split.inputs[1:]), groups=groups)

    schema = replace(data.schema, sensitive=("edge",), conditions=("edge",))
    return replace(data, schema=schema, train=part(data.train, noised), validation=None, test=part(data.test, False))


def concerns(subject):
    return [f.sentence for f in fairness(subject, replicates=300).findings if f.grade == "concern"]


@pytest.fixture
def of_mixture(examined_by_task):
    """Return a function that returns what audits get of a mixture fitted to data."""

    def make(data, seed):
        task = PictureGeneration()
        task.check(data.schema)
        model = ClassMixture(data.schema, components=4).fit(data.train.inputs[0].numpy(), data.train.target.numpy())
        return examined_by_task(data, model.eval(), task, seed)

    return make


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_the_group_whose_training_pictures_are_noise_is_found_by_a_mixture(of_mixture, seed):
    found = concerns(of_mixture(marked(seed, True), seed))
    print(seed, found)
    assert any("right" in one and "coverage" in one.lower() for one in found)
    assert not concerns(of_mixture(marked(seed, False), seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("noised", [True, False])
def test_the_group_whose_training_pictures_are_noise_is_found_by_diffusion(generated, noised, seed):
    found = concerns(generated(marked(seed, noised), epochs=25, seed=seed, factory=Diffusion, widths=(16, 32), steps=20))
    print(seed, noised, found)
    assert [("right" in one and "coverage" in one.lower()) for one in found] == [True] * noised
