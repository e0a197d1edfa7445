"""The metrics of classes, of their scores, of values, and of labels, whoever decided them."""

from glassbench.contracts.metric import Metric
from glassbench_plugins.supervised import inference, label_inference, label_metrics, rates, regression_metrics, scores

RATES = (
    Metric(name="accuracy", compute=rates.accuracy, inference=inference.accuracy, rate=True),
    Metric(
        name="balanced_accuracy", compute=rates.balanced_accuracy, inference=inference.balanced_accuracy, lowest=0.0, highest=1.0
    ),
    Metric(name="macro_f1", compute=rates.macro_f1, inference=inference.macro_f1, lowest=0.0, highest=1.0),
)
SCORES = (
    Metric(
        name="roc_auc", compute=scores.roc_auc, inference=inference.roc_auc, scored=True, judged=True, lowest=0.0, highest=1.0
    ),
    Metric(
        name="log_loss",
        compute=scores.log_loss,
        inference=inference.log_loss,
        higher_is_better=False,
        unit="nats",
        scored=True,
        lowest=0.0,
    ),
    Metric(name="brier", compute=scores.brier, inference=inference.brier, higher_is_better=False, scored=True, lowest=0.0),
)
MEAN_ABSOLUTE_ERROR = Metric(
    name="mean_absolute_error",
    compute=regression_metrics.mean_absolute_error,
    inference=inference.mean_absolute_error,
    higher_is_better=False,
    lowest=0.0,
)
ROOT_MEAN_SQUARED_ERROR = Metric(
    name="root_mean_squared_error",
    compute=regression_metrics.root_mean_squared_error,
    inference=inference.root_mean_squared_error,
    higher_is_better=False,
    lowest=0.0,
)
R2 = Metric(name="r2", compute=regression_metrics.r2, inference=inference.r2, highest=1.0)
LABELS = (
    Metric(name="macro_f1", compute=label_metrics.macro_f1, inference=label_inference.macro_f1, lowest=0.0, highest=1.0),
    Metric(name="micro_f1", compute=label_metrics.micro_f1, inference=label_inference.micro_f1, lowest=0.0, highest=1.0),
    Metric(
        name="hamming_loss",
        compute=label_metrics.hamming_loss,
        inference=label_inference.hamming_loss,
        higher_is_better=False,
        lowest=0.0,
        highest=1.0,
    ),
    Metric(name="exact_match", compute=label_metrics.exact_match, inference=label_inference.exact_match, rate=True),
)
LABEL_SCORES = (
    Metric(
        name="macro_roc_auc",
        compute=label_metrics.macro_roc_auc,
        inference=label_inference.macro_roc_auc,
        scored=True,
        judged=True,
        lowest=0.0,
        highest=1.0,
    ),
    Metric(name="macro_average_precision", compute=label_metrics.macro_average_precision, scored=True, lowest=0.0, highest=1.0),
)
