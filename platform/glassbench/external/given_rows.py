"""Rows given with a model of a kind that a plugin reads rows for itself: joined with what stands beside them."""

from typing import Any

from glassbench.contracts.external_subject import GivenRows
from glassbench.errors import DataError
from glassbench.external.columns import cluster_column, clusters_of, groups_of, sensitive_columns
from glassbench.external.joining import RowOrder
from glassbench.rows.foreign_frames import as_pandas

HELD_OUT = {
    True: "The caller states that the model was not trained on the audited rows (held_out=True).",
    False: "The caller states that the model was trained on the audited rows (held_out=False): figures are flattered by that.",
    None: "It is not known whether the model was trained on the audited rows: held_out was not given.",
}


def given_rows(X: Any, *, sensitive: Any, cluster: Any, background: Any, held_out: bool | None) -> GivenRows:
    """Return rows with their groups and clusters in the rows' order; see `glassbench.audit` for the arguments.

    Raises:
        DataError: There are no rows, or a column cannot be joined to them.
    """
    X = as_pandas(X)
    if not hasattr(X, "__len__") or isinstance(X, str | bytes):
        raise DataError("rows are a list, a Series or a frame", got=type(X).__name__, fix="give several rows: X=[..., ...]")
    if not len(X):
        raise DataError("there are no rows to audit", got=f"{type(X).__name__} of length 0")
    order = RowOrder.of(X)
    groups = groups_of(order.join("sensitive", sensitive_columns(sensitive, X)))
    clusters = clusters_of(order.join("cluster", cluster_column(cluster, X)))
    return GivenRows(
        X=X,
        groups=groups,
        clusters=clusters,
        background=as_pandas(background),
        held_out=held_out,
        notes=(*order.notes, HELD_OUT[held_out]),
    )
