"""What the phases of a run share and leave behind: data, model, task, fit, predictions and report, with stand-ins for a run."""

import contextlib
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from glassbench.contracts.trainer import Fitted
from glassbench.errors import PluginError, RunError
from glassbench.experiments.plan import Plan
from glassbench.pipeline import fitting, phases, run_context
from glassbench.pipeline.run_context import RunContext
from glassbench.runs.run_folder import RunFolder
from glassbench.system.energy import Energy
from glassbench.testing import toy_data, toy_model
from glassbench.testing.fixtures import ToyTask

DATA = toy_data()


class Planned(Plan):
    """A plan of which only what is named is there."""

    resolved: Any = None
    external = False

    def __init__(self, **facts: Any) -> None:
        self.__dict__.update(facts)


def chosen(make: Any, **spec: Any) -> Any:
    component = SimpleNamespace(spec=SimpleNamespace(**({"name": "x", "kind": "task"} | spec)), canonical="p/x")
    return SimpleNamespace(component=component, make=make)


class Counted(ToyTask):
    """A task that is calibrated by the number of held-out rows."""

    used: Any = None

    def calibrate(self, model, data):
        return {"rows": len(data.test)}

    def use_calibration(self, facts):
        self.used = facts


def run_of(path, made: Any = ToyTask, **facts: Any) -> RunContext:
    """A run whose folder holds what is known of its data."""
    plan = {
        "seed": 5,
        "mitigations": SimpleNamespace(made=list, choices=()),
        "task": chosen(made),
        "model": chosen(toy_model, trusts=()),
        "trainer": None,
        "dataset": chosen(lambda seed: DATA, encoder=None, reader=None, name="d"),
        "resolved": {"name": "n"},
    }
    (path / "schema.json").write_text(json.dumps(DATA.schema.to_json()))
    (path / "data.json").write_text(json.dumps({"fingerprint": run_context.describe_data(DATA)["fingerprint"]}))
    (path / "provenance.json").write_text(json.dumps({"training": {"epochs": 3}}))
    heard: list[Any] = []
    observer: Any = SimpleNamespace(phase=lambda *words: heard.append(words), heard=heard, interactive=True)
    given = {name: facts.pop(name) for name in ("external", "given") if name in facts}
    return RunContext(RunFolder(path), Planned(**(plan | facts)), None, observer, **given)  # type: ignore[arg-type]


def test_data_are_those_the_run_started_with_or_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(run_context, "read_data", lambda plan, external: DATA)
    context = run_of(tmp_path)
    assert context.data is DATA
    other = replace(DATA, test=DATA.test.take(np.arange(3)))
    with pytest.raises(RunError, match="not those the run started with") as caught:
        context.known(other)
    assert caught.value.where == str(tmp_path)
    assert caught.value.got == f"fingerprint {run_context.describe_data(other)['fingerprint'][:12]}"
    assert context.data is DATA


def test_what_an_audit_changed_is_read_again(tmp_path, monkeypatch):
    reads = []
    monkeypatch.setattr(run_context, "read_data", lambda plan, external: reads.append(external) or DATA)
    context = run_of(tmp_path)
    for _ in range(2):
        assert context.data is DATA
    context.__dict__.update(model="m", asked_model="a", predictions="p", task="t")
    context.forget()
    assert not {"data", "model", "asked_model", "predictions"} & set(context.__dict__)
    assert context.__dict__["task"] == "t"
    assert context.data is DATA
    assert reads == [None, None]
    context.forget()
    context.forget()


def test_a_plan_is_made_when_it_is_first_asked_for_and_once(tmp_path):
    made = []
    context = RunContext(RunFolder(tmp_path), lambda: made.append(1) or "plan", None, None)  # type: ignore[arg-type]
    assert made == []
    assert (context.plan, context.plan) == ("plan", "plan")  # type: ignore[comparison-overlap]
    assert made == [1]


def test_calibration_is_written_down_and_read_by_the_task_as_any_later_process_does(tmp_path):
    context = run_of(tmp_path, Counted)
    context.begun(DATA)
    assert context.task.used is None  # type: ignore[attr-defined]
    assert context.calibrate(toy_model(DATA.schema)) == ("calibration.json",)
    assert json.loads((tmp_path / "calibration.json").read_text()) == {"rows": len(DATA.test)}
    assert context.task.used == {"rows": len(DATA.test)}  # type: ignore[attr-defined]
    plain = run_of(tmp_path)
    plain.begun(DATA)
    (tmp_path / "calibration.json").unlink()
    assert plain.calibrate(toy_model(DATA.schema)) == ()
    assert not (tmp_path / "calibration.json").exists()


def test_a_task_whose_own_code_fails_is_named_with_what_it_did(tmp_path):
    class Fails(ToyTask):
        def calibrate(self, model, data):
            raise ZeroDivisionError

    context = run_of(tmp_path, Fails)
    context.begun(DATA)
    with pytest.raises(PluginError, match="failed while calibrating its predictions"):
        context.calibrate(toy_model(DATA.schema))
    with pytest.raises(PluginError, match="failed while checking the data"):
        run_of(tmp_path, lambda: 1 / 0).task.kind  # noqa: B018


def weights(model: Any) -> list[float]:
    return [float(p.detach().sum()) for p in model.parameters()]


def test_a_fresh_model_has_the_weights_of_the_seed_and_a_given_one_is_taken(tmp_path):
    context, again, other = (run_of(tmp_path, seed=seed) for seed in (5, 5, 6))
    first = weights(context.fresh_model(context.plan.model))
    torch.rand(7)
    assert weights(again.fresh_model(again.plan.model)) == first
    assert weights(other.fresh_model(other.plan.model)) != first
    module = nn.Linear(1, 1)
    assert run_of(tmp_path, given=SimpleNamespace(model=module)).fresh_model(context.plan.model) is module


def fitted(path, monkeypatch, **facts: Any) -> tuple[RunContext, list[Any]]:
    """Fit a model by a trainer that writes a step twice; return the run, and what the trainer was given."""
    given: list[Any] = []

    def fit(model, task, data, workspace):
        given.extend((model, task, data, workspace))
        for loss in (3.0, 2.0):
            workspace.record({"step": 1, "loss": loss})
        with torch.no_grad():
            next(model.parameters()).add_(1)
        return Fitted(model=model.eval(), facts={"epochs": 1}, callbacks=("a.B",))

    trainer = SimpleNamespace(fit=fit, several_processes=False, asking_device="cpu")
    context = run_of(path, trainer=chosen(lambda: trainer), **facts)
    context.begun(DATA)
    told: list[Any] = []
    context.events = SimpleNamespace(metric=told.append, told=told)  # type: ignore[assignment]
    meter = SimpleNamespace(energy=Energy())
    monkeypatch.setattr(fitting, "metered", lambda: contextlib.nullcontext(meter))
    noted: dict[str, Any] = {}
    context.folder.write = noted.__setitem__  # type: ignore[method-assign]
    context.__dict__["noted"] = noted
    return context, given


def test_a_fit_leaves_weights_history_and_what_is_known_of_the_training(tmp_path, monkeypatch):
    context, given = fitted(tmp_path, monkeypatch, task=chosen(Counted))
    assert list(fitting.fit(context)) == ["metrics.jsonl", "model.safetensors", "calibration.json"]
    model, _, data, workspace = given
    assert data.train.rows.tolist() == DATA.train.rows.tolist()
    assert (workspace.seed, workspace.folder, workspace.interactive) == (5, tmp_path / "checkpoints", True)
    assert (tmp_path / "metrics.jsonl").read_text() == '{"step": 1, "loss": 2.0}\n'  # a later line replaces an earlier one
    assert context.events.told == [{"step": 1, "loss": 3.0}, {"step": 1, "loss": 2.0}]  # type: ignore[attr-defined]
    said = context.__dict__["noted"]["provenance.json"]
    fingerprint = json.loads((tmp_path / "data.json").read_text())["fingerprint"]
    assert said == {"training": {"epochs": 1}, "callbacks": ["a.B"], "data": fingerprint}
    assert context.observer.heard == [("fit", "x on d")]  # type: ignore[attr-defined]
    assert weights(context.model) == weights(model)
    assert not context.model.training  # type: ignore[union-attr]


def test_energy_that_was_measured_stands_beside_what_the_trainer_says(tmp_path, monkeypatch):
    context, _ = fitted(tmp_path, monkeypatch)
    energy = Energy(kilowatt_hours=0.5)
    monkeypatch.setattr(fitting, "metered", lambda: contextlib.nullcontext(SimpleNamespace(energy=energy)))
    fitting.fit(context)
    assert context.__dict__["noted"]["provenance.json"]["training"] == {"epochs": 1, "energy": energy.to_json()}


@pytest.mark.parametrize("several", [True, False])
def test_a_training_that_spreads_is_waited_for_before_the_trainer_is_asked_here(tmp_path, monkeypatch, several):
    context, given = fitted(tmp_path, monkeypatch)
    context.plan.trainer.make().several_processes = several  # type: ignore[union-attr]
    missed, calls = object(), []
    context.events.missed = missed  # type: ignore[method-assign,assignment]
    monkeypatch.setattr(fitting, "spread", lambda *rest: calls.append((*rest, len(given))))
    fitting.fit(context)
    assert calls == ([(context.folder, missed, 0)] if several else [])
    assert len(given) == 4


@pytest.mark.parametrize("unasked", ["it has no weights", None])
def test_of_an_external_model_what_its_caller_said_is_known_while_it_is_there(tmp_path, unasked):
    model = toy_model(DATA.schema).eval()
    task = ToyTask()
    task.check(DATA.schema)
    said = SimpleNamespace(data=DATA, unasked=unasked, held_out=False, split=DATA.test, model=lambda: model)
    there, later = run_of(tmp_path, external=said), run_of(tmp_path)
    predictions = task.predict(model, DATA.test)
    for context in (there, later):
        context.plan.__dict__["external"] = True
        context.__dict__["predictions"] = predictions
    there.begun(DATA)
    assert (there.gone, later.gone) == (False, True)
    subject, bare = there.subject(), later.subject()
    assert (subject.model, subject.train, subject.held_out) == (model, DATA.train, False)
    assert (bare.model, bare.train, bare.held_out, bare.encoder) == (None, None, None, None)
    assert subject.modelless == (unasked or bare.modelless)


@pytest.mark.parametrize("trainer", [None, "fits"])
def test_audits_get_episodes_where_rows_are_none_and_training_rows_where_there_are_any(tmp_path, trainer):
    episodes = SimpleNamespace(name="what a policy plays")
    context = run_of(tmp_path, trainer=trainer)
    task = ToyTask()
    task.check(DATA.schema)
    context.__dict__.update(predictions=task.predict(toy_model(DATA.schema), DATA.test), asked_model=None)
    found = {}
    for name, changes in {"rows": {}, "episodes": {"test": episodes}, "empty": {"train": DATA.train.take(np.arange(0))}}.items():
        context.__dict__["data"] = SimpleNamespace(**{**vars(DATA), **changes})
        found[name] = context.subject()
    assert [one.episodes for one in found.values()] == [None, episodes, None]
    assert [one.train for one in found.values()] == [DATA.train, DATA.train, None]
    assert {one.held_out for one in found.values()} == {None if trainer is None else True}
    assert found["rows"].facts == {"epochs": 3}
    found["rows"].predictions.frame["y_pred"] = "changed"
    assert not (context.subject().predictions.frame["y_pred"] == "changed").any()


def test_what_is_not_learnt_leaves_an_empty_history(tmp_path):
    context = run_of(tmp_path, model=None)
    noted: dict[str, Any] = {}
    context.folder.write = noted.__setitem__  # type: ignore[method-assign]
    assert list(fitting.fit(context)) == ["metrics.jsonl"]
    assert (tmp_path / "metrics.jsonl").read_text() == ""
    assert set(noted["provenance.json"]) == {"training", "data"}
    assert context.observer.heard == [("fit", "nothing to fit on d")]  # type: ignore[attr-defined]
    assert context.model is None
    assert context.asked_model is None


def test_held_out_rows_are_predicted_and_read_back_with_their_inputs(tmp_path, monkeypatch):
    context, _ = fitted(tmp_path, monkeypatch)
    fitting.fit(context)
    assert list(phases.predict(context)) == ["predictions.parquet", "predictions.safetensors"]
    assert context.observer.heard[-1] == ("predict", "held-out rows")  # type: ignore[attr-defined]
    expected = context.task.predict(context.model, DATA.test)  # type: ignore[arg-type]
    found = context.predictions
    assert found.frame.equals(expected.frame)
    assert found.source is DATA.test
    subject = context.subject()
    assert subject.predictions.frame.equals(expected.frame)
    assert subject.predictions.frame is not found.frame
    assert (subject.model, subject.train, subject.seed, subject.held_out) == (context.model, DATA.train, 5, True)
    assert subject.facts == {"epochs": 3}
    assert [record["loss"] for record in subject.history] == [2.0]
    assert subject.episodes is None


def test_a_task_that_fails_while_predicting_is_named(tmp_path, monkeypatch):
    class Fails(ToyTask):
        def predict(self, model, source):
            raise ZeroDivisionError

    context, _ = fitted(tmp_path, monkeypatch, task=chosen(Fails))
    fitting.fit(context)
    with pytest.raises(PluginError, match="failed while predicting"):
        phases.predict(context)
    assert not (tmp_path / "predictions.parquet").exists()


def test_a_run_says_of_itself_what_its_folder_holds(tmp_path):
    said = run_of(tmp_path).record()
    assert said["experiment"] == {"name": "n"}
    assert said["provenance"] == {"training": {"epochs": 3}}
    assert set(said["data"]) == {"fingerprint"}


def test_a_data_set_without_an_encoder_encodes_no_raw_rows(tmp_path):
    context = run_of(tmp_path)
    assert not context.encodes
    with pytest.raises(RunError, match="'d' does not encode raw rows"):
        context.encoder.encode(None)  # type: ignore[arg-type]


def test_every_form_of_the_report_is_rendered_from_the_folder(tmp_path, monkeypatch):
    files = {
        "report.html": "render_report",
        "summary.html": "render_summary",
        "summary.md": "render_markdown",
        "junit.xml": "render_junit",
        "findings.sarif": "render_sarif",
    }
    for render in files.values():
        monkeypatch.setattr(phases, render, lambda path, render=render: f"{render} {path}")
    context = run_of(tmp_path)
    assert list(phases.report(context)) == list(files)
    assert {name: (tmp_path / name).read_text() for name in files} == {
        name: f"{render} {tmp_path}" for name, render in files.items()
    }
    assert context.observer.heard == [("report", ", ".join(files))]  # type: ignore[attr-defined]
