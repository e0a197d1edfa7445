"""Groups and shares of rows by hand: which groups are shown in which order, which are pooled, which rows a share keeps."""

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.contracts.data import Data, Split
from glassbench.contracts.schema import Schema, Target
from glassbench.rows.group_order import in_group_order
from glassbench.rows.pooled_groups import POOLED, SHOWN, with_pooled_groups
from glassbench.rows.training_share import with_fewer_training_rows

SCHEMA = Schema(
    modality="table", shape=(1,), target=Target(name="y", kind="class", classes=("a", "b", "c")), sensitive=("town", "sex")
)


@pytest.mark.parametrize(
    "ordered",
    [
        ["under 18", "18 and over", "21 to 30", "missing"],
        ["-5", "2", "10", "11.5"],
        ["up to 9", "9 - 12", "12+"],
        ["10", "2", "x", "y"],  # half of them are numbers: names
        ["2", "10", "x"],  # more than half
        ["under 1,000", "1,000 to 2,000", "10,000 to 20,000", "missing"],
        ["0-9 years", "10-19 years", "over 20 years"],
        ["b", "c", "missing"],
        ["low (under 2)", "high (3 and over)"],
        ["under 30", "from 20"],
    ],
)
def test_groups_stand_by_their_lower_bound_and_then_by_name(ordered):
    assert in_group_order(reversed(ordered)) == ordered
    assert in_group_order([*ordered, *ordered]) == ordered


def split(towns: list[str], frequency: list[int] | None = None) -> Split:
    n = len(towns)
    groups = pd.DataFrame({"town": towns, "sex": ["f", "m"] * (n // 2) + ["f"] * (n % 2)})
    held = None if frequency is None else np.array(frequency)
    return Split(inputs=(torch.zeros(n, 1),), rows=np.arange(n), groups=groups, frequency=held)


def towns(count: int) -> list[str]:
    return [f"town {k:02}" for k in range(count)]


@pytest.mark.parametrize("counted", [True, False])
def test_the_largest_groups_of_test_rows_are_kept_and_the_others_are_one(counted):
    """Town k has k + 1 rows, but for the last two, which have as many as the eleventh and come after it by name."""
    names = towns(60)
    sizes = [*range(1, 59), 11, 11]
    test = split(names, sizes) if counted else split([name for name, size in zip(names, sizes, strict=True) for _ in range(size)])
    train = split([names[0], names[20], "elsewhere", names[58], names[10], names[11]])
    data = with_pooled_groups(Data(schema=SCHEMA, train=train, validation=train, test=test))
    kept = {*names[11:58], names[10], names[58]}
    assert len(kept) == SHOWN - 1
    assert {*data.test.groups["town"]} == {*kept, POOLED}
    expected = [name if name in kept else POOLED for name in test.groups["town"]]
    assert data.test.groups["town"].tolist() == expected
    assert data.train.groups["town"].tolist() == [POOLED, names[20], POOLED, names[58], names[10], names[11]]
    assert data.validation.groups.equals(data.train.groups)
    assert data.train.groups["sex"].tolist() == train.groups["sex"].tolist()
    rows = sum(sizes[:10]) + 11
    assert data.notes == (
        f"'town' has 60 groups: the 49 largest are shown, the other 11 with {rows:,} rows are pooled as “{POOLED}”",
    )


def test_fifty_groups_are_all_shown_and_many_numbers_are_said_to_be_numbers():
    data = Data(schema=SCHEMA, train=split(towns(3)), test=split(towns(50)))
    assert with_pooled_groups(data) is data
    numbered = Data(schema=SCHEMA, train=split(towns(3)), test=split([str(k) for k in range(51)]))
    assert with_pooled_groups(numbered).notes[0].endswith("they look like numbers, which are better cut into bands")


def rows(target: list[int] | list[float] | None, clusters: list[str] | None = None) -> Data:
    n = len(clusters or target or ())
    train = Split(
        inputs=(torch.zeros(n, 1),),
        rows=np.arange(n) + 100,
        target=None if target is None else torch.tensor(target),
        clusters=None if clusters is None else np.array(clusters),
    )
    return Data(schema=SCHEMA, train=train, test=train)


@pytest.mark.parametrize(("share", "kept"), [(0.5, [5, 2, 1]), (0.2, [2, 1, 1]), (0.01, [1, 1, 1]), (0.9, [9, 3, 1])])
def test_a_share_of_training_rows_holds_its_share_of_each_class_and_a_row_at_least(share, kept):
    data = rows([0] * 10 + [1] * 3 + [2])
    found = with_fewer_training_rows(data, share, 3)
    assert np.bincount(found.train.target.numpy(), minlength=3).tolist() == kept
    assert found.test is data.test
    assert found.train.rows.tolist() == sorted(found.train.rows.tolist())
    larger = with_fewer_training_rows(data, min(1.0, share + 0.3), 3)
    assert set(found.train.rows) <= set(larger.train.rows)


def test_a_share_of_clusters_keeps_all_rows_of_as_many_whatever_their_sizes():
    clusters = ["a"] * 12 + [*"bcdefghij"]
    data = rows(None, clusters)
    for share, many in ((0.5, 5), (0.1, 1), (0.04, 1), (0.25, 2)):
        found = with_fewer_training_rows(data, share, 0).train.clusters
        assert len(set(found)) == many
        assert all(list(found).count(name) == clusters.count(name) for name in set(found))
    small, large = (with_fewer_training_rows(data, share, 0).train.rows for share in (0.3, 0.7))
    assert set(small) <= set(large)


def test_values_are_drawn_from_all_at_once_and_the_whole_share_is_the_same_data():
    data = rows([float(k % 2) for k in range(20)])
    assert len(with_fewer_training_rows(data, 0.35, 0).train) == 7
    assert with_fewer_training_rows(data, 1, 0) is data
