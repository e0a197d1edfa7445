"""The tables that come with scikit-learn: diabetes patients and breast masses."""

from typing import Literal

import numpy as np
import pandas as pd
from sklearn import datasets as sklearn_datasets

from glassbench.contracts.data import Data
from glassbench.stats.settings_types import ShareBelowOne
from glassbench.toolkit.cells.groups import Band
from glassbench.toolkit.splits.folds import Fold
from glassbench.toolkit.splits.splits import Division, divide
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.table import table_data

_MEASUREMENTS = {
    "bp": "blood pressure",
    "s1": "cholesterol",
    "s2": "ldl",
    "s3": "hdl",
    "s4": "cholesterol ratio",
    "s5": "log triglycerides",
    "s6": "glucose",
}
_AGES = Band(column="age", bins=[40, 55])


def diabetes(
    seed: int,
    *,
    target: Literal["class", "value"] = "class",
    sensitive: tuple[Literal["sex", "age_band"], ...] = ("sex", "age_band"),
    sensitive_as_input: bool = False,
    validation_share: ShareBelowOne = 0.2,
    test_share: ShareBelowOne = 0.2,
    fold: Fold | None = None,
) -> Data:
    """442 diabetes patients, and how far the disease had progressed a year later.

    Ten measurements at the start in their own units, and a score of progression. The source codes sex as 1 and 2 without
    saying which is which, so the groups are "sex 1" and "sex 2". Source: Efron, Hastie, Johnstone and Tibshirani (2004),
    "Least Angle Regression", as scikit-learn carries it; `cholesterol`, `ldl`, `hdl`, `cholesterol ratio` (total over HDL),
    `log triglycerides` (possibly, the source says) and `glucose` are its serum measurements s1 to s6.

    Args:
        seed: Seed of the split.
        target: `class` decides whether the disease progresses "slow" or "fast", that is above the median of the training
            patients; `value` predicts the score.
        sensitive: Features to audit by.
        sensitive_as_input: Whether the model may see the columns they come from, sex and age.
        validation_share: Share of the patients for validation.
        test_share: Share of the patients for testing.
        fold: The fold of cross-validation that is for testing, in place of the test share; a study sets it.
    """
    frame = sklearn_datasets.load_diabetes(as_frame=True, scaled=False).frame
    frame = frame.rename(columns={**_MEASUREMENTS, "target": "progression"})
    frame["sex"] = "sex " + frame["sex"].astype(int).astype(str)
    parts = divide(frame["progression"], Division(seed=seed, validation=validation_share, test=test_share, fold=fold))
    notes = ["sex 1, sex 2: as the source codes them, which does not say which is which"]
    if target == "class":
        median = float(frame["progression"].iloc[parts["train"]].median())
        frame["progression"] = np.where(frame["progression"] > median, "fast", "slow")
        notes.append(f"fast: progression above {median:g}, the median of the training patients")
    columns = Columns(
        target="progression",
        kind=target,
        classes=("slow", "fast") if target == "class" else (),
        sensitive=tuple(_AGES if name == "age_band" else name for name in sensitive),
        sensitive_as_input=sensitive_as_input,
        units={"age": "years", "bmi": "kg/m²", "blood pressure": "mmHg"},
    )
    given = Division(seed=seed, validation=validation_share, test=test_share, given=parts)
    source = "scikit-learn load_diabetes; Efron et al. (2004)"
    return table_data(frame, columns, given, unit="patient", source=source, notes=notes)


def breast_cancer(
    seed: int, *, validation_share: ShareBelowOne = 0.2, test_share: ShareBelowOne = 0.2, fold: Fold | None = None
) -> Data:
    """569 breast masses: malignant or benign.

    Thirty measurements of the cell nuclei in an image of a fine needle aspirate. It names no sensitive feature. Source:
    Street, Wolberg and Mangasarian (1993), "Nuclear feature extraction for breast tumor diagnosis", as scikit-learn carries
    it.

    Args:
        seed: Seed of the split.
        validation_share: Share of the masses for validation.
        test_share: Share of the masses for testing.
        fold: The fold of cross-validation that is for testing, in place of the test share; a study sets it.
    """
    bunch = sklearn_datasets.load_breast_cancer(as_frame=True)
    frame: pd.DataFrame = bunch.frame.drop(columns="target")
    frame["diagnosis"] = np.asarray(bunch.target_names, dtype=object)[bunch.target.to_numpy()]
    columns = Columns(target="diagnosis", kind="class", classes=("benign", "malignant"), positive="malignant")
    division = Division(seed=seed, validation=validation_share, test=test_share, fold=fold)
    source = "scikit-learn load_breast_cancer; Street et al. (1993)"
    return table_data(frame, columns, division, unit="mass", source=source)
