"""How often the data audit finds planted leaks and near-copies under noise, and how often any where nothing was planted.

Run: python tests/calibration/leaks.py [--part planted] [--sets 5] [--nulls 66] [--data FOLDER]; some twenty minutes of one
processor.
FOLDER holds adult/train.csv.gz; without it adult is left out.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes

from glassbench.contracts.data import Split
from glassbench_audits.data.label_leakage import examine_label_leakage
from glassbench_audits.data.near_rows import near_rows

Rows = tuple[pd.DataFrame, np.ndarray]
Planted = Callable[[np.ndarray, np.random.Generator], pd.DataFrame]

COPIES = 60


def adult(folder: Path, rows: int, seed: int) -> Rows:
    """Return people drawn from the census table, with whether each earns much."""
    frame = pd.read_csv(folder / "adult/train.csv.gz").sample(rows, random_state=seed).reset_index(drop=True)
    columns = frame.iloc[:, :-1]
    numbers = {name: float for name in columns if pd.api.types.is_numeric_dtype(columns[name])}
    return columns.astype(numbers).astype(dict.fromkeys(set(columns) - set(numbers), object)), pd.factorize(frame.iloc[:, -1])[0]


def drawn(rows: int, seed: int) -> Rows:
    """Return numbers, a flag and a category that go with each other, and an answer that follows from them in part."""
    chance = np.random.default_rng(seed)
    common = chance.normal(size=(rows, 1))
    numbers = pd.DataFrame(0.7 * common + chance.normal(size=(rows, 4)), columns=list("abcd"))
    flag = (numbers["a"] + 0.5 * chance.normal(size=rows) > 0).astype(float)
    site = np.array(["east", "west", "north"], object)[np.clip(np.round(1 + common[:, 0] / 2), 0, 2).astype(int)]
    odds = (2 * flag + numbers[["b", "c", "d"]].sum(axis=1) - 1.5).to_numpy()
    return numbers.assign(flag=flag, site=site), (chance.random(rows) < 1 / (1 + np.exp(-odds))).astype(int)


def unrelated(rows: int, seed: int) -> Rows:
    """Return columns of several kinds and an answer that has nothing to do with them."""
    columns, _ = drawn(rows, seed)
    return columns, (np.random.default_rng(seed + 10_000).random(rows) < 0.3).astype(int)


def exclusive_or(noise: float) -> Planted:
    """Return what plants two columns that give the answer together, but for a share of the rows that are turned."""

    def plant(answer: np.ndarray, chance: np.random.Generator) -> pd.DataFrame:
        key = chance.integers(0, 2, len(answer))
        lock = key ^ answer ^ (chance.random(len(answer)) < noise).astype(int)
        return pd.DataFrame({"key": key.astype(float), "lock": np.array(["open", "shut"], object)[lock]})

    return plant


def half_hidden(answer: np.ndarray, chance: np.random.Generator) -> pd.DataFrame:
    """Return the answer in half of the rows, another row's in the other half."""
    shown = chance.random(len(answer)) < 0.5
    return pd.DataFrame({"copy": np.where(shown, answer, chance.permutation(answer)).astype(float)})


def scored(answer: np.ndarray, chance: np.random.Generator) -> pd.DataFrame:
    """Return a score that lies on the answer's side of a half in half of the rows, and anywhere in the other half."""
    shown, anywhere = chance.random(len(answer)) < 0.5, chance.random(len(answer))
    return pd.DataFrame({"score": np.where(shown, (answer + anywhere) / 2, anywhere)})


def near_answer(noise: float, share: float) -> Planted:
    """Return what plants the answer with noise of so many standard deviations in a share of the rows, another row's elsewhere."""

    def plant(answer: np.ndarray, chance: np.random.Generator) -> pd.DataFrame:
        shown = np.where(chance.random(len(answer)) < share, answer, chance.permutation(answer))
        return pd.DataFrame({"near": shown + noise * answer.std() * chance.normal(size=len(answer))})

    return plant


def summands(noise: float) -> Planted:
    """Return what plants two columns whose difference is the answer, with noise of so many standard deviations."""

    def plant(answer: np.ndarray, chance: np.random.Generator) -> pd.DataFrame:
        spread, one = answer.std(), 2 * answer.std() * chance.normal(size=len(answer))
        return pd.DataFrame({"gross": answer + one + noise * spread * chance.normal(size=len(answer)), "cost": one})

    return plant


def valued(rows: int, seed: int) -> Rows:
    """Return the columns of `drawn` and a value that follows from them in part."""
    columns, _ = drawn(rows, seed)
    numbers = columns[["a", "b", "c", "d"]].sum(axis=1) + 2 * columns["flag"]
    return columns, (numbers + 2 * np.random.default_rng(seed + 20_000).normal(size=rows)).to_numpy(np.float32)


def hours(folder: Path, rows: int, seed: int) -> Rows:
    """Return people drawn from the census table, with the hours that each works in a week."""
    columns, _ = adult(folder, rows, seed)
    return columns.drop(columns="hours_per_week"), columns["hours_per_week"].to_numpy(np.float32)


def said(rows: Rows, seed: int) -> list[str]:
    """Return what the audit says of leaks, with a third of the rows held out."""
    columns, answer = rows
    order = np.random.default_rng(seed).permutation(len(answer))
    parts = order[: len(order) * 2 // 3], order[len(order) * 2 // 3 :]
    known, seen = (columns.iloc[part].reset_index(drop=True) for part in parts)
    train, held = (Split(inputs=(torch.zeros(len(p), 1),), rows=p, target=torch.as_tensor(answer[p])) for p in parts)
    return [one.sentence for one in examine_label_leakage(train, held, known, seen, np.random.default_rng(seed)).findings]


CLASSES: dict[str, tuple[Planted, str]] = {
    **{f"exclusive or, {noise:.0%} noise": (exclusive_or(noise), "key and lock") for noise in (0.0, 0.1, 0.2)},
    "the answer under half noise": (half_hidden, "copy"),
    "a score of the answer under half noise": (scored, "score"),
}
VALUES: dict[str, tuple[Planted, str]] = {
    "the value under half noise, exact": (near_answer(0.0, 0.5), "near"),
    "the value under half noise, within a tenth": (near_answer(0.1, 0.5), "near"),
    "a difference of two columns": (summands(0.0), "gross and cost"),
    "a difference of two columns, within .05": (summands(0.05), "gross and cost"),
}


def leaks(tables: dict[str, Callable[[int], Rows]], sets: int, planted: dict[str, tuple[Planted, str]]) -> None:
    """Print how often each planted leak is named, and how often other columns are."""
    print("| rows | planted | found | other columns named |\n| --- | --- | --- | --- |")
    for name, make in tables.items():
        for what, (plant, named) in planted.items():
            found = others = 0
            for seed in range(sets):
                columns, answer = make(seed)
                sentences = said((columns.join(plant(answer, np.random.default_rng(500 + seed))), answer), seed)
                found += any(one.startswith(named) for one in sentences)
                others += any(not one.startswith(named) for one in sentences)
            print(f"| {name} | {what} | {found} of {sets} | {others} of {sets} |", flush=True)


def false_alarms(tables: dict[str, Callable[[int], Rows]], sets: int) -> None:
    """Print in how many tables without a leak any column is named."""
    print("| rows | tables | any finding |\n| --- | --- | --- |")
    for name, make in tables.items():
        found = sum(bool(said(make(1000 + seed), seed)) for seed in range(sets))
        print(f"| {name} | {sets} | {found} |", flush=True)


def copied(frame: pd.DataFrame, noise: float, seed: int) -> tuple[int, int, int]:
    """Return how many of the planted copies are found, how many other rows are named, and how many there are."""
    chance = np.random.default_rng(seed)
    mixed = frame.sample(frac=1, random_state=seed).reset_index(drop=True)
    cut = 3 * len(mixed) // 4
    known, seen = mixed.iloc[:cut], mixed.iloc[cut:]
    copies = known.iloc[chance.choice(cut, COPIES, replace=False)]
    changed = {
        n: c + noise * c.std() * chance.normal(size=len(c)) if pd.api.types.is_float_dtype(c) else c for n, c in copies.items()
    }
    near = near_rows(known, pd.concat([pd.DataFrame(changed), seen], ignore_index=True), np.random.default_rng(seed))
    return int((near.held < COPIES).sum()), int((near.held >= COPIES).sum()), len(seen)


def near_copies(tables: dict[str, pd.DataFrame], sets: int) -> None:
    """Print how many of the copies under noise are found, and how many of the other held-out rows are called copies."""
    print("| rows | noise (standard deviations) | found | other rows named |\n| --- | --- | --- | --- |")
    for name, frame in tables.items():
        for noise in (1e-6, 1e-3, 1e-2, 3e-2):
            found, others, rows = (sum(each) for each in zip(*(copied(frame, noise, seed) for seed in range(sets)), strict=True))
            print(f"| {name} | {noise:g} | {found / (COPIES * sets):.2f} | {others / rows:.4f} |", flush=True)


def copyable(folder: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield tables whose rows are copied."""
    chance = np.random.default_rng(1)
    yield "breast cancer (30 numbers)", load_breast_cancer(as_frame=True).data.astype(float)
    yield "diabetes (10)", load_diabetes(as_frame=True).data.astype(float)
    yield "drawn (6 of ten values)", pd.DataFrame(chance.integers(0, 10, (2000, 6))).astype(float).rename(columns=str)
    yield "drawn (20 of three values)", pd.DataFrame(chance.integers(0, 3, (2000, 20))).astype(float).rename(columns=str)
    yield "drawn (3 normal)", pd.DataFrame(chance.normal(size=(2000, 3))).rename(columns=str)
    if (folder / "adult/train.csv.gz").exists():
        yield "adult (6 numbers, 8 categories)", adult(folder, 3000, 0)[0]


def main() -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", type=int, default=5)
    parser.add_argument("--part", choices=("planted", "nulls", "copies"))
    parser.add_argument("--nulls", type=int, default=66)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    settings = parser.parse_args()
    there = (settings.data / "adult/train.csv.gz").exists()
    tables: dict[str, Callable[[int], Rows]] = {"drawn, 2,400 rows": lambda seed: drawn(2400, seed)}
    values: dict[str, Callable[[int], Rows]] = {"drawn values, 2,400 rows": lambda seed: valued(2400, seed)}
    if there:
        tables["adult, 3,000 rows"] = lambda seed: adult(settings.data, 3000, seed)
        values["hours of adult, 3,000 rows"] = lambda seed: hours(settings.data, 3000, seed)
    if settings.part in (None, "planted"):
        leaks(tables, settings.sets, CLASSES)
        leaks(values, settings.sets, VALUES)
    if settings.part in (None, "nulls"):
        null = {**tables, "unrelated, 1,200 rows": lambda seed: unrelated(1200, seed), **values}
        false_alarms(null, settings.nulls // 3)
    if settings.part in (None, "copies"):
        near_copies(dict(copyable(settings.data)), settings.sets)


if __name__ == "__main__":
    main()
