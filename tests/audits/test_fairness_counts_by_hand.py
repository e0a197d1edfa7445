"""Rates from counts: unknown outcomes, several favourable classes, clusters of unequal size and survey weights.

The law behind most of it: a rate of a group is the share of the group's rows, with the interval that such a share has.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from given_frames import Z, counted

from glassbench.contracts.subject import Subject
from glassbench.contracts.task import Predictions
from glassbench.errors import DataError
from glassbench.stats.inference import share
from glassbench.stats.sampling import Sampling
from glassbench_audits.fairness.frames.confusion_frame import ConfusionFrame
from glassbench_audits.fairness.frames.counts import encode
from glassbench_audits.fairness.frames.group_frames import group_frames
from glassbench_audits.fairness.frames.groups import Group
from glassbench_audits.fairness.frames.pooling import pooled
from glassbench_audits.fairness.frames.rates import class_rates, shares

ASKED = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "false_omission_rate", "accuracy")
"""Rates whose rows are told below."""


def test_classes_are_found_by_name_in_whatever_order_categories_stand() -> None:
    classes = ("no", "yes", "maybe")
    plain = pd.Series(["yes", "no", None, "maybe", "yes"])
    expected = [1, 0, 3, 2, 1]
    assert encode(plain, classes).tolist() == expected
    for order in (["no", "yes", "maybe"], ["maybe", "no", "yes"], ["other", "yes", "maybe", "no"]):
        assert encode(plain.astype(pd.CategoricalDtype(order)), classes).tolist() == expected
        assert encode(plain.dropna().astype(pd.CategoricalDtype(order)), classes).tolist() == [1, 0, 2, 1]
    with pytest.raises(DataError, match="no class"):
        encode(plain.fillna("other"), classes)


def test_rows_of_unknown_outcome_count_towards_selection_alone() -> None:
    table = np.array([[[5, 1, 2], [3, 7, 4], [2, 0, 9], [1, 2, 3]]])  # the last truth is not known
    rates = class_rates(("low", "middle", "high"), [0, 1, 2], favourable=[1, 2], partly=True)
    part, whole = shares(table, rates)
    found = {rate.metric.measure: (part[k, 0], whole[k, 0], rate.metric.of) for k, rate in enumerate(rates)}
    assert found["selection_rate"][:2] == (23 + 5, 39)
    assert found["selection_rate[high]"][:2] == (15 + 3, 39)
    assert found["accuracy"] == (21, 33, "rows with a known outcome")
    assert found["true_positive_rate[middle]"][:2] == (7, 14)
    assert found["false_positive_rate[middle]"][:2] == (1, 19)
    assert found["precision[high]"][:2] == (9, 15)
    assert found["false_omission_rate[low]"][:2] == (3, 23)


def test_where_nobody_says_what_is_good_both_of_two_classes_have_a_selection_rate() -> None:
    def named(**more: object) -> list[str]:
        rates = class_rates(("no", "yes"), [1], **more)
        return [rate.metric.measure for rate in rates if rate.rate.name == "selection_rate"]

    assert named() == ["selection_rate"]
    assert named(both=True) == ["selection_rate", "selection_rate[no]"]
    (first, *_) = class_rates(("no", "yes"), [1], favourable=[0])
    assert (first.of, first.metric.outcome) == ((0,), "no")  # selection speaks of what is good, all else of the class in focus
    assert [rate.rate.name for rate in class_rates(("no", "yes"), [1], truth=False)] == ["selection_rate"]


def rows(kind: str, seed: int = 5) -> pd.DataFrame:
    """Rows of three groups of unequal size, in clusters of unequal size, some outcomes not known, as `kind` says."""
    chance = np.random.default_rng(seed)
    n = 400
    frame = pd.DataFrame({"row": np.arange(n), "group.job": chance.choice(list("abc"), n, p=[0.6, 0.3, 0.1])})
    cluster = np.sort(chance.choice(40, n, p=(w := chance.exponential(size=40)) / w.sum()))
    truth = chance.random(n) < 0.3 + 0.4 * chance.random(40)[cluster]
    decided = np.where(chance.random(n) < 0.3, ~truth, truth)
    frame["y_pred"] = np.where(decided, "yes", "no")
    frame["y_true"] = pd.Series(np.where(truth, "yes", "no"), dtype=object).where(chance.random(n) < 0.8, None)
    if "cluster" in kind:
        frame["cluster"] = [f"school {k}" for k in cluster]
    if "weight" in kind:
        frame["weight"] = chance.uniform(0.5, 4, n)
    if "frequency" in kind:
        frame["frequency"] = chance.integers(1, 5, n)
    return frame


def asked(frame: pd.DataFrame) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield each rate's name, which rows have the property, and which are asked."""
    known, actual, decided = frame["y_true"].notna(), frame["y_true"] == "yes", frame["y_pred"] == "yes"
    among = (known | True, known & actual, known & ~actual, known & decided, known & ~decided, known)
    hits = (decided, decided, decided, actual, actual, actual == decided)
    for name, hit, rows_asked in zip(ASKED, hits, among, strict=True):
        yield name, hit.to_numpy(), rows_asked.to_numpy()


@pytest.mark.parametrize("kind", ["plain", "frequency", "cluster", "weight", "cluster and weight", "cluster and frequency"])
def test_rates_of_groups_and_of_all_rows_are_shares_with_the_intervals_of_shares(classification, kind: str) -> None:
    frame = rows(kind)
    subject = classification(["no"], ["no"], {"job": ["a"]}, classes=("no", "yes"))
    made = Subject(schema=subject.schema, predictions=Predictions(frame=frame), task=subject.task)
    (found,) = group_frames(made, depth=1, most=100, replicates=50)
    value, low, high = found.limits(Z)
    (whole, below, above), every = found.overall(Z)
    places = {metric.measure: k for k, metric in enumerate(found.metrics)}
    sampling = Sampling.of(frame)
    for name, hits, among in asked(frame):
        k = places[name]
        for g, group in enumerate(found.groups):
            mine = among & (frame["group.job"] == group.values[0]).to_numpy()
            one = share(hits, sampling, mine)
            assert (value[k, g], found.n[k, g]) == (pytest.approx(one.value), sampling.part(mine).rows)
            assert (low[k, g], high[k, g]) == pytest.approx(one.limits(Z))
        one = share(hits, sampling, among)
        assert (whole[k], every[k]) == (pytest.approx(one.value), sampling.part(among).rows)
        assert (below[k], above[k]) == pytest.approx(one.limits(Z))
    assert found.clusters == (sampling.n if sampling.clustered else None)
    if "weight" in kind:
        weights = [frame["weight"][(frame["group.job"] == g.values[0])].to_numpy() for g in found.groups]
        assert found.effective[places["selection_rate"]] == pytest.approx([w.sum() ** 2 / (w**2).sum() for w in weights])


def of_clusters(table: np.ndarray, names: str = "ab") -> ConfusionFrame:
    """A frame of counts `(clusters, groups, truths, classes)`."""
    groups = tuple(Group(by=("job",), values=(name,)) for name in names)
    rates = class_rates(("no", "yes"), [1])
    made = {"replicates": 50, "generator": np.random.default_rng(0)}
    return ConfusionFrame(groups, table.sum(axis=0), rates, clusters=table, **made)


def test_few_large_clusters_say_no_more_than_as_many_of_one_size() -> None:
    sizes = np.array([[60, 8], [2, 8], [1, 8], [1, 8], [1, 8], [1, 8]])  # by cluster and group
    table = np.stack([sizes, sizes], axis=-1)[..., None] * np.array([1, 1])
    found = of_clusters(table)
    selected = [metric.name for metric in found.metrics].index("selection_rate")
    alike = 66**2 / (60**2 + 4 + 4)
    assert found.unsupported[selected, 0] == f"{alike:.3g} clusters of one size would say as much, at least 5 are needed"
    assert found.unsupported[selected, 1] is None
    together = sizes.sum(axis=1)
    assert (found.overall_unsupported()[selected] is None) == (together.sum() ** 2 / (together**2).sum() >= 5)


def test_rates_over_all_rows_rest_on_the_rows_of_all_groups() -> None:
    found = counted({"f": [[3, 1], [2, 2]], "m": [[2, 1], [1, 0]]})
    lacking = dict(zip([m.name for m in found.metrics], found.overall_unsupported(), strict=True))
    assert lacking["selection_rate"] is None  # 8 and 4 rows are 12
    assert lacking["true_positive_rate"] is None  # 4 and 1 with an actual "yes" are 5
    assert lacking["precision"].startswith("4 rows predicted")
    assert all(found.unsupported[[m.name for m in found.metrics].index("true_positive_rate")])


def test_the_rate_that_groups_share_under_chance_is_that_of_all_rows() -> None:
    found = counted({"f": [[800, 100], [50, 50]], "m": [[10, 0], [5, 85]]})
    drawn = found.null([0], 4000, np.random.default_rng(0))[:, 0]
    common = 235 / 1100
    assert drawn.mean(axis=0) == pytest.approx([common, common], abs=0.004)
    assert drawn.std(axis=0) == pytest.approx(np.sqrt(common * (1 - common) / np.array([1000, 100])), rel=0.05)
    assert found.null_std([0])[0] == pytest.approx([np.sqrt(common * (1 - common) / 1000), np.nan], nan_ok=True)
    large = counted({"f": [[800, 100], [50, 50]], "m": [[500, 0], [50, 50]]})
    common = 200 / 1600  # 600 rows of a variance of .109 are not normal yet, 1,000 are
    assert large.null_std([0])[0] == pytest.approx([np.sqrt(common * (1 - common) / n) for n in (1000, np.nan)], nan_ok=True)


def test_rates_of_a_survey_are_pooled_by_what_its_rows_are_worth(classification) -> None:
    frame = rows("weight")
    subject = classification(["no"], ["no"], {"job": ["a"]}, classes=("no", "yes"))
    made = Subject(schema=subject.schema, predictions=Predictions(frame=frame), task=subject.task)
    (found,) = group_frames(made, depth=1, most=100, replicates=10)
    expected = pooled(found.value * found.effective, found.effective)
    assert found.partly_pooled() == pytest.approx(expected)
    assert np.abs(expected - pooled(found.value * found.n, found.n)).max() > 1e-3


def test_a_group_without_rows_pulls_no_other() -> None:
    part, n = np.array([[2, 8, 5]]), np.array([[10, 10, 12]])
    three = pooled(part, n)[0]
    four = pooled(np.array([[2, 0, 8, 5]]), np.array([[10, 0, 10, 12]]))[0]
    assert four[[0, 2, 3]] == pytest.approx(three)
    assert four[1] == pytest.approx(15 / 32)


def test_three_groups_of_unequal_size_are_pooled_as_worked_out_by_hand() -> None:
    part, n = np.array([2.0, 9.0, 18.0]), np.array([10.0, 15.0, 25.0])
    rate, common = part / n, 29 / 50
    observed = (n * (rate - common) ** 2).sum() / (common * (1 - common))
    alike = (observed - 2) / (50 - (n**2).sum() / 50 - 2)
    prior = (1 - alike) / alike
    assert 0 < alike < 1
    assert pooled(part[None], n[None])[0] == pytest.approx((part + prior * common) / (n + prior))
