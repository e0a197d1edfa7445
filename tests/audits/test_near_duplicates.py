"""Near-duplicates across splits are found whatever the rows are, and rows that are near by nature are none."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine

from glassbench.contracts.data import Split
from glassbench.testing import toy_subject
from glassbench_audits.data.audit import audit
from glassbench_audits.data.near_rows import near_rows
from glassbench_audits.data.near_vectors import near_texts, near_vectors, sketched
from glassbench_audits.data.neighbour_distances import p_values

PLANTED = 40


def table(frame):
    return pd.DataFrame({str(n): c.astype(float) if pd.api.types.is_numeric_dtype(c) else c for n, c in frame.items()})


def halves(frame, seed=0):
    mixed = table(frame).sample(frac=1, random_state=seed).reset_index(drop=True)
    cut = 3 * len(mixed) // 4
    return mixed.iloc[:cut], mixed.iloc[cut:].reset_index(drop=True)


def planted(frame, how, seed=0):
    """Return splits in which the first held-out rows are training rows changed by `how`, and those rows."""
    known, seen = halves(frame, seed)
    chance = np.random.default_rng(seed + 1)
    copies = known.iloc[chance.choice(len(known), PLANTED, replace=False)]
    return known, pd.concat([how(copies.reset_index(drop=True), chance), seen], ignore_index=True), copies.index.to_numpy()


def noise(copies, chance):
    return pd.DataFrame({n: c + 1e-6 * chance.normal(size=len(c)) if c.dtype == float else c for n, c in copies.items()})


def a_cell(copies, chance):
    changed = copies.copy()
    for row in range(len(changed)):
        column = int(chance.integers(changed.shape[1]))
        others = copies.iloc[:, column][copies.iloc[:, column] != copies.iat[row, column]]
        changed.iat[row, column] = others.sample(random_state=row).iloc[0]
    return changed


@pytest.fixture(scope="module")
def customers():
    chance, rows = np.random.default_rng(7), 2400
    frame = pd.DataFrame(chance.integers(0, 12, (rows, 5)), columns=list("abcde"))
    return frame.assign(town=chance.choice([f"t{i}" for i in range(20)], rows), income=chance.lognormal(size=rows).round(2))


@pytest.mark.parametrize("how", [noise, a_cell])
def test_noise_and_single_cells_in_a_table_are_found(customers, how):
    known, seen, origin = planted(customers, how)
    near = near_rows(known, seen, np.random.default_rng(0))
    right = near.held < PLANTED
    assert right.sum() >= 0.9 * PLANTED
    assert (~right).sum() <= 2
    assert (near.train[right] == origin[near.held[right]]).mean() > 0.9


def loud(copies, chance):
    """Noise of a hundredth of a standard deviation, as large as the bins in which numbers agree."""
    return pd.DataFrame(
        {n: c + 0.01 * c.std() * chance.normal(size=len(c)) if c.dtype == float else c for n, c in copies.items()}
    )


LOUD = {
    "thirty numbers": (lambda: load_breast_cancer(as_frame=True).data, 0.85),
    "ten numbers, one of two values": (lambda: load_diabetes(as_frame=True).data, 0.9),
    "six numbers of ten values": (lambda: pd.DataFrame(np.random.default_rng(1).integers(0, 10, (2000, 6))), 0.95),
    "twenty numbers of three values": (lambda: pd.DataFrame(np.random.default_rng(1).integers(0, 3, (2000, 20))), 0.95),
    "three numbers": (lambda: pd.DataFrame(np.random.default_rng(1).normal(size=(2000, 3))), 0.1),
}


@pytest.mark.parametrize("name", LOUD)
def test_noise_as_large_as_the_bins_is_found(name):
    make, share = LOUD[name]
    known, seen, origin = planted(make(), loud)
    near = near_rows(known, seen, np.random.default_rng(0))
    right = near.held < PLANTED
    assert right.sum() >= share * PLANTED
    assert (~right).sum() <= 1
    assert (near.train[right] == origin[near.held[right]]).mean() > 0.95


def test_few_coarse_columns_hide_a_changed_cell_but_no_noise():
    frame = pd.DataFrame(np.random.default_rng(1).integers(0, 5, (2000, 3)), columns=list("abc"))
    known, seen, _ = planted(frame, noise)
    assert len(near_rows(known, seen, np.random.default_rng(0)).held) == PLANTED


def _entities():
    """Rows of 300 products: what describes the product stays the same, one column varies."""
    chance = np.random.default_rng(2)
    product = pd.DataFrame(chance.normal(size=(300, 5)).round(2)).iloc[chance.integers(0, 300, 2400)].reset_index(drop=True)
    return product.assign(sold=chance.integers(0, 60, 2400))


NATURAL = {
    "breast cancer": lambda: load_breast_cancer(as_frame=True).data,
    "diabetes": lambda: load_diabetes(as_frame=True).data,
    "wine": lambda: load_wine(as_frame=True).data,
    "iris": lambda: load_iris(as_frame=True).data,
    "digits": lambda: load_digits(as_frame=True).data.iloc[:900, 20:45],
    "few values": lambda: pd.DataFrame(np.random.default_rng(3).integers(0, 4, (1500, 6))),
    "binary": lambda: pd.DataFrame(np.random.default_rng(4).integers(0, 2, (1500, 18))),
    "two numbers": lambda: pd.DataFrame(np.random.default_rng(5).lognormal(sigma=2, size=(1500, 2))),
    "a curve": lambda: pd.DataFrame(np.cumsum(np.random.default_rng(6).normal(size=(1500, 6)), axis=0)),
    "products": _entities,
    "three normal numbers": lambda: pd.DataFrame(np.random.default_rng(10).normal(size=(2000, 3))),
    "lognormal numbers": lambda: pd.DataFrame(np.random.default_rng(11).lognormal(sigma=2, size=(2000, 4))),
    "skewed numbers beside classes": lambda: pd.DataFrame(np.random.default_rng(12).gamma(0.5, size=(2000, 4)).round(2)).assign(
        kind=np.random.default_rng(13).choice(list("abc"), 2000)
    ),
}


@pytest.mark.parametrize("name", NATURAL)
def test_rows_that_are_near_by_nature_are_no_near_duplicates(name):
    for seed in range(2):
        near = near_rows(*halves(NATURAL[name](), seed), np.random.default_rng(seed))
        assert len(near.held) <= 0.005 * len(near.examined)


def _split(values):
    return Split(inputs=(torch.as_tensor(np.asarray(values)).float(),), rows=np.arange(len(values)))


@pytest.mark.parametrize("change", ["noise", "scale"])
def test_changed_pictures_are_found_and_other_pictures_are_not(change):
    pictures, chance = np.random.default_rng(8).permutation(load_digits().images / 16), np.random.default_rng(9)
    known, copies = pictures[:1300], pictures[:PLANTED]
    changed = copies + 0.002 * chance.normal(size=copies.shape) if change == "noise" else 0.4 * copies + 0.3
    seen = np.concatenate([changed, pictures[1300:]])
    near = near_vectors(*(sketched(_split(part), np.arange(len(part))) for part in (known, seen)))
    found = near.held < PLANTED
    assert found.sum() >= (0.8 * PLANTED if change == "noise" else 0)
    assert (near.train[found] == near.held[found]).all()
    assert (~found).sum() <= 1


def test_rescaled_sounds_with_a_little_noise_are_found():
    chance = np.random.default_rng(10)
    sounds = np.cumsum(chance.normal(size=(900, 3000)), axis=1)
    copies = 0.3 * sounds[:PLANTED] + 0.05 * chance.normal(size=(PLANTED, 3000))
    seen = np.concatenate([copies, sounds[700:]])
    near = near_vectors(*(sketched(_split(part), np.arange(len(part))) for part in (sounds[:700], seen)))
    assert near.held.tolist() == list(range(PLANTED))
    assert near.train.tolist() == list(range(PLANTED))


def test_edited_texts_are_found_and_others_are_not():
    chance = np.random.default_rng(11)
    words = ["".join(chance.choice(list("abcdeghilmnoprstu"), chance.integers(2, 9))) for _ in range(800)]
    texts = [" ".join(chance.choice(words, chance.integers(6, 25), p=np.arange(800, 0, -1) / 320_400)) for _ in range(1000)]
    edited = [text[: (at := int(chance.integers(len(text))))] + "x" + text[at + 1 :] for text in texts[:PLANTED]]
    near = near_texts(texts[:800], edited + texts[800:])
    assert near.held.tolist() == list(range(PLANTED))
    assert near.train.tolist() == list(range(PLANTED))


def test_p_values_are_uniform_where_rows_have_a_density():
    """Distances in three dimensions: the p-value lies below 5 % in about 5 % of rows or fewer (a union bound)."""
    points = np.random.default_rng(12).random((3000, 3))
    distance = np.sort(np.linalg.norm(points[2000:, None] - points[None, :2000], axis=2), axis=1)[:, :61]
    assert (p_values(distance) < 0.05).mean() < 0.07


def test_the_audit_says_so_with_counts_and_examples():
    subject = toy_subject(rows=1600)
    held = subject.predictions.source
    copied = subject.train.take(np.arange(40))
    raw = copied.raw + 1e-6
    joined = replace(
        held,
        inputs=(torch.cat([held.inputs[0], torch.as_tensor(raw.to_numpy(copy=True)).float()]),),
        rows=np.arange(len(held) + 40),
        target=torch.cat([held.target, copied.target]),
        groups=pd.concat([held.groups, copied.groups], ignore_index=True),
        raw=pd.concat([held.raw, raw], ignore_index=True),
    )
    result = audit(replace(subject, predictions=subject.task.predict(subject.model, joined)))
    said = [f for f in result.findings if "data.near_copies" in f.measures]
    assert [f.grade for f in said] == ["concern"]
    assert f"(40 of {len(joined)})" in said[0].sentence
    examples = next(t for t in result.tables if t.title == "Near-duplicates across the splits")
    assert [row[1] for row in examples.rows] == [str(copied.rows[i]) for i in range(len(examples.rows))]
    assert not next(m for m in result.measures if m.name == "data.leakage").value
