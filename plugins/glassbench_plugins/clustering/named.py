"""Any clustering of scikit-learn by its class name, with the settings that scikit-learn itself documents."""

from collections.abc import Callable, Mapping
from functools import cache
from inspect import signature
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import all_estimators

from glassbench.contracts.schema import Schema
from glassbench.errors import FOREIGN, FitError, SettingsError, said, suggest
from glassbench_plugins.clustering.nearest import Nearest
from glassbench_plugins.training.class_settings import with_settings_of


class NamedClusters(Nearest):
    """A clustering of scikit-learn; a new row takes the label of the nearest training row.

    Args:
        estimator: The clustering, unfitted.
    """

    def __init__(self, estimator: BaseEstimator) -> None:
        super().__init__()
        self.estimator = estimator

    def label(self, vectors: np.ndarray) -> np.ndarray:
        """Return scikit-learn's labels.

        Raises:
            FitError: It cannot be fitted to these rows, or calls all of them noise.
        """
        name = type(self.estimator).__name__
        try:
            labels = np.asarray(clone(self.estimator).fit_predict(vectors), dtype=np.int64)
        except FOREIGN as error:
            raise FitError(f"{name} cannot be fitted with these settings", got=said(error), where="model") from error
        if labels.max() < 0:
            fix = "change the settings that say how near rows of a cluster are"
            raise FitError(f"{name} found no cluster: it calls every row noise", got=f"{len(labels)} rows", fix=fix)
        return labels


def sklearn_clusterer(schema: Schema, *, estimator: str) -> NamedClusters:
    """Any clustering of scikit-learn, by its class name.

    Further settings are those of the class: `{use: sklearn-clusterer, estimator: DBSCAN, eps: 1.5}`. They are checked by
    scikit-learn's own constraints before anything is trained. A new row takes the label of the nearest training row, noise too.
    The trainer seeds what is random, so `random_state` need not be set.

    Args:
        schema: What the rows are.
        estimator: Name of the class (`AgglomerativeClustering`).
    """
    model: NamedClusters = clusterer_named({"estimator": estimator})(schema, estimator=estimator)
    return model


def clusterer_named(given: Mapping[str, Any]) -> Callable[..., NamedClusters]:
    """Return what makes the clustering that settings name, with its own settings in the signature.

    Raises:
        SettingsError: No clustering of scikit-learn has the name.
    """
    known, name = _offered(), given.get("estimator")
    if not isinstance(name, str) or name not in known:
        raise SettingsError(
            "no clustering of scikit-learn has this name",
            where="model.estimator",
            got=repr(name) if name is not None else "nothing",
            available=sorted(known),
            fix=suggest(str(name), sorted(known)),
        )
    return _maker(name)


@cache
def _offered() -> dict[str, type[BaseEstimator]]:
    """Return the clusterings that label rows and need no other object."""
    found = dict(all_estimators(type_filter="cluster"))
    return {name: cls for name, cls in found.items() if not _required(cls) and hasattr(cls(), "fit_predict")}


def _required(cls: type[BaseEstimator]) -> bool:
    return any(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in signature(cls).parameters.values())


@cache
def _maker(name: str) -> Callable[..., NamedClusters]:
    cls = _offered()[name]

    def make(schema: Schema, **settings: Any) -> NamedClusters:
        return NamedClusters(cls(**{name: value for name, value in settings.items() if name != "estimator"}))

    return with_settings_of(cls, make, "schema: What the rows are.")
