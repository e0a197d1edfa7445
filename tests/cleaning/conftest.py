"""Applicants with labels that were planted wrong and rows that were copied, and the same without."""

import numpy as np
import pandas as pd
import pytest


def applicants_of(rows: int, seed: int = 0) -> pd.DataFrame:
    """Return applicants of two sexes whose outcome hangs on what is known of them; `part` divides them."""
    chance = np.random.default_rng(seed)
    skill, thrift = chance.normal(size=rows), chance.normal(size=rows)
    sex = chance.choice(["f", "m"], rows)
    good = 2.5 * skill + 1.5 * thrift + 0.6 * chance.normal(size=rows) > 0
    return pd.DataFrame(
        {
            "applicant": np.arange(rows),
            "skill": skill,
            "thrift": thrift,
            "noise": chance.normal(size=rows),
            "sex": sex,
            "granted": np.where(good, "yes", "no"),
            "part": np.where(np.arange(rows) < 0.6 * rows, "train", np.where(np.arange(rows) < 0.7 * rows, "val", "test")),
        }
    )


def planted_in(rows: int, seed: int = 0) -> tuple[pd.DataFrame, set[int], set[int]]:
    """Return applicants of whom a fifth of the women and a twentieth of the men to learn from have a wrong label, and 60 test
    rows copy training rows; and which rows these are."""
    frame, chance = applicants_of(rows, seed), np.random.default_rng(seed + 1)
    learnt = (frame.part == "train").to_numpy()
    wrong = np.flatnonzero(learnt & (chance.random(rows) < np.where(frame.sex == "f", 0.2, 0.05)))
    frame.loc[wrong, "granted"] = np.where(frame.loc[wrong, "granted"] == "yes", "no", "yes")
    copies = chance.choice(frame.index[frame.part == "test"].to_numpy(), 60, replace=False)
    columns = ["skill", "thrift", "noise", "sex", "granted"]
    sources = chance.choice(np.setdiff1d(np.flatnonzero(learnt), wrong), 60, replace=False)
    frame.loc[copies, columns] = frame.loc[sources, columns].to_numpy()
    return frame, {int(at) for at in wrong}, {int(at) for at in copies}


@pytest.fixture(scope="session")
def experiment() -> dict:
    return {
        "name": "applicants",
        "dataset": {
            "use": "table",
            "target": "granted",
            "positive": "yes",
            "sensitive": ["sex"],
            "drop": ["applicant"],
            "split": {"by": "column", "column": "part"},
        },
        "task": "classification",
        "model": {"use": "sklearn", "estimator": "DecisionTreeClassifier"},
        "audits": ["performance", "data"],
    }


@pytest.fixture(scope="session")
def applicants():
    return applicants_of


@pytest.fixture(scope="session")
def planted():
    return planted_in
