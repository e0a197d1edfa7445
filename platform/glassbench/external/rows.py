"""External rows as tensors, and back into the form in which their model reads them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.schema import Feature, Modality
from glassbench.errors import DataError

MOST_CATEGORIES = 200
"""A column of more texts than these is carried as one number per text."""


class Form(ABC):
    """How a model reads rows.

    Args:
        modality: What kind of thing one row is.
        features: Inputs as a person knows them; empty where they carry no names.
    """

    modality: Modality = "table"
    features: tuple[Feature, ...] = ()

    @abstractmethod
    def encode(self, rows: Any) -> Tensor:
        """From rows as they were given to a tensor `(n, ...)`."""

    @abstractmethod
    def decode(self, inputs: Tensor) -> Any:
        """From a tensor `(n, ...)` to rows as they were given."""


class Tensors(Form):
    """Rows that are a tensor already, `(n, ...)`.

    Args:
        rows: The rows.
        names: What the columns of a table are called; by default they are numbered.
    """

    def __init__(self, rows: Tensor, names: tuple[str, ...] = ()) -> None:
        self.modality = _modality(rows.ndim, whole=not rows.is_floating_point())
        self.features = _called(names or _numbers(rows.shape[1])) if self.modality == "table" else ()

    def encode(self, rows: Any) -> Tensor:
        """Return the rows as they are."""
        tensor: Tensor = torch.as_tensor(rows).detach().cpu()
        return tensor

    def decode(self, inputs: Tensor) -> Any:
        """Return the tensor as it is."""
        return inputs


class Arrays(Form):
    """Rows in a NumPy array of numbers, `(n, d)` or more axes.

    Args:
        rows: The rows.
    """

    def __init__(self, rows: np.ndarray) -> None:
        self._kind = rows.dtype
        self.modality = _modality(rows.ndim, whole=False)
        self.features = _called(_numbers(rows.shape[1])) if self.modality == "table" else ()

    def encode(self, rows: Any) -> Tensor:
        """Return the rows in double precision, so that thresholds fall as they would on the rows themselves."""
        return torch.as_tensor(np.asarray(rows).astype(np.float64))

    def decode(self, inputs: Tensor) -> np.ndarray:
        """Return an array of the rows' own type; whole numbers are rounded to such."""
        return _as_kind(inputs.detach().cpu().numpy(), self._kind)


@dataclass(frozen=True, eq=False)
class _Codes:
    """A column of categories: the values in column order, and whether one encoded column holds their number."""

    feature: Feature
    values: pd.Index
    kind: Any

    @property
    def numbered(self) -> bool:
        return len(self.feature.columns) == 1 and len(self.values) != 1


class Frames(Form):
    """Rows in a data frame of numbers and categories.

    A number takes an encoded column, a category an encoded column per value; a missing category is zero in all of them.

    Args:
        rows: The rows; those that are explained against may hold further values, which then read as missing.
    """

    def __init__(self, rows: pd.DataFrame) -> None:
        self._names = list(rows.columns)
        self._kinds = rows.dtypes
        self._codes: dict[Any, _Codes] = {}
        features, start = [], 0
        for name in self._names:
            column = rows[name]
            if _is_number(column):
                features.append(Feature(name=str(name), columns=(start,)))
                start += 1
                continue
            values = pd.Index(pd.unique(column.dropna().astype(object)))
            width = max(1, len(values)) if len(values) <= MOST_CATEGORIES else 1
            words = tuple(map(str, values)) if width == len(values) else ()
            feature = Feature(name=str(name), kind="category", columns=tuple(range(start, start + width)), categories=words)
            self._codes[name] = _Codes(feature, values, column.dtype)
            features.append(feature)
            start += width
        self.features = tuple(features)

    def encode(self, rows: Any) -> Tensor:
        """Return encoded rows `(n, encoded_columns)` in double precision.

        Raises:
            DataError: A column is missing.
        """
        absent = [str(name) for name in self._names if name not in rows]
        if absent:
            raise DataError(f"there is no column '{absent[0]}'", got=absent[0], available=list(map(str, rows.columns)))
        parts = [
            self._coded(rows[name]) if name in self._codes else rows[name].astype("Float64").to_numpy(np.float64, na_value=np.nan)
            for name in self._names
        ]
        return torch.as_tensor(np.column_stack(parts))

    def decode(self, inputs: Tensor) -> pd.DataFrame:
        """Return a frame of the rows' own columns and types; whole numbers are rounded to such, categories to the nearest."""
        array = inputs.detach().cpu().numpy()
        columns = {}
        for name, feature in zip(self._names, self.features, strict=True):
            found = array[:, list(feature.columns)]
            columns[name] = (
                self._category(self._codes[name], found) if name in self._codes else _as_column(found[:, 0], self._kinds[name])
            )
        return pd.DataFrame(columns)

    def _coded(self, column: pd.Series) -> np.ndarray:
        codes = self._codes[column.name]
        places = codes.values.get_indexer(pd.Index(column.astype(object)))
        encoded_columns = np.arange(len(codes.feature.columns))
        coded: np.ndarray = np.where(places < 0, np.nan, places) if codes.numbered else places[:, None] == encoded_columns
        return np.asarray(coded, dtype=np.float64)

    @staticmethod
    def _category(codes: _Codes, found: np.ndarray) -> pd.Series:
        if codes.numbered:
            places = np.clip(np.nan_to_num(found[:, 0]).round(), 0, len(codes.values) - 1).astype(int)
            known = ~np.isnan(found[:, 0])
        else:
            places, known = found.argmax(axis=1), found.max(axis=1) > 0
        texts = np.array([*codes.values, None], dtype=object)
        series = pd.Series(texts[np.where(known, places, len(codes.values))], dtype=object)
        return series.astype(codes.kind) if known.all() or not pd.api.types.is_bool_dtype(codes.kind) else series


def form_of(rows: Any, names: tuple[str, ...] = ()) -> Form | None:
    """Return how a model reads such rows; None where they are things (texts, pictures, records) that no tensor stands for.

    Args:
        rows: The rows.
        names: What the columns of a table were called before it became a tensor.

    Raises:
        DataError: There are none, or an array has no axis of columns.
    """
    if hasattr(rows, "toarray"):
        raise DataError("sparse rows cannot be audited as they are", got=type(rows).__name__, fix="give X.toarray()")
    if not hasattr(rows, "__len__"):
        raise DataError("rows are a table, an array, a tensor or a list", got=type(rows).__name__)
    if len(rows) == 0:
        raise DataError("there are no rows to audit", got=f"{type(rows).__name__} of length 0")
    if isinstance(rows, pd.DataFrame):
        twice = rows.columns[rows.columns.duplicated()]
        if len(twice):
            raise DataError(f"two columns are called '{twice[0]}'", fix="rename one of them")
        return Frames(rows)
    if isinstance(rows, Tensor | np.ndarray) and rows.ndim < 2:
        if rows.ndim == 1 and isinstance(rows, np.ndarray) and rows.dtype == object:
            return None
        raise DataError("rows need at least two axes", got=f"shape {tuple(rows.shape)}", fix="give X as (rows, columns)")
    if isinstance(rows, Tensor):
        return Tensors(rows, names)
    if isinstance(rows, np.ndarray) and rows.dtype.kind in "buif":
        return Arrays(rows)
    return None


def table_of(rows: Any, form: Form | None) -> pd.DataFrame | None:
    """Return the rows as a person knows them, or None where they are no table."""
    if isinstance(rows, pd.DataFrame):
        return rows.reset_index(drop=True)
    if form is None or form.modality != "table":
        return None
    return pd.DataFrame(np.asarray(rows), columns=[feature.name for feature in form.features])


def _modality(axes: int, *, whole: bool) -> Modality:
    """Whole numbers in a tensor are tokens: no network reads them as columns."""
    if axes == 2 and whole:
        return "text"
    found: dict[int, Modality] = {3: "series", 4: "image"}
    return found.get(axes, "table")


def _numbers(columns: int) -> tuple[str, ...]:
    return tuple(f"x{i}" for i in range(columns))


def _called(names: tuple[str, ...]) -> tuple[Feature, ...]:
    return tuple(Feature(name=name, columns=(i,)) for i, name in enumerate(names))


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _as_kind(array: np.ndarray, kind: np.dtype[Any]) -> np.ndarray:
    whole = array.round() if kind.kind in "iu" else array > 0.5 if kind.kind == "b" else array
    found: np.ndarray = whole.astype(kind)
    return found


def _as_column(values: np.ndarray, kind: Any) -> pd.Series:
    if pd.api.types.is_integer_dtype(kind) and isinstance(kind, np.dtype) and np.isnan(values).any():
        return pd.Series(values).round()  # NumPy's whole numbers know no absent one, which an audit may try
    if pd.api.types.is_integer_dtype(kind):
        return pd.Series(values).round().astype("Int64").astype(kind)
    return pd.Series(values).astype(kind)
