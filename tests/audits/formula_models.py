"""Models that are a formula, a task that explains their output, and what explanations of them need."""

from collections.abc import Callable

import torch
from sklearn.tree import DecisionTreeRegressor
from torch import Tensor, nn

from glassbench.contracts.estimator import EstimatorModule
from glassbench.contracts.predictions.values import Values
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench_audits.attribution.baseline import Baseline
from glassbench_audits.attribution.explained import Explained, Rows
from glassbench_audits.attribution.explainer import Explainer
from glassbench_audits.attribution.feature_groups import feature_groups_of
from glassbench_audits.attribution.method import Request
from glassbench_audits.attribution.methods import METHODS


class Raw:
    """A task that explains the output as it is."""

    def __init__(self, kind: object = None) -> None:
        self.kind = kind or Values()

    def attribution_output(self, output: Tensor) -> Tensor:
        return output


class Formula(nn.Module):
    """A number by a formula of the rows."""

    def __init__(self, formula: Callable[..., Tensor]) -> None:
        super().__init__()
        self.formula = formula

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.formula(*inputs)


def schema_of(width: int, modality: str = "table", **more: object) -> Schema:
    features = tuple(Feature(name=f"x{i}", columns=(i,)) for i in range(width))
    return Schema(modality=modality, shape=(width,), target=Target(name="y", kind="value"), features=features, **more)


def explainer_of(
    model: nn.Module, method: str = "integrated-gradients", baseline: Tensor | None = None, **more: object
) -> Explainer:
    values = torch.zeros(1, 2) if baseline is None else baseline
    settings = {"steps": 4, "samples": METHODS[method].samples, "seed": 5, **more}
    groups = feature_groups_of(schema_of(values.shape[-1]), values.shape[1:])
    name = str(settings.pop("name", "zero"))
    return Explainer(
        explained=Explained(model, Raw()),
        method=METHODS[method],
        baseline=Baseline(name=name, values=values),
        feature_groups=groups,
        **settings,
    )


def estimator() -> EstimatorModule:
    return EstimatorModule(DecisionTreeRegressor().fit([[0.0, 0.0], [1.0, 1.0]], [0.0, 1.0]))


def request(model: nn.Module, rows: Rows, baselines: Tensor, mask: list[int], kind: object = None, **more: int) -> Request:
    given = {"steps": 8, "samples": 40, **more}
    explained = Explained(model, Raw(kind))
    return Request(explained=explained, rows=rows, baselines=baselines, mask=torch.tensor(mask), **given)
