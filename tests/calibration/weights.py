"""Survey weights: how often intervals hold the truth, and how often fairness raises a false alarm where nothing is there.

Rows are drawn with lognormal weights. `tied` says how the outcome goes with them: rows of large weight are positive more often,
as where a survey asked some kinds of people more often than others.

Run: python tests/calibration/weights.py [--sets 400] [--null 200]; it prints the tables of docs/explanation/calibration.md.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from glassbench.contracts.data import Split
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench.stats.inference import Inference, mean, share
from glassbench.stats.ranking import area
from glassbench.stats.sampling import Sampling
from glassbench_audits.fairness.audit import audit as fairness
from glassbench_plugins.predictions.tasks import GivenClasses, GivenValues

CLASSES = ("no", "yes")
LOOSE = {"difference": 0.0, "ratio": 1.0, "value_difference": 0.0}
"""The strictest rules: any gap that is sure to be there fails, however small."""

_MANY = 400_000


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a data set looks like.

    Args:
        groups: Rows of each group.
        spread: Standard deviation of the logarithm of weights; at 1 rows are worth 37 % of their number.
        rate: Share of positive rows of the middle weight.
        tied: How far the log-odds of a positive row rise with the logarithm of its weight.
        heavier: How far the logarithm of weights lies above that of the group before.
    """

    groups: tuple[int, ...]
    spread: float = 1.0
    rate: float = 0.3
    tied: float = 0.0
    heavier: float = 0.0


COVERED = {
    "100 rows, spread 0.5": Shape(groups=(100,), spread=0.5),
    "100 rows, spread 1": Shape(groups=(100,)),
    "100 rows, spread 1, tied": Shape(groups=(100,), tied=0.5),
    "500 rows, spread 1, tied": Shape(groups=(500,), tied=0.5),
    "500 rows, spread 1, rate .1": Shape(groups=(500,), rate=0.1),
    "3,000 rows, spread 1, rate .1, tied": Shape(groups=(3000,), rate=0.1, tied=0.5),
}
NULL = {
    "3 groups of 150, spread 0.5": Shape(groups=(150,) * 3, spread=0.5),
    "3 groups of 150, spread 1": Shape(groups=(150,) * 3),
    "3 groups of 150, spread 1, tied": Shape(groups=(150,) * 3, tied=0.5),
    "3 groups of 1,000, spread 1, tied": Shape(groups=(1000,) * 3, tied=0.5),
    "groups of 40, 150 and 600, spread 1": Shape(groups=(40, 150, 600)),
    "3 groups of 150, each heavier, spread 0.7": Shape(groups=(150,) * 3, spread=0.7, heavier=0.7),
    "8 groups of 100, spread 1, rate .15": Shape(groups=(100,) * 8, rate=0.15),
}


def drawn(shape: Shape, generator: np.random.Generator, times: int = 1) -> pd.DataFrame:
    """Draw rows whose group sways nothing but weights: columns group, weight, truth, score, decision, value."""
    group = np.repeat(np.arange(len(shape.groups)), np.array(shape.groups) * times)
    own = generator.normal(0, shape.spread, len(group))
    truth = generator.random(len(group)) < expit(logit(shape.rate) + shape.tied * own)
    score = expit(generator.normal(1.2 * truth - 0.8 + 0.2 * shape.tied * own, 1))
    return pd.DataFrame(
        {
            "group": group.astype(str),
            "weight": np.exp(own + shape.heavier * group),
            "truth": truth,
            "score": score,
            "decision": score > 0.5,
            "value": np.exp(generator.normal(0, 0.5, len(group))),
        }
    )


def numbers(rows: pd.DataFrame) -> Iterator[tuple[str, Inference]]:
    """Yield each number with its limits."""
    sampling, truth = Sampling.of(rows), rows["truth"].to_numpy()
    decided, score = rows["decision"].to_numpy(), rows["score"].to_numpy()
    yield "share", share(truth, sampling)
    yield "true positive rate", share(decided, sampling, truth)
    yield "area", area(np.stack([1 - score, score], axis=1), truth.astype(int), sampling, [1], None)
    yield "mean", mean(rows["value"].to_numpy(), sampling, lowest=0.0)


def truths(shape: Shape) -> dict[str, float]:
    """Return what the numbers come to in very many rows."""
    rows = drawn(shape, np.random.default_rng(99), times=_MANY // sum(shape.groups))
    weight, truth = rows["weight"], rows["truth"]
    return {
        "share": float(np.average(truth, weights=weight)),
        "true positive rate": float(np.average(rows["decision"][truth], weights=weight[truth])),
        "area": float(roc_auc_score(truth, rows["score"], sample_weight=weight)),
        "mean": float(np.average(rows["value"], weights=weight)),
    }


def coverage(shape: Shape, sets: int, seed: int = 1) -> dict[str, tuple[float, float, int]]:
    """Return how often 95 % intervals lie below and above the truth, and how many there were: with 5 effective events."""
    generator, true = np.random.default_rng(seed), truths(shape)
    missed = {name: [0, 0, 0] for name in true}
    for _ in range(sets):
        rows = drawn(shape, generator)
        sampling, truth = Sampling.of(rows), rows["truth"].to_numpy()
        if min(sampling.count(truth), sampling.count(~truth)) < 5:
            continue
        for name, found in numbers(rows):
            estimate = found.estimate(0.95)
            if estimate.low is not None and estimate.high is not None:
                missed[name][0] += estimate.high < true[name]
                missed[name][1] += estimate.low > true[name]
                missed[name][2] += 1
    return {name: (below / max(n, 1), above / max(n, 1), n) for name, (below, above, n) in missed.items()}


def subject(rows: pd.DataFrame, *, values: bool, seed: int) -> Subject:
    """Return rows as the fairness audit gets them."""
    frame = pd.DataFrame({"row": np.arange(len(rows)), "weight": rows["weight"]})
    if values:
        noise = np.random.default_rng(seed).normal(0, 0.5, len(rows))
        frame["y_true"], frame["y_pred"] = rows["value"] + noise, rows["value"]
    else:
        for name, column in (("y_true", "truth"), ("y_pred", "decision")):
            frame[name] = np.where(rows[column], *CLASSES[::-1])
        frame["score.no"], frame["score.yes"] = 1 - rows["score"], rows["score"]
    frame["group.group"] = rows["group"]
    kind, classes = ("value", ()) if values else ("class", CLASSES)
    target = Target(
        name="outcome", kind=kind, classes=classes, positive=None if values else "yes", favourable="higher" if values else "yes"
    )
    schema = Schema(modality="table", shape=(0,), target=target, sensitive=("group",))
    task = GivenValues() if values else GivenClasses()
    task.check(schema)
    source = Split(inputs=(), rows=np.arange(len(rows)), weights=rows["weight"].to_numpy())
    return Subject(schema=schema, predictions=Predictions(frame=frame, source=source), task=task, seed=seed)


def false_alarms(shape: Shape, sets: int, *, values: bool, weighted: bool = True, replicates: int = 100) -> float:
    """Return in which share of null data sets any finding of the whole fairness audit fails."""
    generator, alarms = np.random.default_rng(7), 0
    for seed in range(sets):
        rows = drawn(shape, generator)
        given = subject(rows if weighted else rows.assign(weight=1.0), values=values, seed=seed)
        found = fairness(given, replicates=replicates, **LOOSE)
        alarms += any(finding.grade == "concern" for finding in found.findings)
    return alarms / sets


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--null", type=int, default=200)
    asked = parser.parse_args()
    print("| rows | number | below | above | intervals |\n| --- | --- | --- | --- | --- |")
    for name, shape in COVERED.items():
        for number, (below, above, n) in coverage(shape, asked.sets).items():
            print(f"| {name} | {number} | {below:.3f} | {above:.3f} | {n} |", flush=True)
    print("\n| null data | fairness | fairness of values |\n| --- | --- | --- |")
    for name, shape in NULL.items():
        found = [false_alarms(shape, asked.null, values=values) for values in (False, True)]
        print(f"| {name} | {found[0]:.3f} | {found[1]:.3f} |", flush=True)


if __name__ == "__main__":
    main()
