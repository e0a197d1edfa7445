"""Rows in the words of those who know them: numbers as numbers, categories as text."""

import numpy as np
import pandas as pd
import torch

from glassbench.contracts.data import Split
from glassbench.contracts.schema import Feature, Schema, Target


def readable_rows(split: Split, schema: Schema, part: np.ndarray | None = None) -> pd.DataFrame:
    """Return the named features of a split `(n, features)`: numbers as floats, categories as text, absent values absent.

    Where the raw rows are not known, inputs of one number each stand for themselves, on the scale the model sees; what the
    schema does not name (pixels, tokens, the truth) is left out.

    Args:
        split: The rows.
        schema: What they are.
        part: Positions of the rows that are wanted, integers `(k,)`; None for all.
    """
    raw, names = split.raw, [feature.name for feature in schema.features]
    chosen = slice(None) if part is None else part
    if raw is not None:
        columns = {name: raw[name].iloc[chosen] for name in names if name in raw}
    elif isinstance(split.inputs, tuple) and len(split.inputs) == 1 and split.inputs[0].ndim == 2:
        values = split.inputs[0].detach()[chosen if isinstance(chosen, slice) else torch.as_tensor(chosen)].cpu().double().numpy()
        columns = {f.name: pd.Series(values[:, f.columns[0]]) for f in schema.features if len(f.columns) == 1}
    else:
        columns = {}
    rows = pd.RangeIndex(len(split) if part is None else len(part))
    return pd.DataFrame({name: readable(column) for name, column in columns.items()}, index=rows)


def readable(column: pd.Series) -> pd.Series:
    """Return a column as floats where it holds numbers, else as text; absent values, and infinite numbers, are absent.

    Example:
        >>> readable(pd.Series([True, None, "x"])).tolist()
        ['True', None, 'x']
    """
    plain = column.reset_index(drop=True)
    if pd.api.types.is_numeric_dtype(plain) and not pd.api.types.is_bool_dtype(plain):
        return plain.astype(float).replace([np.inf, -np.inf], np.nan)
    text = [None if absent else str(value) for value, absent in zip(plain, plain.isna(), strict=True)]
    return pd.Series(text, dtype=object)


def in_its_unit(value: float, feature: Feature | Target) -> str:
    """Return a value of a feature or of the target as a person writes it, with its decimals and unit.

    Example:
        >>> in_its_unit(41250.5, Feature(name="income", unit="EUR", decimals=0)), in_its_unit(63.0, Feature(name="age"))
        ('41,250 EUR', '63')
    """
    text = with_decimals(value, feature.decimals)
    return f"{text} {feature.unit}" if feature.unit else text


def with_decimals(value: float, decimals: int | None) -> str:
    """Return a number with so many digits after the point and commas between thousands, or plainly where none are given.

    Example:
        >>> with_decimals(41250.5, 0), with_decimals(41250.5, None)
        ('41,250', '41250')
    """
    return plain_number(value) if decimals is None else f"{value:,.{decimals}f}"


def plain_number(value: float) -> str:
    """Return a number as a person writes it: whole numbers whole, others to four significant digits.

    Example:
        >>> plain_number(63.0), plain_number(0.123456), plain_number(48842.5)
        ('63', '0.1235', '48840')
    """
    if value == round(value) and abs(value) < 1e15:
        return str(round(value))
    text = f"{value:.4g}"
    return f"{float(text):.0f}" if "e+" in text else text
