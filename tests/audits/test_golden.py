"""What calibration and fairness find in fixed rows: every measure, the grade of every finding, the numbers of tables and charts.

No word of them is pinned. Where a number changes on purpose, `golden/` changes with it: `GLASSBENCH_GOLDEN=write pytest` of this
file, and the difference is read before it is committed. Numbers are compared to four digits.
"""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench_audits.calibration.audit import audit as calibration
from glassbench_audits.fairness.audit import audit as fairness
from glassbench_plugins.supervised.quantile_regression import QuantileRegression

FOLDER = Path(__file__).parent / "golden"


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


@pytest.mark.parametrize("name", AUDITS)
def test_an_audit_says_what_it_said(name, classification, regression):
    found = numbers(json.loads(json.dumps(AUDITS[name](classification, regression).to_json())))
    path = FOLDER / f"{name}.json"
    if os.environ.get("GLASSBENCH_GOLDEN") == "write":
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    differences = list(unequal(json.loads(path.read_text()), found))
    assert differences == []


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


def unequal(expected, found, where=""):
    """Yield where two JSON values differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in {**expected, **found}:
            yield from unequal(expected.get(key), found.get(key), f"{where}/{key}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for place, pair in enumerate(zip(expected, found, strict=True)):
            yield from unequal(*pair, f"{where}/{place}")
    elif isinstance(expected, float) and isinstance(found, float):
        if found != pytest.approx(expected, rel=1e-4, abs=1e-9):
            yield where, expected, found
    elif (type(expected), expected) != (type(found), found):
        yield where, expected, found
