"""Optional measures by AIF360's definitions, against the values of its own unit tests and tables by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from glassbench.contracts.data import Split
from glassbench_audits.fairness.inequality import consistency_terms, differential_fairness, inequality

GROUP = ["0", "0", "1", "1", "1", "1", "2", "2", "2", "2"]
TRUTH = [1, 0, 0, 1, 0, 0, 1, 0, 1, 1]
"""The ten rows of AIF360's tests of classification metrics."""


def _predicted(wrong):
    return [1 - t if i in wrong else t for i, t in enumerate(TRUTH)]


@pytest.fixture
def measured(classification):
    def run(decision, **settings):
        subject = classification(TRUTH, decision, {"g": GROUP}, favourable="1")
        source = Split(inputs=(torch.tensor([[float(g)] for g in GROUP]),), rows=np.arange(len(GROUP)))
        subject = replace(subject, predictions=replace(subject.predictions, source=source))
        found = inequality(subject, **{"replicates": 200, "neighbours": 2, **settings})
        return {m.name.removeprefix("inequality."): m for m in found.measures}

    return run


def test_entropy_is_aif360s(measured):
    found = measured(_predicted({3, 9, 4, 5}))
    assert found["generalized_entropy"].value == pytest.approx(0.2)
    assert found["theil"].value == pytest.approx(4 * np.log(2) / 10)
    benefit = 1 - np.array(TRUTH)
    assert measured([0] * 10)["generalized_entropy"].value == pytest.approx(np.mean((benefit / benefit.mean()) ** 2 - 1) / 2)


def test_the_part_between_groups_is_aif360s(measured):
    found = measured(_predicted({3, 9, 4, 5}))
    means = np.array([1, 1, 1.25, 1.25, 1.25, 1.25, 0.75, 0.75, 0.75, 0.75])
    assert found["between_group_entropy"].value == pytest.approx(np.sum(means**2 - 1) / 20)
    assert found["within_group_entropy"].value == pytest.approx(0.2 - np.sum(means**2 - 1) / 20)


def test_consistency_by_hand():
    inputs, decided = np.array([[0.0], [0.1], [5.0], [5.1]]), np.array([1.0, 0, 1, 1])
    assert consistency_terms(inputs, decided, 2).tolist() == [0.5, 0.5, 0, 0]


def test_differential_fairness_by_hand():
    selected, n = np.array([9.0, 1.0, 4.0]), np.array([9.0, 9.0, 9.0])
    rates = [9.5 / 10, 1.5 / 10, 4.5 / 10]
    apart = max(np.log(rates[0] / rates[1]), np.log((1 - rates[1]) / (1 - rates[0])))
    assert differential_fairness(selected, n) == pytest.approx(apart)


@pytest.mark.parametrize("selected", [[8.0, 8.5, 6.0], [1.0, 0.5, 3.0], [0.0, 9.0, 4.0]])
def test_differential_fairness_is_the_same_of_the_outcome_that_is_not_favourable(selected):
    """Foulds et al. (2020) bound the ratio of every outcome's probability, the refusal's too."""
    given, n = np.array(selected), np.array([9.0, 9.0, 9.0])
    rates = (given + 0.5) / 10
    apart = max(np.log(r / s) for r in rates for s in rates), max(np.log((1 - r) / (1 - s)) for r in rates for s in rates)
    assert differential_fairness(given, n) == pytest.approx(max(apart))
    assert differential_fairness(n - given, n) == pytest.approx(max(apart))


def test_figures_carry_intervals_and_no_verdict(measured):
    found = measured(_predicted({3, 9, 4, 5}))
    assert all(m.low <= m.value <= m.high for m in found.values())
    assert set(found) == {
        "generalized_entropy",
        "theil",
        "between_group_entropy",
        "within_group_entropy",
        "differential_fairness",
        "consistency",
    }
