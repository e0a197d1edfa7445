"""The three uses that differ most go through the same phases."""

import importlib.metadata
from pathlib import Path

import pytest

from glassbench import Registry, run


@pytest.fixture
def registry(install):
    ours = install("unlike-domains", Path(__file__).with_name("unlike_domains.py").read_text())
    return Registry([*importlib.metadata.entry_points(group="glassbench"), *ours])


def went(tmp_path, registry, **roles):
    experiment = {"name": "unlike", **roles, "trainer": {"use": "lightning", "max_epochs": 8, "learning_rate": 0.02}}
    return run({**experiment, "audits": ["performance", "explain", "fairness"]}, runs=tmp_path, registry=registry)


def test_a_language_model_is_trained_and_audited(tmp_path, registry):
    done = went(tmp_path, registry, dataset="letters", task="tiny-next-token", model="tiny-language")
    assert {a.audit: a.error for a in done.audits} == {"performance": None, "explain": None, "fairness": None}
    loss = next(m for m in done.measures if m.name == "performance.loss")
    assert 0 < loss.low < loss.value < loss.high < 2.1
    assert "<html" in done.report.read_text()


def test_a_policy_is_trained_and_audited_on_the_states_it_visited(tmp_path, registry):
    done = went(tmp_path, registry, dataset="corridor", task="control", model="tiny-policy")
    assert {a.audit: a.error for a in done.audits} == {"performance": None, "explain": None, "fairness": None}
    reward = next(m for m in done.measures if m.name == "performance.reward")
    assert reward.value > 0.6
    again = done.audit(["performance"])
    assert next(m for m in again.measures if m.name == "performance.reward") == reward
