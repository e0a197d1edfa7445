"""Columns given beside external rows: the truth, and the groups to audit by."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.positive_class import checked_positive
from glassbench.contracts.schema import MISSING, Target
from glassbench.errors import DataError, shorten, suggest
from glassbench.external.output_format import name_of, names_of
from glassbench.rows.foreign_frames import as_pandas
from glassbench.rows.pooled_groups import MOST_GROUPS
from glassbench.stats.clusters import effective_clusters


def one_column(y: Any) -> Any:
    """Return a truth of one column as a series, `(n,)`, or None.

    Raises:
        DataError: It has several.
    """
    if y is None or (isinstance(y, pd.Series) and y.ndim == 1):
        return y
    if isinstance(y, pd.DataFrame) and y.shape[1] == 1:
        return y.iloc[:, 0]
    array = y.detach().cpu().numpy() if isinstance(y, Tensor) else np.asarray(y)
    if array.ndim == 0 or array.size != len(array):
        raise DataError("the truth y is one column", got=f"shape {array.shape}")
    return pd.Series(array.reshape(len(array)))


def truth_of(y: Any, target: Target) -> Tensor | None:
    """Return the truth as class indices or values `(n,)`, -1 or NaN in rows without one; None where no row has one.

    Raises:
        DataError: A value is no finite number.
    """
    absent = None if y is None else pd.isna(y).to_numpy()
    if absent is None or absent.all():
        return None
    if target.kind == "value":
        values = pd.to_numeric(y, errors="coerce").to_numpy(dtype=np.float64)
        strange = ~np.isfinite(values) & ~absent
        if strange.any():
            raise DataError("the truth y holds what is no number", got=f"{y[strange].iloc[0]!r} in {int(strange.sum())} rows")
        return torch.tensor(values)
    return torch.tensor(pd.Index(target.classes).get_indexer(pd.Index(names_of(y))), dtype=torch.long)


def sensitive_columns(sensitive: Any, X: Any) -> Mapping[str, Any] | None:
    """Return the sensitive columns by name as they were given, from columns of the rows by name or from columns themselves.

    Raises:
        DataError: They are given in another form, or X has no such column.
    """
    sensitive = as_pandas([sensitive] if isinstance(sensitive, str) else sensitive)
    if sensitive is None:
        return None
    if isinstance(sensitive, np.ndarray) and sensitive.ndim == 1:
        sensitive = {"group": sensitive}
    if isinstance(sensitive, pd.Series):
        sensitive = sensitive.to_frame(sensitive.name if sensitive.name is not None else "group")
    if isinstance(sensitive, list | tuple) and all(isinstance(name, str) for name in sensitive):
        return {name: _column(X, name) for name in sensitive}
    if not isinstance(sensitive, Mapping | pd.DataFrame):
        raise DataError(
            "sensitive takes names of columns of X, a Series, a DataFrame or a mapping of columns", got=type(sensitive).__name__
        )
    if isinstance(sensitive, pd.DataFrame) and sensitive.columns.has_duplicates:
        twice = sensitive.columns[sensitive.columns.duplicated()][0]
        raise DataError(f"two sensitive columns are called '{twice}'", fix="rename one of them")
    return {str(name): as_pandas(sensitive[name]) for name in sensitive}


def groups_of(columns: Mapping[str, Any] | None) -> pd.DataFrame | None:
    """Return one column of texts per sensitive feature `(n,)`, in the rows' order; None where there is none.

    Raises:
        DataError: One has too many groups to compare.
    """
    texts = {}
    for name, column in (columns or {}).items():
        texts[name] = names_of(np.asarray(column, dtype=object)).fillna(MISSING)
        if (many := texts[name].nunique()) > MOST_GROUPS:
            raise DataError(
                f"the sensitive column '{name}' has too many groups to compare",
                got=f"{many} different values, at most {MOST_GROUPS:,}",
                fix=f"cut it into bands first: pandas.cut({name}, bins=[...])",
            )
    return pd.DataFrame(texts) if texts else None


def cluster_column(cluster: Any, X: Any) -> Any:
    """Return the column of clusters as it was given, from a column of the rows by name or from the column itself; or None.

    Raises:
        DataError: X has no such column.
    """
    return _column(X, cluster) if isinstance(cluster, str) else as_pandas(cluster)


def clusters_of(column: Any) -> np.ndarray | None:
    """Return the name of each row's cluster `(n,)`, in the rows' order; a row without one is a cluster of its own.

    Raises:
        DataError: All rows are of one cluster.
    """
    if column is None:
        return None
    names = names_of(np.asarray(column, dtype=object).reshape(len(column)))
    own = pd.Series([f"row {place + 1} without a cluster" for place in range(len(names))], dtype=object)
    found = names.where(names.notna(), own)
    if found.nunique() < 2:
        raise DataError("all rows are of one cluster", got=str(found.iloc[0]), fix="leave cluster out")
    return np.asarray(found, dtype=object)


def weight_column(weight: Any, X: Any) -> Any:
    """Return the column of weights as it was given, from a column of the rows by name or from the column itself; or None.

    Raises:
        DataError: X has no such column.
    """
    return _column(X, weight) if isinstance(weight, str) else one_column(as_pandas(weight))


def weights_of(column: Any) -> np.ndarray | None:
    """Return the weight of each row, float64 `(n,)`, in the rows' order.

    Raises:
        DataError: A weight is missing, no finite number or negative, or all are 0.
    """
    if column is None:
        return None
    written = pd.Series(np.asarray(column, dtype=object))
    values = pd.to_numeric(written, errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(wrong):
        raise DataError(
            "weights are finite numbers, 0 or above",
            got=f"{len(wrong)} are none: {shorten([repr(written.iloc[row]) for row in wrong], 3)}",
            where=f"row {shorten([str(row) for row in wrong], 5)} (the first is row 0)",
            fix="correct them; a weight of 0 leaves a row out",
        )
    if not values.any():
        raise DataError("all weights are 0", got=f"{len(values)} rows", where="weight")
    return np.asarray(values)


def weight_notes(weights: np.ndarray | None) -> tuple[str, ...]:
    """Say how many rows of equal weight weighted rows are worth, and how many weigh nothing; nothing without weights."""
    if weights is None:
        return ()
    nothing = int((weights == 0).sum())
    said = f"Rows are weighted: the {len(weights) - nothing:,} rows to be judged say as much as "
    said += f"{effective_clusters(weights):,.0f} of equal weight (Kish 1965)."
    return (said, *([f"{nothing:,} rows with a weight of 0 were left out."] if nothing else []))


def _column(X: Any, name: str) -> pd.Series:
    known = list(map(str, X.columns)) if isinstance(X, pd.DataFrame) else []
    if name not in known:
        raise DataError(
            f"X has no column '{name}'",
            got=name,
            available=known,
            fix=suggest(name, known) or f"give the column itself, as in sensitive={{'{name}': ...}}",
        )
    column: pd.Series = X[name]
    return column


def positive_of(positive: Any, names: tuple[str, ...]) -> str | None:
    """Return the class that rates speak of: the one given, else of two the one whose name tells, else the last.

    Raises:
        DataError: It is none of the classes.
    """
    return checked_positive(None if positive is None else name_of(positive), names, where="positive")


def favourable_names(favourable: Any) -> str | tuple[str, ...] | None:
    """Return what was named as favourable in the words of the classes: one outcome, or several of a list."""
    if favourable is None:
        return None
    if isinstance(favourable, list | tuple | set | frozenset | np.ndarray | pd.Series | pd.Index):
        return tuple(map(name_of, favourable))
    return name_of(favourable)


def target_name(y: Any) -> str:
    """Return what the truth is called, where it says so itself."""
    return str(y.name) if isinstance(y, pd.Series) and y.name is not None else "decision"
