"""Where the truth about clusters is known, the audit finds it."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from glassbench.contracts.subject import Subject
from glassbench.contracts.trainer import Workspace
from glassbench.testing import check_audit, toy_subject
from glassbench_audits.clusters.audit import audit
from glassbench_audits.clusters.composition import balance, chance, compositions, table
from glassbench_audits.clusters.distances import distances
from glassbench_audits.clusters.effects import effect
from glassbench_audits.clusters.groups import composition_chart, composition_finding, composition_table
from glassbench_audits.clusters.members import Members
from glassbench_audits.clusters.stability import Stability, stability_findings
from glassbench_audits.explain.audit import explain
from glassbench_audits.fairness.audit import audit as fairness
from glassbench_plugins.clustering.datasets import blobs
from glassbench_plugins.clustering.kmeans import kmeans
from glassbench_plugins.clustering.task import Clustering
from glassbench_plugins.training.estimator import EstimatorTrainer


def subject_of(data, model, seed=3):
    task = Clustering()
    task.check(data.schema)
    fitted = EstimatorTrainer().fit(model, task, data, Workspace(seed=seed, folder=Path("unused"), record=print))
    predictions = task.predict(fitted.model, data.test)
    return Subject(
        schema=data.schema,
        predictions=predictions,
        task=task,
        model=fitted.model,
        train=data.train,
        seed=seed,
        facts=fitted.facts,
    )


@pytest.fixture(scope="module")
def planted():
    data = blobs(3, clusters=3, informative=2, idle=3)
    return subject_of(data, kmeans(data.schema, clusters=3))


def grouped(subject, groups):
    return replace(
        subject, predictions=replace(subject.predictions, frame=subject.predictions.frame.assign(**{"group.side": groups}))
    )


def test_it_keeps_every_audits_promises(planted):
    check_audit(audit, "clusters", subjects=[planted], resamples=3)


def test_the_two_planted_features_are_named_first(planted):
    table = next(t for t in audit(planted, resamples=0).tables if t.title == "What sets each cluster apart")
    first = {}
    for row in table.rows:
        first.setdefault(row[0], []).append(row[1])
    best = {features[0] for features in first.values()}
    assert best == {"signal 1", "signal 2"}
    explained = next(t for t in explain(planted).tables if t.title == "Importance of each input")
    assert {row[0] for row in explained.rows[:2]} == {"signal 1", "signal 2"}


def test_a_planted_imbalance_is_flagged(planted):
    generator = np.random.default_rng(0)
    first = (planted.predictions.frame["y_pred"] == "cluster 0").to_numpy()
    left = generator.random(len(first)) < np.where(first, 0.8, 0.4)
    result = audit(grouped(planted, np.where(left, "left", "right")), resamples=0)
    found = [f for f in result.findings if "clusters.imbalance" in f.measures]
    assert [f.grade for f in found] == ["concern"]
    assert "cluster 0" in found[0].sentence


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_shuffled_groups_are_hardly_ever_flagged(planted, seed):
    generator = np.random.default_rng(seed)
    groups = planted.predictions.frame["group.side"].to_numpy()
    flagged = 0
    for _ in range(200):
        shuffled = Members(replace(grouped(planted, generator.permutation(groups)), seed=int(generator.integers(2**31))))
        flagged += composition_finding(shuffled, compositions(shuffled, 0.95, 2)[0], 0.1).grade == "concern"
    assert flagged <= 0.05 * 200


def test_being_in_a_cluster_is_no_outcome_for_four_fifths(planted):
    groups = np.where(planted.predictions.frame["y_pred"] == "cluster 0", "left", "right")
    assert fairness(grouped(planted, groups), replicates=50).findings == ()
    result = fairness(grouped(planted, groups), replicates=50, judge=("demographic_parity",))
    assert any("is assigned to “cluster 0” for side “left”" in f.sentence for f in result.findings)
    assert not any("our-fifths" in f.sentence or "four fifths" in f.sentence for f in result.findings)
    assert not any("four_fifths" in m.name for m in result.measures)


@pytest.mark.parametrize(("p", "words"), [(0.077, "chance could explain"), (0.0002, "chance does not explain")])
def test_chance_is_never_said_to_be_the_explanation(planted, p, words):
    members = Members(planted)
    found = replace(compositions(members, 0.95, 2)[0], p=p)
    said = (composition_finding(members, found, 0.1).sentence, composition_table(members, found).note)
    assert all(words in each.lower() for each in (*said, composition_chart(members, found).message))


def test_chance_is_that_of_the_chi_squared_test_in_many_rows():
    counts = np.array([[410, 388], [395, 402], [377, 428]])
    expected = chi2_contingency(counts, correction=False).pvalue
    assert chance(counts, np.random.default_rng(0), draws=20_000) == pytest.approx(expected, abs=0.02)


def test_chance_is_that_of_shuffled_rows():
    generator = np.random.default_rng(4)
    clusters, groups = generator.integers(0, 3, 60), generator.choice(4, 60, p=[0.7, 0.2, 0.06, 0.04])
    shares = np.outer(np.bincount(clusters), np.bincount(groups)) / 60

    def uneven(of):
        return ((table(clusters, of) - shares) ** 2 / shares).sum()

    shuffled = np.array([uneven(generator.permutation(groups)) for _ in range(4000)])
    expected = (shuffled >= uneven(groups) - 1e-9).mean()
    assert chance(table(clusters, groups), generator, draws=20_000) == pytest.approx(expected, abs=0.04)


def test_balance_is_the_worst_quotient():
    assert balance(np.array([[10, 5], [4, 4]])) == pytest.approx(0.5)
    assert balance(np.array([[10, 0], [4, 4]])) == 0


def test_composition_shares_are_counts(planted):
    found = compositions(Members(planted), 0.95, 200)[0]
    expected = pd.crosstab(planted.predictions.frame["y_pred"], planted.predictions.frame["group.side"], normalize="index")
    np.testing.assert_allclose(found.share, expected.to_numpy())


def test_effect_of_a_number_is_cliffs_delta():
    generator = np.random.default_rng(2)
    values, member = generator.normal(size=80), generator.random(80) < 0.4
    found = effect(pd.Series(values), member, 0.95)
    assert found.value == pytest.approx(2 * roc_auc_score(member, values) - 1)
    assert found.low < found.value < found.high


def test_no_structure_is_said_to_be_none():
    data = blobs(5, clusters=2, apart=0.0)
    found = audit(subject_of(data, kmeans(data.schema, clusters=4)), resamples=10)
    structure = next(f for f in found.findings if "clusters.structure_p_value" in f.measures)
    assert structure.grade == "concern"


def test_other_decisions_are_not_applicable():
    assert audit(toy_subject()).not_applicable


@pytest.mark.parametrize(("means", "grade"), [(0.95, "ok"), (0.4, "concern"), (0.76, "unclear")])
def test_stability_is_judged_by_its_interval_over_refits(means, grade):
    """A mean of .76 over ten scattered refits is not above .75 beyond doubt."""
    agreement = means + np.linspace(-0.04, 0.04, 10)
    found = Stability(agreement, agreement[:, None], None)
    whole, *each = stability_findings(SimpleNamespace(names=("cluster 0",)), found, 0.95)
    assert whole.grade == grade
    assert f"{means:.2f} on average, 95 % of the refits from {means - 0.04:.2f} to {means + 0.04:.2f}" in whole.sentence.replace(
        "\u00a0", " "
    )
    assert bool(each) == (grade == "concern")


def test_each_groups_mean_distance_has_students_interval(planted):
    rows = len(planted.predictions.frame)
    subject = grouped(planted, np.array(["alone", *np.resize(["near", "near", "far"], rows - 1)]))
    (found,) = distances(Members(subject), 0.9)
    inputs, cluster = subject.predictions.source.inputs[0].double().numpy(), subject.predictions.frame["y_pred"].to_numpy()
    far = np.array([np.linalg.norm(row - inputs[cluster == of].mean(axis=0)) for row, of in zip(inputs, cluster, strict=True)])
    side = subject.predictions.groups["side"].to_numpy()
    assert found.groups == ("alone", "far", "near")
    for place, group in enumerate(found.groups[1:], 1):
        own = far[side == group]
        low, high = student.interval(0.9, len(own) - 1, own.mean(), own.std(ddof=1) / len(own) ** 0.5)
        assert (found.n[place], found.mean[place]) == (len(own), pytest.approx(own.mean()))
        assert (found.low[place], found.high[place]) == pytest.approx((max(low, 0.0), high))
    assert found.high[0] == pytest.approx(far[0] + student.ppf(0.95, 1) * far.std())  # one row borrows the spread of all
    assert found.whole == pytest.approx(far.mean())


def test_distances_by_several_features_are_corrected_for_all_of_them() -> None:
    drawn = np.random.default_rng(0)
    far = np.where(np.arange(60) % 2, 1.1, 1.0) + 0.2 * drawn.random(60)
    sides = {"a": np.where(np.arange(60) % 2, "odd", "even"), "b": drawn.choice(["x", "y"], 60)}

    def told(*names: str) -> dict[str, float]:
        groups = pd.DataFrame({name: sides[name] for name in names})
        subject = SimpleNamespace(predictions=SimpleNamespace(groups=groups), generator=lambda name: np.random.default_rng(7))
        inputs = np.stack([far, np.zeros(60)], axis=1) * np.where(np.arange(60) // 2 % 2, 1, -1)[:, None]
        members = SimpleNamespace(inputs=inputs, codes=np.zeros(60, dtype=int), names=("c",), subject=subject)
        return {one.feature: one.p for one in distances(members, 0.95)}

    each = told("a") | told("b")
    assert each["a"] < each["b"] / 2
    assert told("a", "b") == pytest.approx({"a": 2 * each["a"], "b": each["b"]})  # Holm (1979)
