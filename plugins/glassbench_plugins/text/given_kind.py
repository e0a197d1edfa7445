"""Whether a model given to `glassbench.audit` is a classifier of texts of Hugging Face; nothing of that library is imported."""

from itertools import islice
from typing import Any

import pandas as pd
from torch import nn

from glassbench_plugins.pretrained.given_kind import classifies_texts, is_pipeline

TASK = "text-classification"
_LOOKED_AT = 100


def is_text_classifier(model: Any, X: Any) -> bool:
    """Return whether it is a pair with a network that classifies texts, or such a network or a pipeline of one with texts.

    A pipeline whose network is not of torch is none: it is asked for its answers as any function of texts is.

    Args:
        model: The model.
        X: Its rows.
    """
    if isinstance(model, tuple | list):
        return len(model) == 2 and any(map(classifies_texts, model))
    if is_pipeline(model, TASK):
        return isinstance(model.model, nn.Module) and (isinstance(X, pd.DataFrame) or _texts(X))
    return classifies_texts(model) and _texts(X)


def _texts(X: Any) -> bool:
    """Return whether rows are texts: one of the first is, or a frame has a column of them."""
    if isinstance(X, pd.DataFrame):
        return "text" in X.columns
    return hasattr(X, "__len__") and not isinstance(X, str) and any(isinstance(row, str) for row in islice(X, _LOOKED_AT))
