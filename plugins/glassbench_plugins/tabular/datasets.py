"""The tables that come with Glassbench, and the way to any other."""

from typing import Literal

import numpy as np
from sklearn import datasets as sklearn_datasets

from glassbench.data import Data
from glassbench_plugins.tabular.groups import Band
from glassbench_plugins.tabular.splits import stratified, value_strata
from glassbench_plugins.tabular.table import Columns, table_data

_SERUM = {"s1": "tc", "s2": "ldl", "s3": "hdl", "s4": "tch", "s5": "ltg", "s6": "glu"}


def diabetes(
    seed: int,
    *,
    target: Literal["class", "value"] = "class",
    sensitive: tuple[Literal["sex", "age_band"], ...] = ("sex", "age_band"),
    sensitive_as_input: bool = False,
    validation_share: float = 0.2,
    test_share: float = 0.2,
) -> Data:
    """442 diabetes patients, and how far the disease had progressed a year later.

    Ten measurements at the start in their own units, and a score of progression. The source codes sex as 1 and 2 without saying which is
    which, so the groups are "sex 1" and "sex 2". Source: Efron, Hastie, Johnstone and Tibshirani (2004), "Least Angle Regression", as
    scikit-learn carries it.

    Args:
        seed: Seed of the split.
        target: `class` decides whether the disease progresses "slow" or "fast", that is above the median of the training
            patients; `value` predicts the score.
        sensitive: Features to audit by.
        sensitive_as_input: Whether the model may see sex and age.
        validation_share: Share of the patients for validation.
        test_share: Share of the patients for testing.
    """
    frame = sklearn_datasets.load_diabetes(as_frame=True, scaled=False).frame
    frame = frame.rename(columns={**_SERUM, "target": "progression"})
    frame["sex"] = "sex " + frame["sex"].astype(int).astype(str)
    shares = {"train": 1 - validation_share - test_share, "validation": validation_share, "test": test_share}
    parts = stratified(value_strata(frame["progression"].to_numpy()), shares, seed)
    notes = []
    if target == "class":
        median = float(frame["progression"].iloc[parts["train"]].median())
        frame["progression"] = np.where(frame["progression"] > median, "fast", "slow")
        notes = [f"fast: progression above {median:g}, the median of the training patients"]
    bands: dict[str, str | Band] = {"age_band": Band(column="age", bins=[40, 55])}
    columns = Columns(
        target="progression",
        kind=target,
        classes=("slow", "fast") if target == "class" else (),
        sensitive=tuple(bands.get(name, name) for name in sensitive),
        sensitive_as_input=sensitive_as_input,
        units={"age": "years", "bmi": "kg/m²", "bp": "mmHg"},
    )
    source = "scikit-learn load_diabetes; Efron et al. (2004)"
    return table_data(frame, columns, seed=seed, parts=parts, unit="patient", source=source, notes=notes)
