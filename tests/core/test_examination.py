"""Audits one after another: each sees the trained model and the rows as they were, its own draws, and its share of the time."""

import importlib.metadata

import pytest

from glassbench import Registry, run
from glassbench.pipeline import phases

NEIGHBOURS = """
    import numpy as np
    import torch
    from glassbench import AuditResult, AuditSpec, Measure, Method, hookimpl

    CALLS = [0]

    @hookimpl
    def glassbench_audits():
        for name in ("echoes", "tallies"):
            yield AuditSpec(name=name, summary="Reads.", target=f"neighbours:{name}", needs=("results",))
        for name in ("zeroes", "hooks", "listens", "freezes", "trains", "moves", "weighs", "counts", "draws", "draws-too"):
            yield AuditSpec(name=name, summary="One.", target=f"neighbours:{name.replace('-', '_')}")

    def told(name, **values):
        measures = tuple(Measure(name=f"{name}.{key}", value=float(value)) for key, value in values.items())
        return AuditResult(method=Method(summary="."), measures=measures)

    def zeroes(subject):
        for weight in subject.model.parameters():
            weight.data.zero_()
        return told("zeroes")

    def hooks(subject):
        subject.model.register_forward_hook(lambda *_: None)
        return told("hooks")

    def listens(subject):
        subject.model.register_forward_pre_hook(lambda *_: None)
        return told("listens")

    def freezes(subject):
        for weight in subject.model.parameters():
            weight.requires_grad_(False)
        return told("freezes")

    def trains(subject):
        subject.model.train()
        return told("trains")

    def moves(subject):
        subject.predictions.source.inputs[0].add_(1)
        return told("moves")

    def weighs(subject):
        model, rows = subject.model, subject.predictions.source.inputs[0]
        sizes = sum(float(weight.detach().abs().sum()) for weight in model.parameters() if weight.requires_grad)
        return told("weighs", weights=sizes, rows=rows.sum(), hooks=len(model._forward_hooks), training=model.training)

    def counts(subject):
        CALLS[0] += 1
        return told("counts", calls=CALLS[0])

    def echoes(subject):
        return told("echoes", calls=next(r for r in subject.results if r.audit == "counts").measures[0].value)

    def tallies(subject):
        return told("tallies", **{f"reads-{result.audit}": 1 for result in subject.results})

    def draws(subject):
        return told("draws", numpy=np.random.random(), torch=torch.rand(1))

    def draws_too(subject):
        return told("draws-too", numpy=np.random.random(), torch=torch.rand(1))
"""

CHANGES = ["zeroes", "hooks", "listens", "freezes", "trains", "moves"]
QUICK = {
    "name": "quick",
    "dataset": "diabetes",
    "task": "classification",
    "model": {"use": "mlp", "hidden": [4]},
    "trainer": {"use": "lightning", "max_epochs": 1},
}


@pytest.fixture
def registry(install):
    return Registry([*importlib.metadata.entry_points(group="glassbench"), *install("neighbours", NEIGHBOURS)])


def values(done, audit):
    return {m.name.partition(".")[2]: m.value for m in done.measures if m.name.startswith(f"{audit}.")}


def test_what_an_audit_changed_is_named_and_the_next_does_not_see_it(tmp_path, registry):
    clean = run({**QUICK, "audits": ["weighs"]}, runs=tmp_path, registry=registry)
    done = run({**QUICK, "audits": [*CHANGES, "weighs"]}, runs=tmp_path, registry=registry)
    errors = {a.audit: a.error or "" for a in done.audits}
    assert [name for name in errors if "changed the model or the data" in errors[name]] == CHANGES
    assert values(done, "weighs") == values(clean, "weighs")
    assert values(clean, "weighs")["weights"] > 0


def test_global_draws_come_from_the_experiments_seed_and_the_audits_name(tmp_path, registry):
    experiment = {**QUICK, "audits": ["draws", "draws-too"]}
    first, again, other = (run({**experiment, "seed": seed}, runs=tmp_path, registry=registry) for seed in (1, 1, 2))
    alone = run({**QUICK, "audits": ["draws-too"], "seed": 1}, runs=tmp_path, registry=registry)
    assert values(first, "draws") == values(again, "draws")
    assert values(first, "draws-too") == values(alone, "draws-too")
    for drawn in ("numpy", "torch"):
        assert len({values(first, "draws")[drawn], values(other, "draws")[drawn], values(first, "draws-too")[drawn]}) == 3


def test_an_audit_that_reads_results_comes_last_and_again_when_they_change(tmp_path, registry):
    done = run({**QUICK, "audits": ["echoes", "counts"]}, runs=tmp_path, registry=registry)
    assert values(done, "echoes") == values(done, "counts")
    again = done.audit(["counts"]) or done
    assert values(again, "counts")["calls"] == values(again, "echoes")["calls"] > 1


def test_audits_that_read_results_read_those_of_others_alone(tmp_path, registry):
    experiment = {**QUICK, "audits": ["tallies", "counts", "echoes", "weighs"]}
    done = run(experiment, runs=tmp_path, registry=registry)
    assert values(done, "tallies") == {"reads-counts": 1, "reads-weighs": 1}
    again = done.audit(["tallies", "echoes"]) or done
    assert values(again, "tallies") == {"reads-counts": 1, "reads-weighs": 1}


def test_what_is_left_of_a_budget_is_for_the_audits_that_are_left(tmp_path, registry, monkeypatch):
    given, examine = [], phases.examine
    monkeypatch.setattr(phases, "examine", lambda *rest: given.append(rest[3]) or examine(*rest))
    run({**QUICK, "audits": {"budget": "90m", "weighs": None, "counts": None, "draws": None}}, runs=tmp_path, registry=registry)
    assert [round(seconds / 60) for seconds in given] == [30, 45, 90]
