"""A table whose classes depend on group, and runs over it."""

import numpy as np
import pandas as pd
import pytest


def applicants(rows: int, seed: int = 0) -> pd.DataFrame:
    """Return applicants of two sexes and two regions; women and the south were approved less often, and inputs give sex away."""
    chance = np.random.default_rng(seed)
    sex, region = chance.choice(["f", "m"], rows, p=[0.4, 0.6]), chance.choice(["north", "south"], rows)
    skill = chance.normal(size=rows)
    merit = 1.5 * skill + 1.0 * (sex == "m") + 0.5 * (region == "north") + chance.normal(size=rows)
    return pd.DataFrame(
        {
            "skill": skill + 0.3 * chance.normal(size=rows),
            "proxy": (sex == "m") + 0.6 * chance.normal(size=rows),
            "sex": sex,
            "region": region,
            "approved": np.where(merit > 0.8, "yes", "no"),
        }
    )


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    return applicants(2400)


@pytest.fixture(scope="session")
def experiment() -> dict:
    return {
        "name": "applicants",
        "dataset": {"use": "table", "target": "approved", "positive": "yes", "sensitive": ["sex", "region"]},
        "task": "classification",
        "model": "logistic-regression",
        "audits": {"performance": {}, "fairness": {"replicates": 50}},
    }
