"""How often audits raise a false alarm on clustered data in which nothing is there: several rows a person, groups all alike.

Each data set is decided at random for whole persons: a person's rows share most of their truth, their decision and their score.
The audits see it twice, with and without being told which rows are one person's. What is counted is the data sets in which any
finding of an audit fails (family-wise false alarms).

Run: python tests/calibration/clusters.py [--sets 200] [--shape NAME ...] [--audit NAME ...] [--replicates 200]; it prints
a table of docs/explanation/calibration.md.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from glassbench.contracts.data import Split
from glassbench.contracts.evidence import AuditResult
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions, Task
from glassbench_audits.calibration.audit import audit as calibration
from glassbench_audits.fairness.audit import audit as fairness
from glassbench_audits.selection.four_fifths import audit as four_fifths
from glassbench_plugins.predictions.tasks import GivenClasses, GivenValues

CLASSES = ("no", "yes")
LOOSE = {"difference": 0.0, "ratio": 1.0, "value_difference": 0.0}
"""The strictest rules: any gap that is sure to be there fails, however small."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a null data set looks like.

    Args:
        persons: Persons of each group.
        rows: Rows of a person, or the fewest and the most of them.
        together: Share of a person's rows that follow the person, the others being drawn anew.
        crossed: Whether a person's rows are of several groups, as patients of a hospital are.
        rate: Share of positive truths and decisions.
        tail: Exponent of a Pareto distribution that rows of a person have within those bounds; None for an even one.
    """

    persons: tuple[int, ...]
    rows: tuple[int, int] = (5, 5)
    together: float = 1.0
    crossed: bool = False
    rate: float = 0.4
    tail: float | None = None


SHAPES = {
    "2 groups of 60 persons": Shape(persons=(60,) * 2),
    "4 groups of 60 persons": Shape(persons=(60,) * 4),
    "12 groups of 60 persons": Shape(persons=(60,) * 12),
    "4 groups of 60, rows .7 alike": Shape(persons=(60,) * 4, together=0.7),
    "4 groups of 60, 1 to 15 rows": Shape(persons=(60,) * 4, rows=(1, 15)),
    "2 groups of 12": Shape(persons=(12,) * 2),
    "4 groups of 20": Shape(persons=(20,) * 4),
    "12 groups of 30": Shape(persons=(30,) * 12),
    "3 groups of 12, 30 and 200": Shape(persons=(12, 30, 200)),
    "4 groups of 30, rate .1": Shape(persons=(30,) * 4, rate=0.1),
    "3 groups of 40, Pareto sizes": Shape(persons=(40,) * 3, rows=(1, 150), tail=0.9),
    "4 groups of 25, Pareto sizes": Shape(persons=(25,) * 4, rows=(1, 400), tail=0.7, together=0.8),
    "24 hospitals across 3 groups": Shape(persons=(24,), rows=(20, 60), together=0.5, crossed=True),
}


def null_set(shape: Shape, generator: np.random.Generator) -> pd.DataFrame:
    """Draw persons whose group sways nothing: columns person, group, truth, score, decision."""
    persons = sum(shape.persons)
    few, most = shape.rows
    drawn = (
        generator.integers(few, most + 1, persons) if shape.tail is None else few * (1 + generator.pareto(shape.tail, persons))
    )
    person = np.repeat(np.arange(persons), np.clip(drawn, few, most).astype(int))
    group = np.repeat(np.arange(len(shape.persons)), shape.persons)[person]
    if shape.crossed:
        group = generator.integers(0, 3, len(person))
    follows = generator.random(len(person)) < shape.together
    chance = np.where(follows, generator.random(persons)[person], generator.random(len(person)))
    score = np.where(follows, _scores(shape, persons, generator)[person], _scores(shape, len(person), generator))
    return pd.DataFrame(
        {"person": person, "group": group, "y_true": chance < score, "score": score, "y_pred": score > _cut(shape, score)}
    )


def _scores(shape: Shape, n: int, generator: np.random.Generator) -> np.ndarray:
    return generator.beta(4 * shape.rate, 4 * (1 - shape.rate), n)


def _cut(shape: Shape, score: np.ndarray) -> float:
    return float(np.quantile(score, 1 - shape.rate))


def classes(frame: pd.DataFrame, *, clustered: bool, seed: int) -> Subject:
    """Return the decisions as a subject, whose scores are calibrated."""
    named = np.array(CLASSES)[frame[["y_true", "y_pred"]].to_numpy().astype(int)]
    predictions = frame_of(frame, named[:, 0], named[:, 1], clustered=clustered)
    predictions["score.no"], predictions["score.yes"] = 1 - frame["score"], frame["score"]
    target = Target(name="y_true", kind="class", classes=CLASSES, positive="yes", favourable="yes")
    return subject(predictions, target, GivenClasses(), seed)


def values(frame: pd.DataFrame, *, clustered: bool, seed: int) -> Subject:
    """Return the same rows as values that are predicted with errors."""
    predictions = frame_of(frame, frame["y_true"].astype(float), frame["score"], clustered=clustered)
    return subject(predictions.assign(score=frame["score"]), Target(name="y_true", kind="value"), GivenValues(), seed)


def frame_of(frame: pd.DataFrame, truth: Sequence[object], decision: Sequence[object], *, clustered: bool) -> pd.DataFrame:
    """Return prediction rows."""
    rows = pd.DataFrame({"row": np.arange(len(frame)), "y_true": truth, "y_pred": decision})
    rows["group.group"] = "g" + frame["group"].astype(str)
    return rows.assign(cluster=frame["person"].astype(str)) if clustered else rows


def subject(predictions: pd.DataFrame, target: Target, task: Task, seed: int) -> Subject:
    """Return prediction rows as audits get them."""
    schema = Schema(modality="table", shape=(0,), target=target, sensitive=("group",))
    task.check(schema)
    nothing = Split(inputs=(), rows=np.arange(0))
    return Subject(schema=schema, predictions=Predictions(frame=predictions), task=task, train=nothing, seed=seed)


def failing(
    frame: pd.DataFrame, replicates: int, *, clustered: bool, seed: int, asked: Sequence[str] | None = None
) -> dict[str, bool]:
    """Return which audits, of those asked or all, have a finding that fails."""
    decided, valued = (build(frame, clustered=clustered, seed=seed) for build in (classes, values))
    audits: dict[str, Callable[[], AuditResult]] = {
        "fairness": lambda: fairness(decided, replicates=replicates, **LOOSE),
        "fairness, usual tolerances": lambda: fairness(decided, replicates=replicates),
        "fairness of values": lambda: fairness(valued, replicates=replicates, **LOOSE),
        "calibration": lambda: calibration(decided, replicates=replicates, tolerance=0.0),
        "four-fifths": lambda: four_fifths(decided),
    }
    return {name: any(f.grade == "concern" for f in audits[name]().findings) for name in asked or audits}


def alarms(shape: Shape, sets: int, replicates: int, *, clustered: bool, asked: Sequence[str] | None = None) -> pd.Series:
    """Return the share of null data sets in which each audit fails."""
    drawn = (null_set(shape, np.random.default_rng([seed, sum(shape.persons)])) for seed in range(sets))
    found = [failing(frame, replicates, clustered=clustered, seed=seed, asked=asked) for seed, frame in enumerate(drawn)]
    return pd.DataFrame(found).mean()


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--shape", choices=list(SHAPES), action="append")
    parser.add_argument("--clustered-only", action="store_true")
    parser.add_argument("--audit", action="append", metavar="NAME", help="an audit of the table's head, instead of all")
    given = parser.parse_args()
    for name in given.shape or SHAPES:
        started = time.process_time()
        told, untold = (
            alarms(SHAPES[name], given.sets, given.replicates, clustered=clustered, asked=given.audit)
            if clustered or not given.clustered_only
            else None
            for clustered in (True, False)
        )
        assert told is not None
        cells = [f"{told[k]:.3f}" + ("" if untold is None else f" ({untold[k]:.3f})") for k in told.index]
        if name == (given.shape or list(SHAPES))[0]:
            print("| data | sets | " + " | ".join(told.index) + " |\n|" + " --- |" * (2 + len(cells)), flush=True)
        print(
            f"| {name} | {given.sets} | " + " | ".join(cells) + f" | <!-- {time.process_time() - started:.0f} s -->", flush=True
        )


if __name__ == "__main__":
    main()
