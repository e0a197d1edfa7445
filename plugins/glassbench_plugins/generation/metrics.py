"""How good generated pictures are: near held-out ones, varied, and of the wanted class."""

from functools import partial

import numpy as np
import pandas as pd

from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.generated import COVERED, DENSITY, MADE, PRECISE, REAL, RECALLED, RECOGNISED
from glassbench.stats.frechet import frechet_distance, frechet_inference
from glassbench.stats.inference import Inference
from glassbench.stats.sampling import Sampling


def generation_metrics() -> tuple[Metric, ...]:
    """Return the metrics of generated pictures, the Fréchet distance first."""
    return (
        Metric(
            name="frechet_distance",
            compute=_distance,
            higher_is_better=False,
            lowest=0.0,
            inference=_distance_inference,
            corrected=True,
        ),
        Metric(name="condition_accuracy", compute=_right, rate=True),
        Metric(name="coverage", compute=partial(_mean, column=COVERED), rate=True, judged=True),
        Metric(name="recall", compute=partial(_mean, column=RECALLED), rate=True),
        Metric(name="density", compute=partial(_mean, column=DENSITY), lowest=0.0),
        Metric(name="precision", compute=partial(_mean, column=PRECISE), rate=True),
        Metric(name="classifier_accuracy", compute=partial(_mean, column=RECOGNISED), rate=True),
    )


def _mean(frame: pd.DataFrame, weights: np.ndarray, *, column: str) -> np.ndarray:
    values = frame[column].to_numpy(dtype=np.float64)
    known = np.isfinite(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(weights[:, known] @ values[known] / weights[:, known].sum(axis=1))


def _right(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    right = (frame["y_true"].astype(str) == frame["y_pred"].astype(str)).to_numpy(dtype=np.float64)
    return np.asarray(weights @ right / weights.sum(axis=1))


def _features(frame: pd.DataFrame, start: str) -> np.ndarray:
    return frame[[name for name in frame.columns if str(name).startswith(start)]].to_numpy(dtype=np.float64)


def _distance(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    return frechet_distance(_features(frame, REAL), _features(frame, MADE), weights)


def _distance_inference(frame: pd.DataFrame, sampling: Sampling) -> Inference:
    return frechet_inference(_features(frame, REAL), _features(frame, MADE), sampling)
