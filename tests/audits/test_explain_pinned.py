"""What is measured of explanations of a small network whose weights are written down."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from glassbench.contracts.data import Split
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench_audits.explain.audit import explain
from glassbench_plugins.supervised.classification import Classification


def network() -> nn.Module:
    """Two numbers and a category of three values, the numbers in a bend and a product-like pair of hidden units."""
    model = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[2.0, 0, 0.5, 0, -0.5], [0, 1.5, 0, 0.5, 0], [1, 1, 0, 0, 1], [1, -1, 0.3, 0, 0]]))
        model[0].bias.copy_(torch.tensor([0.1, -0.2, 0.0, 0.3]))
        model[2].weight.copy_(torch.tensor([[-1.0, 0.5, -0.7, 0.2], [1.0, -0.5, 0.7, -0.6]]))
        model[2].bias.copy_(torch.tensor([0.0, 0.2]))
    return model.eval()


def subject() -> Subject:
    features = (
        Feature(name="a", columns=(0,)),
        Feature(name="b", columns=(1,)),
        Feature(name="c", kind="category", columns=(2, 3, 4), categories=("p", "q", "r")),
    )
    target = Target(name="y", kind="class", classes=("no", "yes"), positive="yes")
    schema = Schema(modality="table", shape=(5,), target=target, features=features, sensitive=("sex",))
    chance = np.random.default_rng(3)

    def split(n: int, first: int) -> Split:
        hot = np.eye(3)[chance.choice(3, n, p=[0.5, 0.3, 0.2])]
        inputs = torch.as_tensor(np.concatenate([chance.normal(size=(n, 2)), hot], axis=1), dtype=torch.float32)
        groups = pd.DataFrame({"sex": chance.choice(["f", "m"], n)})
        return Split(
            inputs=(inputs,), rows=np.arange(first, first + n), target=torch.as_tensor(chance.integers(0, 2, n)), groups=groups
        )

    train, test = split(80, 0), split(60, 80)
    task, model = Classification(), network()
    task.check(schema)
    predictions: Predictions = task.predict(model, test)
    return Subject(schema=schema, predictions=predictions, task=task, model=model, train=train)


@pytest.mark.parametrize("method", ["integrated-gradients", "feature-ablation", "kernel-shap", "gradient-shap", "deep-lift"])
def test_measures_of_explanations_are_what_they_were(method, pinned):
    found = explain(subject(), method=method, rows=40, replicates=50)
    told: dict[str, list] = {}
    for m in found.measures:
        where = ", ".join(f"{k} {v}" for k, v in (m.group or {}).items())
        told.setdefault(f"{m.name} {where}", []).append([m.value, m.low, m.high, m.n])
    grades = [[one.grade, list(one.measures), one.weight] for one in found.findings]
    pinned(f"explain-{method}", {**told, "findings": grades})
