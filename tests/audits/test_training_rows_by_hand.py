"""Influence of training rows, courses of trainings, codes and documents worked out by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import fisher_exact
from sklearn.linear_model import LogisticRegression
from torch import nn

from glassbench.contracts.data import Split
from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.schema import Feature
from glassbench.testing import toy_subject
from glassbench_audits.documents.annex_iv import _parts as annex_parts
from glassbench_audits.documents.known import Known, figure, filled
from glassbench_audits.documents.model_card import _energy
from glassbench_audits.efficiency.footprint import peak_memory
from glassbench_audits.influence.audit import Traced, _gain_measure, _suspect_findings
from glassbench_audits.influence.contradiction import against_labels, contradiction
from glassbench_audits.influence.exhibits import behind_decisions, charts
from glassbench_audits.influence.last_layer import Traces
from glassbench_audits.influence.refit import label_fit
from glassbench_audits.latent.audit import _charts, _table, strongest, used
from glassbench_audits.latent.changes import Changes, changes
from glassbench_audits.latent.encoded_columns import EncodedColumns, _factor, _part
from glassbench_audits.learning.backward import Backward, Layer, _layers, _per_step, _Seen, _watched
from glassbench_audits.learning.course import _still_falling, course_findings, gap
from glassbench_audits.learning.network import course_over_time, layer_ratio, network_measures, time_ratio
from glassbench_audits.learning.padding import real_steps


def test_a_probability_of_exactly_a_confidence_contradicts_and_the_clearest_of_three_is_corrected() -> None:
    against, held = np.zeros(60), np.zeros(60)
    against[:9] = 0.5
    found = contradiction(against, held)
    assert (found.counted, found.confidence) == (9, 0.5)
    assert found.p == pytest.approx(3 * fisher_exact([[9, 51], [0, 60]], alternative="greater").pvalue)


@pytest.mark.parametrize(
    ("mine", "due", "rows", "heart"), [(30, 50, 1000, True), (1, 3, 100, True), (2, 3, 100, False), (0, 1, 100, False)]
)
def test_labels_are_learnt_by_heart_where_that_is_sure_or_half_as_many_are_contradicted(mine, due, rows, heart) -> None:
    against, held = ((np.arange(rows) < count) * 0.6 for count in (mine, due))
    assert contradiction(against, held).by_heart == heart


def test_labels_that_are_not_known_are_contradicted_by_nothing() -> None:
    chances = np.array([[0.9, 0.2], [0.6, 0.1], [0.3, 0.5]])
    truth = np.array([[np.nan, 1.0], [0.0, np.nan], [0.0, np.nan]])
    assert against_labels(chances, truth).tolist() == [0.8, 0.6, 0.0]


def test_losses_of_labels_add_up_over_those_that_are_known() -> None:
    drawn = np.random.default_rng(0)
    given, held = drawn.normal(size=(40, 2)), drawn.normal(size=(5, 2))
    truth = (given + drawn.normal(size=(40, 2)) > 0).astype(float)
    truth[:7, 1] = np.nan
    due = np.array([[1, 0], [0, np.nan], [np.nan, 1], [np.nan, np.nan], [0, 0.0]])
    found = label_fit(given, truth, held, due)(np.arange(40))
    expected = np.zeros(5)
    for k in range(2):
        known = np.isfinite(truth[:, k])
        chance = LogisticRegression(C=1.0).fit(given[known], truth[known, k]).predict_proba(held)[:, 1]
        for row in np.flatnonzero(np.isfinite(due[:, k])):
            expected[row] -= np.log(chance[row] if due[row, k] else 1 - chance[row])
    assert found == pytest.approx(expected)
    one = np.where(np.arange(40)[:, None] < 4, np.nan, [[1.0, 0.0]])
    sure = label_fit(given, one, held, np.tile([1.0, 0.0], (5, 1)))(np.arange(40))
    assert sure == pytest.approx(np.full(5, -2 * np.log(1 - 1e-6)))


def traced(**more: object) -> Traced:
    drawn = np.random.default_rng(1)
    rows = {}
    for name, n in (("train", 60), ("held", 40)):
        given = np.column_stack([drawn.normal(3 if name == "held" else 0, 2, size=(n, 2)), np.ones(n)])
        rows[name] = Traces(given=given, asked=drawn.normal(size=(n, 2)), loss=np.ones(n))
    truth = (rows["train"].given[:, 0] > 0).astype(int)
    against = contradiction(np.linspace(0, 0.4, 60), np.zeros(40))
    made = Traced(
        positions=np.arange(60), truth=truth, held_truth=(rows["held"].given[:, 0] > 0).astype(int), against=against, **rows
    )
    return replace(made, **more)


def gained(clusters: np.ndarray | None) -> Measure:
    subject = SimpleNamespace(
        schema=toy_subject().schema,
        generator=lambda name: np.random.default_rng(4),
        predictions=SimpleNamespace(clusters=clusters),
    )
    return _gain_measure(subject, traced(), np.arange(3), 300, 0.9)


def test_gains_of_held_out_rows_are_resampled_by_their_clusters() -> None:
    alone, together = gained(None), gained(np.repeat(np.arange(4), 10))
    assert together.value == alone.value
    assert (together.low, together.high) != (alone.low, alone.high)


def test_held_out_rows_are_scaled_by_the_training_rows() -> None:
    found, shifted = [], traced()
    for by in (0.0, 50.0):
        moved = {
            name: replace(part, given=part.given + np.array([by, 0, 0]))
            for name, part in (("train", shifted.train), ("held", shifted.held))
        }
        subject = SimpleNamespace(
            schema=toy_subject().schema,
            generator=lambda name: np.random.default_rng(4),
            predictions=SimpleNamespace(clusters=None),
        )
        found.append(_gain_measure(subject, traced(**moved), np.arange(3), 50, 0.9).value)
    assert found[0] == pytest.approx(found[1], rel=1e-6)
    given = shifted.train.given[:, :-1]
    scaled = [(part.given[:, :-1] - given.mean(axis=0)) / given.std(axis=0) for part in (shifted.train, shifted.held)]
    rule = LogisticRegression(C=1.0, max_iter=200).fit(scaled[0][3:], shifted.truth[3:])
    chance = rule.predict_proba(scaled[1])[np.arange(40), shifted.held_truth].clip(1e-6, 1)
    drawn, generator = [], np.random.default_rng(4)
    for _ in range(20):
        rows = np.sort(generator.permutation(60)[3:])
        other = LogisticRegression(C=1.0, max_iter=200).fit(scaled[0][rows], shifted.truth[rows])
        drawn.append(-np.log(other.predict_proba(scaled[1])[np.arange(40), shifted.held_truth].clip(1e-6, 1)))
    assert found[0] == pytest.approx(float((np.mean(drawn, axis=0) + np.log(chance)).mean()))


def test_half_of_the_suspects_contradicted_is_not_most_of_them() -> None:
    rows = np.array([True] * 15 + [False] * 45)
    base = contradiction(np.zeros(60), np.zeros(60))
    suspects = np.concatenate([np.arange(30, 35), np.arange(15), np.arange(35, 45)])
    for extra, grade in ((0, "ok"), (1, "unclear")):
        changed = rows.copy()
        changed[44] = bool(extra)
        (found,) = _suspect_findings(traced(against=replace(base, rows=changed, p=1.0)), suspects, 0.1)
        assert found.grade == grade


def test_self_influence_piles_up_from_the_row_that_has_most_and_rows_that_argue_most_are_named() -> None:
    (chart,) = charts(np.array([1.0, 5.0, 2.0, 2.0]))
    assert [(row["x"], row["y"]) for row in chart.rows] == [(0.25, 0.5), (0.5, 0.7), (0.75, 0.9), (1.0, 1.0)]
    subject = toy_subject()
    n = len(subject.train)
    pull = np.zeros(n)
    pull[[4, 7, 9]], pull[[1, 2, 3]] = [1.0, 3.0, 2.0], [-1.0, -9.0, -4.0]
    train = Traces(given=np.ones((n, 1)), asked=pull[:, None], loss=np.ones(n))
    held = Traces(
        given=np.ones((len(subject.predictions.frame), 1)), asked=np.ones((len(subject.predictions.frame), 1)), loss=np.ones(1)
    )
    (table,) = behind_decisions(subject, np.arange(n), train, replace(held, loss=np.ones(len(held.asked))), 1)
    ids = [[text.split(" ")[0] for text in cell.split(", ")] for cell in table.rows[0][4:]]
    assert ids == [[str(subject.train.rows[k]) for k in row] for row in ((7, 9, 4), (2, 3, 1))]


def course(train: list[float], validation: list[float], **facts: object):
    history = tuple(
        {"epoch": i, "step": i, "train_loss": t, "validation_loss": v}
        for i, (t, v) in enumerate(zip(train, validation, strict=True))
    )
    return replace(toy_subject(), history=history, facts=facts)


def test_a_gap_is_that_of_the_kept_epoch_as_a_share_of_the_first_validation_loss() -> None:
    subject = course([8.0, 1.0, 0.5], [2.0, 1.5, 1.9], best_epoch=1)
    assert gap(subject) == pytest.approx((1.5 - 1.0) / 2)
    assert gap(replace(subject, facts={})) == pytest.approx((1.9 - 0.5) / 2)


def test_overfitting_is_spoken_of_from_three_epochs_past_the_least_on() -> None:
    assert any("overfits" in one.sentence for one in course_findings(course([1.0] * 5, [1, 0.4, 0.5, 0.5, 0.6]), 10.0))
    assert not any("overfits" in one.sentence for one in course_findings(course([1.0] * 4, [1, 0.4, 0.5, 0.6]), 10.0))


@pytest.mark.parametrize(
    ("last", "said"), [([0.85, 0.8], True), ([0.8, 0.85], True), ([0.9, 0.99], False), ([0.985, 0.985], False)]
)
def test_a_loss_still_falls_where_one_of_its_last_two_values_is_the_least(last, said) -> None:
    held = [2.0, 1.8, 1.6, 1.4, 1.3, 1.2, 1.1, 1.05, 1.0, 1.0, *last] if last[0] < 0.9 or last[1] > 0.985 else [1.0] * 10 + last
    if last == [0.9, 0.99]:
        held = [2.0, 1.8, 1.6, 1.4, 1.3, 1.2, 1.1, 0.9, 0.95, 1.0, 0.95, 0.99]
    assert _still_falling(course([1.0] * 12, held, stopped="max_epochs"), held) == said


def layer(name: str, signal: float, *, weights: bool = True) -> Layer:
    return Layer(name=name, kind="Linear", signal=signal, gradient=1.0, weight=1.0, weights=weights)


def seen(steps: dict[str, np.ndarray], fired: dict[str, list[bool]]) -> Backward:
    layers = (layer("norm", 50.0, weights=False), layer("first", 3.0), layer("last", 2.0), layer("end", 9.0, weights=False))
    return Backward(rows=5, loss=1.0, layers=layers, steps=steps, fired={k: np.array(v) for k, v in fired.items()})


def test_ratios_over_depth_and_time_are_those_of_layers_with_weights_and_of_the_median_row() -> None:
    rows = np.stack([np.repeat([ratio, 1.0, 1.0], [2, 4, 2]) for ratio in (0.1, 0.2, 9.0)])
    short = np.full((1, 8), np.nan)
    short[0, :7] = 500.0
    assert time_ratio(np.concatenate([rows, short])) == pytest.approx(0.2)
    assert course_over_time(np.concatenate([rows, short])) == pytest.approx(rows.mean(axis=0))
    low = np.repeat([[0.001, 1.0, 1.0]], [2, 4, 2], axis=1)
    made = seen({"a": rows[2:], "b": low}, {"r": [True, False], "s": [False] * 6})
    assert layer_ratio(made) == pytest.approx(1.5)
    found = {one.name: one.value for one in network_measures(made)}
    assert found["learning.time_ratio"] == pytest.approx(0.001)
    assert found["learning.dead_units"] == pytest.approx(7 / 8)


def test_a_layers_gradient_counts_its_bias_and_steps_are_real_where_every_input_says_so() -> None:
    network = nn.Sequential(nn.Linear(2, 1))
    network[0].weight.grad, network[0].bias.grad = torch.tensor([[3.0, 0.0]]), torch.tensor([6.0])
    (found,) = _layers(network, _Seen(order=["0"]))
    assert found.gradient == pytest.approx((45 / 3) ** 0.5)
    read = torch.zeros(2, 3, 1, requires_grad=True)
    (read * torch.tensor([1.0, 2, 3])[None, :, None]).sum().backward()
    masks = [torch.tensor([[True, True, False], [True, True, True]]), torch.tensor([[True, False, True], [True, True, True]])]
    steps = _per_step(read, True, masks)
    assert np.isfinite(steps).tolist() == [[True, False, False], [True, True, True]]


def test_a_rectifier_that_is_used_twice_has_fired_where_it_did_either_time() -> None:
    network = nn.Sequential(nn.Identity(), nn.ReLU())
    with _watched(network) as watched:
        network(torch.tensor([[1.0, -1.0, -1.0], [2.0, -1.0, -1.0]]))
        network(torch.tensor([[-1.0, 3.0, -1.0]]))
    assert watched.fired["1"].tolist() == [True, True, False]


def test_rows_that_end_in_another_constant_are_not_filled_up() -> None:
    rows = torch.arange(1, 31).float().reshape(5, 6)
    rows[0, 4:], rows[1, 3:], rows[2, 2:], rows[3, 4:] = 0.0, 0.0, 0.0, 7.5
    (found,) = real_steps([rows], None)
    assert found.sum(dim=1).tolist() == [4, 3, 2, 6, 6]


class Coded(nn.Module):
    """Codes are the rows themselves; the first entry moves both columns, the second one bends."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return rows

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        return torch.stack([2 * codes[:, 0], -codes[:, 0] + codes[:, 1] ** 2], dim=1)


def test_entries_of_a_code_change_rows_by_a_deviation_and_their_size_is_a_root_of_mean_squares() -> None:
    rows = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]], dtype=torch.float64)
    source = Split(inputs=(rows,), rows=np.arange(4))
    subject = SimpleNamespace(
        model=Coded(), predictions=SimpleNamespace(source=source), sample=lambda rows, name: np.arange(4),
        generator=lambda name: np.random.default_rng(0),
    )  # fmt: skip
    found = changes(subject, Coded().decode, rows=4, replicates=200, level=0.9)
    step = 5**0.5
    assert found.spread.tolist() == pytest.approx([step, step])
    assert found.mean.tolist() == [pytest.approx([2 * step, -step]), pytest.approx([0, 2 * step * 4.0])]
    bent = (2 * step * rows[:, 1].numpy()) ** 2 / 2
    assert found.size.tolist() == pytest.approx([(5 * 5 / 2) ** 0.5, bent.mean() ** 0.5])
    weights = np.random.default_rng(0).multinomial(4, np.full(4, 0.25), size=200) / 4
    ends = np.quantile(np.sqrt(weights @ bent), [0.05, 0.95])
    assert (found.size_low[1], found.size_high[1]) == pytest.approx(tuple(ends), rel=0.03)


def test_entries_are_used_by_their_upper_end_against_the_largest_and_inputs_are_told_in_their_units() -> None:
    made = Changes(
        mean=np.array([[0.5, -2.0, 1.0]]), low=np.array([[0.4, -3.0, 0.0]]), high=np.array([[0.6, -1.0, 2.0]]),
        size=np.array([10.0]), size_low=np.array([9.0]), size_high=np.array([11.0]), spread=np.ones(1), shape=(3,), rows=9,
    )  # fmt: skip
    many = replace(made, size=np.array([10.0, 0.4, 0.4, 8.0]), size_high=np.array([11.0, 0.45, 0.6, 9.0]))
    assert used(many).tolist() == [True, False, True, True]
    columns = EncodedColumns(names=("a", "b", "c"), units=("kg", None, None), factors=np.array([10.0, 1, 1]), grid=None)
    assert strongest(made, columns, 0) == [1, 2, 0]
    assert [row[2:6] for row in _table(made, columns, 0.9).rows] == [
        ("b", -2.0, -3.0, -1.0), ("c", 1.0, 0.0, 2.0), ("a", pytest.approx(5), pytest.approx(4), pytest.approx(6)),
    ]  # fmt: skip
    (drawn,) = _charts(replace(made, mean=np.arange(6.0)[None]), replace(columns, grid=(2, 3)))
    assert {(row["x"], row["y"]): row["color"] for row in drawn.rows} == {
        (f"column {i + 1}", f"row {j + 1}"): 3.0 * j + i for i in range(3) for j in range(2)
    }
    raw = pd.DataFrame({"w": [10.0, 20.0, 60.0], "holes": [1.0, np.nan, 2.0]})
    source = Split(inputs=(torch.tensor([[0.1], [0.2], [0.6]]),), rows=np.arange(3), raw=raw)
    assert _factor(source, "w", 0) == pytest.approx(100, rel=1e-5)
    assert _factor(source, "holes", 0) is None
    assert [_part(("x", "y"), place) for place in range(3)] == ["x", "y", "missing"]


def known(*results: AuditResult, metrics: tuple[str, ...] = ("accuracy",)) -> Known:
    task = SimpleNamespace(metrics=[SimpleNamespace(name=name) for name in metrics])
    target = SimpleNamespace(kind="class", classes=("a", "b"), unit=None, name="t")
    schema = SimpleNamespace(target=target, features=(Feature(name="x", columns=(0,)),), sensitive=(), unit="row")
    return Known(SimpleNamespace(record={}, results=results, task=task, schema=schema, facts={}))


def result(name: str, *findings: Finding, measures: tuple[Measure, ...] = ()) -> AuditResult:
    return AuditResult(audit=name, findings=findings, measures=measures, method=Method(summary="m"))


def test_documents_name_the_weightiest_findings_and_figures_of_all_rows() -> None:
    many = [Finding(sentence=f"s{k}", grade="concern" if k % 2 else "unclear", weight=k / 40) for k in range(30)]
    group = {"by": ("sex",), "group": {"sex": "f"}}
    measures = (
        Measure(name="p.accuracy", value=None, undefined="why"), Measure(name="p.accuracy", value=0.4, **group),
        Measure(name="q.accuracy", value=0.8, low=0.7, high=0.9, n=1200), Measure(name="e.energy", value=3.0, unit="kWh"),
        Measure(name="e.energy", value=9.0, unit="kWh", **group), Measure(name="p.recall", value=0.1, **group),
    )  # fmt: skip
    made = known(result("p", *many, measures=measures), metrics=("accuracy", "recall"))
    assert made.sentences("concern", "unclear") == [f"s{k}" for k in range(29, 17, -1)]
    assert [(name, figure(one)) for name, one in made.metrics()] == [("accuracy", "0.8 [0.7, 0.9], n 1,200")]
    assert _energy(made) == "- e.energy: 3 kWh"
    risks = dict(annex_parts(made))["3 Foreseeable unintended outcomes and sources of risk"]
    assert risks.splitlines()[:2] == ["- s29", "- s28"]
    assert filled("x", [("a", "text"), ("b", None), ("c", ""), ("d", None)]).value == 0.5


def test_a_view_of_an_input_holds_no_memory() -> None:
    assert peak_memory(nn.Flatten(), (torch.zeros(4, 2, 4),)) == 0
    assert peak_memory(nn.Sequential(nn.Flatten(), nn.Linear(8, 3)), (torch.zeros(4, 2, 4),)) == 4 * 3 * 4
