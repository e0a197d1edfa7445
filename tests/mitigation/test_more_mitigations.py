"""Each further mitigation against Fairlearn, scikit-learn or a closed form on the same numbers."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from fairlearn.metrics import equalized_odds_difference
from fairlearn.preprocessing import CorrelationRemover
from fairlearn.reductions import EqualizedOdds, ExponentiatedGradient
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

import glassbench
from glassbench.contracts.data import Batch, Split
from glassbench.contracts.schema import Schema, Target
from glassbench.contracts.task import Predictions
from glassbench.testing import toy_data
from glassbench_plugins.mitigation.correlation_removal import CorrelationRemoval
from glassbench_plugins.mitigation.gap_penalty import PenalisedLoss
from glassbench_plugins.mitigation.group_offsets import GroupOffsets
from glassbench_plugins.mitigation.reductions import ReducedClassifier
from glassbench_plugins.mitigation.resampling import Resampling
from glassbench_plugins.mitigation.score_calibration import ScoreCalibration

CHANCE = np.random.default_rng(5)


def classes(names: tuple[str, ...]) -> Schema:
    return Schema(modality="table", shape=(1,), target=Target(name="y", kind="class", classes=names), sensitive=("side",))


def predictions(names: tuple[str, ...], n: int = 900, sharp: float = 3.0) -> Predictions:
    side = CHANCE.choice(["left", "right"], n)
    truth = np.where(side == "left", CHANCE.integers(0, len(names), n), CHANCE.integers(0, len(names), n) // 2)
    logits = sharp * (np.eye(len(names))[truth] + 0.6 * CHANCE.normal(size=(n, len(names))))
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    named = np.array(names, dtype=object)
    frame = pd.DataFrame({"row": np.arange(n), "y_true": named[truth], "y_pred": named[scores.argmax(axis=1)]})
    return Predictions(frame=frame.assign(**{f"score.{c}": scores[:, k] for k, c in enumerate(names)}, **{"group.side": side}))


def test_correlation_removal_is_fairlearns() -> None:
    data = toy_data(rows=400)
    assert isinstance(data.train, Split)
    assert isinstance(data.test, Split)
    side = (data.train.groups["side"] == "right").to_numpy(dtype=float)
    data.train.inputs[0][:, 0] += torch.as_tensor(side, dtype=torch.float32)
    remover = CorrelationRemover(sensitive_feature_ids=[0], alpha=0.7)
    remover.fit(np.column_stack([side, data.train.inputs[0].numpy()]))
    removal = CorrelationRemoval(share=0.7)
    facts = removal.fit_inputs(data.train, data.schema)
    test_side = (data.test.groups["side"] == "right").to_numpy(dtype=float)
    expected = remover.transform(np.column_stack([test_side, data.test.inputs[0].numpy()]))
    assert np.allclose(removal.transform(data.test, facts).inputs[0].numpy(), expected, atol=1e-5)


def test_the_penalty_is_the_variance_between_groups_and_its_gradient_is_right() -> None:
    codes, truth = np.array([0, 0, 1, 1, 1, 0]), torch.tensor([0, 1, 0, 1, 1, 0])
    output = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    batch = Batch((torch.zeros(6, 1),), truth, torch.arange(6), None)
    for constraint in ("demographic_parity", "equalized_odds"):
        loss = PenalisedLoss(codes, codes, 2, constraint, 2.0)

        def penalty(out: torch.Tensor, loss: PenalisedLoss = loss) -> torch.Tensor:
            return loss(torch.zeros(6, dtype=torch.float64), out, batch).mean()

        p = torch.softmax(output.detach().float(), dim=1).double().numpy()
        masks = [np.ones(6, dtype=bool)] if constraint == "demographic_parity" else [truth.numpy() == k for k in range(3)]
        by_hand = 0.0
        for mask in masks:
            parts = [(mask & (codes == g)) for g in (0, 1) if (mask & (codes == g)).any()]
            if parts:
                means = np.array([p[m].mean(axis=0) for m in parts])
                by_hand += sum(
                    m.sum() / mask.sum() * ((v - p[mask].mean(axis=0)) ** 2).sum() for m, v in zip(parts, means, strict=True)
                )
        assert float(penalty(output).detach()) == pytest.approx(2.0 * by_hand / len(masks), rel=1e-5)
        (gradient,) = torch.autograd.grad(penalty(output), output)
        step = torch.zeros_like(output)
        step[2, 1] = 1e-2
        numeric = float((penalty(output + step) - penalty(output - step)).detach()) / 2e-2
        assert float(gradient[2, 1]) == pytest.approx(numeric, rel=1e-2)


def test_resampled_cells_are_as_large_as_independence_says() -> None:
    n = 1000
    side, target = CHANCE.choice(["left", "right"], n, p=[0.3, 0.7]), CHANCE.integers(0, 2, n)
    target = np.where(side == "left", 0, target)
    target[0], side[0] = 1, "left"
    train = Split(
        inputs=(torch.arange(n, dtype=torch.float32)[:, None],),
        rows=np.arange(n),
        target=torch.as_tensor(target),
        groups=pd.DataFrame({"side": side}),
    )
    drawn = Resampling().training_rows(train, classes(("no", "yes")), 0)
    frame = drawn.groups.assign(y=drawn.target.numpy())
    expected = pd.Series(side).value_counts() / n * (target == 1).mean() * n
    assert (frame[frame["y"] == 1]["side"].value_counts() - expected).abs().max() <= 1
    assert (drawn.inputs[0][:, 0].numpy() == drawn.rows).all()


@pytest.mark.filterwarnings("ignore::DeprecationWarning:fairlearn")
def test_the_reduction_is_fairlearns() -> None:
    n = 500
    group = CHANCE.integers(0, 2, n)
    rows = CHANCE.normal(size=(n, 3)) + group[:, None] * [1.0, 0, 0]
    target = (rows[:, 0] + rows[:, 1] + CHANCE.normal(size=n) > 0.7).astype(int)
    own = ExponentiatedGradient(LogisticRegression(), EqualizedOdds(difference_bound=0.02), eps=0.02, max_iter=20)
    own.fit(rows, target, sensitive_features=group)
    ours = ReducedClassifier(LogisticRegression(), "equalized_odds", 0.02, 20).grouped(group).fit(rows, target)
    assert ours.predict_proba(rows) == pytest.approx(own._pmf_predict(rows))
    assert len(ours.predictors_) > 1
    assert not hasattr(ours, "_codes")


def test_platt_and_isotonic_are_scikit_learns() -> None:
    given = predictions(("no", "yes"))
    score, truth = given.frame["score.yes"].to_numpy(), (given.frame["y_true"] == "yes").to_numpy()
    logit = np.log(score) - np.log1p(-score)
    platt = _SigmoidCalibration().fit(logit, truth).predict(logit)
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(score, truth).predict(score)
    for method, expected, tolerance in (("platt", platt, 1e-3), ("isotonic", isotonic, 1e-9)):
        calibration = ScoreCalibration(method=method)
        facts = calibration.fit_decisions(given, classes(("no", "yes")))
        found = calibration.decide(given, facts).frame
        assert found["score.yes"].to_numpy() == pytest.approx(expected, abs=tolerance)
        assert (found["y_pred"] == np.where(found["score.yes"] > found["score.no"], "yes", "no")).mean() > 0.99


def test_the_temperature_minimises_the_log_loss_of_three_classes() -> None:
    given = predictions(("a", "b", "c"), sharp=8.0)
    calibration = ScoreCalibration()
    schema = classes(("a", "b", "c"))
    facts = calibration.fit_decisions(given, schema)
    scores = given.frame[["score.a", "score.b", "score.c"]].to_numpy()
    truth = given.frame["y_true"].map({"a": 0, "b": 1, "c": 2}).to_numpy()

    def loss(t: float) -> float:
        logs = np.log(scores) / t
        return float(-(logs - np.logaddexp.reduce(logs, axis=1)[:, None])[np.arange(len(truth)), truth].mean())

    best = min(np.geomspace(0.2, 20, 2000), key=loss)
    assert facts["all"][0] == pytest.approx(best, rel=0.01)
    found = calibration.decide(given, facts).frame
    assert (found["y_pred"] == given.frame["y_pred"]).all()
    by_group = ScoreCalibration(by_group=True).fit_decisions(given, schema)
    assert len(by_group["fits"]) == 2


def test_offsets_make_three_classes_alike_often() -> None:
    given = predictions(("a", "b", "c"), n=3000, sharp=1.5)
    rule = GroupOffsets(accuracy_loss=1.0)
    facts = rule.fit_decisions(given, classes(("a", "b", "c")))
    found = rule.decide(given, facts).frame

    def gap(frame: pd.DataFrame) -> float:
        rates = pd.crosstab(frame["group.side"], frame["y_pred"], normalize="index")
        return float((rates.loc["left"] - rates.loc["right"]).abs().max())

    assert gap(found) < 0.02 < gap(given.frame)
    bounded = GroupOffsets(accuracy_loss=0.01)
    kept = bounded.decide(given, bounded.fit_decisions(given, classes(("a", "b", "c")))).frame
    lost = (given.frame["y_pred"] == given.frame["y_true"]).mean() - (kept["y_pred"] == kept["y_true"]).mean()
    assert lost <= 0.01 + 1e-9
    assert gap(kept) < gap(given.frame)


def odds_gap(frame: pd.DataFrame, names: tuple[str, ...]) -> float:
    """Return the widest equalized-odds gap of a class against the rest, by Fairlearn."""
    side = frame["group.side"]
    return max(equalized_odds_difference(frame["y_true"] == c, frame["y_pred"] == c, sensitive_features=side) for c in names)


def favoured(names: tuple[str, ...], n: int) -> Predictions:
    """Return predictions whose scores favour the last class for one side, whatever is true."""
    given = predictions(names, n)
    side, truth = given.frame["group.side"], CHANCE.integers(0, len(names), n)
    logits = 2 * (np.eye(len(names))[truth] + 0.6 * CHANCE.normal(size=(n, len(names))))
    logits[side == "left", -1] += 1.5
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    named = np.array(names, dtype=object)
    told = {f"score.{c}": scores[:, k] for k, c in enumerate(names)}
    return replace(given, frame=given.frame.assign(y_true=named[truth], y_pred=named[scores.argmax(axis=1)], **told))


def test_offsets_make_the_odds_of_three_classes_alike_on_fresh_rows() -> None:
    names = ("a", "b", "c")
    given, fresh = (favoured(names, 20_000) for _ in range(2))
    rule = GroupOffsets(constraint="equalized_odds")
    facts = rule.fit_decisions(given, classes(names))
    decided = rule.decide(fresh, facts).frame
    assert odds_gap(decided, names) < 0.06 < 0.25 < odds_gap(fresh.frame, names)
    assert (decided["y_pred"] == decided["y_true"]).mean() > (fresh.frame["y_pred"] == fresh.frame["y_true"]).mean()
    assert "true and false positive rates of each class" in rule.account(toy_data(), facts)


def test_offsets_do_not_hang_on_how_sharp_the_scores_are() -> None:
    """Probabilities to a power keep every order; offsets grow alike, and the same classes are decided."""
    names = ("a", "b", "c")
    given = predictions(names, n=2000)
    scores = [f"score.{name}" for name in names]
    powers = given.frame[scores].to_numpy() ** 0.5
    blunt = replace(
        given, frame=given.frame.assign(**dict(zip(scores, (powers / powers.sum(axis=1, keepdims=True)).T, strict=True)))
    )
    rule = GroupOffsets(accuracy_loss=0.05)
    sharp, dull = (rule.fit_decisions(one, classes(names)) for one in (given, blunt))
    assert np.asarray(dull["offsets"]) == pytest.approx(np.asarray(sharp["offsets"]) / 2, abs=1e-6)


def test_offsets_keep_a_decision_that_scores_did_not_make() -> None:
    names = ("a", "b", "c")
    given = predictions(names)
    other = replace(given, frame=given.frame.assign(y_pred="b", y_true="b"))
    rule = GroupOffsets()
    facts = rule.fit_decisions(other, classes(names))
    assert not np.any(facts["offsets"])
    assert (rule.decide(other, facts).frame["y_pred"] == "b").all()


@pytest.mark.parametrize(
    "mitigations",
    [
        ["correlation-removal", "resampling"],
        [{"use": "exponentiated-gradient", "features": ["sex"], "fits": 10}],
        ["grid-reduction", {"use": "score-calibration", "method": "platt"}],
    ],
    ids=["inputs", "reduction", "grid"],
)
def test_runs_decide_new_rows_as_they_decided_held_out_ones(mitigations, table, experiment, tmp_path) -> None:
    run = glassbench.run({**experiment, "mitigations": mitigations, "audits": ["performance"]}, data=table, runs=tmp_path)
    stored = pd.read_parquet(run.folder / "predictions.parquet")
    again = glassbench.load_run(run.folder).predict(table.iloc[stored["row"].to_numpy()])
    assert again["y_pred"].astype(str).tolist() == stored["y_pred"].astype(str).tolist()
    assert again["score.yes"].to_numpy() == pytest.approx(stored["score.yes"].to_numpy(), abs=1e-6)


def test_rows_of_an_unknown_group_keep_their_inputs() -> None:
    data = toy_data(rows=400)
    assert isinstance(data.train, Split)
    assert isinstance(data.test, Split)
    removal = CorrelationRemoval()
    strange = replace(data.test, groups=data.test.groups.assign(side="elsewhere"))
    found = removal.transform(strange, removal.fit_inputs(data.train, data.schema))
    assert torch.equal(found.inputs[0], data.test.inputs[0])
