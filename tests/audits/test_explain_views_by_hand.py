"""What explanations show of pairs, outputs, attention and exchanges, from numbers that are written down."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from formula_models import Formula, Raw, explainer_of
from torch import nn

from glassbench_audits.attribution.explained import Explained, Rows
from glassbench_audits.attribution.feature_groups import FeatureGroups
from glassbench_audits.explain.checks.randomization import Stage, per_distance
from glassbench_audits.explain.checks.real_rows import NEIGHBOURS, _share, exchanged_effects, held_against, untold
from glassbench_audits.explain.checks.reinitialisation import learnt_layers, untrained
from glassbench_audits.explain.checks.stability import cosines, largest_moves, noisy, perturbed, stability
from glassbench_audits.explain.views import output_importance
from glassbench_audits.explain.views.exhibits import _margin, _reliable
from glassbench_audits.explain.views.image_pictures import reduced
from glassbench_audits.explain.views.interactions import Interactions, interaction_evidence
from glassbench_audits.explain.views.output_importance import output_pictures
from glassbench_audits.explain.views.token_attention import agreement

SUBJECT = SimpleNamespace(
    generator=lambda purpose: np.random.default_rng(1),
    kind=SimpleNamespace(attribution_words=lambda schema: "the score"),
    schema=SimpleNamespace(target=SimpleNamespace(classes=(), name="y")),
)


def pairs(total: list[list[float]], shared: list[list[float]], units: tuple[int, ...] = (2, 0, 1)) -> Interactions:
    """Effects of three units in two kinds of exchanges, each half of forty."""
    rows = np.repeat([0, 1], 20)
    places = np.array([(0, 1), (0, 2), (1, 2)])
    return Interactions(units=np.array(units), total=np.array(total)[rows], pairs=places, shared=np.array(shared)[rows])


def test_each_input_of_a_pair_has_its_own_share_of_its_own_effect(monkeypatch) -> None:
    monkeypatch.setattr("glassbench_audits.explain.views.interactions.output_words", lambda subject: "the score")
    found = pairs([[8, 2, 0.3], [8, 2, 0.3]], [[1.5, 0.2, 0.06]] * 2)
    measure, (table,), said = interaction_evidence(SUBJECT, found, ("x", "y", "z"), 0.95)
    shares = {(row[0], row[1]): row[2] for row in table.rows}
    assert shares == pytest.approx({
        ("z", "x"): 1.5 / 8, ("x", "z"): 1.5 / 2, ("z", "y"): 0.2 / 8, ("x", "y"): 0.06 / 2
    })  # fmt: skip  # y has less than a twentieth of the largest effect
    assert (measure.value, measure.low, measure.high, measure.n) == pytest.approx((0.75, 0.75, 0.75, 40))
    assert [one.sentence.partition(":")[0] for one in said] == ["x acts mainly through z"]


def test_an_input_acts_mainly_through_another_where_the_low_end_says_so(monkeypatch) -> None:
    monkeypatch.setattr("glassbench_audits.explain.views.interactions.output_words", lambda subject: "the score")
    wide = pairs([[8, 2, 0.3], [8, 2, 0.3]], [[2.0, 0.2, 0], [0.2, 0.2, 0]])
    measure, _, said = interaction_evidence(SUBJECT, wide, ("x", "y", "z"), 0.95)
    assert measure.value == pytest.approx(0.55)
    assert measure.low < 0.5 < measure.high
    assert said == ()
    nothing = pairs([[0, 0, 0]] * 2, [[0, 0, 0]] * 2)
    assert interaction_evidence(SUBJECT, nothing, ("x", "y", "z"), 0.95)[0].undefined == "no input moves the output"


def test_every_output_is_explained_by_its_own_index_over_the_clusters_of_its_rows(monkeypatch) -> None:
    asked, resampled = [], []

    def explained(rows: Rows) -> np.ndarray:
        asked.append(rows.target_index.tolist())
        return np.ones((len(rows), 2))

    monkeypatch.setattr(output_importance, "importance", lambda *given, **more: resampled.append(more["clusters"].tolist()))
    monkeypatch.setattr(output_importance, "directions_of", lambda *given: ())
    monkeypatch.setattr(output_importance, "answers", lambda *given: False)
    outputs = tuple(SimpleNamespace(name=name, index=(k,)) for k, name in enumerate("abc"))
    subject = SimpleNamespace(
        kind=SimpleNamespace(explained_outputs=lambda frame, schema: outputs),
        predictions=SimpleNamespace(frame=None, clusters=np.arange(100) // 3),
        schema=None,
        generator=lambda purpose: None,
    )
    explainer = SimpleNamespace(
        method=SimpleNamespace(gradients=False), per_feature_group=explained, feature_groups=SimpleNamespace(names=("x", "y"))
    )
    positions = np.arange(10, 90)
    prepared = SimpleNamespace(explainer=explainer, positions=positions)
    rows = Rows(inputs=torch.zeros(80, 2), target_index=torch.zeros(80, 1, dtype=torch.int64))
    found = output_pictures(subject, SimpleNamespace(replicates=9, level=0.95), prepared, rows)
    kept = np.unique(np.linspace(0, 79, 64).astype(int))
    assert [set(map(tuple, index)) for index in asked] == [{(0,)}, {(1,)}, {(2,)}]
    assert resampled == [(positions[kept] // 3).tolist()] * 3
    assert (found.rows, found.left, len(found.outputs)) == (64, 0, 3)


def test_attention_is_held_against_the_sizes_of_attributions_row_by_row() -> None:
    attributions = np.array([[-3.0, 1, 0.5, 0], [1.0, 1, 1, 1], [0.1, -0.2, 0.3, -0.4]])
    attention = np.array([[0.6, 0.3, 0.1, 0.0], [0.4, 0.3, 0.2, 0.1], [0.4, 0.3, 0.2, 0.1]])
    assert agreement(attributions, attention) == pytest.approx(0.0)  # 1 and -1; the second row does not vary
    assert agreement(attributions[:1], attention[:1]) == pytest.approx(1.0)
    assert np.isnan(agreement(attributions[1:2], attention[1:2]))


def test_attributions_per_distance_are_over_the_root_of_squares_of_a_unit_of_several_elements() -> None:
    explainer = explainer_of(Formula(lambda rows: rows.sum(dim=1)), baseline=torch.tensor([[1.0, 1, 1, 5]]))
    units = replace(explainer, feature_groups=FeatureGroups(mask=torch.tensor([0, 0, 1, 2])))
    rows = Rows(inputs=torch.tensor([[2.0, 0, -1, 5], [4, 5, 1, 6]]))
    found = per_distance(units, rows, np.array([[3.0, 8, 1], [10, 2, -4]]))
    expected = [[3 / np.sqrt(2), 8 / -2, np.nan], [10 / 5, np.nan, -4]]
    assert found == pytest.approx(np.array(expected), nan_ok=True)


@pytest.mark.parametrize(
    ("kept", "forgotten"), [((-0.9, -0.8), True), ((0.9, -0.9), True), ((0.51, 0.6), False), ((0.5, 0.9), True)]
)
def test_a_network_that_ranks_rows_the_other_way_round_has_forgotten(kept: tuple[float, float], forgotten: bool) -> None:
    assert Stage(depth=1, correlations=np.zeros(2), kept=np.array(kept)).forgotten == forgotten


def test_an_input_is_exchanged_with_that_of_a_row_alike_in_all_others() -> None:
    first = torch.arange(12.0) ** 1.5
    rows = Rows(inputs=torch.stack([first, (torch.arange(12.0) * 5) % 12], dim=1))
    explainer = explainer_of(Formula(lambda asked: asked[:, 0]), "feature-ablation")
    effects = np.stack([exchanged_effects(explainer, rows, np.random.default_rng(k)) for k in range(40)])
    other = rows.inputs[:, 1].numpy()
    for row in range(12):
        near = np.argsort(np.where(np.arange(12) == row, np.inf, np.abs(other - other[row])), kind="stable")
        reach = np.abs(other - other[row])[near[NEIGHBOURS - 1]]
        allowed = [abs(float(first[j] - first[row])) for j in range(12) if j != row and abs(other[j] - other[row]) <= reach]
        assert all(np.isclose(effect, allowed, atol=1e-4).any() for effect in effects[:, row, 0])
        assert effects[:, row, 0].max() > 0.5 * max(allowed)
    assert (effects[:, :, 1] == 0).all()
    assert (effects[:, :, 0] > 0).all()  # a row is never exchanged with itself


def test_shares_of_units_are_of_their_sums_by_row_and_what_is_overstated_makes_up_for_nothing() -> None:
    attributions = np.array([[1.0, -1, 2], [2, 1, -1]])
    assert _share(attributions, (0, 1)) == pytest.approx((0 + 9) / (0 + 9 + 4 + 1))
    assert _share(np.zeros((2, 3)), (0,)) == 0
    effects = np.array([[4.0, 1, 0], [2, 1, 0]])
    assert untold(effects, np.array([[0.5, -3, 9]])) == pytest.approx((3 - 1) / 4)
    assert untold(effects, np.array([[1.5, 0.5, 0]])) == 0
    assert np.isnan(untold(0 * effects, attributions))


def test_an_input_may_account_for_what_nothing_foretells_and_is_held_to_the_scale_that_bears_it_out() -> None:
    """Half of what is said comes from the first input, the other half from nothing that rows hold."""
    chance = np.random.default_rng(0)
    inputs = chance.normal(size=(300, 3))
    said = (inputs[:, 0] + chance.normal(size=300))[:, None]
    first, second = (np.where(np.arange(3) == k, inputs, 0.0) for k in (0, 1))
    units = FeatureGroups(mask=torch.arange(3))

    def contradiction(*scales: np.ndarray) -> float:
        found = held_against(units, inputs, said, scales, 1, least=0.1)
        assert 0.3 < found.foretold < 0.7
        return found.worst.contradiction

    assert contradiction(first) < 0.1
    assert contradiction(second) > 0.3
    assert contradiction(second, first) < 0.1
    assert contradiction(first, second) < 0.1


def test_layers_are_put_back_after_they_were_tried_and_copies_are_drawn_anew() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    model[1].running_mean.fill_(5.0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    explained = Explained(model.eval(), Raw())
    rows = Rows(inputs=torch.randn(8, 3), target_index=torch.zeros(8, 1, dtype=torch.int64))
    names = learnt_layers(explained, rows, np.random.default_rng(0))
    assert names == ["2", "0"]
    fresh = untrained(explained.model, ["2"], np.random.default_rng(0))
    for name, value in before.items():
        assert torch.equal(explained.model.state_dict()[name], value), name
        assert torch.equal(fresh.state_dict()[name], value) == (not name.startswith("2.")), name


def test_tiny_changes_are_in_deviations_of_each_input_and_moves_are_the_largest() -> None:
    inputs = torch.stack([torch.arange(40.0), torch.arange(40.0) * 1000, torch.ones(40)], dim=1)
    explainer = explainer_of(Formula(lambda rows: rows.sum(dim=1)), baseline=torch.zeros(1, 3))
    moved = (noisy(explainer, Rows(inputs=inputs), np.random.default_rng(0)).inputs - inputs).abs().max(dim=0).values
    spread = inputs.std(dim=0, correction=0)
    assert 0.9 * 0.02 * spread[0] < moved[0] <= 0.021 * spread[0]
    assert 0.9 * 0.02 * spread[1] < moved[1] <= 0.021 * spread[1]
    assert moved[2] == 0
    held, after = np.array([[3.0, 4], [0, 0], [1, 0]]), np.array([[[3.0, 4], [0, 0], [0, 1]], [[6, 8], [0, 1], [1, 0]]])
    assert largest_moves(held, after) == pytest.approx([5, 1, np.sqrt(2)])
    assert stability(held, after) == pytest.approx([1, 0.5, 0.5])
    assert cosines(held, np.zeros((3, 2))).tolist() == [0, 1, 0]


def test_methods_that_draw_at_random_draw_anew_under_tiny_changes() -> None:
    explainer = explainer_of(Formula(lambda rows: rows.prod(dim=1)), "shapley-value-sampling", torch.zeros(1, 4), samples=2)
    rows = Rows(inputs=torch.ones(6, 4) * 2)  # what does not vary is not changed either
    after = perturbed(explainer, rows, np.random.default_rng(0))
    again = replace(explainer, seed=explainer.seed + 1).per_feature_group(rows)
    assert after == pytest.approx(np.broadcast_to(again, after.shape))
    assert np.abs(again - explainer.per_feature_group(rows)).max() > 0.1


def test_self_tests_that_could_not_be_made_do_not_count() -> None:
    checks = [SimpleNamespace(outcome=o, margin=m) for o, m in (("passed", 2.0), ("weak", -0.5), ("not applicable", -9.0))]
    assert (_reliable(checks).value, _reliable(checks).n) == (0.5, 2)
    assert _margin(checks).value == -0.5
    assert _reliable(checks[2:]).value is None


def test_a_large_picture_is_averaged_over_blocks() -> None:
    values = np.arange(200.0 * 100).reshape(200, 100)
    found = reduced(values)
    assert found.shape == (66, 33)
    assert found[0, 0] == pytest.approx(values[:3, :3].mean())
    assert found[-1, -1] == pytest.approx(values[195:198, 96:99].mean())
    assert reduced(values[:96, :96]) is not None
    assert (reduced(values[:96, :96]) == values[:96, :96]).all()
