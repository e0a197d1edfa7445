"""Models read from files of formats that hold data and no code."""

import importlib.util
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glassbench.errors import ComponentError, DataError, said

TRUSTED = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor", "sklearn.tree._tree.Tree")
"""Compiled scikit-learn types that hold arrays only; skops knows all others it loads."""

REFUSED = {
    ".pkl": "a pickle runs code while it is loaded",
    ".pickle": "a pickle runs code while it is loaded",
    ".joblib": "a joblib file is a pickle, which runs code while it is loaded",
    ".cloudpickle": "a pickle runs code while it is loaded",
    ".pth": "a pickled network runs code while it is loaded",
    ".pt": "a pickled network runs code while it is loaded",
    ".pt2": "loading a torch.export program can run code",
    ".keras": "loading a Keras model can run code",
    ".h5": "loading a Keras model can run code",
}
"""Endings of models' files that may carry code, and why they are not read."""


class BoosterModel:
    """A booster that reads rows by the names of its columns and answers as an estimator does.

    Args:
        ask: From rows to what the booster predicts: probabilities `(n,)` or `(n, classes)`, or values `(n,)`.
        columns: Names of the columns that it reads, in order; empty where it does not know them.
        classes: How many classes it tells apart; None where it predicts values.
    """

    def __init__(self, ask: Callable[[pd.DataFrame], np.ndarray], columns: Sequence[str], classes: int | None) -> None:
        self._ask = ask
        self.feature_names_in_ = list(columns)
        if classes is not None:
            self.classes_ = np.arange(classes)
            self.predict_proba = self._probabilities
        self._estimator_type = "regressor" if classes is None else "classifier"

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        """Return the class of the highest probability, or the value, of each row `(n,)`."""
        if self._estimator_type == "regressor":
            return np.asarray(self._ask(rows))
        return np.asarray(self.classes_[self._probabilities(rows).argmax(axis=1)])

    def _probabilities(self, rows: pd.DataFrame) -> np.ndarray:
        answer = np.asarray(self._ask(rows))
        return answer if answer.ndim == 2 else np.column_stack([1 - answer, answer])


def read_model(path: Path) -> Any:
    """Return the model of a file: an ONNX file's path, an estimator, or a booster.

    Args:
        path: A file with a name that ends in one of `READERS`.

    Raises:
        DataError: The file is damaged, or holds types that may run code.
        ComponentError: What reads it is not installed.
    """
    reader, package, extra = READERS[path.suffix.lower()]
    if importlib.util.find_spec(package) is None:
        wanted = f"a model in a file {path.suffix} needs {package}"
        raise ComponentError(wanted, got=f"no {package}", fix=f"pip install {extra}")
    try:
        return reader(path)
    except DataError:
        raise
    except Exception as error:  # each library raises its own on a damaged file
        raise DataError("the model file cannot be read", got=said(error), where=path.name) from error


def _skops(path: Path) -> Any:
    from skops.io import get_untrusted_types, loads

    content = path.read_bytes()
    strange = sorted(set(get_untrusted_types(data=content)) - set(TRUSTED))
    if strange:
        raise DataError(
            "the model file holds types that are not known to be data only",
            got=", ".join(strange[:10]),
            where=path.name,
            fix="load it yourself, if you trust it, and give the model: glassbench.audit(model, X, y)",
        )
    return loads(content, trusted=list(TRUSTED))


def _lightgbm(path: Path) -> Any:
    import lightgbm

    booster = lightgbm.Booster(model_file=str(path))
    objective = str(booster.dump_model(num_iteration=0).get("objective", "")).split(" ")[0]
    several = booster.num_model_per_iteration()
    classes = 2 if objective in ("binary", "cross_entropy") else several if objective.startswith("multiclass") else None
    return BoosterModel(lambda rows: np.asarray(booster.predict(rows)), booster.feature_name(), classes)


def _xgboost(path: Path) -> Any:
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(str(path))
    learner = json.loads(booster.save_config())["learner"]
    objective = str(learner["objective"]["name"])
    several = int(learner["learner_model_param"]["num_class"])
    classes = 2 if objective == "binary:logistic" else several if objective == "multi:softprob" else None
    return BoosterModel(lambda rows: booster.predict(xgboost.DMatrix(rows)), booster.feature_names or [], classes)


READERS: dict[str, tuple[Callable[[Path], Any], str, str]] = {
    ".onnx": (lambda path: path, "onnxruntime", "'glassbench[onnx]'"),
    ".skops": (_skops, "skops", "skops"),
    ".lgb": (_lightgbm, "lightgbm", "lightgbm"),
    ".xgb": (_xgboost, "xgboost", "xgboost"),
    ".ubj": (_xgboost, "xgboost", "xgboost"),
    ".json": (_xgboost, "xgboost", "xgboost"),
    ".txt": (_lightgbm, "lightgbm", "lightgbm"),
}
"""What reads which file, the package it needs, and how that is installed."""
