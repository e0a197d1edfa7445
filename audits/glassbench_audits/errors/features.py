"""What the rows can be told apart by, in words a person knows."""

import numpy as np
import pandas as pd

from glassbench.data import Split, TextReader
from glassbench.subject import Subject


def features_of(subject: Subject) -> pd.DataFrame:
    """Return the features by which slices are searched `(n, features)`: numbers as floats, categories as text or absent.

    The inputs as a person knows them, the sensitive features, and of texts the number of words. Where the raw rows are not
    known, inputs of one number each stand for themselves, on the scale the model sees.
    """
    source, frame = subject.predictions.source, subject.predictions.frame
    columns: dict[str, pd.Series] = {}
    if source is not None:
        columns |= _raw(subject, source) if source.raw is not None else _encoded(subject, source)
        columns |= _words(subject, source)
    groups = subject.predictions.groups
    columns |= {str(name): groups[name].astype(str).reset_index(drop=True) for name in groups.columns if name not in columns}
    return pd.DataFrame({name: readable(column) for name, column in columns.items()}, index=pd.RangeIndex(len(frame)))


def readable(column: pd.Series) -> pd.Series:
    """Return a column as floats where every value that is there is a number, else as text; absent values stay absent."""
    plain = column.reset_index(drop=True)
    if pd.api.types.is_bool_dtype(plain):
        return plain.astype(str).astype(object)
    if pd.api.types.is_numeric_dtype(plain):
        return plain.astype(float).replace([np.inf, -np.inf], np.nan)
    return plain.astype(object).where(plain.notna(), None).map(lambda value: None if value is None else str(value))


def _raw(subject: Subject, source: Split) -> dict[str, pd.Series]:
    assert source.raw is not None
    return {f.name: source.raw[f.name] for f in subject.schema.features if f.name in source.raw}


def _encoded(subject: Subject, source: Split) -> dict[str, pd.Series]:
    if not isinstance(source.inputs, tuple) or not source.inputs or source.inputs[0].ndim != 2:
        return {}
    values = source.inputs[0].detach().cpu().double().numpy()
    return {f.name: pd.Series(values[:, f.slots[0]]) for f in subject.schema.features if len(f.slots) == 1}


def _words(subject: Subject, source: Split) -> dict[str, pd.Series]:
    if not isinstance(subject.encoder, TextReader) or source.raw is None or subject.encoder.text not in source.raw:
        return {}
    name = subject.encoder.text
    return {f"words in {name}": source.raw[name].astype(str).str.split().str.len()}
