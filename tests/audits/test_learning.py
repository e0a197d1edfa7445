"""The learning audit: planted overfitting, spikes, vanishing and exploding gradients and dead units are named, nothing else."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from glassbench.contracts.data import Split
from glassbench.contracts.facts import TextFacts
from glassbench.testing import check_audit, toy_subject
from glassbench_audits.learning.audit import audit
from glassbench_audits.learning.backward import backward
from glassbench_audits.learning.course import gap, jumps, spikes
from glassbench_audits.learning.network import layer_ratio, time_ratio


def history(validation, train=None, **more):
    train = [1 / (i + 1) for i in range(len(validation))] if train is None else train
    each = zip(train, validation, strict=True)
    return tuple({"epoch": i, "step": 10 * i, "train_loss": t, "validation_loss": v} | more for i, (t, v) in enumerate(each))


def failures(result):
    return {name for finding in result.findings if finding.grade == "concern" for name in finding.measures}


class Reading(nn.Module):
    """Reads the columns of a toy row, repeated, as a series; the last hidden state decides."""

    def __init__(self, scale, kind=nn.RNN, steps=24):
        super().__init__()
        self.steps = steps
        self.rnn = kind(4, 8, batch_first=True)
        self.head = nn.Linear(8, 2)
        with torch.no_grad():
            self.rnn.weight_hh_l0.copy_(scale * torch.eye(8).repeat(self.rnn.weight_hh_l0.shape[0] // 8, 1))

    def forward(self, rows):
        return self.head(self.rnn(rows[:, None].repeat(1, self.steps, 1))[0][:, -1])


def with_model(model):
    return replace(toy_subject(), model=model.eval())


def test_it_keeps_the_promises_of_an_audit():
    check_audit(audit, "learning")


def test_a_network_that_learnt_well_raises_no_alarm():
    for kind in ("class", "value"):
        result = audit(toy_subject(kind))
        assert not failures(result)
        assert {c.title for c in result.charts} == {"Loss while training", "Gradient that reaches each layer"}


def test_gradients_are_those_of_a_plain_backward_pass():
    subject = toy_subject()
    seen = backward(subject, 10_000)
    batch = subject.train.batch(slice(None))
    loss = functional.cross_entropy(subject.model(*batch.inputs), batch.target)
    grads = torch.autograd.grad(loss, list(subject.model.parameters()))
    expected = [torch.cat([g.flatten() for g in pair]).double().square().mean().sqrt() for pair in (grads[:2], grads[2:])]
    assert seen.loss == pytest.approx(float(loss.detach()))
    assert [layer.gradient for layer in seen.layers] == pytest.approx([float(e) for e in expected], rel=1e-5)
    hidden = subject.model[0](*batch.inputs).detach().requires_grad_()
    signal = torch.autograd.grad(functional.cross_entropy(subject.model[1:](hidden), batch.target), hidden)[0].norm()
    assert seen.layers[0].signal == pytest.approx(float(signal), rel=1e-5)
    assert all(p.grad is None for p in subject.model.parameters())


@pytest.mark.parametrize(("scale", "word"), [(0.2, "vanish"), (3.0, "explode")])
def test_gradients_over_depth(scale, word):
    layers = [nn.Linear(4, 16)]
    for _ in range(16):
        layers += [nn.Linear(16, 16)]
        with torch.no_grad():
            layers[-1].weight.copy_(scale * torch.eye(16))
    result = audit(with_model(nn.Sequential(*layers, nn.Linear(16, 2))))
    assert failures(result) == {"learning.gradient_ratio"}
    assert f"Gradients {word} going back" in " ".join(f.sentence for f in result.findings)


@pytest.mark.parametrize(("scale", "kind", "word"), [(0.3, nn.RNN, "vanish"), (1.0, nn.RNN, None), (0.0, nn.LSTM, "vanish")])
def test_gradients_over_time(scale, kind, word):
    torch.manual_seed(0)
    model = Reading(scale, kind)
    if word is None:  # what is remembered for ever
        model.rnn.nonlinearity = "relu"
        model.rnn.mode = "RNN_RELU"
        with torch.no_grad():
            model.rnn.weight_ih_l0.abs_().mul_(0.01)
            model.rnn.bias_ih_l0.fill_(0.1)
            model.rnn.bias_hh_l0.fill_(0.1)
    result = audit(with_model(model))
    assert ("learning.time_ratio" in failures(result)) == (word is not None)
    assert word is None or f"Gradients {word} over time in rnn" in " ".join(f.sentence for f in result.findings)


def test_the_gradient_of_a_linear_memory_decays_geometrically():
    steps = 0.5 ** np.arange(40)[::-1]
    assert time_ratio(steps[None]) == pytest.approx(0.5**30)
    assert time_ratio(steps[None, :7]) is None
    short = np.where(np.arange(40) < 20, steps * 2.0**20, np.nan)  # the same memory, read for half as long
    assert time_ratio(np.stack([short, short, steps])) == pytest.approx(0.5**15)


def test_padding_is_no_time_step():
    class Text(nn.Module):
        """Reads tokens, pools over the real ones; class scores hang on the mean state."""

        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(30, 4)
            self.rnn = nn.RNN(4, 8, batch_first=True)
            self.head = nn.Linear(8, 2)

        def forward(self, tokens):
            real = (tokens != 0).unsqueeze(2)
            states = self.rnn(self.embedding(tokens))[0]
            return self.head((states * real).sum(dim=1) / real.sum(dim=1))

    generator = np.random.default_rng(0)
    lengths = generator.integers(10, 50, 80)
    tokens = torch.as_tensor(np.where(np.arange(200)[None] < lengths[:, None], generator.integers(1, 30, (80, 200)), 0))
    torch.manual_seed(0)
    subject = with_model(Text())
    found = {}
    for width in (50, 200):
        train = Split(inputs=(tokens[:, :width],), rows=np.arange(80), target=torch.as_tensor(generator.integers(0, 2, 80)))
        schema = replace(subject.schema, modality="text", shape=(None,), features=(), facts=TextFacts())
        result = audit(replace(subject, train=train, schema=schema), rows=80)
        assert "learning.time_ratio" not in failures(result)
        found[width] = next(m.value for m in result.measures if m.name == "learning.time_ratio")
    assert found[50] == pytest.approx(found[200], rel=0.2)


@pytest.mark.parametrize("floor", [0.0, -11.5])
def test_padded_sounds_have_no_gradient_beyond_their_end(floor):
    """Frames of features, the floor behind the end; the network's mean takes the padding in, as many do."""

    class Sound(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.head = nn.GRU(3, 6, batch_first=True), nn.Linear(6, 2)

        def forward(self, frames):
            return self.head(self.rnn(frames.transpose(1, 2))[0].mean(dim=1))

    chance = np.random.default_rng(3)
    lengths = chance.integers(12, 40, 60)
    frames = np.where(np.arange(160)[None, None] < lengths[:, None, None], chance.normal(size=(60, 3, 160)), floor)
    frames[:5] = chance.normal(size=(5, 3, 160))
    lengths[:5] = 160
    train = Split(
        inputs=(torch.as_tensor(frames).float(),), rows=np.arange(60), target=torch.as_tensor(chance.integers(0, 2, 60))
    )
    torch.manual_seed(1)
    subject = with_model(Sound())
    schema = replace(subject.schema, modality="audio", shape=(3, None), features=())
    seen = backward(replace(subject, train=train, schema=schema), 60)
    assert np.isfinite(seen.steps["rnn"]).sum(axis=1).tolist() == lengths.tolist()


def test_what_was_not_measured_is_not_called_sound():
    subject = replace(toy_subject(), history=({"epoch": 0, "step": 1, "train_loss": 0.5},), model=nn.Linear(4, 2).eval())
    result = audit(subject)
    assert not result.findings
    assert all(m.undefined for m in result.measures)


def test_units_that_never_fire_are_counted():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 20), nn.ReLU(), nn.Linear(20, 2))
    with torch.no_grad():
        model[0].bias[:12] = -100
        model[0].bias[12:] = 100
    result = audit(with_model(model))
    assert next(m.value for m in result.measures if m.name == "learning.dead_units") == 0.6
    assert "12 of the 20 units" in " ".join(f.sentence for f in result.findings)


def test_units_of_a_convolution_are_its_channels():
    class Filtering(nn.Module):
        def __init__(self):
            super().__init__()
            self.convolve, self.relu, self.head = nn.Conv1d(1, 6, 2), nn.ReLU(), nn.Linear(18, 2)

        def forward(self, rows):
            return self.head(self.relu(self.convolve(rows[:, None])).flatten(1))

    model = Filtering()
    with torch.no_grad():
        model.convolve.bias[:2] = -100
    assert backward(with_model(model), 100).fired["relu"].tolist()[:2] == [False, False]
    assert len(backward(with_model(model), 100).fired["relu"]) == 6


def test_overfitting_is_named_where_it_is_clear():
    rising = replace(toy_subject(), history=history([1, 0.5, 0.4, 0.5, 0.6, 0.8]))
    assert "learning.rise" in failures(audit(rising))
    assert not any("0.333 to" in c.message for c in audit(rising).charts if c.kind == "lines")


@pytest.mark.parametrize(("losses", "facts"), [([1, 0.5, 0.4, 0.39], {}), ([1, 0.4, 0.5, 0.6, 0.8], {"best_epoch": 1})])
def test_no_alarm_where_the_best_weights_were_kept(losses, facts):
    assert not failures(audit(replace(toy_subject(), history=history(losses), facts=facts)))


def test_a_training_in_vain_is_named():
    subject = replace(toy_subject(), history=history([1.0, 1.2, 1.4], [0.9, 0.7, 0.2]), facts={"best_epoch": -1})
    assert "the weights from before it were kept" in " ".join(f.sentence for f in audit(subject).findings)
    assert gap(subject) is None


def test_the_gap_is_that_of_the_kept_weights():
    subject = replace(toy_subject(), history=history([1.0, 0.8, 0.9, 1.2], [0.9, 0.7, 0.2, 0.1]), facts={"best_epoch": 1})
    assert gap(subject) == pytest.approx(0.1)
    assert gap(replace(subject, facts={})) == pytest.approx(1.1)
    assert "learning.gap" in failures(audit(replace(subject, facts={})))


def test_spikes_stand_out_from_noise_and_from_a_steep_start():
    falls = [np.exp(-np.arange(60) / 8) + 0.05 * np.random.default_rng(seed).normal(size=60) for seed in range(40)]
    assert sum(bool(spikes(losses)) for losses in falls) <= 2
    falls[0][30] += 0.8
    assert spikes(falls[0]) == [30]
    assert not spikes(1 / np.arange(1, 30))


def test_jumps_of_the_learning_rate_are_no_warm_up():
    warm = np.concatenate([np.linspace(0, 1, 10), np.cos(np.linspace(0, np.pi / 2, 40))])
    assert not jumps(warm)
    assert jumps([0.1] * 5 + [1.0] + [0.1] * 5) == [5]


def test_a_spike_names_the_learning_rate_that_went_with_it():
    losses = list(np.exp(-np.arange(30) / 8))
    losses[12] += 1
    records = history(losses, losses)
    records = tuple(r | {"learning_rate": 0.1 if i != 12 else 1.0} for i, r in enumerate(records))
    result = audit(replace(toy_subject(), history=records))
    assert "where the learning rate jumped" in " ".join(f.sentence for f in result.findings)


def test_an_end_that_came_early_is_said():
    falling = history([1 - 0.04 * i for i in range(20)])
    stopped = {"stopped": "it reached the 20 epochs of max_epochs", "best_epoch": 19}
    assert "still falling" in " ".join(f.sentence for f in audit(replace(toy_subject(), history=falling, facts=stopped)).findings)
    assert "still falling" not in " ".join(f.sentence for f in audit(replace(toy_subject(), history=falling)).findings)


def test_a_model_without_gradients_has_its_curves(classification):
    result = audit(classification([0, 1], [0, 1], {}, history=history([1.0, 0.5])))
    assert result.charts
    assert not result.tables


def test_one_layer_has_no_ratio():
    assert layer_ratio(backward(with_model(nn.Linear(4, 2)), 50)) is None
