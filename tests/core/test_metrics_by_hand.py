"""Metrics without a formula of their own: shares of rows that stand for several or hang together, by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import norm
from torch import nn

from glassbench.contracts.data import Batch
from glassbench.contracts.learner import SupervisedLearner, steps
from glassbench.contracts.metric import Metric
from glassbench.contracts.task import Optimization
from glassbench.stats.inference import effective_size, rate_limits
from glassbench.stats.sampling import Sampling

Z = float(norm.ppf(0.975))
HITS = (np.arange(40) % 4 == 0) | (np.arange(40) > 34)
RATE = Metric(name="r", compute=lambda frame, w: w @ frame["hit"].to_numpy(dtype=float) / w.sum(axis=1), rate=True)


def infer(metric: Metric, **columns: object) -> tuple[float, float, tuple[float, float], int]:
    found = metric.infer(pd.DataFrame({"hit": HITS, **columns}), np.random.default_rng(0))
    return found.value, found.error, found.limits(Z), found.n


def test_a_share_of_counted_rows_has_the_interval_of_as_many_rows() -> None:
    often = np.where(HITS, 3, 1)
    value, _, limits, n = infer(RATE, frequency=often)
    assert (value, n) == (often[HITS].sum() / often.sum(), often.sum())
    assert limits == pytest.approx(rate_limits(value, n, Z))


def test_a_share_of_clusters_has_the_interval_of_rows_that_vary_as_much_by_their_degrees_of_freedom() -> None:
    clusters = np.repeat(np.arange(8), 5)
    value, error, limits, n = infer(RATE, cluster=clusters)
    sampling = Sampling(weight=np.ones(40), clusters=clusters)
    assert (value, n) == (HITS.mean(), 8)
    assert error == pytest.approx(sampling.spread(HITS - HITS.mean()).error, rel=0.1)
    assert limits == pytest.approx(rate_limits(value, effective_size(value, error, sampling), Z, 7))
    assert limits[1] - limits[0] > np.ptp(rate_limits(value, effective_size(value, error, sampling), Z))


def test_a_proportion_of_which_no_row_shows_anything_may_still_be_above_nothing() -> None:
    spotless = Metric(name="p", compute=lambda frame, w: np.zeros(len(w)), proportion=True, lowest=0.0)
    plain = Metric(name="p", compute=lambda frame, w: np.zeros(len(w)), lowest=0.0)
    assert infer(spotless)[2] == pytest.approx(rate_limits(0.0, 40, Z, 39))
    assert infer(plain)[2] == (0, 0)
    assert (RATE.bounds, plain.bounds) == ((0, 1), (0, np.inf))


def batch(*values: float, weight: list[float] | None = None) -> Batch:
    given = torch.tensor(values)[:, None]
    return Batch((given,), given[:, 0], torch.arange(len(values)), None if weight is None else torch.tensor(weight))


def test_weights_of_a_batch_are_against_the_mean_weight_of_all_rows() -> None:
    """Rows of weights 2 and 1 in a batch, of which the mean over all rows is 1: (2 * 1 + 1 * 3) / 2, not / 3."""
    learner = SupervisedLearner(nn.Identity(), lambda output, of: output[:, 0], Optimization())
    rows = batch(1.0, 3.0, weight=[2.0, 1.0])
    assert float(learner._mean_loss(rows.inputs[0], rows)) == 2.5
    assert float(learner._mean_loss(rows.inputs[0], rows._replace(weight=None))) == 2
    whole = SupervisedLearner(nn.Identity(), lambda output, of: output.mean(), Optimization())
    assert float(whole._mean_loss(rows.inputs[0], rows)) == 2
    assert (learner.weighs, whole.weighs) == (True, False)


def test_the_loss_of_validation_is_the_mean_over_rows_of_unequal_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: dict[str, float] = {}
    learner = SupervisedLearner(nn.Identity(), lambda output, of: output[:, 0], Optimization())
    monkeypatch.setattr(learner, "log", lambda name, value, sync_dist: logged.update({name: float(value)}))
    for epoch in range(2):
        learner.on_validation_epoch_start()
        learner.validation_step(batch(1.0, 2.0, 3.0), 0)
        learner.validation_step(batch(6.0 + epoch), 1)
        learner.on_validation_epoch_end()
        assert logged["validation_loss"] == pytest.approx(3 + epoch / 4)
        learner.on_train_epoch_start()
        learner._note(torch.tensor([1.0, 5.0 + epoch]), [3, 1])
        learner.on_train_epoch_end()
        assert logged["train_loss"] == pytest.approx(2 + epoch / 4)


def test_a_step_takes_as_many_batches_as_are_asked_for_and_the_last_what_is_left() -> None:
    found = list(steps(batch(*map(float, range(7))), Optimization(batch_size=2, accumulate=3)))
    assert [[part.target.tolist() for part in group] for group in found] == [[[0, 1], [2, 3], [4, 5]], [[6]]]
