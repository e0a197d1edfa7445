"""How often labels that are wrong on one side in one group are found, and how often any where none were planted.

Rows are drawn with an answer that hangs on six numbers, two of them bent; the group takes part in different ways:
`same` (not at all), `moved` (its odds are lower), `flatter` (its answer hangs less on everything), `otherwise` (a number that
tells much elsewhere tells less there). Real tables keep their own sensitive features and categories.

Labels of the real tables are not known to be right: what is found there without a plant may be there.

Run: python tests/calibration/group_labels.py [--sets 20] [--part drawn] [--part real] [--data FOLDER]; some ten minutes of one
processor. FOLDER holds adult, compas and acs_income as the examples have them; what is not there is left out.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from glassbench.contracts.data import Split
from glassbench.contracts.subject import Subject
from glassbench.testing import toy_subject
from glassbench_audits.data.group_labels import GroupLabels, group_label_errors
from glassbench_audits.data.labelled_rows import labelled_rows

TOLERANCE, SHARE, WRONG = 0.03, 0.25, 0.3

Rows = tuple[np.ndarray, np.ndarray, pd.DataFrame]


def drawn(rows: int, seed: int, effect: str, spread: float) -> Rows:
    """Return inputs, the group among them, classes, and groups of which one says nothing."""
    chance = np.random.default_rng(seed)
    group, x = chance.random(rows) < SHARE, chance.normal(size=(rows, 6))
    x[:, 0] += 0.4 * group
    odds = x[:, 0] + 0.8 * x[:, 1] - 0.6 * x[:, 2] + 0.5 * np.sin(2 * x[:, 3])
    odds *= spread / odds.std()
    changed = {"same": odds, "moved": odds - 1.2, "flatter": odds / 2, "otherwise": odds - 0.7 * spread * x[:, 0]}[effect]
    odds = np.where(group, changed, odds)
    answer = (chance.random(rows) < 1 / (1 + np.exp(-odds))).astype(int)
    groups = pd.DataFrame({"group": np.where(group, "a", "b"), "site": chance.choice(["x", "y", "z"], rows)})
    return np.column_stack([x, group]), answer, groups


def real(folder: Path, seed: int) -> Iterator[tuple[str, Rows]]:
    """Yield tables with groups: drawn at random beside inputs, or the table's own."""
    chance = np.random.default_rng(seed)
    tables = {"breast cancer": load_breast_cancer(), "wine": load_wine(), "digits": load_digits()}
    for name, found in tables.items():
        inputs, answer = found.data, found.target
        middle = inputs[:, 2] > np.median(inputs[:, 2])
        groups = {"site": chance.choice(["x", "y"], len(answer)), "half": np.where(middle, "above", "below")}
        yield name, (inputs, answer, pd.DataFrame(groups))
    if (path := folder / "adult/train.csv.gz").exists():
        frame = pd.read_csv(path).sample(5000, random_state=seed).reset_index(drop=True)
        texts = frame.iloc[:, :-1].select_dtypes(exclude="number").astype(str)
        numbers = pd.get_dummies(frame.iloc[:, :-1]).to_numpy(dtype=float)
        yield "adult", (numbers, pd.factorize(frame.iloc[:, -1], sort=True)[0], texts)
    if (path := folder / "compas/compas_two_years_deid.csv.gz").exists():
        frame = pd.read_csv(path).sample(5000, random_state=seed).reset_index(drop=True)
        texts = frame[["sex", "race", "age_cat", "c_charge_degree"]].astype(str)
        numbers = (
            pd.get_dummies(texts).join(frame[["age", "priors_count", "juv_fel_count", "juv_misd_count"]]).to_numpy(dtype=float)
        )
        yield "compas", (numbers, frame["two_year_recid"].to_numpy(), texts)
    if (path := folder / "acs_income/acs_income_sample50k.csv.gz").exists():
        frame = pd.read_csv(path).sample(5000, random_state=seed).reset_index(drop=True)
        numbers = frame[["SCHL", "RELP", "OCCP", "WKHP", "AGEP"]].join(pd.get_dummies(frame[["COW", "MAR", "SEX"]].astype(str)))
        yield (
            "census income",
            (numbers.to_numpy(dtype=float), frame["PINCP"].to_numpy(), frame[["SEX", "RAC1P", "MAR", "COW"]].astype(str)),
        )


def subject_of(rows: Rows, seed: int) -> Subject:
    """Return a subject of these rows, a quarter of them held out; its model takes no part in the search."""
    inputs, labels, groups = rows
    order, splits = np.random.default_rng(seed).permutation(len(labels)), []
    cut = 3 * len(order) // 4
    for part in (order[:cut], order[cut:]):
        numbers, target = torch.as_tensor(inputs[part]).float(), torch.as_tensor(labels[part])
        splits.append(Split(inputs=(numbers,), rows=part, target=target, groups=groups.iloc[part].reset_index(drop=True)))
    blank = toy_subject(rows=60, steps=0)
    target = replace(blank.schema.target, classes=tuple(map(str, range(int(labels.max()) + 1))), positive=None)
    schema = replace(blank.schema, target=target, features=())
    return replace(blank, schema=schema, train=splits[0], predictions=replace(blank.predictions, source=splits[1]), seed=seed)


def found(rows: Rows, seed: int) -> list[GroupLabels]:
    """Return the groups whose labels look wrong."""
    asked = labelled_rows(subject_of(rows, seed), 5000)
    return [] if asked is None else group_label_errors(asked, TOLERANCE)[0]


def planted(rows: Rows, column: str, value: str, seed: int) -> tuple[Rows, int]:
    """Return rows with labels of the last class of a group turned in `WRONG` of them, and how many were."""
    inputs, labels, groups = rows
    top = int(labels.max())
    turned = (
        (groups[column] == value).to_numpy() & (labels == top) & (np.random.default_rng(500 + seed).random(len(labels)) < WRONG)
    )
    return (inputs, np.where(turned, 0, labels), groups), int(turned.sum())


def line(name: str, made: list[tuple[Rows, str, str]]) -> None:
    """Print how often anything is found without a plant, and how often the planted group is found, another beside it."""
    nulls = sum(bool(found(rows, seed)) for seed, (rows, *_) in enumerate(made))
    hits = others = wrong = 0
    for seed, (rows, column, value) in enumerate(made):
        with_plant, count = planted(rows, column, value, seed)
        said = found(with_plant, seed)
        wrong += count
        hits += any((one.column, one.value) == (column, value) for one in said)
        others += any((one.column, one.value) != (column, value) for one in said)
    print(f"| {name} | {nulls} of {len(made)} | {wrong / len(made):.0f} | {hits} of {len(made)} | {others} |", flush=True)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", type=int, default=20)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--part", action="append", choices=("drawn", "real"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    settings = parser.parse_args()
    parts = settings.part or ["drawn", "real"]
    print("| rows | nothing planted, something found | labels turned | found | another group beside it |")
    print("| --- | --- | --- | --- | --- |")
    for effect in ("same", "moved", "flatter", "otherwise") if "drawn" in parts else ():
        for spread in (1.5, 2.5, 5.0):
            sets = [(drawn(settings.rows, seed, effect, spread), "group", "a") for seed in range(settings.sets)]
            line(f"drawn, {effect}, spread {spread:g}", sets)
    if "real" in parts:
        tables = [dict(real(settings.data, seed)) for seed in range(settings.sets)]
        groups = {**dict.fromkeys(tables[0], ("site", "x")), "adult": ("sex", "Male"), "compas": ("sex", "Male")}
        groups["census income"] = ("SEX", "1")
        for name in tables[0]:
            line(name, [(each[name], *groups[name]) for each in tables])


if __name__ == "__main__":
    main()
