"""The supervised plugin's hooks."""

from collections.abc import Iterable

from glassbench.contracts.hookspecs import hookimpl
from glassbench.contracts.specs import TaskSpec


@hookimpl
def glassbench_tasks() -> Iterable[TaskSpec]:
    """Yield classification, multi-label classification, regression and quantile regression."""
    yield TaskSpec(
        name="classification",
        summary="Decide one of two or more classes",
        target="glassbench_plugins.supervised.classification:Classification",
        predicts="class",
    )
    yield TaskSpec(
        name="multilabel",
        summary="Give each row any number of labels, or none",
        target="glassbench_plugins.supervised.multilabel:MultilabelClassification",
        predicts="labels",
    )
    yield TaskSpec(
        name="regression",
        summary="Predict a number, learnt on a standardised scale",
        target="glassbench_plugins.supervised.regression:Regression",
        predicts="value",
    )
    yield TaskSpec(
        name="quantile-regression",
        summary="Predict the median of a number and an interval that holds it with a stated chance, conformalised",
        target="glassbench_plugins.supervised.quantile_regression:QuantileRegression",
        predicts="value",
        usual=False,
    )
