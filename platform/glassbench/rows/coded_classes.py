"""Truths and decisions of classes as categories, coded once, where an audit asks for them many times."""

from dataclasses import replace

import numpy as np
import pandas as pd

from glassbench.contracts.subject import Subject

_MOST = 1000
"""Columns of more different texts stay as they are."""


def with_coded_classes(subject: Subject) -> Subject:
    """Return a subject whose truths and decisions are categories, of the same names in the same order in either column.

    They compare, select and factorize as their texts do, without reading the text of each row again. The same subject where
    decisions are no classes, or columns hold no texts.
    """
    frame = subject.predictions.frame
    if not any(output.selects for output in subject.class_outputs):
        return subject
    texts = [name for name in ("y_true", "y_pred") if name in frame and frame[name].dtype == "str"]
    found = {name: pd.factorize(frame[name]) for name in texts}
    names = sorted({*subject.schema.target.classes, *(str(text) for _, distinct in found.values() for text in distinct)})
    if not found or len(names) > _MOST or len(texts) < len({"y_true", "y_pred"} & set(frame.columns)):
        return subject
    places = {name: np.append(pd.Index(names).get_indexer(pd.Index(distinct)), -1) for name, (_, distinct) in found.items()}
    coded = {
        name: pd.Categorical.from_codes(places[name][codes], categories=pd.Index(names)) for name, (codes, _) in found.items()
    }
    return replace(subject, predictions=replace(subject.predictions, frame=frame.assign(**coded)))
