"""The first phase: what is said and made before a run's folder is there, and what the folder holds; stand-ins for components."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from torch import nn

from glassbench.contracts.data import Treatment
from glassbench.errors import DataError, FitError
from glassbench.experiments.experiment_file import Document
from glassbench.experiments.plan import Plan
from glassbench.pipeline import phases
from glassbench.pipeline.frames import KeptFrame
from glassbench.runs.run_folder import RunFolder
from glassbench.testing import toy_data, toy_model
from glassbench.testing.fixtures import ToyTask

LEFT_OUT = Treatment(action="left out", sentence="it never varies", column="x9")
CONVERTED = Treatment(action="converted", sentence="numbers written as text", column="x1")
DATA = replace(toy_data(), treatments=(CONVERTED, LEFT_OUT), notes=("noted",))
FIRST = {"experiment.yaml", "resolved.yaml", "provenance.json", "schema.json", "data.json", "status.json", "lock"}


def mitigations(*made: Any) -> Any:
    return SimpleNamespace(choices=made, made=lambda: list(made))


class Planned(Plan):
    """A plan of which only what is named is there."""

    resolved: Any = None

    def __init__(self, **facts: Any) -> None:
        self.__dict__.update(facts)


def planned(**changed: Any) -> Any:
    """A plan with a network to train."""
    plan = {
        "complaints": (),
        "seed": 5,
        "cleaning": None,
        "mitigations": mitigations(),
        "document": Document({"name": "n"}, text="name: n  # mine\n"),
        "resolved": {"name": "n", "seed": 5},
        "audits": {"b": None, "a": None},
        "gates": (),
        "model": "the network",
        "task": SimpleNamespace(make=ToyTask),
    }
    return Planned(**(plan | changed))


class Steps:
    """What `start` asks of others, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[Any] = []
        self.fails: dict[str, BaseException] = {}
        self.lines: list[str] = []
        returned = {
            "refuse_narrow_memory": None,
            "source_data": DATA,
            "ready": DATA,
            "check_baseline_rows": self.lines,
            "check_one_process": None,
            "_built": toy_model(DATA.schema),
            "environment": {"command": "c"},
            "offered": {"audits_available": ["a"]},
            "account": {"dropped": 2},
        }
        for name, value in returned.items():
            monkeypatch.setattr(phases, name, self._step(name, value))

    def _step(self, name: str, value: Any) -> Any:
        def step(*given: Any) -> Any:
            self.calls.append((name, *given))
            if name in self.fails:
                raise self.fails[name]
            return value

        return step

    def names(self) -> list[str]:
        return [call[0] for call in self.calls]

    def of(self, name: str) -> list[Any]:
        return [call[1:] for call in self.calls if call[0] == name]

    def warn(self, text: str) -> None:
        self.calls.append(("warn", text))

    def treated(self, lines: list[str]) -> None:
        self.calls.append(("treated", lines))


@pytest.fixture
def steps(monkeypatch):
    return Steps(monkeypatch)


REGISTRY: Any = SimpleNamespace(plugins=["p"])


def begun(steps: Steps, root, plan: Any = None, **given: Any) -> Any:
    return phases.start(plan or planned(), REGISTRY, steps, root, "glassbench run x", **given)  # type: ignore[arg-type]


def provenance(context: Any) -> dict[str, Any]:
    return dict(json.loads((context.folder.path / "provenance.json").read_text()))


def test_what_can_go_wrong_is_looked_at_before_the_folder_is_made_cheapest_first(steps, tmp_path):
    steps.lines.append("other rows")
    plan = planned(complaints=("odd plugin",))
    context = begun(steps, tmp_path, plan, run="reserved")
    assert steps.names() == [
        "warn", "refuse_narrow_memory", "source_data", "ready", "check_baseline_rows", "warn", "treated", "_built", "environment",
        "offered",
    ]  # fmt: skip
    assert [words for (words,) in steps.of("warn")] == ["odd plugin", "other rows"]
    assert steps.of("source_data") == [(plan, None)]
    assert steps.of("ready") == [(plan, DATA, None)]
    assert steps.of("check_baseline_rows") == [(plan, DATA, tmp_path)]
    assert steps.of("treated") == [(["x9: it never varies", "x1: numbers written as text"],)]
    assert steps.of("_built") == [(plan, "the network", DATA)]
    assert (context.plan, context.registry, context.observer) == (plan, REGISTRY, steps)
    assert (context.external, context.given, context.data) == (None, None, DATA)


@pytest.mark.parametrize("step", ["refuse_narrow_memory", "source_data", "ready", "check_baseline_rows", "_built"])
def test_a_run_that_cannot_start_leaves_no_folder(steps, tmp_path, step):
    steps.fails[step] = DataError("it cannot be used")
    with pytest.raises(DataError):
        begun(steps, tmp_path / "runs")
    assert steps.names()[-1] == step
    assert not (tmp_path / "runs").exists()


def test_the_folder_holds_what_the_run_is_made_from(steps, tmp_path):
    context = begun(steps, tmp_path, run="reserved")
    path = context.folder.path
    assert path == tmp_path / "reserved"
    assert {p.name for p in path.iterdir()} == FIRST
    assert (path / "experiment.yaml").read_text() == "name: n  # mine\n"
    assert yaml.safe_load((path / "resolved.yaml").read_text()) == {"name": "n", "seed": 5}
    said = provenance(context)
    created = said.pop("created")
    assert said == {"run": "reserved", "command": "c", "audits_available": ["a"]}
    assert created.endswith("+00:00")
    assert "." not in created
    assert json.loads((path / "data.json").read_text())["notes"] == ["noted"]
    status = RunFolder(path).status
    assert (status["audits"], list(status["phases"]), status["sealed"]) == (["b", "a"], ["plan"], False)
    assert set(status["phases"]["plan"]["sha256"]) == FIRST - {"status.json", "lock"}
    ((plugins, folder, command, seed),) = steps.of("environment")
    assert (plugins, command, seed) == (["p"], "glassbench run x", 5)
    assert folder.is_absolute()
    assert steps.of("offered")[0][0] is REGISTRY
    assert steps.of("offered")[0][2] is DATA


def test_an_experiment_that_was_a_mapping_is_written_out_and_ids_are_new(steps, tmp_path):
    plan = planned(document=Document({"name": "n", "seed": 5}))
    first, second = begun(steps, tmp_path, plan), begun(steps, tmp_path, plan)
    assert yaml.safe_load((first.folder.path / "experiment.yaml").read_text()) == {"name": "n", "seed": 5}
    assert first.folder.run != second.folder.run
    assert provenance(second)["run"] == second.folder.run


@pytest.mark.parametrize("given", ["external", "given", "unlearnt"])
def test_nothing_is_built_where_the_model_is_given_or_none_is_learnt(steps, tmp_path, given):
    subject: Any = SimpleNamespace(data=DATA)
    plan = planned(model=None if given == "unlearnt" else "stand-in")
    context = begun(steps, tmp_path, plan, **({} if given == "unlearnt" else {given: subject}))
    taken = None if given == "unlearnt" else subject
    assert steps.of("_built") == []
    assert steps.of("source_data") == [(plan, taken)]
    assert steps.of("ready") == [(plan, DATA, taken)]
    assert steps.of("check_one_process") == ([(plan,)] if given == "given" else [])
    assert (context.external, context.given) == (taken if given == "external" else None, taken if given == "given" else None)


def test_a_module_that_would_spread_over_processes_is_refused_before_there_is_a_folder(steps, tmp_path):
    steps.fails["check_one_process"] = FitError("this process alone")
    with pytest.raises(FitError):
        begun(steps, tmp_path / "runs", given=SimpleNamespace(data=DATA))
    assert not (tmp_path / "runs").exists()


def test_a_frame_becomes_the_runs_with_where_it_came_from(steps, tmp_path, monkeypatch):
    kept = tmp_path / "kept.parquet"
    kept.write_bytes(b"rows")
    read = []
    monkeypatch.setattr(phases, "reading", lambda plan, path: read.append((plan, path)) or planned(seed=9))
    plan = planned()
    context = begun(steps, tmp_path, plan, frame=KeptFrame(path=kept, source="a frame", notes=("index",)), run="reserved")
    assert read == [(plan, tmp_path / "reserved" / "data.parquet")]
    assert context.plan.seed == 9
    assert (context.folder.path / "data.parquet").read_bytes() == b"rows"
    assert not kept.exists()
    assert (context.data.source, context.data.notes) == ("a frame", ("index", "noted"))
    said = json.loads((context.folder.path / "data.json").read_text())
    assert (said["source"], said["notes"]) == ("a frame", ["index", "noted"])


def test_a_cleaning_is_kept_with_its_account(steps, tmp_path):
    cleaning = SimpleNamespace(files=lambda: {"cleaning.yaml": "format: 1\n", "cleaning.csv": "row\n"})
    context = begun(steps, tmp_path, planned(cleaning=cleaning))
    assert {p.name for p in context.folder.path.iterdir()} == FIRST | {"cleaning.yaml", "cleaning.csv"}
    assert provenance(context)["cleaning"] == {"dropped": 2}
    assert steps.of("account") == [(DATA, cleaning)]


def test_a_model_is_built_for_the_tasks_schema_and_must_be_one_that_can_be_stored(monkeypatch):
    calls: list[Any] = []
    schema = replace(DATA.schema, shape=(9,))

    class Task(ToyTask):
        def check(self, schema):
            calls.append("check")

        def model_schema(self, given):
            return schema

    made = ["a mitigation"]
    chosen = SimpleNamespace(component=SimpleNamespace(spec=SimpleNamespace(name="m")))
    plan = planned(task=SimpleNamespace(make=Task), mitigations=SimpleNamespace(choices=made, made=lambda: made))
    monkeypatch.setattr(phases, "build_model", lambda *given: calls.append(("build", *given)) or "model")
    monkeypatch.setattr(phases, "wrapped", lambda *given: calls.append(("wrap", *given)) or "wrapped")
    monkeypatch.setattr(phases, "trusted", lambda *given: calls.append(("trusted", *given)) or ["type"])
    monkeypatch.setattr(phases, "check_storable", lambda *given: calls.append(("store", *given)))
    monkeypatch.setattr(phases, "check_mitigations", lambda *given: calls.append(("mitigate", *given)))
    assert phases._built(plan, chosen, DATA) == "model"
    assert [call if isinstance(call, str) else call[0] for call in calls] == [
        "check", "build", "wrap", "mitigate", "trusted", "store",
    ]  # fmt: skip
    assert calls[1] == ("build", chosen, schema, 5)
    assert calls[2] == ("wrap", "model", made, None)
    _, asked, data, task, fitted = calls[3]
    assert (asked, data, fitted) == (plan.mitigations, DATA, "wrapped")
    assert isinstance(task, Task)
    assert calls[4] == ("trusted", chosen, plan.mitigations)
    assert calls[5] == ("store", "wrapped", "m", ["type"])


def test_a_network_starts_from_the_same_weights_whatever_was_drawn_before():
    choice = SimpleNamespace(component=SimpleNamespace(spec=SimpleNamespace(name="m", trusts=())), make=toy_model)
    first, again, other = (phases._built(planned(seed=seed), choice, DATA) for seed in (1, 1, 2))  # type: ignore[arg-type]
    assert isinstance(first, nn.Module)
    weights = [[float(p.detach().sum()) for p in model.parameters()] for model in (first, again, other)]
    assert weights[0] == weights[1] != weights[2]


def remade(path, monkeypatch, **kept: Any) -> tuple[Document, Any]:
    """Plan again from a folder's `resolved.yaml`; return the document that was planned."""
    documents: list[Any] = []
    monkeypatch.setattr(phases, "make_plan", lambda document, registry: documents.append((document, registry)) or "plan")
    assert phases.resolved_plan(path, REGISTRY, **kept) == "plan"
    return documents[0]  # type: ignore[no-any-return]


def test_a_plan_is_made_again_from_what_was_resolved(tmp_path, monkeypatch):
    path = tmp_path / "resolved.yaml"
    content = {"name": "n", "audits": {"a": {}}, "gates": [{"measure": "a.x"}]}
    path.write_text(yaml.safe_dump(content | {"overrides": ["seed=3"]}))
    document, registry = remade(path, monkeypatch)
    assert (document.content, document.overrides, registry) == (content, ("seed=3",), REGISTRY)
    document, _ = remade(path, monkeypatch, audited=False)
    assert document.content == {"name": "n", "audits": {}, "gates": []}
    path.write_text(yaml.safe_dump(content))
    assert remade(path, monkeypatch)[0].overrides == ()


def test_the_cleaning_of_a_run_is_the_one_in_its_folder(tmp_path, monkeypatch):
    path, asked = tmp_path / "resolved.yaml", {"file": "gone.yaml", "version": "v"}
    path.write_text(yaml.safe_dump({"name": "n", "cleaning": asked}))
    assert remade(path, monkeypatch)[0].content["cleaning"] == asked
    (tmp_path / "cleaning.yaml").write_text("")
    assert remade(path, monkeypatch)[0].content["cleaning"] == {"file": str(tmp_path / "cleaning.yaml"), "version": "v"}
    path.write_text(yaml.safe_dump({"name": "n"}))
    assert "cleaning" not in remade(path, monkeypatch)[0].content


@pytest.mark.parametrize("audited", [True, False])
def test_a_run_that_was_given_a_frame_reads_it_where_the_folder_is_now(tmp_path, monkeypatch, audited):
    asked = []
    monkeypatch.setattr(phases, "resolved_plan", lambda path, registry, *, audited: asked.append((path, audited)) or "plan")
    monkeypatch.setattr(phases, "reading", lambda plan, path: (plan, path))
    folder = RunFolder(tmp_path)
    assert phases.replan(folder, REGISTRY, audited=audited) == "plan"
    (tmp_path / "data.parquet").write_bytes(b"")
    assert phases.replan(folder, REGISTRY, audited=audited) == ("plan", tmp_path / "data.parquet")  # type: ignore[comparison-overlap]
    assert asked == [(tmp_path / "resolved.yaml", audited)] * 2
