"""The built-in tables."""

import numpy as np
import torch
from sklearn.datasets import load_diabetes

from glassbench_plugins.tabular.datasets import breast_cancer, diabetes


def test_diabetes_is_cut_at_the_training_median():
    data = diabetes(7)
    scores = load_diabetes(as_frame=True, scaled=False).frame["target"]
    median = scores.iloc[data.train.rows].median()
    for split in (data.train, data.validation, data.test):
        assert torch.equal(split.target.bool(), torch.tensor((scores.iloc[split.rows] > median).to_numpy()))
    assert (data.schema.target.classes, data.schema.target.positive) == (("slow", "fast"), "fast")
    assert data.schema.unit == "patient"


def test_diabetes_groups_come_from_the_patients():
    data = diabetes(7)
    raw = load_diabetes(as_frame=True, scaled=False).frame.iloc[data.test.rows]
    assert data.test.groups["sex"].tolist() == [f"sex {code:g}" for code in raw["sex"]]
    young = (raw["age"] < 40).to_numpy()
    assert (data.test.groups["age_band"] == "under 40").tolist() == young.tolist()
    assert {"sex", "age"}.isdisjoint(feature.name for feature in data.schema.features)


def test_diabetes_can_be_predicted_as_a_value():
    data = diabetes(7, target="value", sensitive=("sex",))
    scores = load_diabetes(as_frame=True, scaled=False).frame["target"]
    np.testing.assert_array_equal(data.test.target, scores.iloc[data.test.rows])
    assert data.schema.target.kind == "value"
    assert data.schema.sensitive == ("sex",)
    assert "age" in [feature.name for feature in data.schema.features]


def test_breast_cancer_looks_for_malignant_masses():
    data = breast_cancer(0)
    assert data.schema.target.positive == "malignant"
    assert data.schema.shape == (30,)
    assert sum(int(split.target.sum()) for split in (data.train, data.validation, data.test)) == 212
