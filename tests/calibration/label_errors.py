"""How many planted wrong labels the data audit lists, how many of those it lists are planted, and what it says of clean tables.

A share of all labels is replaced by another class, in three quarters of the rows as training rows and the rest as held-out rows.

Run: python tests/calibration/label_errors.py [--sets 4] [--large 1] [--data FOLDER] [--only NAME]; some minutes of one processor.
FOLDER holds adult/train.csv.gz and sms_spam/SMSSpamCollection.tsv.gz; without them these are left out.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from glassbench.contracts.data import Split
from glassbench.contracts.subject import Subject
from glassbench.testing import toy_subject
from glassbench_audits.data.doubtful_labels import suspected
from glassbench_audits.data.labelled_rows import by_cross_validation
from glassbench_audits.data.labels import examine_labels

RATES = (0.0, 0.05, 0.1)
LARGE, TOLERANCE = 3000, 0.03

Rows = tuple[np.ndarray | pd.Series, np.ndarray]


def tables(folder: Path) -> dict[str, Rows]:
    """Return inputs, numbers or texts, and classes of each table."""
    found: dict[str, Rows] = {
        "breast cancer": load_breast_cancer(return_X_y=True),
        "wine": load_wine(return_X_y=True),
        "digits": load_digits(return_X_y=True),
    }
    if (path := folder / "adult/train.csv.gz").exists():
        frame = pd.read_csv(path).sample(LARGE, random_state=0)
        numbers = pd.get_dummies(frame.iloc[:, :-1]).to_numpy(dtype=float)
        found["adult"] = numbers, pd.factorize(frame.iloc[:, -1], sort=True)[0]
    if (path := folder / "sms_spam/SMSSpamCollection.tsv.gz").exists():
        frame = pd.read_csv(path, sep="\t", header=None, names=["label", "text"], quoting=3).drop_duplicates()
        frame = frame[frame["label"].isin(["ham", "spam"])].sample(LARGE, random_state=0)
        found["sms"] = frame["text"].astype(str), (frame["label"] == "spam").to_numpy(dtype=int)
    return found


def subject_of(inputs: np.ndarray | pd.Series, labels: np.ndarray, seed: int) -> Subject:
    """Return a subject of these rows in random order; its model takes no part in the search."""
    order, splits = np.random.default_rng(seed).permutation(len(labels)), []
    cut = 3 * len(order) // 4
    for part in (order[:cut], order[cut:]):
        texts = None if isinstance(inputs, np.ndarray) else pd.DataFrame({"text": inputs.to_numpy()[part]})
        numbers = torch.zeros(len(part), 3).long() if texts is not None else torch.as_tensor(np.asarray(inputs)[part]).float()
        splits.append(Split(inputs=(numbers,), rows=part, target=torch.as_tensor(labels[part]), raw=texts))
    blank = toy_subject(rows=60, steps=0)
    target = replace(blank.schema.target, classes=tuple(map(str, range(int(labels.max()) + 1))), positive=None)
    schema = replace(blank.schema, target=target)
    return replace(blank, schema=schema, train=splits[0], predictions=replace(blank.predictions, source=splits[1]), seed=seed)


def one(rows: Rows, rate: float, seed: int) -> tuple[int, int, int, float, list[str]]:
    """Return how many labels are listed, how many of them were planted, how many were, how many of those listed are expected to
    be wrong, and the verdicts of both splits."""
    inputs, labels = rows[0], rows[1].copy()
    generator, classes = np.random.default_rng(1000 + seed), int(labels.max()) + 1
    wrong = generator.choice(len(labels), round(rate * len(labels)), replace=False)
    labels[wrong] = (labels[wrong] + generator.integers(1, classes, len(wrong))) % classes
    subject = subject_of(inputs, labels, seed)
    questioned = by_cross_validation(subject, 5000)
    suspects = suspected(questioned)
    listed = np.concatenate([questioned[split].rows[found.positions] for split, found in suspects.items()])
    expected = sum(float(found.wrong.sum()) for found in suspects.values())
    grades = [finding.grade for finding in examine_labels(subject, TOLERANCE, 5000).findings]
    return len(listed), int(np.isin(listed, wrong).sum()), len(wrong), expected, grades


def main() -> None:
    """Print a table of all data and rates."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", type=int, default=4)
    parser.add_argument("--large", type=int, default=1, help="sets of tables of more than 1,000 rows")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only")
    settings = parser.parse_args()
    print("| rows | wrong labels | listed | precision | expected | recall | findings of both splits that say labels look wrong |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, rows in tables(settings.data).items():
        if settings.only not in (None, name):
            continue
        for rate in RATES:
            found = [one(rows, rate, seed) for seed in range(settings.sets if len(rows[1]) < 1000 else settings.large)]
            listed, right, planted, expected = (sum(each[i] for each in found) for i in range(4))
            said = [grade for each in found for grade in each[4]]
            shares = f"{right / listed:.2f}" if planted and listed else "-"
            shares += f" | {expected / listed:.2f}" if listed else " | -"
            shares += f" | {right / planted:.2f}" if planted and listed else " | -"
            share = f"{listed / (len(rows[1]) * len(found)):.3f}"
            print(f"| {name} | {rate:.2f} | {share} | {shares} | {said.count('concern')} of {len(said)} |", flush=True)


if __name__ == "__main__":
    main()
