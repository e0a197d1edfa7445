"""One audit, the order of audits, and what a run tells of itself, with stand-ins for a run: no model is trained here."""

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from glassbench import AuditResult, AuditSpec, Measure, Method, TextFile
from glassbench.contracts.tracker import Failure
from glassbench.errors import DataError, ExperimentError, FitError, PluginError
from glassbench.experiments.budget import TRIALS
from glassbench.pipeline import fitting, phases
from glassbench.pipeline.building import blamed, build_model, seed_all
from glassbench.pipeline.events import RunEvents
from glassbench.pipeline.examination import examine, traces
from glassbench.pipeline.offered_audits import about, offered
from glassbench.rows.survey_weights import UNWEIGHTED
from glassbench.testing import toy_data, toy_subject
from glassbench.testing.fixtures import ToyTask

SUBJECT = toy_subject(steps=2)


class Folder:
    """A run's folder that remembers what it was told."""

    def __init__(self, path: Any = None, kept: tuple[str, ...] = (), results: tuple[AuditResult, ...] = ()) -> None:
        self.path, self.run, self._kept, self._results = path, "run", set(kept), results
        self.logged: list[tuple[str, Mapping[str, Any]]] = []
        self.lines: list[dict[str, Any]] = []

    def log(self, event: str, **facts: Any) -> None:
        self.logged.append((event, facts))

    def kept(self, name: str) -> bool:
        return name in self._kept

    def keep(self, *names: str) -> None:
        self._kept.update(names)

    def results(self) -> tuple[AuditResult, ...]:
        return self._results

    def history(self) -> list[dict[str, Any]]:
        return self.lines


class Observer:
    """An observer that writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *rest: self.heard.append((name, *rest))

    def of(self, kind: str) -> list[Any]:
        return [rest[0] if len(rest) == 1 else tuple(rest) for name, *rest in self.heard if name == kind]


def choice(run, **spec) -> Any:
    """A chosen audit."""
    said = AuditSpec(name="one", summary="One.", target="one:one", **spec)
    return SimpleNamespace(component=SimpleNamespace(spec=said, name="one", canonical="x/one"), make=run)


def context(subject=SUBJECT, *, excluded=(), results=(), **audits) -> Any:
    """A run with one subject."""
    known = dict(excluded)
    return SimpleNamespace(
        plan=SimpleNamespace(excluded=known, audits=audits, budget=None, gates=(), allow_failed=False),
        subject=lambda: subject,
        record=lambda: {"experiment": {}},
        observer=Observer(),
        folder=Folder(results=results),
        forgotten=(forgotten := []),
        forget=lambda: forgotten.append(True),
    )


def found(*measures: Measure, **facts: Any) -> AuditResult:
    return AuditResult(method=Method(summary="."), measures=measures, **facts)


def examined(run, within=None, subject=SUBJECT, seconds=None, **spec) -> tuple[AuditResult, Any]:
    """Examine a subject with one audit; return the result and the run."""
    there = context(subject) if within is None else within
    return examine("one", choice(run, **spec), there, seconds), there


def test_a_result_carries_the_name_the_audit_goes_by_and_its_time():
    result, there = examined(lambda subject: found(Measure(name="one.x", value=1.0)))
    assert (result.audit, result.error, result.not_applicable) == ("one", None, None)
    assert [m.value for m in result.measures] == [1.0]
    assert 0 <= result.seconds < 60
    assert not there.observer.heard
    assert not there.forgotten


def test_what_is_excluded_or_lacks_what_it_needs_is_not_run():
    def never(subject):
        raise AssertionError

    result, _ = examined(never, context(excluded={"one": "of another form"}.items()))
    assert result.not_applicable == "of another form"
    bare = replace(SUBJECT, model=None)
    result, _ = examined(never, subject=bare, needs=("model",))
    assert result.error is None
    assert result.not_applicable


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (KeyError("k"), "KeyError: 'k'"),
        (DataError("odd rows", got="3"), str(DataError("odd rows", got="3"))),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_what_an_audit_raises_becomes_its_error_with_a_traceback(raised, said):
    def fails(subject):
        raise raised

    result, there = examined(fails)
    assert result.error == said
    assert result.measures == ()
    (traced,) = result.files
    assert traced.name == "traceback.txt"
    assert "in fails" in traced.text
    assert there.observer.of("warn") == [f"the audit 'one' failed: {said}"]
    assert there.folder.logged == [("audit failed", {"audit": "one", "error": said})]


def test_an_interrupt_is_no_failure_of_an_audit():
    def stops(subject):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        examined(stops)


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("nothing", "returns an AuditResult, got str"),
        (found(Measure(name="two.x", value=1.0)), "two.x"),
        (AuditResult(method=Method(summary=".", parameters={"x": float("nan")})), "ValueError"),
    ],
)
def test_what_is_no_result_of_this_audit_fails(returned, said):
    result, _ = examined(lambda subject: returned)
    assert said in str(result.error)
    assert result.measures == ()


MEDDLING = {
    "weights": lambda s: next(s.model.parameters()).data.add_(1),
    "running means": lambda s: s.model.get_buffer("seen").add_(1),
    "gradients": lambda s: next(s.model.parameters()).requires_grad_(False),
    "mode": lambda s: s.model.train(),
    "hook": lambda s: s.model.register_forward_hook(lambda *_: None),
    "early hook": lambda s: s.model.register_forward_pre_hook(lambda *_: None),
    "backward hook": lambda s: s.model.register_full_backward_hook(lambda *_: None),
    "held-out inputs": lambda s: s.predictions.source.inputs[0].add_(1),
    "held-out truth": lambda s: s.predictions.source.target.add_(1),
    "training inputs": lambda s: s.train.inputs[0].add_(1),
    "training truth": lambda s: s.train.target.add_(1),
}


@pytest.mark.parametrize("what", MEDDLING)
def test_whatever_an_audit_changes_of_what_all_share_is_seen_and_forgotten(what):
    subject = toy_subject(steps=1)
    subject.model.register_buffer("seen", torch.zeros(3))
    before = traces(subject)

    def meddles(given):
        MEDDLING[what](given)
        return found()

    result, there = examined(meddles, subject=subject)
    assert "changed the model or the data" in str(result.error)
    assert there.forgotten == [True]
    assert traces(subject) != before


def test_what_an_audit_reads_and_computes_leaves_no_trace():
    def looks(subject):
        inputs = subject.train.inputs[0].clone().requires_grad_()
        subject.model(inputs).sum().backward()
        return found()

    result, there = examined(looks, subject=toy_subject(steps=1))
    assert (result.error, there.forgotten) == (None, [])


def test_what_it_changes_in_the_process_is_put_back_and_told():
    def turns_off(subject):
        torch.set_grad_enabled(False)
        return found()

    _, there = examined(turns_off)
    assert torch.is_grad_enabled()
    assert "changed, and it was put back" in there.observer.of("warn")[0]
    assert there.folder.logged[0][0] == "state put back"


def test_readers_get_what_others_found_and_others_get_nothing():
    seen = {}

    def reads(subject):
        seen["one"] = [result.audit for result in subject.results]
        return found()

    results = tuple(replace(found(), audit=name) for name in ("one", "plain", "reader"))
    there = context(results=results)
    there.plan.audits = {
        "one": choice(reads, needs=("results",)),
        "plain": choice(reads),
        "reader": choice(reads, needs=("results",)),
    }
    examine("one", there.plan.audits["one"], there)
    assert seen["one"] == ["plain"]
    examine("plain", there.plan.audits["plain"], there)
    assert seen["one"] == []


def weighted(weights) -> Any:
    frame = SUBJECT.predictions.frame.assign(weight=weights)
    source = replace(SUBJECT.predictions.source, weights=np.asarray(weights))
    train = replace(SUBJECT.train, weights=np.ones(len(SUBJECT.train)))
    return replace(SUBJECT, predictions=replace(SUBJECT.predictions, frame=frame, source=source), train=train)


def test_audits_that_cannot_weigh_rows_get_none_of_their_weights_and_say_so():
    seen = {}

    def looks(subject):
        sampling = subject.predictions.sampling
        seen.update(survey=sampling.survey, rows=len(subject.predictions.frame), frame="weight" in subject.predictions.frame)
        seen.update(source=subject.predictions.source.weights is not None, train=subject.train.weights is not None)
        return found()

    rows = len(SUBJECT.predictions.frame)
    subject = weighted([0.0, 0.0, *np.linspace(1, 2, rows - 2)])
    result, _ = examined(looks, subject=subject, weighted=True)
    assert seen == {"survey": True, "rows": rows - 2, "frame": True, "source": True, "train": True}
    assert UNWEIGHTED not in result.method.cautions
    result, _ = examined(looks, subject=subject)
    assert seen == {"survey": False, "rows": rows - 2, "frame": False, "source": False, "train": False}
    assert result.method.cautions == (UNWEIGHTED,)
    result, _ = examined(looks)
    assert result.method.cautions == ()


def test_counted_rows_are_written_out_for_audits_that_do_not_count():
    seen = []

    def looks(subject):
        seen.append((len(subject.predictions.frame), subject.predictions.frequency is not None))
        return found()

    few = SUBJECT.predictions.take(np.arange(5))
    frame = few.frame.assign(frequency=[3, 1, 1, 2, 1])
    source = replace(few.source, frequency=np.array([3, 1, 1, 2, 1]))
    subject = replace(SUBJECT, predictions=replace(few, frame=frame, source=source), train=None)
    examined(looks, subject=subject, counted=True)
    examined(looks, subject=subject)
    assert seen == [(5, True), (8, False)]


def test_rows_whose_outcome_is_not_known_are_left_out_unless_asked_for():
    seen = []

    def looks(subject):
        seen.append(len(subject.predictions.frame))
        return found()

    frame = SUBJECT.predictions.frame.copy()
    frame.loc[:9, "y_true"] = None
    subject = replace(SUBJECT, predictions=replace(SUBJECT.predictions, frame=frame))
    examined(looks, subject=subject)
    examined(looks, subject=subject, unknown_outcomes=True)
    assert seen == [len(frame) - 10, len(frame)]


def test_a_budget_is_kept_by_looking_at_fewer_rows_unless_the_audit_reads_results():
    rows = 2 * TRIALS[0]
    many = toy_subject(rows=4 * rows, steps=1)
    seen = []

    def looks(subject):
        seen.append(len(subject.predictions.frame))
        return found()

    examined(looks, subject=many, seconds=1000.0)
    assert seen == [TRIALS[0], rows]
    seen.clear()
    there = context(many, results=(replace(found(), audit="other"),), other=choice(looks))
    examined(looks, there, seconds=1000.0, needs=("results",))
    assert seen == [rows]


def audited(tmp_path, names, *, kept=(), budget=None, ended=lambda name: found()):
    """Do the phase of audits with `examine` in place; return what was examined, in order, with the seconds each was given."""
    given = []

    def examining(name, chosen, there, seconds):
        given.append((name, seconds))
        return replace(ended(name), audit=name)

    audits = {name: choice(None, needs=("results",) if name.startswith("reads") else ()) for name in names}
    there = context(**audits)
    there.folder = Folder(path=tmp_path, kept=tuple(f"audits/{name}/result.json" for name in kept))
    there.plan.budget, there.registry, there.events = budget, None, Observer()
    return given, examining, there


def test_audits_without_a_result_are_made_readers_last_and_kept_at_once(tmp_path, monkeypatch):
    files = (TextFile(name="card.md", text="# card"),)
    given, examining, there = audited(
        tmp_path, ["reads-all", "b", "a", "done"], kept=["done"], ended=lambda name: found(files=files)
    )
    monkeypatch.setattr(phases, "examine", examining)
    left = phases.audit(there)
    assert given == [("b", None), ("a", None), ("reads-all", None)]
    assert left == ("verdict.json", *(f"audits/{name}/result.json" for name in ("reads-all", "b", "a", "done")))
    assert there.observer.of("phase") == [("audit", "b, a, reads-all")]
    for name in ("b", "a", "reads-all"):
        assert there.folder.kept(f"audits/{name}/card.md")
        assert there.folder.kept(f"audits/{name}/result.json")
        assert json.loads((tmp_path / "audits" / name / "result.json").read_text())["audit"] == name
        assert (tmp_path / "audits" / name / "card.md").read_text() == "# card"
    assert [result.audit for result in there.events.of("audited")] == ["b", "a", "reads-all"]
    assert json.loads((tmp_path / "verdict.json").read_text())["verdict"] == "not applicable"
    given.clear()
    phases.audit(there)
    assert given == []
    assert there.observer.of("phase")[-1] == ("audit", "nothing is left to do")


def test_a_budget_that_is_used_up_leaves_nothing_and_not_less(tmp_path, monkeypatch):
    clock = iter([0.0, 0.0, 60.0, 200.0])
    given, examining, there = audited(tmp_path, ["a", "b", "c"], budget=90.0)
    monkeypatch.setattr(phases, "examine", examining)
    monkeypatch.setattr(phases.time, "perf_counter", lambda: next(clock))
    phases.audit(there)
    assert given == [("a", 30.0), ("b", 15.0), ("c", 0.0)]


def test_only_audits_of_the_run_are_made_again_and_a_likely_name_is_told():
    there = context(fairness=None, errors=None)
    with pytest.raises(ExperimentError, match="no audit 'fairnes'") as caught:
        phases.audit_again(there, ["errors", "fairnes"])
    assert list(caught.value.available) == ["fairness", "errors"]
    assert "fairness" in str(caught.value.fix)


def test_an_index_that_cannot_be_renewed_costs_a_warning(tmp_path, monkeypatch):
    calls = []
    there = SimpleNamespace(
        events=SimpleNamespace(finished=lambda: calls.append("finished")),
        folder=SimpleNamespace(path=tmp_path / "run", seal=lambda: calls.append("seal")),
        observer=Observer(),
    )
    monkeypatch.setattr(phases, "refresh_index", lambda root: calls.append(root))
    monkeypatch.setattr(phases, "render_index", lambda root: "<html>")
    phases.conclude(there)
    assert calls == ["finished", "seal", tmp_path]
    assert (tmp_path / "index.html").read_text() == "<html>"
    monkeypatch.setattr(phases, "render_index", lambda root: 1 / 0)
    phases.conclude(there)
    assert "could not be renewed: division by zero" in there.observer.of("warn")[0]


def events(tmp_path, complaints=()):
    """Events of a run, with the hooks that were called."""
    hooks: list[tuple[str, dict[str, Any]]] = []

    def notify(hook, **facts):
        hooks.append((hook, {key: value for key, value in facts.items() if key != "folder"}))
        return list(complaints)

    folder, observer = Folder(path=tmp_path), Observer()
    return RunEvents(folder, SimpleNamespace(notify=notify), observer), hooks, folder, observer


def test_each_step_is_told_once_also_after_a_kill(tmp_path):
    told, hooks, folder, observer = events(tmp_path)
    folder.lines = [{"step": 1, "loss": 3.0}, {"step": 2, "loss": 2.0}]
    told.started({}, {"name": "n"})
    for step in (2, 3, 3):
        told.metric({"step": step, "loss": 1.0})
    assert [facts["record"]["step"] for hook, facts in hooks if hook == "glassbench_metric"] == [3]
    assert [record["step"] for record in observer.of("record")] == [2, 3, 3]
    folder.lines.append({"step": 4, "loss": 0.5})
    told.missed()
    told.missed()
    assert [facts["record"]["step"] for hook, facts in hooks if hook == "glassbench_metric"] == [3, 4]


def test_hooks_hear_what_happened_and_their_complaints_are_warnings(tmp_path):
    told, hooks, folder, observer = events(tmp_path, complaints=["odd"])
    (tmp_path / "verdict.json").write_text('{"verdict": "pass"}')
    told.phase_done("fit")
    told.audited(result := replace(found(), audit="a"))
    told.finished()
    told.failed(Failure(phase="audit", message="full"))
    assert hooks == [
        ("glassbench_phase_done", {"phase": "fit"}),
        ("glassbench_audit_done", {"result": result}),
        ("glassbench_run_end", {"verdict": "pass", "report": str(tmp_path / "report.html")}),
        ("glassbench_run_failed", {"phase": "audit", "error": "full"}),
    ]
    assert observer.of("warn") == ["odd"] * 4
    assert folder.logged == [("hook failed", {"complaint": "odd"})] * 4
    assert observer.of("audited") == [result]


def test_seeds_reach_every_generator_and_equal_seeds_build_equal_models():
    drawn = []
    for seed in (1, 1, 2):
        seed_all(seed)
        drawn.append((random.random(), np.random.random(), float(torch.rand(1))))
    assert drawn[0] == drawn[1]
    assert all(one != other for one, other in zip(drawn[0], drawn[2], strict=True))
    linear = SimpleNamespace(make=lambda schema: torch.nn.Linear(schema, 1))
    first, again, other = (build_model(linear, 3, seed).weight for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_whose_code_failed_is_named_unless_it_says_so_itself():
    chosen = SimpleNamespace(component=SimpleNamespace(spec=SimpleNamespace(kind="model", name="m"), canonical="p/m"))
    with pytest.raises(PluginError, match="the model 'p/m' failed while being built") as caught, blamed(chosen, "being built"):
        raise ZeroDivisionError("by zero")
    assert caught.value.got == "ZeroDivisionError: by zero"
    with pytest.raises(DataError, match="own words"), blamed(chosen, "being built"):
        raise DataError("own words")


@pytest.mark.parametrize("code", [0, 1])
def test_processes_of_a_training_are_waited_for_and_their_last_words_kept(monkeypatch, tmp_path, code):
    calls, said = [], "\n".join(f"line {n}" for n in range(9))

    def running(module, path, *, meanwhile):
        calls.append((module, path))
        meanwhile()
        return SimpleNamespace(returncode=code, stderr=said + "\n")

    monkeypatch.setattr(fitting, "run_module", running)
    if code:
        with pytest.raises(FitError, match="several processes failed") as caught:
            fitting.spread(Folder(path=tmp_path), lambda: calls.append("missed"))
        assert caught.value.got == "\n".join(f"line {n}" for n in range(3, 9))
    else:
        fitting.spread(Folder(path=tmp_path), lambda: calls.append("missed"))
    assert calls == [("glassbench.training_process", str(tmp_path)), "missed", "missed"]


SPECS = {
    "groups": ({"needs": ("groups",)}, True),
    "training": ({"needs": ("training data",)}, True),
    "classes": ({"kinds": ("classes",)}, True),
    "values": ({"kinds": ("values",)}, False),
    "tables": ({"modalities": ("table",)}, True),
    "images": ({"modalities": ("image",)}, False),
    "people": ({"people": True}, True),
    "anything": ({}, True),
}


@pytest.mark.parametrize("name", SPECS)
def test_which_audits_are_about_such_rows(name):
    settings, fits = SPECS[name]
    assert about(AuditSpec(name="a", summary=".", target="a:a", **settings), toy_data(), "classes") is fits


def test_rows_without_groups_truths_or_training_rows_have_fewer_audits():
    data = toy_data()
    for need, lacking in (
        ("groups", replace(data, schema=replace(data.schema, sensitive=()))),
        ("truth", replace(data, schema=replace(data.schema, target=replace(data.schema.target, kind="none", classes=())))),
        ("training data", replace(data, train=None)),
    ):
        spec = AuditSpec(name="a", summary=".", target="a:a", needs=(need,))
        assert about(spec, data, "classes")
        assert not about(spec, lacking, "classes")
    unequal = replace(data, schema=replace(data.schema, conditions=("side",), unequal=("side",)))
    assert not about(AuditSpec(name="a", summary=".", target="a:a", needs=("groups",)), unequal, "classes")
    conditions = replace(data, schema=replace(data.schema, conditions=("side",)))
    assert about(AuditSpec(name="a", summary=".", target="a:a", needs=("groups",)), conditions, "classes")
    assert not about(AuditSpec(name="a", summary=".", target="a:a", people=True), conditions, "classes")


def test_provenance_says_which_audits_could_have_been_asked_for():
    specs = {"a": {"answers": "quality"}, "b": {"kinds": ("values",)}, "c": {}}
    components = [
        SimpleNamespace(name=name, spec=AuditSpec(name=name, summary=".", target="a:a", **given)) for name, given in specs.items()
    ]
    registry = SimpleNamespace(of_kind=lambda kind: components if kind == "audit" else [])
    said = offered(registry, SimpleNamespace(task=SimpleNamespace(make=ToyTask)), toy_data())
    assert (said["audits_available"], said["audits_unfit"], said["questions"]) == (["a", "c"], 1, {"a": "quality"})
