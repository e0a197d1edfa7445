"""What calibration and fairness find in fixed rows: every measure, the grade of every finding, the numbers of tables and charts.

No word of them is pinned.
"""

import json

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.data import Split
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench_audits.calibration.audit import audit as calibration
from glassbench_audits.fairness.audit import audit as fairness
from glassbench_plugins.supervised.quantile_regression import QuantileRegression


def rows(n: int = 400) -> pd.DataFrame:
    """Two groups, of which one is granted less and is stated too high; persons of two rows."""
    chance = np.random.default_rng(11)
    sex = chance.choice(["f", "m"], n)
    true = chance.beta(2, 2, n)
    stated = np.clip(true + 0.15 * (sex == "f"), 0, 1)
    return pd.DataFrame({"sex": sex, "stated": stated, "came": chance.random(n) < true, "person": np.arange(n) // 2})


def two_classes(classification, *, columns=(), favourable="1"):
    """The rows as a subject of two classes, with further columns of predictions."""
    drawn = rows()
    decided, came = (drawn["stated"] > 0.5).astype(int), drawn["came"].astype(int)
    made = classification(came, decided, {"sex": drawn["sex"]}, scores=drawn["stated"], favourable=favourable)
    more = {"cluster": drawn["person"].astype(str), "weight": 1.0 + (np.arange(len(drawn)) % 3)}
    frame = made.predictions.frame.assign(**{name: more[name] for name in columns})
    return Subject(**{**vars(made), "predictions": Predictions(frame=frame)})


def four_groups(classification, *, columns=()):
    """Four groups of unequal size in two regions; decisions follow a branch, which is a column beside."""
    chance = np.random.default_rng(17)
    n = 900
    group = chance.choice(["a", "b", "c", "d"], n, p=[0.45, 0.35, 0.18, 0.02])
    region, branch = chance.choice(["north", "south"], n), chance.choice(["east", "west"], n)
    branch = np.where((group == "b") & (chance.random(n) < 0.6), "west", branch)
    came = chance.random(n) < np.where(branch == "east", 0.7, 0.35)
    decided = np.where(chance.random(n) < 0.85 - 0.1 * (group == "c"), came, chance.random(n) < 0.5)
    groups = {"group": group, "region": region}
    made = classification(came.astype(int), decided.astype(int), groups, favourable="1")
    more = {"frequency": 1 + np.arange(n) % 4}
    frame = made.predictions.frame.assign(**{name: more[name] for name in columns})
    source = Split(inputs=(), rows=np.arange(n), raw=pd.DataFrame({"branch": branch, "size": chance.normal(size=n)}))
    return Subject(**{**vars(made), "predictions": Predictions(frame=frame, source=source)})


def intervals():
    chance = np.random.default_rng(5)
    truth, half = chance.normal(70, 10, 300), np.repeat([14.0, 17.0, 20.0], 100)
    named = {"y_true": truth, "y_pred": 70.0, "low": 70 - half, "high": 70 + half, "crossed": False}
    levels = {f"quantile.{q}": 70 + s * half for q, s in ((0.05, -1), (0.5, 0), (0.95, 1))}
    site = np.where(np.arange(300) % 3 == 0, "north", "south")
    schema = Schema(modality="table", shape=(1,), target=Target(name="weight", kind="value", unit="kg"), sensitive=("site",))
    task = QuantileRegression(conformal="none")
    task.check(schema)
    frame = pd.DataFrame({"row": range(300), **named, **levels, "group.site": site})
    return Subject(schema=schema, predictions=Predictions(frame=frame), task=task)


AUDITS = {
    "calibration": lambda make, values: calibration(two_classes(make), replicates=100),
    "calibration-clusters": lambda make, values: calibration(two_classes(make, columns=["cluster"]), replicates=100),
    "calibration-weights": lambda make, values: calibration(two_classes(make, columns=["weight"]), replicates=100),
    "calibration-intervals": lambda make, values: calibration(intervals(), replicates=100),
    "fairness": lambda make, values: fairness(two_classes(make), replicates=100),
    "fairness-clusters": lambda make, values: fairness(two_classes(make, columns=["cluster"]), replicates=100),
    "fairness-no-favourable": lambda make, values: fairness(two_classes(make, favourable=None), replicates=100),
    "fairness-values": lambda make, values: fairness(
        values(rows()["stated"] * 10 + rows()["came"], rows()["stated"] * 10, {"sex": rows()["sex"]}), replicates=100
    ),
}

OF_FOUR = {
    "fairness-reference": lambda make: fairness(four_groups(make), replicates=100, reference={"group": "a"}, difference=0.02),
    "fairness-control": lambda make: fairness(four_groups(make), replicates=100, control=("branch",), intersections=False),
    "fairness-counts": lambda make: fairness(four_groups(make, columns=["frequency"]), replicates=100, small=10),
}


@pytest.mark.parametrize("name", OF_FOUR)
def test_measures_of_four_groups_are_what_they_were(name, classification, pinned):
    found = OF_FOUR[name](classification)
    told: dict[str, list] = {}
    for m in found.measures:
        where = ", ".join(f"{k} {v}" for k, v in (m.group or {}).items()) or " and ".join(m.by or ())
        told.setdefault(f"{m.name} {where}", []).append([m.value, m.low, m.high, m.n])
    pinned(name, {**told, "findings": [[one.grade, list(one.measures), one.weight] for one in found.findings]})


@pytest.mark.parametrize("name", AUDITS)
def test_an_audit_says_what_it_said(name, classification, regression, pinned):
    pinned(name, numbers(json.loads(json.dumps(AUDITS[name](classification, regression).to_json()))))


def numbers(found):
    """Return measures, and what findings, tables and charts hold beside words."""
    return {
        "measures": found["measures"],
        "findings": [[one["grade"], one["measures"]] for one in found["findings"]],
        "tables": [[[cell for cell in row if not isinstance(cell, str)] for row in table["rows"]] for table in found["tables"]],
        "charts": [
            [chart["kind"], *({key: v for key, v in row.items() if not isinstance(v, str)} for row in chart["rows"])]
            for chart in found["charts"]
        ],
    }
