"""Rows given from Python may name what each belongs to."""

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import DataError
from glassbench.external.wrapping import wrap_model


def model(rows):
    return (np.asarray(rows)[:, 0] > 0).astype(int)


def test_clusters_are_joined_by_index_and_reach_the_split():
    X = pd.DataFrame({"a": [1.0, -1.0, 2.0, -2.0]}, index=[3, 1, 2, 0])
    person = pd.Series(["q", "p", "q", None], index=[0, 1, 2, 3])
    external = wrap_model(model, X, pd.Series([1, 0, 1, 0], index=X.index), cluster=person, kind="class", outputs="labels")
    assert external.data.test.clusters.tolist() == ["row 1 without a cluster", "p", "q", "q"]


def test_a_cluster_is_a_column_of_the_rows_or_is_refused():
    X = pd.DataFrame({"a": [1.0, -1.0], "one": [7, 7]})
    given = {"kind": "class", "outputs": "labels"}
    with pytest.raises(DataError, match="no column 'person'"):
        wrap_model(model, X, [1, 0], cluster="person", **given)
    with pytest.raises(DataError, match="all rows are of one cluster"):
        wrap_model(model, X, [1, 0], cluster="one", **given)
