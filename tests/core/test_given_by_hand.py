"""Who wraps what is given from Python, and which baseline runs a gate can be held against; stand-ins for plugins and runs."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from glassbench import Measure
from glassbench.errors import ComponentError, ExperimentError, RunError
from glassbench.experiments.experiment_file import Document
from glassbench.experiments.gates import Gate
from glassbench.experiments.plan import Plan
from glassbench.pipeline import baselines, given_env, given_kind
from glassbench.pipeline.baselines import _check_measures, _check_task, holding, with_baselines
from glassbench.pipeline.given_env import wrap_policy
from glassbench.pipeline.given_kind import encoded_by_plugin, known_kind, wrap_kind

FACTS = {"rows": {"episodes": 3}, "task": {"use": "control"}, "model": {"kind": "policy"}}
CHOSEN = {
    "dataset": {"use": "p/one", "episodes": 3},
    "task": {"use": "control"},
    "model": {"use": given_kind.MODEL, "kind": "policy"},
}


def component(name: str = "one", **targets: str) -> Any:
    spec = dict.fromkeys(("wraps", "wraps_rows", "recognises", "encodes")) | targets
    return SimpleNamespace(name=name, canonical=f"p/{name}", spec=SimpleNamespace(**spec))


def registry(kind: str, *components: Any) -> Any:
    return SimpleNamespace(of_kind=lambda asked: list(components) if asked == kind else [])


@pytest.fixture
def targets(monkeypatch):
    """What targets lead to, by target, and what asked for each."""
    known: dict[str, Any] = {}
    asked: list[tuple[str, str]] = []

    def load(target, what):
        asked.append((target, what))
        return known[target]

    for module in (given_env, given_kind):
        monkeypatch.setattr(module, "load_target", load)
        monkeypatch.setattr(module, "built_in_or_all", lambda found: found)
    return known, asked


@pytest.mark.parametrize(("sensitive", "named"), [("side", ("side",)), (["a", "b"], ("a", "b")), (None, ()), ((), ())])
def test_a_policy_is_wrapped_by_the_one_that_wraps_with_its_settings(targets, sensitive, named):
    calls = []

    def wrap(policy, env, seed, sensitive, *, episodes: int = 1):
        calls.append((policy, env, seed, sensitive, episodes))
        return SimpleNamespace(facts=FACTS)

    targets[0]["m:wrap"] = wrap
    known = registry("dataset", component("other"), component(wraps="m:wrap"))
    external, chosen = wrap_policy(known, "policy", "env", 7, sensitive, {"episodes": 3})
    assert calls == [("policy", "env", 7, named, 3)]
    assert (external.facts, chosen) == (FACTS, CHOSEN)
    assert targets[1] == [("m:wrap", "what wraps for 'one'")]


@pytest.mark.parametrize(("names", "got"), [([], "none"), (["a", "b"], "p/a, p/b")])
def test_a_policy_needs_exactly_one_that_wraps(targets, names, got):
    known = registry("dataset", *(component(name, wraps="m:wrap") for name in names))
    with pytest.raises(ComponentError, match="no single plugin audits policies") as caught:
        wrap_policy(known, None, None, 0, None, {})
    assert (caught.value.got, caught.value.where) == (got, "env")


def test_a_model_and_its_rows_are_wrapped_with_what_was_said_of_reading(targets):
    calls = []

    def wrap(model, rows, *, sep: str = ","):
        calls.append((model, rows, sep))
        return SimpleNamespace(facts=FACTS)

    targets[0]["m:wrap"] = wrap
    rows: Any = object()
    external, chosen = wrap_kind(component(wraps_rows="m:wrap"), "model", rows, {"sep": ";"})
    assert calls == [("model", rows, ";")]
    assert (external.facts, chosen) == (FACTS, CHOSEN)
    assert targets[1] == [("m:wrap", "what wraps for 'one'")]


def test_the_kind_of_a_model_is_known_by_one_that_recognises_it(targets):
    targets[0].update({"m:yes": lambda model: model == "model", "m:no": lambda model: False})
    one, other, silent = component(recognises="m:yes"), component("two", recognises="m:no"), component("three")
    assert known_kind(registry("dataset", silent, other, one), "model") is one
    assert targets[1] == [("m:no", "what recognises models for 'two'"), ("m:yes", "what recognises models for 'one'")]
    assert known_kind(registry("dataset", silent, other, one), "another") is None
    assert known_kind(registry("model", one), "model") is None
    with pytest.raises(ComponentError, match="several plugins audit models of this kind") as caught:
        known_kind(registry("dataset", one, one), "model")
    assert (caught.value.got, caught.value.where) == ("p/one, p/one", "model")


def test_rows_are_encoded_by_the_plugin_that_knows_the_model(targets):
    calls = []

    def encode(model, X, background, *, unit: str = "row"):
        calls.append((model, X, background, unit))
        return "encoded"

    targets[0].update({"m:knows": lambda model, X: (model, X) == ("model", [1]), "m:encode": encode})
    known = registry("model", component("silent"), component(recognises="m:knows", encodes="m:encode"))
    assert encoded_by_plugin(known, "model", [1], [2], {"unit": "text"}) == "encoded"  # type: ignore[comparison-overlap]
    assert calls == [("model", [1], [2], "text")]
    assert targets[1][-1] == ("m:encode", "what encodes rows for 'one'")
    assert encoded_by_plugin(known, "another", [1], None, {}) is None
    assert len(calls) == 1


HELD = (Measure(name="a.x", value=0.2, higher_is_better=True), Measure(name="a.y", value=0.3, higher_is_better=False))
GATE = Gate(measure="a.x", no_worse_than="base", margin=0.05)
PLAIN = Gate(measure="a.y", at_most=0.5)


class Base:
    """A baseline run."""

    run = "base"

    def __init__(self, path: Any, fails: str | None = None) -> None:
        self.path, self.fails, self.asked = path, fails, []  # type: ignore[var-annotated]

    def confirm(self):
        self._step("confirm")

    def require(self, phase):
        self._step(phase)

    def _step(self, name: str) -> None:
        self.asked.append(name)
        if name == self.fails:
            raise RunError(f"{name} failed", got="odd", fix="mend it")

    def results(self):
        return [SimpleNamespace(measures=HELD[:1]), SimpleNamespace(measures=HELD[1:])]


def planned(*gates: Gate) -> Any:
    task = SimpleNamespace(component=SimpleNamespace(canonical="p/classes", name="classes"))
    return Plan(
        name="n", seed=0, gates=gates, dataset=None, task=task, model=None, trainer=None, audits={}, excluded={},  # type: ignore[arg-type]
        document=Document({}, name="e.yaml"),
    )  # fmt: skip


@pytest.fixture
def base(tmp_path, monkeypatch):
    """A baseline run beside others, and the names that were looked for."""
    folder = tmp_path / "runs" / "base"
    folder.mkdir(parents=True)
    (folder / "resolved.yaml").write_text("task: {use: p/classes}\n")
    found, names = Base(folder), []  # type: ignore[var-annotated]
    monkeypatch.setattr(baselines, "find_run", lambda name, root: names.append((name, root)) or found)
    return found, names


@pytest.mark.parametrize("beside", [True, False])
def test_gates_name_their_baseline_by_its_id_or_by_its_path_elsewhere(base, tmp_path, beside):
    found, names = base
    root = tmp_path / ("runs" if beside else "others")
    plan = with_baselines(planned(PLAIN, GATE), root)
    assert plan.gates[0] is PLAIN
    assert plan.gates[1] == GATE.model_copy(update={"no_worse_than": "base" if beside else str(found.path)})
    assert (names, found.asked) == ([("base", root)], ["confirm", "audit"])


@pytest.mark.parametrize("step", ["confirm", "audit"])
def test_a_baseline_that_is_damaged_or_unfinished_is_refused_before_anything_is_trained(base, tmp_path, step):
    base[0].fails = step
    with pytest.raises(ExperimentError, match=f"baseline run cannot be used: {step} failed") as caught:
        with_baselines(planned(PLAIN, GATE), tmp_path / "runs")
    assert (caught.value.got, caught.value.fix) == ("odd", "mend it")
    assert "gates.1.no_worse_than" in str(caught.value.where)


@pytest.mark.parametrize(
    "written", ["task: p/classes", "task: classes", "task: {use: classes}", "task: {use: p/values}", "task: values"]
)
def test_a_baseline_is_of_the_same_task(base, written):
    (base[0].path / "resolved.yaml").write_text(written + "\n")
    if "classes" in written:
        _check_task(planned(), base[0], "here")
    else:
        with pytest.raises(ExperimentError, match="another task") as caught:
            _check_task(planned(), base[0], "here")
        assert (caught.value.got, caught.value.available) == (written.split(" ")[-1].strip("}"), ("p/classes",))


def test_a_baseline_holds_the_measure_and_less_or_more_of_it_is_better():
    _check_measures(GATE, HELD, "here", "base")
    with pytest.raises(ExperimentError, match="base does not hold the measure") as caught:
        _check_measures(GATE.model_copy(update={"measure": "a.z"}), HELD, "here", "base")
    assert (caught.value.got, caught.value.available, caught.value.where) == ("a.z", ("a.x", "a.y"), "here")
    undirected = [replace(HELD[0], higher_is_better=None), HELD[1]]
    with pytest.raises(ExperimentError, match="neither more nor less") as caught:
        _check_measures(GATE, undirected, "here", "base")
    assert (caught.value.got, caught.value.available) == ("a.x", ("a.y",))


def test_a_baseline_is_read_once_and_one_that_is_gone_decides_nothing(base, monkeypatch):
    found, names = base
    pairs = []
    monkeypatch.setattr(baselines, "JudgedRun", lambda path, results, registry: path)
    monkeypatch.setattr(baselines, "differences", lambda first, second: pairs.append((first, second)) or ("differ",))
    monkeypatch.setattr(baselines, "judge_against", lambda gate, differ: (gate.margin, differ))
    folder = Base(found.path.parent / "now")
    judged = holding(folder, None)  # type: ignore[arg-type]
    assert [judged(GATE), judged(GATE.model_copy(update={"margin": 0.1}))] == [(0.05, ("differ",)), (0.1, ("differ",))]
    assert pairs == [(found.path, folder.path)]
    assert names == [("base", found.path.parent)]
    found.fails = "audit"
    lost = holding(folder, None)(GATE)  # type: ignore[arg-type]
    assert (lost.verdict, lost.gate) == ("insufficient evidence", GATE)
    assert lost.reason == "the baseline run base cannot be held against: audit failed"
