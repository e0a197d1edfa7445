"""Installing a plugin changes nothing for anybody who does not name it."""

import importlib.metadata
import os
import signal
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression

import glassbench
from glassbench import ComponentError, FitError, Registry, load_run, run
from glassbench.api import plan
from glassbench.experiments.gates import judge
from glassbench.system.process_state import put_back

BUILT_IN = list(importlib.metadata.entry_points(group="glassbench"))

TWIN = """
    from glassbench import AuditSpec, ModelSpec, TaskSpec, TrainerSpec, hookimpl

    @hookimpl
    def glassbench_trainers():
        yield TrainerSpec(name="other", summary="Another trainer.", target="json:loads"{serves_models})
        yield TrainerSpec(name="other-fit", summary="Another trainer.", target="json:loads", trains="estimator")

    @hookimpl
    def glassbench_tasks():
        yield TaskSpec(name="classification", summary="Another task.", target="json:loads", predicts="class")

    @hookimpl
    def glassbench_models():
        yield ModelSpec(name="mlp", summary="Another model.", target="json:loads")
        yield ModelSpec(name="own", summary="A model.", target="twin_models:own")

    @hookimpl
    def glassbench_audits():
        yield AuditSpec(name="extra", summary="On by default.", target="json:loads", default=True)
"""

QUICK = {
    "name": "quick",
    "dataset": "diabetes",
    "task": "classification",
    "model": {"use": "mlp", "hidden": [4]},
    "trainer": {"use": "lightning", "max_epochs": 1},
    "audits": ["performance"],
}


@pytest.fixture
def registry(install):
    return lambda name, code, **entries: Registry([*BUILT_IN, *install(name, code, **entries)])


def twin(serves_models=""):
    return TWIN.replace("{serves_models}", serves_models)


def test_an_experiment_is_resolved_as_before(registry):
    experiment = {key: value for key, value in QUICK.items() if key not in ("audits", "trainer")}
    before = plan(experiment)
    after = plan(experiment, registry=registry("twin", twin()))
    assert after.resolved == before.resolved
    assert before.trainer.component.canonical == "glassbench/lightning"


def test_a_table_of_values_is_audited_as_before(registry, tmp_path):
    rows = pd.DataFrame({"a": np.arange(40.0), "b": np.arange(40) % 7})
    truth = np.where(rows["a"] > 20, "yes", "no")
    model = LogisticRegression().fit(rows, truth)
    done = glassbench.audit(model, rows, truth, audits=["performance"], runs=tmp_path, registry=registry("twin", twin()))
    assert done.measures


def test_the_other_of_two_names_is_found_by_its_full_name(registry):
    found = registry("twin", twin())
    assert found.find("model", "mlp").canonical == "glassbench/mlp"
    assert found.find("model", "twin/mlp").canonical == "twin/mlp"
    assert found.find("model", "own").canonical == "twin/own"


def test_two_foreign_components_of_one_name_need_the_full_one(install):
    code = "from glassbench import ModelSpec, hookimpl\n@hookimpl\ndef glassbench_models():\n"
    code += "    yield ModelSpec(name='same', summary='.', target='json:loads')\n"
    found = Registry([*BUILT_IN, *install("one", code), *install("two", code)])
    with pytest.raises(ComponentError) as caught:
        found.find("model", "same")
    assert caught.value.available == ("one/same", "two/same")


def test_a_trainer_and_an_audit_are_defaults_for_what_they_serve(registry):
    code = (
        twin(', serves=("own",)')
        .replace("default=True", "default=True, serves=('ask',)")
        .replace('name="classification"', 'name="ask"')
    )
    found = registry("twin", code)
    (trainer, task) = (found.find("trainer", "other"), found.find("task", "ask"))
    assert trainer.serves(found.find("model", "twin/own"))
    assert not trainer.serves(found.find("model", "mlp"))
    assert found.find("audit", "extra").serves(task)
    assert not found.find("audit", "extra").serves(found.find("task", "classification"))


def test_a_blocked_name_means_one_plugin(install, monkeypatch):
    entries = [*BUILT_IN, *install("acme", "x = 1", entries=["data"])]
    blocked = {p.canonical for p in Registry(entries, blocked=["data"]).plugins if p.status == "blocked"}
    assert blocked == {"glassbench/data"}
    monkeypatch.setenv("GLASSBENCH_PLUGINS", "-acme/data")
    assert {p.canonical for p in Registry(entries).plugins if p.status == "blocked"} == {"acme/data"}


def test_a_blocked_name_that_means_nothing_is_said():
    assert Registry(BUILT_IN, blocked=["fairnes"]).warnings == ["no plugin is named 'fairnes'; did you mean 'fairness'?"]


HOSTILE = {
    "prints": "print('hello')",
    "moves": "import os\nos.chdir('/')",
    "sets": "import os\nos.environ['OMP_NUM_THREADS'] = '64'",
    "listens": "import signal\nsignal.signal(signal.SIGTERM, lambda *_: None)",
    "silences": "import warnings\nwarnings.simplefilter('ignore')",
    "patches": "import glassbench.experiments.gates as gates\ngates.judge = lambda *a, **k: None",
    "shadows": "import builtins\nbuiltins.print = lambda *a, **k: None",
    "halves": "import torch\ntorch.set_default_dtype(torch.float64)",
    "draws": "import numpy, random\nnumpy.random.seed(0)\nrandom.seed(0)",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_plugin_changes_while_it_is_loaded_is_put_back(install, capsys, name):
    np.random.seed(5)
    state = (os.getcwd(), dict(os.environ), signal.getsignal(signal.SIGTERM), list(warnings.filters), judge, print)
    drawn = np.random.get_state()[1].tolist()
    found = Registry(install(name, HOSTILE[name]))
    assert state == (os.getcwd(), dict(os.environ), signal.getsignal(signal.SIGTERM), list(warnings.filters), judge, print)
    assert glassbench.experiments.gates.judge is judge
    assert torch.get_default_dtype() is torch.float32
    assert np.random.get_state()[1].tolist() == drawn
    assert len(found.warnings) <= 1
    assert capsys.readouterr().out == ""


def test_a_plugin_that_hangs_is_left_out(install, monkeypatch):
    monkeypatch.setenv("GLASSBENCH_PLUGIN_SECONDS", "0.2")
    (plugin,) = Registry(install("sleeps", "import time\ntime.sleep(60)")).plugins
    assert plugin.status == "broken"
    assert "not done after 0.2 s" in plugin.reason


def test_a_plugin_that_raises_when_asked_for_a_veto_does_not_veto(registry, tmp_path):
    code = """
    from glassbench import hookimpl

    @hookimpl
    def glassbench_plan(resolved):
        resolved["model"] = "changed"
        raise KeyError("model")
    """
    settled = plan(QUICK, registry=registry("unsure", code))
    assert settled.complaints == ("plugin 'unsure' raised in glassbench_plan: KeyError: 'model'",)


LEAKS = """
    import warnings
    import numpy as np, torch, random
    from glassbench import AuditResult, AuditSpec, Chart, Measure, Method, Table, hookimpl

    @hookimpl
    def glassbench_audits():
        for name in ("leaks", "hooks", "freezes", "ragged", "drawn", "keyed", "twice", "sees"):
            yield AuditSpec(name=name, summary=".", target=f"leaky:{name}")

    def result(**parts):
        return AuditResult(method=Method(summary="."), **parts)

    def leaks(subject):
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        np.random.seed(0)
        np.seterr(all="raise")
        return result()

    def sees(subject):
        drawn = float(torch.rand(1)), random.random(), np.random.random()
        state = torch.is_grad_enabled() and torch.get_default_dtype() is torch.float32
        return result(measures=(Measure(name="sees.clean", value=float(state)), Measure(name="sees.drawn", value=sum(drawn))))

    def hooks(subject):
        subject.model.register_forward_hook(lambda *_: None)
        return result()

    def freezes(subject):
        next(subject.model.parameters()).requires_grad_(False)
        return result()

    def ragged(subject):
        return result(tables=(Table(title="t", columns=("a", "b"), rows=((1,),)),))

    def drawn(subject):
        return result(charts=(Chart(kind="pie", title="t", message="m", rows=()),))

    def keyed(subject):
        return result(charts=(Chart(kind="bars", title="t", message="m", rows=({"x": object()},)),))

    def twice(subject):
        return result(measures=(Measure(name="twice.a", value=1.0), Measure(name="twice.a", value=2.0)))
"""


def test_no_audit_leaks_into_the_next_one(registry, tmp_path):
    found = registry("leaky", LEAKS)
    audits = ["leaks", "hooks", "freezes", "ragged", "drawn", "keyed", "twice", "sees"]
    done = run({**QUICK, "audits": audits}, runs=tmp_path, registry=found)
    alone = run({**QUICK, "audits": ["sees"]}, runs=tmp_path, registry=found)
    errors = {a.audit: a.error for a in done.audits}
    assert errors["leaks"] is None
    assert "changed the model" in errors["hooks"]
    assert "changed the model" in errors["freezes"]
    assert "has 2 columns; row 0 has 1 cells" in errors["ragged"]
    assert "no known kind: 'pie'" in errors["drawn"]
    assert "cannot show 'x'" in errors["keyed"]
    assert "given twice" in errors["twice"]
    assert [m.value for m in done.measures] == [m.value for m in alone.measures]
    assert done.measures[0].value == 1.0
    assert np.geterr()["divide"] == "warn"
    assert done.report.is_file()


def test_a_run_is_reported_and_predicts_without_the_plugin_of_one_audit(registry, tmp_path):
    made = run({**QUICK, "audits": ["sees"]}, runs=tmp_path, registry=registry("leaky", LEAKS))
    left = load_run(made.folder, registry=Registry(BUILT_IN))
    assert left.render().is_file()
    lipids = ("cholesterol", "ldl", "hdl", "cholesterol ratio", "log triglycerides", "glucose")
    frame = pd.DataFrame([dict.fromkeys(("age", "bmi", "blood pressure", *lipids), 1.0) | {"sex": "sex 1"}])
    assert len(left.predict(frame)) == 1
    with pytest.raises(ComponentError, match="sees"):
        left.audit()


STORED = """
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.linear_model import LogisticRegression
    from glassbench import ModelSpec, hookimpl

    @hookimpl
    def glassbench_models():
        yield ModelSpec(name="odd", summary=".", target="stored:made", form="estimator"{trusts})

    class Odd(LogisticRegression):
        pass

    def made(schema):
        return Odd()
"""


def test_an_estimator_of_a_type_that_nobody_trusts_is_refused_before_it_is_trained(registry, tmp_path):
    found = registry("stored", STORED.replace("{trusts}", ""))
    with pytest.raises(FitError) as caught:
        run({**{k: v for k, v in QUICK.items() if k != "trainer"}, "model": "odd"}, runs=tmp_path, registry=found)
    assert caught.value.got == "stored.Odd"
    assert not list(tmp_path.glob("2*"))


def test_an_estimator_is_loaded_again_where_its_plugin_trusts_its_type(registry, tmp_path):
    found = registry("stored", STORED.replace("{trusts}", ', trusts=("stored.Odd",)'))
    assert run({**{k: v for k, v in QUICK.items() if k != "trainer"}, "model": "odd"}, runs=tmp_path, registry=found).measures


def test_what_is_put_back_is_put_back_after_an_error_too():
    def disturb():
        torch.set_grad_enabled(False)
        raise KeyError

    with pytest.raises(KeyError), put_back() as changed:
        disturb()
    assert torch.is_grad_enabled()
    assert changed == ["PyTorch's gradient mode"]
