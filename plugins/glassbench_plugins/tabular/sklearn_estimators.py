"""Any classifier or regressor of scikit-learn by its class name, with the settings that scikit-learn itself documents."""

import warnings
from collections.abc import Callable, Mapping
from functools import cache
from inspect import signature
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier, is_regressor
from sklearn.utils import all_estimators

from glassbench.contracts.schema import Schema
from glassbench.errors import FOREIGN, FitError, SettingsError, said, suggest
from glassbench_plugins.training.class_settings import with_settings_of

_KINDS = {"class": ("classifier", is_classifier), "value": ("regressor", is_regressor)}

_TRIED = {"n_estimators": 3, "max_iter": 5}
"""Settings that make fitting long; a trial takes less of them."""


def sklearn_estimator(schema: Schema, *, estimator: str) -> BaseEstimator:
    """Any classifier or regressor of scikit-learn, by its class name.

    Further settings are those of the class: `{use: sklearn, estimator: ExtraTreesClassifier, n_estimators: 300}`. They are
    checked by scikit-learn's own constraints before anything is trained. The trainer seeds what is random, so `random_state` need
    not be set. Settings that take functions, objects or folders are not offered.

    Args:
        schema: Tells whether classes or a value are predicted.
        estimator: Name of the class (`ExtraTreesClassifier`).
    """
    return estimator_named({"estimator": estimator})(schema, estimator=estimator)


def estimator_named(given: Mapping[str, Any]) -> Callable[..., BaseEstimator]:
    """Return what makes the estimator that settings name, with that estimator's own settings in its signature.

    Raises:
        SettingsError: No estimator of scikit-learn that can be trained so has the name.
    """
    known, name = _offered(), given.get("estimator")
    if not isinstance(name, str) or name not in known:
        raise SettingsError(
            "no classifier or regressor of scikit-learn that can be trained here has this name",
            where="model.estimator",
            got=repr(name) if name is not None else "nothing",
            available=sorted(known),
            fix=_why_not(str(name)) or suggest(str(name), sorted(known)),
        )
    return _maker(name)


@cache
def _offered() -> dict[str, type[BaseEstimator]]:
    """Return the estimators that need no other object, predict one target, and, of classes, say how probable each is."""
    kinds = ("classifier", "regressor")
    return {name: cls for kind in kinds for name, cls in all_estimators(type_filter=kind) if _fits(cls, kind)}


def _fits(cls: type[BaseEstimator], kind: str) -> bool:
    required = [p for p in signature(cls).parameters.values() if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    if required or (kind == "classifier" and not hasattr(cls, "predict_proba")):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            return bool(cls().__sklearn_tags__().target_tags.single_output)
    except (AttributeError, FutureWarning):  # it asks another estimator, which it does not have; or it is about to be removed
        return False


def _why_not(name: str) -> str | None:
    found = dict(all_estimators(type_filter="classifier"))
    if name in found and not hasattr(found[name], "predict_proba"):
        return "it says no probabilities; LogisticRegression, or SVC with probability: true, do"
    return "it takes other estimators, or several targets" if name in dict(all_estimators()) else None


@cache
def _maker(name: str) -> Callable[..., BaseEstimator]:
    cls = _offered()[name]

    def make(schema: Schema, **settings: Any) -> BaseEstimator:
        return _made(cls, schema, {name: value for name, value in settings.items() if name != "estimator"})

    return with_settings_of(cls, make, "schema: Tells what is predicted.")


def _made(cls: type[BaseEstimator], schema: Schema, settings: dict[str, Any]) -> BaseEstimator:
    """Return an estimator that was tried on rows made up for it.

    Raises:
        FitError: It predicts something else than the target is, its settings do not go together, or it says no probabilities.
    """
    kind = schema.target.kind
    word, is_kind = _KINDS.get(kind, ("", None))
    if is_kind is None or schema.target.levels:
        fix = "use a network, such as 'mlp'"
        raise FitError(
            "estimators of scikit-learn predict one class or one value per row", got=f"a target of kind {kind}", fix=fix
        )
    if not is_kind(cls()):
        names = sorted(name for name, one in _offered().items() if is_kind(one()))
        twin = suggest(cls.__name__.replace("Classifier", "Regressor") if kind == "value" else cls.__name__, names)
        raise FitError(f"{cls.__name__} is no {word}, and the target is a {kind}", available=names, fix=twin)
    made = cls(**settings)
    _try(made, max(2, len(schema.target.classes)) if kind == "class" else None)
    return made


def _try(estimator: BaseEstimator, classes: int | None) -> None:
    """Fit a copy to 60 rows of noise, so that settings that cannot work together cost no training."""
    random = np.random.default_rng(0)
    rows = random.uniform(size=(60, 3)).astype(np.float32)
    target = random.uniform(0.5, 1.5, 60).astype(np.float32) if classes is None else np.arange(60) % classes
    name, copy, state = type(estimator).__name__, clone(estimator), np.random.get_state()
    copy.set_params(**{key: few for key, few in _TRIED.items() if isinstance(copy.get_params().get(key), int)})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            copy.fit(rows, target)
            shape = np.shape(copy.predict(rows))
    except FOREIGN as error:
        raise FitError(f"{name} cannot be fitted with these settings", got=said(error), where="model") from error
    finally:
        np.random.set_state(state)
    if shape != (60,):
        raise FitError(f"{name} predicts several numbers per row", got=f"shape {shape}")
    if classes is not None and not hasattr(copy, "predict_proba"):
        fix = "set model.loss to log_loss (SGDClassifier), model.probability to true (SVC), or choose another estimator"
        raise FitError(f"{name} says no probabilities with these settings", where="model", fix=fix)
