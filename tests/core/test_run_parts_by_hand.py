"""Parts of a run with stand-ins: what mitigations change, frames that were given, baseline rows, and what stands for a module."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from glassbench import Mitigation
from glassbench.contracts.data import Data
from glassbench.errors import DataError, ExperimentError, FitError, PluginError, RunError
from glassbench.experiments.experiment_file import Document
from glassbench.experiments.gates import Gate
from glassbench.experiments.mitigated_task import MitigatedLoss, MitigatedTask
from glassbench.pipeline import baselines, phases
from glassbench.pipeline.baselines import _check_margin, check_baseline_rows
from glassbench.pipeline.frames import FRAME, kept, reading, with_table
from glassbench.pipeline.given_env import refuse_rows
from glassbench.pipeline.given_kind import known_kind, refuse_decisions
from glassbench.pipeline.given_module import check_one_process, settings_of_batches, with_given
from glassbench.pipeline.mitigated_data import (
    TransformingEncoder,
    check_mitigations,
    fitted_inputs,
    with_inputs,
    with_training_rows,
    wrapped,
)
from glassbench.pipeline.remembered import remembered
from glassbench.pipeline.run_context import RunContext
from glassbench.pipeline.run_data import source_data
from glassbench.testing import toy_data
from glassbench.testing.fixtures import ToyTask, toy_model


class Shift(Mitigation):
    """Takes the training mean off the inputs; the second of two sees what the first left."""

    def __init__(self, by: float = 1.0) -> None:
        self.by = by

    def fit_inputs(self, train, schema):
        return {"mean": float(train.inputs[0].mean()), "by": self.by}

    def transform(self, split, facts):
        return replace(split, inputs=(split.inputs[0] - facts["mean"] + facts["by"],))

    def account(self, data, facts):
        return "shifted"


class Halves(Mitigation):
    """Leaves every second training row out, and wraps estimators."""

    def training_rows(self, train, schema, seed):
        return train.take(np.arange(seed, len(train), 2))

    def wrap(self, estimator, data):
        return ("wrapped", estimator)

    def objective(self, data):
        return Doubled()

    def account(self, data, facts):
        return "halved"


class Doubled(nn.Module):
    def forward(self, losses, output, batch):
        return 2 * losses


class Turned(Mitigation):
    """Turns every decision round, as its facts say."""

    decides = True

    def fit_decisions(self, predictions, schema):
        return {"names": list(schema.target.classes), "seen": predictions.frame["y_pred"].iloc[0]}

    def decide(self, predictions, facts):
        first, second = facts["names"]
        frame = predictions.frame.assign(y_pred=predictions.frame["y_pred"].map({first: second, second: first}))
        return replace(predictions, frame=frame)

    def account(self, data, facts):
        return "turned"


DATA = toy_data()


def means(data: Data) -> list[float]:
    return [float(part.inputs[0].mean()) for part in (data.train, data.validation, data.test)]


def test_inputs_are_fitted_in_order_to_training_rows_and_changed_in_every_part():
    chain = [Shift(1.0), Halves(), Shift(5.0)]
    facts = fitted_inputs(chain, DATA)
    plain = means(DATA)
    assert facts[1] is None
    assert facts[0] == {"mean": pytest.approx(plain[0]), "by": 1.0}
    assert facts[2] == {"mean": pytest.approx(1.0, abs=1e-6), "by": 5.0}
    changed = with_inputs(replace(DATA, encoder=SimpleNamespace(encode=lambda raw: DATA.test, width=4)), chain, facts)
    assert means(changed) == pytest.approx([mean - plain[0] + 5 for mean in plain], abs=1e-5)
    assert torch.equal(changed.encoder.encode(None).inputs[0], changed.test.inputs[0])
    assert isinstance(changed.encoder, TransformingEncoder)
    assert changed.encoder.width == 4
    assert with_inputs(DATA, [Halves()], [None]) is DATA
    assert means(DATA) == plain


def test_rows_are_drawn_again_for_training_alone_and_estimators_wrapped():
    assert len(with_training_rows(DATA, [Halves(), Halves()], 0).train) == len(DATA.train) / 4
    again = with_training_rows(DATA, [Halves()], 1)
    assert again.train.rows.tolist() == DATA.train.rows[1::2].tolist()
    assert (again.validation, again.test) == (DATA.validation, DATA.test)
    assert wrapped("estimator", [Halves(), Halves()], None) == ("wrapped", ("wrapped", "estimator"))
    network = nn.Linear(1, 1)
    assert wrapped(network, [Halves()], None) is network


def chosen(*made: Mitigation) -> Any:
    choices = [SimpleNamespace(component=SimpleNamespace(spec=SimpleNamespace(name=type(one).__name__))) for one in made]
    return SimpleNamespace(choices=choices, made=lambda: list(made))


@pytest.mark.parametrize("validation", [None, DATA.validation.take(np.arange(0)), replace(DATA.validation, target=None)])
def test_what_decides_needs_validation_rows_with_outcomes(validation):
    bare = replace(DATA, validation=validation)
    check_mitigations(chosen(Shift(), Halves()), bare, ToyTask(), None)
    check_mitigations(chosen(Turned()), DATA, ToyTask(), None)
    with pytest.raises(DataError, match="'Turned' is fitted to validation rows"):
        check_mitigations(chosen(Shift(), Turned()), bare, ToyTask(), None)


class Played:
    """Episodes that pay so much."""

    def __init__(self, pay: float) -> None:
        self.pay = pay

    def make(self, seed: int) -> Any:
        raise NotImplementedError


class Taxed(Mitigation):
    """Halves what episodes pay."""

    def training_episodes(self, episodes: Any, schema: Any) -> Any:
        return Played(episodes.pay / 2)

    def account(self, data: Any, facts: Any) -> str:
        return "Halved."


def test_episodes_to_learn_from_and_to_choose_weights_by_are_paid_otherwise_and_those_to_judge_by_are_not():
    data = replace(DATA, train=Played(8.0), validation=Played(4.0), test=Played(2.0))
    changed = with_training_rows(data, [Taxed(), Halves(), Taxed()], 0)
    assert (changed.train.pay, changed.validation.pay, changed.test.pay) == (2.0, 1.0, 2.0)
    assert with_training_rows(replace(data, validation=None), [Taxed()], 0).validation is None
    check_mitigations(chosen(Taxed()), data, ToyTask(), None)
    with pytest.raises(DataError, match="'Halves' cannot serve episodes: it acts on rows"):
        check_mitigations(chosen(Taxed(), Halves()), data, ToyTask(), None)


def mitigated(*made: Mitigation) -> MitigatedTask:
    task = MitigatedTask(ToyTask(), made)
    task.check(DATA.schema)
    return task


class Calibrated(ToyTask):
    """A task whose predictions need what it reads off held-out rows; it keeps the order in which it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.predicted: list[int] = []

    def calibrate(self, model: Any, data: Data) -> dict[str, Any]:
        self.asked.append("calibrate")
        return {"temperature": 2.0}

    def use_calibration(self, facts: Any) -> None:
        assert facts == {"temperature": 2.0}
        self.asked.append("use")

    def predict(self, model: Any, source: Any) -> Any:
        self.asked.append("predict")
        self.predicted = source.rows.tolist()
        return super().predict(model, source)


def test_mitigations_are_fitted_to_what_the_task_predicts_once_it_is_calibrated() -> None:
    own = Calibrated()
    task = MitigatedTask(own, (Turned(),))
    task.check(DATA.schema)
    facts = task.calibrate(toy_model(DATA.schema), DATA)
    assert own.asked == ["calibrate", "use", "predict"]
    assert own.predicted == DATA.validation.rows.tolist()  # no row that was descended on, and none that is judged by
    assert facts is not None
    assert facts["task"] == {"temperature": 2.0}
    MitigatedTask(own, (Turned(),)).use_calibration(facts)
    assert own.asked[3:] == ["use"]


def test_decisions_are_changed_by_each_mitigation_in_turn_wherever_rows_are_predicted():
    model, plain = toy_model(DATA.schema), ToyTask()
    plain.check(DATA.schema)
    once, twice = mitigated(Shift(), Turned()), mitigated(Turned(), Turned())
    with pytest.raises(RunError, match="the rule that turns scores into decisions is missing"):
        once.predict(model, DATA.test)
    expected = plain.predict(model, DATA.test).frame["y_pred"]
    for task, turned in ((once, True), (twice, False)):
        facts = task.calibrate(model, DATA)
        assert facts["task"] is None
        assert [found is None for found in facts["decisions"]] == [isinstance(one, Shift) for one in task.mitigations]
        task.use_calibration(json.loads(json.dumps(facts)))
        found = task.predict(model, DATA.test)
        assert ((found.frame["y_pred"] != expected).all()) == turned
        assert task.predict_rows(model, DATA.test).frame["y_pred"].tolist() == found.frame["y_pred"].tolist()
        with pytest.raises(RunError, match="a mitigation decides"):
            task.decision()
    seen = [found["seen"] for found in twice.calibrate(model, DATA)["decisions"]]
    assert seen[0] != seen[1]  # the second is fitted to what the first decided
    assert mitigated(Shift()).calibrate(model, DATA) is None


def test_the_loss_of_each_row_is_changed_before_weights_are_applied():
    task, optimization = mitigated(Shift(), Halves(), Halves()), SimpleNamespace()
    learner = task.learner(toy_model(DATA.schema), DATA, optimization)
    assert isinstance(learner.loss, MitigatedLoss)
    batch = DATA.train.batch(slice(0, 8))
    output = torch.randn(8, 2)
    plain = ToyTask()
    loss = MitigatedLoss(plain.row_loss, [Doubled(), Doubled()])
    assert torch.allclose(loss(output, batch), 4 * plain.row_loss(output, batch))
    with pytest.raises(FitError, match="no loss per row"):
        MitigatedLoss(plain.loss, [Doubled()])(output, batch)
    assert not isinstance(mitigated(Shift()).learner(toy_model(DATA.schema), DATA, optimization).loss, MitigatedLoss)


def test_what_a_run_remembers_is_json_of_each_part():
    encoder = SimpleNamespace(to_json=lambda: {"width": 4})
    files = remembered(replace(DATA, encoder=encoder), mitigations=[Shift()])
    assert set(files) == {"schema.json", "data.json", "encoder.json", "mitigations.json"}
    assert json.loads(files["encoder.json"]) == {"width": 4}
    assert json.loads(files["schema.json"]) == json.loads(json.dumps(DATA.schema.to_json()))
    assert json.loads(files["mitigations.json"])["inputs"][0]["by"] == 1.0
    assert set(remembered(DATA)) == {"schema.json", "data.json"}


FRAME_OF_TWO = pd.DataFrame({"a": [1, 2], 3: ["x", "y"]}, index=pd.Index([7, 9], name="id"))


def test_a_frame_is_kept_for_its_run_and_removed_when_no_run_takes_it(tmp_path):
    with kept(FRAME_OF_TWO, tmp_path / "runs") as frame:
        assert frame.path.name == FRAME
        assert frame.source == "pandas DataFrame of 2 rows, kept as data.parquet"
        assert frame.notes == ("The index of the DataFrame (id) was not used: rows are numbered from 0 in its order.",)
        pd.testing.assert_frame_equal(pd.read_parquet(frame.path), pd.DataFrame({"a": [1, 2], "3": ["x", "y"]}))
    assert not list((tmp_path / "runs").iterdir())
    with kept(FRAME_OF_TWO.reset_index(drop=True), tmp_path) as frame:
        assert frame.notes == ()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([1, 2], "data takes one DataFrame"),
        (pd.DataFrame({"a": []}), "the table is empty"),
        (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])), "several levels"),
        (pd.DataFrame([[1, 2]], columns=["3", 3]), "two columns are called '3'"),
        (pd.DataFrame({"a": [1, "x", object()]}), "column 'a' holds values of several kinds"),
    ],
)
def test_what_is_no_table_leaves_nothing(tmp_path, data, words):
    with pytest.raises(DataError, match=words), kept(data, tmp_path):
        raise AssertionError
    assert not list(tmp_path.iterdir())


def document(**content: Any) -> Document:
    return Document(content=content)


def test_an_experiment_reads_the_frame_unless_it_names_a_file(tmp_path):
    for given in ("table", {"use": "table"}, {"use": "table", "path": None}):
        found = with_table(document(dataset=given, seed=1), "path", tmp_path).content
        assert found == {"dataset": {"use": "table", "path": str(tmp_path)}, "seed": 1}
    with pytest.raises(ExperimentError, match="names a file, and a data frame was given"):
        with_table(document(dataset={"use": "table", "path": "x.csv"}), "path", tmp_path)
    with pytest.raises(ExperimentError, match="'digits' reads no table"):
        with_table(document(dataset="digits"), None, tmp_path)
    plan = SimpleNamespace(table_setting=None)
    assert reading(plan, tmp_path) is plan


@pytest.mark.parametrize("name", ["X", "y", "cluster", "weight", "classes", "positive", "background", "reading"])
def test_rows_and_an_environment_are_not_both_given(name):
    nothing = dict.fromkeys(("X", "y", "cluster", "weight", "classes", "positive", "background", "reading"))
    refuse_rows({**nothing, "classes": ()})
    with pytest.raises(DataError, match=f"takes no {name}"):
        refuse_rows({**nothing, name: "given"})


@pytest.mark.parametrize("name", ["y", "weight", "classes", "positive", "favourable", "outputs"])
def test_a_model_of_a_known_kind_takes_no_word_on_decisions(name):
    refuse_decisions({"outputs": "auto", "classes": (), "favourable": None})
    with pytest.raises(DataError, match=f"takes no {name}"):
        refuse_decisions({name: "given"})


def test_a_kind_that_nobody_knows_has_no_reader():
    registry = SimpleNamespace(of_kind=lambda kind: [SimpleNamespace(spec=SimpleNamespace(recognises=None), name="n")])
    assert known_kind(registry, object()) is None


def test_what_stands_for_a_module_and_its_loaders():
    found = with_given(document(dataset={"classes": ["a"]}, trainer={"max_epochs": 3, "keep": "best"}), "classification").content
    assert found["task"] == "classification"
    assert found["dataset"] | {"use": ""} == {"use": "", "classes": ["a"]}
    assert found["trainer"] == {
        "use": "lightning", "devices": 1, "keep": "best", "early_stopping": None, "deterministic": False, "max_epochs": 3,
    }  # fmt: skip
    assert with_given(document(task="regression", trainer="lightning"), "classification").content["task"] == "regression"
    assert settings_of_batches(document()) == {}
    for bad, words in (
        ({"dataset": "digits"}, "names no data set"),
        ({"dataset": {"use": "digits"}}, "names no data set"),
        ({"model": {"use": "mlp"}}, "names none"),
        ({"trainer": {"learning_rate": 0.1}}, "decide `learning_rate`"),
    ):
        with pytest.raises(ExperimentError, match=words):
            with_given(document(**bad), "classification")


@pytest.mark.parametrize("several", [True, False])
def test_a_module_from_python_is_trained_in_one_process(several):
    plan = SimpleNamespace(trainer=SimpleNamespace(make=lambda: SimpleNamespace(several_processes=several)))
    check_one_process(SimpleNamespace(trainer=None))
    if several:
        with pytest.raises(FitError, match="this process alone"):
            check_one_process(plan)
    else:
        check_one_process(plan)


def test_a_data_set_returns_data_and_external_ones_are_taken_as_they_are():
    component = SimpleNamespace(spec=SimpleNamespace(kind="dataset", name="d"), canonical="p/d")
    seeds: list[int] = []
    plan = SimpleNamespace(seed=7, dataset=SimpleNamespace(component=component, make=lambda seed: seeds.append(seed) or DATA))
    assert source_data(plan).test.rows.tolist() == DATA.test.rows.tolist()
    assert seeds == [7]
    assert source_data(plan, SimpleNamespace(data=DATA)).source == "generated"
    assert seeds == [7]
    plan.dataset.make = lambda seed: DATA.test
    with pytest.raises(PluginError, match="'p/d' must return Data"):
        source_data(plan)
    plan.dataset.make = lambda seed: 1 / 0
    with pytest.raises(PluginError, match="failed while reading its data"):
        source_data(plan)


def against(margin: float, *values: float, unit: str | None = None) -> None:
    gate = Gate(measure="a.x", no_worse_than="run", margin=margin)
    _check_margin(gate, [SimpleNamespace(unit=unit, value=value, low=None, high=None) for value in values], "gates.0.margin")


def test_a_margin_of_a_share_is_a_share():
    with pytest.raises(ExperimentError, match="a margin of 1 allows anything") as caught:
        against(1.0, 0.2, 0.8)
    assert caught.value.fix == "margin: 0.01, which is 1 points"
    against(0.99, 0.2, 0.8)
    against(1.0, 0.2, 1.3)
    against(1.0)
    against(1.0, 0.2, unit="kg")
    wide: Any = [
        SimpleNamespace(unit=None, value=0.2, low=-0.1, high=0.8),
        SimpleNamespace(unit=None, value=0.2, low=0.1, high=1.2),
    ]
    for measure in wide:
        _check_margin(Gate(measure="a.x", no_worse_than="run", margin=1.0), [measure], "gates.0.margin")


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (DATA.test.rows, "same"),
        (DATA.test.rows[::-1], "same"),
        (DATA.test.rows[1:], "other"),
        (np.append(DATA.test.rows, DATA.train.rows), "other"),
        (DATA.train.rows, "independent"),
    ],
)
def test_a_baseline_was_judged_by_the_same_rows_or_by_none_of_them(tmp_path, monkeypatch, rows, outcome):
    pd.DataFrame({"row": rows}).to_parquet(tmp_path / "predictions.parquet")
    (tmp_path / "schema.json").write_text(json.dumps(DATA.schema.to_json()))
    monkeypatch.setattr(baselines, "find_run", lambda name, root: SimpleNamespace(path=tmp_path))
    plan = SimpleNamespace(gates=[Gate(measure="a.x", no_worse_than="run", margin=0.1)] * 2)
    if outcome == "other":
        with pytest.raises(ExperimentError, match="judged by other rows") as caught:
            check_baseline_rows(plan, DATA, tmp_path)
        assert caught.value.got == f"{min(len(rows), len(DATA.test))} rows in both, of {len(rows)} and {len(DATA.test)}"
    else:
        assert len(check_baseline_rows(plan, DATA, tmp_path)) == (outcome == "independent")
    other = replace(DATA, schema=replace(DATA.schema, target=replace(DATA.schema.target, name="z")))
    with pytest.raises(ExperimentError, match="the target's name differs"):
        check_baseline_rows(plan, other, tmp_path)
    assert check_baseline_rows(SimpleNamespace(gates=[]), other, tmp_path) == []


def asked_for_rows(path):
    spec = SimpleNamespace(reader=None, name="table")
    plan = SimpleNamespace(dataset=SimpleNamespace(component=SimpleNamespace(spec=spec), settings=None))
    return RunContext.read_rows(SimpleNamespace(plan=plan), path)  # type: ignore[arg-type]


def test_rows_to_decide_are_read_as_text_and_there_is_at_least_one(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a, b\n01, x\n,NA\n")
    assert asked_for_rows(path).to_dict("list") == {"a": ["01", ""], "b": ["x", "NA"]}
    pd.DataFrame({"a": [1.5]}).to_parquet(tmp_path / "rows.parquet")
    assert asked_for_rows(tmp_path / "rows.parquet")["a"].tolist() == [1.5]
    for text, words in (("a,b\n", "no rows to decide"), ("", "cannot be read")):
        path.write_text(text)
        with pytest.raises(DataError, match=words):
            asked_for_rows(path)


@pytest.mark.parametrize(("again", "needed"), [(phases.report_again, "audit"), (phases.audit_again, "predict")])
def test_what_is_made_again_needs_what_comes_before_it(again, needed):
    asked = []

    def require(phase):
        asked.append(phase)
        raise RunError("it is not done")

    folder = SimpleNamespace(require=require)
    with pytest.raises(RunError, match="not done"):
        again(SimpleNamespace(folder=folder, plan=SimpleNamespace(audits={"a": None})))
    assert asked == [needed]
