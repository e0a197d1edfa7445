"""What fits an experiment, asked of stand-ins: mitigations of rows and models, measures of gates, groups that rows are of."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench.contracts.data import Data, Split
from glassbench.contracts.metric import Metric
from glassbench.contracts.mitigation import Mitigation
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.specs import MitigationSpec
from glassbench.errors import ComponentError, DataError, ExperimentError
from glassbench.experiments.gates import Gate, misdirected
from glassbench.experiments.mitigations import Mitigations, check_rows, misfit, unfit
from glassbench.experiments.planned_measures import check_gate_features, check_gates, check_measured
from glassbench.experiments.planning import _default_trainer, _excluded
from glassbench.pipeline.frames import _index_notes
from glassbench.pipeline.mitigated_data import wrapped
from glassbench.pipeline.notebook_progress import NotebookProgress
from glassbench.pipeline.run_data import _groups

SCHEMA = Schema(modality="table", shape=(1,), target=Target(name="y", kind="class", classes=("a", "b")), sensitive=("sex",))
PLAIN = MitigationSpec(name="m", summary="s", target="a:b", when="while", assumes=".", caution=".", sensitive=False)


def spec(**changes: Any) -> MitigationSpec:
    return replace(PLAIN, **changes)


@pytest.mark.parametrize(
    ("changes", "kind", "form", "words"),
    [
        ({}, "classes", "module", None),
        ({}, "classes", None, "nothing is learnt"),
        ({}, "classes", "external", "external"),
        ({"kinds": ("classes", "labels")}, "labels", "module", None),
        ({"kinds": ("classes", "labels")}, "values", "module", "this task's are of kind values"),
        ({"forms": ("estimator",)}, "classes", "estimator", None),
        ({"forms": ("estimator",)}, "classes", "module", "this one is of form module"),
    ],
)
def test_a_mitigation_serves_kinds_of_predictions_and_forms_of_models(changes, kind, form, words):
    reason = misfit(spec(**changes), kind, form)
    assert (reason is None) if words is None else (words in str(reason))


def test_a_mitigation_of_two_classes_serves_two_and_one_of_groups_needs_a_feature():
    classes = [replace(SCHEMA, target=replace(SCHEMA.target, classes=tuple("abc"[:n]))) for n in (1, 2, 3)]
    assert [unfit(spec(binary=True), schema) is None for schema in classes] == [False, True, False]
    assert [unfit(spec(), schema) is None for schema in classes] == [True] * 3
    bare = replace(SCHEMA, sensitive=())
    assert unfit(spec(sensitive=True), bare) == "the data name no sensitive feature"
    assert unfit(spec(sensitive=True), SCHEMA) is None
    assert unfit(spec(), bare) is None


@pytest.mark.parametrize(
    ("when", "streamed", "fine"),
    [("after", True, True), ("while", True, False), ("before", True, False), ("before", False, True)],
)
def test_rows_that_are_read_part_by_part_are_served_after_training_alone(when, streamed, fine):
    choice: Any = SimpleNamespace(component=SimpleNamespace(spec=spec(when=when)))
    chosen = Mitigations((choice,), (choice.component.spec,))
    if fine:
        check_rows(chosen, SCHEMA, streamed=streamed)
    else:
        with pytest.raises(DataError, match="read part by part"):
            check_rows(chosen, SCHEMA, streamed=streamed)


class Around(Mitigation):
    """Wraps an estimator in its own name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def wrap(self, estimator: Any, data: Data | None) -> Any:
        return (self.name, estimator, data)

    def account(self, data: Data, facts: Any) -> str:
        return self.name


def test_estimators_are_wrapped_by_the_first_mitigation_inside_the_second_and_networks_are_not():
    chain = [Around("first"), Around("second")]
    assert wrapped("model", chain, None) == ("second", ("first", "model", None), None)
    network = torch.nn.Linear(1, 1)
    assert wrapped(network, chain, None) is network


METRICS = (
    Metric(name="accuracy", compute=lambda *_: np.zeros(1), rate=True),
    Metric(name="loss", compute=lambda *_: np.zeros(1), higher_is_better=False, lowest=0.0),
)


def plan(*gates: Gate, measures: tuple[str, ...] | None = ("{metric}", "{metric}_baseline", "recall", "gap_difference")) -> Any:
    """Return a plan with one audit, `perf`."""
    audit = SimpleNamespace(
        measures=measures, higher_is_better=("recall",), lower_is_better=("*_difference",), shares=("recall", "*_difference")
    )
    task = SimpleNamespace(make=lambda: SimpleNamespace(metrics=METRICS[:1]))
    mitigations = SimpleNamespace(made=lambda: (SimpleNamespace(metrics=METRICS[1:]),))
    audits = {"perf": SimpleNamespace(component=SimpleNamespace(spec=audit))}
    return SimpleNamespace(
        gates=gates, task=task, mitigations=mitigations, audits=audits, document=SimpleNamespace(where=lambda path: path)
    )


@pytest.mark.parametrize(
    ("measure", "bound", "words"),
    [
        ("perf.accuracy", {"at_least": 0.5}, None),
        ("perf.accuracy", {"at_most": 0.5}, "higher is better"),
        ("perf.accuracy_baseline", {"at_most": 0.5}, "higher is better"),
        ("perf.accuracy_baseline", {"at_least": 1.5}, "share from 0 to 1"),
        ("perf.loss", {"at_most": 3.0}, None),
        ("perf.loss", {"at_least": 3.0}, "lower is better"),
        ("perf.loss", {"at_most": -1.0}, "never below 0"),
        ("perf.loss_baseline", {"at_most": -1.0}, "never below 0"),
        ("perf.recall[cat]", {"at_least": 0.5}, None),
        ("perf.recall[cat]", {"at_most": 0.5}, "higher is better"),
        ("perf.recall", {"at_least": 50}, "share from 0 to 1"),
        ("perf.gap_difference", {"at_least": 0.1}, "lower is better"),
        ("perf.gap_difference", {"at_most": 1.1}, "share from 0 to 1"),
        ("perf.precision", {"at_least": 0.5}, "measures no 'perf.precision'"),
        ("fair.recall", {"at_least": 0.5}, "no audit of this experiment"),
    ],
)
def test_a_gate_asks_for_what_is_measured_in_its_direction_and_within_its_bounds(measure, bound, words):
    asked = plan(Gate(measure=measure, **bound))
    if words is None:
        check_gates(asked)
    else:
        with pytest.raises(ExperimentError, match=words):
            check_gates(asked)


@pytest.mark.parametrize(
    ("bound", "fix"),
    [
        ({"at_least": 10}, "at_least: 0.1"),
        ({"at_least": 9.9}, "a number from 0 to 1"),
        ({"at_least": 100}, "at_least: 1"),
        ({"at_least": 101}, "a number from 0 to 1"),
        ({"at_most": 5}, "at_most: 0.05"),
        ({"at_most": 1.2}, "at_most: 0.012"),
    ],
)
def test_a_share_that_was_meant_in_per_cent_is_said_as_one(bound, fix):
    found = misdirected(Gate(measure="a.b", **bound), None, highest=1)
    assert found is not None
    assert found[1] == fix


def test_what_an_audit_does_not_say_beforehand_may_be_asked_for():
    check_measured("perf.anything", plan(measures=None), "gates", by="a gate")
    check_measured("perf.*_baseline", plan(), "gates", by="a gate")
    with pytest.raises(ExperimentError, match="measures no"):
        check_measured("perf.*_other", plan(), "gates", by="a gate")


def trainer(name: str, *, trains: str = "module", usual: bool = True, built_in: bool = True, serves: bool = False) -> Any:
    spec = SimpleNamespace(name=name, trains=trains, usual=usual)
    return SimpleNamespace(spec=spec, canonical=f"p:{name}", built_in=built_in, serves=lambda model: serves)


def default_of(*trainers: Any, form: str = "module") -> str:
    model: Any = SimpleNamespace(spec=SimpleNamespace(form=form))
    return _default_trainer(model, SimpleNamespace(of_kind=lambda kind: list(trainers))).use  # type: ignore[arg-type]


def test_a_model_is_trained_by_who_says_so_else_by_the_usual_one_of_its_form():
    unusual, usual, theirs = trainer("a", usual=False), trainer("b"), trainer("c", built_in=False)
    other = trainer("d", trains="estimator")
    assert default_of(unusual, other, usual, theirs) == "p:b"
    assert default_of(unusual, usual, trainer("e", usual=False, built_in=False, serves=True)) == "p:e"
    assert default_of(other, unusual, theirs) == "p:c"
    assert default_of(unusual, usual, other, form="estimator") == "p:d"
    for several in ((usual, trainer("f")), (theirs, trainer("g", built_in=False)), (unusual,)):
        with pytest.raises(ComponentError, match="several trainers train a model of form 'module'"):
            default_of(*several)
    with pytest.raises(ComponentError, match="no installed trainer trains"):
        default_of(other)


def test_audits_are_left_out_whose_model_or_gradients_there_are_not():
    needs = {"plain": ("predictions",), "asks": ("model",), "follows": ("model", "gradients"), "slopes": ("gradients",)}
    audits: Any = {
        name: SimpleNamespace(component=SimpleNamespace(spec=SimpleNamespace(needs=need))) for name, need in needs.items()
    }
    assert set(_excluded(audits, None)) == {"asks", "follows", "slopes"}
    stiff: Any = SimpleNamespace(name="m", gives_gradients=False)
    assert set(_excluded(audits, stiff)) == {"follows", "slopes"}
    smooth: Any = SimpleNamespace(name="m", gives_gradients=True)
    assert _excluded(audits, smooth) == {}


def test_groups_of_gates_are_those_of_any_rows():
    def split(*groups: str | None) -> Split:
        n = len(groups)
        return Split(inputs=(torch.zeros(n, 1),), rows=np.arange(n), groups=pd.DataFrame({"sex": groups, "age": "old"}))

    data = Data(schema=SCHEMA, train=split("m", "f"), validation=split("x"), test=split("f", None))
    gates = (Gate(measure="a.b", at_least=0.5, group={"sex": "x"}), Gate(measure="a.b", at_least=0.5))
    found = _groups(data, SimpleNamespace(gates=gates))  # type: ignore[arg-type]
    assert found == {"sex": ["f", "m", "x"]}
    asked = plan(*gates)
    check_gate_features(asked, ["sex"], found)
    with pytest.raises(ExperimentError, match="that no row is of"):
        check_gate_features(asked, ["sex"], {"sex": ["f", "m"]})
    with pytest.raises(ExperimentError, match="no sensitive feature"):
        check_gate_features(plan(Gate(measure="a.b", at_least=0.5, by=("age",))), ["sex"], {})


def test_an_index_that_is_not_the_order_of_rows_is_told():
    frame = pd.DataFrame({"x": [1, 2, 3]})
    assert _index_notes(frame) == ()
    for index in ([0, 2, 1], [1, 2, 3], ["a", "b", "c"]):
        assert len(_index_notes(frame.set_axis(index))) == 1
    assert "(person)" in _index_notes(frame.rename_axis("person").set_axis(pd.Index([3, 1, 2], name="person")))[0]


def test_a_bar_in_a_notebook_is_filled_audit_by_audit_up_to_the_report(monkeypatch):
    bar = NotebookProgress()
    monkeypatch.setattr(bar, "_draw", lambda: None)
    bar.phase("audit", "a, b, c, d")
    shares = []
    for _ in range(5):
        bar.audited(SimpleNamespace(audit="a", error=None))  # type: ignore[arg-type]
        shares.append(bar._share)
    assert shares == pytest.approx([0.45 + 0.5 * k / 4 for k in (1, 2, 3, 4, 4)])
    bar.phase("report", "report.html")
    assert bar._share == 0.95
