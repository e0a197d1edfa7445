"""The tabular plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec

_HERE = "glassbench_plugins.tabular"
_ENCODER = "glassbench.toolkit.table.encoder:TableEncoder"
_SUPERVISED = ("classification", "regression")
_ANY_OUTPUTS = (*_SUPERVISED, "multilabel", "quantile-regression")


@hookimpl
def glassbench_datasets() -> Iterable[DatasetSpec]:
    """Yield the built-in tables and the way to any other."""
    yield DatasetSpec(
        name="diabetes",
        summary="442 diabetes patients: does the disease progress fast, or by how much (scikit-learn)",
        target=f"{_HERE}.datasets:diabetes",
        encoder=_ENCODER,
        targets=("class", "value"),
        target_setting="target",
    )
    yield DatasetSpec(
        name="breast-cancer",
        summary="569 breast masses measured on images of their cells: malignant or benign (scikit-learn)",
        target=f"{_HERE}.datasets:breast_cancer",
        encoder=_ENCODER,
        targets=("class",),
    )
    yield DatasetSpec(
        name="conditions",
        summary="Made patients with any number of four conditions: several labels per row",
        target=f"{_HERE}.conditions:conditions",
        encoder=_ENCODER,
        targets=("labels",),
    )
    yield DatasetSpec(
        name="table",
        summary="Any CSV, Parquet or Excel file, compressed too",
        target=f"{_HERE}.files:table",
        encoder=_ENCODER,
        reader=f"{_HERE}.files:read_rows",
        inspector=f"{_HERE}.inspecting:inspect_table",
        table_setting="path",
    )
    yield DatasetSpec(
        name="openml",
        summary="Any table of openml.org, by name or number, kept in a local cache",
        target=f"{_HERE}.files:openml",
        encoder=_ENCODER,
    )


@hookimpl
def glassbench_models() -> Iterable[ModelSpec]:
    """Yield networks and estimators for encoded tables."""
    yield ModelSpec(
        name="linear",
        summary="Logistic or linear regression, as a network",
        target=f"{_HERE}.linear:Linear",
        tasks=_ANY_OUTPUTS,
    )
    yield ModelSpec(
        name="mlp",
        summary="Fully connected layers: depth, width, activation, dropout, batch norm",
        target=f"{_HERE}.mlp:Mlp",
        tasks=_ANY_OUTPUTS,
    )
    yield ModelSpec(
        name="ft-transformer",
        summary="One token per column through a transformer (Gorishniy et al. 2021)",
        target=f"{_HERE}.ft_transformer:FtTransformer",
        tasks=_ANY_OUTPUTS,
    )
    yield ModelSpec(
        name="hist-gradient-boosting",
        summary="Gradient boosting over binned columns (scikit-learn)",
        target=f"{_HERE}.estimators:hist_gradient_boosting",
        form="estimator",
        tasks=(*_SUPERVISED, "quantile-regression"),
        trusts=(f"{_HERE}.quantile_boosting.QuantileBoosting",),
    )
    yield ModelSpec(
        name="random-forest",
        summary="Averaged decision trees (scikit-learn)",
        target=f"{_HERE}.estimators:random_forest",
        form="estimator",
        tasks=_SUPERVISED,
    )
    yield ModelSpec(
        name="logistic-regression",
        summary="Logistic regression by a full solver (scikit-learn)",
        target=f"{_HERE}.estimators:logistic_regression",
        form="estimator",
        tasks=("classification",),
    )
