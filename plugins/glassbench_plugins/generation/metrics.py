"""How good generated pictures are: near held-out ones, varied, and of the wanted class."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.generated import COVERED, DENSITY, MADE, PRECISE, REAL, RECALLED, RECOGNISED
from glassbench.stats.frechet import frechet_distance, frechet_inference
from glassbench.stats.inference import Inference
from glassbench.stats.sampling import Sampling


def generation_metrics(classes: Sequence[str]) -> tuple[Metric, ...]:
    """Return the metrics of generated pictures, the Fréchet distance first; shares by class come last.

    Args:
        classes: The classes that pictures are generated of.
    """
    by_class = [
        metric
        for name in classes
        for metric in (
            Metric(name=f"condition_accuracy_{name}", compute=partial(_right, of=name), rate=True),
            Metric(name=f"coverage_{name}", compute=partial(_mean, column=COVERED, of=name), rate=True),
        )
    ]
    return (
        Metric(name="frechet_distance", compute=_distance, higher_is_better=False, lowest=0.0, inference=_distance_inference),
        Metric(name="condition_accuracy", compute=_right, rate=True),
        Metric(name="coverage", compute=partial(_mean, column=COVERED), rate=True, judged=True),
        Metric(name="recall", compute=partial(_mean, column=RECALLED), rate=True),
        Metric(name="density", compute=partial(_mean, column=DENSITY), lowest=0.0),
        Metric(name="precision", compute=partial(_mean, column=PRECISE), rate=True),
        Metric(name="classifier_accuracy", compute=partial(_mean, column=RECOGNISED), rate=True),
        *by_class,
    )


def _mean(frame: pd.DataFrame, weights: np.ndarray, *, column: str, of: str | None = None) -> np.ndarray:
    values = frame[column].to_numpy(dtype=np.float64)
    known = np.isfinite(values) if of is None else np.isfinite(values) & (frame["y_true"].astype(str) == of).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(weights[:, known] @ values[known] / weights[:, known].sum(axis=1))


def _right(frame: pd.DataFrame, weights: np.ndarray, *, of: str | None = None) -> np.ndarray:
    right = (frame["y_true"].astype(str) == frame["y_pred"].astype(str)).to_numpy(dtype=np.float64)
    return _mean(frame.assign(right=right), weights, column="right", of=of)


def _features(frame: pd.DataFrame, start: str) -> np.ndarray:
    return frame[[name for name in frame.columns if str(name).startswith(start)]].to_numpy(dtype=np.float64)


def _distance(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    return frechet_distance(_features(frame, REAL), _features(frame, MADE), weights)


def _distance_inference(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    return frechet_inference(_features(frame, REAL), _features(frame, MADE), sampling)
