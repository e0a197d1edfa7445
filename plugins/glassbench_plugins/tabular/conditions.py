"""Made patients with several conditions each."""

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data
from glassbench.errors import SettingsError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench.toolkit.splits.folds import Fold
from glassbench.toolkit.splits.splits import Division
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.label_columns import LabelColumns
from glassbench.toolkit.table.table import table_data

CONDITIONS = ("diabetes", "hypertension", "heart disease", "depression")


def conditions(
    seed: int,
    *,
    rows: Count = 2400,
    hidden_share: ShareBelowOne = 0.6,
    unknown_share: ShareBelowOne = 0.0,
    validation_share: ShareBelowOne = 0.2,
    test_share: ShareBelowOne = 0.4,
    fold: Fold | None = None,
) -> Data:
    """Made patients with any number of four conditions: multi-label rows without a file.

    Glucose and weight bring diabetes, age and salt hypertension, smoking and age heart disease, and little sleep depression. A
    share of the women with heart disease shows none of its signs here, so that a model must miss them more often: an audit
    should find that, and nothing of the kind for the other conditions or between regions.

    Args:
        seed: Seed of the patients and the split.
        rows: How many patients.
        hidden_share: Share of the women whose heart disease has nothing to do with what is measured; 0 plants no gap.
        unknown_share: Share of the patients' conditions of which it is not known whether they have them.
        validation_share: Share of the patients for validation.
        test_share: Share of the patients for testing.
        fold: The fold of cross-validation that is for testing, in place of the test share; a study sets it.
    """
    if rows < 200:
        raise SettingsError("at least 200 patients are needed", got=str(rows), where="dataset.rows")
    chance = np.random.default_rng([seed, 0xC0D])
    frame = pd.DataFrame(
        {
            "age": chance.integers(20, 90, rows),
            "sex": chance.choice(["man", "woman"], rows),
            "weight": chance.normal(78, 14, rows).round(1),
            "glucose": chance.normal(5.6, 1.2, rows).round(2),
            "salt": chance.gamma(4, 2.2, rows).round(1),
            "region": chance.choice(["north", "south"], rows),
            "smoker": chance.choice(["no", "yes"], rows, p=[0.75, 0.25]),
            "sleep": chance.normal(7, 1.2, rows).round(1),
            "height": chance.normal(171, 9, rows).round(0),
        }
    )
    age, smoker = (frame["age"] - 55) / 18, (frame["smoker"] == "yes") * 1.0
    odds = {
        "diabetes": -1.2 + 3.2 * (frame["glucose"] - 5.6) / 1.2 + 1.4 * (frame["weight"] - 78) / 14,
        "hypertension": -0.3 + 2.8 * age + 1.6 * (frame["salt"] - 8.8) / 4.4,
        "heart disease": -2.0 + 4.0 * smoker + 2.0 * age,
        "depression": -1.0 - 2.8 * (frame["sleep"] - 7) / 1.2,
    }
    unlike = (frame["sex"] == "woman") & (chance.random(rows) < hidden_share)
    odds["heart disease"] = odds["heart disease"].where(~unlike, chance.permutation(odds["heart disease"]))
    for name in CONDITIONS:
        frame[name] = np.where(chance.random(rows) < 1 / (1 + np.exp(-odds[name])), "yes", "no")
    columns = Columns(
        label_columns=LabelColumns(columns=CONDITIONS, name="conditions"),
        sensitive=("sex", "region"),
        units={"age": "years", "weight": "kg", "glucose": "mmol/L", "salt": "g/day", "sleep": "h", "height": "cm"},
    )
    if unknown_share:
        frame[list(CONDITIONS)] = frame[list(CONDITIONS)].mask(chance.random((rows, len(CONDITIONS))) < unknown_share)
    division = Division(seed=seed, validation=validation_share, test=test_share, fold=fold)
    return table_data(frame, columns, division, unit="patient", source="made")
