"""One table with everything that boosters treat in ways of their own: missing numbers, categories, unseen ones, weights."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("lightgbm")
pytest.importorskip("xgboost")

CATEGORIES = ["brown", "green", "red", "violet", "white"]


@pytest.fixture(scope="session")
def raw() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.normal(size=(600, 2)).round(3), columns=["height", "width of it"])
    frame["colour"] = rng.choice(CATEGORIES, 600)
    signal = frame["height"] + frame["colour"].isin(["brown", "white"]) - frame["width of it"] ** 2 / 2
    noisy = signal + rng.normal(0, 0.5, 600)
    frame.loc[rng.random(600) < 0.1, "height"] = np.nan
    frame["value"] = noisy
    frame["two"] = np.where(noisy > 0, "yes", "no")
    frame["three"] = pd.cut(noisy, [-99, -0.5, 0.7, 99], labels=["a", "b", "c"]).astype(str)
    frame["weight"] = rng.uniform(0.5, 3, 600).round(2)
    frame["part"] = np.array(["train", "validation", "test"])[rng.choice(3, 600, p=[0.6, 0.2, 0.2])]
    return frame
