"""A small table with every kind of trouble that is allowed."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def people() -> pd.DataFrame:
    """200 loan applicants: numbers and categories with missing values, two sensitive columns."""
    generator = np.random.default_rng(0)
    income = generator.normal(3000, 800, 200).round(2)
    frame = pd.DataFrame(
        {
            "income": income,
            "debts": generator.integers(0, 5, 200).astype(float),
            "job": generator.choice(["clerk", "cook", "nurse"], 200),
            "sex": generator.choice(["female", "male"], 200),
            "age": generator.integers(18, 80, 200),
            "repaid": np.where(income + generator.normal(0, 500, 200) > 2800, "yes", "no"),
        }
    )
    frame.loc[::17, "income"] = np.nan
    frame.loc[::23, "job"] = "?"
    frame.loc[::31, "sex"] = None
    return frame
