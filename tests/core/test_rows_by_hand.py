"""What generic code does with rows (`rows/`), worked out by hand: counts, unknown outcomes, survey weights, labels one by one."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from glassbench import AuditResult, Chart, Finding, Measure, Method, Predictions, Split, Subject, Table
from glassbench.contracts.predictions.labels import Labels
from glassbench.contracts.schema import Target
from glassbench.rows import expand_counts as expansion
from glassbench.rows.coded_classes import with_coded_classes
from glassbench.rows.expand_counts import expand_counts
from glassbench.rows.known_outcomes import with_known_outcomes
from glassbench.rows.single_choices import ChoiceEvidence, put_together, single_choices
from glassbench.rows.survey_weights import UNWEIGHTED, saying_unweighted, training_target, unweighted, weighing
from glassbench.testing import toy_subject
from glassbench.testing.fixtures import ToyTask


@pytest.fixture(scope="module")
def subject() -> Subject:
    return toy_subject(rows=80, steps=5)


def of(subject: Subject, places: list[int], **columns: Any) -> Subject:
    """Return a subject of some of its rows, with further columns, and sources that carry the same."""
    taken = subject.predictions.take(np.array(places))
    assert taken.source is not None
    beside = {"frequency": columns.get("frequency"), "weights": columns.get("weight")}
    source = replace(taken.source, **{k: np.asarray(v) for k, v in beside.items() if v is not None})
    predictions = replace(taken, frame=taken.frame.assign(**columns), source=source)
    return replace(subject, predictions=predictions)


def test_counted_rows_stand_for_themselves_with_inputs_and_explained_choices(subject: Subject) -> None:
    counted = of(subject, [3, 0, 7], frequency=[2, 1, 3])
    counted = replace(counted, predictions=replace(counted.predictions, target_index=torch.tensor([5, 6, 8])))
    found, before = expand_counts(counted).predictions, counted.predictions.frame
    wanted = [0, 0, 1, 2, 2, 2]
    assert found.frame["row"].tolist() == before["row"].iloc[wanted].tolist()
    assert found.frame["y_pred"].tolist() == before["y_pred"].iloc[wanted].tolist()
    assert found.frame.index.tolist() == list(range(6))
    assert "frequency" not in found.frame
    assert found.target_index is not None
    assert found.target_index.tolist() == [5, 5, 6, 8, 8, 8]
    assert found.source is not None
    assert found.source.frequency is None
    assert counted.predictions.source is not None
    assert torch.equal(found.source.inputs[0], counted.predictions.source.inputs[0][wanted])


def test_rows_without_counts_and_too_many_counted_ones_stay(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    assert expand_counts(subject) is subject
    counted = of(subject, [0, 1], frequency=[3, 4])
    monkeypatch.setattr(expansion, "MOST", 7)
    assert len(expand_counts(counted).predictions.frame) == 7
    monkeypatch.setattr(expansion, "MOST", 6)
    assert expand_counts(counted) is counted


def test_rows_without_an_outcome_are_left_out_with_their_inputs(subject: Subject) -> None:
    whole = of(subject, [0, 1, 2, 3])
    assert with_known_outcomes(whole) is whole
    frame = whole.predictions.frame
    known = np.array([True, False, True, False])
    some = replace(whole, predictions=replace(whole.predictions, frame=frame.assign(y_true=frame["y_true"].where(known))))
    found = with_known_outcomes(some).predictions
    assert found.frame["row"].tolist() == frame["row"].iloc[[0, 2]].tolist()
    assert found.source is not None
    assert whole.predictions.source is not None
    assert torch.equal(found.source.inputs[0], whole.predictions.source.inputs[0][[0, 2]])
    none = replace(whole, predictions=replace(whole.predictions, frame=frame.assign(y_true=None)))
    assert "y_true" not in with_known_outcomes(none).predictions.frame
    assert len(with_known_outcomes(none).predictions.frame) == 4
    bare = replace(whole, predictions=replace(whole.predictions, frame=frame.drop(columns="y_true")))
    assert with_known_outcomes(bare) is bare


def test_rows_that_weigh_nothing_are_left_out_and_the_others_keep_their_weights(subject: Subject) -> None:
    assert weighing(subject) is subject
    weighted = of(subject, [0, 1, 2], weight=[0.5, 2.0, 0.1])
    assert weighing(weighted) is weighted
    found = weighing(of(subject, [4, 5, 6], weight=[0.0, 2.0, 0.1])).predictions
    assert found.frame["row"].tolist() == subject.predictions.frame["row"].iloc[[5, 6]].tolist()
    assert found.frame["weight"].tolist() == [2.0, 0.1]
    assert found.source is not None
    assert found.source.weights is not None
    assert found.source.weights.tolist() == [2.0, 0.1]


def test_rows_that_count_alike_have_no_weights_anywhere(subject: Subject) -> None:
    assert unweighted(subject) is subject
    assert isinstance(subject.train, Split)
    train = replace(subject.train, weights=np.ones(len(subject.train)))
    weighted = replace(of(subject, [0, 1, 2], weight=[0.5, 2.0, 0.1]), train=train)
    found = unweighted(weighted)
    assert "weight" not in found.predictions.frame
    assert len(found.predictions.frame) == 3
    assert found.predictions.source is not None
    assert found.predictions.source.weights is None
    assert found.train is not None
    assert found.train.weights is None


def test_a_result_says_first_that_rows_count_alike_unless_it_says_nothing() -> None:
    method = Method(summary="Rows.", cautions=("Few rows.",))
    assert saying_unweighted(AuditResult(method=method)).method.cautions == (UNWEIGHTED, "Few rows.")
    for silent in (AuditResult(method=method, not_applicable="no"), AuditResult(method=method, error="broken")):
        assert saying_unweighted(silent) is silent


def rows_of(target: list[Any], weights: list[float] | None = None) -> Split:
    held = None if weights is None else np.array(weights)
    return Split(inputs=(torch.zeros(len(target), 1),), rows=np.arange(len(target)), target=torch.tensor(target), weights=held)


def test_weighted_training_rows_are_sampled_in_proportion() -> None:
    assert training_target(None) is None
    assert training_target(rows_of([1, 0, 1]), axes=2) is None
    plain = training_target(rows_of([1, 0, 1]))
    assert plain is not None
    assert plain.tolist() == [1, 0, 1]
    found = training_target(rows_of([2, 0, 1, 0], [1.0, 2.0, 4.0, 1.0]))
    assert found is not None
    assert np.bincount(found).tolist() == [37_500, 50_000, 12_500]
    values = training_target(rows_of([4.0, -1.0, 0.5], [1.0, 0.0, 3.0]))
    assert values is not None
    assert sorted(set(values.tolist())) == [0.5, 4.0]
    assert values.mean() == pytest.approx(1.375, abs=1e-4)
    pairs = training_target(rows_of([[1.0, 0.0], [0.0, 1.0]], [3.0, 1.0]), axes=2)
    assert pairs is not None
    assert pairs.mean(axis=0) == pytest.approx([0.75, 0.25], abs=1e-4)


def test_classes_are_coded_once_in_one_order_with_unknown_ones_missing(subject: Subject) -> None:
    frame = of(subject, [0, 1, 2, 3]).predictions.frame
    names = list(subject.schema.target.classes)
    texts = {"y_true": [names[1], None, names[1], names[1]], "y_pred": ["other", names[1], names[1], "other"]}
    coded = frame.assign(**{name: pd.Series(column, dtype="str") for name, column in texts.items()})
    found = with_coded_classes(replace(subject, predictions=Predictions(frame=coded))).predictions.frame
    for name, column in texts.items():
        assert list(found[name].cat.categories) == sorted([*names, "other"])
        assert found[name].astype(object).where(found[name].notna(), None).tolist() == column
    mixed = replace(subject, predictions=Predictions(frame=coded.assign(y_true=coded["y_true"].astype(object))))
    assert with_coded_classes(mixed) is mixed


class LabelTask(ToyTask):
    def __init__(self) -> None:
        super().__init__()
        self.kind = Labels()


GIVEN = {"a": [1, 0, 0, 1], "b": [1, 1, 1, 0], "c": [0, 0, 0, 0]}
TRUE = {"a": [1.0, 0.0, np.nan, 0.0], "b": [1.0, 0.0, 1.0, 1.0], "c": [0.0, 1.0, 0.0, np.nan]}


@pytest.fixture
def labelled(subject: Subject) -> Subject:
    frame = pd.DataFrame({"row": [10, 11, 12, 13], "y_pred": ["a, b", "b", "b", "a"], "y_true": ["a, b", "c", None, None]})
    columns = {f"y_pred.{name}": values for name, values in GIVEN.items()}
    columns |= {f"y_true.{name}": values for name, values in TRUE.items()} | {f"score.{name}": [0.5] * 4 for name in GIVEN}
    frame = frame.assign(**columns, cluster=list("uuvw"), **{"group.side": list("lrlr")})
    source = Split(
        inputs=(torch.arange(4.0)[:, None],), rows=np.arange(10, 14), target=torch.tensor(list(TRUE.values())).T.float()
    )
    train = rows_of([[1.0, 0.0, np.nan], [0.0, np.nan, 1.0], [1.0, 1.0, 0.0]])
    target = Target(name="marks", kind="labels", classes=("a", "b", "c"), favourable=("b",))
    predictions = Predictions(frame=frame, source=source)
    schema = replace(subject.schema, target=target, sensitive=("side",))
    return replace(subject, schema=schema, predictions=predictions, task=LabelTask(), train=train)


def test_labels_are_looked_at_one_by_one_most_frequent_first_on_the_rows_that_know_them(labelled: Subject) -> None:
    found = single_choices(labelled)
    assert list(found) == ["b", "a", "c"]
    frames = {name: one.predictions.frame for name, one in found.items()}
    assert {name: frame["row"].tolist() for name, frame in frames.items()} == {
        "a": [10, 11, 13],
        "b": [10, 11, 12, 13],
        "c": [10, 11, 12],
    }
    for name, one in found.items():
        own, rows = frames[name], [[10, 11, 12, 13].index(row) for row in frames[name]["row"]]
        target = one.schema.target
        assert (target.name, target.kind, len(target.classes)) == (name, "class", 2)
        yes = target.positive
        assert (own["y_pred"] == yes).astype(int).tolist() == [GIVEN[name][row] for row in rows]
        assert (own["y_true"] == yes).astype(float).tolist() == [TRUE[name][row] for row in rows]
        assert own["group.side"].tolist() == [list("lrlr")[row] for row in rows]
        assert own["cluster"].tolist() == [list("uuvw")[row] for row in rows]
        assert one.model is None
        assert one.predictions.source is not None
        assert one.predictions.source.inputs[0][:, 0].tolist() == [float(row) for row in rows]
        assert one.predictions.source.target is not None
        assert one.predictions.source.target.tolist() == [TRUE[name][row] for row in rows]
    learnt = {
        name: one.train.target.tolist() for name, one in found.items() if one.train is not None and one.train.target is not None
    }
    assert learnt == {"a": [1, 0, 1], "b": [0, 1], "c": [1, 0]}


def test_one_choice_alone_is_not_taken_apart(subject: Subject) -> None:
    assert single_choices(subject) == {}


def test_what_is_found_of_each_label_says_which_it_is_of() -> None:
    measure = Measure(name="x.gap", value=0.2)
    chart = Chart(kind="bars", title="Gaps", message="m", rows=({"y": "l", "x": 1.0},))
    found = {
        name: ChoiceEvidence(
            findings=(Finding(grade="ok", sentence=sentence, measures=("x.gap",), chart="Gaps"),),
            measures=(replace(measure, value=value),),
            tables=(Table(title="T", columns=("group", f"rate of “{name}”"), rows=((name * 2, value),), note="n"),),
            charts=(chart,),
        )
        for name, value, sentence in (("a", 0.2, "All alike."), ("b", 0.4, "“b” is rarer."))
    }
    one = put_together(found, 5)
    assert [f.sentence for f in one.findings] == ["“a”: All alike.", "“b” is rarer."]
    assert [(f.measures, f.chart) for f in one.findings] == [(("x.gap[a]",), "Gaps: a"), (("x.gap[b]",), "Gaps: b")]
    assert [(m.name, m.value) for m in one.measures] == [("x.gap", None), ("x.gap[a]", 0.2), ("x.gap[b]", 0.4)]
    assert [(c.title, c.section) for c in one.charts] == [("Gaps: a", "Labels"), ("Gaps: b", "Labels")]
    (table,) = one.tables
    assert table.columns == ("label", "group", "rate of the label")
    assert table.rows == (("a", "aa", 0.2), ("b", "bb", 0.4))
    assert table.note == "n 3 further labels, predicted less often, were not looked at one by one."
    assert put_together(found, 2).tables[0].note == "n"
    own = replace(found["b"], tables=(replace(found["b"].tables[0], note="another"),))
    assert put_together({"a": found["a"], "b": own}, 2).tables[0].note is None
    many = {str(place): replace(found["a"]) for place in range(6)}
    assert len(put_together(many, 6).charts) == 4
    assert len(put_together(many, 6).findings) == 6
