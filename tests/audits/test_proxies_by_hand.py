"""The numbers of the audit of proxies, by hand: unequal groups, inputs on unlike scales, ties, constants and clusters."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import chi2_contingency, norm
from torch import nn

from glassbench.contracts.data import Split
from glassbench.contracts.schema import Feature, Schema, Target
from glassbench.contracts.subject import Subject
from glassbench.testing.fixtures import ToyTask
from glassbench_audits.proxies.disparity import Disparity, disparity
from glassbench_audits.proxies.exhibits import measures, tables
from glassbench_audits.proxies.found import Found, corrected
from glassbench_audits.proxies.groups import FEWEST, Groups, groups_of, p_value
from glassbench_audits.proxies.known import attributions_of, independent, inputs_of
from glassbench_audits.proxies.proxy_features import ProxyFeatures, cells_of, proxy_features
from glassbench_audits.proxies.separation import Separation, cross_fitted, mean_auc, separation
from glassbench_audits.proxies.wording import findings


def groups(labels: np.ndarray) -> Groups:
    found = groups_of("sex", pd.Series(labels))
    assert found is not None
    return found


def test_a_group_of_exactly_the_fewest_rows_takes_part() -> None:
    labels = ["c"] * (FEWEST - 1) + ["b"] * FEWEST + ["a"] * 30
    found = groups(np.array(labels))
    assert (found.names, found.small) == (("a", "b"), ("c",))
    assert found.rows.tolist() == list(range(FEWEST - 1, len(labels)))
    assert found.marks.sum(axis=0).tolist() == [30, FEWEST]
    shuffled = found.shuffled(3, np.random.default_rng(0))
    assert shuffled.sum(axis=1).tolist() == [[30, FEWEST]] * 3
    assert (shuffled.sum(axis=2) == 1).all()
    assert groups_of("sex", pd.Series(["a"] * 30 + ["b"] * (FEWEST - 1))) is None


def test_a_p_value_counts_the_sample_itself_and_ties() -> None:
    assert p_value(0.5, np.array([0.5, 0.4, 0.6, 0.5 - 1e-12])) == 4 / 5


def test_a_group_is_held_against_all_others_whatever_their_sizes() -> None:
    labels = np.repeat(["a", "b", "c"], [12, 40, 28])
    values = np.random.default_rng(0).normal(size=(80, 3)) * [1, -2, 3]
    found = disparity(values, groups(labels), np.random.default_rng(1), permutations=19, replicates=3000, level=0.95)
    size = np.abs(values)
    for g, name in enumerate("abc"):
        mine = labels == name
        assert found.difference[g] == pytest.approx(size[mine].mean(axis=0) - size[~mine].mean(axis=0))
        error = np.sqrt(size[mine].var(axis=0) / mine.sum() + size[~mine].var(axis=0) / (~mine).sum())
        assert (found.high - found.low)[g] / (2 * norm.ppf(0.975)) == pytest.approx(error, rel=0.12)
    assert found.mean == pytest.approx(size.mean(axis=0))


def test_an_input_that_scatters_widely_hides_no_clear_difference_of_another() -> None:
    chance = np.random.default_rng(2)
    labels = np.repeat(["a", "b"], [30, 50])
    clear = np.where(labels == "a", 1.0, 2.0) + 0.1 * chance.random(80)
    values = np.stack([100 * chance.normal(size=80), clear, np.ones(80)], axis=1)
    found = disparity(values, groups(labels), chance, permutations=99, replicates=20, level=0.95)
    assert found.p[:, 1].tolist() == [0.01, 0.01]
    assert found.p[:, 2].tolist() == [1, 1]  # what does not vary differs by nothing
    assert found.p[0, 0] > 0.05


def test_an_input_of_many_cells_hides_no_relation_of_one_of_two() -> None:
    chance = np.random.default_rng(3)
    labels = np.repeat(["a", "b"], 100)
    told = np.where(chance.random(200) < 0.66, labels == "a", labels == "b").astype(int)
    many, constant = chance.permutation(200) % 40, np.zeros(200, dtype=int)
    found = proxy_features([many, told, constant], groups(labels), chance, permutations=199)
    statistic = chi2_contingency(pd.crosstab(told, labels), correction=False).statistic
    assert 5 < statistic < 30  # less than chance shows in 40 cells, and far more than it shows in two
    assert found.p[1] < 0.02
    assert found.p[0] > 0.05
    assert (found.strength[2], found.p[2]) == (0, 1)


def test_strength_is_bergsmas_for_tables_of_any_shape() -> None:
    chance = np.random.default_rng(4)
    labels = chance.choice(["a", "b", "c", "d"], 300, p=[0.4, 0.3, 0.2, 0.1])
    for many in (2, 5):
        cell = np.where(labels == "a", 0, chance.integers(0, many, 300))
        table = pd.crosstab(cell, labels).to_numpy()
        rows, columns = table.shape
        phi = chi2_contingency(table, correction=False).statistic / 300 - (rows - 1) * (columns - 1) / 299
        sides = [k - (k - 1) ** 2 / 299 - 1 for k in (rows, columns)]
        found = proxy_features([cell], groups(labels), chance, permutations=1)
        assert found.strength[0] == pytest.approx(np.sqrt(phi / min(sides)))
    by_chance = [np.random.default_rng(k).integers(0, 6, 300) for k in range(40)]
    assert np.median(proxy_features(by_chance, groups(labels), chance, permutations=1).strength) < 0.03


def test_eight_values_stay_apart_and_nine_are_cut_by_mass() -> None:
    eight = np.repeat(np.arange(8.0), [1, 1, 1, 1, 1, 1, 1, 73])[:, None]
    assert np.bincount(cells_of(eight)).tolist() == [1, 1, 1, 1, 1, 1, 1, 73]
    nine = np.repeat(np.arange(9.0), 16)[:, None]
    assert np.bincount(cells_of(nine)).tolist() == [16, 16, 16, 16, 16, 16, 16, 32]
    assert cells_of(np.array([[1.0, 0], [0, 1], [1, 0], [0, 0]])).tolist() == [2, 1, 2, 0]


def test_shuffled_membership_is_told_by_a_rule_fitted_to_it() -> None:
    chance = np.random.default_rng(5)
    labels = np.repeat(["a", "b"], [25, 35])
    values = chance.normal(size=(60, 3)) + 0.5 * (labels == "a")[:, None] * [1, 0, 0]
    marks = groups(labels).marks
    found = separation(values, groups(labels), np.random.default_rng(2), permutations=99, replicates=50, level=0.95)
    again = np.random.default_rng(2)
    smoother = cross_fitted(values, again)
    drawn = groups(labels).shuffled(99, again)

    def area(member: np.ndarray, fitted: np.ndarray) -> float:
        return float(mean_auc(smoother @ (fitted - fitted.mean(axis=0)), member))

    assert found.auc == pytest.approx(area(marks, marks))
    assert found.p == pytest.approx((1 + sum(area(m, m) >= found.auc - 1e-9 for m in drawn)) / 100)
    assert found.p != pytest.approx((1 + sum(area(m, marks) >= found.auc - 1e-9 for m in drawn)) / 100)
    assert (found.n, found.low < found.auc < found.high) == (60, True)


def told(p: float, low: float = 0.5, high: float = 0.7) -> Separation:
    return Separation(auc=(low + high) / 2, low=low, high=high, p=p, n=90)


def found(**more: object) -> Found:
    labels = groups(np.repeat(["a", "b"], 20))
    given = {"groups": labels, "names": ("x", "y"), "told": told(0.01), "carried": None, "leaning": labels, "units": ("x", "y")}
    return Found(**{**given, **more})


def differs(difference: list[list[float]], p: list[list[float]]) -> Disparity:
    apart = np.array(difference)
    return Disparity(difference=apart, low=apart - 0.1, high=apart + 0.1, p=np.array(p), mean=np.array([2.0, 4.0]))


@pytest.mark.parametrize(
    ("p", "high", "grade"), [(0.05, 0.55, "concern"), (0.06, 0.59, "ok"), (0.06, 0.61, "unclear"), (0.06, 0.6, "unclear")]
)
def test_a_feature_is_told_where_chance_does_not_do_as_much_and_ruled_out_where_the_whole_interval_is_faint(
    p: float, high: float, grade: str
) -> None:
    (first,) = findings([found(told=told(p, 0.5, high))], 0.05)
    assert first.grade == grade


def test_inputs_carry_a_feature_where_all_together_tell_it() -> None:
    carried = ProxyFeatures(strength=np.array([0.2, 0.5]), p=np.array([0.01, 0.02]))
    assert found(carried=carried).carrying(0.05) == [1, 0]
    assert found(carried=carried).carrying(0.015) == [0]
    assert found(carried=carried, told=told(0.2)).carrying(0.05) == []
    said = findings([found(carried=carried)], 0.05)[0].sentence
    assert "; y carries it most, then x." in said


def test_the_widest_of_sure_differences_is_told_with_its_direction() -> None:
    sure = differs([[0.2, -0.5], [0.1, 3.0]], [[0.01, 0.04], [0.03, 0.2]])
    one = found(leaned=told(0.5), differs=sure)
    last = findings([one], 0.05)[-1].sentence
    assert "leans on y less where sex is “a”" in last
    assert "-0.5 [-0.6, -0.4] from the rest, 12 % of its mean" in last
    table = next(t for t in tables([one], 0.05, 0.95) if t.title == "Inputs the model leans on differently")
    assert [(row[1], row[2], row[3]) for row in table.rows] == [("a", "y", -0.5), ("a", "x", 0.2), ("b", "x", 0.1)]
    assert [row[6] for row in table.rows] == pytest.approx([-0.5 / 4, 0.1, 0.05])
    values = {m.name: (m.value, m.n) for m in measures([one], None, 0.95)}
    assert values["proxies.disparity_p_value"] == (0.01, 40)


def test_p_values_are_corrected_over_features_and_questions() -> None:
    several = [
        found(told=told(0.004), leaned=told(0.03), differs=differs([[1, 1], [1, 1]], [[0.01, 0.02], [0.3, 0.5]])),
        found(told=told(0.5)),
    ]
    first, second = corrected(several)
    assert (first.told.p, first.leaned.p, second.told.p) == pytest.approx((0.016, 0.06, 0.5))
    assert first.differs.p == pytest.approx(np.array([[0.03, 0.06], [0.9, 1.0]]))
    assert (second.leaned, second.differs) == (None, None)


SCHEMA = Schema(
    modality="table",
    shape=(2,),
    target=Target(name="granted", kind="class", classes=("no", "yes"), positive="yes"),
    features=(Feature(name="x", columns=(0,)), Feature(name="y", columns=(1,))),
    sensitive=("sex",),
)


def decided(n: int = 60) -> Subject:
    model = nn.Linear(2, 2)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[-1.0, 0.5], [1.0, -0.5]]))
        model.bias.zero_()
    rows = torch.randn(n, 2, generator=torch.Generator().manual_seed(0))
    people = pd.DataFrame({"sex": np.where(np.arange(n) % 3, "f", "m")})
    split, task = Split((rows,), np.arange(n), groups=people), ToyTask()
    task.check(SCHEMA)
    other = Split((rows + 10,), np.arange(n), groups=people[::-1].reset_index(drop=True))
    return Subject(schema=SCHEMA, predictions=task.predict(model.eval(), split), task=task, model=model, train=other)


def test_training_rows_count_among_inputs_where_rows_are_independent() -> None:
    subject = decided()
    held, train = subject.predictions.source.inputs[0].numpy(), subject.train.inputs[0].numpy()
    known = inputs_of(subject, 1000)
    assert known.values == pytest.approx(np.concatenate([held, train]))
    sexes = [*subject.predictions.groups["sex"], *subject.train.groups["sex"]]
    assert known.members["sex"].tolist() == sexes
    some = inputs_of(subject, 50)
    assert len(some.values) == len(some.members) == 50
    assert 10 < (some.values[:, 0] > 5).sum() < 40
    clusters = np.repeat(np.arange(20), [1, 5] * 10)
    frame = subject.predictions.frame.assign(cluster=clusters)
    hung = replace(subject, predictions=replace(subject.predictions, frame=frame))
    first = np.flatnonzero(np.diff(clusters, prepend=-1))
    assert independent(hung).tolist() == first.tolist()
    assert inputs_of(hung, 1000).values == pytest.approx(held[first])
    assert inputs_of(hung, 1000).members["sex"].tolist() == np.array(sexes)[first].tolist()


def test_attributions_of_two_classes_are_read_on_one_side() -> None:
    subject = decided()
    known = attributions_of(subject, 1000)
    rows = subject.predictions.source.inputs[0].numpy()
    base = subject.train.inputs[0].mean(dim=0).numpy()
    assert known.values == pytest.approx((rows - base) * [2, -1], abs=1e-4)  # log-odds of "yes", whatever was decided
    assert set(subject.predictions.frame["y_pred"]) == {"no", "yes"}
    assert known.names == ("x", "y")
    assert known.members["sex"].tolist() == subject.predictions.groups["sex"].tolist()
