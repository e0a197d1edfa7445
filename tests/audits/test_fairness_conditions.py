"""Conditions under which rows arose are no groups of people: parity is not asked of them, and advice is another."""

from dataclasses import replace

import numpy as np
import pytest

from glassbench_audits.fairness.audit import audit


@pytest.fixture(scope="module")
def told(classification):
    """Decisions that are wrong on dim rows alone, of two classes of which neither is good for a person."""
    generator = np.random.default_rng(0)
    light, hand = np.repeat(["dim", "bright"], 300), np.tile(["left", "right"], 300)
    truth = generator.choice(["a", "b"], 600)
    decided = np.where((light == "dim") & (generator.random(600) < 0.6), "a", truth)
    subject = classification(truth, decided, {"light": light, "hand": hand}, classes=("a", "b"))
    schema = replace(subject.schema, conditions=("light",))
    return audit(replace(subject, schema=schema), intersections=False, replicates=100).findings


def test_parity_is_not_asked_of_a_condition(told):
    undirected = [finding for finding in told if "no verdict is given on parity" in finding.sentence]
    assert [finding.by for finding in undirected] == [("hand",)]


def test_advice_names_the_condition_that_is_worse(told):
    steps = {finding.next_step for finding in told if finding.grade == "concern" and finding.by == ("light",)}
    assert "Train with more rows of light “dim”, or do not use the model there." in steps
    assert not any("fairness constraint" in step for step in steps)


def test_a_finding_names_the_groups_that_it_compares(told):
    worst = next(finding for finding in told if finding.grade == "concern" and "accuracy" in finding.sentence)
    assert worst.between == ({"light": "bright"}, {"light": "dim"})
    assert worst.measures[1] == "fairness.accuracy"
