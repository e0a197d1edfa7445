"""How everything that is followed stands after three looks, of which the last has changed."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.predictions.classes import Classes
from glassbench.contracts.predictions.values import Values
from glassbench.contracts.schema import Schema, Target
from glassbench.monitoring.observed import DecidedRows, count_means, first_rows, followed_means, ranked_values
from glassbench.monitoring.reference import Reference, generator
from glassbench.monitoring.sequences import compare, sequences_of
from glassbench.rows.group_order import in_group_order
from glassbench.stats.sequential_ranks import RankCells

TARGETS = {
    "two classes": Target(name="y", kind="class", classes=("no", "yes"), positive="yes"),
    "three classes": Target(name="y", kind="class", classes=("a", "b", "c")),
    "values": Target(name="y", kind="value", unit="kg"),
}


def decided(target: Target, seed: int, n: int, moved: float, *, clustered: bool) -> DecidedRows:
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame({"row": np.arange(n), "group.sex": chance.choice(["f", "m", "x"], n)})
    if target.classes:
        scores = chance.dirichlet([2.0] * len(target.classes), n)
        truth = np.array([chance.choice(len(target.classes), p=p) for p in scores])
        truth = np.where(chance.random(n) < moved, (truth + 1) % len(target.classes), truth)
        names = np.array(target.classes)
        scored = {f"score.{name}": scores[:, k] for k, name in enumerate(names)}
        frame = frame.assign(
            y_pred=names[scores.argmax(axis=1)], y_true=pd.Series(names[truth]).where(np.arange(n) % 9 > 0), **scored
        )
    else:
        said = chance.normal(70, 8, n)
        frame = frame.assign(y_pred=said, y_true=said + chance.normal(moved * 10, 5, n))
    inputs = pd.DataFrame({"age": chance.normal(50 + 20 * moved, 10, n), "job": chance.choice(["p", "q", None], n)})
    return DecidedRows(frame=frame, inputs=inputs, clusters=np.arange(n) // 3 if clustered else None)


@pytest.mark.parametrize("clustered", [False, True], ids=["rows", "clusters"])
@pytest.mark.parametrize("name", TARGETS)
def test_looks_come_to_what_they_came_to(name, clustered, pinned):
    target = TARGETS[name]
    kind = Classes() if target.classes else Values()
    schema = Schema(modality="table", shape=(2,), target=target, sensitive=("sex",))
    known = decided(target, 0, 600, 0.0, clustered=clustered)
    groups = {"sex": in_group_order(known.frame["group.sex"].unique())}

    def counted(rows: DecidedRows):
        return count_means(followed_means(rows, schema, kind, groups), rows.clusters)

    def ranked(rows: DecidedRows):
        return ranked_values(rows.take(first_rows(rows.clusters, len(rows))), schema, kind)

    ranks = {key: RankCells.of(values, generator(key, "run")) for key, values in ranked(known).items()}
    reference = Reference(
        rows=600, means=counted(known), ranks=ranks, groups=groups, clustered=clustered, notes=(), predictions="run"
    )
    looks: dict[str, list] = {}
    cells = {key: np.zeros(len(one.reference), dtype=int) for key, one in ranks.items()}
    for seed, moved in ((1, 0.0), (2, 0.0), (3, 0.5)):
        rows = decided(target, seed, 300, moved, clustered=clustered)
        for key, values in counted(rows).items():
            looks[key] = [*looks.get(key, []), looks[key][-1] + values if key in looks else values]
        for key, values in ranked(rows).items():
            cells[key] += ranks[key].count(values, generator(key, str(seed)))
    told = {}
    for one in sequences_of(Reference.from_json(reference.to_json())):
        found = asdict(compare(one, reference, looks, cells))
        told[f"{one.key} ({one.kind})"] = [one.alpha, one.worse, *found.values()]
    pinned(f"looks, {name}, {'clusters' if clustered else 'rows'}", told)
