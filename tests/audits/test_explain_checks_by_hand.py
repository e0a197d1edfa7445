"""Self-tests of explanations on formulas: which rows are asked, what is compared with what, and what decides."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from formula_models import Formula, explainer_of
from torch import Tensor

from glassbench.contracts.evidence import Measure
from glassbench.contracts.exhibits import Part
from glassbench_audits.attribution.cases import MOST_PARTS, _shortened
from glassbench_audits.attribution.explained import Rows
from glassbench_audits.explain.checks import consistency
from glassbench_audits.explain.checks.asked_rows import asked_rows, carried_over
from glassbench_audits.explain.checks.consistency import methods_check, seeds_check
from glassbench_audits.explain.checks.examined import Examined
from glassbench_audits.explain.checks.faithfulness import _removed
from glassbench_audits.explain.checks.infidelity import infidelity
from glassbench_audits.explain.checks.real_rows import forest_of
from glassbench_audits.explain.checks.removal import removal_of


def weighed(rows: Tensor) -> Tensor:
    """A number by three inputs of unlike weight."""
    return rows @ torch.tensor([3.0, -2.0, 1.0])


def examined(method: str = "integrated-gradients", n: int = 40, baseline: Tensor | None = None, **more: object) -> Examined:
    rows = Rows(inputs=torch.randn(n, 3, generator=torch.Generator().manual_seed(0)))
    explainer = explainer_of(Formula(weighed), method, torch.zeros(1, 3) if baseline is None else baseline, **more)
    subject = SimpleNamespace(
        generator=lambda purpose: np.random.default_rng(len(purpose)),
        schema=SimpleNamespace(layout=SimpleNamespace(pixels=True)),
    )
    held = explainer.per_feature_group(rows)
    return Examined(subject=subject, explainer=explainer, rows=rows, attributions=held, replicates=50, level=0.95)


def test_contributions_of_further_inputs_add_up_with_their_signs() -> None:
    parts = [Part(name=f"x{k}", value="", contribution=float((-1) ** k * (50 - k))) for k in range(MOST_PARTS + 5)]
    kept = _shortened(parts)
    assert len(kept) == MOST_PARTS
    assert (kept[-1].name, kept[-1].contribution) == ("6 further inputs", sum(p.contribution for p in parts[MOST_PARTS - 1 :]))
    assert sum(part.contribution for part in kept) == pytest.approx(sum(part.contribution for part in parts))
    assert _shortened(parts[:MOST_PARTS]) == tuple(parts[:MOST_PARTS])


def test_rows_asked_about_hold_their_own_values_and_their_own_baseline_s() -> None:
    baseline = torch.tensor([[10.0, 20, 30], [40, 50, 60]])
    explainer = explainer_of(Formula(weighed), "kernel-shap", baseline, name="training-sample")
    rows = Rows(inputs=torch.arange(15.0).reshape(5, 3))
    asked = asked_rows(explainer, rows, np.random.default_rng(0)).inputs.reshape(2, 5, 3)
    own = asked == rows.inputs
    compared = asked == baseline[torch.arange(5) % 2]
    assert bool((own ^ compared).all())
    assert 0.2 < float(own.double().mean()) < 0.8
    assert not torch.equal(asked[0], asked[1])
    ends = removal_of(explainer, rows).ends()
    assert ends[1] == pytest.approx(weighed(baseline)[torch.arange(5) % 2].numpy())


def test_what_is_carried_over_is_a_share_of_what_can_be_foretold() -> None:
    chance = np.random.default_rng(0)
    asked, real = chance.normal(size=(200, 2)), chance.normal(size=(80, 2))
    said, decided = (np.stack([rows[:, 0] + 0.3 * rows[:, 1], rows[:, 1]], axis=1) for rows in (asked, real))
    left = ((forest_of(asked, said, 3).predict(real) - decided) ** 2).sum()
    reached = 1 - left / ((decided - decided.mean(axis=0)) ** 2).sum()
    assert 0.3 < reached < 0.97
    assert carried_over(asked, said, real, decided, 0.98, 3) == pytest.approx(reached / 0.98)
    assert carried_over(asked, said, real, decided, reached / 2, 3) == 1
    assert carried_over(asked, -said, real, decided, 0.98, 3) == 0


def test_methods_of_another_baseline_are_shown_and_decide_nothing() -> None:
    one = examined()
    found = methods_check(one, {"input-x-gradient": -one.attributions, "feature-ablation": one.attributions})
    assert found.outcome == "passed"
    assert "with feature-ablation, the least alike of 1" in found.result
    worse = methods_check(one, {"deep-lift": one.attributions[:, ::-1], "feature-ablation": one.attributions})
    assert worse.outcome == "failed"
    assert "with deep-lift, the least alike of 2" in worse.result
    assert methods_check(one, {"input-x-gradient": one.attributions}).outcome == "not applicable"


def test_the_method_with_the_worst_outcome_decides_and_of_two_alike_the_one_with_the_least_alike_order(monkeypatch) -> None:
    def beside(order: float, first: float) -> consistency._Beside:
        told = (Measure(name="explain.x", value=value, low=value, high=value) for value in (order, first, 1.0))
        return consistency._Beside(**dict(zip(("order", "first", "top"), told, strict=True)))

    monkeypatch.setattr(consistency, "_beside", lambda examined, told: told)
    one = examined()
    found = methods_check(one, {"deep-lift": beside(0.7, 0.6), "feature-ablation": beside(0.8, 0.1)})
    assert (found.outcome, found.measure.value) == ("failed", 0.8)
    assert "with feature-ablation, the least alike of 2" in found.result
    weak = methods_check(one, {"deep-lift": beside(0.5, 0.4), "feature-ablation": beside(0.4, 0.45)})
    assert (weak.outcome, weak.measure.value) == ("weak", 0.4)
    assert found.more[0].value == 0.1


@pytest.mark.parametrize(("signs", "outcome", "value"), [((1, 1, 1), "passed", 1), ((1, -1, -1), "failed", -1 / 3)])
def test_seeds_agree_on_average(monkeypatch, signs: tuple[int, ...], outcome: str, value: float) -> None:
    one = examined("kernel-shap", n=6)
    monkeypatch.setattr(consistency, "reseeded", lambda explainer, rows: np.stack([s * one.attributions for s in signs]))
    found = seeds_check(one)
    assert (found.outcome, found.measure.value) == (outcome, pytest.approx(value))


def test_few_rows_are_spread_evenly_and_keep_their_clusters() -> None:
    one = examined(n=300)
    one = Examined(**{**vars(one), "clusters": np.arange(300) // 2})
    few = one.few()
    index = np.unique(np.linspace(0, 299, 64).astype(int))
    assert len(few.rows) == 64
    assert torch.equal(few.rows.inputs, one.rows.inputs[torch.as_tensor(index)])
    assert few.clusters.tolist() == (index // 2).tolist()
    assert few.attributions == pytest.approx(one.attributions[index])


def test_figures_over_rows_are_ratios_of_sums_over_those_where_they_are_defined() -> None:
    one = examined(n=4)
    measured = one.defined("x", np.array([1.0, np.nan, 4.0, np.nan]), higher_is_better=True)
    assert (measured.value, measured.n) == (2.5, 2)
    ratio = one.ratio("x", np.array([1.0, 3, 0, 0]), np.array([2.0, 2, 0, 4]), higher_is_better=False)
    assert (ratio.value, ratio.n) == (0.5, 3)
    assert ratio.low <= 0.5 <= ratio.high


@pytest.mark.parametrize(("best", "outcome"), [(0.049, "not applicable"), (0.05, "passed"), (0.08, "passed")])
def test_an_order_is_judged_from_a_twentieth_of_the_typical_change_on(best: float, outcome: str) -> None:
    advantage = Measure(name="explain.x", value=best, low=best - 0.01, high=best + 0.01)
    assert _removed("deletion", "", advantage, advantage, best, None).outcome == outcome


def test_chance_gives_contributions_of_a_row_to_other_inputs_of_it() -> None:
    one = examined(n=20)
    rows = Rows(inputs=torch.tensor([[1.0, 1, 1]]).repeat(20, 1))
    held = one.explainer.per_feature_group(rows)
    found = infidelity(one.explainer, rows, held, np.random.default_rng(0))
    assert held == pytest.approx(np.tile([3.0, -2, 1], (20, 1)), abs=1e-5)
    assert found.left == pytest.approx(0, abs=1e-8)
    assert (found.chance > 0.3 * found.total).all()  # of six orders five are others
    assert found.total.mean() == pytest.approx((9 + 4 + 1) / 4 + (2 / 2) ** 2, rel=0.15)  # variance, and the mean fall of 1
