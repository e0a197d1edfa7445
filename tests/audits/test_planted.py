"""One fault at a time is planted in a world that is otherwise in order: its own audit finds it, the others stay quiet."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from glassbench.testing import toy_data, toy_subject
from glassbench_audits.calibration.audit import audit as calibration
from glassbench_audits.data.audit import audit as data
from glassbench_audits.errors.audit import audit as errors
from glassbench_audits.learning.audit import audit as learning
from glassbench_audits.robustness.audit import audit as robustness

AUDITS = {"calibration": calibration, "data": data, "errors": errors, "learning": learning, "robustness": robustness}
PITCH = 2 * np.pi / 60


class World(nn.Module):
    """Says how the truth is drawn: nearly surely one class on either side of a line.

    `certain` is the log-odds that it states, `corner` those where the third and fourth column are large; a `wave` turns answers
    round between the values that the fourth column takes.
    """

    def __init__(self, certain=4.2, corner=None, wave=0.0):
        super().__init__()
        self.certain, self.corner, self.wave = nn.Parameter(torch.tensor(certain)), corner, wave

    def forward(self, rows):
        side = torch.tanh(20 * (rows[:, 0] - rows[:, 1]))
        between = torch.sin(np.pi * rows[:, 3] / PITCH) ** 2
        odds = torch.where((rows[:, 2] > 0.8) & (rows[:, 3] > 0.7), self.corner or self.certain, self.certain)
        half = 0.5 * odds * torch.where(between < 0.5, side, (1 - 2 * self.wave) * side)
        return torch.stack([-half, half], dim=1)


def world(seed, model=None, stated=None):
    """Return a subject whose truths are drawn by `model`, and whose model is `stated`."""
    made, model = toy_data(rows=8000, seed=seed), model or World()
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for split in (made.train, made.test):
        rows = split.inputs[0].clone()
        rows[:, 3] = torch.round(rows[:, 3] / PITCH) * PITCH
        likely = torch.softmax(model(rows), dim=1)[:, 1].detach()
        raw = pd.DataFrame(rows.numpy(), columns=list(split.raw.columns))
        target = (torch.rand(len(rows), generator=generator) < likely).long()
        parts.append(replace(split, inputs=(rows,), raw=raw, target=target))
    losses = np.exp(-np.arange(20) / 4)
    history = tuple({"epoch": i, "step": i, "train_loss": v, "validation_loss": v + 0.05} for i, v in enumerate(losses))
    subject = replace(toy_subject(seed=seed), model=(stated or model).eval(), train=parts[0], history=history)
    return held(subject, parts[1])


def held(subject, source):
    return replace(subject, predictions=subject.task.predict(subject.model, source))


def flipped(split, chosen):
    return replace(split, target=torch.where(torch.as_tensor(chosen), 1 - split.target, split.target))


def nothing(seed):
    return world(seed)


def label_errors(seed):
    subject = world(seed)
    return replace(subject, train=flipped(subject.train, np.random.default_rng(seed).random(len(subject.train)) < 0.12))


def leakage(seed):
    subject = world(seed)
    source, copied = subject.predictions.source, subject.train.take(np.arange(150))
    return held(
        subject,
        replace(
            source,
            inputs=(torch.cat([source.inputs[0], copied.inputs[0]]),),
            rows=np.arange(len(source) + 150),
            target=torch.cat([source.target, copied.target]),
            groups=pd.concat([source.groups, copied.groups], ignore_index=True),
            raw=pd.concat([source.raw, copied.raw], ignore_index=True),
        ),
    )


def miscalibration(seed):
    return world(seed, stated=World(certain=1.2))


def fragile_feature(seed):
    return world(seed, stated=World(wave=1.0))


def error_slice(seed):
    return world(seed, World(corner=0.85))


PLANTED = {
    nothing: set(),
    label_errors: {"data"},
    leakage: {"data"},
    miscalibration: {"calibration"},
    fragile_feature: {"robustness"},
    error_slice: {"errors"},
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_its_own_audit_finds_it_and_the_others_stay_quiet(plant):
    subject = plant(1)
    failed = {name: [f.sentence for f in audit(subject).findings if f.grade == "concern"] for name, audit in AUDITS.items()}
    assert {name for name, sentences in failed.items() if sentences} == PLANTED[plant], failed


@pytest.mark.slow
@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_it_is_so_in_nearly_every_world(plant):
    right = 0
    for seed in range(20):
        subject = plant(seed)
        right += {n for n, a in AUDITS.items() if any(f.grade == "concern" for f in a(subject).findings)} == PLANTED[plant]
    assert right >= 18
