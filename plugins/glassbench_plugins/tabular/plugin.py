"""The tabular plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import DatasetSpec, ModelSpec

_HERE = "glassbench_plugins.tabular"
_ENCODER = "glassbench.toolkit.table.encoder:TableEncoder"
_SUPERVISED = ("classification", "regression")
_SKLEARN_TYPES = (
    "sklearn._loss.loss.HalfTweedieLoss",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels.ConstantKernel",
    "sklearn.gaussian_process.kernels.Product",
    "sklearn.gaussian_process.kernels.RBF",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.metrics._dist_metrics.MinkowskiDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
)
"""Types of scikit-learn that hold numbers alone and that skops does not know."""
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
        name="sql",
        summary="The answer to a SELECT over Parquet, CSV and SQLite files, by DuckDB",
        target=f"{_HERE}.sql:sql",
        encoder=_ENCODER,
    )
    yield DatasetSpec(
        name="streamed-table",
        summary="Parquet files that are larger than memory, learnt from row group by row group",
        target=f"{_HERE}.streamed_table:streamed_table",
        encoder=_ENCODER,
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
        name="sklearn",
        summary="Any classifier or regressor of scikit-learn by its class name, with that class's own settings",
        target=f"{_HERE}.sklearn_estimators:sklearn_estimator",
        variants=f"{_HERE}.sklearn_estimators:estimator_named",
        form="estimator",
        tasks=_SUPERVISED,
        trusts=_SKLEARN_TYPES,
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
