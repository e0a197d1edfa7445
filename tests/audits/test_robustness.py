"""Robustness: attacks equal closed forms, corruptions do what they say, a fragile feature is named and a sound model is not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from glassbench.contracts.facts import ImageFacts
from glassbench.contracts.schema import Feature
from glassbench.testing import check_audit, toy_subject
from glassbench_audits.robustness.attacks import attacks, margin
from glassbench_audits.robustness.audit import audit
from glassbench_audits.robustness.corruptions import blur, dropped_words, gaps, missing, noise, typos
from glassbench_audits.robustness.scales import Scale, scale_of
from glassbench_audits.robustness.search import random_search


def failures(result):
    return {name for finding in result.findings if finding.grade == "concern" for name in finding.measures}


def deciding(model, rows=1600, **more):
    subject = toy_subject(rows=rows)
    subject = replace(subject, model=model.eval(), **more)
    return replace(subject, predictions=subject.task.predict(model, subject.predictions.source))


def linear(weights):
    model = nn.Linear(4, 2, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.stack([torch.zeros(4), torch.tensor(weights)]))
    return model


class Trembling(nn.Module):
    """Right, except where a fast wave over the fourth column turns the answer round."""

    def forward(self, rows):
        score = 10 * (rows[:, 0] - rows[:, 1])
        score = torch.where(torch.sin(60 * rows[:, 3]) > 0.8, -score, score)
        return torch.stack([-score, score], dim=1)


def changed(subject, name, strength):
    source = subject.predictions.source
    attack = next(a for a in attacks(subject, scale_of(subject, source)) if a.name == name)
    return attack.apply(source, strength, np.random.default_rng(0)).inputs[0]


def test_it_keeps_the_promises_of_an_audit():
    check_audit(audit, "robustness", rows=40)


def test_a_sound_model_raises_no_alarm():
    for kind in ("class", "value"):
        assert not failures(audit(toy_subject(kind, rows=1600)))


def test_a_fragile_feature_is_named():
    result = audit(deciding(Trembling()))
    assert "robustness.fragile_features" in failures(result)
    named = [f.sentence for f in result.findings if "exact value of" in f.sentence]
    assert len(named) == 1
    assert "exact value of x3" in named[0]


@pytest.mark.parametrize("name", ["FGSM", "PGD"])
def test_attacks_on_a_linear_model_have_a_closed_form(name):
    subject = deciding(linear([2.0, -1.0, 0.5, 0.0]))
    source = subject.predictions.source
    unit = scale_of(subject, source).unit
    right = torch.where(source.target == 1, -1.0, 1.0)[:, None]
    expected = source.inputs[0] + 0.1 * unit * right * torch.tensor([1.0, -1.0, 1.0, 0.0])
    assert torch.allclose(changed(subject, name, 0.1), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["FGSM", "PGD", "gradient-free search"])
def test_values_without_a_truth_are_moved_as_far_as_a_linear_model_lets_them(name):
    subject = toy_subject("value", rows=400)
    predictions = subject.predictions
    source, frame = replace(predictions.source, target=None), predictions.frame.drop(columns="y_true")
    model = torch.nn.Linear(4, 1)
    subject = replace(subject, model=model, predictions=replace(predictions, frame=frame, source=source))
    unit = scale_of(subject, source).unit
    with torch.no_grad():
        moved = (model(changed(subject, name, 0.1)) - model(source.inputs[0])).abs()[:, 0]
        furthest = float((model.weight.abs() * 0.1 * unit).sum())
    assert moved.numpy() == pytest.approx(furthest, rel=0.02 if name != "gradient-free search" else 0.2)


def test_accuracy_under_attack_is_the_share_beyond_the_margin():
    subject = deciding(linear([1.0, -1.0, 0.0, 0.0]))
    source = subject.predictions.source
    unit = scale_of(subject, source).unit
    margins = torch.where(source.target == 1, 1, -1) * (source.inputs[0][:, 0] - source.inputs[0][:, 1])
    found = next(m for m in audit(subject, corrupt=False).measures if m.name == "robustness.quality[FGSM 0.1]")
    assert found.value == pytest.approx(float((margins > 0.1 * unit[:2].sum()).float().mean()))


def test_pgd_is_at_least_as_strong_as_fgsm():
    torch.manual_seed(0)
    subject = toy_subject(rows=800, steps=200)
    found = {m.name: m.value for m in audit(subject, corrupt=False).measures}
    assert found["robustness.quality[PGD 0.25]"] <= found["robustness.quality[FGSM 0.25]"] + 0.01


def test_categories_are_not_attacked_by_fractions():
    subject = toy_subject()
    features = (*subject.schema.features[:2], Feature(name="kind", kind="category", columns=(2, 3), categories=("a", "b")))
    subject = replace(subject, schema=replace(subject.schema, features=features))
    assert torch.equal(changed(subject, "PGD", 0.25)[:, 2:], subject.predictions.source.inputs[0][:, 2:])


def test_the_margin_is_the_best_wrong_score_over_the_right_one():
    scores = torch.tensor([[1.0, 4.0, 2.0], [5.0, 0.0, 3.0]])
    assert margin(scores, torch.tensor([1, 2])).tolist() == [-2.0, 2.0]
    assert margin(torch.tensor([[3.0]]), torch.tensor([1.0])).tolist() == [4.0]


def test_nothing_is_changed_for_good():
    subject = toy_subject()
    before = subject.predictions.source.inputs[0].clone()
    audit(subject, rows=1000)
    assert torch.equal(before, subject.predictions.source.inputs[0])
    assert all(p.grad is None for p in subject.model.parameters())


def test_noise_has_the_strength_it_names():
    subject = toy_subject(rows=8000)
    source = subject.predictions.source
    scale = scale_of(subject, source)
    off = noise(scale)(source, 0.25, np.random.default_rng(0)).inputs[0] - source.inputs[0]
    assert (off.std(dim=0) / scale.unit).tolist() == pytest.approx([0.25] * 4, rel=0.1)


def test_missing_values_are_read_again_from_raw_rows():
    class Encoder:
        def encode(self, raw):
            values = torch.as_tensor(raw.fillna(-9.0).to_numpy(dtype=np.float32))
            return replace(source, inputs=(values,))

    subject = toy_subject()
    source = subject.predictions.source
    subject = replace(subject, encoder=Encoder())
    rows = missing(subject, scale_of(subject, source))(source, 0.5, np.random.default_rng(0)).inputs[0]
    assert float((rows == -9).float().mean()) == pytest.approx(0.5, abs=0.1)
    without = missing(replace(subject, encoder=None), scale_of(subject, source))(source, 1.0, np.random.default_rng(0)).inputs[0]
    assert torch.allclose(without, scale_of(subject, source).centre.expand_as(without))


def test_blur_is_that_of_scipy():
    image = torch.as_tensor(np.random.default_rng(0).random((1, 2, 12, 15)))
    expected = [gaussian_filter(channel.numpy(), 1.0, mode="nearest", truncate=3.0) for channel in image[0]]
    assert np.allclose(blur(image, 1.0)[0].numpy(), expected)


def test_a_gap_blanks_one_stretch():
    subject = toy_subject()
    source = replace(subject.predictions.source, inputs=(torch.ones(60, 20, 2),))
    scale = Scale(unit=torch.ones(2), low=torch.zeros(2), high=torch.ones(2), centre=torch.zeros(2), words="")
    rows = gaps(scale)(source, 0.25, np.random.default_rng(0)).inputs[0]
    assert (rows[:, :, 0] == 0).sum(dim=1).tolist() == [5] * 60
    assert all(np.diff(np.flatnonzero(row == 0)).max() == 1 for row in rows[:, :, 0].numpy())


def test_texts_lose_words_and_letters_change_places():
    generator = np.random.default_rng(0)
    text = " ".join(["abcd"] * 1000)
    wrong = typos(text, 0.2, generator).split(" ")
    assert {"".join(sorted(word)) for word in wrong} == {"abcd"}
    assert np.mean([word != "abcd" for word in wrong]) == pytest.approx(0.2, abs=0.04)
    assert len(dropped_words(text, 0.3, generator).split()) == pytest.approx(700, abs=50)
    assert dropped_words("alone", 1.0, generator) == "alone"


def test_pixels_stay_between_black_and_white():
    subject = toy_subject()
    images = torch.rand(60, 1, 2, 2)
    schema = replace(subject.schema, modality="image", shape=(1, 2, 2), features=(), facts=ImageFacts(mean=(0.5,), std=(0.25,)))
    source = replace(subject.predictions.source, inputs=((images - 0.5) / 0.25,), raw=None)
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    subject = replace(subject, schema=schema, model=model, train=source)
    subject = replace(subject, predictions=replace(subject.predictions, source=source))
    seen = changed(subject, "PGD", 8 / 255) * 0.25 + 0.5
    assert float(seen.min()) >= -1e-6
    assert float(seen.max()) <= 1 + 1e-6
    assert float((seen - images).abs().max()) == pytest.approx(8 / 255, abs=1e-5)
    assert {c.title for c in audit(subject).charts} >= {
        "Accuracy under blur",
        "Accuracy under brightness",
        "Accuracy under attacks",
    }


def test_groups_have_curves_of_their_own():
    subject = toy_subject(rows=1600)
    chart = next(c for c in audit(subject).charts if "noise" in c.title)
    assert {row["color"] for row in chart.rows} == {"all rows", "side: left", "side: right"}
    source = subject.predictions.source
    left = (source.groups["side"] == "left").to_numpy()
    at_rest = next(row for row in chart.rows if row["color"] == "side: left" and row["x"] == 0)
    frame = subject.predictions.frame
    assert at_rest["y"] == pytest.approx((frame["y_true"] == frame["y_pred"])[left].mean())


def test_without_a_truth_decisions_kept_are_counted():
    subject = toy_subject(rows=800)
    source = replace(subject.predictions.source, target=None)
    predictions = subject.task.predict(subject.model, source)
    result = audit(replace(subject, predictions=predictions))
    assert "share of predictions kept" in result.findings[0].sentence
    assert all(row["y"] == 1 for row in result.charts[0].rows if row["x"] == 0)


def test_rows_without_a_prediction_once_changed_are_not_applicable():
    subject = toy_subject()
    subject.task.predict_rows = lambda model, source: None
    assert "predictions of this kind (classes)" in audit(subject).not_applicable


def test_predictions_without_inputs_are_not_applicable(sequences):
    assert "the inputs of the predictions are not known" in audit(sequences(["x"], ["x"], {})).not_applicable


def test_raw_frames_are_left_alone():
    subject = toy_subject()
    raw = subject.predictions.source.raw.copy()
    audit(subject, rows=1000)
    pd.testing.assert_frame_equal(raw, subject.predictions.source.raw)


class Stepped(nn.Module):
    """A linear model of inputs rounded to tenths: right, and without a gradient anywhere."""

    def forward(self, rows):
        score = 8 * (torch.round(10 * rows[:, 0]) / 10 - torch.round(10 * rows[:, 1]) / 10)
        return torch.stack([-score, score], dim=1)


class Saturated(nn.Module):
    """A linear model behind so steep a sigmoid that its gradient is 0 in floats."""

    def forward(self, rows):
        share = torch.sigmoid(4000 * (rows[:, 0] - rows[:, 1] + 0.01))
        return torch.stack([1 - share, share], dim=1)


def masked(result):
    return [finding for finding in result.findings if finding.sentence.startswith("The gradients mislead")]


@pytest.mark.parametrize("model", [Stepped(), Saturated()], ids=["stepped", "saturated"])
def test_hidden_gradients_are_found(model):
    result = audit(deciding(model), corrupt=False)
    figures = {m.name: m.value for m in result.measures}
    assert figures["robustness.drop[PGD 0.1]"] < figures["robustness.drop[gradient-free search 0.1]"] - 0.02
    assert masked(result)[0].grade == "concern"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_honest_gradients_are_not_called_misleading(seed):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 2))
    assert not masked(audit(deciding(network), corrupt=False))
    assert not masked(audit(deciding(linear([2.0, -1.0, 0.5, 0.0])), corrupt=False))


def test_the_search_reaches_the_corner_that_a_linear_model_fears():
    rows = torch.as_tensor(np.random.default_rng(0).normal(size=(50, 6)))
    weights = torch.tensor([1.0, -2.0, 3.0, -1.0, 0.5, 2.0], dtype=rows.dtype)
    reach = torch.tensor([0.1, 0.1, 0.0, 0.2, 0.1, 0.1], dtype=rows.dtype)
    changed = random_search(lambda x, _: x @ weights, rows, reach, np.random.default_rng(1), steps=60, restarts=2)
    assert torch.allclose(changed, rows + reach * weights.sign())


def test_the_best_attack_is_the_worst_for_every_row():
    result = audit(deciding(Stepped()), corrupt=False)
    figures = {m.name: m.value for m in result.measures}
    for strength in ("0.02", "0.05", "0.1", "0.25"):
        others = [figures[f"robustness.quality[{name} {strength}]"] for name in ("FGSM", "PGD", "gradient-free search")]
        assert figures[f"robustness.quality[the best attack {strength}]"] <= min(others)


def test_estimators_are_attacked_by_asking():
    model = Stepped()
    model.differentiable = False
    result = audit(deciding(model), corrupt=False)
    assert any("search that asks it" in caution for caution in result.method.cautions)
    assert {m.name for m in result.measures} >= {"robustness.drop[gradient-free search 0.1]"}
