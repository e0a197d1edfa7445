"""The data audit: each planted fault is found and named, and clean rows raise no alarm."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score

from glassbench.contracts.data import Split
from glassbench.contracts.schema import Feature
from glassbench.testing import check_audit, toy_subject
from glassbench_audits.data.audit import audit
from glassbench_audits.data.columns import tells_rows_apart
from glassbench_audits.data.doubtful_labels import suspected
from glassbench_audits.data.drift import area, distance
from glassbench_audits.data.duplicates import coincidences, duplicates, examine_duplicates
from glassbench_audits.data.labelled_rows import by_cross_validation
from glassbench_audits.data.labels import examine_labels
from glassbench_audits.data.row_changes import row_changes


def failures(result):
    return {name for finding in result.findings if finding.grade == "concern" for name in finding.measures}


def with_held(subject, held):
    return replace(subject, predictions=subject.task.predict(subject.model, held))


def value(result, name):
    return next(m for m in result.measures if m.name == f"data.{name}")


def with_column(subject, name, train, held, kind="category"):
    schema = replace(subject.schema, features=(*subject.schema.features, Feature(name=name, kind=kind)))
    source = replace(subject.predictions.source, raw=subject.predictions.source.raw.assign(**{name: held}))
    predictions = replace(subject.predictions, source=source)
    return replace(
        subject,
        schema=schema,
        predictions=predictions,
        train=replace(subject.train, raw=subject.train.raw.assign(**{name: train})),
    )


@pytest.fixture(scope="module")
def clean():
    return toy_subject(rows=1600)


def test_it_keeps_the_promises_of_an_audit():
    check_audit(audit, "data")


def test_clean_rows_raise_no_alarm():
    alarms = [failures(audit(toy_subject(rows=600, seed=seed))) for seed in range(8)]
    assert sum(map(bool, alarms)) <= 1


def test_training_rows_among_the_held_out_are_counted(clean):
    held = clean.predictions.source
    mixed = held.take(np.arange(360))
    copied = clean.train.take(np.arange(40))
    joined = replace(
        mixed,
        inputs=(torch.cat([mixed.inputs[0], copied.inputs[0]]),),
        rows=np.concatenate([mixed.rows, copied.rows + 10_000]),
        target=torch.cat([mixed.target, copied.target]),
        groups=pd.concat([mixed.groups, copied.groups], ignore_index=True),
        raw=pd.concat([mixed.raw, copied.raw], ignore_index=True),
    )
    result = audit(with_held(clean, joined))
    assert value(result, "leakage").value == 0.1
    assert failures(result) == {"data.leakage"}


def test_copies_equal_a_comparison_of_every_pair(clean):
    chance = np.random.default_rng(0)
    rows = torch.as_tensor(chance.integers(0, 3, (80, 2))).float()
    split = replace(
        clean.train.take(np.arange(80)), inputs=(rows,), raw=None, groups=None, target=torch.as_tensor(chance.integers(0, 2, 80))
    )
    found = duplicates(split.take(np.arange(50)), split.take(np.arange(50, 80)))
    equal = (rows[:, None] == rows[None]).all(-1).numpy()
    labels = split.target[:50].numpy()
    truth = split.target.numpy()
    everything = equal & (truth[:, None] == truth[None])
    assert found.held.tolist() == everything[50:, :50].any(1).tolist()
    assert found.same_inputs.tolist() == (equal[50:, :50].any(1) & ~everything[50:, :50].any(1)).tolist()
    assert found.train.tolist() == [bool(everything[i, :i].any()) for i in range(50)]
    assert found.conflicting.tolist() == [bool((equal[i, :50] & (labels != labels[i])).any()) for i in range(50)]


def test_every_copy_is_found_among_thousands(clean):
    """Digests that ended with a zero byte once got lost, one in 256."""
    rows = torch.as_tensor(np.random.default_rng(0).normal(size=(3000, 3))).float()
    bare = {"inputs": (rows,), "raw": None, "groups": None, "target": torch.zeros(3000, dtype=torch.int64)}
    split = replace(clean.train.take(np.zeros(3000, dtype=np.int64)), rows=np.arange(3000), **bare)
    found = duplicates(split, split)
    assert found.held.all()
    assert not found.train.any()


def test_the_column_that_rows_are_divided_by_hides_no_copy(clean):
    train = replace(clean.train, beside=pd.DataFrame({"part": ["train"] * len(clean.train), "ward": "a"}))
    copied = clean.train.take(np.arange(40))
    assert duplicates(train, replace(copied, beside=pd.DataFrame({"part": ["test"] * 40, "ward": "a"}))).held.all()
    wards = pd.DataFrame({"part": ["test"] * 40, "ward": ["a", "b"] * 20})
    assert duplicates(train, replace(copied, beside=wards)).held.tolist() == [True, False] * 20


def test_names_of_files_hide_no_copy_and_other_texts_do(clean):
    """The path of a picture's file ends in the id of its row; a copy lies under another name."""
    train, copied = (clean.train.take(np.arange(n)) for n in (100, 40))
    files = [f"{k}.png" for k in range(40)]
    train = replace(train, rows=np.array([f"train/{k}.png" for k in range(100)]), raw=None)
    copied = replace(copied, rows=np.array([f"test/{name}" for name in files]), raw=None)
    told = [[f"/data/{row}" for row in split.rows] for split in (train, copied)]
    train, named = (replace(s, raw=pd.DataFrame({"file": t})) for s, t in zip((train, copied), told, strict=True))
    assert duplicates(train, named).held.all()
    assert not duplicates(train, replace(copied, raw=pd.DataFrame({"file": files[::-1]}))).held.any()


def test_what_is_proposed_for_single_rows_is_what_was_planted(clean):
    chance = np.random.default_rng(1)
    flips = chance.random(len(clean.train)) < 0.16
    train = replace(clean.train, target=torch.where(torch.as_tensor(flips), 1 - clean.train.target, clean.train.target))
    right, held = np.flatnonzero(~flips)[:40], clean.predictions.source
    copied = train.take(right)
    raws, groups = ([getattr(held.take(np.arange(360)), of), getattr(copied, of)] for of in ("raw", "groups"))
    joined = replace(
        held.take(np.arange(360)),
        inputs=(torch.cat([held.inputs[0][:360], copied.inputs[0]]),),
        rows=np.concatenate([held.rows[:360], copied.rows + 10_000]),
        target=torch.cat([held.target[:360], copied.target]),
        groups=pd.concat(groups, ignore_index=True),
        raw=pd.concat(raws, ignore_index=True),
    )
    settings = {"rows": 5000, "on_disk": 5000}
    found = list(row_changes(with_held(replace(clean, train=train), joined), settings))
    copies = {one.row for one in found if one.measure == "data.leakage"}
    assert copies == {str(row + 10_000) for row in copied.rows}
    changed = {one.row: one for one in found if one.action == "relabel"}
    wrong = {str(row) for row in train.rows[flips]}
    assert len(changed.keys() & wrong) > 0.8 * len(changed) > 0.3 * len(wrong)
    classes = clean.schema.target.classes
    assert all({one.label, one.new_label} == set(classes) for one in changed.values())
    assert {one.split for one in found if one.action == "relabel"} == {"training"}


def test_coincidences_of_few_values_are_no_leakage():
    features = pd.DataFrame({"a": ["x", "y"] * 50, "b": ["u"] * 100})
    assert coincidences(features) == 1.0
    assert coincidences(pd.DataFrame({"a": np.arange(100.0)})) == pytest.approx(1.0)
    assert coincidences(pd.DataFrame({"a": np.arange(100.0), "b": np.arange(100.0)})) == pytest.approx(0.01)


@pytest.mark.slow
def test_flipped_labels_are_found_in_both_splits(clean):
    chance = np.random.default_rng(1)
    flips = [chance.random(len(split)) < 0.16 for split in (clean.train, clean.predictions.source)]
    train = replace(clean.train, target=torch.where(torch.as_tensor(flips[0]), 1 - clean.train.target, clean.train.target))
    source = clean.predictions.source
    held = replace(source, target=torch.where(torch.as_tensor(flips[1]), 1 - source.target, source.target))
    subject = with_held(replace(clean, train=train), held)
    assert failures(audit(subject)) == {"data.label_errors", "data.label_errors_held_out"}
    questioned = by_cross_validation(subject, 5000)
    listed = questioned["training"].rows[suspected(questioned)["training"].positions[:50]]
    assert np.isin(listed, train.rows[flips[0]]).mean() > 0.8


def test_hard_rows_are_not_wrong_labels(clean):
    """Labels drawn by a logistic curve contradict a good model in one row of five, but not where it is certain."""
    chance = np.random.default_rng(2)
    parts = []
    for split in (clean.train, clean.predictions.source):
        certain = torch.sigmoid(3 * (split.inputs[0][:, 0] - split.inputs[0][:, 1]))
        parts.append(replace(split, target=(torch.as_tensor(chance.random(len(split))) < certain).long()))
    assert not failures(audit(with_held(replace(clean, train=parts[0]), parts[1])))


def drawn(clean, rate, seed):
    """Return the subject with answers drawn by a rate per row `(n, features) -> (n,)`."""
    chance = np.random.default_rng(seed)
    train, held = (
        replace(split, target=torch.as_tensor(chance.random(len(split)) < rate(split.inputs[0].numpy())).long())
        for split in (clean.train, clean.predictions.source)
    )
    return with_held(replace(clean, train=train), held)


@pytest.mark.slow
def test_an_answer_that_is_rare_everywhere_is_no_wrong_label(clean):
    """One row of ten has it wherever the model is certain of the other class; the commonest class alone is wrong as often."""
    subject = drawn(clean, lambda x: np.where(x[:, 0] > 1, 0.4, 0.1), 5)
    found = examine_labels(subject, 0.03, 5000)
    assert [m.value for m in found.measures if m.name.startswith("data.label_errors") and m.low > 0.03]
    assert {f.grade for f in found.findings} <= {"unclear", "ok"}
    assert any("can't be told from hard rows" in f.sentence and "maybe none" in f.sentence for f in found.findings)


def test_the_share_of_false_suspicions_is_stated(clean):
    """Among hard rows with 6 % of labels flipped, the list holds as many flips as it says, more than confident learning."""
    subject = drawn(clean, lambda x: 1 / (1 + np.exp(-3 * (x[:, 0] - x[:, 1]))), 6)
    chance = np.random.default_rng(7)
    flips = [chance.random(len(split)) < 0.06 for split in (subject.train, subject.predictions.source)]
    train, held = (
        replace(split, target=torch.where(torch.as_tensor(flipped), 1 - split.target, split.target))
        for split, flipped in zip((subject.train, subject.predictions.source), flips, strict=True)
    )
    questioned = by_cross_validation(with_held(replace(subject, train=train), held), 5000)
    one, found = questioned["training"], suspected(questioned)["training"]
    wrong = np.isin(one.rows, train.rows[flips[0]])
    _, low, high = found.share
    assert low <= wrong[found.positions].mean() <= high
    assert wrong[found.positions].mean() > wrong[one.doubted].mean() + 0.1


def test_a_model_that_knows_nothing_questions_no_label(clean):
    chance = np.random.default_rng(3)
    train = replace(clean.train, target=torch.as_tensor(chance.integers(0, 2, len(clean.train))))
    found = value(audit(replace(clean, train=train)), "label_errors")
    assert found.value is None
    assert "can question none" in found.undefined


@pytest.mark.slow
def test_the_same_labels_are_questioned_whichever_model_was_trained(clean):
    """One label in twenty is wrong; a model that was never trained gets the same answer as one that was."""
    flipped = np.random.default_rng(4).random(len(clean.train)) < 0.05
    train = replace(clean.train, target=torch.where(torch.as_tensor(flipped), 1 - clean.train.target, clean.train.target))
    blank = replace(toy_subject(rows=1600, steps=0), train=train)
    found = [examine_labels(subject, 0.03, 5000) for subject in (replace(clean, train=train), blank)]
    assert found[0] == found[1]
    questioned = by_cross_validation(blank, 5000)
    listed = np.isin(train.rows, questioned["training"].rows[suspected(questioned)["training"].positions])
    assert flipped[listed].mean() > 0.6
    assert listed[flipped].mean() > 0.7


def test_drift_of_one_feature_is_named(clean):
    held = clean.predictions.source
    shifted = held.inputs[0].clone()
    shifted[:, 3] += 1
    raw = held.raw.assign(x3=shifted[:, 3].numpy())
    result = audit(with_held(clean, replace(held, inputs=(shifted,), raw=raw)))
    assert failures(result) == {"data.drifting", "data.drift_auc"}
    assert [f.sentence for f in result.findings if "x3 is distributed" in f.sentence]
    assert value(result, "drifting").value == 1
    assert value(result, "drift_auc").low > 0.6


def test_the_area_is_scikit_learns_and_its_interval_covers():
    covered = 0
    for seed in range(200):
        chance = np.random.default_rng(seed)
        low, high = chance.normal(0, 1, 60), chance.normal(1, 1, 60)
        found = area(low, high, 0.95)
        covered += found[1] < 0.7602 < found[2]  # Phi(1 / sqrt 2)
    assert found[0] == pytest.approx(roc_auc_score([0] * 60 + [1] * 60, np.concatenate([low, high])))
    assert covered / 200 >= 0.9


@pytest.mark.parametrize("draw", [lambda c, n: pd.Series(c.normal(size=n)), lambda c, n: pd.Series(c.choice(list("abcdef"), n))])
def test_distances_are_rejected_as_often_as_promised(draw):
    chance = np.random.default_rng(0)
    p = [distance(draw(chance, 200), draw(chance, 100))[1] for _ in range(200)]
    assert np.mean(np.array(p) <= 0.05) <= 0.1


def test_missing_values_that_appear_later_are_drift():
    known, seen = pd.Series(np.arange(200.0)), pd.Series(np.arange(200.0)).where(np.arange(200) % 4 > 0)
    assert distance(known, seen)[1] < 1e-6
    assert distance(known, known)[1] == 1


def test_columns_that_do_not_describe_are_named(clean):
    n, m = len(clean.train), len(clean.predictions.source)
    subject = with_column(clean, "ward", ["A"] * n, ["A"] * m)
    subject = with_column(subject, "case", [f"c{i}" for i in range(n)], [f"d{i}" for i in range(m)])
    subject = with_column(subject, "dose", [None] * (n // 2) + ["low"] * (n - n // 2), ["low", None] * (m // 2))
    sentences = " ".join(f.sentence for f in audit(subject).findings if f.grade == "concern")
    assert "ward has one value" in sentences
    assert "case is different in nearly every row" in sentences
    assert "no value of dose" in sentences


def test_serial_numbers_are_names_and_measurements_are_not():
    chance = np.random.default_rng(0)
    assert tells_rows_apart(pd.Series(chance.permutation(np.arange(500.0))))
    assert not tells_rows_apart(pd.Series(chance.normal(size=500)))
    assert not tells_rows_apart(pd.Series(chance.choice(list("abc"), 500)))


def test_a_column_that_holds_the_answer_is_named(clean):
    truth = [np.where(split.target.numpy() == 1, "paid", "due") for split in (clean.train, clean.predictions.source)]
    result = audit(with_column(clean, "status", *truth))
    assert failures(result) == {"data.leaking_columns"}
    assert "status alone" in " ".join(f.sentence for f in result.findings)


def test_a_column_that_holds_the_value_is_named():
    subject = toy_subject("value", rows=1600)
    columns = [2 * split.target.numpy() + 7 for split in (subject.train, subject.predictions.source)]
    told = failures(audit(with_column(subject, "paid", *columns, kind="number")))
    assert told == {"data.leaking_columns", "data.hidden_leaks"}, "the value is the difference of two columns, too"


def test_label_rates_of_groups_are_said_to_differ(clean):
    groups = pd.DataFrame({"side": np.where(clean.train.target.numpy() == 1, "left", "right")})
    result = audit(replace(clean, train=replace(clean.train, groups=groups)))
    rates = {m.group["side"]: m.value for m in result.measures if m.name == "data.label_rate"}
    assert rates == {"left": 1, "right": 0}
    assert any("Labels differ between groups of side" in f.sentence for f in result.findings)


def test_twins_of_another_label_are_no_concern_where_features_of_few_values_make_them_likely():
    """Three columns of five values make 125 kinds of rows for 900; numbers of many values have twins only if rows were copied."""
    chance = np.random.default_rng(8)
    kinds = pd.DataFrame(chance.integers(0, 5, (900, 3)).astype(float), columns=list("abc"))
    many = pd.DataFrame(chance.normal(size=(900, 3)), columns=list("abc"))
    many[450:] = many[:450].to_numpy()
    for frame, grade in ((kinds, "ok"), (many, "concern")):
        inputs = (torch.tensor(frame.to_numpy(np.float32)),)
        split = Split(inputs=inputs, rows=np.arange(900), target=torch.tensor(chance.integers(0, 2, 900)))
        other = split.take(np.arange(300))
        found = examine_duplicates(split, other, frame, 0.01).findings
        assert [f.grade for f in found if "data.conflicts" in f.measures] == [grade]
